/* SPDX-License-Identifier: Apache-2.0 */
/* Windows sliding over one or two axes: convolutions of all kinds, pools; and dense layers. */
#include <string.h>

#include "base/size.h"
#include "import/keras_build.h"

enum { VALID, SAME, CAUSAL };
static const char *const paddings[] = {"valid", "same", "causal", NULL};

/* The input of a layer with this many spatial axes, with channels where the layer has them. */
static status window_input(keras_build *b, int axes, operand **x)
{
    cfg_order(b);
    TRY(keras_in_rank(b, 0, axes + 2, x));
    return SEPCL_OK;
}

static status read_padding(keras_build *b, const operand *x, int axes, attr_conv *a)
{
    const int padding = cfg_choice(b, "padding", paddings, VALID);
    if (padding == SAME)
        return import_pad_same(&b->common, x, a->kernel, a->stride, a->dilation, true, a->pad);
    if (padding == VALID)
        return SEPCL_OK;
    const int64_t reach = (int64_t)(a->kernel[1] - 1) * a->dilation[1];
    if (axes != 1 || reach > 2 * IMPORT_MOST)
        return fail(axes != 1 ? SEPCL_BAD_FILE : SEPCL_UNSUPPORTED, "causal padding of %lld on %d axes",
                    (long long)reach, axes);
    a->pad[1] = (int)reach;
    return SEPCL_OK;
}

/* Keras 1 kept the kernel of one axis as one of two, of height 1. */
static void drop_height(operand *w, int axes)
{
    shape *s = &w->shape;
    if (axes != 1 || s->rank != 4 || s->dim[1] != 1)
        return;
    s->rank = 3;
    s->dim[1] = s->dim[2];
    s->dim[2] = s->dim[3];
    s->dim[3] = 0;
}

/* The kernel, which such layers always have and whose extents are 1 at least, and the other settings of the window. */
static status read_window(keras_build *b, const char *role, int axes, attr_conv *a, operand **kernel)
{
    int given[2] = {0, 0};
    *a = (attr_conv){.kernel = {1, 1}, .stride = {1, 1}, .dilation = {1, 1}, .group = 1};
    TRY(keras_weight_of(b, role, kernel));
    drop_height(*kernel, axes);
    const shape *s = &(*kernel)->shape;
    char         text[SHAPE_TEXT];
    if (s->rank != axes + 2)
        return fail(SEPCL_BAD_FILE, "a kernel of shape %s for %d axes", shape_text(s, text), axes);
    cfg_pair(b, "kernel_size", axes, 1, given);
    cfg_pair(b, "strides", axes, 1, a->stride);
    cfg_pair(b, "dilation_rate", axes, 1, a->dilation);
    for (int i = 0; i < axes; i++) {
        const int64_t k = s->dim[i];
        const int     at = 2 - axes + i;
        if (k > IMPORT_MOST || (given[at] && given[at] != k))
            return fail(SEPCL_BAD_FILE, "setting 'kernel_size' has %d, but the kernel has shape %s", given[at],
                        shape_text(s, text));
        a->kernel[at] = (int)k;
    }
    if (b->f->version < 3 && b->f->mirrored)
        return fail(SEPCL_UNSUPPORTED, "kernels that Theano wrote are mirrored, which is not supported");
    if (b->f->version == 1 && b->common.channels_first)
        return fail(SEPCL_UNSUPPORTED, "kernels of Keras 1 with channels first are not supported");
    return SEPCL_OK;
}

static int64_t channels_of(const keras_build *b, const operand *x)
{
    return x->shape.dim[import_channels_axis(&b->common, x->shape.rank)];
}

static status check_channels(const keras_build *b, const operand *x, int64_t want, const operand *kernel)
{
    char text[SHAPE_TEXT];
    if (channels_of(b, x) == want)
        return SEPCL_OK;
    return fail(SEPCL_BAD_FILE, "a kernel of shape %s does not suit an input of %lld channels",
                shape_text(&kernel->shape, text), (long long)channels_of(b, x));
}

/* Strides of a kernel [.., inner, outer] whose last two extents are these. */
static weight_strides strides_of(const attr_conv *a, int64_t inner, int64_t outer)
{
    return (weight_strides){.o = 1, .i = outer, .w = inner * outer, .h = a->kernel[1] * inner * outer};
}

static status finish(keras_build *b, operand *y)
{
    TRY(keras_activate(b, "activation", y, &y));
    keras_out(b, y);
    return SEPCL_OK;
}

