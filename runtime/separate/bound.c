/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bound. Let W be the weights of a convolution, W' those that its replacement amounts to (the product of the
 * factors as they are stored, rounding included), and E = W - W'. Without bias both are linear, so the outputs differ
 * by what the convolution with E makes of the input x.
 *
 *  1. One place. The output channels at place p are y_p = M x_p: x_p is the patch of x under the window there (zeros
 * for padding), M is E as a matrix with a row an output channel and a column (i, y, x). With groups M has one block a
 *     group. So |y_p| <= s |x_p|, with the Euclidean norm and s the largest singular value of M (of its blocks).
 *  2. All places. |y|^2 = sum_p |y_p|^2 <= s^2 sum_p |x_p|^2. Each element of x occurs in at most m patches: along an
 * axis a tap t at output place p reads element p stride + t dilation - pad, so the taps that may read one element are
 *     those with equal t dilation modulo the stride, every (stride / gcd(stride, dilation))-th of them; m is the
 * product over both axes of kernel / (stride / gcd), rounded up. Hence sum_p |x_p|^2 <= m |x|^2 and
 *
 *         |y| <= sqrt(m) s |x|.
 *
 *     sqrt(m) s bounds the operator norm of the error from input to output, whatever the input, padding or extents.
 * This is operator_bound().
 *  3. Relative to the output at given places: |E x| / |W x| <= s sqrt(sum |x_p|^2) / |W x|, which measure_patches()
 * gives beside |E x| / |W x| itself, summed over the same places.
 *
 * This is in exact arithmetic, and the products here are sums of doubles. Running either form in float32 adds rounding
 * of its own, some 1e-7 of the largest sums, which is not part of the bound.
 */
#include "separate/bound.h"

#include <math.h>
#include <stdlib.h>

#include "base/size.h"
#include "separate/svd.h"

/* ------------------------------------------------------------------ weights of two in a row */

/* Adds weight `f` of the second, which sits at offset (y1, x1) of the joint kernel, times all of the first's weights of
   mid channel r, to the joint weights of output channel o. */
static void add_products(const conv_part *c, const conv_part *first, int64_t o, int64_t r, int64_t y1, int64_t x1,
                         double f, double *joint)
{
    const int64_t kh = c->a.kernel[0], kw = c->a.kernel[1], h = first->a.kernel[0], w = first->a.kernel[1];
    const int64_t begin = r / conv_part_co(first) * first->ci - o / conv_part_co(c) * c->ci; /* input channel */
    const float  *from = first->w + r * conv_part_taps(first);
    for (int64_t i = 0; i < first->ci; i++)
        for (int64_t y = 0; y < h; y++)
            for (int64_t x = 0; x < w; x++)
                joint[((o * c->ci + begin + i) * kh + y + y1) * kw + x + x1] += f * (double)*from++;
}

double *compose(const conv_part *c, const conv_part parts[2])
{
    const conv_part *second = &parts[1];
    const int64_t    h = second->a.kernel[0], w = second->a.kernel[1], co = conv_part_co(second);
    double          *joint = calloc((size_t)conv_part_count(c) + 1, sizeof *joint);
    if (!joint)
        fail_memory((size_t)conv_part_count(c) * sizeof *joint, "the weights of two layers as one");
    for (int64_t o = 0; joint && o < c->a.out_channels; o++)
        for (int64_t r = 0; r < second->ci; r++)
            for (int64_t y = 0; y < h; y++)
                for (int64_t x = 0; x < w; x++)
                    add_products(c, &parts[0], o, o / co * second->ci + r, y, x,
                                 (double)second->w[((o * second->ci + r) * h + y) * w + x], joint);
    return joint;
}

double *residual_of(const conv_part *c, const conv_part *parts, int n)
{
    double *e = n == 2 ? compose(c, parts) : calloc((size_t)conv_part_count(c) + 1, sizeof *e);
    if (!e && n != 2)
        fail_memory((size_t)conv_part_count(c) * sizeof *e, "the error of a layer's weights");
    for (int64_t i = 0; e && i < conv_part_count(c); i++)
        e[i] = (double)c->w[i] - (n == 2 ? e[i] : (double)parts[0].w[i]);
    return e;
}

/* ------------------------------------------------------------------ norms */

double relative_frobenius(const conv_part *c, const double *e)
{
    double error = 0, whole = 0;
    for (int64_t i = 0; i < conv_part_count(c); i++) {
        error += e[i] * e[i];
        whole += (double)c->w[i] * (double)c->w[i];
    }
    return error > 0 ? sqrt(error / whole) : 0;
}

