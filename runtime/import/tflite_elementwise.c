/* SPDX-License-Identifier: Apache-2.0 */
/* Ops on each element, softmax and reductions. */
#include <math.h>

#include "import/tflite_build.h"

/* ---------------------------------------------------------------- one operand */

static status one(tflite_build *b, act_kind kind, float p, float q)
{
    operand *y;
    TRY(emit_unary(b, tflite_in(b, 0), (act){kind, p, q}, &y));
    return tflite_out(b, 0, y);
}

status tflite_op_unary(tflite_build *b, int kind)
{
    return one(b, (act_kind)kind, 0, 0);
}

status tflite_op_activation(tflite_build *b, int number)
{
    return tflite_out_fused(b, number, tflite_in(b, 0));
}

status tflite_op_relu_0_to_1(tflite_build *b, int arg)
{
    (void)arg;
    return one(b, ACT_CLAMP, 0, 1);
}

status tflite_op_leaky_relu(tflite_build *b, int arg)
{
    enum { ALPHA };
    (void)arg;
    return one(b, ACT_LEAKY, option_float(b, ALPHA, 0), 0);
}

status tflite_op_elu(tflite_build *b, int arg)
{
    (void)arg;
    return one(b, ACT_ELU, 1, 0);
}

status tflite_op_gelu(tflite_build *b, int arg)
{
    enum { APPROXIMATE };
    (void)arg;
    return one(b, option_byte(b, APPROXIMATE, 0) ? ACT_GELU_TANH : ACT_GELU, 0, 0);
}

status tflite_op_hard_swish(tflite_build *b, int arg)
{
    (void)arg;
    return one(b, ACT_HARD_SWISH, 1.0f / 6, 0.5f);
}

status tflite_op_rsqrt(tflite_build *b, int arg)
{
    operand *y;
    (void)arg;
    TRY(emit_unary(b, tflite_in(b, 0), (act){ACT_SQRT, 0, 0}, &y));
    TRY(emit_unary(b, y, (act){ACT_RECIPROCAL, 0, 0}, &y));
    return tflite_out(b, 0, y);
}

status tflite_op_square(tflite_build *b, int arg)
{
    operand *y;
    (void)arg;
    TRY(emit_binary(b, BINARY_MUL, tflite_in(b, 0), tflite_in(b, 0), &y));
    return tflite_out(b, 0, y);
}

/* ---------------------------------------------------------------- two and more */

/* The four with options keep the fused activation in their first field; the others have no table that is read. */
status tflite_op_binary(tflite_build *b, int kind)
{
    operand *y;
    TRY(emit_binary(b, (binary_kind)kind, tflite_in(b, 0), tflite_in(b, 1), &y));
    const bool fuses = kind == BINARY_ADD || kind == BINARY_SUB || kind == BINARY_MUL || kind == BINARY_DIV;
    return tflite_out_fused(b, fuses ? option_byte(b, 0, 0) : TFLITE_ACT_NONE, y);
}

status tflite_op_prelu(tflite_build *b, int arg)
{
    operand *x = tflite_in(b, 0), *slope = tflite_in(b, 1), *y;
    (void)arg;
    TRY(emit_binary(b, BINARY_PRELU, x, slope, &y));
    if (!shape_equal(&y->shape, &x->shape))
        return fail(SEPCL_BAD_FILE, "the slope '%s' does not suit the input", slope->name);
    return tflite_out(b, 0, y);
}

status tflite_op_squared_difference(tflite_build *b, int arg)
{
    operand *d;
    (void)arg;
    TRY(emit_binary(b, BINARY_SUB, tflite_in(b, 0), tflite_in(b, 1), &d));
    TRY(emit_binary(b, BINARY_MUL, d, d, &d));
    return tflite_out(b, 0, d);
}

