/* SPDX-License-Identifier: Apache-2.0 */
/* unary: one function (ir/acts.inc) applied to each element. */
#include "base/size.h"
#include "ir/op.h"

static status infer(const node_view *v, shape *out)
{
    out[0] = nv_in(v, 0)->shape;
    return SEPCL_OK;
}

static status check(const node_view *v)
{
    NEED(v->n->a.unary.f.kind < ACT_COUNT, "function number %d is unknown", (int)v->n->a.unary.f.kind);
    return SEPCL_OK;
}

/* Functions that only compare, round or change a sign. */
static bool multiplies(act_kind k)
{
    switch (k) {
    case ACT_NONE:
    case ACT_CLAMP:
    case ACT_THRESHOLD:
    case ACT_ABS:
    case ACT_NEG:
    case ACT_SIGN:
    case ACT_FLOOR:
    case ACT_CEIL:
    case ACT_ROUND:
        return false;
    default:
        return true;
    }
}

static void count(const node_view *v, op_count *out)
{
    const uint64_t n = (uint64_t)shape_count(&nv_out(v, 0)->shape);
    out->multiplications = multiplies(v->n->a.unary.f.kind) ? n : 0;
    out->bytes = 8 * n;
}

static status ref(const node_view *v, const float *const *in, float *const *out)
{
    const int64_t n = shape_count(&nv_out(v, 0)->shape);
    for (int64_t i = 0; i < n; i++)
        out[0][i] = (float)act_apply(&v->n->a.unary.f, in[0][i]);
    return SEPCL_OK;
}

static bool gen(int i, graph *g)
{
    /* every function, on a length that fills vectors and one that does not */
    static const float ab[ACT_COUNT][2] = {
        [ACT_CLAMP] = {-0.25f, 0.5f},   [ACT_LEAKY] = {0.1f, 0},        [ACT_HARD_SIGMOID] = {0.2f, 0.5f},
        [ACT_HARD_SWISH] = {1.0f / 6, 0.5f}, [ACT_ELU] = {1.5f, 0},     [ACT_SELU] = {1.67326f, 1.0507f},
        [ACT_CELU] = {0.7f, 0},         [ACT_SWISH] = {1, 0},           [ACT_THRESHOLD] = {0.3f, 0},
        [ACT_SHRINK] = {0.3f, 0.1f},    [ACT_AFFINE] = {-2, 0.5f},
    };
    if (i >= 2 * ACT_COUNT)
        return false;
    const act_kind k = (act_kind)(i / 2);
    const shape    s = i % 2 ? SHAPE(2, 3, 5, 7) : SHAPE(1, 64);
    value_id       x = test_input(g, "x", &s);
    if (k == ACT_LOG || k == ACT_SQRT) /* keep the argument positive */
        x = graph_op(g, OP_UNARY, "positive", &(attrs){.unary.f = {ACT_AFFINE, 0.4f, 0.6f}}, &x, 1);
    const value_id y = graph_op(g, OP_UNARY, "y", &(attrs){.unary.f = {k, ab[k][0], ab[k][1]}}, &x, 1);
    return graph_output(g, y) == SEPCL_OK;
}

static bool fits(const node_view *v, const caps *c, const int *p)
{
    (void)v;
    (void)c;
    (void)p;
    return true;
}

static double cost(const node_view *v, const caps *c, const int *p)
{
    (void)v;
    return p[0] == i64_min(16, 2 * c->simd_width) || (c->simd_width == 1 && p[0] == 4) ? 1 : 2;
}

static void launch_unary(const node_view *v, const caps *c, const int *p, launch_list *out)
{
    const int64_t n = shape_count(&nv_out(v, 0)->shape);
    const int64_t chunk = elements_per_item(c, n, p[0]);
    launch       *k = launch_add(out, 1, div_up(n, chunk), 1, 1);
    arg_in(k, 0);
    arg_out(k, 0);
    arg_i32(k, n);
    arg_i32(k, chunk);
    launch_define_text(k, "F", act_macro(v->n->a.unary.f.kind));
    arg_f32(k, v->n->a.unary.f.a);
    arg_f32(k, v->n->a.unary.f.b);
    launch_epilogue(k, v, -1);
}

static const kernel_def kernels[] = {
    {"unary", "unary", "one function an element", {{"V", {16, 8, 4, 1}}}, fits, launch_unary, cost},
    {0},
};

const op_def op_unary = {
    .name = "unary",
    .min_in = 1,
    .max_in = 1,
    .n_out = 1,
    .flags = OP_ELEMENTWISE,
    .check = check,
    .infer = infer,
    .count = count,
    .ref = ref,
    .gen = gen,
    .kernels = kernels,
};
