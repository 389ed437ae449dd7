/* SPDX-License-Identifier: Apache-2.0 */
/* reshape: the same elements in the same order, under another shape. A view: nothing runs. */
#include "ir/op.h"

static status check(const node_view *v)
{
    const shape *in = &nv_in(v, 0)->shape, *want = &v->n->a.reshape.shape;
    char         a[SHAPE_TEXT], b[SHAPE_TEXT];
    NEED(want->rank >= 0 && want->rank <= MAX_RANK, "the new shape has rank %d, above the limit of %d", want->rank,
         MAX_RANK);
    if (shape_count(in) != shape_count(want))
        return fail(SEPCL_BAD_FILE, "%s (%lld elements) can't become %s (%lld elements)", shape_text(in, a),
                    (long long)shape_count(in), shape_text(want, b), (long long)shape_count(want));
    return SEPCL_OK;
}

static status infer(const node_view *v, shape *out)
{
    *out = v->n->a.reshape.shape;
    return SEPCL_OK;
}

static void count(const node_view *v, op_count *out)
{
    (void)v;
    *out = (op_count){0};
}

static bool gen(int i, graph *g)
{
    if (i > 0)
        return false;
    const shape s = SHAPE(2, 3, 4);
    value_id    x = test_input(g, "x", &s);
    x = graph_op(g, OP_RESHAPE, "view", &(attrs){.reshape = {SHAPE(6, 4)}}, &x, 1);
    return graph_output(g, graph_op(g, OP_CAST, "y", NULL, &x, 1)) == SEPCL_OK;
}

const op_def op_reshape = {
    .name = "reshape",
    .min_in = 1,
    .max_in = 1,
    .n_out = 1,
    .flags = OP_VIEW,
    .check = check,
    .infer = infer,
    .count = count,
    .gen = gen,
};
