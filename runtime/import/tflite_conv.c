/* SPDX-License-Identifier: Apache-2.0 */
/* Convolutions, pools, and matrix products. Filters are [out, height, width, in], depthwise ones [1, height, width,
 * out]. */
#include "base/size.h"
#include "import/tflite_build.h"

enum { PAD_SAME, PAD_VALID };

/* Where each table of options keeps what the ops share. */
typedef struct fields {
    int padding, stride_h, stride_w, dilation_h, dilation_w, activation; /* dilations: -1 when it has none */
} fields;
static const fields conv_fields = {0, 2, 1, 5, 4, 3}, depthwise_fields = {0, 2, 1, 6, 5, 4},
                    pool_fields = {0, 2, 1, -1, -1, 5}, transposed_fields = {0, 2, 1, -1, -1, 3};

static status read_extent(tflite_build *b, const char *what, int field, int def, int *out)
{
    *out = field < 0 ? def : option_int(b, field, def);
    if (*out < 1 || *out > IMPORT_MOST)
        return fail(*out < 1 ? SEPCL_BAD_FILE : SEPCL_UNSUPPORTED, "%s is %d, outside 1 to %d", what, *out,
                    IMPORT_MOST);
    return SEPCL_OK;
}

static status read_steps(tflite_build *b, const fields *f, int stride[2], int dilation[2])
{
    TRY(read_extent(b, "the vertical stride", f->stride_h, 0, &stride[0]));
    TRY(read_extent(b, "the horizontal stride", f->stride_w, 0, &stride[1]));
    TRY(read_extent(b, "the vertical dilation", f->dilation_h, 1, &dilation[0]));
    return read_extent(b, "the horizontal dilation", f->dilation_w, 1, &dilation[1]);
}

static status read_padding(tflite_build *b, int field, int *out)
{
    *out = option_byte(b, field, PAD_SAME);
    return *out <= PAD_VALID ? SEPCL_OK : fail(SEPCL_BAD_FILE, "padding number %d is unknown", *out);
}

static status need_image(const operand *x)
{
    char text[SHAPE_TEXT];
    return x->shape.rank == 4 ? SEPCL_OK
                              : fail(SEPCL_BAD_FILE, "the input '%s' of shape %s should have 4 dimensions", x->name,
                                     shape_text(&x->shape, text));
}

/* ---------------------------------------------------------------- convolutions */

static status need_weights(const operand *w)
{
    char text[SHAPE_TEXT];
    if (!w->is_const)
        return fail(SEPCL_UNSUPPORTED, "the weights '%s' are not a constant", w->name);
    if (w->shape.rank != 4 || !operand_is_float(w) || operand_count(w) < 1)
        return fail(SEPCL_BAD_FILE, "the weights '%s' of shape %s and type %s are not 4 dimensions of floats", w->name,
                    shape_text(&w->shape, text), dtype_name(w->type));
    for (int i = 1; i < 3; i++)
        if (w->shape.dim[i] > IMPORT_MOST)
            return fail(SEPCL_UNSUPPORTED, "a kernel extent of %lld is above the limit of %d",
                        (long long)w->shape.dim[i], IMPORT_MOST);
    return SEPCL_OK;
}

/* What all of them do: weights, kernel, strides, dilations. */
static status begin_conv(tflite_build *b, const fields *f, const operand *x, const operand *w, attr_conv *a)
{
    *a = (attr_conv){.group = 1};
    TRY(need_image(x));
    TRY(need_weights(w));
    a->kernel[0] = (int)w->shape.dim[1];
    a->kernel[1] = (int)w->shape.dim[2];
    return read_steps(b, f, a->stride, a->dilation);
}

static status finish_conv(tflite_build *b, const fields *f, operand *x, operand *w, attr_conv *a)
{
    operand *y;
    int      padding;
    TRY(read_padding(b, f->padding, &padding));
    if (padding == PAD_SAME)
        TRY(import_pad_same(b, x, a->kernel, a->stride, a->dilation, true, a->pad));
    TRY(emit_conv(b, OP_CONV, x, w, tflite_in(b, 2), a, &y));
    return tflite_out_fused(b, option_byte(b, f->activation, 0), y);
}

