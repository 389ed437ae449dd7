/* SPDX-License-Identifier: Apache-2.0 */
/* resize: an NHWC image's height and width, nearest or linear. */
#include <math.h>

#include "base/size.h"
#include "ops/copy_plan.h"

static status check(const node_view *v)
{
    const attr_resize *a = &v->n->a.resize;
    const shape       *in = &nv_in(v, 0)->shape;
    NEED(in->rank == 3 || in->rank == 4, "the input has rank %d, and only 3 (N, width, channels) and 4 are known",
         in->rank);
    NEED(a->mode <= RESIZE_LINEAR, "mode number %d is unknown", (int)a->mode);
    NEED(a->coordinates <= RESIZE_TF_HALF_PIXEL_NN, "coordinate mode number %d is unknown", (int)a->coordinates);
    NEED(a->round <= RESIZE_CEIL, "rounding mode number %d is unknown", (int)a->round);
    NEED(in->rank == 4 || a->size[0] == 1, "an input of rank 3 has no height to resize to %lld", (long long)a->size[0]);
    for (int i = 0; i < 2; i++) {
        NEED(a->size[i] >= 1 && a->size[i] <= INT32_MAX / 4, "the new extent %lld is outside 1 to %d",
             (long long)a->size[i], INT32_MAX / 4);
        NEED(isfinite(a->scale[i]) && a->scale[i] >= 0, "the scale %g is not usable", a->scale[i]);
        NEED(a->step[i] == 0 || a->coordinates == RESIZE_HALF_PIXEL || a->coordinates == RESIZE_ASYMMETRIC ||
                 a->coordinates == RESIZE_TF_HALF_PIXEL_NN,
             "coordinate mode number %d does not go by steps", (int)a->coordinates);
    }
    NEED(shape_count(in) > 0, "the input is empty");
    return SEPCL_OK;
}

static status infer(const node_view *v, shape *out)
{
    const attr_resize *a = &v->n->a.resize;
    *out = nv_in(v, 0)->shape;
    if (out->rank == 4)
        out->dim[1] = a->size[0];
    out->dim[out->rank - 2] = a->size[1];
    return SEPCL_OK;
}

static void count(const node_view *v, op_count *out)
{
    const uint64_t n = (uint64_t)shape_count(&nv_out(v, 0)->shape), m = (uint64_t)shape_count(&nv_in(v, 0)->shape);
    const bool     linear = v->n->a.resize.mode == RESIZE_LINEAR;
    out->multiplications = linear ? 6 * n : 0;
    out->additions = linear ? 3 * n : 0;
    out->bytes = 4 * (n + m);
}

/* ------------------------------------------------------------------ positions */

/* Where output index i lies on the input's axis. In float32, as the scales are in a file: rounding to the nearest
   element must fall the same way as in the runtimes that a network was trained and checked with. */
static float position(const attr_resize *a, int axis, int64_t i, int64_t in)
{
    const int64_t out = a->size[axis];
    const float   x = (float)i;
    if (a->step[axis] > 0) {
        const float at = (a->coordinates == RESIZE_ASYMMETRIC ? x : x + 0.5f) * a->step[axis];
        return a->coordinates == RESIZE_HALF_PIXEL ? at - 0.5f : at;
    }
    const float scale = a->scale[axis] > 0 ? (float)a->scale[axis] : (float)out / (float)in;
    switch (a->coordinates) {
    case RESIZE_HALF_PIXEL:
        return (x + 0.5f) / scale - 0.5f;
    case RESIZE_PYTORCH_HALF_PIXEL:
        return out > 1 ? (x + 0.5f) / scale - 0.5f : 0.0f;
    case RESIZE_ALIGN_CORNERS: {
        /* the standard takes scale x extent before it is cut to a whole number */
        const float exact = scale * (float)in, whole = (float)out;
        const float last = (fabsf(exact - whole) < 1e-3f ? whole : exact) - 1;
        return out > 1 ? x * (float)(in - 1) / last : 0.0f;
    }
    case RESIZE_ASYMMETRIC:
        return x / scale;
    case RESIZE_TF_HALF_PIXEL_NN:
        return (x + 0.5f) / scale;
    case RESIZE_HALF_PIXEL_SYMMETRIC:
        break;
    }
    /* the centres of input and output stay together although the output was cut to a whole extent */
    const float adjustment = (float)out / (scale * (float)in);
    return (float)in / 2 * (1 - adjustment) + (x + 0.5f) / scale - 0.5f;
}

