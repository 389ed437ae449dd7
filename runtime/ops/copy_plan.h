/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Strided copies: what transpose, slice, expand, concat and cast have in common. An op describes its copies by axes;
 * merging and the choice of a kernel are done here, once.
 */
#ifndef SEPCL_OPS_COPY_PLAN_H
#define SEPCL_OPS_COPY_PLAN_H

#include "ir/op.h"

/* One axis of a copy: extent, and how far apart its elements are in either buffer, in elements. */
typedef struct copy_axis {
    int64_t extent, in, out;
} copy_axis;

/* Outermost axis first, in the order of the output's memory. */
typedef struct copy_plan {
    int       input; /* slot of the node */
    int       rank;
    copy_axis axis[MAX_RANK];
    int64_t   in_offset, out_offset;
} copy_plan;

/* How many copies a node is made of, and the k-th. */
int  copy_count(const node_view *v);
void copy_describe(const node_view *v, int k, copy_plan *out);

/* Drops axes of extent 1 and joins neighbours that are one run in both buffers. */
void copy_merge(copy_plan *c);

/* Each op's description, in its own file. */
void transpose_copy(const node_view *v, copy_plan *out);
void slice_copy(const node_view *v, copy_plan *out);
void expand_copy(const node_view *v, copy_plan *out);
void concat_copy(const node_view *v, int k, copy_plan *out);
void cast_copy(const node_view *v, copy_plan *out);

/* The rows of these ops, and the two that serve concat's inputs one by one. */
extern const kernel_def copy_kernels[];
bool   copy_fits(const node_view *v, const caps *c, const int *p);
void   copy_launch(const node_view *v, const caps *c, const int *p, launch_list *out);
double copy_cost(const node_view *v, const caps *c, const int *p);
void   copy_launch_strided(const node_view *v, const caps *c, const int *p, launch_list *out);
double copy_cost_strided(const node_view *v, const caps *c, const int *p);

/* Bytes read and written; no arithmetic. */
void copy_bytes(const node_view *v, op_count *out);

/* For references, which know nothing of plans: the next index of a shape, last axis first; false after the last. */
static inline bool index_next(const shape *s, int64_t index[MAX_RANK])
{
    for (int i = s->rank - 1; i >= 0; i--) {
        if (++index[i] < s->dim[i])
            return true;
        index[i] = 0;
    }
    return false;
}

/* Position of an index in a dense tensor. */
static inline int64_t index_at(const shape *s, const int64_t index[MAX_RANK])
{
    int64_t at = 0;
    for (int i = 0; i < s->rank; i++)
        at = at * s->dim[i] + index[i];
    return at;
}

/* ---------------------------------------------------------------- sharing work out, for other kernels too */

/* A work-item's part of an (outer, mid, len) space. */
typedef struct chunks {
    int64_t outer, mid, len;
    int64_t items; /* how many work-items that makes */
} chunks;

/* Chunks for about count / elements_per_item work-items: outer is split first, then mid in multiples of mid_step, then
   len in multiples of len_step. A step of 0 keeps the axis whole. */
chunks chunks_for(const caps *c, int vec, const int64_t extent[3], int64_t mid_step, int64_t len_step);

/* Whether a vector of v elements is the one to take on this device (cost 1), or how far from it it is. */
double vector_cost(const caps *c, int v);

#endif
