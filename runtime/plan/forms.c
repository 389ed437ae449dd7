/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which form runs a subgraph: node by node, or fused. A form takes part when some kernel row of it fits the device. The
 * cost model decides by predicted cycles, launches and the traffic of the tensors between; the log says why.
 */
#include "ops/fused.h"
#include "plan/plan.h"

#define MOST_PARTS 3

typedef struct form {
    op_kind op;
    int     parts;
    bool (*matches)(const node_view *parts);
} form;

/* Longest first: what a longer form does not take, a shorter may. */
static const form forms[] = {
    {OP_INVERTED, 3, inverted_matches},
    {OP_SEPARABLE, 2, separable_matches},
    {OP_EXPAND_DEPTHWISE, 2, expand_depthwise_matches},
    {OP_SPATIAL_PAIR, 2, spatial_pair_matches},
};

/* The chain of nodes from index[0] on, each the only reader of the one before. Returns its length, at most n. */
static int chain(const graph *g, int *index, int n)
{
    int length = 1;
    while (length < n) {
        const node *last = g->nodes[index[length - 1]];
        const node *next = last->n_out == 1 ? graph_single_user(g, last->out[0], &index[length]) : NULL;
        if (!next || (next->in[0] != last->out[0] && next->op != OP_BINARY))
            break;
        length++;
    }
    return length;
}

/* Predicted cycles of a node on its best row; negative when none fits. */
static double predict(const node_view *v, const caps *c)
{
    arena        memory = {0};
    plan_step    s = {0};
    const status st = plan_select(v, c, NULL, NULL, 0, &s, &memory);
    arena_free(&memory);
    return st == SEPCL_OK ? s.predicted : -1;
}

static double predict_fused(graph *g, const form *f, const node_view *parts, const caps *c)
{
    node    *sub[MOST_PARTS];
    node    *last = (node *)parts[f->parts - 1].n; /* only read */
    value_id in[FUSED_INPUTS] = {parts[0].n->in[CONV_X], -1};
    node     fused = {.op = f->op, .name = last->name, .n_in = FUSED_INPUTS, .in = in, .n_out = 1, .out = last->out,
                      .sub = sub, .n_sub = f->parts, .epi = last->epi};
    for (int i = 0; i < f->parts; i++)
        sub[i] = (node *)parts[i].n;
    const node_view v = {g, &fused};
    return predict(&v, c);
}

/* What a tensor between two launches costs: the second launch, at about 3 GHz with all cores waiting, and writing and
   reading the tensor, 32 bytes a cycle to and from the second-level cache. */
static double between(const node_view *part, const caps *c)
{
    const double units = c->compute_units > 0 ? c->compute_units : 1;
    return (c->launch_us > 0 ? c->launch_us : 5) * 3000 * units + 8.0 * (double)shape_count(&nv_out(part, 0)->shape) / 32;
}

/* The cheapest way to run n nodes in a row: the form of the first few of them (NULL: the first by itself), and the cost. */
static double best_split(graph *g, const node_view *parts, int n, const caps *c, const form **form_out)
{
    double best = predict(&parts[0], c);
    *form_out = NULL;
    const form *rest;
    if (best >= 0 && n > 1)
        best += between(&parts[0], c) + best_split(g, parts + 1, n - 1, c, &rest);
    for (size_t f = 0; f < sizeof forms / sizeof *forms; f++) {
        const int k = forms[f].parts;
        if (k > n || !forms[f].matches(parts))
            continue;
        double one = predict_fused(g, &forms[f], parts, c);
        if (one >= 0 && n > k)
            one += between(&parts[k - 1], c) + best_split(g, parts + k, n - k, c, &rest);
        if (one >= 0 && (best < 0 || one < best)) {
            best = one;
            *form_out = &forms[f];
        }
    }
    return best;
}

static status try_forms(graph *g, int i, const caps *c)
{
    int         index[MOST_PARTS] = {i};
    node_view   parts[MOST_PARTS];
    const form *f;
    node       *made;
    const int   length = g->nodes[i]->dead || g->nodes[i]->op != OP_CONV ? 0 : chain(g, index, MOST_PARTS);
    if (length < 2)
        return SEPCL_OK;
    for (int k = 0; k < length; k++)
        parts[k] = (node_view){g, g->nodes[index[k]]};
    best_split(g, parts, length, c, &f);
    if (!f)
        return SEPCL_OK;
    const double fused = predict_fused(g, f, parts, c);
    const node_view *last = &parts[f->parts - 1];
    double       apart = 0;
    for (int k = 0; k < f->parts; k++)
        apart += predict(&parts[k], c) + (&parts[k] == last ? 0 : between(&parts[k], c));
    TRY(fuse_nodes(g, index, f->parts, f->op, &made));
    log_info("form: '%s' as %s: %.0f predicted, %.0f one by one", made->name, op_name(made->op), fused, apart);
    return SEPCL_OK;
}

/* Forms of small nodes, where a launch costs more than the work: taken wherever they fit. */
static const form small_forms[] = {
    {OP_SQUEEZE, 2, squeeze_matches},
    {OP_EXCITE, 2, excite_matches},
};

static status try_small_forms(graph *g, int i, const caps *c)
{
    int   index[2] = {i};
    node *made;
    if (g->nodes[i]->dead || g->nodes[i]->n_sub || chain(g, index, 2) < 2)
        return SEPCL_OK;
    const node_view parts[] = {{g, g->nodes[index[0]]}, {g, g->nodes[index[1]]}};
    for (size_t f = 0; f < sizeof small_forms / sizeof *small_forms; f++) {
        const form *s = &small_forms[f];
        if (!s->matches(parts))
            continue;
        TRY(fuse_nodes(g, index, 2, s->op, &made));
        if (s->op == OP_EXCITE)
            TRY(excite_finish(g, made));
        const node_view v = {g, made};
        if (predict(&v, c) < 0) { /* no row for this device: as it was */
            g->nodes[index[0]] = made->sub[0];
            g->nodes[index[1]] = made->sub[1];
            g->values[made->sub[0]->out[0]].producer = index[0];
            g->values[made->sub[1]->out[0]].producer = index[1];
            continue;
        }
        log_info("form: '%s' as %s, for one launch less", made->name, op_name(made->op));
        return SEPCL_OK;
    }
    return SEPCL_OK;
}

status plan_forms(graph *g, const caps *c)
{
    for (int i = 0; i < g->n_nodes; i++)
        TRY(try_small_forms(g, i, c));
    for (int i = 0; i < g->n_nodes; i++)
        TRY(try_forms(g, i, c));
    graph_compact(g);
    return graph_check(g);
}
