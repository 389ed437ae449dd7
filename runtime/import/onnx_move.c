/* SPDX-License-Identifier: Apache-2.0 */
/* Ops that move elements: transpose, join, cut, pad, take, repeat, and blocks between space and channels. */
#include "base/size.h"
#include "import/onnx_build.h"

status onnx_op_transpose(onnx_build *b, int arg)
{
    operand  *x = onnx_in(b, 0), *y;
    int64_t   given[MAX_RANK];
    int       perm[MAX_RANK];
    uint32_t  seen = 0;
    const int n = attr_ints(b, "perm", given, MAX_RANK), rank = x->shape.rank;
    (void)arg;
    if (n >= 0 && n != rank)
        return fail(SEPCL_BAD_FILE, "perm has %d entries for %d dimensions", n, rank);
    for (int i = 0; i < rank; i++) {
        const int64_t p = n < 0 ? rank - 1 - i : given[i];
        if (p < 0 || p >= rank || seen >> p & 1)
            return fail(SEPCL_BAD_FILE, "perm is not a permutation: entry %d is %lld", i, (long long)p);
        seen |= 1u << p;
        perm[i] = (int)p;
    }
    TRY(emit_transpose(b, x, perm, &y));
    onnx_out(b, 0, y);
    return SEPCL_OK;
}

status onnx_op_concat(onnx_build *b, int arg)
{
    const int n = onnx_of(b)->n->n_in;
    operand **x = arena_array(&b->memory, (size_t)n, sizeof(operand *)), *y;
    int       axis;
    (void)arg;
    if (!x)
        return SEPCL_OUT_OF_MEMORY;
    bool truth = false;
    for (int i = 0; i < n; i++) {
        if (!(x[i] = onnx_in(b, i)))
            return fail(SEPCL_BAD_FILE, "input %d is missing", i);
        truth |= operand_is_truth(x[i]);
    }
    for (int i = 0; truth && i < n; i++) {
        if (x[i]->type != DT_BOOL)
            return fail(SEPCL_BAD_FILE, "input '%s' is of type %s beside one of bool", x[i]->name,
                        dtype_name(x[i]->type));
        TRY(emit_number(b, x[i], &x[i]));
    }
    if (!attr_has(b, "axis"))
        return fail(SEPCL_BAD_FILE, "attribute 'axis' is missing");
    TRY(import_axis(attr_int(b, "axis", 0), x[0]->shape.rank, &axis));
    TRY(emit_concat(b, x, n, axis, &y));
    if (truth)
        y->type = DT_BOOL;
    onnx_out(b, 0, y);
    return SEPCL_OK;
}

/* ---------------------------------------------------------------- Split */

/* The piece of [begin, begin + size) along an axis, as output i. */
static status split_piece(onnx_build *b, operand *x, int axis, int64_t begin, int64_t size, int i)
{
    attr_slice a;
    operand   *y;
    if (i >= onnx_of(b)->n->n_out || onnx_of(b)->n->out[i] < 0 || !onnx_of(b)->m->names[onnx_of(b)->n->out[i]].needed)
        return SEPCL_OK;
    for (int k = 0; k < x->shape.rank; k++) {
        a.start[k] = k == axis ? begin : 0;
        a.size[k] = k == axis ? size : x->shape.dim[k];
        a.step[k] = 1;
    }
    TRY(emit_slice(b, x, &a, &y));
    onnx_out(b, i, y);
    return SEPCL_OK;
}

status onnx_op_split(onnx_build *b, int arg)
{
    operand     *x = onnx_in(b, 0);
    int          axis;
    const size_t room = onnx_of(b)->n->n_out > 0 ? (size_t)onnx_of(b)->n->n_out : 1;
    int64_t     *sizes = arena_array(&b->memory, room, sizeof *sizes), begin = 0;
    (void)arg;
    if (!sizes)
        return SEPCL_OUT_OF_MEMORY;
    TRY(import_axis(attr_int(b, "axis", 0), x->shape.rank, &axis));
    const int64_t extent = x->shape.dim[axis], pieces = onnx_of(b)->m->opset >= 18
                                                            ? attr_int(b, "num_outputs", onnx_of(b)->n->n_out)
                                                            : onnx_of(b)->n->n_out;
    const int     n = ints_of(b, "split", 1, 13, sizes, (int)room);
    if (b->bad != SEPCL_OK)
        return b->bad;
    if (n >= 0 ? n != onnx_of(b)->n->n_out
               : pieces < 1 || pieces != onnx_of(b)->n->n_out || (onnx_of(b)->m->opset < 18 && extent % pieces))
        return fail(SEPCL_BAD_FILE, "axis %d of extent %lld cannot be split for %d outputs as asked", axis,
                    (long long)extent, onnx_of(b)->n->n_out);
    const int64_t each = n >= 0 ? 0 : div_up(extent, pieces);
    for (int i = 0; i < onnx_of(b)->n->n_out; i++) {
        const int64_t size = n >= 0 ? sizes[i] : i64_min(each, extent - begin);
        if (size < 0 || size > extent - begin)
            return fail(SEPCL_BAD_FILE, "piece %d of %lld elements leaves the extent %lld", i, (long long)size,
                        (long long)extent);
        TRY(split_piece(b, x, axis, begin, size, i));
        begin += size;
    }
    if (begin != extent)
        return fail(SEPCL_BAD_FILE, "the pieces have %lld elements together, but the axis has %lld", (long long)begin,
                    (long long)extent);
    return SEPCL_OK;
}

