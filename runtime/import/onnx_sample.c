/* SPDX-License-Identifier: Apache-2.0 */
/* GridSample, and AffineGrid that makes its grids. */
#include "import/onnx_build.h"

status onnx_op_grid_sample(onnx_build *b, int arg)
{
    /* up to opset 19 the modes had other names */
    static const char *const modes[] = {"linear", "nearest", "cubic", "bilinear", "bicubic", NULL};
    static const sample_mode mode[] = {SAMPLE_LINEAR, SAMPLE_NEAREST, SAMPLE_CUBIC, SAMPLE_LINEAR, SAMPLE_CUBIC};
    static const char *const paddings[] = {"zeros", "border", "reflection", NULL};
    operand                 *x = onnx_in(b, 0), *grid = onnx_in(b, 1), *y;
    value_id                 in[2];
    char                     text[SHAPE_TEXT];
    (void)arg;
    if (x->shape.rank != 4 || grid->shape.rank != 4)
        return fail(SEPCL_UNSUPPORTED, "an input of shape %s: only images with height and width are supported",
                    shape_text(&x->shape, text));
    const attrs  a = {.grid_sample = {.mode = mode[attr_choice(b, "mode", modes, 0)],
                                      .outside = (sample_outside)attr_choice(b, "padding_mode", paddings, 0),
                                      .aligned = attr_int(b, "align_corners", 0) != 0}};
    const layout l = layout_last(b, 4);
    TRY(operand_last(b, x, &in[0]));
    TRY(operand_plain(b, grid, &in[1]));
    TRY(operand_node(b, OP_GRID_SAMPLE, &a, in, 2, &l, 4, &y));
    onnx_out(b, 0, y);
    return SEPCL_OK;
}

/* The centre of pixel i of n, or, aligned, i of n points from -1 to 1. */
static float centre(int64_t i, int64_t n, bool aligned)
{
    if (aligned)
        return n > 1 ? (float)(-1 + 2.0 * (double)i / (double)(n - 1)) : -1;
    return (float)(-1 + (2.0 * (double)i + 1) / (double)n);
}

status onnx_op_affine_grid(onnx_build *b, int arg)
{
    operand   *theta = onnx_in(b, 0), *points, *y;
    int64_t    size[MAX_RANK];
    const int  n = param_ints(b, 1, size, MAX_RANK);
    const bool aligned = attr_int(b, "align_corners", 0) != 0;
    void      *to;
    value_id   in[2];
    (void)arg;
    if (n < 0)
        return b->bad;
    if (n != 4)
        return fail(SEPCL_UNSUPPORTED, "a size of %d entries; only images with height and width are supported", n);
    if (theta->shape.rank != 3 || theta->shape.dim[1] != 2 || theta->shape.dim[2] != 3 || size[2] < 1 || size[3] < 1 ||
        size[0] != theta->shape.dim[0] || size[2] > FOLD_SMALL || size[3] > FOLD_SMALL)
        return fail(SEPCL_BAD_FILE, "the size does not suit the transformations '%s'", theta->name);
    TRY(fold_new(b, DT_F32, &(shape){2, {3, size[2] * size[3]}}, FOLD_SMALL, &points, &to));
    for (int64_t i = 0, pixels = size[2] * size[3]; i < pixels; i++) {
        ((float *)to)[i] = centre(i % size[3], size[3], aligned);
        ((float *)to)[pixels + i] = centre(i / size[3], size[2], aligned);
        ((float *)to)[2 * pixels + i] = 1;
    }
    const layout l = layout_plain(3);
    TRY(operand_plain(b, theta, &in[0]));
    TRY(operand_plain(b, points, &in[1]));
    TRY(operand_node(b, OP_MATMUL, NULL, in, 2, &l, 3, &y));
    TRY(emit_transpose(b, y, (const int[]){0, 2, 1}, &y));
    TRY(emit_reshape(b, y, &(shape){4, {size[0], size[2], size[3], 2}}, &y));
    onnx_out(b, 0, y);
    return SEPCL_OK;
}
