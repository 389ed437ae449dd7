/* SPDX-License-Identifier: Apache-2.0 */
/* Normalisation by channel, and softmax. */
#include "import/onnx_build.h"

/* A constant with one element a channel. */
static status channel_constant(onnx_build *b, int input, int64_t channels, value_id *out)
{
    operand *c = onnx_in(b, input);
    if (!c->is_const)
        return fail(SEPCL_UNSUPPORTED, "input '%s' has to be a constant", c->name);
    if (operand_count(c) != channels)
        return fail(SEPCL_BAD_FILE, "input '%s' has %lld elements for %lld channels", c->name,
                    (long long)operand_count(c), (long long)channels);
    return operand_plain(b, c, out);
}

static status need_channels(const operand *x, int rank)
{
    char text[SHAPE_TEXT];
    if (x->shape.rank >= rank)
        return SEPCL_OK;
    return fail(SEPCL_BAD_FILE, "the input '%s' of shape %s needs %d dimensions at least", x->name,
                shape_text(&x->shape, text), rank);
}

status onnx_op_batch_norm(onnx_build *b, int arg)
{
    operand *x = onnx_in(b, 0), *y;
    value_id in[5];
    (void)arg;
    TRY(need_channels(x, 2));
    if (attr_int(b, "training_mode", 0))
        return fail(SEPCL_UNSUPPORTED, "training_mode is not supported");
    if (onnx_of(b)->m->opset < 9 && !attr_int(b, "spatial", 1))
        return fail(SEPCL_UNSUPPORTED, "statistics for each position (spatial=0) are not supported");
    TRY(operand_last(b, x, &in[0]));
    for (int i = 1; i < 5; i++)
        TRY(channel_constant(b, i, x->shape.dim[1], &in[i]));
    const attrs  a = {.norm.epsilon = attr_float(b, "epsilon", 1e-5f)};
    const layout l = layout_last(b, x->shape.rank);
    TRY(operand_node(b, OP_BATCH_NORM, &a, in, 5, &l, x->shape.rank, &y));
    onnx_out(b, 0, y);
    return SEPCL_OK;
}

/* x * scale[c] + bias[c] along axis 1; parameters that change nothing are left out. */
static status scale_channels(onnx_build *b, operand *x, operand *scale, operand *bias, operand **out)
{
    shape s = {.rank = x->shape.rank - 1, .dim = {x->shape.dim[1]}};
    bool  scales = false, shifts = false;
    for (int i = 1; i < s.rank; i++)
        s.dim[i] = 1;
    for (int64_t i = 0; i < s.dim[0]; i++) {
        scales |= data_float(scale->type, scale->data, i) != 1;
        shifts |= data_float(bias->type, bias->data, i) != 0;
    }
    if (scales) {
        TRY(emit_reshape(b, scale, &s, &scale));
        TRY(emit_binary(b, BINARY_MUL, x, scale, &x));
    }
    if (shifts) {
        TRY(emit_reshape(b, bias, &s, &bias));
        TRY(emit_binary(b, BINARY_ADD, x, bias, &x));
    }
    *out = x;
    return SEPCL_OK;
}

/* Each row of [N, groups, the rest] to mean 0 and variance 1, in the file's order. */
static status normalise_rows(onnx_build *b, operand *x, int64_t groups, float epsilon, operand **out)
{
    const shape  whole = x->shape, rows = {3, {whole.dim[0], groups, shape_product(&whole, 1, whole.rank) / groups}};
    const layout l = layout_plain(3);
    operand     *y;
    value_id     in;
    TRY(emit_reshape(b, x, &rows, &x));
    TRY(operand_plain(b, x, &in));
    TRY(operand_node(b, OP_LAYER_NORM, &(attrs){.norm = {epsilon, 2}}, &in, 1, &l, 3, &y));
    return emit_reshape(b, y, &whole, out);
}

static status constant_floats(onnx_build *b, int input, int64_t n)
{
    value_id unused;
    operand *c = onnx_in(b, input);
    if (c->is_const && !operand_is_float(c))
        return fail(SEPCL_BAD_FILE, "input '%s' is of type %s", c->name, dtype_name(c->type));
    return channel_constant(b, input, n, &unused);
}

status onnx_op_instance_norm(onnx_build *b, int arg)
{
    operand    *x = onnx_in(b, 0), *y;
    const float epsilon = attr_float(b, "epsilon", 1e-5f);
    (void)arg;
    TRY(need_channels(x, 3));
    if (x->shape.rank == 3 && !operand_is_last(b, x)) {
        /* usually a group norm written as reshape, instance norm, reshape: no reason to move the axes */
        TRY(constant_floats(b, 1, x->shape.dim[1]));
        TRY(constant_floats(b, 2, x->shape.dim[1]));
        TRY(normalise_rows(b, x, x->shape.dim[1], epsilon, &y));
        TRY(scale_channels(b, y, onnx_in(b, 1), onnx_in(b, 2), &y));
    } else {
        value_id     in[3];
        const layout l = layout_last(b, x->shape.rank);
        TRY(operand_last(b, x, &in[0]));
        TRY(channel_constant(b, 1, x->shape.dim[1], &in[1]));
        TRY(channel_constant(b, 2, x->shape.dim[1], &in[2]));
        TRY(operand_node(b, OP_INSTANCE_NORM, &(attrs){.norm.epsilon = epsilon}, in, 3, &l, x->shape.rank, &y));
    }
    onnx_out(b, 0, y);
    return SEPCL_OK;
}

