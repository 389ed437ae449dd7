/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conv_transpose: the transpose of a 2-D convolution. Input slots and attributes as in ir/attrs.h; the weights' strides
 * are those of an output channel within its group and of an input channel over all groups, which is how a file lays
 * them out: w(o, i) of group q stands at (o - q * co) * w.o + i * w.i for i = q * ci ... q * ci + ci - 1.
 */
#include <math.h>

#include "base/size.h"
#include "ops/conv.h"
#include "ops/copy_plan.h"
#include "ops/rows.h"

typedef struct geometry {
    const attr_conv *a;
    nhwc             in, out;
    int64_t          ci, co; /* of a group */
} geometry;

/* A window sliding over the output must give the input: the inverse of window_extent. */
static int64_t out_extent(const attr_conv *a, int axis, int64_t in)
{
    return (in - 1) * a->stride[axis] + (int64_t)a->dilation[axis] * (a->kernel[axis] - 1) + 1 - a->pad[axis] -
           a->pad[axis + 2] + a->out_pad[axis];
}

static geometry geometry_of(const node_view *v)
{
    const attr_conv *a = &v->n->a.conv;
    geometry         g = {.a = a, .in = shape_nhwc(&nv_in(v, CONV_X)->shape)};
    g.ci = g.in.c / a->group;
    g.co = a->out_channels / a->group;
    g.out = (nhwc){g.in.n, out_extent(a, 0, g.in.h), out_extent(a, 1, g.in.w), a->out_channels};
    return g;
}

static float weight_of(const node_view *v, const geometry *g, int64_t o, int64_t i, int64_t ky, int64_t kx)
{
    const value          *w = nv_in(v, CONV_W), *scale = nv_in(v, CONV_SCALE);
    const weight_strides *s = &g->a->w;
    const int64_t         group = o / g->co;
    const int64_t         at = (o - group * g->co) * s->o + (group * g->ci + i) * s->i + ky * s->h + kx * s->w;
    const float           f = data_float(w->type, w->data, at);
    return scale ? f * data_float(scale->type, scale->data, o) : f;
}

/* ------------------------------------------------------------------ checks, shapes, costs */

/* Limit that keeps sums of positions inside an int. */
#define MOST 65535

static status check_window(const attr_conv *a)
{
    static const char *const axis[] = {"height", "width"};
    for (int i = 0; i < 2; i++) {
        NEED(a->kernel[i] >= 1 && a->kernel[i] <= MOST, "kernel %s %d is not in 1 ... %d", axis[i], a->kernel[i], MOST);
        NEED(a->stride[i] >= 1 && a->stride[i] <= MOST, "stride %d is not in 1 ... %d", a->stride[i], MOST);
        NEED(a->dilation[i] >= 1 && a->dilation[i] <= MOST, "dilation %d is not in 1 ... %d", a->dilation[i], MOST);
        NEED((int64_t)a->dilation[i] * a->kernel[i] <= INT32_MAX / 4, "kernel %d with dilation %d is too wide",
             a->kernel[i], a->dilation[i]);
        NEED(a->out_pad[i] >= 0 && a->out_pad[i] <= MOST, "output padding %d is not in 0 ... %d", a->out_pad[i], MOST);
    }
    for (int i = 0; i < 4; i++)
        NEED(a->pad[i] >= 0 && a->pad[i] <= MOST, "padding %d is not in 0 ... %d", a->pad[i], MOST);
    return SEPCL_OK;
}

static status check_constants(const node_view *v, int64_t in_channels)
{
    const attr_conv      *a = &v->n->a.conv;
    const value          *w = nv_in(v, CONV_W);
    const weight_strides *s = &a->w;
    NEED(w->data, "the weights are not a constant");
    const int64_t last = (a->out_channels / a->group - 1) * s->o + (in_channels - 1) * s->i +
                         (a->kernel[0] - 1) * s->h + (a->kernel[1] - 1) * s->w;
    if (last < 0 || last >= shape_count(&w->shape))
        return fail(SEPCL_BAD_FILE, "the weights have %lld elements, but element %lld is needed",
                    (long long)shape_count(&w->shape), (long long)last);
    for (int k = CONV_B; k <= CONV_SCALE; k++) {
        const char  *name = k == CONV_B ? "bias" : "scale";
        const value *c = nv_in(v, k);
        NEED(!c || c->data, "the %s is not a constant", name);
        if (c && shape_count(&c->shape) != a->out_channels)
            return fail(SEPCL_BAD_FILE, "the %s has %lld elements, but there are %d output channels", name,
                        (long long)shape_count(&c->shape), a->out_channels);
    }
    return SEPCL_OK;
}

