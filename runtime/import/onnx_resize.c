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

#include "import/onnx_resize.h"

static status read_scales(onnx_build *b, int input, int64_t max, float *out, int *n_out)
{
    const operand *s = onnx_in(b, input);
    *n_out = 0;
    if (!s)
        return SEPCL_OK;
    if (!s->is_const)
        return fail(SEPCL_UNSUPPORTED, "the scales or the region '%s' have to be a constant", s->name);
    const int64_t n = operand_count(s);
    if (!operand_is_float(s) || n > max)
        return fail(SEPCL_BAD_FILE, "the scales or the region '%s' are not floats, or too many", s->name);
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
        r->scale[i] = r->end[i] = 1;
        r->begin[i] = 0;
    }
}

/* Does the graph's resize of height and width do? */
static bool is_plain(const operand *x, const resizing *r)
{
    const int rank = x->shape.rank;
    bool      plain = (rank == 3 || rank == 4) && r->mode != ONNX_CUBIC && !r->crops;
    for (int i = 0; i < rank; i++)
        plain &= i >= 2 || (r->out[i] == x->shape.dim[i] && r->scale[i] == 1);
    return plain && (r->mode == ONNX_NEAREST || !r->antialias);
}

/* Adds the node, when anything changes at all. */
static status add_resize(onnx_build *b, operand *x, const resizing *r, operand **out)
{
    attr_resize a = r->a;
    bool        same = a.coordinates != RESIZE_TF_HALF_PIXEL_NN;
    const int   rank = x->shape.rank;
    if (!is_plain(x, r))
        return resize_by_tables(b, x, r, out);
    for (int i = 0; i < rank; i++)
        same &= r->out[i] == x->shape.dim[i] && r->scale[i] == 1;
    *out = x;
    if (same)
        return SEPCL_OK;
    a.mode = r->mode == ONNX_LINEAR ? RESIZE_LINEAR : RESIZE_NEAREST;
    a.size[0] = rank == 4 ? r->out[2] : 1;
    a.scale[0] = rank == 4 ? r->scale[2] : 1;
    a.size[1] = r->out[rank - 1];
    a.scale[1] = r->scale[rank - 1];
    return emit_resize(b, x, &a, out);
}

/* Upsample, and Resize of opset 10: the element below where an axis grows, the one above where it shrinks. Axes are
   resized one way after the other, which for the nearest element is the same as at once. */
