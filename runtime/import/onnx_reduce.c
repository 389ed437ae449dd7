/* SPDX-License-Identifier: Apache-2.0 */
/* Reductions, and normalisations by what they give. */
#include <math.h>

#include "import/onnx_build.h"

static bool output_needed(const onnx_build *b, int i)
{
    return i < onnx_of(b)->n->n_out && onnx_of(b)->n->out[i] >= 0 && onnx_of(b)->m->names[onnx_of(b)->n->out[i]].needed;
}

static status mean_square(onnx_build *b, operand *x, uint32_t axes, operand **out)
{
    TRY(emit_binary(b, BINARY_MUL, x, x, &x));
    return emit_reduce(b, REDUCE_MEAN, x, axes, true, out);
}

/* A constant scalar. */
static status number(onnx_build *b, float v, operand **out)
{
    void *to;
    TRY(fold_new(b, DT_F32, &(shape){0}, 1, out, &to));
    *(float *)to = v;
    return SEPCL_OK;
}

/* ---------------------------------------------------------------- reductions */

/* The axes to reduce, an attribute up to an opset and an input from then on; none given and noop_with_empty_axes: 0. */
static status read_axes(onnx_build *b, int since, int rank, uint32_t *bits)
{
    int64_t   axes[MAX_RANK];
    const int n = ints_of(b, "axes", 1, since, axes, MAX_RANK);
    *bits = 0;
    if (b->bad != SEPCL_OK)
        return b->bad;
    for (int i = 0; i < n; i++) {
        int axis;
        TRY(import_axis(axes[i], rank, &axis));
        *bits |= 1u << axis;
    }
    if (n <= 0 && !attr_int(b, "noop_with_empty_axes", 0))
        *bits = (1u << rank) - 1;
    return SEPCL_OK;
}

status onnx_op_reduce(onnx_build *b, int kind)
{
    operand *x = onnx_in(b, 0), *y;
    uint32_t bits;
    TRY(read_axes(b, kind == REDUCE_SUM ? 13 : 18, x->shape.rank, &bits));
    if (bits == 0 && x->shape.rank > 0) {
        onnx_out(b, 0, x);
        return SEPCL_OK;
    }
    TRY(emit_reduce(b, (reduce_kind)kind, x, bits, attr_int(b, "keepdims", 1) != 0, &y));
    onnx_out(b, 0, y);
    return SEPCL_OK;
}

/* Without the axes of extent 1 that bits names, unless they are kept. */
static status drop_axes(onnx_build *b, operand *x, uint32_t bits, operand **out)
{
    shape s = {.rank = 0};
    *out = x;
    if (attr_int(b, "keepdims", 1))
        return SEPCL_OK;
    for (int i = 0; i < x->shape.rank; i++)
        if (!(bits >> i & 1))
            s.dim[s.rank++] = x->shape.dim[i];
    return emit_reshape(b, x, &s, out);
}

status onnx_op_reduce_log_sum(onnx_build *b, int arg)
{
    operand *x = onnx_in(b, 0), *y;
    uint32_t bits;
    (void)arg;
    TRY(read_axes(b, 18, x->shape.rank, &bits));
    y = x;
    if (bits || x->shape.rank == 0)
        TRY(emit_reduce(b, REDUCE_SUM, x, bits, attr_int(b, "keepdims", 1) != 0, &y));
    TRY(emit_unary(b, y, (act){ACT_LOG, 0, 0}, &y));
    onnx_out(b, 0, y);
    return SEPCL_OK;
}

/* The largest element is taken out of the sum, so that no power overflows; an infinite one stays in. */
status onnx_op_reduce_log_sum_exp(onnx_build *b, int arg)
{
    operand *x = onnx_in(b, 0), *most, *size, *zero, *infinity, *test, *y;
    uint32_t bits;
    (void)arg;
    TRY(read_axes(b, 18, x->shape.rank, &bits));
    if (bits == 0 && x->shape.rank > 0) {
        onnx_out(b, 0, x); /* the logarithm of a power */
        return SEPCL_OK;
    }
    TRY(number(b, 0, &zero));
    TRY(number(b, INFINITY, &infinity));
    TRY(emit_reduce(b, REDUCE_MAX, x, bits, true, &most));
    TRY(emit_unary(b, most, (act){ACT_ABS, 0, 0}, &size));
    TRY(emit_binary(b, BINARY_EQUAL, size, infinity, &test));
    test->type = DT_BOOL;
    if (most->is_const)
        TRY(fold_where(b, test, zero, most, &most));
    else
        TRY(emit_where(b, test, zero, most, &most));
    TRY(emit_binary(b, BINARY_SUB, x, most, &y));
    TRY(emit_unary(b, y, (act){ACT_EXP, 0, 0}, &y));
    TRY(emit_reduce(b, REDUCE_SUM, y, bits, true, &y));
    TRY(emit_unary(b, y, (act){ACT_LOG, 0, 0}, &y));
    TRY(emit_binary(b, BINARY_ADD, y, most, &y));
    TRY(drop_axes(b, y, bits, &y));
    onnx_out(b, 0, y);
    return SEPCL_OK;
}

/* ---------------------------------------------------------------- normalisations */