/* ---------------------------------------------------------------- convolutions */

status keras_op_conv(keras_build *b, int axes)
{
    operand  *x, *y, *kernel, *bias;
    attr_conv a;
    TRY(window_input(b, axes, &x));
    TRY(read_window(b, "kernel", axes, &a, &kernel));
    TRY(keras_weight_of(b, "bias", &bias));
    TRY(read_padding(b, x, axes, &a));
    const int64_t in = kernel->shape.dim[axes], out = kernel->shape.dim[axes + 1], group = cfg_int(b, "groups", 1);
    if (group < 1 || out % group)
        return fail(SEPCL_BAD_FILE, "%lld groups for %lld filters", (long long)group, (long long)out);
    TRY(check_channels(b, x, in * group, kernel)); /* each is below 2^31 */
    a.group = (int)group;
    a.out_channels = (int)out;
    a.w = strides_of(&a, in, out);
    TRY(emit_conv(&b->common, OP_CONV, x, kernel, bias, &a, &y));
    return finish(b, y);
}

/* kernel: [.., channels, multiplier] */
static status depthwise(keras_build *b, int axes, operand *x, const char *role, operand *bias, operand **out)
{
    operand  *kernel;
    attr_conv a;
    TRY(read_window(b, role, axes, &a, &kernel));
    TRY(read_padding(b, x, axes, &a));
    const int64_t in = kernel->shape.dim[axes], multiplier = kernel->shape.dim[axes + 1];
    TRY(check_channels(b, x, in, kernel));
    a.group = (int)in;
    a.out_channels = (int)(in * multiplier);
    a.w = strides_of(&a, in, multiplier);
    return emit_conv(&b->common, OP_CONV, x, kernel, bias, &a, out);
}

status keras_op_depthwise(keras_build *b, int axes)
{
    operand *x, *y, *bias;
    TRY(window_input(b, axes, &x));
    TRY(keras_weight_of(b, "bias", &bias));
    TRY(depthwise(b, axes, x, "kernel", bias, &y));
    return finish(b, y);
}

status keras_op_separable(keras_build *b, int axes)
{
    operand *x, *y, *kernel, *bias;
    TRY(window_input(b, axes, &x));
    TRY(depthwise(b, axes, x, "depthwise_kernel", NULL, &y));
    TRY(keras_weight_of(b, "pointwise_kernel", &kernel));
    TRY(keras_weight_of(b, "bias", &bias));
    drop_height(kernel, axes);
    attr_conv    a = {.kernel = {1, 1}, .stride = {1, 1}, .dilation = {1, 1}, .group = 1};
    const shape *s = &kernel->shape;
    bool         ok = s->rank == axes + 2;
    for (int i = 0; ok && i < axes; i++)
        ok = s->dim[i] == 1;
    if (!ok)
        return fail(SEPCL_BAD_FILE, "the pointwise kernel has no extents of 1");
    TRY(check_channels(b, y, s->dim[axes], kernel));
    a.out_channels = (int)s->dim[axes + 1];
    a.w = strides_of(&a, s->dim[axes], s->dim[axes + 1]);
    TRY(emit_conv(&b->common, OP_CONV, y, kernel, bias, &a, &y));
    return finish(b, y);
}

/* The extent that the output has, from which the padding follows; extra: as the file gives it, or -1. */
static int64_t transposed_extent(int64_t in, const attr_conv *a, int axis, bool same, int extra)
{
    const int64_t reach = (int64_t)(a->kernel[axis] - 1) * a->dilation[axis] + 1, stride = a->stride[axis];
    if (same)
        return extra < 0 ? in * stride : (in - 1) * stride + reach % 2 + extra;
    return (in - 1) * stride + (extra < 0 ? i64_max(reach, stride) : reach + extra);
}

static status pad_transposed(keras_build *b, const operand *x, int axes, attr_conv *a)
{
    int        given[2] = {-1, -1};
    const bool same = cfg_choice(b, "padding", paddings, VALID) == SAME;
    cfg_pair(b, "output_padding", axes, 0, given);
    for (int i = 2 - axes; i < 2; i++) {
        import_transposed t = {.in = import_extent(&b->common, x, i),
                               .kernel = a->kernel[i],
                               .stride = a->stride[i],
                               .dilation = a->dilation[i],
                               .upper = true};
        t.out = transposed_extent(t.in, a, i, same, given[i]);
        if (t.out < 1)
            return fail(SEPCL_BAD_FILE, "the output has an extent of %lld", (long long)t.out);
        TRY(import_pad_transposed(&t, &a->pad[i], &a->pad[i + 2], &a->out_pad[i]));
    }
    return SEPCL_OK;
}

