/* SPDX-License-Identifier: Apache-2.0 */
/* grid_sample: an image read at positions that are computed by the network. */
#include <math.h>

#include "base/size.h"
#include "ops/copy_plan.h"

enum { X, GRID, INPUTS };
#define MAX_TAPS 4

static status check(const node_view *v)
{
    const shape            *in = &nv_in(v, X)->shape, *grid = &nv_in(v, GRID)->shape;
    const attr_grid_sample *a = &v->n->a.grid_sample;
    char                    sx[SHAPE_TEXT], sg[SHAPE_TEXT];
    NEED(a->mode <= SAMPLE_CUBIC && a->outside <= SAMPLE_REFLECTION, "mode number %d or padding number %d is unknown",
         (int)a->mode, (int)a->outside);
    NEED(in->rank == 4 && grid->rank == 4 && grid->dim[0] == in->dim[0] && grid->dim[3] == 2,
         "a grid of shape %s does not suit an image of shape %s", shape_text(grid, sg), shape_text(in, sx));
    NEED(shape_count(in) > 0 && shape_count(grid) > 0, "the image or the grid is empty");
    return SEPCL_OK;
}

static status infer(const node_view *v, shape *out)
{
    const shape *in = &nv_in(v, X)->shape, *grid = &nv_in(v, GRID)->shape;
    if (in->rank != 4 || grid->rank != 4)
        return check(v);
    *out = (shape){4, {in->dim[0], grid->dim[1], grid->dim[2], in->dim[3]}};
    return SEPCL_OK;
}

static int taps_of(const node_view *v)
{
    const sample_mode m = v->n->a.grid_sample.mode;
    return m == SAMPLE_NEAREST ? 1 : m == SAMPLE_LINEAR ? 2 : 4;
}

static void count(const node_view *v, op_count *out)
{
    const uint64_t n = (uint64_t)shape_count(&nv_out(v, 0)->shape), taps = (uint64_t)taps_of(v);
    out->multiplications = n * taps * taps;
    out->additions = n * (taps * taps - 1);
    out->bytes = 4 * (2 * n + (uint64_t)shape_count(&nv_in(v, GRID)->shape));
}

/* ------------------------------------------------------------------ reference
   Positions in float32, so that the nearest pixel is the same one as on a device. */

typedef struct line {
    int64_t at[MAX_TAPS]; /* -1: outside, where zeros stand */
    float   w[MAX_TAPS];
} line;

static float reflect(float x, int64_t n, bool aligned)
{
    const float low = aligned ? 0.0f : -0.5f, range = (float)(aligned ? n - 1 : n);
    if (range <= 0)
        return x == x ? 0 : x;
    const float d = fmodf(fabsf(x - low), 2 * range);
    return low + (d > range ? 2 * range - d : d);
}

static int64_t element(const attr_grid_sample *a, float i, int64_t n)
{
    if (a->outside == SAMPLE_ZEROS)
        return i >= 0 && i < (float)n ? (int64_t)i : -1;
    if (a->outside == SAMPLE_REFLECTION)
        i = reflect(i, n, a->aligned);
    return i >= 0 ? i64_min((int64_t)i, n - 1) : 0; /* NaN too: its weight says so */
}

static float position(const attr_grid_sample *a, float g, int64_t n)
{
    const float low = a->aligned ? 0.0f : -0.5f, high = (float)n - (a->aligned ? 1.0f : 0.5f);
    float       x = fmaf(g + 1, 0.5f * (float)(a->aligned ? n - 1 : n), low);
    if (a->mode == SAMPLE_NEAREST)
        x = rintf(x);
    /* a cubic filter's elements are moved to the border one by one */
    if (a->outside == SAMPLE_ZEROS || (a->outside == SAMPLE_BORDER && a->mode == SAMPLE_CUBIC))
        return x < -4 ? -4 : x > (float)n + 4 ? (float)n + 4 : x;
    if (x < low || x > high)
        x = a->outside == SAMPLE_REFLECTION ? reflect(x, n, a->aligned) : x < 0 ? 0 : (float)n - 1;
    return x;
}

/* Keys' cubic convolution with the parameter -3/4. */
static float cubic(float x)
{
    const float a = -0.75f;
    x = fabsf(x);
    return x <= 1 ? ((a + 2) * x - (a + 3)) * x * x + 1 : ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
}

static line line_of(const attr_grid_sample *a, float g, int64_t n)
{
    const float x = position(a, g, n), below = floorf(x), t = x - below;
    line        r = {{0}, {0}};
    if (a->mode == SAMPLE_NEAREST) {
        r.at[0] = element(a, x, n);
        r.w[0] = x == x ? 1 : x;
    }
    for (int i = 0; a->mode == SAMPLE_LINEAR && i < 2; i++) {
        r.at[i] = element(a, below + (float)i, n);
        r.w[i] = i ? t : 1 - t;
    }
    for (int i = 0; a->mode == SAMPLE_CUBIC && i < 4; i++) {
        r.at[i] = element(a, below + (float)(i - 1), n);
        r.w[i] = cubic(t + 1 - (float)i);
    }
    return r;
}

