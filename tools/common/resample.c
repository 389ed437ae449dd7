/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pictures to floats. Resizing is separable: rows are resampled horizontally as they are needed and kept in a ring,
 * from which output rows are summed. On each axis output i stands at the source position c = begin + (i + 1/2) * step
 * and takes the pixels within `reach` = max(1, step) of it, weighted by a triangle of that half-width and normalised:
 * bilinear when enlarging, an antialiased average when shrinking.
 */
#include <math.h>
#include <stdlib.h>

#include "picture.h"
#include "tool.h"

/* One axis: output i sums weights[i * stride + k] * source[first[i] + k], k < count[i]. */
typedef struct axis {
    int     n, stride;
    int    *first, *count;
    double *weights;
} axis;

static void axis_free(axis *a)
{
    free(a->first);
    free(a->count);
    free(a->weights);
}

static void axis_fill(axis *a, int size, double begin, double step, double reach)
{
    for (int i = 0; i < a->n; i++) {
        const double center = begin + (i + 0.5) * step;
        int          from = (int)floor(center - reach), to = (int)ceil(center + reach);
        double       sum = 0, *w = a->weights + (size_t)i * (size_t)a->stride;
        from = from < 0 ? 0 : from;
        to = to > size ? size : to;
        if (to - from > a->stride)
            to = from + a->stride;
        a->first[i] = from;
        a->count[i] = to - from;
        for (int k = 0; k < to - from; k++) {
            const double distance = fabs(from + k + 0.5 - center) / reach;
            w[k] = distance < 1 ? 1 - distance : 0;
            sum += w[k];
        }
        for (int k = 0; k < to - from; k++)
            w[k] /= sum;
    }
}

/* n outputs over [begin, begin + length) of a source of `size` pixels. */
static sepcl_status axis_make(axis *a, int n, int size, double begin, double length)
{
    const double step = length / n, reach = step > 1 ? step : 1;
    *a = (axis){.n = n, .stride = (int)ceil(2 * reach) + 2};
    a->first = calloc((size_t)n, sizeof(int));
    a->count = calloc((size_t)n, sizeof(int));
    a->weights = calloc((size_t)n, (size_t)a->stride * sizeof(double));
    if (!a->first || !a->count || !a->weights) {
        axis_free(a);
        return tool_fail(SEPCL_OUT_OF_MEMORY, "no memory to resize a picture to %d pixels", n);
    }
    axis_fill(a, size, begin, step, reach);
    return SEPCL_OK;
}

static void resample_row(const axis *a, const uint8_t *row, float *out)
{
    for (int x = 0; x < a->n; x++, out += 3) {
        const double  *w = a->weights + (size_t)x * (size_t)a->stride;
        const uint8_t *p = row + 3 * (size_t)a->first[x];
        double         sum[3] = {0};
        for (int k = 0; k < a->count[x]; k++, p += 3)
            for (int c = 0; c < 3; c++)
                sum[c] += w[k] * p[c];
        for (int c = 0; c < 3; c++)
            out[c] = (float)sum[c];
    }
}

/* What a recipe does to an RGB triple. */
typedef struct mapping {
    int    channels, from[3]; /* output channel c is RGB channel from[c]; grey is weighed */
    double mean[3], scale[3];
} mapping;

static mapping mapping_of(const picture_recipe *r, int channels)
{
    mapping m = {.channels = channels};
    for (int c = 0; c < channels; c++) {
        m.from[c] = r->channels == CHANNELS_BGR ? 2 - c : c;
        m.mean[c] = r->n_mean == 0 ? 0 : r->mean[r->n_mean == 1 ? 0 : c];
        m.scale[c] = r->n_scale > 0 ? r->scale[r->n_scale == 1 ? 0 : c] : r->n_mean > 0 ? 1 : 1.0 / 255;
    }
    return m;
}