static status infer(const node_view *v, shape *out)
{
    const geometry g = geometry_of(v);
    if (g.out.h < 1 || g.out.w < 1)
        return fail(SEPCL_BAD_FILE, "nothing is left of the %lldx%lld output after the padding is cut off",
                    (long long)g.out.h, (long long)g.out.w);
    *out = SHAPE(g.out.n, g.out.h, g.out.w, g.out.c);
    return SEPCL_OK;
}

static status check(const node_view *v)
{
    const attr_conv *a = &v->n->a.conv;
    const value     *x = nv_in(v, CONV_X);
    char             text[SHAPE_TEXT];
    NEED(x->shape.rank == 4, "the input has shape %s, but must have four dimensions", shape_text(&x->shape, text));
    TRY(check_window(a));
    const int64_t c = x->shape.dim[3];
    if (a->group < 1 || a->out_channels < 1 || c < 1 || c % a->group || a->out_channels % a->group)
        return fail(SEPCL_BAD_FILE, "%d groups do not divide %lld input and %d output channels", a->group, (long long)c,
                    a->out_channels);
    TRY(check_constants(v, c));
    return rows_check_residual(v, CONV_RES, infer);
}

static void count(const node_view *v, op_count *out)
{
    const geometry g = geometry_of(v);
    const uint64_t x = (uint64_t)(g.in.n * g.in.h * g.in.w * g.in.c), y = (uint64_t)shape_count(&nv_out(v, 0)->shape);
    const uint64_t taps = (uint64_t)(g.co * g.a->kernel[0] * g.a->kernel[1]);
    const bool     bias = nv_has(v, CONV_B);
    out->multiplications = x * taps;
    out->additions = x * taps + (bias ? y : 0);
    out->parameters = (uint64_t)g.in.c * taps + (bias ? (uint64_t)g.out.c : 0);
    out->bytes = 4 * (y * (1 + nv_has(v, CONV_RES)) + x + out->parameters);
}

/* The definition by scattering, the other way round from the kernels: every input element adds to the output. */
static void scatter(const node_view *v, const geometry *g, const float *x, double *sums)
{
    const attr_conv *a = g->a;
    for (int64_t o = 0; o < g->out.c; o++)
        for (int64_t i = 0; i < g->ci; i++)
            for (int64_t tap = 0; tap < (int64_t)a->kernel[0] * a->kernel[1]; tap++) {
                const int64_t ky = tap / a->kernel[1], kx = tap % a->kernel[1];
                const double  w = weight_of(v, g, o, i, ky, kx);
                for (int64_t pixel = 0; pixel < g->in.n * g->in.h * g->in.w; pixel++) {
                    const int64_t row = pixel / g->in.w, n = row / g->in.h;
                    const int64_t oy = row % g->in.h * a->stride[0] - a->pad[0] + ky * a->dilation[0];
                    const int64_t ox = pixel % g->in.w * a->stride[1] - a->pad[1] + kx * a->dilation[1];
                    if (oy >= 0 && oy < g->out.h && ox >= 0 && ox < g->out.w)
                        sums[((n * g->out.h + oy) * g->out.w + ox) * g->out.c + o] +=
                            w * x[pixel * g->in.c + o / g->co * g->ci + i];
                }
            }
}

static status ref(const node_view *v, const float *const *in, float *const *out)
{
    const geometry g = geometry_of(v);
    const int64_t  n = shape_count(&nv_out(v, 0)->shape);
    arena          memory = {0};
    double        *sums = arena_array(&memory, (size_t)n, sizeof *sums);
    if (!sums)
        return SEPCL_OUT_OF_MEMORY;
    for (int64_t i = 0; i < n; i++)
        sums[i] = bias_at(v, i % g.out.c);
    scatter(v, &g, in[CONV_X], sums);
    for (int64_t i = 0; i < n; i++)
        out[0][i] = (float)sums[i];
    arena_free(&memory);
    return SEPCL_OK;
}

