/* SPDX-License-Identifier: Apache-2.0 */
/* Layers that move, repeat or rename elements. */
#include <string.h>

#include "base/size.h"
#include "import/keras_build.h"

status keras_op_identity(keras_build *b, int arg)
{
    operand *x;
    (void)arg;
    TRY(keras_in(b, 0, &x));
    keras_out(b, x);
    return SEPCL_OK;
}

static status reshaped(keras_build *b, operand *x, const shape *s)
{
    operand *y;
    TRY(emit_reshape(&b->common, x, s, &y));
    keras_out(b, y);
    return SEPCL_OK;
}

/* With channels first, Keras flattens as if they were last. */
status keras_op_flatten(keras_build *b, int arg)
{
    operand *x;
    (void)arg;
    cfg_order(b);
    TRY(keras_in(b, 0, &x));
    const int rank = x->shape.rank;
    if (rank < 1)
        return fail(SEPCL_BAD_FILE, "the input is a scalar");
    if (b->common.channels_first && rank > 2) {
        int perm[MAX_RANK] = {0};
        for (int i = 1; i < rank; i++)
            perm[i] = i < rank - 1 ? i + 1 : 1;
        TRY(emit_transpose(&b->common, x, perm, &x));
    }
    return reshaped(b, x, &(shape){2, {x->shape.dim[0], shape_product(&x->shape, 1, rank)}});
}

status keras_op_reshape(keras_build *b, int arg)
{
    operand  *x;
    int64_t   v[MAX_RANK], known = 1;
    int       open = -1;
    const int n = cfg_ints(b, "target_shape", v, MAX_RANK - 1);
    (void)arg;
    TRY(keras_in(b, 0, &x));
    if (n < 0 || x->shape.rank < 1)
        return fail(SEPCL_BAD_FILE, "setting 'target_shape' is missing or has more than %d extents", MAX_RANK - 1);
    const int64_t count = shape_product(&x->shape, 1, x->shape.rank);
    shape         s = {.rank = n + 1, .dim = {x->shape.dim[0]}};
    for (int i = 0; i < n; i++) {
        s.dim[i + 1] = v[i];
        if (v[i] == -1 && open < 0)
            open = i + 1;
        else if (v[i] < 1 || !i64_mul(known, v[i], &known) || known > INT32_MAX)
            return fail(SEPCL_BAD_FILE, "setting 'target_shape' has the entry %lld", (long long)v[i]);
    }
    if (open >= 0)
        s.dim[open] = count / known;
    if (known * (open >= 0 ? s.dim[open] : 1) != count)
        return fail(SEPCL_BAD_FILE, "%lld elements do not fill the shape of 'target_shape'", (long long)count);
    return reshaped(b, x, &s);
}

status keras_op_permute(keras_build *b, int arg)
{
    operand  *x, *y;
    int64_t   v[MAX_RANK];
    int       perm[MAX_RANK] = {0};
    uint32_t  seen = 1;
    const int n = cfg_ints(b, "dims", v, MAX_RANK);
    (void)arg;
    TRY(keras_in(b, 0, &x));
    bool ok = n == x->shape.rank - 1;
    for (int i = 0; ok && i < n; i++) {
        ok = v[i] >= 1 && v[i] <= n && !(seen >> v[i] & 1);
        seen |= ok ? 1u << v[i] : 0;
        perm[i + 1] = ok ? (int)v[i] : 0;
    }
    if (!ok)
        return fail(SEPCL_BAD_FILE, "setting 'dims' is no order of %d axes", x->shape.rank - 1);
    TRY(emit_transpose(&b->common, x, perm, &y));
    keras_out(b, y);
    return SEPCL_OK;
}

status keras_op_repeat_vector(keras_build *b, int arg)
{
    operand      *x, *y;
    const int64_t n = cfg_int(b, "n", 0);
    (void)arg;
    TRY(keras_in_rank(b, 0, 2, &x));
    if (n < 1 || n > INT32_MAX)
        return fail(SEPCL_BAD_FILE, "setting 'n' is %lld", (long long)n);
    const shape row = {3, {x->shape.dim[0], 1, x->shape.dim[1]}}, rows = {3, {x->shape.dim[0], n, x->shape.dim[1]}};
    TRY(emit_reshape(&b->common, x, &row, &y));
    TRY(emit_expand(&b->common, y, &rows, &y));
    keras_out(b, y);
    return SEPCL_OK;
}

/* ---------------------------------------------------------------- margins */

/* The tensor's axis for height (0) or width (1) of a layer with so many spatial axes. */
static int axis_of(const keras_build *b, int axes, int axis)
{
    return (b->common.channels_first ? 2 : 1) + axis - (2 - axes);
}

status keras_op_zero_padding(keras_build *b, int axes)
{
    operand *x, *y;
    int64_t  margins[4];
    attr_pad a = {.mode = PAD_CONSTANT};
    if (axes == 2)
        cfg_order(b);
    TRY(keras_in_rank(b, 0, axes + 2, &x));
    cfg_margins(b, "padding", axes, margins);
    for (int i = 2 - axes; i < 2; i++) {
        a.before[axis_of(b, axes, i)] = margins[i];
        a.after[axis_of(b, axes, i)] = margins[i + 2];
    }
    TRY(emit_pad(&b->common, x, &a, &y));
    keras_out(b, y);
    return SEPCL_OK;
}

status keras_op_cropping(keras_build *b, int axes)
{
    operand   *x, *y;
    int64_t    margins[4];
    attr_slice a = {{0}, {0}, {0}};
    if (axes == 2)
        cfg_order(b);
    TRY(keras_in_rank(b, 0, axes + 2, &x));
    cfg_margins(b, "cropping", axes, margins);
    for (int i = 0; i < x->shape.rank; i++) {
        a.step[i] = 1;
        a.size[i] = x->shape.dim[i];
    }
    for (int i = 2 - axes; i < 2; i++) {
        const int at = axis_of(b, axes, i);
        a.start[at] = margins[i];
        a.size[at] -= margins[i] + margins[i + 2];
        if (a.size[at] < 1)
            return fail(SEPCL_BAD_FILE, "margins of %lld and %lld leave nothing of an extent of %lld",
                        (long long)margins[i], (long long)margins[i + 2], (long long)x->shape.dim[at]);
    }
    TRY(emit_slice(&b->common, x, &a, &y));
    keras_out(b, y);
    return SEPCL_OK;
}

/* ---------------------------------------------------------------- upsampling */

status keras_op_up_sampling(keras_build *b, int axes)
{
    static const char *const modes[] = {"nearest", "bilinear", NULL};
    operand                 *x, *y;
    int                      size[2] = {1, 1};
    attr_resize              a = {.mode = RESIZE_NEAREST, .coordinates = RESIZE_ASYMMETRIC, .round = RESIZE_FLOOR};
    if (axes == 2)
        cfg_order(b);
    TRY(keras_in_rank(b, 0, axes + 2, &x));
    for (int i = 2 - axes; i < 2; i++)
        size[i] = 2;
    cfg_pair(b, "size", axes, 1, size);
    if (axes == 2 && cfg_choice(b, "interpolation", modes, 0) == 1) {
        a.mode = RESIZE_LINEAR;
        a.coordinates = RESIZE_HALF_PIXEL;
    }
    for (int i = 0; i < 2; i++) {
        a.size[i] = import_extent(&b->common, x, i) * size[i];
        a.scale[i] = size[i];
    }
    TRY(emit_resize(&b->common, x, &a, &y));
    keras_out(b, y);
    return SEPCL_OK;
}
