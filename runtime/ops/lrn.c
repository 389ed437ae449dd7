/* SPDX-License-Identifier: Apache-2.0 */
/* lrn: local response normalisation across channels, the last dimension. */
#include <math.h>

#include "ops/rows.h"

enum { X, RESIDUAL };

static status infer(const node_view *v, shape *out)
{
    out[0] = nv_in(v, X)->shape;
    return SEPCL_OK;
}

static status check(const node_view *v)
{
    const attr_lrn *a = &v->n->a.lrn;
    NEED(nv_in(v, X)->shape.rank >= 1, "the input has no dimension of channels");
    NEED(a->size >= 1, "size is %d, but at least the channel itself has to take part", a->size);
    return rows_check_residual(v, RESIDUAL, infer);
}

static int64_t channels_of(const node_view *v)
{
    const shape *s = &nv_in(v, X)->shape;
    return s->dim[s->rank - 1];
}

static int64_t pixels_of(const node_view *v)
{
    const shape *s = &nv_in(v, X)->shape;
    return shape_product(s, 0, s->rank - 1);
}

/* Neighbours before a channel and after it, none further away than there are channels. */
static int64_t before(const node_view *v)
{
    return i64_min((v->n->a.lrn.size - 1) / 2, channels_of(v));
}

static int64_t after(const node_view *v)
{
    return i64_min(v->n->a.lrn.size / 2, channels_of(v));
}

static void count(const node_view *v, op_count *out)
{
    const uint64_t n = (uint64_t)shape_count(&nv_out(v, 0)->shape);
    out->multiplications = n * (uint64_t)(before(v) + after(v) + 4);
    out->additions = n * (uint64_t)(before(v) + after(v) + 1);
    out->bytes = 8 * n;
}

static status ref(const node_view *v, const float *const *in, float *const *out)
{
    const attr_lrn *a = &v->n->a.lrn;
    const int64_t   channels = channels_of(v);
    for (int64_t i = 0; i < pixels_of(v) * channels; i++) {
        const int64_t c = i % channels;
        double        s = 0;
        for (int64_t k = i64_max(0, c - before(v)); k <= i64_min(channels - 1, c + after(v)); k++)
            s += (double)in[X][i - c + k] * in[X][i - c + k];
        out[0][i] = (float)(in[X][i] / pow(a->bias + (double)a->alpha / a->size * s, a->beta));
    }
    return SEPCL_OK;
}

/* ------------------------------------------------------------------ cases */

typedef struct lrn_case {
    const char *in;
    attr_lrn    a; /* size, alpha, beta, bias */
    char        epilogue;
    bool        residual;
} lrn_case;

static const lrn_case cases[] = {
    {"1x5x5x64", {5, 0.5f, 0.75f, 1}, 0, false}, {"3x3x4x17", {5, 0.5f, 0.75f, 2}, 1, true},
    {"1x4x4x24", {3, 0.3f, 0.5f, 1}, 0, false},  {"2x5x3x5", {4, 1, 1, 0.5f}, 2, false},
    {"1x3x3x3", {9, 1, 0.75f, 1}, 0, true},      {"7x1", {5, 0.1f, 0.6f, 1}, 0, false},
    {"2x30x10", {1, 0.5f, 0.75f, 1}, 0, false},  {"40", {2, 0.5f, 0.9f, 1}, 0, false},
    {"1x2x3x2x40", {32, 1, 0.75f, 1}, 0, false},
};

static bool gen(int i, graph *g)
{
    if (i >= (int)(sizeof cases / sizeof cases[0]))
        return false;
    const lrn_case *c = &cases[i];
    const shape     s = rows_shape(c->in);
    const value_id  in[2] = {test_input(g, "x", &s), c->residual ? test_input(g, "residual", &s) : -1};
    const value_id  y = graph_op(g, OP_LRN, "y", &(attrs){.lrn = c->a}, in, 2);
    rows_epilogue(g, c->epilogue);
    return graph_output(g, y) == SEPCL_OK;
}

/* ------------------------------------------------------------------ rows */

static bool fits(const node_view *v, const caps *c, const int *p)
{
    (void)v, (void)c, (void)p;
    return true;
}

static const char *power_name(float beta)
{
    return beta == 0.5f ? "over_half" : beta == 0.75f ? "over_three_quarters" : "over_any";
}

static double weight(const node_view *v)
{
    return (double)(before(v) + after(v)) + 8;
}

static double cost(const node_view *v, const caps *c, const int *p)
{
    const rows_tile t = rows_share(c, pixels_of(v), channels_of(v), p[0], weight(v));
    return rows_seconds(c, (double)pixels_of(v) * (rows_steps(c, channels_of(v), p[0]) * weight(v) + 4),
                        t.column_items * t.row_items, 1);
}

static void launch_lrn(const node_view *v, const caps *c, const int *p, launch_list *out)
{
    const attr_lrn *a = &v->n->a.lrn;
    const rows_tile t = rows_share(c, pixels_of(v), channels_of(v), p[0], weight(v));
    launch         *k = launch_add(out, 2, t.column_items, t.row_items, 1);
    launch_define_text(k, "OVER", power_name(a->beta));
    arg_in(k, X);
    arg_out(k, 0);
    arg_i32(k, pixels_of(v));
    arg_i32(k, channels_of(v));
    arg_i32(k, t.rows);
    arg_i32(k, t.columns);
    arg_i32(k, before(v));
    arg_i32(k, after(v));
    arg_f32(k, (double)a->alpha / a->size);
    arg_f32(k, a->bias);
    arg_f32(k, a->beta);
    launch_epilogue(k, v, RESIDUAL);
}

static const kernel_def kernels[] = {
    {"lrn", "lrn", "vectors of channels", {{"V", {16, 8, 4, 1}}}, fits, launch_lrn, cost},
    {0},
};

const op_def op_lrn = {
    .name = "lrn",
    .min_in = 1,
    .max_in = 2,
    .n_out = 1,
    .flags = OP_EPI_ACT | OP_EPI_RESIDUAL,
    .residual_slot = RESIDUAL,
    .check = check,
    .infer = infer,
    .count = count,
    .ref = ref,
    .gen = gen,
    .kernels = kernels,
};
