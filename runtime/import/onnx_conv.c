/* SPDX-License-Identifier: Apache-2.0 */
/* Conv, ConvTranspose and the pools: windows sliding over one or two axes. */
#include <string.h>

#include "base/size.h"
#include "import/onnx_build.h"

enum { TOP, LEFT, BOTTOM, RIGHT };
enum { AUTO_NOTSET, AUTO_VALID, AUTO_SAME_UPPER, AUTO_SAME_LOWER };
static const char *const auto_pads[] = {"NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER", NULL};

/* A window over height and width; with one axis in the file it is the width. */
typedef struct window {
    int axes; /* in the file: 1 or 2 */
    int kernel[2], stride[2], dilation[2], pad[4];
    int auto_pad;
} window;

static status spatial(const operand *x, window *w)
{
    w->axes = x->shape.rank - 2;
    if (w->axes == 1 || w->axes == 2)
        return SEPCL_OK;
    char text[SHAPE_TEXT];
    if (w->axes > 2)
        return fail(SEPCL_UNSUPPORTED, "the input '%s' of shape %s has %d spatial axes; 1 and 2 are supported", x->name,
                    shape_text(&x->shape, text), w->axes);
    return fail(SEPCL_BAD_FILE, "the input '%s' of shape %s has no spatial axis", x->name, shape_text(&x->shape, text));
}

/* An attribute with one entry an axis into a pair {height, width}. */
static status read_pair(onnx_build *b, const char *name, const window *w, int64_t least, int pair[2])
{
    int64_t   v[MAX_RANK];
    const int n = attr_ints(b, name, v, MAX_RANK);
    if (n < 0)
        return SEPCL_OK;
    if (n != w->axes)
        return fail(SEPCL_BAD_FILE, "attribute '%s' has %d entries for %d spatial axes", name, n, w->axes);
    for (int i = 0; i < n; i++) {
        if (v[i] < least)
            return fail(SEPCL_BAD_FILE, "attribute '%s' has the entry %lld, below %lld", name, (long long)v[i],
                        (long long)least);
        if (v[i] > IMPORT_MOST)
            return fail(SEPCL_UNSUPPORTED, "attribute '%s' has the entry %lld, above the limit of %d", name,
                        (long long)v[i], IMPORT_MOST);
        pair[2 - n + i] = (int)v[i];
    }
    return SEPCL_OK;
}

static status read_pads(onnx_build *b, window *w)
{
    int64_t   v[2 * MAX_RANK];
    const int n = attr_ints(b, "pads", v, 2 * MAX_RANK);
    if (n < 0)
        return SEPCL_OK;
    if (n != 2 * w->axes)
        return fail(SEPCL_BAD_FILE, "attribute 'pads' has %d entries for %d spatial axes", n, w->axes);
    for (int i = 0; i < n; i++) {
        if (v[i] < 0 || v[i] > IMPORT_MOST)
            return fail(v[i] < 0 ? SEPCL_BAD_FILE : SEPCL_UNSUPPORTED,
                        "attribute 'pads' has the entry %lld, outside 0 to %d", (long long)v[i], IMPORT_MOST);
        const int axis = 2 - w->axes + i % w->axes;
        w->pad[i < w->axes ? axis : axis + 2] = (int)v[i];
    }
    return SEPCL_OK;
}

