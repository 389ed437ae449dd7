/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which form runs a subgraph: node by node, or fused. A form takes part when some kernel row of it fits the device; the
 * cost model decides, and the log says so.
 */
#include "ops/fused.h"
#include "plan/plan.h"

typedef struct form {
    op_kind op;
    bool (*matches)(const node_view *first, const node_view *second);
} form;

static const form pairs[] = {
    {OP_SEPARABLE, separable_matches},
    {OP_SPATIAL_PAIR, spatial_pair_matches},
};

/* Does a row of the fused op fit this device? Asked of a fused node in a scratch copy of the two. */
static bool some_row_fits(graph *g, node *first, node *second, op_kind op, const caps *c)
{
    value_id  in[PAIR_INPUTS] = {first->in[CONV_X], -1};
    node     *sub[2] = {first, second};
    node      fused = {.op = op, .name = second->name, .n_in = PAIR_INPUTS, .in = in, .n_out = 1, .out = second->out,
                       .sub = sub, .n_sub = 2, .epi = second->epi};
    arena     memory = {0};
    plan_step s = {0};
    const node_view v = {g, &fused};
    const bool      ok = plan_select(&v, c, NULL, NULL, 0, &s, &memory) == SEPCL_OK;
    arena_free(&memory);
    return ok;
}

static status try_pair(graph *g, int i, const caps *c)
{
    int   j;
    node *first = g->nodes[i];
    node *second = first->dead || first->n_out != 1 ? NULL : graph_single_user(g, first->out[0], &j);
    if (!second || second->in[0] != first->out[0])
        return SEPCL_OK;
    const node_view a = {g, first}, b = {g, second};
    for (size_t f = 0; f < sizeof pairs / sizeof *pairs; f++) {
        node *fused;
        if (!pairs[f].matches(&a, &b) || !some_row_fits(g, first, second, pairs[f].op, c))
            continue;
        TRY(fuse_pair(g, i, j, pairs[f].op, &fused));
        log_info("form: '%s' as %s: the tensor between stays in local memory", fused->name, op_name(fused->op));
        return SEPCL_OK;
    }
    return SEPCL_OK;
}

status plan_forms(graph *g, const caps *c)
{
    for (int i = 0; i < g->n_nodes; i++)
        TRY(try_pair(g, i, c));
    graph_compact(g);
    return graph_check(g);
}
