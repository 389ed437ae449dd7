/* SPDX-License-Identifier: Apache-2.0 */
/* conv: 2-D convolution, dense, grouped, depthwise and pointwise; attributes and inputs in ir/attrs.h. */
#include "ops/conv.h"

#include <stdlib.h>

#include "base/size.h"

conv_geometry conv_geometry_of(const node_view *v)
{
    const attr_conv *a = &v->n->a.conv;
    conv_geometry    g = {.a = a, .in = shape_nhwc(&nv_in(v, CONV_X)->shape)};
    g.ci = g.in.c / a->group;
    g.co = a->out_channels / a->group;
    g.out = (nhwc){g.in.n,
                   window_extent(g.in.h, a->kernel[0], a->stride[0], a->dilation[0], a->pad[0], a->pad[2], false),
                   window_extent(g.in.w, a->kernel[1], a->stride[1], a->dilation[1], a->pad[1], a->pad[3], false),
                   a->out_channels};
    g.depthwise = a->group > 1 && g.ci == 1;
    g.plain_depthwise = g.depthwise && g.co == 1;
    g.pointwise = a->kernel[0] == 1 && a->kernel[1] == 1 && a->stride[0] == 1 && a->stride[1] == 1 && a->group == 1 &&
                  !a->pad[0] && !a->pad[1] && !a->pad[2] && !a->pad[3];
    return g;
}

status conv_check_constants(const node_view *v, const weight_strides *s, int64_t out_channels, int64_t in_channels,
                            int64_t kh, int64_t kw)
{
    const value *w = nv_in(v, CONV_W);
    NEED(w->data, "the weights are not a constant");
    const int64_t last = (out_channels - 1) * s->o + (in_channels - 1) * s->i + (kh - 1) * s->h + (kw - 1) * s->w;
    if (last < 0 || last >= shape_count(&w->shape))
        return fail(SEPCL_BAD_FILE, "the weights have %lld elements, but element %lld is needed",
                    (long long)shape_count(&w->shape), (long long)last);
    for (int k = CONV_B; k <= CONV_SCALE; k++) {
        const value *c = nv_in(v, k);
        if (!c)
            continue;
        NEED(c->data, "the %s is not a constant", k == CONV_B ? "bias" : "scale");
        if (shape_count(&c->shape) != out_channels)
            return fail(SEPCL_BAD_FILE, "the %s has %lld elements, but there are %lld output channels",
                        k == CONV_B ? "bias" : "scale", (long long)shape_count(&c->shape), (long long)out_channels);
    }
    const value *r = nv_in(v, CONV_RES);
    if (r && v->n->n_out && v->n->out[0] >= 0 && !shape_equal(&r->shape, &nv_out(v, 0)->shape))
        return fail(SEPCL_INVALID, "the residual's shape is not the output's");
    return SEPCL_OK;
}

/* Limits that keep every index of the kernels inside an int. */
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
    }
    for (int i = 0; i < 4; i++)
        NEED(a->pad[i] >= 0 && a->pad[i] <= MOST, "padding %d is not in 0 ... %d", a->pad[i], MOST);
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
    return conv_check_constants(v, &a->w, a->out_channels, c / a->group, a->kernel[0], a->kernel[1]);
}

static status infer(const node_view *v, shape *out)
{
    const conv_geometry g = conv_geometry_of(v);
    if (g.out.h < 0 || g.out.w < 0)
        return fail(SEPCL_BAD_FILE, "the %dx%d kernel does not fit into the padded %lldx%lld input", g.a->kernel[0],
                    g.a->kernel[1], (long long)g.in.h, (long long)g.in.w);
    *out = SHAPE(g.out.n, g.out.h, g.out.w, g.out.c);
    return SEPCL_OK;
}