static int64_t rounded(resize_round round, float x)
{
    x = fminf(fmaxf(x, -1e9f), 1e9f); /* a tiny scale must not overflow */
    switch (round) {
    case RESIZE_ROUND_PREFER_FLOOR:
        return (int64_t)ceilf(x - 0.5f);
    case RESIZE_ROUND_PREFER_CEIL:
        return (int64_t)roundf(x); /* away from 0, where below 0 the end element stands anyway */
    case RESIZE_FLOOR:
        return (int64_t)floorf(x);
    case RESIZE_CEIL:
        break;
    }
    return (int64_t)ceilf(x);
}

typedef struct sample {
    int64_t at[2];
    float   share; /* of at[1] */
} sample;

/* What output index i takes from an axis of extent in; beyond the ends stand the end elements. */
static sample sample_of(const attr_resize *a, int axis, int64_t i, int64_t in)
{
    const float x = position(a, axis, i, in);
    sample      s = {{0, 0}, 0};
    if (a->mode == RESIZE_NEAREST) {
        s.at[0] = s.at[1] = i64_max(0, i64_min(in - 1, rounded(a->round, x)));
        return s;
    }
    const float inside = fminf(fmaxf(x, 0.0f), (float)(in - 1));
    s.at[0] = i64_min((int64_t)inside, in - 1);
    s.at[1] = i64_min(s.at[0] + 1, in - 1);
    s.share = s.at[0] == s.at[1] ? 0 : inside - (float)s.at[0];
    return s;
}

/* Does any output element of an axis mix two input elements? */
static bool mixes(const attr_resize *a, int axis, int64_t in)
{
    for (int64_t i = 0; a->mode == RESIZE_LINEAR && i < a->size[axis]; i++)
        if (sample_of(a, axis, i, in).share != 0)
            return true;
    return false;
}

static status ref(const node_view *v, const float *const *in, float *const *out)
{
    const attr_resize *a = &v->n->a.resize;
    const nhwc         x = shape_nhwc(&nv_in(v, 0)->shape), y = shape_nhwc(&nv_out(v, 0)->shape);
    const float       *from = in[0];
    const bool         mix_h = mixes(a, 0, x.h), mix_w = mixes(a, 1, x.w);
    float             *to = out[0];
    for (int64_t row = 0; row < y.n * y.h; row++) {
        const sample h = sample_of(a, 0, row % y.h, x.h);
        for (int64_t column = 0; column < y.w; column++) {
            const sample w = sample_of(a, 1, column, x.w);
            for (int64_t c = 0; c < y.c; c++) {
                double line[2];
                for (int k = 0; k < 2; k++) {
                    const float *source = from + (row / y.h * x.h + h.at[k]) * x.w * x.c + c;
                    line[k] = source[w.at[0] * x.c];
                    if (mix_w) /* what is not mixed is not read, and so may be infinite */
                        line[k] = line[k] * (1.0 - w.share) + source[w.at[1] * x.c] * (double)w.share;
                }
                *to++ = (float)(mix_h ? line[0] * (1.0 - h.share) + line[1] * h.share : line[0]);
            }
        }
    }
    return SEPCL_OK;
}

/* ------------------------------------------------------------------ kernel */

/* Both tables: the height's entries, then the width's. */
static void fill_tables(const node_view *v, int32_t *index, float *weight)
{
    const attr_resize *a = &v->n->a.resize;
    const nhwc         x = shape_nhwc(&nv_in(v, 0)->shape);
    const int64_t      extent[2] = {x.h, x.w};
    for (int axis = 0, at = 0; axis < 2; axis++)
        for (int64_t i = 0; i < a->size[axis]; i++, at++) {
            const sample s = sample_of(a, axis, i, extent[axis]);
            if (index) {
                index[2 * at] = (int32_t)s.at[0];
                index[2 * at + 1] = (int32_t)s.at[1];
            }
            if (weight)
                weight[at] = s.share;
        }
}

static void fill_index(const node_view *v, const int *p, void *dst)
{
    (void)p;
    fill_tables(v, dst, NULL);
}

static void fill_weight(const node_view *v, const int *p, void *dst)
{
    (void)p;
    fill_tables(v, NULL, dst);
}