/* A row of weights is a column of the matrix that LAPACK sees; the values are the same. */
status patch_norm(const conv_part *c, const double *e, double *norm_out)
{
    const int64_t rows = conv_part_taps(c), cols = conv_part_co(c);
    double       *a = calloc((size_t)(rows * cols) + 1, sizeof *a);
    double       *s = calloc((size_t)i64_min(rows, cols) + 1, sizeof *s);
    status st = a && s ? SEPCL_OK : fail_memory((size_t)(rows * cols) * sizeof *a, "the norm of a layer's error");
    *norm_out = 0;
    for (int64_t g = 0; g < c->a.group && st == SEPCL_OK; g++) {
        memcpy(a, e + g * rows * cols, (size_t)(rows * cols) * sizeof *a);
        st = svd_values(a, rows, cols, s);
        *norm_out = fmax(*norm_out, s[0]);
    }
    free(a);
    free(s);
    return st;
}

static int64_t gcd(int64_t a, int64_t b)
{
    while (b) {
        const int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

int64_t most_patches(const attr_conv *a)
{
    int64_t m = 1;
    for (int i = 0; i < 2; i++)
        m *= div_up(a->kernel[i], a->stride[i] / gcd(a->stride[i], a->dilation[i]));
    return m;
}

status operator_bound(const conv_part *c, const double *e, double *bound_out)
{
    TRY(patch_norm(c, e, bound_out));
    *bound_out *= sqrt((double)most_patches(&c->a));
    return SEPCL_OK;
}

/* ------------------------------------------------------------------ places of real inputs */

#define PATCH_FLOATS ((int64_t)1 << 20)
#define MOST_PATCHES 1024

status patches_create(const conv_part *c, patches *out)
{
    *out = (patches){.size = conv_part_taps(c) * c->a.group};
    out->room = (int)i64_max(8, i64_min(MOST_PATCHES, PATCH_FLOATS / out->size));
    out->x = calloc((size_t)out->room * (size_t)out->size, sizeof *out->x);
    return out->x ? SEPCL_OK
                  : fail_memory((size_t)out->room * (size_t)out->size * sizeof *out->x, "samples of a layer");
}

void patches_free(patches *p)
{
    free(p->x);
    *p = (patches){0};
}

static void take_patch(const conv_part *c, const float *x, nhwc in, int64_t n, int64_t y, int64_t xo, float *to)
{
    const attr_conv *a = &c->a;
    for (int64_t i = 0; i < in.c; i++)
        for (int64_t ky = 0; ky < a->kernel[0]; ky++)
            for (int64_t kx = 0; kx < a->kernel[1]; kx++) {
                const int64_t iy = y * a->stride[0] - a->pad[0] + ky * a->dilation[0];
                const int64_t ix = xo * a->stride[1] - a->pad[1] + kx * a->dilation[1];
                const bool    inside = iy >= 0 && iy < in.h && ix >= 0 && ix < in.w;
                *to++ = inside ? x[((n * in.h + iy) * in.w + ix) * in.c + i] : 0;
            }
}

static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

void patches_add(patches *p, const conv_part *c, const float *x, nhwc in, int most, uint32_t *random)
{
    const nhwc    out = conv_part_out(c, in);
    const int64_t all = out.n * out.h * out.w;
    for (int k = 0; k < most && p->n < p->room && all > 0; k++) {
        const int64_t at = all <= most ? k : next_random(random) % all; /* each one where there are few */
        if (all <= most && k >= all)
            break;
        const int64_t n = at / (out.h * out.w), y = (at - n * out.h * out.w) / out.w;
        take_patch(c, x, in, n, y, at - (n * out.h + y) * out.w, p->x + p->n++ * p->size);
    }
}

static double dot(const double *w, const float *x, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += w[i] * (double)x[i];
    return sum;
}

static double dot_floats(const float *w, const float *x, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += (double)w[i] * (double)x[i];
    return sum;
}

layer_error measure_patches(const patches *p, const conv_part *c, const double *e, double norm)
{
    const int64_t taps = conv_part_taps(c), co = conv_part_co(c);
    double        error = 0, output = 0, input = 0;
    for (int k = 0; k < p->n; k++) {
        const float *x = p->x + k * p->size;
        for (int64_t o = 0; o < c->a.out_channels; o++) {
            const float *px = x + o / co * taps;
            const double d = dot(e + o * taps, px, taps), y = dot_floats(c->w + o * taps, px, taps);
            error += d * d;
            output += y * y;
        }
        input += dot_floats(x, x, p->size);
    }
    if (!(output > 0))
        return (layer_error){0, 0};
    return (layer_error){sqrt(error / output), norm * sqrt(input / output)};
}
