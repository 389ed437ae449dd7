/* SPDX-License-Identifier: Apache-2.0 */
/* layer_norm: mean and variance over the dimensions from axis on. */
#include <math.h>

#include "ops/rows.h"

enum { X, SCALE, BIAS, RESIDUAL };

static int64_t rows_of(const node_view *v)
{
    return shape_product(&nv_in(v, X)->shape, 0, v->n->a.norm.axis);
}

static int64_t length_of(const node_view *v)
{
    const shape *s = &nv_in(v, X)->shape;
    return shape_product(s, v->n->a.norm.axis, s->rank);
}

static status infer(const node_view *v, shape *out)
{
    out[0] = nv_in(v, X)->shape;
    return SEPCL_OK;
}

static status check(const node_view *v)
{
    static const char *const names[] = {"input", "scale", "bias"};
    char                     text[SHAPE_TEXT];
    const int                axis = v->n->a.norm.axis, rank = nv_in(v, X)->shape.rank;
    NEED(axis >= 0 && axis < rank, "axis %d lies outside the input's %d dimensions", axis, rank);
    for (int i = SCALE; i <= BIAS; i++)
        NEED(!nv_has(v, i) || shape_count(&nv_in(v, i)->shape) == length_of(v),
             "%s has shape %s, but %lld elements are normalised", names[i], shape_text(&nv_in(v, i)->shape, text),
             (long long)length_of(v));
    return rows_check_residual(v, RESIDUAL, infer);
}

static void count(const node_view *v, op_count *out)
{
    const uint64_t n = (uint64_t)shape_count(&nv_out(v, 0)->shape);
    out->multiplications = 2 * n;
    out->additions = 3 * n;
    out->bytes = 8 * n;
    for (int i = SCALE; i <= BIAS; i++) {
        if (!nv_has(v, i))
            continue;
        out->multiplications += i == SCALE ? n : 0;
        out->additions += i == BIAS ? n : 0;
        out->parameters += nv_in(v, i)->data ? (uint64_t)length_of(v) : 0;
        out->bytes += 4 * (uint64_t)length_of(v);
    }
}

static status ref(const node_view *v, const float *const *in, float *const *out)
{
    const int64_t length = length_of(v);
    const float  *scale = nv_has(v, SCALE) ? in[SCALE] : NULL, *bias = nv_has(v, BIAS) ? in[BIAS] : NULL;
    for (int64_t row = 0; row < rows_of(v); row++) {
        const float *x = in[X] + row * length;
        double       mean = 0, squares = 0;
        for (int64_t i = 0; i < length; i++)
            mean += x[i];
        mean /= (double)length;
        for (int64_t i = 0; i < length; i++)
            squares += (x[i] - mean) * (x[i] - mean);
        const double deviation = sqrt(squares / (double)length + (double)v->n->a.norm.epsilon);
        for (int64_t i = 0; i < length; i++)
            out[0][row * length + i] =
                (float)((x[i] - mean) / deviation * (scale ? scale[i] : 1) + (bias ? bias[i] : 0));
    }
    return SEPCL_OK;
}

/* ------------------------------------------------------------------ cases */

static const struct {
    const char *in;
    int         axis;
    float       offset; /* added to the input: a mean far from 0 */
    bool        scale, bias, constant;
    char        epilogue;
    bool        residual;
} cases[] = {
    {"2x50x96", 2, 0, true, true, true, 0, false},   {"3x17", 1, 0, true, true, true, 1, true},
    {"3x4x5x7", 1, 0, true, true, false, 0, false},  {"2x3x40", 2, 0, true, false, true, 2, true},
    {"100x5", 1, 0, false, false, true, 0, false},   {"2x3x5x3", 2, 0, false, true, true, 0, true},
    {"1000", 0, 20, true, true, true, 0, false},     {"4x1", 1, 0, true, true, true, 0, false},
    {"2x2x2x2x2x24", 5, 0, true, true, true, 0, false},
};