/* ---------------------------------------------------------------- Slice */

/* Start and size from bounds that may count from the end and lie outside. */
static void clamp_bounds(int64_t extent, int64_t start, int64_t end, int64_t step, attr_slice *a, int axis)
{
    const int64_t low = step > 0 ? 0 : -1, high = step > 0 ? extent : extent - 1;
    start += start < 0 ? extent : 0;
    end += end < 0 ? extent : 0;
    start = i64_min(i64_max(start, step > 0 ? 0 : -1), high);
    end = i64_min(i64_max(end, low), high);
    const int64_t span = step > 0 ? end - start : start - end, stride = step > 0 ? step : -step;
    a->size[axis] = span > 0 ? div_up(span, stride) : 0;
    a->start[axis] = a->size[axis] ? start : 0;
    a->step[axis] = step;
}

/* The four lists; axes and steps may be missing. */
static status read_bounds(onnx_build *b, int64_t v[4][MAX_RANK], int *n_out)
{
    static const char *const names[] = {"starts", "ends", "axes", "steps"};
    int                      n[4];
    for (int k = 0; k < 4; k++)
        n[k] = k == 3 && onnx_of(b)->m->opset < 10 ? -1 : ints_of(b, names[k], k + 1, 10, v[k], MAX_RANK);
    if (b->bad != SEPCL_OK)
        return b->bad;
    if (n[0] < 0 || n[1] != n[0] || (n[2] >= 0 && n[2] != n[0]) || (n[3] >= 0 && n[3] != n[0]))
        return fail(SEPCL_BAD_FILE, "starts, ends, axes and steps have %d, %d, %d and %d entries (-1: none)", n[0],
                    n[1], n[2], n[3]);
    for (int i = 0; i < n[0]; i++) {
        v[2][i] = n[2] < 0 ? i : v[2][i];
        /* beyond this every step does the same */
        v[3][i] = n[3] < 0 ? 1 : i64_max(i64_min(v[3][i], INT32_MAX), -INT32_MAX);
    }
    *n_out = n[0];
    return SEPCL_OK;
}

status onnx_op_slice(onnx_build *b, int arg)
{
    operand   *x = onnx_in(b, 0), *y;
    int64_t    v[4][MAX_RANK];
    int        n = 0;
    attr_slice a;
    uint32_t   seen = 0;
    (void)arg;
    TRY(read_bounds(b, v, &n));
    for (int k = 0; k < x->shape.rank; k++) {
        a.start[k] = 0;
        a.size[k] = x->shape.dim[k];
        a.step[k] = 1;
    }
    for (int i = 0; i < n; i++) {
        int axis;
        TRY(import_axis(v[2][i], x->shape.rank, &axis));
        if (seen >> axis & 1 || v[3][i] == 0)
            return fail(SEPCL_BAD_FILE, "axis %d is %s", axis, v[3][i] == 0 ? "cut in steps of 0" : "given twice");
        seen |= 1u << axis;
        clamp_bounds(x->shape.dim[axis], v[0][i], v[1][i], v[3][i], &a, axis);
    }
    TRY(emit_slice(b, x, &a, &y));
    onnx_out(b, 0, y);
    return SEPCL_OK;
}

/* ---------------------------------------------------------------- Pad */

