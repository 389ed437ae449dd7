/* SPDX-License-Identifier: Apache-2.0 */
/* Comparisons, logic and choices. A truth value that depends on the model's inputs is a float of 0 or 1 in the graph;
   its operand says DT_BOOL, so that only ops for which that means the same take it. */
#include <math.h>

#include "import/onnx_build.h"

static void give_truth(onnx_build *b, operand *x)
{
    x->type = DT_BOOL;
    onnx_out(b, 0, x);
}

/* x == y, and whatever else is told by it and the two orders. Both are numbers. */
static status compare(onnx_build *b, int kind, operand *x, operand *y, operand **out)
{
    switch (kind) {
    case FOLD_GREATER:
        return emit_binary(b, BINARY_LESS, y, x, out);
    case FOLD_GREATER_EQUAL:
        return emit_binary(b, BINARY_LESS_EQUAL, y, x, out);
    case FOLD_AND:
        return emit_binary(b, BINARY_MIN, x, y, out);
    case FOLD_OR:
        return emit_binary(b, BINARY_MAX, x, y, out);
    case FOLD_XOR:
        TRY(emit_binary(b, BINARY_EQUAL, x, y, &x));
        return emit_not(b, x, out);
    default:
        return emit_binary(b, (binary_kind)kind, x, y, out);
    }
}

status onnx_op_compare(onnx_build *b, int kind)
{
    operand   *x = onnx_in(b, 0), *y = onnx_in(b, 1), *out;
    const bool logic = kind >= FOLD_AND;
    if (x->is_const && y->is_const) {
        TRY(fold_binary(b, kind, x, y, &out));
        onnx_out(b, 0, out);
        return SEPCL_OK;
    }
    if ((x->type == DT_BOOL) != (y->type == DT_BOOL) || (logic && x->type != DT_BOOL) ||
        (x->type == DT_BOOL && !logic && kind != BINARY_EQUAL))
        return fail(SEPCL_BAD_FILE, "the operands are of types %s and %s", dtype_name(x->type), dtype_name(y->type));
    if (x->type == DT_BOOL) {
        TRY(emit_number(b, x, &x));
        TRY(emit_number(b, y, &y));
    }
    TRY(compare(b, kind, x, y, &out));
    give_truth(b, out);
    return SEPCL_OK;
}

status onnx_op_not(onnx_build *b, int arg)
{
    operand *x = onnx_in(b, 0), *out;
    (void)arg;
    if (x->is_const) {
        TRY(fold_not(b, x, &out));
        onnx_out(b, 0, out);
        return SEPCL_OK;
    }
    if (x->type != DT_BOOL)
        return fail(SEPCL_BAD_FILE, "the operand is of type %s", dtype_name(x->type));
    TRY(emit_not(b, x, &out));
    give_truth(b, out);
    return SEPCL_OK;
}

status onnx_op_is_nan(onnx_build *b, int arg)
{
    operand *x = onnx_in(b, 0), *out;
    (void)arg;
    TRY(emit_binary(b, BINARY_EQUAL, x, x, &out)); /* only NaN differs from itself */
    TRY(emit_not(b, out, &out));
    give_truth(b, out);
    return SEPCL_OK;
}

status onnx_op_is_inf(onnx_build *b, int arg)
{
    operand   *x = onnx_in(b, 0), *infinity, *out;
    const bool above = attr_int(b, "detect_positive", 1) != 0, below = attr_int(b, "detect_negative", 1) != 0;
    void      *to;
    (void)arg;
    TRY(fold_new(b, DT_F32, &(shape){0}, 1, &infinity, &to));
    *(float *)to = above || !below ? INFINITY : -INFINITY;
    if (above && below)
        TRY(emit_unary(b, x, (act){ACT_ABS, 0, 0}, &x));
    if (above || below)
        TRY(emit_binary(b, BINARY_EQUAL, x, infinity, &out));
    else
        TRY(emit_binary(b, BINARY_LESS, x, x, &out)); /* nothing is */
    give_truth(b, out);
    return SEPCL_OK;
}

status onnx_op_mod(onnx_build *b, int arg)
{
    const int kind = attr_int(b, "fmod", 0) ? BINARY_FMOD : BINARY_MOD;
    (void)arg;
    return onnx_op_binary(b, kind);
}

/* Which of two constants or graph values, of floats or of truth values. */
status onnx_op_where(onnx_build *b, int arg)
{
    operand *test = onnx_in(b, 0), *x = onnx_in(b, 1), *y = onnx_in(b, 2), *out;
    (void)arg;
    if (test->is_const && x->is_const && y->is_const) {
        TRY(fold_where(b, test, x, y, &out));
        onnx_out(b, 0, out);
        return SEPCL_OK;
    }
    const bool truth = x->type == DT_BOOL;
    if (test->type != DT_BOOL || truth != (y->type == DT_BOOL))
        return fail(SEPCL_BAD_FILE, "the operands are of types %s, %s and %s", dtype_name(test->type),
                    dtype_name(x->type), dtype_name(y->type));
    if (truth) {
        TRY(emit_number(b, x, &x));
        TRY(emit_number(b, y, &y));
    }
    TRY(emit_where(b, test, x, y, &out));
    if (truth)
        out->type = DT_BOOL;
    onnx_out(b, 0, out);
    return SEPCL_OK;
}

/* ---------------------------------------------------------------- casts */

static bool is_float_type(dtype type)
{
    return type == DT_F32 || type == DT_F16;
}

/* Whether each element is not zero; NaN is not. */
static status as_truth(onnx_build *b, operand *x, operand **out)
{
    operand *zero;
    void    *to;
    TRY(fold_new(b, DT_F32, &(shape){0}, 1, &zero, &to));
    TRY(emit_binary(b, BINARY_EQUAL, x, zero, out));
    TRY(emit_not(b, *out, out));
    (*out)->type = DT_BOOL;
    return SEPCL_OK;
}

static status cast_to(onnx_build *b, dtype type)
{
    operand   *x = onnx_in(b, 0), *y = x;
    const bool to_float = is_float_type(type);
    if (!x->is_const && !to_float && type != DT_BOOL)
        return fail(SEPCL_UNSUPPORTED, "a cast of '%s' to %s is supported on constants only", x->name,
                    dtype_name(type));
    if (operand_is_truth(x) && to_float)
        TRY(emit_number(b, x, &y));
    else if (!x->is_const && type == DT_BOOL && x->type != DT_BOOL)
        TRY(as_truth(b, x, &y));
    else if (!(operand_is_float(x) && to_float) && x->type != type)
        TRY(fold_cast(b, x, type, &y));
    onnx_out(b, 0, y);
    return SEPCL_OK;
}

status onnx_op_cast(onnx_build *b, int arg)
{
    const int64_t to = attr_int(b, "to", 0);
    (void)arg;
    if (onnx_dtype(to) == DT_NONE)
        return fail(SEPCL_UNSUPPORTED, "a cast to type %s is not supported", onnx_type_name(to));
    return cast_to(b, onnx_dtype(to));
}

status onnx_op_cast_like(onnx_build *b, int arg)
{
    (void)arg;
    return cast_to(b, onnx_in(b, 1)->type);
}