/* LayerNorm's other outputs: each row's mean, and 1 over its standard deviation. */
static status row_statistics(onnx_build *b, operand *x, int axis, float epsilon)
{
    const uint32_t axes = ((1u << x->shape.rank) - 1) & ~((1u << axis) - 1);
    operand       *mean, *spread;
    if (!output_needed(b, 1) && !output_needed(b, 2))
        return SEPCL_OK;
    TRY(emit_reduce(b, REDUCE_MEAN, x, axes, true, &mean));
    onnx_out(b, 1, mean);
    TRY(emit_binary(b, BINARY_SUB, x, mean, &x));
    TRY(mean_square(b, x, axes, &spread));
    TRY(emit_unary(b, spread, (act){ACT_AFFINE, 1, epsilon}, &spread));
    TRY(emit_unary(b, spread, (act){ACT_SQRT, 0, 0}, &spread));
    TRY(emit_unary(b, spread, (act){ACT_RECIPROCAL, 0, 0}, &spread));
    onnx_out(b, 2, spread);
    return SEPCL_OK;
}

status onnx_op_layer_norm(onnx_build *b, int arg)
{
    operand     *x = onnx_in(b, 0), *y;
    value_id     in[3] = {-1, -1, -1};
    int          axis, n = 1;
    const layout l = layout_plain(x->shape.rank);
    (void)arg;
    TRY(import_axis(attr_int(b, "axis", -1), x->shape.rank, &axis));
    TRY(operand_plain(b, x, &in[0]));
    const int64_t length = shape_product(&x->shape, axis, x->shape.rank);
    bool          inside = true; /* scale and bias have the shape that the graph's op takes */
    for (int i = 1; i < 3; i++)
        inside &= !onnx_in(b, i) || operand_count(onnx_in(b, i)) == length;
    for (int i = 1; inside && i < 3; i++)
        if (onnx_in(b, i)) {
            TRY(operand_plain(b, onnx_in(b, i), &in[i]));
            n = i + 1;
        }
    TRY(operand_node(b, OP_LAYER_NORM, &(attrs){.norm = {attr_float(b, "epsilon", 1e-5f), axis}}, in, n, &l,
                     x->shape.rank, &y));
    if (!inside) {
        TRY(emit_binary(b, BINARY_MUL, y, onnx_in(b, 1), &y));
        if (onnx_in(b, 2))
            TRY(emit_binary(b, BINARY_ADD, y, onnx_in(b, 2), &y));
        if (!shape_equal(&y->shape, &x->shape))
            return fail(SEPCL_BAD_FILE, "scale or bias do not suit the input");
    }
    onnx_out(b, 0, y);
    return row_statistics(b, x, axis, attr_float(b, "epsilon", 1e-5f));
}

/* x over the root of its rows' mean square, times the scale. */
status onnx_op_rms_norm(onnx_build *b, int arg)
{
    operand *x = onnx_in(b, 0), *size, *y;
    int      axis;
    (void)arg;
    TRY(import_axis(attr_int(b, "axis", -1), x->shape.rank, &axis));
    TRY(mean_square(b, x, ((1u << x->shape.rank) - 1) & ~((1u << axis) - 1), &size));
    TRY(emit_unary(b, size, (act){ACT_AFFINE, 1, attr_float(b, "epsilon", 1e-5f)}, &size));
    TRY(emit_unary(b, size, (act){ACT_SQRT, 0, 0}, &size));
    TRY(emit_binary(b, BINARY_DIV, x, size, &y));
    TRY(emit_binary(b, BINARY_MUL, y, onnx_in(b, 1), &y));
    if (!shape_equal(&y->shape, &x->shape))
        return fail(SEPCL_BAD_FILE, "the scale does not suit the input");
    onnx_out(b, 0, y);
    return SEPCL_OK;
}

/* A row without length stays as it is. */
status onnx_op_lp_norm(onnx_build *b, int arg)
{
    operand      *x = onnx_in(b, 0), *size, *zero, *test, *y;
    const int64_t p = attr_int(b, "p", 2);
    int           axis;
    (void)arg;
    if (p != 1 && p != 2)
        return fail(SEPCL_BAD_FILE, "p is %lld; 1 and 2 are known", (long long)p);
    if (x->is_const)
        return fail(SEPCL_UNSUPPORTED, "the input is a constant");
    TRY(import_axis(attr_int(b, "axis", -1), x->shape.rank, &axis));
    TRY(number(b, 0, &zero));
    TRY(emit_reduce(b, p == 1 ? REDUCE_L1 : REDUCE_L2, x, 1u << axis, true, &size));
    TRY(emit_binary(b, BINARY_EQUAL, size, zero, &test));
    test->type = DT_BOOL;
    TRY(emit_binary(b, BINARY_DIV, x, size, &y));
    TRY(emit_where(b, test, zero, y, &y));
    onnx_out(b, 0, y);
    return SEPCL_OK;
}

status onnx_op_mean_variance_norm(onnx_build *b, int arg)
{
    operand  *x = onnx_in(b, 0), *mean, *spread, *y;
    int64_t   axes[MAX_RANK] = {0, 2, 3};
    const int n = attr_ints(b, "axes", axes, MAX_RANK);
    uint32_t  bits = 0;
    (void)arg;
    for (int i = 0; i < (n < 0 ? 3 : n); i++) {
        int axis;
        TRY(import_axis(axes[i], x->shape.rank, &axis));
        bits |= 1u << axis;
    }
    TRY(emit_reduce(b, REDUCE_MEAN, x, bits, true, &mean));
    TRY(emit_binary(b, BINARY_SUB, x, mean, &y));
    TRY(mean_square(b, y, bits, &spread));
    TRY(emit_unary(b, spread, (act){ACT_SQRT, 0, 0}, &spread));
    TRY(emit_unary(b, spread, (act){ACT_AFFINE, 1, 1e-9f}, &spread));
    TRY(emit_binary(b, BINARY_DIV, y, spread, &y));
    onnx_out(b, 0, y);
    return SEPCL_OK;
}
