/* SPDX-License-Identifier: Apache-2.0 */
/* dense: y[.., n] = sum_k x[.., k] w(n, k) + bias[n], over the last dimension of x. */
#include "base/size.h"
#include "ops/conv.h"

static gemm_size size_of(const node_view *v)
{
    const shape *s = &nv_in(v, CONV_X)->shape;
    return (gemm_size){shape_product(s, 0, s->rank - 1), v->n->a.dense.in_features, v->n->a.dense.out_features};
}

static status check(const node_view *v)
{
    const attr_dense *a = &v->n->a.dense;
    const shape      *s = &nv_in(v, CONV_X)->shape;
    char              text[SHAPE_TEXT];
    NEED(s->rank >= 1, "the input is a scalar");
    if (a->in_features < 1 || a->out_features < 1 || s->dim[s->rank - 1] != a->in_features)
        return fail(SEPCL_BAD_FILE, "the input's shape %s does not end in the weights' %lld features",
                    shape_text(s, text), (long long)a->in_features);
    return conv_check_constants(v, &a->w, a->out_features, a->in_features, 1, 1);
}

static status infer(const node_view *v, shape *out)
{
    *out = nv_in(v, CONV_X)->shape;
    out->dim[out->rank - 1] = v->n->a.dense.out_features;
    return SEPCL_OK;
}

static void count(const node_view *v, op_count *out)
{
    const gemm_size s = size_of(v);
    const bool      bias = nv_has(v, CONV_B);
    out->multiplications = (uint64_t)(s.m * s.n * s.k);
    out->additions = (uint64_t)(s.m * s.n * (s.k - 1 + bias));
    out->parameters = (uint64_t)(s.k * s.n + (bias ? s.n : 0));
    out->bytes = 4 * ((uint64_t)(s.m * s.k + s.m * s.n * (1 + nv_has(v, CONV_RES))) + out->parameters);
}

static status ref(const node_view *v, const float *const *in, float *const *out)
{
    const gemm_size   s = size_of(v);
    const weight_view w = weights_of(v, &v->n->a.dense.w);
    for (int64_t m = 0; m < s.m; m++)
        for (int64_t n = 0; n < s.n; n++) {
            double sum = bias_at(v, n);
            for (int64_t k = 0; k < s.k; k++)
                sum += (double)in[CONV_X][m * s.k + k] * weight_at(&w, n, k, 0, 0);
            out[0][m * s.n + n] = (float)sum;
        }
    return SEPCL_OK;
}

static bool gen(int i, graph *g)
{
    static const struct {
        int  m, k, n;
        bool by_row, bias, residual;
        int  rank;
    } cases[] = {
        {1, 432, 64, true, false, false, 2}, {1, 7, 1, false, true, false, 2},   {3, 33, 17, true, true, true, 2},
        {5, 64, 100, false, true, false, 3}, {16, 5, 8, true, false, true, 4},   {1, 128, 10, true, true, false, 1},
    };
    if (i >= (int)(sizeof cases / sizeof *cases))
        return false;
    const int64_t m = cases[i].m, k = cases[i].k, n = cases[i].n;
    const shape   in[] = {SHAPE(k), SHAPE(m, k), SHAPE(1, m, k), SHAPE(1, m, 1, k)};
    const shape   out[] = {SHAPE(n), SHAPE(m, n), SHAPE(1, m, n), SHAPE(1, m, 1, n)};
    const shape   w = cases[i].by_row ? SHAPE(n, k) : SHAPE(k, n), b = SHAPE(n);
    const attrs   a = {.dense = {k, n, cases[i].by_row ? (weight_strides){k, 1, 0, 0} : (weight_strides){1, n, 0, 0}}};
    value_id      slots[CONV_INPUTS] = {test_input(g, "x", &in[cases[i].rank - 1]), test_const(g, "w", &w), -1, -1, -1};
    if (cases[i].bias)
        slots[CONV_B] = test_const(g, "b", &b);
    if (cases[i].residual)
        slots[CONV_RES] = test_input(g, "residual", &out[cases[i].rank - 1]);
    const value_id y = graph_op(g, OP_DENSE, "dense", &a, slots, CONV_INPUTS);
    return y >= 0 && graph_output(g, y) == SEPCL_OK;
}

static bool fits(const node_view *v, const caps *c, const int *p)
{
    (void)v;
    return tile_fits(c, p);
}

static double cost(const node_view *v, const caps *c, const int *p)
{
    const gemm_size s = size_of(v);
    return tile_cost(c, p, s.m, s.k, s.n);
}

static void launch_dense(const node_view *v, const caps *c, const int *p, launch_list *out)
{
    const gemm_size s = size_of(v);
    gemm_launch(v, c, p, &s, NULL, out);
}

static const kernel_def kernels[] = {
    {"gemm", "gemm", "register-tiled product", TILE_PARAMS, fits, launch_dense, cost},
    {0},
};

const op_def op_dense = {
    .name = "dense",
    .min_in = 2,
    .max_in = CONV_INPUTS,
    .n_out = 1,
    .flags = OP_EPI_ACT | OP_EPI_RESIDUAL,
    .residual_slot = CONV_RES,
    .check = check,
    .infer = infer,
    .count = count,
    .ref = ref,
    .gen = gen,
    .kernels = kernels,
};
