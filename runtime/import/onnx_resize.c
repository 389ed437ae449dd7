/* SPDX-License-Identifier: Apache-2.0 */
/* Resize and Upsample. What changed from opset to opset:
    7, 9  Upsample: scales as attribute, then as input; positions asymmetric, the nearest element is the one below.
    10    Resize with the same rule, also for smaller outputs.
    11    sizes, coordinate_transformation_mode, nearest_mode.
    13    tf_half_pixel_for_nn is gone.
    18    antialias, axes, keep_aspect_ratio_policy.
    19    half_pixel_symmetric. */
#include <math.h>
#include <string.h>

#include "import/onnx_build.h"

typedef struct resizing {
    int64_t out[MAX_RANK];   /* extents */
    double  scale[MAX_RANK]; /* output / input */
} resizing;

static status read_scales(onnx_build *b, int input, int64_t max, float *out, int *n_out)
{
    const operand *s = onnx_in(b, input);
    *n_out = 0;
    if (!s)
        return SEPCL_OK;
    if (!s->is_const)
        return fail(SEPCL_UNSUPPORTED, "the scales '%s' have to be a constant", s->name);
    const int64_t n = operand_count(s);
    if (!operand_is_float(s) || n > max)
        return fail(SEPCL_BAD_FILE, "the scales '%s' are not floats, or too many", s->name);
    for (int64_t i = 0; i < n; i++)
        out[i] = data_float(s->type, s->data, i);
    *n_out = (int)n;
    return SEPCL_OK;
}

/* The axes that scales and sizes speak of. */
static status read_axes(onnx_build *b, int rank, int n, int axis[MAX_RANK])
{
    int64_t   given[MAX_RANK];
    uint32_t  seen = 0;
    const int n_axes = onnx_of(b)->m->opset >= 18 ? attr_ints(b, "axes", given, MAX_RANK) : -1;
    if (n != (n_axes < 0 ? rank : n_axes))
        return fail(SEPCL_BAD_FILE, "%d scales or sizes for %d axes", n, n_axes < 0 ? rank : n_axes);
    for (int i = 0; i < n; i++) {
        axis[i] = i;
        if (n_axes >= 0)
            TRY(import_axis(given[i], rank, &axis[i]));
        if (seen >> axis[i] & 1)
            return fail(SEPCL_BAD_FILE, "axis %d is given twice", axis[i]);
        seen |= 1u << axis[i];
    }
    return SEPCL_OK;
}

static status by_scales(const operand *x, const float *scale, const int *axis, int n, resizing *r)
{
    for (int i = 0; i < n; i++) {
        /* in float32, as other runtimes do: 0.7 x 10 is 7 */
        const float extent = floorf((float)x->shape.dim[axis[i]] * scale[i]);
        if (!(scale[i] > 0) || !(extent >= 1) || !(extent <= 1e9f))
            return fail(SEPCL_BAD_FILE, "scale %g makes an extent of %lld to one of %g", (double)scale[i],
                        (long long)x->shape.dim[axis[i]], (double)extent);
        r->out[axis[i]] = (int64_t)extent;
        r->scale[axis[i]] = scale[i];
    }
    return SEPCL_OK;
}

enum { STRETCH, NOT_LARGER, NOT_SMALLER };

static status by_sizes(onnx_build *b, const operand *x, const int64_t *size, const int *axis, int n, resizing *r)
{
    static const char *const policies[] = {"stretch", "not_larger", "not_smaller", NULL};
    const int                policy = attr_choice(b, "keep_aspect_ratio_policy", policies, STRETCH);
    double                   common = 0;
    for (int i = 0; i < n; i++) {
        const double s = (double)size[i] / (double)x->shape.dim[axis[i]];
        if (size[i] < 1 || size[i] > INT32_MAX / 4)
            return fail(SEPCL_BAD_FILE, "the new extent of axis %d is %lld", axis[i], (long long)size[i]);
        common = i == 0 || (policy == NOT_LARGER ? s < common : s > common) ? s : common;
        r->out[axis[i]] = size[i];
        r->scale[axis[i]] = s;
    }
    for (int i = 0; policy != STRETCH && i < n; i++) {
        r->out[axis[i]] = (int64_t)floor(common * (double)x->shape.dim[axis[i]] + 0.5);
        r->scale[axis[i]] = common;
        if (r->out[axis[i]] < 1)
            return fail(SEPCL_BAD_FILE, "nothing is left of axis %d when the aspect ratio is kept", axis[i]);
    }
    return SEPCL_OK;
}

static void unchanged(const operand *x, resizing *r)
{
    for (int i = 0; i < x->shape.rank; i++) {
        r->out[i] = x->shape.dim[i];
        r->scale[i] = 1;
    }
}

/* Adds the node, when anything changes at all. */
static status add_resize(onnx_build *b, operand *x, const resizing *r, attr_resize *a, operand **out)
{
    bool      same = a->coordinates != RESIZE_TF_HALF_PIXEL_NN;
    const int rank = x->shape.rank;
    for (int i = 0; i < rank; i++) {
        const bool changes = r->out[i] != x->shape.dim[i] || r->scale[i] != 1;
        same &= !changes;
        if (changes && (i < 2 || rank > 4))
            return fail(SEPCL_UNSUPPORTED, "axis %d of %d dimensions is resized; only height and width can be", i,
                        rank);
    }
    *out = x;
    if (same)
        return SEPCL_OK;
    if (rank < 3)
        return fail(SEPCL_UNSUPPORTED, "an input of %d dimensions; 3 and 4 are supported", rank);
    a->size[0] = rank == 4 ? r->out[2] : 1;
    a->scale[0] = rank == 4 ? r->scale[2] : 1;
    a->size[1] = r->out[rank - 1];
    a->scale[1] = r->scale[rank - 1];
    return emit_resize(b, x, a, out);
}

