/* SPDX-License-Identifier: Apache-2.0 */
/* Ops that move elements: pad, join, cut, transpose, take, repeat, resize, and blocks between space and channels. */
#include "base/size.h"
#include "import/tflite_build.h"

/* ---------------------------------------------------------------- pads */

static status read_widths(tflite_build *b, int rank, attr_pad *a)
{
    int64_t v[2 * MAX_RANK];
    TRY(param_exactly(b, 1, v, 2 * rank));
    for (int i = 0; i < 2 * rank; i++)
        if (v[i] < 0 || v[i] > INT32_MAX / 4)
            return fail(v[i] < 0 ? SEPCL_BAD_FILE : SEPCL_UNSUPPORTED, "a pad of %lld is outside 0 to %d",
                        (long long)v[i], INT32_MAX / 4);
    for (int i = 0; i < rank; i++) {
        a->before[i] = v[2 * i];
        a->after[i] = v[2 * i + 1];
    }
    return SEPCL_OK;
}

static status add_pad(tflite_build *b, const attr_pad *a)
{
    operand *y;
    TRY(emit_pad(b, tflite_in(b, 0), a, &y));
    return tflite_out(b, 0, y);
}

status tflite_op_pad(tflite_build *b, int has_value)
{
    const operand *v = has_value ? tflite_in(b, 2) : NULL;
    attr_pad       a = {.mode = PAD_CONSTANT};
    TRY(read_widths(b, tflite_in(b, 0)->shape.rank, &a));
    if (v && (!v->is_const || !operand_is_float(v) || operand_count(v) != 1))
        return fail(SEPCL_UNSUPPORTED, "the value '%s' has to be a constant of one float", v->name);
    if (v)
        a.value = data_float(v->type, v->data, 0);
    return add_pad(b, &a);
}

status tflite_op_mirror_pad(tflite_build *b, int arg)
{
    enum { MODE };
    const operand *x = tflite_in(b, 0);
    const int      mode = option_byte(b, MODE, 0);
    attr_pad       a = {.mode = mode ? PAD_SYMMETRIC : PAD_REFLECT};
    (void)arg;
    if (mode > 1)
        return fail(SEPCL_BAD_FILE, "mode number %d is unknown", mode);
    TRY(read_widths(b, x->shape.rank, &a));
    for (int i = 0; i < x->shape.rank; i++) {
        const int64_t most = x->shape.dim[i] - (mode ? 0 : 1);
        if (a.before[i] > most || a.after[i] > most)
            return fail(SEPCL_BAD_FILE, "axis %d of extent %lld is padded by %lld and %lld, more than it has to mirror",
                        i, (long long)x->shape.dim[i], (long long)a.before[i], (long long)a.after[i]);
    }
    return add_pad(b, &a);
}

/* ---------------------------------------------------------------- joining */

static status collect(tflite_build *b, operand ***out)
{
    const int n = tflite_of(b)->o->n_in;
    *out = arena_array(&b->memory, (size_t)n, sizeof(operand *));
    if (!*out)
        return SEPCL_OUT_OF_MEMORY;
    for (int i = 0; i < n; i++)
        if (!((*out)[i] = tflite_in(b, i)))
            return fail(SEPCL_BAD_FILE, "input %d is missing", i);
    return SEPCL_OK;
}

status tflite_op_concatenation(tflite_build *b, int arg)
{
    enum { AXIS, ACTIVATION };
    operand **x, *y;
    int       axis;
    (void)arg;
    TRY(collect(b, &x));
    TRY(import_axis(option_int(b, AXIS, 0), x[0]->shape.rank, &axis));
    TRY(emit_concat(b, x, tflite_of(b)->o->n_in, axis, &y));
    return tflite_out_fused(b, option_byte(b, ACTIVATION, 0), y);
}

/* A new axis of 1. */
static status insert_axis(tflite_build *b, operand *x, int axis, operand **out)
{
    shape s = {.rank = x->shape.rank + 1};
    if (s.rank > MAX_RANK)
        return fail(SEPCL_UNSUPPORTED, "the result has more than %d dimensions", MAX_RANK);
    for (int i = 0; i < s.rank; i++)
        s.dim[i] = i == axis ? 1 : x->shape.dim[i - (i > axis)];
    return emit_reshape(b, x, &s, out);
}