/* Everything about the window but automatic padding. kernel: what the weights have, NULL for a pool. */
static status read_window(onnx_build *b, const operand *x, const int64_t *kernel, window *w)
{
    *w = (window){.kernel = {1, 1}, .stride = {1, 1}, .dilation = {1, 1}};
    int given[2] = {0, 0};
    TRY(spatial(x, w));
    TRY(read_pair(b, "kernel_shape", w, 1, given));
    for (int i = 2 - w->axes; i < 2; i++) {
        const int64_t k = kernel ? kernel[i - (2 - w->axes)] : given[i];
        if (k < 1)
            return fail(SEPCL_BAD_FILE,
                        kernel ? "the weights have a kernel extent of 0" : "attribute 'kernel_shape' is missing");
        if (given[i] && given[i] != k)
            return fail(SEPCL_BAD_FILE, "attribute 'kernel_shape' says %d, but the weights have %lld", given[i],
                        (long long)k);
        if (k > IMPORT_MOST)
            return fail(SEPCL_UNSUPPORTED, "a kernel extent of %lld is above the limit of %d", (long long)k,
                        IMPORT_MOST);
        w->kernel[i] = (int)k;
    }
    TRY(read_pair(b, "strides", w, 1, w->stride));
    TRY(read_pair(b, "dilations", w, 1, w->dilation));
    w->auto_pad = attr_choice(b, "auto_pad", auto_pads, AUTO_NOTSET);
    /* explicit pads beside automatic ones are ignored, as the standard's own shape inference does */
    return w->auto_pad == AUTO_NOTSET ? read_pads(b, w) : SEPCL_OK;
}

static status pad_same(const onnx_build *b, const operand *x, window *w)
{
    if (w->auto_pad < AUTO_SAME_UPPER)
        return SEPCL_OK;
    return import_pad_same(b, x, w->kernel, w->stride, w->dilation, w->auto_pad == AUTO_SAME_UPPER, w->pad);
}

/* ---------------------------------------------------------------- Conv */

static status constant_weights(const operand *x, const operand *w)
{
    char tx[SHAPE_TEXT], tw[SHAPE_TEXT];
    if (!w->is_const)
        return fail(SEPCL_UNSUPPORTED, "the weights '%s' are not a constant", w->name);
    if (w->shape.rank != x->shape.rank)
        return fail(SEPCL_BAD_FILE, "weights of shape %s do not suit an input of shape %s", shape_text(&w->shape, tw),
                    shape_text(&x->shape, tx));
    return SEPCL_OK;
}

static void fill_attrs(const window *w, attr_conv *a)
{
    memcpy(a->kernel, w->kernel, sizeof a->kernel);
    memcpy(a->stride, w->stride, sizeof a->stride);
    memcpy(a->dilation, w->dilation, sizeof a->dilation);
    memcpy(a->pad, w->pad, sizeof a->pad);
}

static status read_group(onnx_build *b, attr_conv *a)
{
    const int64_t group = attr_int(b, "group", 1);
    if (group < 1 || group > INT32_MAX)
        return fail(SEPCL_BAD_FILE, "attribute 'group' is %lld", (long long)group);
    a->group = (int)group;
    return SEPCL_OK;
}

status onnx_op_conv(onnx_build *b, int arg)
{
    operand  *x = onnx_in(b, 0), *w = onnx_in(b, 1), *y;
    window    win;
    attr_conv a = {0};
    (void)arg;
    TRY(constant_weights(x, w));
    TRY(read_window(b, x, &w->shape.dim[2], &win));
    TRY(pad_same(b, x, &win));
    TRY(read_group(b, &a));
    fill_attrs(&win, &a);
    const int64_t out = w->shape.dim[0], in = w->shape.dim[1], channels = x->shape.dim[1];
    if (in * a.group != channels || out < 1 || out % a.group)
        return fail(SEPCL_BAD_FILE,
                    "weights of %lld output and %lld input channels in %d groups do not suit an input of %lld "
                    "channels",
                    (long long)out, (long long)in, a.group, (long long)channels);
    const int64_t kh = a.kernel[0], kw = a.kernel[1];
    a.out_channels = (int)out;
    a.w = (weight_strides){.o = in * kh * kw, .i = kh * kw, .h = kw, .w = 1};
    TRY(emit_conv(b, OP_CONV, x, w, onnx_in(b, 2), &a, &y));
    onnx_out(b, 0, y);
    return SEPCL_OK;
}