static status add_simple(onnx_build *b, operand *x, const float *scale, int n, onnx_resize_mode mode)
{
    int axis[MAX_RANK] = {0};
    if (n != x->shape.rank)
        return fail(SEPCL_BAD_FILE, "%d scales for %d axes", n, x->shape.rank);
    for (int i = 0; i < n; i++)
        axis[i] = i;
    for (int up = 0; up < 2; up++) {
        resizing r = {.mode = mode, .a = {.coordinates = RESIZE_ASYMMETRIC, .round = up ? RESIZE_FLOOR : RESIZE_CEIL}};
        float    now[MAX_RANK];
        for (int i = 0; i < n; i++)
            now[i] = mode == ONNX_LINEAR ? (up ? scale[i] : 1) : (scale[i] > 1) == up ? scale[i] : 1;
        unchanged(x, &r);
        TRY(by_scales(x, now, axis, n, &r));
        TRY(add_resize(b, x, &r, &x));
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
    const onnx_resize_mode mode = attr_choice(b, "mode", modes, 0) ? ONNX_LINEAR : ONNX_NEAREST;
    if (onnx_of(b)->m->opset >= 9)
        TRY(read_scales(b, 1, MAX_RANK, scale, &n));
    else
        n = attr_floats(b, "scales", scale, MAX_RANK);
    return add_simple(b, onnx_in(b, 0), scale, n, mode);
}

/* What the node's attributes say about positions and filters. */
static void read_modes(onnx_build *b, resizing *r)
{
    static const char *const modes[] = {"nearest", "linear", "cubic", NULL};
    static const char *const coordinates[] = {
        "half_pixel",           "pytorch_half_pixel",   "align_corners",      "asymmetric",
        "half_pixel_symmetric", "tf_half_pixel_for_nn", "tf_crop_and_resize", NULL};
    static const char *const        rounds[] = {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil", NULL};
    static const resize_coordinates coordinate[] = {
        RESIZE_HALF_PIXEL,           RESIZE_PYTORCH_HALF_PIXEL, RESIZE_ALIGN_CORNERS, RESIZE_ASYMMETRIC,
        RESIZE_HALF_PIXEL_SYMMETRIC, RESIZE_TF_HALF_PIXEL_NN,   RESIZE_HALF_PIXEL};
    static const resize_round round[] = {RESIZE_ROUND_PREFER_FLOOR, RESIZE_ROUND_PREFER_CEIL, RESIZE_FLOOR,
                                         RESIZE_CEIL};
    const int                 way = attr_choice(b, "coordinate_transformation_mode", coordinates, 0);
    r->mode = (onnx_resize_mode)attr_choice(b, "mode", modes, 0);
    r->a.coordinates = coordinate[way];
    r->crops = way == 6;
    r->a.round = round[attr_choice(b, "nearest_mode", rounds, 0)];
    r->cubic = attr_float(b, "cubic_coeff_a", -0.75f);
    r->antialias = attr_int(b, "antialias", 0) != 0;
    r->exclude = attr_int(b, "exclude_outside", 0) != 0;
    r->outside = attr_float(b, "extrapolation_value", 0);
}

/* The part of the input that is resized: all begins, then all ends, of the axes that scales and sizes speak of. */
static status read_region(onnx_build *b, const int *axis, int n, resizing *r)
{
    float region[2 * MAX_RANK];
    int   entries;
    if (!r->crops)
        return SEPCL_OK;
    TRY(read_scales(b, 1, 2 * MAX_RANK, region, &entries));
    if (entries != 2 * n)
        return fail(SEPCL_BAD_FILE, "the region has %d entries for %d axes", entries, n);
    for (int i = 0; i < n; i++) {
        r->begin[axis[i]] = region[i];
        r->end[axis[i]] = region[n + i];
        if (!isfinite(region[i]) || !isfinite(region[n + i]))
            return fail(SEPCL_BAD_FILE, "the region of axis %d is %g to %g", axis[i], (double)region[i],
                        (double)region[n + i]);
    }
    return SEPCL_OK;
}

status onnx_op_resize(onnx_build *b, int arg)
{
    operand *x = onnx_in(b, 0);
    resizing r = {0};
    float    scale[MAX_RANK];
    int64_t  size[MAX_RANK];
    int      axis[MAX_RANK], n_scales, n_sizes;
    (void)arg;
    unchanged(x, &r);
    read_modes(b, &r);
    TRY(read_scales(b, onnx_of(b)->m->opset < 11 ? 1 : 2, MAX_RANK, scale, &n_scales));
    if (onnx_of(b)->m->opset < 11 && r.mode == ONNX_CUBIC)
        return fail(SEPCL_BAD_FILE, "mode 'cubic' begins with opset 11");
    if (onnx_of(b)->m->opset < 11)
        return add_simple(b, x, scale, n_scales, r.mode);
    n_sizes = param_ints(b, 3, size, MAX_RANK);
    if (b->bad != SEPCL_OK)
        return b->bad;
    if ((n_scales > 0) == (n_sizes > 0))
        return fail(SEPCL_BAD_FILE, "either scales or sizes have to be given");
    const int n = n_scales > 0 ? n_scales : n_sizes;
    TRY(read_axes(b, x->shape.rank, n, axis));
    if (n_scales > 0)
        TRY(by_scales(x, scale, axis, n, &r));
    else
        TRY(by_sizes(b, x, size, axis, n, &r));
    TRY(read_region(b, axis, n, &r));
    TRY(add_resize(b, x, &r, &x));
    onnx_out(b, 0, x);
    return SEPCL_OK;
}