status tflite_op_pack(tflite_build *b, int arg)
{
    enum { COUNT, AXIS };
    operand **x, *y;
    int       axis;
    (void)arg;
    TRY(collect(b, &x));
    const shape one = x[0]->shape;
    TRY(import_axis(option_int(b, AXIS, 0), one.rank + 1, &axis));
    for (int i = 0; i < tflite_of(b)->o->n_in; i++) {
        if (!shape_equal(&x[i]->shape, &one))
            return fail(SEPCL_BAD_FILE, "input %d has another shape than the first", i);
        TRY(insert_axis(b, x[i], axis, &x[i]));
    }
    TRY(emit_concat(b, x, tflite_of(b)->o->n_in, axis, &y));
    return tflite_out(b, 0, y);
}

/* ---------------------------------------------------------------- cutting */

static attr_slice whole_of(const operand *x)
{
    attr_slice a = {{0}, {0}, {0}};
    for (int i = 0; i < x->shape.rank; i++) {
        a.step[i] = 1;
        a.size[i] = x->shape.dim[i];
    }
    return a;
}

/* [begin, begin + size) along an axis. */
static status piece(tflite_build *b, operand *x, int axis, int64_t begin, int64_t size, operand **out)
{
    attr_slice a = whole_of(x);
    a.start[axis] = begin;
    a.size[axis] = size;
    return emit_slice(b, x, &a, out);
}

static status read_axis(tflite_build *b, int input, int rank, int *axis)
{
    int64_t v;
    TRY(param_exactly(b, input, &v, 1));
    return import_axis(v, rank, axis);
}

static status split(tflite_build *b, operand *x, int axis, const int64_t *sizes)
{
    int64_t begin = 0;
    for (int i = 0; i < tflite_of(b)->o->n_out; i++) {
        operand *y;
        if (sizes[i] < 0 || sizes[i] > x->shape.dim[axis] - begin)
            break;
        TRY(piece(b, x, axis, begin, sizes[i], &y));
        TRY(tflite_out(b, i, y));
        begin += sizes[i];
    }
    return begin == x->shape.dim[axis]
               ? SEPCL_OK
               : fail(SEPCL_BAD_FILE, "the pieces do not make up the extent %lld", (long long)x->shape.dim[axis]);
}

static int64_t *room_for_sizes(tflite_build *b)
{
    return arena_array(&b->memory, (size_t)tflite_of(b)->o->n_out, sizeof(int64_t));
}

status tflite_op_split(tflite_build *b, int arg)
{
    operand  *x = tflite_in(b, 1);
    const int n = tflite_of(b)->o->n_out;
    int64_t  *sizes = room_for_sizes(b);
    int       axis;
    (void)arg;
    if (!sizes)
        return SEPCL_OUT_OF_MEMORY;
    TRY(read_axis(b, 0, x->shape.rank, &axis));
    for (int i = 0; i < n; i++)
        sizes[i] = x->shape.dim[axis] / n;
    return split(b, x, axis, sizes);
}

status tflite_op_split_v(tflite_build *b, int arg)
{
    operand  *x = tflite_in(b, 0);
    const int n = tflite_of(b)->o->n_out;
    int64_t  *sizes = room_for_sizes(b), known = 0;
    int       axis, open = -1;
    (void)arg;
    if (!sizes)
        return SEPCL_OUT_OF_MEMORY;
    TRY(param_exactly(b, 1, sizes, n));
    TRY(read_axis(b, 2, x->shape.rank, &axis));
    for (int i = 0; i < n; i++)
        if (sizes[i] == -1)
            open = i;
        else if (!i64_add(known, sizes[i], &known))
            return fail(SEPCL_BAD_FILE, "the sizes of the pieces are too large");
    if (open >= 0)
        sizes[open] = x->shape.dim[axis] - known;
    return split(b, x, axis, sizes);
}

status tflite_op_unpack(tflite_build *b, int arg)
{
    enum { COUNT, AXIS };
    operand *x = tflite_in(b, 0), *y;
    int      axis;
    shape    s = {.rank = x->shape.rank - 1};
    (void)arg;
    TRY(import_axis(option_int(b, AXIS, 0), x->shape.rank, &axis));
    if (x->shape.dim[axis] != tflite_of(b)->o->n_out)
        return fail(SEPCL_BAD_FILE, "an axis of extent %lld is to be %d tensors", (long long)x->shape.dim[axis],
                    tflite_of(b)->o->n_out);
    for (int i = 0; i < s.rank; i++)
        s.dim[i] = x->shape.dim[i + (i >= axis)];
    for (int i = 0; i < tflite_of(b)->o->n_out; i++) {
        TRY(piece(b, x, axis, i, 1, &y));
        TRY(emit_reshape(b, y, &s, &y));
        TRY(tflite_out(b, i, y));
    }
    return SEPCL_OK;
}