/* ------------------------------------------------------------------ what the rows share */

static void arg_shape(launch *k, const geometry *g)
{
    const int64_t list[] = {g->in.h,
                            g->in.w,
                            g->out.h,
                            g->out.w,
                            g->in.n * g->out.h,
                            g->a->group,
                            g->ci,
                            g->co,
                            g->a->kernel[0],
                            g->a->kernel[1],
                            g->a->stride[0],
                            g->a->stride[1],
                            g->a->dilation[0],
                            g->a->dilation[1],
                            g->a->pad[0],
                            g->a->pad[1]};
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        arg_i32(k, list[i]);
}

static launch *add_launch(launch_list *out, const geometry *g, int64_t items, int weights, int bias)
{
    launch *k = launch_add(out, 1, items, 1, 1);
    arg_in(k, CONV_X);
    arg_packed(k, weights);
    arg_packed(k, bias);
    arg_out(k, 0);
    arg_shape(k, g);
    return k;
}

/* Work-items for about eight shares a core, each worth at least a launch; one step an item on a GPU. */
static int64_t share(const caps *c, int64_t steps, double cycles_a_step)
{
    if (!caps_is_cpu(c))
        return 1;
    const int64_t least = (int64_t)ceil(4000 / fmax(cycles_a_step, 1));
    return i64_max(least, div_up(steps, 8 * (int64_t)c->compute_units));
}

static double taps_a_pixel(const geometry *g)
{
    return (double)g->a->kernel[0] * g->a->kernel[1] / ((double)g->a->stride[0] * g->a->stride[1]);
}

/* ------------------------------------------------------------------ tiles of pixels by channels */

enum { TILE_P_V, TILE_P_P };

static int64_t blocks_of(const geometry *g, const int *p)
{
    return div_up(g->co, p[TILE_P_V]);
}

static int64_t tiles_across(const geometry *g, const int *p)
{
    return div_up(div_up(g->out.w, g->a->stride[1]), p[TILE_P_P]);
}

static int64_t tiles_of(const geometry *g, const int *p)
{
    return g->in.n * g->out.h * g->a->group * blocks_of(g, p) * g->a->stride[1] * tiles_across(g, p);
}

static void fill_tile_weights(const node_view *v, const int *p, void *dst)
{
    const geometry g = geometry_of(v);
    const int64_t  cop = blocks_of(&g, p) * p[TILE_P_V];
    float         *to = dst;
    for (int64_t q = 0; q < g.a->group; q++)
        for (int64_t ky = 0; ky < g.a->kernel[0]; ky++)
            for (int64_t kx = 0; kx < g.a->kernel[1]; kx++)
                for (int64_t i = 0; i < g.ci; i++, to += cop)
                    for (int64_t o = 0; o < g.co; o++)
                        to[o] = weight_of(v, &g, q * g.co + o, i, ky, kx);
}

static void fill_tile_bias(const node_view *v, const int *p, void *dst)
{
    const geometry g = geometry_of(v);
    const int64_t  cop = blocks_of(&g, p) * p[TILE_P_V];
    for (int64_t o = 0; o < g.out.c; o++)
        ((float *)dst)[o / g.co * cop + o % g.co] = bias_at(v, o);
}

static int64_t tile_weights(const geometry *g, const int *p)
{
    return (int64_t)g->a->group * g->a->kernel[0] * g->a->kernel[1] * g->ci * blocks_of(g, p) * p[TILE_P_V];
}

static bool fits_tile(const node_view *v, const caps *c, const int *p)
{
    const geometry g = geometry_of(v);
    (void)c;
    /* a vector that is half empty has a narrower one to stand for it */
    return tile_weights(&g, p) <= INT32_MAX && tiles_of(&g, p) <= INT32_MAX &&
           (p[TILE_P_V] == 4 || p[TILE_P_V] / 2 < g.co);
}

/* Cycles of one tile's step along the input channels: two multiply-adds and two loads a cycle, and four cycles from one
   addition to the next; more accumulators than registers go through memory. Elsewhere: instructions of a work-item. */
