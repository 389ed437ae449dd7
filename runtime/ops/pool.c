/* SPDX-License-Identifier: Apache-2.0 */
/* pool: maximum, average or norm of a sliding window, a channel at a time. */
#include <math.h>

#include "ops/rows.h"

enum { X, RESIDUAL };
enum { TOP, LEFT, BOTTOM, RIGHT };

static status check_axis(const char *axis, int kernel, int stride, int dilation, int begin, int end)
{
    NEED(kernel >= 1 && stride >= 1 && dilation >= 1,
         "kernel %d, stride %d and dilation %d along %s must be at least 1", kernel, stride, dilation, axis);
    NEED(begin >= 0 && end >= 0, "padding %d and %d along %s must not be negative", begin, end, axis);
    NEED((int64_t)dilation * (kernel - 1) < INT32_MAX / 4 && stride < INT32_MAX / 4 && begin < INT32_MAX / 4 &&
             end < INT32_MAX / 4,
         "kernel %d, stride %d, dilation %d or padding %d, %d along %s is too large", kernel, stride, dilation, begin,
         end, axis);
    return SEPCL_OK;
}

static status infer(const node_view *v, shape *out)
{
    const attr_pool *a = &v->n->a.pool;
    const shape     *in = &nv_in(v, X)->shape;
    const nhwc       x = shape_nhwc(in);
    char             text[SHAPE_TEXT];
    NEED(in->rank == 3 || in->rank == 4, "pooling takes 3 or 4 dimensions, the input is %s", shape_text(in, text));
    const int64_t h = window_extent(x.h, a->kernel[0], a->stride[0], a->dilation[0], a->pad[TOP], a->pad[BOTTOM],
                                    a->ceil_mode);
    const int64_t w = window_extent(x.w, a->kernel[1], a->stride[1], a->dilation[1], a->pad[LEFT], a->pad[RIGHT],
                                    a->ceil_mode);
    NEED(h >= 1 && w >= 1, "a window of %dx%d, dilated by %d and %d, does not fit the padded input %s", a->kernel[0],
         a->kernel[1], a->dilation[0], a->dilation[1], shape_text(in, text));
    NEED(in->rank == 4 || h == 1, "a window of height %d on an input without height", a->kernel[0]);
    *out = *in;
    out->dim[in->rank - 2] = w;
    if (in->rank == 4)
        out->dim[1] = h;
    return SEPCL_OK;
}

static status check(const node_view *v)
{
    const attr_pool *a = &v->n->a.pool;
    NEED(a->kind == POOL_MAX || a->kind == POOL_AVERAGE || a->kind == POOL_LP, "pooling number %d is unknown",
         (int)a->kind);
    NEED(a->kind != POOL_LP || (isfinite(a->p) && a->p > 0), "p is %g, but has to be above 0", (double)a->p);
    TRY(check_axis("height", a->kernel[0], a->stride[0], a->dilation[0], a->pad[TOP], a->pad[BOTTOM]));
    TRY(check_axis("width", a->kernel[1], a->stride[1], a->dilation[1], a->pad[LEFT], a->pad[RIGHT]));
    return rows_check_residual(v, RESIDUAL, infer);
}

static void count(const node_view *v, op_count *out)
{
    const attr_pool *a = &v->n->a.pool;
    const uint64_t   n = (uint64_t)shape_count(&nv_out(v, 0)->shape);
    out->additions = n * (uint64_t)a->kernel[0] * (uint64_t)a->kernel[1];
    out->multiplications = a->kind == POOL_LP ? out->additions : a->kind == POOL_AVERAGE ? n : 0;
    out->bytes = 4 * (n + (uint64_t)shape_count(&nv_in(v, X)->shape));
}

/* ------------------------------------------------------------------ reference */

static double step(const attr_pool *a, double s, double x)
{
    if (a->kind == POOL_MAX)
        return x > s || x != x ? x : s;
    return s + (a->kind == POOL_LP ? pow(fabs(x), a->p) : x);
}

static double done(const attr_pool *a, double s, int64_t taps)
{
    if (a->kind == POOL_LP)
        return pow(s, 1 / (double)a->p);
    if (a->kind == POOL_AVERAGE)
        return taps ? s / (double)taps : 0;
    return s;
}

static double window(const attr_pool *a, const float *in, nhwc x, int64_t y0, int64_t x0)
{
    double    s = a->kind == POOL_MAX ? -INFINITY : 0;
    int64_t   taps = 0;
    const int pad[4] = {a->count_include_pad ? a->pad[TOP] : 0, a->count_include_pad ? a->pad[LEFT] : 0,
                        a->count_include_pad ? a->pad[BOTTOM] : 0, a->count_include_pad ? a->pad[RIGHT] : 0};
    for (int ky = 0; ky < a->kernel[0]; ky++)
        for (int kx = 0; kx < a->kernel[1]; kx++) {
            const int64_t iy = y0 + (int64_t)ky * a->dilation[0], ix = x0 + (int64_t)kx * a->dilation[1];
            taps += iy >= -pad[TOP] && iy < x.h + pad[BOTTOM] && ix >= -pad[LEFT] && ix < x.w + pad[RIGHT];
            if (iy >= 0 && iy < x.h && ix >= 0 && ix < x.w)
                s = step(a, s, in[(iy * x.w + ix) * x.c]);
        }
    return done(a, s, taps);
}

