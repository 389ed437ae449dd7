/* SPDX-License-Identifier: Apache-2.0 */
/* Normalisation and scaling. */
#include <math.h>
#include <string.h>

#include "import/keras_build.h"

/* Keras keeps standard deviations of Normalization from being smaller than this. */
#define LEAST_DEVIATION 1e-7

/* A constant of n floats to be filled through *data, as shape s. */
static status new_floats(keras_build *b, const shape *s, operand **out, float **data)
{
    void *p;
    TRY(fold_new(&b->common, DT_F32, s, FOLD_LARGE, out, &p));
    *data = p;
    return SEPCL_OK;
}

/* A weight of n elements, or as many of one value when the layer has none of this role. */
static status vector_or(keras_build *b, const char *role, int64_t n, float value, operand **out)
{
    float *data;
    TRY(keras_weight_of(b, role, out));
    if (*out)
        return keras_vector_of(b, role, n, out);
    TRY(new_floats(b, &(shape){1, {n}}, out, &data));
    for (int64_t i = 0; i < n; i++)
        data[i] = value;
    return SEPCL_OK;
}

/* ---------------------------------------------------------------- scale and shift along any axes */

static double element(const operand *x, int64_t i)
{
    return data_float(x->type, x->data, i);
}

/* x * scale + shift with constants of one shape. */
static status scale_and_shift(keras_build *b, operand *x, operand *scale, operand *shift, operand **out)
{
    TRY(emit_binary(&b->common, BINARY_MUL, x, scale, out));
    return emit_binary(&b->common, BINARY_ADD, *out, shift, out);
}

/* A batch norm along another axis than that of the channels: gamma / sqrt(variance + epsilon), and what follows. */
static status norm_along(keras_build *b, operand *x, int axis, operand *const p[4], double epsilon, operand **out)
{
    shape    s = {.rank = x->shape.rank};
    operand *scale, *shift;
    float   *a, *c;
    for (int i = 0; i < s.rank; i++)
        s.dim[i] = i == axis ? x->shape.dim[axis] : 1;
    TRY(new_floats(b, &s, &scale, &a));
    TRY(new_floats(b, &s, &shift, &c));
    for (int64_t i = 0; i < s.dim[axis]; i++) {
        const double factor = element(p[0], i) / sqrt(element(p[3], i) + epsilon);
        a[i] = (float)factor;
        c[i] = (float)(element(p[1], i) - element(p[2], i) * factor);
    }
    return scale_and_shift(b, x, scale, shift, out);
}

status keras_op_batch_norm(keras_build *b, int arg)
{
    static const char *const roles[] = {"gamma", "beta", "moving_mean", "moving_variance"};
    static const float       defaults[] = {1, 0, 0, 1};
    operand                 *x, *y, *p[4];
    int                      axis;
    (void)arg;
    TRY(keras_in(b, 0, &x));
    TRY(cfg_axis(b, "axis", -1, x->shape.rank, &axis));
    if (cfg_int(b, "mode", 0) == 1 || cfg_bool(b, "renorm", false) || keras_get(b->config, "virtual_batch_size"))
        return fail(SEPCL_UNSUPPORTED,
                    "statistics of the sample, renormalisation and virtual batches are not supported");
    const double epsilon = cfg_number(b, "epsilon", 1e-3);
    for (int i = 0; i < 4; i++)
        TRY(vector_or(b, roles[i], x->shape.dim[axis], defaults[i], &p[i]));
    const int rank = x->shape.rank;
    if (axis == rank - 1)
        b->common.channels_first = false;
    if (rank >= 2 && axis == import_channels_axis(&b->common, rank)) {
        value_id     in[5];
        const layout l = layout_last(&b->common, rank);
        TRY(operand_last(&b->common, x, &in[0]));
        for (int i = 0; i < 4; i++)
            TRY(operand_plain(&b->common, p[i], &in[1 + i]));
        TRY(operand_node(&b->common, OP_BATCH_NORM, &(attrs){.norm.epsilon = (float)epsilon}, in, 5, &l, rank, &y));
    } else {
        TRY(norm_along(b, x, axis, p, epsilon, &y));
    }
    keras_out(b, y);
    return SEPCL_OK;
}

/* The first of the axes that are normalised; they have to be the last ones. */
static status trailing_axes(keras_build *b, int rank, int *first)
{
    int64_t   v[MAX_RANK] = {-1};
    const int n = cfg_ints(b, "axis", v, MAX_RANK);
    uint32_t  bits = 0;
    for (int i = 0; i < (n < 0 ? 1 : n); i++) {
        int axis;
        TRY(import_axis(v[i], rank, &axis));
        bits |= 1u << axis;
    }
    *first = 0;
    while (*first < rank && !(bits >> *first & 1))
        ++*first;
    if (*first == rank || bits >> *first != (1u << (rank - *first)) - 1)
        return fail(SEPCL_UNSUPPORTED, "axes other than the last ones are not supported");
    return SEPCL_OK;
}