status tflite_op_add_n(tflite_build *b, int arg)
{
    operand *sum = tflite_in(b, 0);
    (void)arg;
    for (int i = 1; i < tflite_of(b)->o->n_in; i++) {
        if (!tflite_in(b, i))
            return fail(SEPCL_BAD_FILE, "input %d is missing", i);
        TRY(emit_binary(b, BINARY_ADD, sum, tflite_in(b, i), &sum));
    }
    return tflite_out(b, 0, sum);
}

/* x - mod(x, y), over y, where both are integers: their quotient rounded down. */
static status divide_ints(tflite_build *b, operand *x, operand *y, operand **out)
{
    operand *rest;
    if (!x->is_const || !y->is_const)
        return fail(SEPCL_UNSUPPORTED, "integers are supported on constants only");
    TRY(fold_binary(b, BINARY_MOD, x, y, &rest));
    TRY(fold_binary(b, BINARY_SUB, x, rest, &rest));
    return fold_binary(b, BINARY_DIV, rest, y, out);
}

status tflite_op_floor_div(tflite_build *b, int arg)
{
    operand *x = tflite_in(b, 0), *y = tflite_in(b, 1), *q;
    (void)arg;
    if (!operand_is_float(x)) {
        TRY(divide_ints(b, x, y, &q));
        return tflite_out(b, 0, q);
    }
    TRY(emit_binary(b, BINARY_DIV, x, y, &q));
    TRY(emit_unary(b, q, (act){ACT_FLOOR, 0, 0}, &q));
    return tflite_out(b, 0, q);
}

status tflite_op_floor_mod(tflite_build *b, int arg)
{
    operand *rest;
    (void)arg;
    TRY(emit_binary(b, BINARY_MOD, tflite_in(b, 0), tflite_in(b, 1), &rest));
    return tflite_out(b, 0, rest);
}

/* ---------------------------------------------------------------- along axes */

status tflite_op_softmax(tflite_build *b, int log)
{
    enum { BETA };
    operand    *x = tflite_in(b, 0), *y;
    const float beta = log ? 1 : option_float(b, BETA, 0);
    if (x->shape.rank == 0)
        return fail(SEPCL_BAD_FILE, "the input is a scalar");
    if (beta != 1)
        TRY(emit_unary(b, x, (act){ACT_AFFINE, beta, 0}, &x));
    TRY(emit_softmax(b, x, x->shape.rank - 1, log != 0, &y));
    return tflite_out(b, 0, y);
}

status tflite_op_l2_normalization(tflite_build *b, int arg)
{
    enum { ACTIVATION };
    operand *x = tflite_in(b, 0), *norm, *y;
    (void)arg;
    if (x->shape.rank == 0)
        return fail(SEPCL_BAD_FILE, "the input is a scalar");
    TRY(emit_reduce(b, REDUCE_L2, x, 1u << (x->shape.rank - 1), true, &norm));
    TRY(emit_unary(b, norm, (act){ACT_CLAMP, 1e-3f, INFINITY}, &norm)); /* of the sum of squares: 1e-6 */
    TRY(emit_binary(b, BINARY_DIV, x, norm, &y));
    return tflite_out_fused(b, option_byte(b, ACTIVATION, 0), y);
}

status tflite_op_reduce(tflite_build *b, int kind)
{
    enum { KEEP_DIMENSIONS };
    operand  *x = tflite_in(b, 0), *y;
    int64_t   axes[MAX_RANK];
    uint32_t  bits = 0;
    const int n = param_ints_at(b, 1, axes, MAX_RANK);
    if (b->bad != SEPCL_OK)
        return b->bad;
    for (int i = 0; i < n; i++) {
        int axis;
        TRY(import_axis(axes[i], x->shape.rank, &axis));
        bits |= 1u << axis;
    }
    if (bits == 0)
        return tflite_out(b, 0, x);
    TRY(emit_reduce(b, (reduce_kind)kind, x, bits, option_byte(b, KEEP_DIMENSIONS, 0) != 0, &y));
    return tflite_out(b, 0, y);
}