/* Upsample, and Resize of opset 10: the element below where an axis grows, the one above where it shrinks. Axes are
   resized one way after the other, which for the nearest element is the same as at once. */
static status add_simple(onnx_build *b, operand *x, const float *scale, int n, resize_mode mode)
{
    resizing r;
    int      axis[MAX_RANK] = {0};
    if (n != x->shape.rank)
        return fail(SEPCL_BAD_FILE, "%d scales for %d axes", n, x->shape.rank);
    for (int i = 0; i < n; i++)
        axis[i] = i;
    for (int up = 0; up < 2; up++) {
        attr_resize a = {.mode = mode, .coordinates = RESIZE_ASYMMETRIC, .round = up ? RESIZE_FLOOR : RESIZE_CEIL};
        float       now[MAX_RANK];
        for (int i = 0; i < n; i++)
            now[i] = mode == RESIZE_LINEAR ? (up ? scale[i] : 1) : (scale[i] > 1) == up ? scale[i] : 1;
        unchanged(x, &r);
        TRY(by_scales(x, now, axis, n, &r));
        TRY(add_resize(b, x, &r, &a, &x));
    }
    onnx_out(b, 0, x);
    return SEPCL_OK;
}

status onnx_op_upsample(onnx_build *b, int arg)
{
    static const char *const modes[] = {"nearest", "linear", "bilinear", NULL};
    float                    scale[MAX_RANK];
    int                      n;
    (void)arg;
    if (onnx_of(b)->m->opset >= 10)
        return fail(SEPCL_BAD_FILE, "the op ended with opset 9, but the model has opset %lld",
                    (long long)onnx_of(b)->m->opset);
    const resize_mode mode = attr_choice(b, "mode", modes, 0) ? RESIZE_LINEAR : RESIZE_NEAREST;
    if (onnx_of(b)->m->opset >= 9)
        TRY(read_scales(b, 1, MAX_RANK, scale, &n));
    else
        n = attr_floats(b, "scales", scale, MAX_RANK);
    return add_simple(b, onnx_in(b, 0), scale, n, mode);
}

/* What the node's attributes say about positions. */
static status read_modes(onnx_build *b, attr_resize *a)
{
    static const char *const        modes[] = {"nearest", "linear", NULL};
    static const char *const        coordinates[] = {"half_pixel", "pytorch_half_pixel",   "align_corners",
                                                     "asymmetric", "half_pixel_symmetric", "tf_half_pixel_for_nn",
                                                     NULL};
    static const char *const        rounds[] = {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil", NULL};
    static const resize_coordinates coordinate[] = {RESIZE_HALF_PIXEL,           RESIZE_PYTORCH_HALF_PIXEL,
                                                    RESIZE_ALIGN_CORNERS,        RESIZE_ASYMMETRIC,
                                                    RESIZE_HALF_PIXEL_SYMMETRIC, RESIZE_TF_HALF_PIXEL_NN};
    static const resize_round       round[] = {RESIZE_ROUND_PREFER_FLOOR, RESIZE_ROUND_PREFER_CEIL, RESIZE_FLOOR,
                                               RESIZE_CEIL};
    a->mode = attr_choice(b, "mode", modes, 0) ? RESIZE_LINEAR : RESIZE_NEAREST;
    a->coordinates = coordinate[attr_choice(b, "coordinate_transformation_mode", coordinates, 0)];
    a->round = round[attr_choice(b, "nearest_mode", rounds, 0)];
    /* a filter and weights of outside elements only matter for modes that are refused, and for linear ones */
    if (a->mode == RESIZE_LINEAR && (attr_int(b, "antialias", 0) || attr_int(b, "exclude_outside", 0)))
        return fail(SEPCL_UNSUPPORTED, "antialias and exclude_outside are not supported");
    return SEPCL_OK;
}

status onnx_op_resize(onnx_build *b, int arg)
{
    operand    *x = onnx_in(b, 0);
    attr_resize a = {0};
    resizing    r;
    float       scale[MAX_RANK];
    int64_t     size[MAX_RANK];
    int         axis[MAX_RANK], n_scales, n_sizes;
    (void)arg;
    unchanged(x, &r);
    TRY(read_scales(b, onnx_of(b)->m->opset < 11 ? 1 : 2, MAX_RANK, scale, &n_scales));
    TRY(read_modes(b, &a));
    if (onnx_of(b)->m->opset < 11)
        return add_simple(b, x, scale, n_scales, a.mode);
    n_sizes = param_ints(b, 3, size, MAX_RANK);
    if (b->bad != SEPCL_OK)
        return b->bad;
    if ((n_scales > 0) == (n_sizes > 0))
        return fail(SEPCL_BAD_FILE, "either scales or sizes have to be given");
    TRY(read_axes(b, x->shape.rank, n_scales > 0 ? n_scales : n_sizes, axis));
    if (n_scales > 0)
        TRY(by_scales(x, scale, axis, n_scales, &r));
    else
        TRY(by_sizes(b, x, size, axis, n_sizes, &r));
    TRY(add_resize(b, x, &r, &a, &x));
    onnx_out(b, 0, x);
    return SEPCL_OK;
}
