/* SPDX-License-Identifier: Apache-2.0 */
/* Ops on each element: functions of one, two or more operands. */
#include <math.h>

#include "import/onnx_build.h"

/* ---------------------------------------------------------------- one operand */

static status one(onnx_build *b, act_kind kind, float p, float q)
{
    operand *y;
    TRY(emit_unary(b, onnx_in(b, 0), (act){kind, p, q}, &y));
    onnx_out(b, 0, y);
    return SEPCL_OK;
}

status onnx_op_unary(onnx_build *b, int kind)
{
    return one(b, (act_kind)kind, 0, 0);
}

status onnx_op_relu(onnx_build *b, int arg)
{
    (void)arg;
    return one(b, ACT_CLAMP, 0, INFINITY);
}

status onnx_op_leaky_relu(onnx_build *b, int arg)
{
    (void)arg;
    return one(b, ACT_LEAKY, attr_float(b, "alpha", 0.01f), 0);
}

status onnx_op_hard_sigmoid(onnx_build *b, int arg)
{
    (void)arg;
    return one(b, ACT_HARD_SIGMOID, attr_float(b, "alpha", 0.2f), attr_float(b, "beta", 0.5f));
}

status onnx_op_hard_swish(onnx_build *b, int arg)
{
    (void)arg;
    return one(b, ACT_HARD_SWISH, 1.0f / 6, 0.5f);
}

status onnx_op_elu(onnx_build *b, int arg)
{
    (void)arg;
    return one(b, ACT_ELU, attr_float(b, "alpha", 1), 0);
}

status onnx_op_selu(onnx_build *b, int arg)
{
    (void)arg;
    return one(b, ACT_SELU, attr_float(b, "alpha", 1.67326319217681884765625f),
               attr_float(b, "gamma", 1.05070102214813232421875f));
}

status onnx_op_celu(onnx_build *b, int arg)
{
    (void)arg;
    return one(b, ACT_CELU, attr_float(b, "alpha", 1), 0);
}

status onnx_op_gelu(onnx_build *b, int arg)
{
    static const char *const forms[] = {"none", "tanh", NULL};
    (void)arg;
    return one(b, attr_choice(b, "approximate", forms, 0) ? ACT_GELU_TANH : ACT_GELU, 0, 0);
}

status onnx_op_swish(onnx_build *b, int arg)
{
    (void)arg;
    return one(b, ACT_SWISH, attr_float(b, "alpha", 1), 0);
}

status onnx_op_thresholded_relu(onnx_build *b, int arg)
{
    (void)arg;
    return one(b, ACT_THRESHOLD, attr_float(b, "alpha", 1), 0);
}

status onnx_op_shrink(onnx_build *b, int arg)
{
    (void)arg;
    return one(b, ACT_SHRINK, attr_float(b, "lambd", 0.5f), attr_float(b, "bias", 0));
}

/* ---------------------------------------------------------------- Clip */

/* Bounds that are not known yet, or integers. */
static status clip_by_operands(onnx_build *b, operand *x, operand *low, operand *high)
{
    if (low)
        TRY(emit_binary(b, BINARY_MAX, x, low, &x));
    if (high)
        TRY(emit_binary(b, BINARY_MIN, x, high, &x));
    onnx_out(b, 0, x);
    return SEPCL_OK;
}

status onnx_op_clip(onnx_build *b, int arg)
{
    float    low = -INFINITY, high = INFINITY;
    operand *x = onnx_in(b, 0);
    (void)arg;
    if (onnx_of(b)->m->opset < 11) {
        low = attr_float(b, "min", -INFINITY);
        high = attr_float(b, "max", INFINITY);
    } else {
        operand *l = onnx_in(b, 1), *h = onnx_in(b, 2);
        if (!operand_is_float(x) || (l && !l->is_const) || (h && !h->is_const))
            return clip_by_operands(b, x, l, h);
        low = param_float(b, 1, low);
        high = param_float(b, 2, high);
    }
    /* the upper bound is applied last, so it wins when the bounds cross */
    return one(b, ACT_CLAMP, low > high ? high : low, high);
}

/* ---------------------------------------------------------------- two and more operands */

status onnx_op_binary(onnx_build *b, int kind)
{
    operand *x = onnx_in(b, 0), *y = onnx_in(b, 1), *out;
    if (kind == BINARY_POW && y->is_const && operand_is_float(x) && !operand_is_float(y))
        TRY(fold_cast(b, y, DT_F32, &y)); /* exponents may be integers */
    TRY(emit_binary(b, (binary_kind)kind, x, y, &out));
    if (kind == BINARY_PRELU && !shape_equal(&out->shape, &x->shape))
        return fail(SEPCL_BAD_FILE, "the slope '%s' does not suit the input", y->name);
    onnx_out(b, 0, out);
    return SEPCL_OK;
}

static status fold_left(onnx_build *b, binary_kind kind, operand **out)
{
    operand *sum = onnx_in(b, 0);
    for (int i = 1; i < onnx_of(b)->n->n_in; i++) {
        if (!onnx_in(b, i))
            return fail(SEPCL_BAD_FILE, "input %d is missing", i);
        TRY(emit_binary(b, kind, sum, onnx_in(b, i), &sum));
    }
    *out = sum;
    return SEPCL_OK;
}

status onnx_op_variadic(onnx_build *b, int kind)
{
    operand *out;
    TRY(fold_left(b, (binary_kind)kind, &out));
    onnx_out(b, 0, out);
    return SEPCL_OK;
}

status onnx_op_mean(onnx_build *b, int arg)
{
    operand *out;
    (void)arg;
    TRY(fold_left(b, BINARY_ADD, &out));
    if (onnx_of(b)->n->n_in > 1)
        TRY(emit_unary(b, out, (act){ACT_AFFINE, 1.0f / (float)onnx_of(b)->n->n_in, 0}, &out));
    onnx_out(b, 0, out);
    return SEPCL_OK;
}
