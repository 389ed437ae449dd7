/* SPDX-License-Identifier: Apache-2.0 */
/* Graph ops in terms of the file's shapes and axes; the operands' memory orders are seen to here. */
#include <string.h>

#include "base/size.h"
#include "import/build.h"

status emit_unary(import_build *b, operand *x, act f, operand **out)
{
    form in;
    if (f.kind == ACT_NONE) {
        *out = x;
        return SEPCL_OK;
    }
    if (x->is_const && (!operand_is_float(x) || operand_count(x) <= FOLD_SMALL))
        return fold_unary(b, x, f, out);
    TRY(operand_any(b, x, &in));
    return operand_node(b, OP_UNARY, &(attrs){.unary.f = f}, &in.id, 1, &in.at, x->shape.rank, out);
}

status emit_binary(import_build *b, binary_kind kind, operand *x, operand *y, operand **out)
{
    shape    s;
    operand *pair[2] = {x, y};
    value_id in[2];
    char     tx[SHAPE_TEXT], ty[SHAPE_TEXT];
    if (!shape_broadcast(&x->shape, &y->shape, &s))
        return fail(SEPCL_BAD_FILE, "shapes %s and %s cannot be broadcast to each other", shape_text(&x->shape, tx),
                    shape_text(&y->shape, ty));
    const int64_t count = shape_count(&s);
    if (x->is_const && y->is_const && (!operand_is_float(x) || (count >= 0 && count <= FOLD_SMALL)))
        return fold_binary(b, kind, x, y, out);
    const layout l = operands_layout(b, pair, 2, s.rank);
    for (int i = 0; i < 2; i++) {
        TRY(emit_rank(b, pair[i], s.rank, &pair[i]));
        TRY(operand_get(b, pair[i], &l, &in[i]));
    }
    return operand_node(b, OP_BINARY, &(attrs){.binary.kind = kind}, in, 2, &l, s.rank, out);
}

status emit_where(import_build *b, operand *test, operand *x, operand *y, operand **out)
{
    shape    s;
    operand *all[3] = {test, x, y};
    value_id in[3];
    char     one[SHAPE_TEXT], other[SHAPE_TEXT];
    TRY(emit_number(b, test, &all[0]));
    s = x->shape;
    for (int i = 0; i < 3; i++) {
        const shape before = s;
        if (!shape_broadcast(&before, &all[i]->shape, &s))
            return fail(SEPCL_BAD_FILE, "shapes %s and %s cannot be broadcast to each other", shape_text(&before, one),
                        shape_text(&all[i]->shape, other));
    }
    const layout l = operands_layout(b, all, 3, s.rank);
    for (int i = 0; i < 3; i++) {
        TRY(emit_rank(b, all[i], s.rank, &all[i]));
        TRY(operand_get(b, all[i], &l, &in[i]));
    }
    return operand_node(b, OP_WHERE, NULL, in, 3, &l, s.rank, out);
}

status emit_number(import_build *b, operand *x, operand **out)
{
    *out = x;
    if (operand_is_float(x))
        return SEPCL_OK;
    if (x->type != DT_BOOL)
        return fail(SEPCL_BAD_FILE, "'%s' is a tensor of type %s, and should be one of bool",
                    x->name ? x->name : b->node, dtype_name(x->type));
    if (x->is_const)
        return fold_cast(b, x, DT_F32, out);
    operand *r = operand_new(b);
    if (!r)
        return SEPCL_OUT_OF_MEMORY;
    *r = *x; /* the graph's value is 0 and 1 already */
    r->type = DT_F32;
    r->name = NULL;
    r->fresh = false;
    *out = r;
    return SEPCL_OK;
}

status emit_not(import_build *b, operand *x, operand **out)
{
    if (x->is_const)
        return fold_not(b, x, out);
    TRY(emit_number(b, x, &x));
    return emit_unary(b, x, (act){ACT_AFFINE, -1, 1}, out);
}

/* The layout of what is left when dimensions go away: dropped has the dimensions of the layout, kept the file's axes.
 */
static layout without(const layout *l, uint32_t dropped, const int *kept, int n_kept)
{
    layout r = {.rank = 0};
    int    moved[MAX_RANK];
    for (int k = 0; k < l->rank; k++)
        moved[k] = dropped >> k & 1 ? -1 : r.rank++;
    for (int i = 0; i < n_kept; i++)
        r.pos[i] = (int8_t)moved[l->pos[kept[i]]];
    return r;
}