/* One parameter a group, as opset 18 has it, repeated for each channel. */
static status by_channel(onnx_build *b, operand *p, int64_t groups, int64_t channels, operand **out)
{
    const shape column = {2, {groups, 1}}, table = {2, {groups, channels / groups}}, flat = {1, {channels}};
    *out = p;
    if (operand_count(p) == channels)
        return SEPCL_OK;
    TRY(emit_reshape(b, p, &column, out));
    TRY(emit_expand(b, *out, &table, out));
    return emit_reshape(b, *out, &flat, out);
}

status onnx_op_group_norm(onnx_build *b, int arg)
{
    operand      *x = onnx_in(b, 0), *y, *scale, *bias;
    const int64_t groups = attr_int(b, "num_groups", 0), channels = x->shape.rank > 1 ? x->shape.dim[1] : 0;
    (void)arg;
    TRY(need_channels(x, 3));
    if (groups < 1 || channels % groups)
        return fail(SEPCL_BAD_FILE, "%lld groups do not divide %lld channels", (long long)groups, (long long)channels);
    const int64_t parameters = onnx_of(b)->m->opset < 21 ? groups : channels;
    TRY(constant_floats(b, 1, parameters));
    TRY(constant_floats(b, 2, parameters));
    TRY(by_channel(b, onnx_in(b, 1), groups, channels, &scale));
    TRY(by_channel(b, onnx_in(b, 2), groups, channels, &bias));
    TRY(normalise_rows(b, x, groups, attr_float(b, "epsilon", 1e-5f), &y));
    TRY(scale_channels(b, y, scale, bias, &y));
    onnx_out(b, 0, y);
    return SEPCL_OK;
}

status onnx_op_lrn(onnx_build *b, int arg)
{
    operand      *x = onnx_in(b, 0), *y;
    const int64_t size = attr_int(b, "size", 0);
    value_id      in;
    (void)arg;
    TRY(need_channels(x, 2));
    if (size < 1 || size > INT32_MAX / 4)
        return fail(SEPCL_BAD_FILE, "attribute 'size' is %lld", (long long)size);
    const attrs  a = {.lrn = {.size = (int)size,
                              .alpha = attr_float(b, "alpha", 1e-4f),
                              .beta = attr_float(b, "beta", 0.75f),
                              .bias = attr_float(b, "bias", 1)}};
    const layout l = layout_last(b, x->shape.rank);
    TRY(operand_last(b, x, &in));
    TRY(operand_node(b, OP_LRN, &a, &in, 1, &l, x->shape.rank, &y));
    onnx_out(b, 0, y);
    return SEPCL_OK;
}

/* ---------------------------------------------------------------- softmax */

/* Below opset 13 softmax is over all axes from this one on, together. *axis becomes the one that matters, if one does.
 */
static bool one_axis(const shape *s, int *axis)
{
    int wide = 0, which = s->rank - 1;
    for (int i = *axis; i < s->rank; i++)
        if (s->dim[i] != 1) {
            wide++;
            which = i;
        }
    if (wide <= 1)
        *axis = which;
    return wide <= 1;
}

status onnx_op_softmax(onnx_build *b, int log)
{
    operand   *x = onnx_in(b, 0), *y;
    const bool flattens = onnx_of(b)->m->opset < 13;
    int        axis;
    if (x->shape.rank == 0)
        return fail(SEPCL_BAD_FILE, "the input is a scalar");
    const int64_t given = attr_int(b, "axis", flattens ? 1 : -1);
    if (flattens && given == x->shape.rank)
        axis = x->shape.rank - 1; /* a default of 1 on a vector */
    else
        TRY(import_axis(given, x->shape.rank, &axis));
    if (!flattens || one_axis(&x->shape, &axis)) {
        TRY(emit_softmax(b, x, axis, log != 0, &y));
    } else {
        const shape whole = x->shape;
        const shape flat = {2, {shape_product(&whole, 0, axis), shape_product(&whole, axis, whole.rank)}};
        TRY(emit_reshape(b, x, &flat, &y));
        TRY(emit_softmax(b, y, 1, log != 0, &y));
        TRY(emit_reshape(b, y, &whole, &y));
    }
    onnx_out(b, 0, y);
    return SEPCL_OK;
}