/* Padding of a transposed convolution that is given by its output's shape, or by SAME. */
static status pad_transposed(onnx_build *b, const operand *x, window *w, int out_pad[2])
{
    int want[2] = {0, 0};
    TRY(read_pair(b, "output_shape", w, 1, want));
    for (int i = 2 - w->axes; i < 2; i++) {
        import_transposed t = {.in = import_extent(b, x, i),
                               .out = want[i],
                               .kernel = w->kernel[i],
                               .stride = w->stride[i],
                               .dilation = w->dilation[i],
                               .upper = w->auto_pad == AUTO_SAME_UPPER};
        if (!t.out && w->auto_pad >= AUTO_SAME_UPPER)
            t.out = t.in * t.stride;
        if (t.out)
            TRY(import_pad_transposed(&t, &w->pad[i], &w->pad[i + 2], &out_pad[i]));
    }
    return SEPCL_OK;
}

status onnx_op_conv_transpose(onnx_build *b, int arg)
{
    operand  *x = onnx_in(b, 0), *w = onnx_in(b, 1), *y;
    window    win;
    attr_conv a = {0};
    (void)arg;
    TRY(constant_weights(x, w));
    TRY(read_window(b, x, &w->shape.dim[2], &win));
    TRY(read_pair(b, "output_padding", &win, 0, a.out_pad));
    TRY(pad_transposed(b, x, &win, a.out_pad));
    TRY(read_group(b, &a));
    fill_attrs(&win, &a);
    const int64_t in = w->shape.dim[0], out = w->shape.dim[1], channels = x->shape.dim[1];
    int64_t       total;
    if (in != channels || out < 1 || in % a.group)
        return fail(SEPCL_BAD_FILE, "weights of %lld input channels in %d groups do not suit an input of %lld channels",
                    (long long)in, a.group, (long long)channels);
    if (!i64_mul(out, a.group, &total) || total > INT32_MAX)
        return fail(SEPCL_UNSUPPORTED, "%lld output channels in each of %d groups are above the limits", (long long)out,
                    a.group);
    const int64_t kh = a.kernel[0], kw = a.kernel[1];
    a.out_channels = (int)total;
    a.w = (weight_strides){.o = kh * kw, .i = out * kh * kw, .h = kw, .w = 1};
    TRY(emit_conv(b, OP_CONV_TRANSPOSE, x, w, onnx_in(b, 2), &a, &y));
    onnx_out(b, 0, y);
    return SEPCL_OK;
}

/* ---------------------------------------------------------------- pools */

status onnx_op_pool(onnx_build *b, int kind)
{
    operand  *x = onnx_in(b, 0), *y;
    window    w;
    attr_pool a = {.kind = (pool_kind)kind};
    TRY(read_window(b, x, NULL, &w));
    TRY(pad_same(b, x, &w));
    a.ceil_mode = attr_int(b, "ceil_mode", 0) != 0 && w.auto_pad < AUTO_SAME_UPPER;
    a.count_include_pad = attr_int(b, "count_include_pad", 0) != 0;
    a.p = kind == POOL_LP ? (float)attr_int(b, "p", 2) : 0;
    memcpy(a.kernel, w.kernel, sizeof w.kernel);
    memcpy(a.stride, w.stride, sizeof w.stride);
    memcpy(a.dilation, w.dilation, sizeof w.dilation);
    memcpy(a.pad, w.pad, sizeof w.pad);
    TRY(emit_pool(b, x, &a, &y));
    onnx_out(b, 0, y);
    return SEPCL_OK;
}

status onnx_op_global_pool(onnx_build *b, int kind)
{
    operand    *x = onnx_in(b, 0), *y;
    reduce_kind reduce = kind == POOL_MAX ? REDUCE_MAX : REDUCE_MEAN;
    if (x->shape.rank < 3)
        return fail(SEPCL_BAD_FILE, "the input '%s' has no spatial axis", x->name);
    if (kind == POOL_LP) {
        const int64_t p = attr_int(b, "p", 2);
        if (p != 1 && p != 2)
            return fail(SEPCL_UNSUPPORTED, "p is %lld; 1 and 2 are supported", (long long)p);
        reduce = p == 1 ? REDUCE_L1 : REDUCE_L2;
    }
    const uint32_t axes = (1u << x->shape.rank) - 4;
    TRY(emit_reduce(b, reduce, x, axes, true, &y));
    onnx_out(b, 0, y);
    return SEPCL_OK;
}
