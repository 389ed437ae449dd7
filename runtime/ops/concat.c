/* SPDX-License-Identifier: Apache-2.0 */
/* concat: inputs joined along one axis. */
#include "base/size.h"
#include "ops/copy_plan.h"

static status check(const node_view *v)
{
    const shape *first = &nv_in(v, 0)->shape;
    const int    axis = v->n->a.concat.axis;
    char         a[SHAPE_TEXT], b[SHAPE_TEXT];
    NEED(axis >= 0 && axis < first->rank, "axis %d is outside rank %d", axis, first->rank);
    int64_t sum = 0;
    for (int k = 0; k < v->n->n_in; k++) {
        NEED(nv_has(v, k), "input %d is missing", k);
        const shape *s = &nv_in(v, k)->shape;
        bool         same = s->rank == first->rank;
        for (int i = 0; same && i < s->rank; i++)
            same = i == axis || s->dim[i] == first->dim[i];
        if (!same)
            return fail(SEPCL_BAD_FILE, "input %d of shape %s can't be joined to %s along axis %d", k, shape_text(s, a),
                        shape_text(first, b), axis);
        NEED(i64_add(sum, s->dim[axis], &sum), "the joined extent is above the limits");
    }
    return SEPCL_OK;
}

static status infer(const node_view *v, shape *out)
{
    const int axis = v->n->a.concat.axis;
    *out = nv_in(v, 0)->shape;
    for (int k = 1; k < v->n->n_in; k++)
        out->dim[axis] += nv_in(v, k)->shape.dim[axis];
    return SEPCL_OK;
}

void concat_copy(const node_view *v, int k, copy_plan *out)
{
    const shape *s = &nv_in(v, k)->shape;
    const int    axis = v->n->a.concat.axis;
    int64_t      in_stride[MAX_RANK], out_stride[MAX_RANK];
    shape_strides(s, in_stride);
    shape_strides(&nv_out(v, 0)->shape, out_stride);
    out->rank = s->rank;
    for (int i = 0; i < s->rank; i++)
        out->axis[i] = (copy_axis){s->dim[i], in_stride[i], out_stride[i]};
    for (int i = 0; i < k; i++)
        out->out_offset += nv_in(v, i)->shape.dim[axis] * out_stride[axis];
}

static status ref(const node_view *v, const float *const *in, float *const *out)
{
    const int    axis = v->n->a.concat.axis;
    const shape *to = &nv_out(v, 0)->shape;
    int64_t      at[MAX_RANK] = {0}, source[MAX_RANK];
    if (shape_count(to) == 0)
        return SEPCL_OK;
    do {
        int k = 0;
        for (int i = 0; i < to->rank; i++)
            source[i] = at[i];
        while (source[axis] >= nv_in(v, k)->shape.dim[axis])
            source[axis] -= nv_in(v, k++)->shape.dim[axis];
        out[0][index_at(to, at)] = in[k][index_at(&nv_in(v, k)->shape, source)];
    } while (index_next(to, at));
    return SEPCL_OK;
}

/* ------------------------------------------------------------------ all inputs in one launch */

enum { MOST_INPUTS = 8 };

static int64_t rows_of(const node_view *v)
{
    return shape_product(&nv_out(v, 0)->shape, 0, v->n->a.concat.axis);
}

/* Elements of a shape from the axis on. */
static int64_t run_of(const node_view *v, const value *x)
{
    return shape_product(&x->shape, v->n->a.concat.axis, x->shape.rank);
}

static bool fits_joined(const node_view *v, const caps *c, const int *p)
{
    (void)c;
    (void)p;
    if (v->n->n_in < 2 || v->n->n_in > MOST_INPUTS)
        return false;
    for (int k = 0; k < v->n->n_in; k++) {
        const value *x = nv_in(v, k);
        if (shape_count(&x->shape) == 0 || (!x->data && x->type != nv_out(v, 0)->type))
            return false;
    }
    return true;
}

static launch *add_joined(const node_view *v, int64_t items, launch_list *out)
{
    launch *k = launch_add(out, 1, items, 1, 1);
    launch_define(k, "N", v->n->n_in);
    for (int i = 0; i < v->n->n_in; i++) {
        arg_in(k, i);
        arg_i32(k, run_of(v, nv_in(v, i)));
    }
    arg_out(k, 0);
    arg_i32(k, run_of(v, nv_out(v, 0)));
    arg_i32(k, rows_of(v));
    return k;
}

static int64_t rows_per_item(const node_view *v, const caps *c, int vec)
{
    const int64_t count = shape_count(&nv_out(v, 0)->shape);
    return i64_max(1, elements_per_item(c, count, vec) / run_of(v, nv_out(v, 0)));
}