status tflite_op_slice(tflite_build *b, int arg)
{
    operand   *x = tflite_in(b, 0), *y;
    attr_slice a = whole_of(x);
    const int  rank = x->shape.rank;
    (void)arg;
    TRY(param_exactly(b, 1, a.start, rank));
    TRY(param_exactly(b, 2, a.size, rank));
    for (int i = 0; i < rank; i++) {
        const int64_t extent = x->shape.dim[i];
        if (a.start[i] >= 0 && a.start[i] <= extent && a.size[i] == -1)
            a.size[i] = extent - a.start[i];
        if (a.start[i] < 0 || a.start[i] > extent || a.size[i] < 0 || a.size[i] > extent - a.start[i])
            return fail(SEPCL_BAD_FILE, "%lld elements from %lld on do not lie in axis %d of extent %lld",
                        (long long)a.size[i], (long long)a.start[i], i, (long long)extent);
    }
    TRY(emit_slice(b, x, &a, &y));
    return tflite_out(b, 0, y);
}

status tflite_op_reverse(tflite_build *b, int arg)
{
    operand   *x = tflite_in(b, 0), *y;
    attr_slice a = whole_of(x);
    int64_t    axes[MAX_RANK];
    const int  n = param_ints_at(b, 1, axes, MAX_RANK);
    (void)arg;
    if (b->bad != SEPCL_OK)
        return b->bad;
    for (int i = 0; i < n; i++) {
        int axis;
        TRY(import_axis(axes[i], x->shape.rank, &axis));
        if (x->shape.dim[axis] > 1) {
            a.start[axis] = x->shape.dim[axis] - 1;
            a.step[axis] = -1;
        }
    }
    TRY(emit_slice(b, x, &a, &y));
    return tflite_out(b, 0, y);
}

/* ---------------------------------------------------------------- transpose, take, repeat */

status tflite_op_transpose(tflite_build *b, int arg)
{
    operand *x = tflite_in(b, 0), *y;
    int64_t  given[MAX_RANK];
    int      perm[MAX_RANK];
    uint32_t seen = 0;
    (void)arg;
    TRY(param_exactly(b, 1, given, x->shape.rank));
    for (int i = 0; i < x->shape.rank; i++) {
        TRY(import_axis(given[i], x->shape.rank, &perm[i]));
        if (seen >> perm[i] & 1)
            return fail(SEPCL_BAD_FILE, "the order of the axes has axis %d twice", perm[i]);
        seen |= 1u << perm[i];
    }
    TRY(emit_transpose(b, x, perm, &y));
    return tflite_out(b, 0, y);
}

status tflite_op_gather(tflite_build *b, int arg)
{
    enum { AXIS, BATCH_DIMENSIONS };
    operand *x = tflite_in(b, 0), *y;
    int      axis;
    (void)arg;
    if (option_int(b, BATCH_DIMENSIONS, 0))
        return fail(SEPCL_UNSUPPORTED, "batch dimensions are not supported");
    TRY(import_axis(option_int(b, AXIS, 0), x->shape.rank, &axis));
    TRY(emit_gather(b, x, axis, tflite_in(b, 1), &y));
    return tflite_out(b, 0, y);
}

status tflite_op_broadcast_to(tflite_build *b, int arg)
{
    operand  *x = tflite_in(b, 0), *y;
    int64_t   dim[MAX_RANK];
    shape     s;
    char      from[SHAPE_TEXT], to[SHAPE_TEXT];
    const int n = param_ints_at(b, 1, dim, MAX_RANK);
    (void)arg;
    if (b->bad != SEPCL_OK)
        return b->bad;
    const shape want = shape_make(n, dim);
    if (!shape_broadcast(&x->shape, &want, &s) || !shape_equal(&s, &want))
        return fail(SEPCL_BAD_FILE, "shape %s cannot be expanded to %s", shape_text(&x->shape, from),
                    shape_text(&want, to));
    TRY(emit_expand(b, x, &want, &y));
    return tflite_out(b, 0, y);
}

status tflite_op_tile(tflite_build *b, int arg)
{
    operand *x = tflite_in(b, 0), *y;
    int64_t  count[MAX_RANK];
    (void)arg;
    TRY(param_exactly(b, 1, count, x->shape.rank));
    TRY(emit_tile(b, x, count, &y));
    return tflite_out(b, 0, y);
}

/* ---------------------------------------------------------------- blocks between space and channels */