static status ref(const node_view *v, const float *const *in, float *const *out)
{
    const attr_pool *a = &v->n->a.pool;
    const nhwc       x = shape_nhwc(&nv_in(v, X)->shape), y = shape_nhwc(&nv_out(v, 0)->shape);
    float           *to = out[0];
    for (int64_t n = 0; n < y.n; n++)
        for (int64_t oy = 0; oy < y.h; oy++)
            for (int64_t ox = 0; ox < y.w; ox++)
                for (int64_t c = 0; c < y.c; c++)
                    *to++ = (float)window(a, in[X] + n * x.h * x.w * x.c + c, x, oy * a->stride[0] - a->pad[TOP],
                                          ox * a->stride[1] - a->pad[LEFT]);
    return SEPCL_OK;
}

/* ------------------------------------------------------------------ cases */

typedef struct pool_case {
    const char *in;
    attr_pool   a; /* kind, kernel, stride, dilation, pad, count_include_pad, ceil_mode, p */
    char        epilogue;
    bool        residual;
} pool_case;

static const pool_case cases[] = {
    {"1x12x12x64", {POOL_MAX, {3, 3}, {2, 2}, {1, 1}, {1, 1, 1, 1}, false, false, 0}, 0, false},
    {"3x9x7x17", {POOL_MAX, {2, 2}, {2, 2}, {1, 1}, {0, 0, 0, 0}, false, false, 0}, 1, true},
    {"1x9x8x3", {POOL_MAX, {3, 2}, {2, 3}, {1, 1}, {1, 0, 0, 1}, false, true, 0}, 0, false},
    {"2x11x10x5", {POOL_MAX, {3, 3}, {1, 1}, {2, 3}, {2, 1, 0, 3}, false, false, 0}, 0, false},
    {"1x6x6x1", {POOL_MAX, {5, 5}, {1, 1}, {1, 1}, {2, 2, 2, 2}, false, false, 0}, 2, false},
    {"2x13x40", {POOL_MAX, {1, 3}, {1, 2}, {1, 1}, {0, 1, 0, 1}, false, true, 0}, 0, true},
    {"1x1x1x24", {POOL_MAX, {1, 1}, {2, 2}, {1, 1}, {0, 0, 0, 0}, false, false, 0}, 0, false},
    {"1x5x5x8", {POOL_MAX, {2, 2}, {2, 2}, {3, 3}, {1, 1, 1, 1}, false, true, 0}, 0, false},
    {"1x8x8x24", {POOL_AVERAGE, {2, 2}, {2, 2}, {1, 1}, {0, 0, 0, 0}, false, false, 0}, 0, false},
    {"3x7x9x17", {POOL_AVERAGE, {3, 3}, {2, 2}, {1, 1}, {1, 1, 1, 1}, false, false, 0}, 1, true},
    {"3x7x9x5", {POOL_AVERAGE, {3, 3}, {2, 2}, {1, 1}, {1, 1, 1, 1}, true, false, 0}, 0, false},
    {"1x8x8x3", {POOL_AVERAGE, {3, 3}, {2, 2}, {1, 1}, {1, 1, 1, 1}, false, true, 0}, 0, false},
    {"1x8x8x40", {POOL_AVERAGE, {3, 3}, {2, 2}, {1, 1}, {1, 1, 1, 1}, true, true, 0}, 0, true},
    {"2x8x9x4", {POOL_AVERAGE, {3, 4}, {3, 2}, {1, 1}, {0, 2, 1, 0}, true, true, 0}, 2, false},
    {"1x9x9x8", {POOL_AVERAGE, {2, 3}, {2, 2}, {2, 3}, {1, 2, 1, 0}, true, true, 0}, 0, false},
    {"1x9x9x8", {POOL_AVERAGE, {2, 3}, {2, 2}, {2, 3}, {1, 2, 1, 0}, false, true, 0}, 0, false},
    {"1x1x1x5", {POOL_AVERAGE, {2, 2}, {1, 1}, {2, 2}, {1, 1, 1, 1}, false, false, 0}, 0, false},
    {"3x30x5", {POOL_AVERAGE, {1, 4}, {1, 3}, {1, 1}, {0, 1, 0, 2}, false, true, 0}, 1, false},
    {"1x14x14x20", {POOL_AVERAGE, {14, 14}, {1, 1}, {1, 1}, {0, 0, 0, 0}, false, false, 0}, 0, false},
    {"1x7x7x17", {POOL_LP, {3, 3}, {2, 2}, {1, 1}, {1, 1, 0, 0}, false, false, 2}, 0, true},
    {"2x5x6x3", {POOL_LP, {2, 2}, {1, 1}, {2, 1}, {0, 0, 1, 1}, false, true, 1}, 1, false},
    {"1x6x6x8", {POOL_LP, {3, 2}, {2, 2}, {1, 1}, {0, 0, 0, 0}, false, false, 3}, 0, false},
};
#define N_CASES ((int)(sizeof cases / sizeof cases[0]))