/* kernel: [.., out, in]; in Keras 1 [.., in, out]. */
status keras_op_conv_transpose(keras_build *b, int axes)
{
    operand  *x, *y, *kernel, *bias;
    attr_conv a;
    TRY(window_input(b, axes, &x));
    TRY(read_window(b, "kernel", axes, &a, &kernel));
    TRY(keras_weight_of(b, "bias", &bias));
    TRY(pad_transposed(b, x, axes, &a));
    const bool    old = b->f->version == 1;
    const int64_t out = kernel->shape.dim[axes + old], in = kernel->shape.dim[axes + 1 - old];
    TRY(check_channels(b, x, in, kernel));
    a.out_channels = (int)out;
    a.w = strides_of(&a, kernel->shape.dim[axes], kernel->shape.dim[axes + 1]);
    if (!old) { /* strides_of has the last extent as that of the outputs */
        a.w.o = in;
        a.w.i = 1;
    }
    TRY(emit_conv(&b->common, OP_CONV_TRANSPOSE, x, kernel, bias, &a, &y));
    return finish(b, y);
}

/* ---------------------------------------------------------------- dense */

status keras_op_dense(keras_build *b, int arg)
{
    operand *x, *y, *kernel, *bias;
    (void)arg;
    TRY(keras_in(b, 0, &x));
    TRY(keras_weight_of(b, "kernel", &kernel));
    TRY(keras_weight_of(b, "bias", &bias));
    const shape *s = &kernel->shape;
    char         tx[SHAPE_TEXT], tk[SHAPE_TEXT];
    if (s->rank != 2 || x->shape.rank < 1 || x->shape.dim[x->shape.rank - 1] != s->dim[0])
        return fail(SEPCL_BAD_FILE, "a kernel of shape %s does not suit an input of shape %s", shape_text(s, tk),
                    shape_text(&x->shape, tx));
    if (bias && (bias->shape.rank != 1 || bias->shape.dim[0] != s->dim[1]))
        return fail(SEPCL_BAD_FILE, "the bias does not have one element for each of %lld units", (long long)s->dim[1]);
    const attr_dense d = {.in_features = s->dim[0], .out_features = s->dim[1], .w = {.o = 1, .i = s->dim[1]}};
    TRY(emit_dense(&b->common, x, kernel, &d, 1, bias, &y));
    return finish(b, y);
}

/* ---------------------------------------------------------------- pools */

/* kind: number of axes, plus 4 for an average */
status keras_op_pool(keras_build *b, int kind)
{
    const int axes = kind & 3;
    operand  *x, *y;
    attr_conv w = {.kernel = {1, 1}, .stride = {1, 1}, .dilation = {1, 1}};
    TRY(window_input(b, axes, &x));
    for (int i = 2 - axes; i < 2; i++)
        w.kernel[i] = 2;
    cfg_pair(b, "pool_size", axes, 1, w.kernel);
    memcpy(w.stride, w.kernel, sizeof w.stride);
    cfg_pair(b, "strides", axes, 1, w.stride);
    TRY(read_padding(b, x, axes, &w));
    attr_pool a = {.kind = kind & 4 ? POOL_AVERAGE : POOL_MAX, .dilation = {1, 1}};
    memcpy(a.kernel, w.kernel, sizeof a.kernel);
    memcpy(a.stride, w.stride, sizeof a.stride);
    memcpy(a.pad, w.pad, sizeof a.pad);
    TRY(emit_pool(&b->common, x, &a, &y));
    keras_out(b, y);
    return SEPCL_OK;
}

status keras_op_global_pool(keras_build *b, int kind)
{
    const int axes = kind & 3;
    operand  *x, *y;
    TRY(window_input(b, axes, &x));
    const int      first = b->common.channels_first ? 2 : 1;
    const uint32_t bits = ((1u << axes) - 1) << first;
    TRY(emit_reduce(&b->common, kind & 4 ? REDUCE_MEAN : REDUCE_MAX, x, bits, cfg_bool(b, "keepdims", false), &y));
    keras_out(b, y);
    return SEPCL_OK;
}