static void launch_resize(const node_view *v, const caps *c, const int *p, launch_list *out)
{
    const attr_resize *a = &v->n->a.resize;
    const nhwc         x = shape_nhwc(&nv_in(v, 0)->shape), y = shape_nhwc(&nv_out(v, 0)->shape);
    const int64_t      extent[3] = {y.n * y.h, y.w, y.c};
    const chunks       part = chunks_for(c, p[0], extent, 1, p[0]);
    const size_t       entries = (size_t)(a->size[0] + a->size[1]);
    launch            *k = launch_add(out, 1, part.items, 1, 1);
    launch_define(k, "LINEAR_H", mixes(a, 0, x.h));
    launch_define(k, "LINEAR_W", mixes(a, 1, x.w));
    arg_in(k, 0);
    arg_packed(k, launch_pack(out, DT_I32, 2 * entries, false, fill_index));
    arg_packed(k, launch_pack(out, DT_F32, entries, false, fill_weight));
    arg_out(k, 0);
    arg_i32(k, x.h);
    arg_i32(k, x.w);
    arg_i32(k, y.h);
    for (int i = 0; i < 3; i++)
        arg_i32(k, extent[i]);
    arg_i32(k, part.outer);
    arg_i32(k, part.mid);
    arg_i32(k, part.len);
}

/* A vector wider than the channels leaves everything to the scalar tail. */
static double cost_resize(const node_view *v, const caps *c, const int *p)
{
    const int64_t channels = shape_nhwc(&nv_out(v, 0)->shape).c;
    return p[0] > channels && p[0] > 1 ? 10 + p[0] : vector_cost(c, p[0]);
}

static const kernel_def kernels[] = {
    {"resize",
     "resize",
     "tables of positions, vectors of channels",
     {{"V", {16, 8, 4, 1}}},
     copy_fits,
     launch_resize,
     cost_resize},
    {0},
};

/* ------------------------------------------------------------------ cases */

static bool gen(int i, graph *g)
{
    static const struct {
        int64_t in[4], size[2];
        double  scale[2]; /* 0: the ratio of the extents */
    } cases[] = {
        {{1, 5, 7, 16}, {10, 14}, {2, 2}},       {{2, 5, 7, 3}, {13, 11}, {0, 0}}, {{1, 13, 11, 17}, {5, 7}, {0, 0}},
        {{1, 6, 8, 5}, {9, 12}, {1.6, 1.6}}, /* scales that are not the ratio of the extents */
        {{1, 9, 9, 1}, {1, 1}, {0, 0}},          {{2, 1, 1, 8}, {4, 3}, {0, 0}},   {{1, 7, 3, 4}, {7, 6}, {1, 2}},
        {{2, 0, 9, 24}, {1, 20}, {1, 20.0 / 9}}, /* height 0: rank 3 */
        {{1, 24, 24, 16}, {48, 48}, {2, 2}},
    };
    static const resize_coordinates by_step[] = {RESIZE_HALF_PIXEL, RESIZE_ASYMMETRIC, RESIZE_TF_HALF_PIXEL_NN};
    enum { N = sizeof cases / sizeof *cases, MODES = 6, KINDS = 5, STEPS = 3 };
    const bool steps = i >= N * MODES * KINDS;
    if (steps)
        i -= N * MODES * KINDS;
    if (steps && i >= N * STEPS * KINDS)
        return false;
    const int     at = i % N, kind = i / N / (steps ? STEPS : MODES);
    const int64_t d[3] = {cases[at].in[0], cases[at].in[2], cases[at].in[3]};
    const shape   s = cases[at].in[1] ? shape_make(4, cases[at].in) : shape_make(3, d);
    attrs         a = {.resize = {.mode = kind == 4 ? RESIZE_LINEAR : RESIZE_NEAREST,
                                  .coordinates = steps ? by_step[i / N % STEPS] : (resize_coordinates)(i / N % MODES),
                                  .round = (resize_round)(kind % 4)}};
    for (int k = 0; k < 2; k++) {
        a.resize.size[k] = cases[at].size[k];
        a.resize.scale[k] = cases[at].scale[k];
        if (steps)
            a.resize.step[k] = (float)(k ? d[1] : s.dim[1]) / (float)cases[at].size[k];
    }
    const value_id x = test_input(g, "x", &s);
    return graph_output(g, graph_op(g, OP_RESIZE, "y", &a, &x, 1)) == SEPCL_OK;
}

const op_def op_resize = {
    .name = "resize",
    .min_in = 1,
    .max_in = 1,
    .n_out = 1,
    .check = check,
    .infer = infer,
    .count = count,
    .ref = ref,
    .gen = gen,
    .kernels = kernels,
};