/* Widths for each axis, begin and end, possibly negative. */
static status read_widths(onnx_build *b, int rank, int64_t before[MAX_RANK], int64_t after[MAX_RANK])
{
    int64_t   v[2 * MAX_RANK], axes[MAX_RANK];
    const int n = ints_of(b, "pads", 1, 11, v, 2 * MAX_RANK);
    int       n_axes = onnx_of(b)->m->opset >= 18 ? param_ints(b, 3, axes, MAX_RANK) : -1;
    if (b->bad != SEPCL_OK)
        return b->bad;
    const int named = n_axes < 0 ? rank : n_axes;
    if (n != 2 * named)
        return fail(SEPCL_BAD_FILE, "the pads have %d entries for %d axes", n, named);
    for (int i = 0; i < rank; i++)
        before[i] = after[i] = 0;
    for (int i = 0; i < named; i++) {
        int axis = i;
        if (n_axes >= 0)
            TRY(import_axis(axes[i], rank, &axis));
        for (int k = i; k < n; k += named)
            if (v[k] > INT32_MAX / 4 || v[k] < -INT32_MAX)
                return fail(SEPCL_UNSUPPORTED, "a pad of %lld is above the limit of %d", (long long)v[k],
                            INT32_MAX / 4);
        before[axis] = v[i];
        after[axis] = v[named + i];
    }
    return SEPCL_OK;
}

/* Negative widths cut; they become 0. */
static status cut_negative(onnx_build *b, operand *x, int64_t *before, int64_t *after, operand **out)
{
    attr_slice a;
    for (int i = 0; i < x->shape.rank; i++) {
        const int64_t first = i64_max(0, -before[i]), last = x->shape.dim[i] + i64_min(0, after[i]);
        a.start[i] = first;
        a.step[i] = 1;
        a.size[i] = last - first;
        if (last <= first)
            return fail(SEPCL_BAD_FILE, "the negative pads of axis %d leave nothing of its extent %lld", i,
                        (long long)x->shape.dim[i]);
        before[i] = i64_max(0, before[i]);
        after[i] = i64_max(0, after[i]);
    }
    return emit_slice(b, x, &a, out);
}

status onnx_op_pad(onnx_build *b, int arg)
{
    static const char *const modes[] = {"constant", "reflect", "edge", "wrap", NULL};
    static const pad_mode    kinds[] = {PAD_CONSTANT, PAD_REFLECT, PAD_EDGE, PAD_WRAP};
    operand                 *x = onnx_in(b, 0), *y;
    attr_pad                 a = {0};
    (void)arg;
    a.mode = kinds[attr_choice(b, "mode", modes, 0)];
    TRY(read_widths(b, x->shape.rank, a.before, a.after));
    if (a.mode == PAD_CONSTANT)
        a.value = onnx_of(b)->m->opset < 11 ? attr_float(b, "value", 0) : param_float(b, 2, 0);
    TRY(cut_negative(b, x, a.before, a.after, &x));
    TRY(emit_pad(b, x, &a, &y));
    onnx_out(b, 0, y);
    return SEPCL_OK;
}

/* ---------------------------------------------------------------- CenterCropPad */

/* The axes that the shape speaks of, and their extents; all of them unless the attribute says which. */
static status read_targets(onnx_build *b, int rank, int64_t target[MAX_RANK])
{
    int64_t   given[MAX_RANK], axes[MAX_RANK];
    const int n = param_ints(b, 1, given, MAX_RANK), n_axes = attr_ints(b, "axes", axes, MAX_RANK);
    if (b->bad != SEPCL_OK)
        return b->bad;
    if (n != (n_axes < 0 ? rank : n_axes))
        return fail(SEPCL_BAD_FILE, "the shape has %d entries for %d axes", n, n_axes < 0 ? rank : n_axes);
    for (int i = 0; i < n; i++) {
        int axis = i;
        if (n_axes >= 0)
            TRY(import_axis(axes[i], rank, &axis));
        if (given[i] < 1 || given[i] > INT32_MAX / 4)
            return fail(SEPCL_BAD_FILE, "the new extent of axis %d is %lld", axis, (long long)given[i]);
        target[axis] = given[i];
    }
    return SEPCL_OK;
}

status onnx_op_center_crop_pad(onnx_build *b, int arg)
{
    operand   *x = onnx_in(b, 0), *y;
    int64_t    target[MAX_RANK];
    attr_slice cut;
    attr_pad   pad = {.mode = PAD_CONSTANT};
    (void)arg;
    for (int i = 0; i < x->shape.rank; i++)
        target[i] = x->shape.dim[i];
    TRY(read_targets(b, x->shape.rank, target));
    for (int i = 0; i < x->shape.rank; i++) {
        const int64_t more = target[i] - x->shape.dim[i];
        cut.step[i] = 1;
        cut.start[i] = more < 0 ? -more / 2 : 0;
        cut.size[i] = i64_min(target[i], x->shape.dim[i]);
        pad.before[i] = more > 0 ? more / 2 : 0;
        pad.after[i] = more > 0 ? more - more / 2 : 0;
    }
    TRY(emit_slice(b, x, &cut, &y));
    TRY(emit_pad(b, y, &pad, &y));
    onnx_out(b, 0, y);
    return SEPCL_OK;
}

/* ---------------------------------------------------------------- Gather, Expand */