static void launch_rows(const node_view *v, const caps *c, const int *p, launch_list *out)
{
    const int64_t chunk = rows_per_item(v, c, p[0]);
    arg_i32(add_joined(v, div_up(rows_of(v), chunk), out), chunk);
}

/* A launch costs more than the copying of small tensors; but few rows leave cores idle. */
static double cost_rows(const node_view *v, const caps *c, const int *p)
{
    const int64_t rows = rows_of(v), count = shape_count(&nv_out(v, 0)->shape);
    const bool    starved = count > 16384 && rows < 4 * (int64_t)c->compute_units;
    return vector_cost(c, p[0]) * (caps_is_cpu(c) && !starved ? 0.5 : 4);
}

static int64_t vectors_of(const node_view *v, int vec)
{
    int64_t n = 0;
    for (int k = 0; k < v->n->n_in; k++)
        n += div_up(run_of(v, nv_in(v, k)), vec);
    return n;
}

static void launch_vectors(const node_view *v, const caps *c, const int *p, launch_list *out)
{
    (void)c;
    const int64_t vectors = vectors_of(v, p[0]);
    arg_i32(add_joined(v, rows_of(v) * vectors, out), vectors);
}

static bool fits_vectors(const node_view *v, const caps *c, const int *p)
{
    int64_t items;
    return fits_joined(v, c, p) && i64_mul(rows_of(v), vectors_of(v, p[0]), &items) && items <= INT32_MAX / 2;
}

static double cost_vectors(const node_view *v, const caps *c, const int *p)
{
    (void)v;
    return vector_cost(c, p[0]) * (caps_is_cpu(c) ? 6 : 0.5);
}

static const kernel_def kernels[] = {
    {"concat",
     "concat_rows",
     "whole rows, all inputs in one launch",
     {{"V", {16, 8, 4, 1}}},
     fits_joined,
     launch_rows,
     cost_rows},
    {"concat",
     "concat_vectors",
     "a vector an item, all inputs in one launch",
     {{"V", {8, 4, 1}}},
     fits_vectors,
     launch_vectors,
     cost_vectors},
    {"copy", "copy_block", "a copy an input", {{"V", {16, 8, 4, 1}}}, copy_fits, copy_launch, copy_cost},
    {"copy",
     "copy_strided",
     "element by element",
     {{"V", {16, 8, 4, 1}}},
     copy_fits,
     copy_launch_strided,
     copy_cost_strided},
    {0},
};

/* ------------------------------------------------------------------ cases */

typedef struct concat_case {
    shape   s; /* of the first input */
    int     axis, n;
    int64_t more[8]; /* extents of the others along the axis */
} concat_case;

static bool gen(int i, graph *g)
{
    const concat_case cases[] = {
        {SHAPE(5), 0, 2, {7}},
        {SHAPE(1, 6, 5, 16), 3, 2, {16}},
        {SHAPE(1, 6, 5, 24), 3, 3, {5, 17}},
        {SHAPE(2, 6, 5, 1), 3, 4, {1, 3, 1}},
        {SHAPE(1, 56, 56, 1), 3, 2, {1}},
        {SHAPE(2, 3, 5, 8), 1, 2, {4}},
        {SHAPE(2, 3, 5, 3), 2, 3, {1, 6}},
        {SHAPE(1, 3, 5, 8), 0, 2, {2}},
        {SHAPE(2, 9, 32), 2, 8, {8, 1, 2, 3, 16, 31, 33}},
        {SHAPE(2, 9, 4), 2, 9, {8, 1, 2, 3, 16, 31, 33, 7}},
        {SHAPE(7, 3), 1, 1, {0}},
        {SHAPE(2, 3, 2, 3, 2), 2, 3, {1, 5}},
        {SHAPE(2, 3, 2, 3, 2, 2), 4, 2, {3}},
        {SHAPE(1, 64, 64, 8), 3, 2, {24}},
    };
    if (i >= (int)(sizeof cases / sizeof *cases))
        return false;
    const concat_case *c = &cases[i];
    value_id           x[9];
    shape              s = c->s;
    for (int k = 0; k < c->n; k++) {
        if (k)
            s.dim[c->axis] = c->more[k - 1];
        /* one constant among the inputs */
        x[k] = k == 1 && i % 2 ? test_const(g, "constant", &s) : test_input(g, "x", &s);
    }
    return graph_output(g, graph_op(g, OP_CONCAT, "y", &(attrs){.concat = {c->axis}}, x, c->n)) == SEPCL_OK;
}

const op_def op_concat = {
    .name = "concat",
    .min_in = 1,
    .max_in = -1,
    .n_out = 1,
    .check = check,
    .infer = infer,
    .count = copy_bytes,
    .ref = ref,
    .gen = gen,
    .kernels = kernels,
};
