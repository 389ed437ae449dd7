/* SPDX-License-Identifier: Apache-2.0 */
/* Windows sliding over height and width: automatic padding, convolutions, pools. */
#include "base/size.h"
#include "import/build.h"

int import_channels_axis(const import_build *b, int rank)
{
    return b->channels_first ? 1 : rank - 1;
}

int64_t import_extent(const import_build *b, const operand *x, int axis)
{
    const int spatial = x->shape.rank - 2, first = b->channels_first ? 2 : 1;
    return axis < 2 - spatial ? 1 : x->shape.dim[first + axis - (2 - spatial)];
}

/* ---------------------------------------------------------------- padding */

/* Shares a total between both ends. */
static status share(int64_t total, bool upper, int *before, int *after)
{
    if (total > 2 * IMPORT_MOST)
        return fail(SEPCL_UNSUPPORTED, "a padding of %lld is above the limit of %d", (long long)total, 2 * IMPORT_MOST);
    const int half = (int)total / 2, rest = (int)total - half;
    *before = upper ? half : rest;
    *after = upper ? rest : half;
    return SEPCL_OK;
}

static int64_t reach(int kernel, int dilation)
{
    return (int64_t)(kernel - 1) * dilation + 1;
}

status import_pad_same(const import_build *b, const operand *x, const int kernel[2], const int stride[2],
                       const int dilation[2], bool upper, int pad[4])
{
    for (int i = 0; i < 2; i++) {
        const int64_t in = import_extent(b, x, i), out = div_up(in, stride[i]);
        const int64_t total = (out - 1) * stride[i] + reach(kernel[i], dilation[i]) - in;
        TRY(share(i64_max(0, total), upper, &pad[i], &pad[i + 2]));
    }
    return SEPCL_OK;
}

status import_pad_transposed(const import_transposed *t, int *before, int *after, int *extra)
{
    const int64_t whole = (t->in - 1) * t->stride + reach(t->kernel, t->dilation) + *extra;
    if (t->out - whole > IMPORT_MOST)
        return fail(SEPCL_UNSUPPORTED, "an output of %lld from an input of %lld is above the limits", (long long)t->out,
                    (long long)t->in);
    *extra += (int)i64_max(0, t->out - whole);
    return share(i64_max(0, whole - t->out), t->upper, before, after);
}

/* ---------------------------------------------------------------- nodes */

/* y + bias along the channels. */
static status add_bias(import_build *b, operand *y, operand *bias, operand **out)
{
    shape s = {.rank = y->shape.rank - import_channels_axis(b, y->shape.rank), .dim = {bias->shape.dim[0]}};
    for (int i = 1; i < s.rank; i++)
        s.dim[i] = 1;
    TRY(emit_reshape(b, bias, &s, &bias));
    return emit_binary(b, BINARY_ADD, y, bias, out);
}

status emit_conv(import_build *b, op_kind op, operand *x, operand *w, operand *bias, const attr_conv *a, operand **out)
{
    value_id     in[3] = {-1, -1, -1};
    const layout l = layout_last(b, x->shape.rank);
    if (bias && (bias->shape.rank != 1 || bias->shape.dim[0] != a->out_channels))
        return fail(SEPCL_BAD_FILE, "the bias '%s' does not have one element for each of %d output channels",
                    bias->name ? bias->name : b->node, a->out_channels);
    TRY(operand_last(b, x, &in[CONV_X]));
    TRY(operand_plain(b, w, &in[CONV_W]));
    if (bias && bias->is_const)
        TRY(operand_plain(b, bias, &in[CONV_B]));
    TRY(operand_node(b, op, &(attrs){.conv = *a}, in, in[CONV_B] >= 0 ? 3 : 2, &l, x->shape.rank, out));
    return bias && !bias->is_const ? add_bias(b, *out, bias, out) : SEPCL_OK;
}

status emit_pool(import_build *b, operand *x, const attr_pool *a, operand **out)
{
    value_id     in;
    const layout l = layout_last(b, x->shape.rank);
    TRY(operand_last(b, x, &in));
    return operand_node(b, OP_POOL, &(attrs){.pool = *a}, &in, 1, &l, x->shape.rank, out);
}