static double tile_step(const caps *c, const int *p)
{
    const int v = p[TILE_P_V], n = p[TILE_P_P];
    if (!caps_is_cpu(c))
        return v * n + 2.0 * (n + 1) + (v * n > 64 ? 100 : 0);
    const double vectors = fmax(1, (double)v / c->simd_width);
    const double cycles = fmax(4, fmax(n * vectors, n + vectors) / 2);
    return n * vectors + vectors + 1 > c->vector_registers ? 3 * cycles : cycles;
}

static double tile_cycles(const geometry *g, const caps *c, const int *p)
{
    return taps_a_pixel(g) * (double)g->ci * tile_step(c, p) + 30;
}

static double cost_tile(const node_view *v, const caps *c, const int *p)
{
    const geometry g = geometry_of(v);
    const double   tiles = (double)tiles_of(&g, p);
    return fmax(tiles, 4.0 * c->compute_units) * tile_cycles(&g, c, p);
}

static void launch_tile(const node_view *v, const caps *c, const int *p, launch_list *out)
{
    const geometry g = geometry_of(v);
    const int64_t  tiles = tiles_of(&g, p), chunk = share(c, tiles, tile_cycles(&g, c, p));
    const int      w = launch_pack(out, DT_F32, (size_t)tile_weights(&g, p), true, fill_tile_weights);
    const int64_t  channels = g.a->group * blocks_of(&g, p) * p[TILE_P_V];
    const int      b = launch_pack(out, DT_F32, (size_t)channels, false, fill_tile_bias);
    launch        *k = add_launch(out, &g, div_up(tiles, chunk), w, b);
    /* a CPU keeps a block's weights in its cache along a row; a GPU's neighbouring items store neighbouring channels */
    launch_define(k, "BLOCKS_FAST", !caps_is_cpu(c));
    arg_i32(k, blocks_of(&g, p));
    arg_i32(k, tiles_across(&g, p));
    arg_i32(k, tiles);
    arg_i32(k, chunk);
    launch_epilogue(k, v, CONV_RES);
}

/* ------------------------------------------------------------------ dot products, for few output channels */

static void fill_dot_weights(const node_view *v, const int *p, void *dst)
{
    (void)p;
    const geometry g = geometry_of(v);
    float         *to = dst;
    for (int64_t o = 0; o < g.out.c; o++)
        for (int64_t ky = 0; ky < g.a->kernel[0]; ky++)
            for (int64_t kx = 0; kx < g.a->kernel[1]; kx++)
                for (int64_t i = 0; i < g.ci; i++)
                    *to++ = weight_of(v, &g, o, i, ky, kx);
}

static void fill_bias(const node_view *v, const int *p, void *dst)
{
    (void)p;
    for (int64_t o = 0; o < v->n->a.conv.out_channels; o++)
        ((float *)dst)[o] = bias_at(v, o);
}

static double dot_cycles(const geometry *g, const caps *c, const int *p)
{
    const double steps = (double)(g->ci / p[0]) + (double)(g->ci % p[0]);
    const double step = caps_is_cpu(c) ? fmax(1, (double)p[0] / c->simd_width) + 1 : p[0] + 4;
    return taps_a_pixel(g) * (8 + steps * step) + 8.0 * g->a->kernel[0] + p[0] + 20;
}

static double cost_dot(const node_view *v, const caps *c, const int *p)
{
    const geometry g = geometry_of(v);
    return (double)shape_count(&nv_out(v, 0)->shape) * dot_cycles(&g, c, p);
}

static void launch_dot(const node_view *v, const caps *c, const int *p, launch_list *out)
{
    const geometry g = geometry_of(v);
    const int64_t  n = shape_count(&nv_out(v, 0)->shape), chunk = share(c, n, dot_cycles(&g, c, p));
    const int64_t  weights = g.out.c * g.a->kernel[0] * g.a->kernel[1] * g.ci;
    const int      w = launch_pack(out, DT_F32, (size_t)weights, true, fill_dot_weights);
    const int      b = launch_pack(out, DT_F32, (size_t)g.out.c, false, fill_bias);
    launch        *k = add_launch(out, &g, div_up(n, chunk), w, b);
    arg_i32(k, n);
    arg_i32(k, chunk);
    launch_epilogue(k, v, CONV_RES);
}

