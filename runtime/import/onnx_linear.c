/* SPDX-License-Identifier: Apache-2.0 */
/* Gemm and MatMul. A constant right side makes a dense layer, read in the layout that the file has. */
#include "import/onnx_build.h"

/* ---------------------------------------------------------------- Gemm */

static status swap_axes(onnx_build *b, operand *x, bool swap, operand **out)
{
    static const int perm[2] = {1, 0};
    *out = x;
    return swap ? emit_transpose(b, x, perm, out) : SEPCL_OK;
}

/* beta * c */
static status scaled(onnx_build *b, operand *c, float beta, operand **out)
{
    *out = c;
    return beta == 1 ? SEPCL_OK : emit_unary(b, c, (act){ACT_AFFINE, beta, 0}, out);
}

/* Can the constant c, broadcast to [m, n], be a bias of n numbers? Then *out has them. */
static status as_bias(onnx_build *b, operand *c, int64_t n, operand **out)
{
    const int64_t count = operand_count(c);
    *out = NULL;
    if (!c->is_const || !operand_is_float(c) || c->shape.rank > 2)
        return SEPCL_OK;
    const bool row = c->shape.rank == 0 || c->shape.dim[c->shape.rank - 1] == count;
    if (!row || (count != n && count != 1))
        return SEPCL_OK;
    operand *flat;
    TRY(emit_reshape(b, c, &(shape){1, {count}}, &flat));
    return emit_expand(b, flat, &(shape){1, {n}}, out);
}

status onnx_op_gemm(onnx_build *b, int arg)
{
    operand    *x = onnx_in(b, 0), *w = onnx_in(b, 1), *c = onnx_in(b, 2), *y, *bias = NULL;
    const float alpha = attr_float(b, "alpha", 1), beta = attr_float(b, "beta", 1);
    const bool  trans_a = attr_int(b, "transA", 0) != 0, trans_b = attr_int(b, "transB", 0) != 0;
    (void)arg;
    if (x->shape.rank != 2 || w->shape.rank != 2)
        return fail(SEPCL_BAD_FILE, "the operands have %d and %d dimensions, and should have 2", x->shape.rank,
                    w->shape.rank);
    TRY(swap_axes(b, x, trans_a, &x));
    if (c)
        TRY(scaled(b, c, beta, &c));
    if (w->is_const) {
        const int64_t n = w->shape.dim[trans_b ? 0 : 1], k = w->shape.dim[trans_b ? 1 : 0];
        attr_dense    d = {.in_features = k, .out_features = n};
        d.w = trans_b ? (weight_strides){.o = k, .i = 1} : (weight_strides){.o = 1, .i = n};
        if (c)
            TRY(as_bias(b, c, n, &bias));
        TRY(emit_dense(b, x, w, &d, alpha, bias, &y));
    } else {
        value_id     in[2];
        const layout l = layout_plain(2);
        TRY(swap_axes(b, w, trans_b, &w));
        TRY(operand_plain(b, x, &in[0]));
        TRY(operand_plain(b, w, &in[1]));
        TRY(operand_node(b, OP_MATMUL, NULL, in, 2, &l, 2, &y));
        if (alpha != 1)
            TRY(emit_unary(b, y, (act){ACT_AFFINE, alpha, 0}, &y));
    }
    if (c && !bias) {
        const shape s = y->shape;
        TRY(emit_binary(b, BINARY_ADD, y, c, &y));
        if (!shape_equal(&s, &y->shape))
            return fail(SEPCL_BAD_FILE, "the addend '%s' does not suit the product", onnx_in(b, 2)->name);
    }
    onnx_out(b, 0, y);
    return SEPCL_OK;
}

/* ---------------------------------------------------------------- MatMul */

status onnx_op_matmul(onnx_build *b, int arg)
{
    operand *x = onnx_in(b, 0), *w = onnx_in(b, 1), *y;
    (void)arg;
    if (x->shape.rank < 1 || w->shape.rank < 1)
        return fail(SEPCL_BAD_FILE, "an operand has no dimension");
    TRY(emit_matmul(b, x, w, false, NULL, &y));
    onnx_out(b, 0, y);
    return SEPCL_OK;
}
