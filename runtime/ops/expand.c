/* SPDX-License-Identifier: Apache-2.0 */
/* expand: NumPy broadcasting of a tensor to a shape. */
#include "ops/copy_plan.h"

static status check(const node_view *v)
{
    const shape *in = &nv_in(v, 0)->shape, *want = &v->n->a.expand.shape;
    shape        both;
    char         a[SHAPE_TEXT], b[SHAPE_TEXT];
    NEED(want->rank <= MAX_RANK && shape_count(want) >= 0, "the shape %s is above the limits", shape_text(want, a));
    NEED(shape_broadcast(in, want, &both) && shape_equal(&both, want), "%s can't be expanded to %s", shape_text(in, a),
         shape_text(want, b));
    return SEPCL_OK;
}

static status infer(const node_view *v, shape *out)
{
    *out = v->n->a.expand.shape;
    return SEPCL_OK;
}

void expand_copy(const node_view *v, copy_plan *out)
{
    const shape *from = &nv_in(v, 0)->shape, *to = &nv_out(v, 0)->shape;
    int64_t      in_stride[MAX_RANK], out_stride[MAX_RANK];
    shape_strides(from, in_stride);
    shape_strides(to, out_stride);
    out->rank = to->rank;
    for (int i = 0; i < to->rank; i++) {
        const int k = i - (to->rank - from->rank);
        out->axis[i] = (copy_axis){to->dim[i], k >= 0 && from->dim[k] > 1 ? in_stride[k] : 0, out_stride[i]};
    }
}

static status ref(const node_view *v, const float *const *in, float *const *out)
{
    const shape *to = &nv_out(v, 0)->shape, *from = &nv_in(v, 0)->shape;
    int64_t      at[MAX_RANK] = {0}, source[MAX_RANK] = {0};
    if (shape_count(to) == 0)
        return SEPCL_OK;
    do {
        for (int i = 0; i < from->rank; i++)
            source[i] = from->dim[i] == 1 ? 0 : at[i + to->rank - from->rank];
        out[0][index_at(to, at)] = in[0][index_at(from, source)];
    } while (index_next(to, at));
    return SEPCL_OK;
}

static bool gen(int i, graph *g)
{
    const struct {
        shape from, to;
    } cases[] = {
        {SHAPE(1), SHAPE(77)},
        {SHAPE(17), SHAPE(3, 17)},
        {SHAPE(3, 1), SHAPE(3, 19)},
        {SHAPE(1, 1, 1, 32), SHAPE(1, 9, 7, 32)},
        {SHAPE(2, 1, 1, 5), SHAPE(2, 9, 7, 5)},
        {SHAPE(2, 9, 7, 1), SHAPE(2, 9, 7, 24)},
        {SHAPE(1, 9, 1, 3), SHAPE(2, 9, 7, 3)},
        {SHAPE(1, 1, 7, 1), SHAPE(2, 9, 7, 3)},
        {SHAPE(4, 1, 5, 1, 3, 1), SHAPE(4, 2, 5, 3, 3, 2)},
        {SHAPE(2, 1, 2, 1, 2, 1, 2), SHAPE(3, 2, 3, 2, 3, 2, 3, 2)},
        {SHAPE(6, 7), SHAPE(6, 7)},
    };
    if (i >= (int)(sizeof cases / sizeof *cases))
        return false;
    const value_id x = test_input(g, "x", &cases[i].from);
    return graph_output(g, graph_op(g, OP_EXPAND, "y", &(attrs){.expand = {cases[i].to}}, &x, 1)) == SEPCL_OK;
}

const op_def op_expand = {
    .name = "expand",
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