status keras_op_layer_norm(keras_build *b, int arg)
{
    operand *x, *y, *p;
    value_id in[3] = {-1, -1, -1};
    int      first, n = 1;
    (void)arg;
    TRY(keras_in(b, 0, &x));
    TRY(trailing_axes(b, x->shape.rank, &first));
    if (cfg_bool(b, "rms_scaling", false))
        return fail(SEPCL_UNSUPPORTED, "rms_scaling is not supported");
    const int64_t length = shape_product(&x->shape, first, x->shape.rank);
    TRY(operand_plain(&b->common, x, &in[0]));
    static const char *const roles[] = {"gamma", "beta"};
    for (int i = 0; i < 2; i++) {
        TRY(keras_weight_of(b, roles[i], &p));
        if (!p)
            continue;
        TRY(keras_vector_of(b, roles[i], length, &p));
        TRY(operand_plain(&b->common, p, &in[1 + i]));
        n = 2 + i;
    }
    const attrs  a = {.norm = {(float)cfg_number(b, "epsilon", 1e-3), first}};
    const layout l = layout_plain(x->shape.rank);
    TRY(operand_node(&b->common, OP_LAYER_NORM, &a, in, n, &l, x->shape.rank, &y));
    keras_out(b, y);
    return SEPCL_OK;
}

/* ---------------------------------------------------------------- preprocessing layers */

/* The numbers of a setting in nested lists, at most max. */
static bool flatten_numbers(const json_t *v, int depth, double *out, int64_t max, int64_t *n)
{
    if (!keras_is(v, JSON_ARRAY)) {
        if (*n == max || !keras_number(v, &out[*n]))
            return false;
        ++*n;
        return true;
    }
    for (size_t i = 0; i < json_array_size(v); i++)
        if (depth > MAX_RANK || !flatten_numbers(json_array_get(v, i), depth + 1, out, max, n))
            return false;
    return true;
}

/* A setting of one number or n numbers as a constant of shape s, which has n elements. */
static status setting_floats(keras_build *b, const char *key, const shape *s, double def, operand **out)
{
    const json_t *v = keras_get(b->config, key);
    const int64_t most = shape_count(s);
    double       *numbers = arena_array(&b->common.memory, (size_t)most, sizeof *numbers);
    int64_t       n = 0;
    float        *data;
    if (!numbers)
        return SEPCL_OUT_OF_MEMORY;
    if (v && (!flatten_numbers(v, 0, numbers, most, &n) || (n != 1 && n != most)))
        return fail(SEPCL_BAD_FILE, "setting '%s' is neither a number nor %lld numbers", key, (long long)most);
    TRY(new_floats(b, s, out, &data));
    for (int64_t i = 0; i < most; i++)
        data[i] = (float)(n ? numbers[n == 1 ? 0 : i] : def);
    return SEPCL_OK;
}

status keras_op_rescaling(keras_build *b, int arg)
{
    operand *x, *y, *scale, *offset;
    (void)arg;
    TRY(keras_in(b, 0, &x));
    if (!keras_is(keras_get(b->config, "scale"), JSON_ARRAY) && !keras_is(keras_get(b->config, "offset"), JSON_ARRAY)) {
        const act f = {ACT_AFFINE, (float)cfg_number(b, "scale", 1), (float)cfg_number(b, "offset", 0)};
        TRY(emit_unary(&b->common, x, f, &y));
    } else {
        const shape s = {1, {x->shape.rank ? x->shape.dim[x->shape.rank - 1] : 1}};
        TRY(setting_floats(b, "scale", &s, 1, &scale));
        TRY(setting_floats(b, "offset", &s, 0, &offset));
        TRY(scale_and_shift(b, x, scale, offset, &y));
    }
    keras_out(b, y);
    return SEPCL_OK;
}

/* Extents of the axes that Normalization keeps apart, 1 elsewhere. */
static status kept_axes(keras_build *b, const shape *x, shape *s)
{
    int64_t v[MAX_RANK] = {-1};
    int     n = cfg_ints(b, "axis", v, MAX_RANK);
    *s = (shape){.rank = x->rank};
    for (int i = 0; i < s->rank; i++)
        s->dim[i] = 1;
    if (n < 0) /* null: one mean of everything */
        n = json_object_get(b->config, "axis") ? 0 : 1;
    for (int i = 0; i < n; i++) {
        int axis;
        TRY(import_axis(v[i], x->rank, &axis));
        s->dim[axis] = x->dim[axis];
    }
    return SEPCL_OK;
}

static status statistic(keras_build *b, const char *key, const shape *s, operand **out)
{
    if (keras_get(b->config, "mean"))
        return setting_floats(b, key, s, 0, out);
    TRY(keras_vector_of(b, key, shape_count(s), out));
    (*out)->shape = *s;
    return SEPCL_OK;
}

status keras_op_normalization(keras_build *b, int arg)
{
    operand *x, *y, *mean, *variance, *scale, *shift;
    shape    s;
    float   *a, *c;
    (void)arg;
    TRY(keras_in(b, 0, &x));
    TRY(kept_axes(b, &x->shape, &s));
    TRY(statistic(b, "mean", &s, &mean));
    TRY(statistic(b, "variance", &s, &variance));
    TRY(new_floats(b, &s, &scale, &a));
    TRY(new_floats(b, &s, &shift, &c));
    const bool invert = cfg_bool(b, "invert", false);
    for (int64_t i = 0; i < shape_count(&s); i++) {
        const double deviation = fmax(sqrt(element(variance, i)), LEAST_DEVIATION);
        a[i] = (float)(invert ? deviation : 1 / deviation);
        c[i] = (float)(invert ? element(mean, i) : -element(mean, i));
    }
    if (invert) {
        TRY(scale_and_shift(b, x, scale, shift, &y));
    } else { /* the mean first, so that large means cost no digits */
        TRY(emit_binary(&b->common, BINARY_ADD, x, shift, &y));
        TRY(emit_binary(&b->common, BINARY_MUL, y, scale, &y));
    }
    keras_out(b, y);
    return SEPCL_OK;
}