static bool gen(int i, graph *g)
{
    if (i >= (int)(sizeof cases / sizeof cases[0]))
        return false;
    const shape s = rows_shape(cases[i].in);
    const shape part = shape_make(s.rank - cases[i].axis, s.dim + cases[i].axis);
    value_id (*make)(graph *, const char *, const shape *) = cases[i].constant ? test_const : test_input;
    value_id in[4] = {test_input(g, "x", &s), -1, -1, -1};
    if (cases[i].scale)
        in[SCALE] = make(g, "scale", &part);
    if (cases[i].bias)
        in[BIAS] = make(g, "bias", &part);
    if (cases[i].offset != 0)
        in[X] = graph_op(g, OP_UNARY, "far", &(attrs){.unary.f = {ACT_AFFINE, 1, cases[i].offset}}, &in[X], 1);
    if (cases[i].residual)
        in[RESIDUAL] = test_input(g, "residual", &s);
    const attrs    a = {.norm = {.epsilon = 1e-5f, .axis = cases[i].axis}};
    const value_id y = graph_op(g, OP_LAYER_NORM, "y", &a, in, 4);
    rows_epilogue(g, cases[i].epilogue);
    return graph_output(g, y) == SEPCL_OK;
}

/* ------------------------------------------------------------------ rows */

static bool fits_group(const node_view *v, const caps *c, const int *p)
{
    (void)v;
    return rows_group_fits(c, p[0], 1, sizeof(float) * (size_t)p[0]);
}

static bool fits_rows(const node_view *v, const caps *c, const int *p)
{
    (void)v, (void)c, (void)p;
    return true;
}

static rows_tile share(const node_view *v, const caps *c)
{
    return rows_share(c, rows_of(v), 1, 1, 3.0 * (double)i64_max(1, length_of(v)));
}

static double cost_group(const node_view *v, const caps *c, const int *p)
{
    const double slow = caps_is_cpu(c) ? 16 : 1; /* barriers cut up a CPU's work-item loop */
    const double steps = (double)rows_of(v) * (3 * 1.3 * (double)length_of(v) + 2.0 * p[0]);
    return slow * rows_seconds(c, steps, rows_of(v) * p[0], 1);
}

static double cost_rows(const node_view *v, const caps *c, const int *p)
{
    const double steps = (double)rows_of(v) * (3 * rows_steps(c, length_of(v), p[0]) + 8);
    return rows_seconds(c, steps, share(v, c).row_items, 1);
}

/* An absent scale or bias: the input stands in, and is not read. */
static void start(launch *k, const node_view *v)
{
    launch_define(k, "HAS_SCALE", nv_has(v, SCALE));
    launch_define(k, "HAS_BIAS", nv_has(v, BIAS));
    arg_in(k, X);
    arg_in(k, nv_has(v, SCALE) ? SCALE : X);
    arg_in(k, nv_has(v, BIAS) ? BIAS : X);
    arg_out(k, 0);
    arg_i32(k, rows_of(v));
    arg_i32(k, length_of(v));
}

static void launch_group(const node_view *v, const caps *c, const int *p, launch_list *out)
{
    launch *k = launch_add(out, 1, rows_of(v) * p[0], 1, 1);
    (void)c;
    launch_local(k, (size_t)p[0], 1, 1);
    start(k, v);
    arg_f32(k, v->n->a.norm.epsilon);
    arg_local(k, sizeof(float) * (size_t)p[0]);
    launch_epilogue(k, v, RESIDUAL);
}

static void launch_rows(const node_view *v, const caps *c, const int *p, launch_list *out)
{
    const rows_tile t = share(v, c);
    launch         *k = launch_add(out, 1, t.row_items, 1, 1);
    (void)p;
    start(k, v);
    arg_i32(k, t.rows);
    arg_f32(k, v->n->a.norm.epsilon);
    launch_epilogue(k, v, RESIDUAL);
}

static const kernel_def kernels[] = {
    {"layer_norm", "layer_norm_group", "a work-group a row", {{"G", {256, 64}}}, fits_group, launch_group, cost_group},
    {"layer_norm", "layer_norm_rows", "vectors along a row", {{"V", {16, 8, 4, 1}}}, fits_rows, launch_rows, cost_rows},
    {0},
};

const op_def op_layer_norm = {
    .name = "layer_norm",
    .min_in = 1,
    .max_in = 4,
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