static status ref(const node_view *v, const float *const *in, float *const *out)
{
    const attr_grid_sample *a = &v->n->a.grid_sample;
    const nhwc              x = shape_nhwc(&nv_in(v, X)->shape), y = shape_nhwc(&nv_out(v, 0)->shape);
    const int               taps = taps_of(v);
    for (int64_t p = 0; p < y.n * y.h * y.w; p++) {
        const line    h = line_of(a, in[GRID][2 * p + 1], x.h), w = line_of(a, in[GRID][2 * p], x.w);
        const int64_t image = p / (y.h * y.w) * x.h * x.w;
        for (int64_t c = 0; c < y.c; c++) {
            double sum = 0;
            for (int i = 0; i < taps; i++)
                for (int j = 0; j < taps; j++) {
                    const double share = (double)h.w[i] * w.w[j];
                    if (h.at[i] >= 0 && w.at[j] >= 0)
                        sum += share * in[X][(image + h.at[i] * x.w + w.at[j]) * x.c + c];
                    else if (share != share)
                        sum += share;
                }
            out[0][p * y.c + c] = (float)sum;
        }
    }
    return SEPCL_OK;
}

/* ------------------------------------------------------------------ kernel */

static void launch_sample(const node_view *v, const caps *c, const int *p, launch_list *out)
{
    const attr_grid_sample *a = &v->n->a.grid_sample;
    const nhwc              x = shape_nhwc(&nv_in(v, X)->shape), y = shape_nhwc(&nv_out(v, 0)->shape);
    const int64_t           pixels = y.h * y.w, total = y.n * pixels;
    const int64_t           least = elements_per_item(c, total * y.c, p[0]) / y.c;
    const int64_t           chunk = i64_max(1, i64_min(total, least));
    launch                 *k = launch_add(out, 1, div_up(total, chunk), 1, 1);
    launch_define(k, "MODE", (int)a->mode);
    launch_define(k, "OUTSIDE", (int)a->outside);
    launch_define(k, "ALIGNED", a->aligned);
    arg_in(k, X);
    arg_in(k, GRID);
    arg_out(k, 0);
    arg_i32(k, x.h);
    arg_i32(k, x.w);
    arg_i32(k, y.c);
    arg_i32(k, pixels);
    arg_i32(k, total);
    arg_i32(k, chunk);
}

/* A vector wider than the channels leaves everything to the scalar tail. */
static double cost_sample(const node_view *v, const caps *c, const int *p)
{
    const int64_t channels = shape_nhwc(&nv_out(v, 0)->shape).c;
    return p[0] > channels && p[0] > 1 ? 10 + p[0] : vector_cost(c, p[0]);
}

static const kernel_def kernels[] = {
    {"grid_sample",
     "grid_sample",
     "a pixel at a time, vectors of channels",
     {{"V", {16, 8, 4, 1}}},
     copy_fits,
     launch_sample,
     cost_sample},
    {0},
};

/* ------------------------------------------------------------------ cases */

/* Positions, a good part of them outside the image, that half storage holds and that no rounding is undecided about. */
static value_id make_grid(graph *g, const shape *s)
{
    const value_id grid = graph_const(g, "grid", DT_F32, s, NULL, true);
    const int64_t  n = shape_count(s);
    for (int64_t i = 0; grid >= 0 && i < n; i++)
        graph_const_data(g, grid)[i] = (float)(i * 37 % 101 - 50) / 32 + 1.0f / 128;
    return grid;
}

/* Positions that are no number or beyond any. */
static bool gen_special(int mode, int outside, graph *g)
{
    static const float at[] = {NAN, 0.25f, 0.25f, NAN, INFINITY, 0.25f, -INFINITY, 0.25f, 3e38f, -3e38f, 0.25f, 0.25f};
    const shape        sx = SHAPE(1, 5, 6, 5), sg = SHAPE(1, 2, 3, 2);
    const attrs        a = {.grid_sample = {.mode = (sample_mode)mode, .outside = (sample_outside)outside}};
    const value_id     in[INPUTS] = {test_input(g, "x", &sx), graph_const(g, "grid", DT_F32, &sg, at, true)};
    return graph_output(g, graph_op(g, OP_GRID_SAMPLE, "y", &a, in, INPUTS)) == SEPCL_OK;
}

static bool gen(int i, graph *g)
{
    const struct {
        shape   x;
        int64_t h, w;
    } cases[] = {{SHAPE(1, 7, 9, 16), 5, 6}, {SHAPE(2, 6, 5, 3), 8, 9}, {SHAPE(3, 1, 4, 21), 3, 2}};
    enum { N = sizeof cases / sizeof *cases, MODES = 3, OUTSIDES = 3 };
    if (i >= N * MODES * OUTSIDES * 2)
        return i < N * MODES * OUTSIDES * 2 + MODES * OUTSIDES && gen_special(i % MODES, i / MODES % OUTSIDES, g);
    const int      at = i % N, kind = i / N;
    const shape    s = SHAPE(cases[at].x.dim[0], cases[at].h, cases[at].w, 2);
    const attrs    a = {.grid_sample = {.mode = (sample_mode)(kind % MODES),
                                        .outside = (sample_outside)(kind / MODES % OUTSIDES),
                                        .aligned = kind / MODES / OUTSIDES}};
    const value_id in[INPUTS] = {test_input(g, "x", &cases[at].x), make_grid(g, &s)};
    return graph_output(g, graph_op(g, OP_GRID_SAMPLE, "y", &a, in, INPUTS)) == SEPCL_OK;
}

const op_def op_grid_sample = {
    .name = "grid_sample",
    .min_in = INPUTS,
    .max_in = INPUTS,
    .n_out = 1,
    .check = check,
    .infer = infer,
    .count = count,
    .ref = ref,
    .gen = gen,
    .kernels = kernels,
    /* a position is rounded to float before the weights are made of it */
    .tolerance = 2e-5,
};
