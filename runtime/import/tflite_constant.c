/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Constants of a TFLite file. Dense ones are read where they lie. Sparse ones are stored as a tree: each level is a
 * dimension, or a dimension within blocks of another, in an order of the file's choice. A dense level has all its
 * positions, a sparse one lists those that there are (compressed rows: where each parent's list begins, and the
 * positions). The values stand at the leaves, in the order of a walk through the tree.
 */
#include <string.h>

#include "base/size.h"
#include "import/tflite_build.h"

enum { SPARSITY_ORDER, SPARSITY_BLOCKS, SPARSITY_LEVELS };
enum { LEVEL_FORMAT, LEVEL_SIZE, LEVEL_SEGMENTS_TYPE, LEVEL_SEGMENTS, LEVEL_INDICES_TYPE, LEVEL_INDICES };
enum { FORMAT_DENSE, FORMAT_SPARSE };

typedef struct level {
    bool        sparse;
    int64_t     size;   /* positions */
    int64_t     stride; /* elements of the dense tensor from one position to the next */
    flat_vector segments, indices;
    int64_t     next; /* the first of indices that no parent has had yet */
} level;

typedef struct tree {
    level          levels[2 * MAX_RANK];
    int            n;
    const uint8_t *values;
    size_t         size; /* of an element */
    int64_t        n_values, used;
    uint8_t       *to;
} tree;

static status malformed(const tflite_tensor *t, const char *why)
{
    return fail(SEPCL_BAD_FILE, "sparse constant '%s': %s", t->name, why);
}

/* ---------------------------------------------------------------- the description */

/* The numbers of a union of vectors of 4, 2 or 1 bytes. */
static flat_vector numbers(const flat_table *level, int type_field, int field)
{
    const int        type = flat_u8(level, type_field, 0);
    const flat_table holder = flat_child(level, field);
    return type >= 1 && type <= 3 ? flat_list(&holder, 0, type == 1 ? 4 : type == 2 ? 2 : 1) : (flat_vector){.n = 0};
}

/* A level is axis order[k] of the tensor, or a block of it. */
typedef struct arrangement {
    int     rank, n;
    int     axis[2 * MAX_RANK];  /* of the tensor */
    bool    inner[2 * MAX_RANK]; /* position within a block */
    int64_t block[MAX_RANK];
} arrangement;

static status read_order(const tflite_tensor *t, const flat_table *s, arrangement *p)
{
    const flat_vector order = flat_list(s, SPARSITY_ORDER, 4), blocks = flat_list(s, SPARSITY_BLOCKS, 4);
    uint32_t          seen = 0, blocked = 0;
    *p = (arrangement){.rank = t->shape.rank, .n = (int)order.n};
    if (order.n != (uint64_t)p->rank + blocks.n || order.n > 2 * MAX_RANK)
        return malformed(t, "its order of dimensions does not suit its shape");
    for (int k = 0; k < p->n; k++) {
        const int64_t d = flat_int(&order, (uint32_t)k);
        if (d < 0 || d >= p->n || seen >> d & 1)
            return malformed(t, "its order of dimensions is no permutation");
        seen |= 1u << d;
        p->inner[k] = d >= p->rank;
        const int64_t axis = p->inner[k] ? flat_int(&blocks, (uint32_t)(d - p->rank)) : d;
        if (axis < 0 || axis >= p->rank || (p->inner[k] && blocked >> axis & 1))
            return malformed(t, "its blocks are not of different dimensions");
        if (p->inner[k])
            blocked |= 1u << axis;
        p->axis[k] = (int)axis;
    }
    return SEPCL_OK;
}

/* Extents of blocks, which stand at their own levels. */
static status read_blocks(const tflite_tensor *t, const flat_vector *levels, arrangement *p)
{
    for (int a = 0; a < p->rank; a++)
        p->block[a] = 1;
    for (int k = 0; k < p->n; k++) {
        const flat_table l = flat_item(levels, (uint32_t)k);
        const int64_t    size = flat_i32(&l, LEVEL_SIZE, 0), extent = t->shape.dim[p->axis[k]];
        if (!p->inner[k])
            continue;
        if (size < 1 || size > extent || extent % size)
            return malformed(t, "a block does not divide its dimension");
        p->block[p->axis[k]] = size;
    }
    return SEPCL_OK;
}