/* ------------------------------------------------------------------ depthwise */

static void fill_depthwise_weights(const node_view *v, const int *p, void *dst)
{
    (void)p;
    const geometry g = geometry_of(v);
    float         *to = dst;
    for (int64_t ky = 0; ky < g.a->kernel[0]; ky++)
        for (int64_t kx = 0; kx < g.a->kernel[1]; kx++)
            for (int64_t o = 0; o < g.out.c; o++)
                *to++ = weight_of(v, &g, o, 0, ky, kx);
}

static bool fits_depthwise(const node_view *v, const caps *c, const int *p)
{
    const geometry g = geometry_of(v);
    (void)c;
    (void)p;
    return g.ci == 1 && g.co == 1;
}

static double cost_depthwise(const node_view *v, const caps *c, const int *p)
{
    const geometry g = geometry_of(v);
    const double   vectors = caps_is_cpu(c) ? fmax(1, (double)p[0] / c->simd_width) : p[0];
    const double   steps = (double)(g.out.c / p[0]) * vectors + (double)(g.out.c % p[0]);
    return (double)(g.in.n * g.out.h * g.out.w) * steps * (taps_a_pixel(&g) * 2 + 2.0 * g.a->kernel[0] + 10 / vectors);
}

static void launch_depthwise(const node_view *v, const caps *c, const int *p, launch_list *out)
{
    const geometry g = geometry_of(v);
    const int64_t  extent[3] = {g.in.n * g.out.h, g.out.w, g.out.c};
    const chunks   part = chunks_for(c, p[0], extent, 1, p[0]);
    const int64_t  weights = (int64_t)g.a->kernel[0] * g.a->kernel[1] * g.out.c;
    const int      w = launch_pack(out, DT_F32, (size_t)weights, true, fill_depthwise_weights);
    const int      b = launch_pack(out, DT_F32, (size_t)g.out.c, false, fill_bias);
    launch        *k = add_launch(out, &g, part.items, w, b);
    arg_i32(k, part.outer);
    arg_i32(k, part.mid);
    arg_i32(k, part.len);
    launch_epilogue(k, v, CONV_RES);
}

static const kernel_def kernels[] = {
    {"conv_transpose",
     "conv_transpose_depthwise",
     "vectors of channels",
     {{"V", {16, 8, 4, 1}}},
     fits_depthwise,
     launch_depthwise,
     cost_depthwise},
    {"conv_transpose",
     "conv_transpose_tile",
     "register tiles of pixels by channels",
     {{"V", {16, 8, 4}}, {"P", {12, 6, 4, 2}}},
     fits_tile,
     launch_tile,
     cost_tile},
    {"conv_transpose",
     "conv_transpose_dot",
     "dot products along the input channels",
     {{"V", {8, 4, 1}}},
     copy_fits,
     launch_dot,
     cost_dot},
    {0},
};

/* ------------------------------------------------------------------ cases */

typedef struct transpose_case {
    int n, h, w, ci, co, kh, kw, stride[2], dilation, group, pad[4], out_pad[2], flags;
} transpose_case;

enum { BIAS = 1, SCALE = 2, RESIDUAL = 4, CLAMP = 8, HWOI = 16, AFTER = 32 };

