/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which form runs a subgraph: node by node, or fused. A form takes part when some kernel row of it fits the device. The
 * tuning database decides where it has an entry, else the cost model by predicted cycles, launches and the traffic of the
 * tensors between; the log says why.
 */
#include <string.h>

#include "ops/fused.h"
#include "plan/plan.h"

typedef struct form {
    op_kind op;
    int     parts;
    bool (*matches)(const node_view *parts);
} form;

/* Longest first: what a longer form does not take, a shorter may. */
static const form forms[] = {
    {OP_INVERTED, 3, inverted_matches},
    {OP_SEPARABLE, 2, separable_matches},
    {OP_SPATIAL_PAIR, 2, spatial_pair_matches},
};

/* The chain of nodes from index[0] on, each the only reader of the one before. Returns its length, at most n. */
static int chain(const graph *g, int *index, int n)
{
    int length = 1;
    while (length < n) {
        const node *last = g->nodes[index[length - 1]];
        const node *next = last->n_out == 1 ? graph_single_user(g, last->out[0], &index[length]) : NULL;
        if (!next || next->in[0] != last->out[0])
            break;
        length++;
    }
    return length;
}

/* Predicted cycles of a node on its best row; negative when none fits. */
static double predict(const node_view *v, const caps *c, const plan_options *o)
{
    arena        memory = {0};
    plan_step    s = {0};
    const status st = plan_select(v, c, o, NULL, 0, &s, &memory);
    arena_free(&memory);
    return st == SEPCL_OK ? s.predicted : -1;
}

static double predict_fused(graph *g, const form *f, const node_view *parts, const caps *c, const plan_options *o)
{
    node    *sub[FORM_PARTS];
    node    *last = (node *)parts[f->parts - 1].n; /* only read */
    value_id in[FUSED_INPUTS] = {parts[0].n->in[CONV_X], -1};
    node     fused = {.op = f->op, .name = last->name, .n_in = FUSED_INPUTS, .in = in, .n_out = 1, .out = last->out,
                      .sub = sub, .n_sub = f->parts, .epi = last->epi};
    for (int i = 0; i < f->parts; i++)
        sub[i] = (node *)parts[i].n;
    const node_view v = {g, &fused};
    return predict(&v, c, o);
}

/* What a tensor between two launches costs: the second launch, at about 3 GHz with all cores waiting, and writing and
   reading the tensor, 32 bytes a cycle to and from the second-level cache. */
static double between(const node_view *part, const caps *c)
{
    const double units = c->compute_units > 0 ? c->compute_units : 1;
    return (c->launch_us > 0 ? c->launch_us : 5) * 3000 * units + 8.0 * (double)shape_count(&nv_out(part, 0)->shape) / 32;
}

/* The best that n nodes in a row cost: the first by itself, or the first few as a form of fewer than `below` parts. */
static double predict_apart(graph *g, const node_view *parts, int n, int below, const caps *c, const plan_options *o)
{
    double best = predict(&parts[0], c, o);
    if (best >= 0 && n > 1)
        best += between(&parts[0], c) + predict_apart(g, parts + 1, n - 1, below, c, o);
    for (size_t f = 0; f < sizeof forms / sizeof *forms; f++) {
        const int k = forms[f].parts;
        if (k >= below || k > n || !forms[f].matches(parts))
            continue;
        double one = predict_fused(g, &forms[f], parts, c, o);
        if (one >= 0 && n > k)
            one += between(&parts[k - 1], c) + predict_apart(g, parts + k, n - k, below, c, o);
        if (one >= 0 && (best < 0 || one < best))
            best = one;
    }
    return best;
}

/* The chain that begins at node i, and what form f of it would cost; false when f is no form of it. */
static bool site_of(graph *g, int i, const form *f, const caps *c, const plan_options *o, form_site *s)
{
    node_view parts[FORM_PARTS];
    *s = (form_site){.index = {i}, .parts = f->parts, .op = f->op};
    if ((o && o->most_parts && f->parts > o->most_parts) || g->nodes[i]->dead || chain(g, s->index, f->parts) < f->parts)
        return false;
    for (int k = 0; k < f->parts; k++)
        parts[k] = (node_view){g, g->nodes[s->index[k]]};
    if (!f->matches(parts))
        return false;
    s->fused = predict_fused(g, f, parts, c, o);
    s->apart = predict_apart(g, parts, f->parts, f->parts, c, o);
    return true;
}

/* Is one fused node to stand for these? */
static bool is_fused(const graph *g, const form_site *s, const plan_options *o)
{
    node       *parts[FORM_PARTS];
    const char *first = g->nodes[s->index[0]]->name, *form = op_name(s->op);
    for (int k = 0; k < s->parts; k++)
        parts[k] = g->nodes[s->index[k]];
    const tune_entry *e = o && o->tuning ? tune_form(o->tuning, g, parts, s->parts) : NULL;
    const bool tuned = e && s->fused >= 0, quiet = s->fused < 0 || (o && o->quiet);
    const bool fused = tuned ? !strcmp(e->choice, form) : s->fused >= 0 && (s->apart < 0 || s->fused <= s->apart);
    if (!quiet && tuned)
        log_info("form: '%s' is %sfused as %s: tuned, %s took %.1f us", first, fused ? "" : "not ", form, e->choice,
                 (double)e->ns / 1e3);
    else if (!quiet)
        log_info("form: '%s' is %sfused as %s: %.0f predicted, apart %.0f", first, fused ? "" : "not ", form, s->fused,
                 s->apart);
    return fused;
}

static status try_forms(graph *g, int i, const caps *c, const plan_options *o)
{
    for (size_t f = 0; f < sizeof forms / sizeof *forms; f++) {
        form_site s;
        node     *made;
        if (site_of(g, i, &forms[f], c, o, &s) && is_fused(g, &s, o))
            return fuse_nodes(g, s.index, s.parts, s.op, &made);
    }
    return SEPCL_OK;
}

status plan_forms(graph *g, const caps *c, const plan_options *o)
{
    for (int i = 0; i < g->n_nodes; i++)
        TRY(try_forms(g, i, c, o));
    graph_compact(g);
    return graph_check(g);
}

void plan_each_form(graph *g, const caps *c, const plan_options *o, bool (*fn)(void *user, const form_site *s),
                    void *user)
{
    form_site s;
    for (int i = 0; i < g->n_nodes; i++)
        for (size_t f = 0; f < sizeof forms / sizeof *forms; f++)
            if (site_of(g, i, &forms[f], c, o, &s) && !fn(user, &s))
                return;
}