status onnx_op_gather(onnx_build *b, int arg)
{
    operand *x = onnx_in(b, 0), *y;
    int      axis;
    (void)arg;
    TRY(import_axis(attr_int(b, "axis", 0), x->shape.rank, &axis));
    TRY(emit_gather(b, x, axis, onnx_in(b, 1), &y));
    onnx_out(b, 0, y);
    return SEPCL_OK;
}

status onnx_op_expand(onnx_build *b, int arg)
{
    operand  *x = onnx_in(b, 0), *y;
    int64_t   dim[MAX_RANK];
    shape     s;
    char      from[SHAPE_TEXT], to[SHAPE_TEXT];
    const int n = param_ints(b, 1, dim, MAX_RANK);
    (void)arg;
    if (n < 0)
        return b->bad;
    const shape want = shape_make(n, dim);
    if (!shape_broadcast(&x->shape, &want, &s))
        return fail(SEPCL_BAD_FILE, "shape %s cannot be expanded to %s", shape_text(&x->shape, from),
                    shape_text(&want, to));
    TRY(emit_expand(b, x, &s, &y));
    onnx_out(b, 0, y);
    return SEPCL_OK;
}

status onnx_op_tile(onnx_build *b, int arg)
{
    operand  *x = onnx_in(b, 0), *y;
    int64_t   repeats[MAX_RANK];
    const int n = param_ints(b, 1, repeats, MAX_RANK);
    (void)arg;
    if (n < 0)
        return b->bad;
    if (n != x->shape.rank)
        return fail(SEPCL_BAD_FILE, "%d repeats for %d dimensions", n, x->shape.rank);
    TRY(emit_tile(b, x, repeats, &y));
    onnx_out(b, 0, y);
    return SEPCL_OK;
}

/* ---------------------------------------------------------------- blocks between space and channels */

static status rearrange(onnx_build *b, const shape *split, const int *perm, const shape *whole)
{
    operand *y;
    TRY(emit_rearrange(b, onnx_in(b, 0), split, perm, whole, &y));
    onnx_out(b, 0, y);
    return SEPCL_OK;
}

enum { DEPTH_FIRST, COLUMNS_FIRST };
static const char *const orders[] = {"DCR", "CRD", NULL};

static status read_block(onnx_build *b, int64_t *size, int *order)
{
    const operand *x = onnx_in(b, 0);
    *size = attr_int(b, "blocksize", 0);
    *order = attr_choice(b, "mode", orders, DEPTH_FIRST);
    if (x->shape.rank != 4)
        return fail(SEPCL_BAD_FILE, "the input has %d dimensions, and should have 4", x->shape.rank);
    return *size >= 1 && *size <= 32767 ? SEPCL_OK : fail(SEPCL_BAD_FILE, "the block size is %lld", (long long)*size);
}

status onnx_op_depth_to_space(onnx_build *b, int arg)
{
    static const int perms[][6] = {[DEPTH_FIRST] = {0, 3, 4, 1, 5, 2}, [COLUMNS_FIRST] = {0, 1, 4, 2, 5, 3}};
    const int64_t   *d = onnx_in(b, 0)->shape.dim;
    int64_t          k;
    int              order;
    (void)arg;
    TRY(read_block(b, &k, &order));
    const int64_t c = d[1] / (k * k);
    if (d[1] % (k * k))
        return fail(SEPCL_BAD_FILE, "%lld channels do not divide by blocks of %lldx%lld", (long long)d[1], (long long)k,
                    (long long)k);
    const shape split =
        order == DEPTH_FIRST ? (shape){6, {d[0], k, k, c, d[2], d[3]}} : (shape){6, {d[0], c, k, k, d[2], d[3]}};
    const shape whole = {4, {d[0], c, d[2] * k, d[3] * k}};
    return rearrange(b, &split, perms[order], &whole);
}

status onnx_op_space_to_depth(onnx_build *b, int arg)
{
    static const int perms[][6] = {[DEPTH_FIRST] = {0, 3, 5, 1, 2, 4}, [COLUMNS_FIRST] = {0, 1, 3, 5, 2, 4}};
    const int64_t   *d = onnx_in(b, 0)->shape.dim;
    int64_t          k;
    int              order;
    (void)arg;
    TRY(read_block(b, &k, &order));
    if (d[2] % k || d[3] % k)
        return fail(SEPCL_BAD_FILE, "%lldx%lld pixels do not divide by blocks of %lldx%lld", (long long)d[2],
                    (long long)d[3], (long long)k, (long long)k);
    const shape split = {6, {d[0], d[1], d[2] / k, k, d[3] / k, k}};
    const shape whole = {4, {d[0], d[1] * k * k, d[2] / k, d[3] / k}};
    return rearrange(b, &split, perms[order], &whole);
}