static status read_block(tflite_build *b, int *block)
{
    enum { BLOCK };
    const operand *x = tflite_in(b, 0);
    *block = option_int(b, BLOCK, 0);
    if (x->shape.rank != 4)
        return fail(SEPCL_BAD_FILE, "the input has %d dimensions, and should have 4", x->shape.rank);
    return *block >= 1 && *block <= 32767 ? SEPCL_OK : fail(SEPCL_BAD_FILE, "the block size is %d", *block);
}

static status rearrange(tflite_build *b, const shape *split, const int *perm, const shape *whole)
{
    operand *y;
    TRY(emit_rearrange(b, tflite_in(b, 0), split, perm, whole, &y));
    return tflite_out(b, 0, y);
}

status tflite_op_depth_to_space(tflite_build *b, int arg)
{
    static const int perm[6] = {0, 1, 3, 2, 4, 5};
    const int64_t   *d = tflite_in(b, 0)->shape.dim;
    int              k;
    (void)arg;
    TRY(read_block(b, &k));
    const int64_t c = d[3] / ((int64_t)k * k);
    if (d[3] % ((int64_t)k * k))
        return fail(SEPCL_BAD_FILE, "%lld channels do not divide by blocks of %dx%d", (long long)d[3], k, k);
    const shape split = {6, {d[0], d[1], d[2], k, k, c}}, whole = {4, {d[0], d[1] * k, d[2] * k, c}};
    return rearrange(b, &split, perm, &whole);
}

status tflite_op_space_to_depth(tflite_build *b, int arg)
{
    static const int perm[6] = {0, 1, 3, 2, 4, 5};
    const int64_t   *d = tflite_in(b, 0)->shape.dim;
    int              k;
    (void)arg;
    TRY(read_block(b, &k));
    if (d[1] % k || d[2] % k)
        return fail(SEPCL_BAD_FILE, "%lldx%lld pixels do not divide by blocks of %dx%d", (long long)d[1],
                    (long long)d[2], k, k);
    const shape split = {6, {d[0], d[1] / k, k, d[2] / k, k, d[3]}};
    const shape whole = {4, {d[0], d[1] / k, d[2] / k, d[3] * k * k}};
    return rearrange(b, &split, perm, &whole);
}

/* ---------------------------------------------------------------- resize */

/* LiteRT multiplies positions by input / output in float32, and rounding has to fall the same way. */
static status resize(tflite_build *b, attr_resize *a, bool corners)
{
    operand *x = tflite_in(b, 0), *y;
    if (x->shape.rank != 4)
        return fail(SEPCL_BAD_FILE, "the input has %d dimensions, and should have 4", x->shape.rank);
    TRY(param_exactly(b, 1, a->size, 2));
    for (int i = 0; i < 2; i++) {
        const int64_t in = x->shape.dim[1 + i], out = a->size[i];
        if (out < 1 || out > INT32_MAX / 4)
            return fail(SEPCL_BAD_FILE, "the new extent %lld is outside 1 to %d", (long long)out, INT32_MAX / 4);
        a->scale[i] = (double)out / (double)in;
        a->step[i] = corners && out > 1 ? (float)(in - 1) / (float)(out - 1) : (float)in / (float)out;
    }
    TRY(emit_resize(b, x, a, &y));
    return tflite_out(b, 0, y);
}

status tflite_op_resize_bilinear(tflite_build *b, int arg)
{
    enum { ALIGN_CORNERS = 2, HALF_PIXEL };
    const bool  corners = option_byte(b, ALIGN_CORNERS, 0) != 0, half = option_byte(b, HALF_PIXEL, 0) != 0;
    attr_resize a = {.mode = RESIZE_LINEAR, .coordinates = half ? RESIZE_HALF_PIXEL : RESIZE_ASYMMETRIC};
    (void)arg;
    if (corners && half)
        return fail(SEPCL_BAD_FILE, "corners and centres cannot both be aligned");
    return resize(b, &a, corners);
}

status tflite_op_resize_nearest(tflite_build *b, int arg)
{
    enum { ALIGN_CORNERS, HALF_PIXEL };
    const bool  corners = option_byte(b, ALIGN_CORNERS, 0) != 0, half = option_byte(b, HALF_PIXEL, 0) != 0;
    attr_resize a = {.mode = RESIZE_NEAREST, .coordinates = half ? RESIZE_TF_HALF_PIXEL_NN : RESIZE_ASYMMETRIC};
    a.round = corners ? RESIZE_ROUND_PREFER_CEIL : RESIZE_FLOOR;
    (void)arg;
    return resize(b, &a, corners);
}