static status read_level(const tflite_tensor *t, const flat_table *l, const arrangement *p, int k, level *out)
{
    int64_t       stride[MAX_RANK];
    const int     axis = p->axis[k];
    const int64_t block = p->block[axis];
    shape_strides(&t->shape, stride);
    *out = (level){.sparse = flat_u8(l, LEVEL_FORMAT, 0) == FORMAT_SPARSE};
    out->size = p->inner[k] ? block : t->shape.dim[axis] / block;
    out->stride = stride[axis] * (p->inner[k] ? 1 : block);
    if (!l->at || flat_u8(l, LEVEL_FORMAT, 0) > FORMAT_SPARSE)
        return malformed(t, "a dimension is kept in an unknown way");
    if (!out->sparse)
        return flat_i32(l, LEVEL_SIZE, 0) == out->size ? SEPCL_OK : malformed(t, "a dimension has another extent");
    out->segments = numbers(l, LEVEL_SEGMENTS_TYPE, LEVEL_SEGMENTS);
    out->indices = numbers(l, LEVEL_INDICES_TYPE, LEVEL_INDICES);
    return SEPCL_OK;
}

static status read_tree(const tflite_tensor *t, const flat_table *s, tree *out)
{
    const flat_vector levels = flat_list(s, SPARSITY_LEVELS, 4);
    arrangement       p;
    TRY(read_order(t, s, &p));
    if (levels.n != (uint32_t)p.n)
        return malformed(t, "some of its dimensions are not described");
    TRY(read_blocks(t, &levels, &p));
    *out = (tree){.n = p.n, .values = t->data, .size = dtype_size(t->type)};
    out->n_values = (int64_t)(t->bytes / out->size);
    for (int k = 0; k < p.n; k++) {
        const flat_table l = flat_item(&levels, (uint32_t)k);
        TRY(read_level(t, &l, &p, k, &out->levels[k]));
    }
    return SEPCL_OK;
}

/* ---------------------------------------------------------------- the walk */

static bool walk(tree *t, int depth, int64_t parent, int64_t at);

static bool walk_dense(tree *t, int depth, int64_t parent, int64_t at)
{
    const level *l = &t->levels[depth];
    for (int64_t i = 0; i < l->size; i++)
        if (!walk(t, depth + 1, parent * l->size + i, at + i * l->stride))
            return false;
    return true;
}

/* Lists follow each other without gaps, so that the walk is no longer than the file. */
static bool walk_sparse(tree *t, int depth, int64_t parent, int64_t at)
{
    level *l = &t->levels[depth];
    if (parent + 1 >= l->segments.n)
        return false;
    const int64_t begin = flat_int(&l->segments, (uint32_t)parent), end = flat_int(&l->segments, (uint32_t)parent + 1);
    if (begin != l->next || end < begin || end > l->indices.n)
        return false;
    l->next = end;
    for (int64_t i = begin; i < end; i++) {
        const int64_t index = flat_int(&l->indices, (uint32_t)i);
        if (index < 0 || index >= l->size || !walk(t, depth + 1, i, at + index * l->stride))
            return false;
    }
    return true;
}

/* Goes at most 2 * MAX_RANK deep. */
static bool walk(tree *t, int depth, int64_t parent, int64_t at)
{
    if (depth < t->n)
        return t->levels[depth].sparse ? walk_sparse(t, depth, parent, at) : walk_dense(t, depth, parent, at);
    if (t->used == t->n_values)
        return false;
    memcpy(t->to + (size_t)at * t->size, t->values + (size_t)t->used++ * t->size, t->size);
    return true;
}

static status make_dense(tflite_build *b, const tflite_tensor *t, operand **out)
{
    flat            *f = &tflite_of(b)->file;
    const flat_table s = flat_table_at(f, t->sparsity);
    tree             values;
    void            *to;
    if (t->type != DT_F32 && t->type != DT_F16)
        return fail(SEPCL_UNSUPPORTED, "sparse constant '%s' is of type %s; only floats are supported", t->name,
                    tflite_type_name(t->file_type));
    if (shape_count(&t->shape) < 1)
        return malformed(t, "it has no elements");
    TRY(read_tree(t, &s, &values));
    TRY(tflite_intact(f, "a sparse constant"));
    TRY(fold_new(b, t->type, &t->shape, FOLD_LARGE, out, &to));
    values.to = to;
    if (!walk(&values, 0, 0, 0) || values.used != values.n_values)
        return malformed(t, "its lists of positions and its values do not agree");
    return tflite_intact(f, "a sparse constant");
}

/* ---------------------------------------------------------------- all constants */

status tflite_constant(tflite_build *b, const tflite_tensor *t, operand **out)
{
    void *to;
    if (t->type == DT_NONE)
        return fail(SEPCL_UNSUPPORTED, "constant '%s' is of type %s, which is not supported", t->name,
                    tflite_type_name(t->file_type));
    if (t->sparsity) {
        TRY(make_dense(b, t, out));
    } else if ((uintptr_t)t->data % dtype_size(t->type) == 0) {
        return import_constant(b, t->name, t->type, &t->shape, t->data, out);
    } else {
        TRY(fold_new(b, t->type, &t->shape, FOLD_LARGE, out, &to));
        memcpy(to, t->data, t->bytes);
    }
    (*out)->name = t->name;
    return SEPCL_OK;
}