static void map_row(const mapping *m, const picture_target *t, int y, const double *rgb, float *out)
{
    const size_t width = (size_t)t->width, plane = width * (size_t)t->height;
    for (size_t x = 0; x < width; x++, rgb += 3)
        for (int c = 0; c < m->channels; c++) {
            const double v = m->channels == 1 ? 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2] : rgb[m->from[c]];
            const size_t at = (size_t)y * width + x;
            out[t->planar ? (size_t)c * plane + at : at * (size_t)m->channels + (size_t)c] =
                (float)((v - m->mean[c]) * m->scale[c]);
        }
}

sepcl_status picture_check_recipe(const picture_recipe *r, int channels, const char *name)
{
    const bool gray = r->channels == CHANNELS_GRAY;
    if (r->channels != CHANNELS_DEFAULT && gray != (channels == 1))
        return tool_fail(SEPCL_INVALID, "input %s has %d channel%s, so --channels cannot be %s", name, channels,
                         channels == 1 ? "" : "s", gray ? "gray" : "rgb or bgr");
    const int counts[] = {r->n_mean, r->n_scale};
    for (int i = 0; i < 2; i++)
        if (counts[i] > 1 && counts[i] != channels)
            return tool_fail(SEPCL_INVALID, "--%s has %d numbers, but input %s has %d channel%s", i ? "scale" : "mean",
                             counts[i], name, channels, channels == 1 ? "" : "s");
    return SEPCL_OK;
}

/* The part of the picture that is used: all of it, or for crop the largest centred part of the target's proportions. */
static void window(const picture *p, picture_resize how, const picture_target *t, double *w, double *h)
{
    *w = p->width;
    *h = p->height;
    if (how != RESIZE_TO_CROP)
        return;
    const double scale = fmin(*w / t->width, *h / t->height);
    *w = scale * t->width;
    *h = scale * t->height;
}

static sepcl_status resample(const picture *p, const axis *ax, const axis *ay, const mapping *m,
                             const picture_target *t, float *out)
{
    const size_t row = 3 * (size_t)t->width;
    float       *ring = malloc((size_t)ay->stride * row * sizeof(float)); /* source row y is at y modulo stride */
    double      *sum = malloc(row * sizeof(double));
    int          next = 0; /* first source row that was not resampled */
    if (!ring || !sum) {
        free(ring);
        free(sum);
        return tool_fail(SEPCL_OUT_OF_MEMORY, "no memory to resize a picture to %dx%d pixels", t->width, t->height);
    }
    for (int y = 0; y < t->height; y++) {
        const int first = ay->first[y], end = first + ay->count[y];
        for (next = next < first ? first : next; next < end; next++)
            resample_row(ax, p->rgb + 3 * (size_t)next * (size_t)p->width, ring + (size_t)(next % ay->stride) * row);
        for (size_t i = 0; i < row; i++)
            sum[i] = 0;
        for (int k = 0; k < ay->count[y]; k++) {
            const double w = ay->weights[(size_t)y * (size_t)ay->stride + (size_t)k];
            const float *from = ring + (size_t)((first + k) % ay->stride) * row;
            for (size_t i = 0; i < row; i++)
                sum[i] += w * from[i];
        }
        map_row(m, t, y, sum, out);
    }
    free(ring);
    free(sum);
    return SEPCL_OK;
}

sepcl_status picture_to_floats(const picture *p, const picture_recipe *r, const picture_target *t, float *out)
{
    const mapping m = mapping_of(r, t->channels);
    double        w, h;
    axis          ax, ay;
    window(p, r->resize, t, &w, &h);
    TRY(axis_make(&ax, t->width, p->width, (p->width - w) / 2, w));
    sepcl_status st = axis_make(&ay, t->height, p->height, (p->height - h) / 2, h);
    if (st == SEPCL_OK) {
        st = resample(p, &ax, &ay, &m, t, out);
        axis_free(&ay);
    }
    axis_free(&ax);
    return st;
}