status tflite_op_conv(tflite_build *b, int arg)
{
    operand  *x = tflite_in(b, 0), *w = tflite_in(b, 1);
    attr_conv a;
    (void)arg;
    TRY(begin_conv(b, &conv_fields, x, w, &a));
    const int64_t *k = w->shape.dim, channels = x->shape.dim[3];
    if (channels % k[3] || k[0] % (channels / k[3]))
        return fail(SEPCL_BAD_FILE,
                    "weights of %lld output and %lld input channels do not suit an input of %lld channels",
                    (long long)k[0], (long long)k[3], (long long)channels);
    a.group = (int)(channels / k[3]);
    a.out_channels = (int)k[0];
    a.w = (weight_strides){.o = k[1] * k[2] * k[3], .i = 1, .h = k[2] * k[3], .w = k[3]};
    return finish_conv(b, &conv_fields, x, w, &a);
}

status tflite_op_depthwise(tflite_build *b, int arg)
{
    operand  *x = tflite_in(b, 0), *w = tflite_in(b, 1);
    attr_conv a;
    (void)arg;
    TRY(begin_conv(b, &depthwise_fields, x, w, &a));
    const int64_t *k = w->shape.dim, channels = x->shape.dim[3];
    if (k[0] != 1 || k[3] % channels)
        return fail(SEPCL_BAD_FILE, "depthwise weights for %lld channels do not suit an input of %lld channels",
                    (long long)k[3], (long long)channels);
    a.group = (int)channels;
    a.out_channels = (int)k[3];
    a.w = (weight_strides){.o = 1, .i = 0, .h = k[2] * k[3], .w = k[3]};
    return finish_conv(b, &depthwise_fields, x, w, &a);
}

/* The file gives the output's shape. It has to be one from which a convolution comes back to the input. */
static status pad_transposed(const operand *x, const int64_t *out, int padding, attr_conv *a)
{
    for (int i = 0; i < 2; i++) {
        const int64_t     in = x->shape.dim[1 + i];
        import_transposed t = {
            .in = in, .out = out[1 + i], .kernel = a->kernel[i], .stride = a->stride[i], .dilation = 1, .upper = true};
        const int64_t whole = (in - 1) * t.stride + t.kernel;
        const bool    fits = padding == PAD_SAME ? div_up(i64_max(t.out, 0), t.stride) == in
                                                 : t.out >= whole && t.out < whole + t.stride;
        if (!fits)
            return fail(SEPCL_UNSUPPORTED, "an output extent of %lld does not follow from an input extent of %lld",
                        (long long)t.out, (long long)in);
        TRY(import_pad_transposed(&t, &a->pad[i], &a->pad[i + 2], &a->out_pad[i]));
    }
    return SEPCL_OK;
}

status tflite_op_transpose_conv(tflite_build *b, int arg)
{
    operand  *w = tflite_in(b, 1), *x = tflite_in(b, 2), *y;
    attr_conv a;
    int64_t   out[4];
    int       padding;
    (void)arg;
    TRY(begin_conv(b, &transposed_fields, x, w, &a));
    TRY(param_exactly(b, 0, out, 4));
    TRY(read_padding(b, transposed_fields.padding, &padding));
    const int64_t *k = w->shape.dim;
    if (k[3] != x->shape.dim[3] || out[0] != x->shape.dim[0] || out[3] != k[0])
        return fail(
            SEPCL_BAD_FILE,
            "weights of %lld output and %lld input channels do not suit an input of %lld channels and an output "
            "of %lld",
            (long long)k[0], (long long)k[3], (long long)x->shape.dim[3], (long long)out[3]);
    TRY(pad_transposed(x, out, padding, &a));
    a.out_channels = (int)k[0];
    a.w = (weight_strides){.o = k[1] * k[2] * k[3], .i = 1, .h = k[2] * k[3], .w = k[3]};
    TRY(emit_conv(b, OP_CONV_TRANSPOSE, x, w, tflite_in(b, 3), &a, &y));
    return tflite_out_fused(b, option_byte(b, transposed_fields.activation, 0), y);
}