static bool gen_table(const pool_case *c, graph *g)
{
    const shape s = rows_shape(c->in);
    const attrs a = {.pool = c->a};
    value_id    in[2] = {test_input(g, "x", &s), -1};
    shape       out;
    if (c->residual) {
        const node n = {.op = OP_POOL, .n_in = 1, .in = in, .a = a};
        if (infer(&(node_view){g, &n}, &out) != SEPCL_OK)
            return false;
        in[RESIDUAL] = test_input(g, "residual", &out);
    }
    const value_id y = graph_op(g, OP_POOL, "y", &a, in, 2);
    rows_epilogue(g, c->epilogue);
    return graph_output(g, y) == SEPCL_OK;
}

static bool gen(int i, graph *g)
{
    if (i < N_CASES)
        return gen_table(&cases[i], g);
    if (i > N_CASES)
        return false;
    /* a NaN shows in every window that it lies in; a window of -infinity has a maximum */
    const shape    s = SHAPE(1, 6, 6, 17);
    const value_id x = test_const(g, "x", &s);
    if (x < 0)
        return false;
    float *data = graph_const_data(g, x);
    data[(2 * 6 + 3) * 17 + 4] = data[(5 * 6 + 5) * 17 + 16] = NAN;
    data[0] = -INFINITY;
    data[17] = INFINITY;
    const attrs    a = {.pool = {POOL_MAX, {2, 2}, {1, 1}, {1, 1}, {1, 1, 0, 0}, false, false, 0}};
    const value_id y = graph_op(g, OP_POOL, "y", &a, &x, 1);
    return graph_output(g, y) == SEPCL_OK;
}

/* ------------------------------------------------------------------ rows */

static bool fits(const node_view *v, const caps *c, const int *p)
{
    (void)v, (void)c, (void)p;
    return true;
}

static const char *function_name(const attr_pool *a)
{
    if (a->kind == POOL_MAX)
        return "fn_max";
    if (a->kind == POOL_AVERAGE)
        return "fn_average";
    return a->p == 1 ? "fn_lp1" : a->p == 2 ? "fn_lp2" : "fn_lp";
}

static rows_tile share(const node_view *v, const caps *c, int vec)
{
    const attr_pool *a = &v->n->a.pool;
    const nhwc       y = shape_nhwc(&nv_out(v, 0)->shape);
    return rows_share(c, y.n * y.h * y.w, y.c, vec, (double)a->kernel[0] * a->kernel[1]);
}

static double cost(const node_view *v, const caps *c, const int *p)
{
    const attr_pool *a = &v->n->a.pool;
    const nhwc       y = shape_nhwc(&nv_out(v, 0)->shape);
    const rows_tile  t = share(v, c, p[0]);
    const double     taps = (double)a->kernel[0] * a->kernel[1];
    const double     steps = (double)(y.n * y.h * y.w) * (rows_steps(c, y.c, p[0]) * taps + 8);
    return rows_seconds(c, steps, t.column_items * t.row_items, 1);
}

static void launch_pool(const node_view *v, const caps *c, const int *p, launch_list *out)
{
    const attr_pool *a = &v->n->a.pool;
    const nhwc       x = shape_nhwc(&nv_in(v, X)->shape), y = shape_nhwc(&nv_out(v, 0)->shape);
    const rows_tile  t = share(v, c, p[0]);
    launch          *k = launch_add(out, 2, t.column_items, t.row_items, 1);
    launch_define_text(k, "FN", function_name(a));
    arg_in(k, X);
    arg_out(k, 0);
    arg_i32(k, x.h);
    arg_i32(k, x.w);
    arg_i32(k, y.h);
    arg_i32(k, y.w);
    arg_i32(k, x.c);
    arg_i32(k, y.n * y.h * y.w);
    arg_i32(k, t.columns);
    arg_i32(k, t.rows);
    for (int i = 0; i < 2; i++)
        arg_i32(k, a->kernel[i]);
    for (int i = 0; i < 2; i++)
        arg_i32(k, a->stride[i]);
    for (int i = 0; i < 2; i++) /* of a single tap it means nothing, and may be too large to multiply by */
        arg_i32(k, a->kernel[i] > 1 ? a->dilation[i] : 1);
    arg_i32(k, a->pad[TOP]);
    arg_i32(k, a->pad[LEFT]);
    for (int i = 0; i < 4; i++)
        arg_i32(k, a->count_include_pad ? a->pad[i] : 0);
    arg_f32(k, a->p);
    launch_epilogue(k, v, RESIDUAL);
}

static const kernel_def kernels[] = {
    {"pool", "pool", "vectors of channels", {{"V", {16, 8, 4, 1}}}, fits, launch_pool, cost},
    {0},
};

const op_def op_pool = {
    .name = "pool",
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
