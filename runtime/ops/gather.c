/* SPDX-License-Identifier: Apache-2.0 */
/* gather: slices of a tensor along one axis, picked by a constant list of indices. */
#include "ops/copy_plan.h"

static status check(const node_view *v)
{
    const shape *in = &nv_in(v, 0)->shape;
    const value *index = nv_in(v, 1);
    const int    axis = v->n->a.gather.axis;
    NEED(axis >= 0 && axis < in->rank, "axis %d is outside rank %d", axis, in->rank);
    NEED(index->data, "the indices '%s' are not a constant", index->name);
    NEED(index->type == DT_I64 || index->type == DT_I32, "the indices '%s' are %s, and have to be int64 or int32",
         index->name, dtype_name(index->type));
    NEED(in->rank - 1 + index->shape.rank <= MAX_RANK, "the result would have rank %d, above the limit of %d",
         in->rank - 1 + index->shape.rank, MAX_RANK);
    const int64_t n = shape_count(&index->shape);
    for (int64_t i = 0; i < n; i++) {
        const int64_t at = data_int(index->type, index->data, i);
        if (at < 0 || at >= in->dim[axis])
            return fail(SEPCL_BAD_FILE, "index %lld is outside axis %d of extent %lld", (long long)at, axis,
                        (long long)in->dim[axis]);
    }
    return SEPCL_OK;
}

static status infer(const node_view *v, shape *out)
{
    const shape *in = &nv_in(v, 0)->shape, *index = &nv_in(v, 1)->shape;
    const int    axis = v->n->a.gather.axis;
    *out = (shape){.rank = in->rank - 1 + index->rank};
    for (int i = 0; i < axis; i++)
        out->dim[i] = in->dim[i];
    for (int i = 0; i < index->rank; i++)
        out->dim[axis + i] = index->dim[i];
    for (int i = axis + 1; i < in->rank; i++)
        out->dim[index->rank + i - 1] = in->dim[i];
    return SEPCL_OK;
}

static void count(const node_view *v, op_count *out)
{
    out->bytes = 8 * (uint64_t)shape_count(&nv_out(v, 0)->shape);
}

static status ref(const node_view *v, const float *const *in, float *const *out)
{
    const shape  *s = &nv_in(v, 0)->shape;
    const value  *index = nv_in(v, 1);
    const int     axis = v->n->a.gather.axis;
    const int64_t before = shape_product(s, 0, axis), extent = s->dim[axis],
                  after = shape_product(s, axis + 1, s->rank);
    const int64_t n = shape_count(&index->shape);
    for (int64_t o = 0; o < before; o++)
        for (int64_t i = 0; i < n; i++)
            for (int64_t l = 0; l < after; l++)
                out[0][(o * n + i) * after + l] =
                    in[0][(o * extent + data_int(index->type, index->data, i)) * after + l];
    return SEPCL_OK;
}

static void fill_table(const node_view *v, const int *p, void *dst)
{
    (void)p;
    const value  *index = nv_in(v, 1);
    const int64_t n = shape_count(&index->shape);
    for (int64_t i = 0; i < n; i++)
        ((int32_t *)dst)[i] = (int32_t)data_int(index->type, index->data, i);
}

static void launch_gather(const node_view *v, const caps *c, const int *p, launch_list *out)
{
    const shape  *s = &nv_in(v, 0)->shape;
    const int     axis = v->n->a.gather.axis;
    const int64_t n = shape_count(&nv_in(v, 1)->shape);
    const int64_t extent[3] = {shape_product(s, 0, axis), n, shape_product(s, axis + 1, s->rank)};
    const chunks  part = chunks_for(c, p[0], extent, 1, p[0]);
    const int     table = launch_pack(out, DT_I32, (size_t)n, false, fill_table);
    launch       *k = launch_add(out, 1, part.items, 1, 1);
    arg_in(k, 0);
    arg_packed(k, table);
    arg_out(k, 0);
    arg_i32(k, s->dim[axis]);
    for (int i = 0; i < 3; i++)
        arg_i32(k, extent[i]);
    arg_i32(k, part.outer);
    arg_i32(k, part.mid);
    arg_i32(k, part.len);
}

static const kernel_def kernels[] = {
    {"gather", "gather", "blocks picked by a table", {{"V", {16, 8, 4, 1}}}, copy_fits, launch_gather, copy_cost},
    {0},
};

/* ------------------------------------------------------------------ cases */

static bool gen(int i, graph *g)
{
    const struct {
        shape s;
        int   axis;
        shape index;
        bool  narrow;
    } cases[] = {
        {SHAPE(11), 0, SHAPE(30), false},
        {SHAPE(11), 0, {.rank = 0}, true},
        {SHAPE(6, 40), 0, SHAPE(9), false},
        {SHAPE(6, 40), 1, SHAPE(77), true},
        {SHAPE(5, 6, 17), 1, SHAPE(2, 3), false},
        {SHAPE(5, 6, 3), 2, SHAPE(2, 1, 2), true},
        {SHAPE(2, 7, 9, 32), 3, SHAPE(8), false},
        {SHAPE(2, 7, 9, 32), 1, {.rank = 0}, false},
        {SHAPE(2, 7, 9, 5), 2, SHAPE(4), true},
        {SHAPE(1, 20, 20, 24), 3, SHAPE(24), false},
        {SHAPE(2, 3, 2, 3, 2, 5), 3, SHAPE(2, 2, 2), false},
        {SHAPE(1, 1), 0, SHAPE(1), true},
    };
    if (i >= (int)(sizeof cases / sizeof *cases))
        return false;
    const int64_t  n = shape_count(&cases[i].index), extent = cases[i].s.dim[cases[i].axis];
    const value_id x = test_input(g, "x", &cases[i].s);
    const value_id index = graph_const(g, "index", cases[i].narrow ? DT_I32 : DT_I64, &cases[i].index, NULL, true);
    if (x < 0 || index < 0)
        return false;
    void *data = graph_const_data(g, index);
    for (int64_t k = 0; k < n; k++) {
        const int64_t at = (k * 7 + 3) % extent;
        if (cases[i].narrow)
            ((int32_t *)data)[k] = (int32_t)at;
        else
            ((int64_t *)data)[k] = at;
    }
    const value_id in[2] = {x, index};
    return graph_output(g, graph_op(g, OP_GATHER, "y", &(attrs){.gather = {cases[i].axis}}, in, 2)) == SEPCL_OK;
}

const op_def op_gather = {
    .name = "gather",
    .min_in = 2,
    .max_in = 2,
    .n_out = 1,
    .check = check,
    .infer = infer,
    .count = count,
    .ref = ref,
    .gen = gen,
    .kernels = kernels,
};