status emit_reduce(import_build *b, reduce_kind kind, operand *x, uint32_t axes, bool keepdims, operand **out)
{
    form in;
    int  kept[MAX_RANK], n_kept = 0;
    if (x->is_const && (!operand_is_float(x) || operand_count(x) <= FOLD_SMALL))
        return fold_reduce(b, kind, x, axes, keepdims, out);
    TRY(operand_any(b, x, &in));
    attrs    a = {.reduce = {.kind = kind, .keepdims = keepdims}};
    uint32_t held = 0;
    for (int i = 0; i < x->shape.rank; i++) {
        held |= 1u << in.at.pos[i];
        if (axes >> i & 1)
            a.reduce.axes |= 1u << in.at.pos[i];
        else
            kept[n_kept++] = i;
    }
    if (keepdims)
        return operand_node(b, OP_REDUCE, &a, &in.id, 1, &in.at, x->shape.rank, out);
    /* dimensions of 1 that stand for no axis go too */
    a.reduce.axes |= ((1u << in.at.rank) - 1) & ~held;
    const layout l = without(&in.at, a.reduce.axes, kept, n_kept);
    return operand_node(b, OP_REDUCE, &a, &in.id, 1, &l, n_kept, out);
}

status emit_softmax(import_build *b, operand *x, int axis, bool log, operand **out)
{
    form in;
    TRY(operand_any(b, x, &in));
    const attrs a = {.softmax = {.axis = in.at.pos[axis], .log = log}};
    return operand_node(b, OP_SOFTMAX, &a, &in.id, 1, &in.at, x->shape.rank, out);
}

/* ---------------------------------------------------------------- concat */

static status concat_shape(operand *const *x, int n, int axis, shape *s)
{
    char one[SHAPE_TEXT], other[SHAPE_TEXT];
    *s = x[0]->shape;
    for (int i = 1; i < n; i++) {
        bool fits = x[i]->shape.rank == s->rank;
        for (int k = 0; fits && k < s->rank; k++)
            fits = k == axis || x[i]->shape.dim[k] == s->dim[k];
        if (!fits)
            return fail(SEPCL_BAD_FILE, "shapes %s and %s cannot be joined along axis %d",
                        shape_text(&x[0]->shape, one), shape_text(&x[i]->shape, other), axis);
        if (!i64_add(s->dim[axis], x[i]->shape.dim[axis], &s->dim[axis]))
            return fail(SEPCL_BAD_FILE, "the joined axis is too long");
    }
    return SEPCL_OK;
}

status emit_concat(import_build *b, operand **x, int n, int axis, operand **out)
{
    shape s;
    int   used = 0;
    bool  all_const = true;
    TRY(concat_shape(x, n, axis, &s));
    for (int i = 0; i < n; i++)
        all_const &= x[i]->is_const;
    if (all_const)
        return fold_concat(b, x, n, axis, &s, out);
    value_id *in = arena_array(&b->memory, (size_t)n, sizeof *in);
    if (!in)
        return SEPCL_OUT_OF_MEMORY;
    const layout l = operands_layout(b, x, n, s.rank);
    for (int i = 0; i < n; i++)
        if (operand_count(x[i]) > 0)
            TRY(operand_get(b, x[i], &l, &in[used++]));
    return operand_node(b, OP_CONCAT, &(attrs){.concat.axis = l.pos[axis]}, in, used, &l, s.rank, out);
}

/* ---------------------------------------------------------------- slice, pad, transpose, expand */

static status slice_const(import_build *b, const operand *x, const attr_slice *a, const shape *s, operand **out)
{
    strided box = {.rank = s->rank};
    int64_t stride[MAX_RANK];
    shape_strides(&x->shape, stride);
    for (int i = 0; i < s->rank; i++) {
        box.dim[i] = s->dim[i];
        box.stride[i] = stride[i] * a->step[i];
        box.offset += stride[i] * a->start[i];
    }
    return fold_strided(b, x, &box, s, out);
}

status emit_slice(import_build *b, operand *x, const attr_slice *a, operand **out)
{
    shape s = {.rank = x->shape.rank};
    bool  whole = true;
    for (int i = 0; i < s.rank; i++) {
        s.dim[i] = a->size[i];
        whole &= a->size[i] == x->shape.dim[i] && a->start[i] == 0;
    }
    if (whole) {
        *out = x;
        return SEPCL_OK;
    }
    if (x->is_const)
        return slice_const(b, x, a, &s, out);
    if (shape_count(&s) == 0) { /* a join leaves it out again */
        void *none;
        return fold_new(b, x->type, &s, 0, out, &none);
    }
    const form in = operand_here(b, x);
    attrs      g = {0};
    for (int k = 0; k < in.at.rank; k++)
        g.slice.step[k] = g.slice.size[k] = 1;
    for (int i = 0; i < s.rank; i++) {
        g.slice.start[in.at.pos[i]] = a->start[i];
        g.slice.step[in.at.pos[i]] = a->size[i] == 1 ? 1 : a->step[i];
        g.slice.size[in.at.pos[i]] = a->size[i];
    }
    return operand_node(b, OP_SLICE, &g, &in.id, 1, &in.at, s.rank, out);
}