static void count(const node_view *v, op_count *out)
{
    const conv_geometry g = conv_geometry_of(v);
    const uint64_t      y = (uint64_t)(g.out.n * g.out.h * g.out.w * g.out.c);
    const uint64_t      taps = (uint64_t)(g.ci * g.a->kernel[0] * g.a->kernel[1]);
    const uint64_t      weights = taps * (uint64_t)g.out.c;
    const bool          bias = nv_has(v, CONV_B);
    out->multiplications = y * taps;
    out->additions = y * (taps - 1 + bias);
    out->parameters = weights + (bias ? (uint64_t)g.out.c : 0);
    out->bytes = 4 * (y * (1 + nv_has(v, CONV_RES)) + (uint64_t)shape_count(&nv_in(v, CONV_X)->shape) + out->parameters);
}

/* Eight sums, so that a compiler may use vectors: the reference of a large network takes minutes otherwise. */
static double dot(const float *x, const float *w, int64_t n)
{
    double  sum[8] = {0};
    int64_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (int k = 0; k < 8; k++)
            sum[k] += (double)x[i + k] * (double)w[i + k];
    for (; i < n; i++)
        sum[0] += (double)x[i] * (double)w[i];
    return ((sum[0] + sum[4]) + (sum[1] + sum[5])) + ((sum[2] + sum[6]) + (sum[3] + sum[7]));
}

/* w: [o][ky][kx][i] */
static double ref_at(const conv_geometry *g, const float *x, const float *w, int64_t n, int64_t y, int64_t xo, int64_t o)
{
    const attr_conv *a = g->a;
    double           sum = 0;
    for (int64_t ky = 0; ky < a->kernel[0]; ky++) {
        const int64_t iy = y * a->stride[0] - a->pad[0] + ky * a->dilation[0];
        for (int64_t kx = 0; kx < a->kernel[1] && iy >= 0 && iy < g->in.h; kx++) {
            const int64_t ix = xo * a->stride[1] - a->pad[1] + kx * a->dilation[1];
            if (ix < 0 || ix >= g->in.w)
                continue;
            const float *px = x + ((n * g->in.h + iy) * g->in.w + ix) * g->in.c + o / g->co * g->ci;
            sum += dot(px, w + ((o * a->kernel[0] + ky) * a->kernel[1] + kx) * g->ci, g->ci);
        }
    }
    return sum;
}

static float *ref_weights(const node_view *v, const conv_geometry *g)
{
    const weight_view w = weights_of(v, &g->a->w);
    const size_t      count = (size_t)(g->out.c * g->a->kernel[0] * g->a->kernel[1] * g->ci);
    float            *out = malloc(count * sizeof *out), *to = out;
    if (!out)
        fail_memory(count * sizeof *out, "the reference's weights");
    for (int64_t o = 0; out && o < g->out.c; o++)
        for (int64_t ky = 0; ky < g->a->kernel[0]; ky++)
            for (int64_t kx = 0; kx < g->a->kernel[1]; kx++)
                for (int64_t i = 0; i < g->ci; i++)
                    *to++ = weight_at(&w, o, i, ky, kx);
    return out;
}

static status ref(const node_view *v, const float *const *in, float *const *out)
{
    const conv_geometry g = conv_geometry_of(v);
    float              *w = ref_weights(v, &g), *to = out[0];
    if (!w)
        return SEPCL_OUT_OF_MEMORY;
    for (int64_t n = 0; n < g.out.n; n++)
        for (int64_t y = 0; y < g.out.h; y++)
            for (int64_t x = 0; x < g.out.w; x++)
                for (int64_t o = 0; o < g.out.c; o++)
                    *to++ = (float)(ref_at(&g, in[CONV_X], w, n, y, x, o) + bias_at(v, o));
    free(w);
    return SEPCL_OK;
}

const op_def op_conv = {
    .name = "conv",
    .min_in = 2,
    .max_in = CONV_INPUTS,
    .n_out = 1,
    .flags = OP_EPI_ACT | OP_EPI_RESIDUAL,
    .residual_slot = CONV_RES,
    .check = check,
    .infer = infer,
    .count = count,
    .ref = ref,
    .gen = conv_gen,
    .kernels = conv_kernels,
};
