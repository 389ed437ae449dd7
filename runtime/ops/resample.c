/* SPDX-License-Identifier: Apache-2.0 */
/* resample: every element along one axis is a weighted sum of some elements of the input, by constant tables. */
#include "base/size.h"
#include "ops/copy_plan.h"

enum { X, INDEX, WEIGHT, INPUTS };

static status check(const node_view *v)
{
    const shape *in = &nv_in(v, X)->shape;
    const value *index = nv_in(v, INDEX), *weight = nv_in(v, WEIGHT);
    const int    axis = v->n->a.resample.axis;
    NEED(axis >= 0 && axis < in->rank, "axis %d is outside rank %d", axis, in->rank);
    NEED(index->data && weight->data, "the tables are not constants");
    NEED(index->type == DT_I32 && index->shape.rank == 2 && shape_equal(&index->shape, &weight->shape),
         "indices and weights are not tables of one size");
    const int64_t n = shape_count(&index->shape);
    NEED(n > 0 && shape_count(in) > 0, "there is nothing to resample");
    for (int64_t i = 0; i < n; i++) {
        const int32_t at = ((const int32_t *)index->data)[i];
        NEED(at >= 0 && at < in->dim[axis], "index %d is outside axis %d of extent %lld", (int)at, axis,
             (long long)in->dim[axis]);
    }
    return SEPCL_OK;
}

static status infer(const node_view *v, shape *out)
{
    const int axis = v->n->a.resample.axis;
    *out = nv_in(v, X)->shape;
    if (axis >= 0 && axis < out->rank)
        out->dim[axis] = nv_in(v, INDEX)->shape.dim[0];
    return SEPCL_OK;
}

static int64_t taps_of(const node_view *v)
{
    return nv_in(v, INDEX)->shape.dim[1];
}

static void count(const node_view *v, op_count *out)
{
    const uint64_t n = (uint64_t)shape_count(&nv_out(v, 0)->shape), m = (uint64_t)shape_count(&nv_in(v, X)->shape);
    out->multiplications = n * (uint64_t)taps_of(v);
    out->additions = n * (uint64_t)(taps_of(v) - 1);
    out->bytes = 4 * (n + m);
}

static status ref(const node_view *v, const float *const *in, float *const *out)
{
    const shape   *s = &nv_in(v, X)->shape;
    const int32_t *index = nv_in(v, INDEX)->data;
    const int      axis = v->n->a.resample.axis;
    const int64_t  before = shape_product(s, 0, axis), extent = s->dim[axis], taps = taps_of(v),
                  after = shape_product(s, axis + 1, s->rank), n = nv_out(v, 0)->shape.dim[axis];
    for (int64_t o = 0; o < before; o++)
        for (int64_t m = 0; m < n; m++)
            for (int64_t l = 0; l < after; l++) {
                double sum = 0;
                for (int64_t t = 0; t < taps; t++)
                    sum += (double)in[WEIGHT][m * taps + t] * in[X][(o * extent + index[m * taps + t]) * after + l];
                out[0][(o * n + m) * after + l] = (float)sum;
            }
    return SEPCL_OK;
}

/* ------------------------------------------------------------------ kernel */

static void fill_index(const node_view *v, const int *p, void *dst)
{
    const value  *index = nv_in(v, INDEX);
    const int64_t n = shape_count(&index->shape);
    (void)p;
    for (int64_t i = 0; i < n; i++)
        ((int32_t *)dst)[i] = ((const int32_t *)index->data)[i];
}

static void fill_weight(const node_view *v, const int *p, void *dst)
{
    const value  *weight = nv_in(v, WEIGHT);
    const int64_t n = shape_count(&weight->shape);
    (void)p;
    for (int64_t i = 0; i < n; i++)
        ((float *)dst)[i] = data_float(weight->type, weight->data, i);
}

static void launch_resample(const node_view *v, const caps *c, const int *p, launch_list *out)
{
    const shape  *s = &nv_in(v, X)->shape;
    const int     axis = v->n->a.resample.axis;
    const int64_t mid = nv_out(v, 0)->shape.dim[axis];
    const int64_t extent[3] = {shape_product(s, 0, axis), mid, shape_product(s, axis + 1, s->rank)};
    const size_t  entries = (size_t)shape_count(&nv_in(v, INDEX)->shape);
    const chunks  part = chunks_for(c, p[0], extent, 1, p[0]);
    launch       *k = launch_add(out, 1, part.items, 1, 1);
    arg_in(k, X);
    arg_packed(k, launch_pack(out, DT_I32, entries, false, fill_index));
    arg_packed(k, launch_pack(out, DT_F32, entries, false, fill_weight));
    arg_out(k, 0);
    arg_i32(k, s->dim[axis]);
    arg_i32(k, taps_of(v));
    for (int i = 0; i < 3; i++)
        arg_i32(k, extent[i]);
    arg_i32(k, part.outer);
    arg_i32(k, part.mid);
    arg_i32(k, part.len);
}

/* A vector longer than the run leaves everything to the scalar tail. */
static double cost_resample(const node_view *v, const caps *c, const int *p)
{
    const shape  *s = &nv_in(v, X)->shape;
    const int64_t len = shape_product(s, v->n->a.resample.axis + 1, s->rank);
    return p[0] > len && p[0] > 1 ? 10 + p[0] : vector_cost(c, p[0]);
}

static const kernel_def kernels[] = {
    {"resample",
     "resample",
     "weighted sums by tables",
     {{"V", {16, 8, 4, 1}}},
     copy_fits,
     launch_resample,
     cost_resample},
    {0},
};

/* ------------------------------------------------------------------ cases */

static bool gen(int i, graph *g)
{
    const struct {
        shape   s;
        int     axis;
        int64_t out, taps;
    } cases[] = {
        {SHAPE(1, 5, 7, 16), 1, 9, 4},
        {SHAPE(1, 5, 7, 16), 2, 3, 4},
        {SHAPE(2, 9, 8, 3), 1, 4, 7},
        {SHAPE(2, 9, 8, 3), 2, 31, 2},
        {SHAPE(11), 0, 30, 4},
        {SHAPE(3, 40), 1, 13, 12},
        {SHAPE(2, 3, 4, 5, 17), 2, 8, 1},
        {SHAPE(1, 24, 24, 24), 2, 48, 4},
    };
    if (i >= (int)(sizeof cases / sizeof *cases))
        return false;
    const shape    table = SHAPE(cases[i].out, cases[i].taps);
    const int64_t  n = shape_count(&table), extent = cases[i].s.dim[cases[i].axis];
    const value_id in[INPUTS] = {test_input(g, "x", &cases[i].s), graph_const(g, "index", DT_I32, &table, NULL, true),
                                 test_const(g, "weight", &table)};
    for (int64_t k = 0; in[INDEX] >= 0 && k < n; k++)
        ((int32_t *)graph_const_data(g, in[INDEX]))[k] = (int32_t)((k * 7 + 3) % extent);
    return graph_output(g, graph_op(g, OP_RESAMPLE, "y", &(attrs){.resample = {cases[i].axis}}, in, INPUTS)) ==
           SEPCL_OK;
}

const op_def op_resample = {
    .name = "resample",
    .min_in = INPUTS,
    .max_in = INPUTS,
    .n_out = 1,
    .check = check,
    .infer = infer,
    .count = count,
    .ref = ref,
    .gen = gen,
    .kernels = kernels,
};