status emit_pad(import_build *b, operand *x, const attr_pad *a, operand **out)
{
    form in;
    bool none = true;
    for (int i = 0; i < x->shape.rank; i++)
        none &= a->before[i] == 0 && a->after[i] == 0;
    if (none) {
        *out = x;
        return SEPCL_OK;
    }
    TRY(operand_any(b, x, &in));
    attrs g = {.pad = {.mode = a->mode, .value = a->value}};
    for (int i = 0; i < x->shape.rank; i++) {
        g.pad.before[in.at.pos[i]] = a->before[i];
        g.pad.after[in.at.pos[i]] = a->after[i];
    }
    return operand_node(b, OP_PAD, &g, &in.id, 1, &in.at, x->shape.rank, out);
}

static status transpose_const(import_build *b, const operand *x, const int *perm, const shape *s, operand **out)
{
    strided box = {.rank = s->rank};
    int64_t stride[MAX_RANK];
    shape_strides(&x->shape, stride);
    for (int i = 0; i < s->rank; i++) {
        box.dim[i] = s->dim[i];
        box.stride[i] = stride[perm[i]];
    }
    return fold_strided(b, x, &box, s, out);
}

status emit_transpose(import_build *b, operand *x, const int *perm, operand **out)
{
    shape s = {.rank = x->shape.rank};
    for (int i = 0; i < s.rank; i++)
        s.dim[i] = x->shape.dim[perm[i]];
    if (x->is_const)
        return transpose_const(b, x, perm, &s, out);
    operand *r = operand_new(b);
    if (!r)
        return SEPCL_OUT_OF_MEMORY;
    /* the same values under other axis numbers; whoever asks for an order moves them */
    *r = *x;
    r->name = NULL;
    r->fresh = false;
    r->shape = s;
    for (int f = 0; f < x->n_forms; f++)
        for (int i = 0; i < s.rank; i++)
            r->forms[f].at.pos[i] = x->forms[f].at.pos[perm[i]];
    *out = r;
    return SEPCL_OK;
}

static status expand_const(import_build *b, const operand *x, const shape *s, operand **out)
{
    strided   box = {.rank = s->rank};
    int64_t   stride[MAX_RANK];
    const int lead = s->rank - x->shape.rank;
    shape_strides(&x->shape, stride);
    for (int i = 0; i < s->rank; i++) {
        box.dim[i] = s->dim[i];
        box.stride[i] = i < lead || x->shape.dim[i - lead] == 1 ? 0 : stride[i - lead];
    }
    return fold_strided(b, x, &box, s, out);
}

status emit_expand(import_build *b, operand *x, const shape *s, operand **out)
{
    if (shape_equal(s, &x->shape)) {
        *out = x;
        return SEPCL_OK;
    }
    if (x->is_const)
        return expand_const(b, x, s, out);
    TRY(emit_rank(b, x, s->rank, &x));
    const form  in = operand_here(b, x);
    const attrs a = {.expand.shape = layout_shape(&in.at, s)};
    return operand_node(b, OP_EXPAND, &a, &in.id, 1, &in.at, s->rank, out);
}

/* ---------------------------------------------------------------- tile */

static status tile_const(import_build *b, const operand *x, const int64_t *repeats, const shape *s, operand **out)
{
    const int n = x->shape.rank;
    strided   box = {.rank = 2 * n};
    int64_t   stride[MAX_RANK];
    shape_strides(&x->shape, stride);
    for (int i = 0; i < n; i++) {
        box.dim[2 * i] = repeats[i];
        box.dim[2 * i + 1] = x->shape.dim[i];
        box.stride[2 * i + 1] = stride[i];
    }
    return fold_strided(b, x, &box, s, out);
}

/* One axis at a time, in the order that is on hand: an axis of 1 before it, expanded, and joined with it again. */
static status tile_axis(import_build *b, operand *x, int axis, int64_t n, operand **out)
{
    value_id   id;
    operand   *wide;
    const form in = operand_here(b, x);
    const int  k = in.at.pos[axis];
    shape      split = {.rank = in.at.rank + 1}, whole = layout_shape(&in.at, &x->shape);
    if (split.rank > MAX_RANK)
        return fail(SEPCL_UNSUPPORTED, "%d dimensions and one to repeat are above the limit of %d", in.at.rank,
                    MAX_RANK);
    for (int i = 0; i < split.rank; i++)
        split.dim[i] = i == k ? 1 : whole.dim[i - (i > k)];
    const layout l = layout_plain(split.rank);
    TRY(operand_view(b, in.id, &split, b->node, &id));
    split.dim[k] = n;
    whole.dim[k] *= n;
    TRY(operand_node(b, OP_EXPAND, &(attrs){.expand.shape = split}, &id, 1, &l, split.rank, &wide));
    TRY(operand_view(b, wide->forms[0].id, &whole, b->node, &id));
    wide->shape = x->shape;
    wide->shape.dim[axis] *= n;
    wide->forms[0] = (form){id, in.at};
    *out = wide;
    return SEPCL_OK;
}

