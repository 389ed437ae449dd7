/* SPDX-License-Identifier: Apache-2.0 */
/* transpose: out.dim[i] = in.dim[perm[i]]. */
#include "ops/copy_plan.h"

static status check(const node_view *v)
{
    const int rank = nv_in(v, 0)->shape.rank;
    unsigned  seen = 0;
    for (int i = 0; i < rank; i++) {
        const int axis = v->n->a.transpose.perm[i];
        NEED(axis >= 0 && axis < rank, "perm[%d] is %d, outside 0 to %d", i, axis, rank - 1);
        NEED(!(seen >> axis & 1u), "perm names axis %d twice", axis);
        seen |= 1u << axis;
    }
    return SEPCL_OK;
}

static status infer(const node_view *v, shape *out)
{
    const shape *in = &nv_in(v, 0)->shape;
    *out = (shape){.rank = in->rank};
    for (int i = 0; i < in->rank; i++)
        out->dim[i] = in->dim[v->n->a.transpose.perm[i]];
    return SEPCL_OK;
}

void transpose_copy(const node_view *v, copy_plan *out)
{
    int64_t in_stride[MAX_RANK], out_stride[MAX_RANK];
    shape_strides(&nv_in(v, 0)->shape, in_stride);
    shape_strides(&nv_out(v, 0)->shape, out_stride);
    out->rank = nv_out(v, 0)->shape.rank;
    for (int i = 0; i < out->rank; i++)
        out->axis[i] = (copy_axis){nv_out(v, 0)->shape.dim[i], in_stride[v->n->a.transpose.perm[i]], out_stride[i]};
}

static status ref(const node_view *v, const float *const *in, float *const *out)
{
    const shape *to = &nv_out(v, 0)->shape, *from = &nv_in(v, 0)->shape;
    int64_t      at[MAX_RANK] = {0}, source[MAX_RANK];
    if (shape_count(to) == 0)
        return SEPCL_OK;
    do {
        for (int i = 0; i < to->rank; i++)
            source[v->n->a.transpose.perm[i]] = at[i];
        out[0][index_at(to, at)] = in[0][index_at(from, source)];
    } while (index_next(to, at));
    return SEPCL_OK;
}

typedef struct transpose_case {
    shape s;
    int   perm[MAX_RANK];
} transpose_case;

static bool gen(int i, graph *g)
{
    const transpose_case cases[] = {
        /* planes to pixels and back, few channels and many */
        {SHAPE(1, 3, 12, 13), {0, 2, 3, 1}},
        {SHAPE(2, 2, 5, 7), {0, 2, 3, 1}},
        {SHAPE(1, 4, 9, 31), {0, 2, 3, 1}},
        {SHAPE(2, 17, 6, 11), {0, 2, 3, 1}},
        {SHAPE(1, 64, 10, 10), {0, 2, 3, 1}},
        {SHAPE(3, 5, 1, 3), {0, 2, 3, 1}},
        {SHAPE(1, 3, 96, 96), {0, 2, 3, 1}},
        {SHAPE(1, 12, 13, 3), {0, 3, 1, 2}},
        {SHAPE(2, 5, 7, 2), {0, 3, 1, 2}},
        {SHAPE(1, 9, 31, 4), {0, 3, 1, 2}},
        {SHAPE(2, 6, 11, 17), {0, 3, 1, 2}},
        {SHAPE(1, 65, 33, 40), {0, 3, 1, 2}},
        {SHAPE(3, 1, 3, 5), {0, 3, 1, 2}},
        {SHAPE(1, 7, 7, 130), {0, 3, 1, 2}},
        /* matrices, thin and thick */
        {SHAPE(1, 1), {1, 0}},
        {SHAPE(37, 2), {1, 0}},
        {SHAPE(3, 100), {1, 0}},
        {SHAPE(100, 101), {1, 0}},
        {SHAPE(5, 6), {1, 0}},
        /* channel shuffle, depth to space, whole reversals, nothing at all */
        {SHAPE(2, 5, 5, 3, 8), {0, 1, 2, 4, 3}},
        {SHAPE(1, 4, 3, 2, 29), {0, 1, 2, 4, 3}},
        {SHAPE(1, 3, 4, 2, 2, 5), {0, 1, 3, 2, 4, 5}},
        {SHAPE(1, 3, 4, 5, 2, 2), {0, 1, 4, 2, 5, 3}},
        {SHAPE(2, 3, 4, 5, 6), {4, 3, 2, 1, 0}},
        {SHAPE(2, 3, 2, 3, 2, 3, 2, 3), {7, 6, 5, 4, 3, 2, 1, 0}},
        {SHAPE(2, 3, 2, 2, 2, 3, 2, 5), {6, 4, 5, 2, 0, 3, 1, 7}},
        {SHAPE(4, 5, 6), {0, 1, 2}},
        {SHAPE(9), {0}},
        {SHAPE(20, 4, 9), {1, 0, 2}},
    };
    if (i >= (int)(sizeof cases / sizeof *cases))
        return false;
    attrs a = {0};
    for (int k = 0; k < MAX_RANK; k++)
        a.transpose.perm[k] = cases[i].perm[k];
    const value_id x = test_input(g, "x", &cases[i].s);
    return graph_output(g, graph_op(g, OP_TRANSPOSE, "y", &a, &x, 1)) == SEPCL_OK;
}

const op_def op_transpose = {
    .name = "transpose",
    .min_in = 1,
    .max_in = 1,
    .n_out = 1,
    .check = check,
    .infer = infer,
    .count = copy_bytes,
    .ref = ref,
    .gen = gen,
    .kernels = copy_kernels,
};
