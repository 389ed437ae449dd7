/* SPDX-License-Identifier: Apache-2.0 */
/* slice: out[i] = in[start + i * step] along every axis; steps may be negative. */
#include "base/size.h"
#include "ops/copy_plan.h"

static status check(const node_view *v)
{
    const attr_slice *a = &v->n->a.slice;
    const shape      *in = &nv_in(v, 0)->shape;
    for (int i = 0; i < in->rank; i++) {
        int64_t last;
        NEED(a->size[i] >= 0, "the slice of axis %d has the negative size %lld", i, (long long)a->size[i]);
        NEED(a->step[i] != 0, "the slice of axis %d has step 0", i);
        if (a->size[i] == 0)
            continue;
        NEED(i64_mul(a->size[i] - 1, a->step[i], &last) && i64_add(last, a->start[i], &last) && a->start[i] >= 0 &&
                 a->start[i] < in->dim[i] && last >= 0 && last < in->dim[i],
             "the slice of axis %d (start %lld, step %lld, size %lld) leaves the extent %lld", i,
             (long long)a->start[i], (long long)a->step[i], (long long)a->size[i], (long long)in->dim[i]);
    }
    return SEPCL_OK;
}

static status infer(const node_view *v, shape *out)
{
    *out = shape_make(nv_in(v, 0)->shape.rank, v->n->a.slice.size);
    return SEPCL_OK;
}

void slice_copy(const node_view *v, copy_plan *out)
{
    const attr_slice *a = &v->n->a.slice;
    int64_t           in_stride[MAX_RANK], out_stride[MAX_RANK];
    shape_strides(&nv_in(v, 0)->shape, in_stride);
    shape_strides(&nv_out(v, 0)->shape, out_stride);
    out->rank = nv_out(v, 0)->shape.rank;
    for (int i = 0; i < out->rank; i++) {
        /* an axis that is not stepped along may have any step */
        const int64_t step = a->size[i] > 1 ? a->step[i] : 1;
        out->axis[i] = (copy_axis){a->size[i], in_stride[i] * step, out_stride[i]};
        out->in_offset += a->start[i] * in_stride[i];
    }
}

static status ref(const node_view *v, const float *const *in, float *const *out)
{
    const attr_slice *a = &v->n->a.slice;
    const shape      *to = &nv_out(v, 0)->shape, *from = &nv_in(v, 0)->shape;
    int64_t           at[MAX_RANK] = {0}, source[MAX_RANK];
    if (shape_count(to) == 0)
        return SEPCL_OK;
    do {
        for (int i = 0; i < to->rank; i++)
            source[i] = a->start[i] + at[i] * a->step[i];
        out[0][index_at(to, at)] = in[0][index_at(from, source)];
    } while (index_next(to, at));
    return SEPCL_OK;
}

typedef struct slice_case {
    shape   s;
    int64_t start[MAX_RANK], step[MAX_RANK], size[MAX_RANK];
} slice_case;

static bool gen(int i, graph *g)
{
    const slice_case cases[] = {
        {SHAPE(100), {3}, {1}, {90}},
        {SHAPE(100), {99}, {-1}, {100}},
        {SHAPE(100), {97}, {-3}, {33}},
        {SHAPE(5), {4}, {7}, {1}},
        {SHAPE(1, 8, 9, 32), {0, 0, 0, 16}, {1, 1, 1, 1}, {1, 8, 9, 16}},
        {SHAPE(1, 8, 9, 17), {0, 0, 0, 5}, {1, 1, 1, 1}, {1, 8, 9, 12}},
        {SHAPE(1, 8, 9, 17), {0, 0, 0, 5}, {1, 1, 1, 1}, {1, 8, 9, 1}},
        {SHAPE(2, 9, 11, 5), {0, 1, 2, 0}, {1, 2, 3, 1}, {2, 4, 3, 5}},
        {SHAPE(2, 9, 11, 3), {1, 8, 10, 2}, {-1, -1, -1, -1}, {2, 9, 11, 3}},
        {SHAPE(2, 9, 11, 24), {0, 8, 0, 0}, {1, -1, 1, 1}, {2, 9, 11, 24}},
        {SHAPE(1, 30, 30, 8), {0, 1, 1, 0}, {1, 2, 2, 1}, {1, 15, 15, 8}},
        {SHAPE(1, 30, 30, 8), {0, 0, 29, 0}, {1, 1, -2, 2}, {1, 30, 15, 4}},
        {SHAPE(6, 1), {1, 0}, {2, 1}, {3, 1}},
        {SHAPE(4, 5, 6), {1, 2, 3}, {1, 1, 1}, {2, 2, 2}},
        {SHAPE(3, 4, 5, 6, 7), {1, 1, 1, 1, 1}, {1, 2, 3, 2, 4}, {2, 2, 2, 3, 2}},
        {SHAPE(3, 3, 3, 3, 3, 3), {2, 0, 2, 0, 2, 0}, {-1, 2, -2, 1, -1, 2}, {3, 2, 2, 2, 2, 2}},
        {SHAPE(2, 3, 2, 3, 2, 3, 2, 3),
         {1, 2, 1, 2, 1, 2, 1, 2},
         {-1, -2, -1, -1, -1, -2, -1, -1},
         {2, 2, 2, 2, 2, 2, 2, 3}},
    };
    if (i >= (int)(sizeof cases / sizeof *cases))
        return false;
    attrs a = {0};
    for (int k = 0; k < MAX_RANK; k++) {
        a.slice.start[k] = cases[i].start[k];
        a.slice.step[k] = cases[i].step[k];
        a.slice.size[k] = cases[i].size[k];
    }
    const value_id x = test_input(g, "x", &cases[i].s);
    return graph_output(g, graph_op(g, OP_SLICE, "y", &a, &x, 1)) == SEPCL_OK;
}

const op_def op_slice = {
    .name = "slice",
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
