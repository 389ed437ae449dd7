/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resize by filters, axis by axis: cubic, smoothed (antialias), cut out of the input (tf_crop_and_resize), or along
 * axes that are not height and width. Each output element is a weighted sum of neighbours, so an axis becomes two
 * tables, indices and weights, made here in double. What lies outside stands at the edge, or is left out and the rest
 * weighs more.
 */
#include <math.h>

#include "base/size.h"
#include "import/onnx_build.h"
#include "import/onnx_resize.h"

/* More neighbours than any smoothing of a picture needs. */
#define MOST_TAPS 4096

typedef struct filter {
    const resizing *r;
    int             axis;
    int64_t         in, out;
    double          stretch; /* below 1: the filter is this much wider, for smoothing */
    int64_t         taps;    /* 0: too many */
} filter;

/* Where output index i lies on the input's axis. */
static double position(const filter *f, int64_t i)
{
    const resizing *r = f->r;
    const double    x = (double)i, in = (double)f->in, scale = r->scale[f->axis], exact = scale * in;
    switch (r->a.coordinates) {
    case RESIZE_HALF_PIXEL:
        return (x + 0.5) / scale - 0.5;
    case RESIZE_PYTORCH_HALF_PIXEL:
        return f->out > 1 ? (x + 0.5) / scale - 0.5 : 0;
    case RESIZE_ALIGN_CORNERS: {
        const double last = (fabs(exact - (double)f->out) < 1e-3 ? (double)f->out : exact) - 1;
        return f->out > 1 ? x * (in - 1) / last : 0;
    }
    case RESIZE_ASYMMETRIC:
        return x / scale;
    case RESIZE_TF_HALF_PIXEL_NN:
        return (x + 0.5) / scale;
    case RESIZE_HALF_PIXEL_SYMMETRIC:
        break;
    }
    return in / 2 * (1 - (double)f->out / exact) + (x + 0.5) / scale - 0.5;
}

/* Of tf_crop_and_resize. */
static double cropped_position(const filter *f, int64_t i)
{
    const double begin = f->r->begin[f->axis], end = f->r->end[f->axis], last = (double)(f->in - 1);
    return f->out > 1 ? begin * last + (double)i * (end - begin) * last / (double)(f->out - 1)
                      : 0.5 * (begin + end) * last;
}

/* Far outside nothing changes any more, and counting on from there would never end. */
static double source(const filter *f, int64_t i)
{
    const double x = f->r->crops ? cropped_position(f, i) : position(f, i), far = 2.0 * MOST_TAPS;
    return x > -far ? fmin(x, (double)f->in + far) : -far; /* NaN too */
}

static double weight(const filter *f, double distance)
{
    const double x = fabs(distance), a = f->r->cubic;
    if (f->r->mode == ONNX_LINEAR)
        return x < 1 ? 1 - x : 0;
    if (x <= 1)
        return ((a + 2) * x - (a + 3)) * x * x + 1;
    return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}

static double rounded(resize_round round, double x)
{
    return round == RESIZE_ROUND_PREFER_FLOOR  ? ceil(x - 0.5)
           : round == RESIZE_ROUND_PREFER_CEIL ? floor(x + 0.5)
           : round == RESIZE_FLOOR             ? floor(x)
                                               : ceil(x);
}

static double support(const filter *f)
{
    return (f->r->mode == ONNX_LINEAR ? 1 : 2) / f->stretch;
}

/* One output's neighbours and weights; entries that are not needed repeat the first with weight 0. */
static status fill_row(const filter *f, double x, int32_t *index, float *share)
{
    double sum = 0, w[MOST_TAPS];
    int    n = 0;
    if (f->r->mode == ONNX_NEAREST) {
        index[0] = (int32_t)fmax(0, fmin((double)(f->in - 1), rounded(f->r->a.round, x)));
        share[0] = 1;
        return SEPCL_OK;
    }
    for (double at = ceil(x - support(f)); at <= x + support(f); at++) {
        const double one = weight(f, (at - x) * f->stretch);
        const bool   outside = at < 0 || at > (double)(f->in - 1);
        if (one == 0 || (outside && f->r->exclude))
            continue;
        const int32_t place = (int32_t)fmax(0, fmin((double)(f->in - 1), at));
        if (n && index[n - 1] == place) {
            w[n - 1] += one;
        } else if (n < f->taps) { /* always: there are no more places than taps */
            index[n] = place;
            w[n++] = one;
        }
        sum += one;
    }
    if (n == 0 || sum == 0)
        return fail(SEPCL_UNSUPPORTED, "an output position lies outside the input, and all outside is excluded");
    for (int64_t t = 0; t < f->taps; t++) {
        share[t] = t < n ? (float)(w[t] / sum) : 0;
        index[t] = index[t < n ? t : 0];
    }
    return SEPCL_OK;
}