status emit_tile(import_build *b, operand *x, const int64_t *repeats, operand **out)
{
    shape s = x->shape;
    for (int i = 0; i < s.rank; i++)
        if (repeats[i] < 0 || !i64_mul(s.dim[i], repeats[i], &s.dim[i]))
            return fail(SEPCL_BAD_FILE, "repeat %d is %lld", i, (long long)repeats[i]);
    if (shape_count(&s) < 0)
        return fail(SEPCL_UNSUPPORTED, "the repeated tensor has too many elements");
    if (x->is_const)
        return tile_const(b, x, repeats, &s, out);
    if (shape_count(&s) == 0) {
        void *none;
        return fold_new(b, x->type, &s, 0, out, &none);
    }
    for (int i = 0; i < s.rank; i++)
        if (repeats[i] != 1)
            TRY(tile_axis(b, x, i, repeats[i], &x));
    *out = x;
    return SEPCL_OK;
}

/* ---------------------------------------------------------------- gather */

/* Indices as int64, none of them negative. */
static status gather_indices(import_build *b, const operand *x, int64_t extent, operand **out)
{
    const int64_t n = operand_count(x);
    void         *to;
    TRY(fold_new(b, DT_I64, &(shape){1, {n}}, FOLD_LARGE, out, &to));
    for (int64_t i = 0; i < n; i++) {
        const int64_t v = data_int(x->type, x->data, i);
        if (v < -extent || v >= extent)
            return fail(SEPCL_BAD_FILE, "index %lld is outside an axis of %lld", (long long)v, (long long)extent);
        ((int64_t *)to)[i] = v < 0 ? v + extent : v;
    }
    return SEPCL_OK;
}

status emit_gather(import_build *b, operand *x, int axis, operand *indices, operand **out)
{
    operand *flat;
    if (!indices->is_const || operand_is_float(indices))
        return fail(SEPCL_UNSUPPORTED, "the indices have to be integer constants");
    if (x->shape.rank + indices->shape.rank - 1 > MAX_RANK)
        return fail(SEPCL_UNSUPPORTED, "the result has more than %d dimensions", MAX_RANK);
    TRY(gather_indices(b, indices, x->shape.dim[axis], &flat));
    shape s = {.rank = x->shape.rank + indices->shape.rank - 1};
    for (int i = 0; i < s.rank; i++)
        s.dim[i] = i < axis                         ? x->shape.dim[i]
                   : i < axis + indices->shape.rank ? indices->shape.dim[i - axis]
                                                    : x->shape.dim[i - indices->shape.rank + 1];
    operand *taken;
    if (x->is_const) {
        TRY(fold_gather(b, x, axis, flat, &taken));
    } else if (operand_count(flat) == 1) {
        attr_slice a;
        for (int i = 0; i < x->shape.rank; i++) {
            a.start[i] = i == axis ? *(const int64_t *)flat->data : 0;
            a.step[i] = 1;
            a.size[i] = i == axis ? 1 : x->shape.dim[i];
        }
        TRY(emit_slice(b, x, &a, &taken));
    } else if (operand_count(flat) == 0) {
        return fail(SEPCL_UNSUPPORTED, "the result has no elements");
    } else {
        const form     in = operand_here(b, x);
        const value_id index = graph_const(b->g, indices->name, DT_I64, &flat->shape, flat->data, false);
        if (index < 0)
            return SEPCL_OUT_OF_MEMORY;
        TRY(operand_node(b, OP_GATHER, &(attrs){.gather.axis = in.at.pos[axis]}, (value_id[]){in.id, index}, 2, &in.at,
                         x->shape.rank, &taken));
    }
    return emit_reshape(b, taken, &s, out);
}

/* ---------------------------------------------------------------- resize, rearrange */

status emit_resize(import_build *b, operand *x, const attr_resize *a, operand **out)
{
    value_id     in;
    const layout l = layout_last(b, x->shape.rank);
    if (x->shape.rank != 3 && x->shape.rank != 4)
        return fail(SEPCL_UNSUPPORTED, "an input of %d dimensions; 3 and 4 are supported", x->shape.rank);
    TRY(operand_last(b, x, &in));
    return operand_node(b, OP_RESIZE, &(attrs){.resize = *a}, &in, 1, &l, x->shape.rank, out);
}

status emit_rearrange(import_build *b, operand *x, const shape *split, const int *perm, const shape *whole,
                      operand **out)
{
    operand *y;
    TRY(emit_reshape(b, x, split, &y));
    TRY(emit_transpose(b, y, perm, &y));
    return emit_reshape(b, y, whole, out);
}