/* ---------------------------------------------------------------- pools */

status tflite_op_pool(tflite_build *b, int kind)
{
    enum { FILTER_WIDTH = 3, FILTER_HEIGHT = 4 };
    operand  *x = tflite_in(b, 0), *y;
    attr_pool a = {.kind = (pool_kind)kind};
    int       padding;
    TRY(need_image(x));
    TRY(read_extent(b, "the window's height", FILTER_HEIGHT, 0, &a.kernel[0]));
    TRY(read_extent(b, "the window's width", FILTER_WIDTH, 0, &a.kernel[1]));
    TRY(read_steps(b, &pool_fields, a.stride, a.dilation));
    TRY(read_padding(b, pool_fields.padding, &padding));
    if (padding == PAD_SAME)
        TRY(import_pad_same(b, x, a.kernel, a.stride, a.dilation, true, a.pad));
    TRY(emit_pool(b, x, &a, &y));
    return tflite_out_fused(b, option_byte(b, pool_fields.activation, 0), y);
}

/* ---------------------------------------------------------------- matrix products */

/* x as rows of `features` numbers, where its last axis has another extent or its other axes are to be joined. */
static status as_rows(tflite_build *b, operand *x, int64_t features, bool keep, operand **out)
{
    char          text[SHAPE_TEXT];
    const int64_t n = operand_count(x);
    const int     rank = x->shape.rank;
    *out = x;
    if (rank >= 2 && x->shape.dim[rank - 1] == features && (keep || rank == 2))
        return SEPCL_OK;
    if (keep || features < 1 || n % features)
        return fail(SEPCL_BAD_FILE, "an input of shape %s does not divide into rows of the weights' %lld features",
                    shape_text(&x->shape, text), (long long)features);
    return emit_reshape(b, x, &(shape){2, {n / features, features}}, out);
}

status tflite_op_fully_connected(tflite_build *b, int arg)
{
    enum { ACTIVATION, WEIGHTS_FORMAT, KEEP_DIMENSIONS };
    operand *x = tflite_in(b, 0), *w = tflite_in(b, 1), *bias = tflite_in(b, 2), *y;
    (void)arg;
    if (option_byte(b, WEIGHTS_FORMAT, 0))
        return fail(SEPCL_UNSUPPORTED, "weights in the shuffled order are not supported");
    if (w->shape.rank != 2)
        return fail(SEPCL_BAD_FILE, "the weights '%s' have %d dimensions instead of 2", w->name, w->shape.rank);
    TRY(as_rows(b, x, w->shape.dim[1], option_byte(b, KEEP_DIMENSIONS, 0) != 0, &x));
    if (bias && operand_count(bias) != w->shape.dim[0])
        return fail(SEPCL_BAD_FILE, "the bias '%s' does not have one element for each of %lld outputs", bias->name,
                    (long long)w->shape.dim[0]);
    TRY(emit_matmul(b, x, w, true, bias, &y));
    return tflite_out_fused(b, option_byte(b, ACTIVATION, 0), y);
}

/* The last two axes swapped. */
static status adjoint(tflite_build *b, operand *x, operand **out)
{
    int       perm[MAX_RANK];
    const int rank = x->shape.rank;
    for (int i = 0; i < rank; i++)
        perm[i] = i;
    perm[rank - 1] = rank - 2;
    perm[rank - 2] = rank - 1;
    return emit_transpose(b, x, perm, out);
}

status tflite_op_batch_matmul(tflite_build *b, int arg)
{
    enum { ADJOINT_X, ADJOINT_Y };
    operand *x = tflite_in(b, 0), *y = tflite_in(b, 1), *z;
    (void)arg;
    if (x->shape.rank < 2 || y->shape.rank < 2)
        return fail(SEPCL_BAD_FILE, "the operands have %d and %d dimensions, and need 2 at least", x->shape.rank,
                    y->shape.rank);
    if (option_byte(b, ADJOINT_X, 0))
        TRY(adjoint(b, x, &x));
    TRY(emit_matmul(b, x, y, option_byte(b, ADJOINT_Y, 0) != 0, NULL, &z));
    return tflite_out(b, 0, z);
}