static status make_tables(onnx_build *b, const filter *f, value_id *index, value_id *share)
{
    const shape   s = {2, {f->out, f->taps}};
    const int64_t work = f->out * (int64_t)(2 * support(f) + 1); /* at most 2^29 * 2^12 */
    if (f->out * f->taps > FOLD_SMALL * 8)
        return fail(SEPCL_UNSUPPORTED, "an axis of %lld with %lld neighbours each is above the limits",
                    (long long)f->out, (long long)f->taps);
    TRY(fold_charge(b, work));
    *index = graph_const(b->g, NULL, DT_I32, &s, NULL, true);
    *share = graph_const(b->g, NULL, DT_F32, &s, NULL, true);
    if (*index < 0 || *share < 0)
        return SEPCL_OUT_OF_MEMORY;
    int32_t *i = (int32_t *)graph_const_data(b->g, *index);
    float   *w = graph_const_data(b->g, *share);
    for (int64_t k = 0; k < f->out; k++)
        TRY(fill_row(f, source(f, k), i + k * f->taps, w + k * f->taps));
    return SEPCL_OK;
}

static status resample_axis(onnx_build *b, operand *x, const filter *f, operand **out)
{
    form     in;
    value_id index = -1, share = -1;
    TRY(make_tables(b, f, &index, &share));
    TRY(operand_any(b, x, &in));
    return operand_node(b, OP_RESAMPLE, &(attrs){.resample.axis = in.at.pos[f->axis]},
                        (value_id[]){in.id, index, share}, 3, &in.at, x->shape.rank, out);
}

/* tf_crop_and_resize: what is read beyond the input is one number. */
static status outside_value(onnx_build *b, operand *x, const filter *f, operand **out)
{
    operand *test, *number;
    void    *to;
    bool     any = false;
    shape    s = {.rank = x->shape.rank};
    for (int i = 0; i < s.rank; i++)
        s.dim[i] = i == f->axis ? f->out : 1;
    TRY(fold_new(b, DT_BOOL, &s, FOLD_SMALL, &test, &to));
    for (int64_t i = 0; i < f->out; i++) {
        const double at = source(f, i);
        any |= ((uint8_t *)to)[i] = at < 0 || at > (double)(f->in - 1);
    }
    *out = x;
    if (!any)
        return SEPCL_OK;
    TRY(fold_new(b, DT_F32, &(shape){0}, 1, &number, &to));
    *(float *)to = f->r->outside;
    return emit_where(b, test, number, x, out);
}

static filter make_filter(const resizing *r, const operand *x, int axis)
{
    filter f = {.r = r, .axis = axis, .in = x->shape.dim[axis], .out = r->out[axis], .stretch = 1};
    if (r->antialias && r->scale[axis] < 1 && r->mode != ONNX_NEAREST)
        f.stretch = r->scale[axis];
    if (2 * support(&f) < MOST_TAPS)
        f.taps = r->mode == ONNX_NEAREST ? 1 : i64_min((int64_t)(2 * support(&f)) + 1, f.in);
    return f;
}

static bool changes(const resizing *r, const operand *x, int axis)
{
    return r->out[axis] != x->shape.dim[axis] || r->scale[axis] != 1 ||
           (r->crops && (r->begin[axis] != 0 || r->end[axis] != 1));
}

status resize_by_tables(onnx_build *b, operand *x, const resizing *r, operand **out)
{
    operand *y = x;
    if (r->a.coordinates == RESIZE_TF_HALF_PIXEL_NN)
        return fail(SEPCL_UNSUPPORTED, "tf_half_pixel_for_nn is supported for the nearest and linear modes on height "
                                       "and width only");
    for (int axis = 0; axis < x->shape.rank; axis++) {
        if (!changes(r, x, axis))
            continue;
        const filter f = make_filter(r, x, axis);
        if (f.taps == 0)
            return fail(SEPCL_UNSUPPORTED, "scale %g of axis %d would mix more than %d neighbours", r->scale[axis],
                        axis, MOST_TAPS);
        TRY(resample_axis(b, y, &f, &y));
    }
    for (int axis = 0; r->crops && axis < x->shape.rank; axis++)
        if (changes(r, x, axis)) {
            const filter f = make_filter(r, x, axis);
            TRY(outside_value(b, y, &f, &y));
        }
    *out = y;
    return SEPCL_OK;
}