static const transpose_case cases[] = {
    {1, 7, 5, 16, 16, 2, 2, {2, 2}, 1, 1, {0}, {0}, BIAS | CLAMP},
    {1, 6, 13, 24, 1, 2, 2, {2, 2}, 1, 1, {0}, {0}, BIAS},
    {2, 5, 6, 8, 17, 3, 3, {2, 2}, 1, 1, {1, 1, 1, 1}, {1, 1}, BIAS | SCALE},
    {1, 9, 7, 5, 32, 4, 4, {2, 2}, 1, 1, {1, 1, 1, 1}, {0}, BIAS | RESIDUAL},
    {1, 4, 15, 3, 3, 3, 3, {1, 1}, 1, 1, {1, 1, 1, 1}, {0}, 0},
    {1, 5, 5, 17, 5, 3, 2, {3, 2}, 1, 1, {0, 1, 2, 0}, {2, 1}, BIAS | HWOI},
    {1, 6, 6, 4, 8, 3, 3, {2, 1}, 2, 1, {2, 0, 1, 3}, {0, 0}, SCALE | RESIDUAL | AFTER},
    {1, 3, 4, 8, 12, 2, 2, {3, 4}, 1, 1, {0}, {0}, BIAS}, /* pixels that no tap hits */
    {2, 5, 4, 8, 16, 3, 3, {2, 2}, 1, 2, {1, 1, 1, 1}, {1, 0}, BIAS},
    {1, 4, 5, 12, 9, 3, 3, {2, 2}, 1, 3, {0, 1, 0, 1}, {0}, BIAS | SCALE | CLAMP},
    {1, 7, 6, 16, 16, 4, 4, {2, 2}, 1, 16, {1, 1, 1, 1}, {0}, BIAS | RESIDUAL},
    {1, 5, 7, 21, 21, 3, 3, {2, 2}, 1, 21, {1, 0, 1, 0}, {0, 1}, SCALE | AFTER},
    {1, 5, 4, 4, 8, 3, 3, {2, 2}, 1, 4, {1, 1, 1, 1}, {1, 1}, BIAS},
    {1, 1, 1, 3, 4, 5, 5, {1, 1}, 1, 1, {0}, {0}, BIAS},
    {1, 1, 30, 6, 8, 1, 4, {1, 2}, 1, 1, {0, 1, 0, 1}, {0}, BIAS},
    {1, 14, 14, 32, 24, 2, 2, {2, 2}, 1, 1, {0}, {0}, BIAS | CLAMP},
    {1, 3, 3, 64, 40, 3, 3, {2, 2}, 3, 1, {2, 2, 2, 2}, {1, 1}, 0},
};

static bool gen(int i, graph *g)
{
    if (i >= (int)(sizeof cases / sizeof *cases))
        return false;
    const transpose_case *t = &cases[i];
    const int64_t         co = t->co / t->group, kk = (int64_t)t->kh * t->kw;
    const shape           in = SHAPE(t->n, t->h, t->w, t->ci), channels = SHAPE(t->co);
    const shape           iohw = SHAPE(t->ci, co, t->kh, t->kw), hwoi = SHAPE(t->kh, t->kw, co, t->ci);
    const bool            turned = t->flags & HWOI;
    attrs                 a = {.conv = {.kernel = {t->kh, t->kw},
                                        .stride = {t->stride[0], t->stride[1]},
                                        .dilation = {t->dilation, t->dilation},
                                        .pad = {t->pad[0], t->pad[1], t->pad[2], t->pad[3]},
                                        .group = t->group,
                                        .out_channels = t->co,
                                        .out_pad = {t->out_pad[0], t->out_pad[1]}}};
    a.conv.w =
        turned ? (weight_strides){t->ci, 1, t->kw * co * t->ci, co * t->ci} : (weight_strides){kk, co * kk, t->kw, 1};
    value_id slots[CONV_INPUTS] = {test_input(g, "x", &in), test_const(g, "w", turned ? &hwoi : &iohw), -1, -1, -1};
    if (t->flags & BIAS)
        slots[CONV_B] = test_const(g, "b", &channels);
    if (t->flags & SCALE)
        slots[CONV_SCALE] = test_const(g, "scale", &channels);
    if (t->flags & RESIDUAL) {
        const shape out = SHAPE(t->n, out_extent(&a.conv, 0, t->h), out_extent(&a.conv, 1, t->w), t->co);
        slots[CONV_RES] = test_input(g, "residual", &out);
    }
    const value_id y = graph_op(g, OP_CONV_TRANSPOSE, "y", &a, slots, CONV_INPUTS);
    if (y < 0)
        return false;
    epilogue *e = &g->nodes[g->n_nodes - 1]->epi;
    if (t->flags & CLAMP)
        e->act = (act){ACT_CLAMP, 0, 6};
    if (t->flags & AFTER)
        e->act2 = (act){ACT_LEAKY, 0.1f, 0};
    return graph_output(g, y) == SEPCL_OK;
}

const op_def op_conv_transpose = {
    .name = "conv_transpose",
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
