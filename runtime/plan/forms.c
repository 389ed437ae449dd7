/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which form runs a subgraph: node by node, or fused. A form takes part when some kernel row of it fits the device. The
 * tuning database decides where it has an entry, else the cost model by predicted cycles, launches and the traffic of the
 * tensors between; the log says why.
 */
#include <math.h>
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

/* The cheapest way to run n nodes in a row: the form of the first few of them (NULL: the first by itself), and the cost. */
static double best_split(graph *g, const node_view *parts, int n, const caps *c, const plan_options *o,
                         const form **form_out)
{
    double best = predict(&parts[0], c, o);
    *form_out = NULL;
    const form *rest;
    if (best >= 0 && n > 1)
        best += between(&parts[0], c) + best_split(g, parts + 1, n - 1, c, o, &rest);
    for (size_t f = 0; f < sizeof forms / sizeof *forms; f++) {
        const int k = forms[f].parts;
        if (k > n || !forms[f].matches(parts))
            continue;
        double one = predict_fused(g, &forms[f], parts, c, o);
        if (one >= 0 && n > k)
            one += between(&parts[k - 1], c) + best_split(g, parts + k, n - k, c, o, &rest);
        if (one >= 0 && (best < 0 || one < best)) {
            best = one;
            *form_out = &forms[f];
        }
    }
    return best;
}

/* What the tuning database says of nodes in a row: the form of the first few (NULL: the first by itself); false when it
   has nothing that fits. */
static bool tuned_form(graph *g, const node_view *parts, int n, const caps *c, const plan_options *o,
                       const form **form_out)
{
    node *nodes[FORM_PARTS];
    for (int k = 0; k < n; k++)
        nodes[k] = (node *)parts[k].n; /* only read */
    const tune_entry *e = o && o->tuning ? tune_form(o->tuning, g, nodes, n) : NULL;
    if (!e)
        return false;
    const size_t length = strcspn(e->choice, ",");
    const char  *single = op_name(parts[0].n->op);
    *form_out = NULL;
    for (size_t f = 0; f < sizeof forms / sizeof *forms && !*form_out; f++)
        if (forms[f].parts <= n && strlen(op_name(forms[f].op)) == length &&
            !strncmp(op_name(forms[f].op), e->choice, length) && forms[f].matches(parts) &&
            predict_fused(g, &forms[f], parts, c, o) >= 0)
            *form_out = &forms[f];
    if (!*form_out && (strlen(single) != length || strncmp(single, e->choice, length) != 0)) {
        log_info("tuning: '%s': the entry's \"%s\" is no form of it; it is not used", parts[0].n->name, e->choice);
        return false;
    }
    if (!o->quiet)
        log_info("form: '%s' and what follows as %s: tuned, %.1f us measured", parts[0].n->name, e->choice,
                 (double)e->ns / 1e3);
    return true;
}

static void say_form(graph *g, const form *f, const node_view *parts, const caps *c, const plan_options *o)
{
    double apart = 0;
    for (int k = 0; k < f->parts; k++)
        apart += predict(&parts[k], c, o) + (k + 1 == f->parts ? 0 : between(&parts[k], c));
    log_info("form: '%s' to '%s' as %s: %.0f predicted, %.0f one by one", parts[0].n->name, parts[f->parts - 1].n->name,
             op_name(f->op), predict_fused(g, f, parts, c, o), apart);
}

int plan_chain(const graph *g, int i, int index[FORM_PARTS])
{
    index[0] = i;
    int length = g->nodes[i]->dead || g->nodes[i]->op != OP_CONV ? 0 : chain(g, index, FORM_PARTS);
    for (int k = 1; k < length; k++) /* all forms are of convolutions */
        length = g->nodes[index[k]]->op != OP_CONV ? k : length;
    return length < 2 ? 0 : length;
}

static status try_forms(graph *g, int i, const caps *c, const plan_options *o)
{
    int         index[FORM_PARTS];
    node_view   parts[FORM_PARTS];
    const form *f;
    node       *made;
    const int   length = plan_chain(g, i, index);
    if (!length)
        return SEPCL_OK;
    for (int k = 0; k < length; k++)
        parts[k] = (node_view){g, g->nodes[index[k]]};
    const bool tuned = tuned_form(g, parts, length, c, o, &f);
    if (!tuned)
        best_split(g, parts, length, c, o, &f);
    if (o && o->watch)
        TRY(o->watch(o->watcher, g, index, length, &(form_piece){f ? f->op : OP_NONE, 0, f ? f->parts : 1}));
    if (!f)
        return SEPCL_OK;
    if (!tuned && (!o || !o->quiet))
        say_form(g, f, parts, c, o);
    return fuse_nodes(g, index, f->parts, f->op, &made);
}

/* Forms of small nodes, where a launch costs more than the work: taken wherever they fit. The stem has to be no slower
   than the convolution's best row with channels last. */
static const form small_forms[] = {
    {OP_STEM_PLANES, 2, stem_planes_matches},
    {OP_SQUEEZE, 2, squeeze_matches},
    {OP_EXCITE, 2, excite_matches},
};

static status try_small_forms(graph *g, int i, const caps *c, const plan_options *o)
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
        const double apart = s->op == OP_STEM_PLANES ? predict(&parts[1], c, o) + between(&parts[0], c) : INFINITY;
        TRY(fuse_nodes(g, index, 2, s->op, &made));
        if (s->op == OP_EXCITE)
            TRY(excite_finish(g, made));
        const node_view v = {g, made};
        const double    cost = predict(&v, c, o);
        if (cost < 0 || cost > apart) { /* no row for this device, or a slow one: as it was */
            g->nodes[index[0]] = made->sub[0];
            g->nodes[index[1]] = made->sub[1];
            g->values[made->sub[0]->out[0]].producer = index[0];
            g->values[made->sub[1]->out[0]].producer = index[1];
            continue;
        }
        if (!o || !o->quiet)
            log_info("form: '%s' as %s, for one launch less", made->name, op_name(made->op));
        return SEPCL_OK;
    }
    return SEPCL_OK;
}

status plan_small_forms(graph *g, const caps *c, const plan_options *o)
{
    for (int i = 0; i < g->n_nodes; i++)
        TRY(try_small_forms(g, i, c, o));
    graph_compact(g);
    return SEPCL_OK;
}

status plan_forms(graph *g, const caps *c, const plan_options *o)
{
    TRY(plan_small_forms(g, c, o));
    for (int i = 0; i < g->n_nodes; i++)
        TRY(try_forms(g, i, c, o));
    graph_compact(g);
    return graph_check(g);
}

status plan_fuse(graph *g, const int *index, int parts, op_kind op)
{
    node *made;
    TRY(fuse_nodes(g, index, parts, op, &made));
    return op == OP_EXCITE ? excite_finish(g, made) : SEPCL_OK;
}

/* ------------------------------------------------------------------ all splits, for the tuner */

typedef struct split_walk {
    graph              *g;
    const node_view    *parts;
    int                 n;
    const caps         *c;
    const plan_options *o;
    form_split         *out;
    int                 found;
} split_walk;

/* Extends `so_far`, which covers the first `at` nodes, in every way. */
static void walk_splits(split_walk *w, const form_split *so_far, int at)
{
    if (at == w->n) {
        if (w->found < FORM_SPLITS)
            w->out[w->found++] = *so_far;
        return;
    }
    for (int f = -1; f < (int)(sizeof forms / sizeof *forms); f++) {
        const int parts = f < 0 ? 1 : forms[f].parts;
        if (at + parts > w->n || (f >= 0 && !forms[f].matches(w->parts + at)))
            continue;
        const double cost = f < 0 ? predict(w->parts + at, w->c, w->o)
                                  : predict_fused(w->g, &forms[f], w->parts + at, w->c, w->o);
        if (cost < 0)
            continue;
        form_split next = *so_far;
        next.pieces[next.n++] = (form_piece){f < 0 ? OP_NONE : forms[f].op, at, parts};
        next.predicted += cost + (at + parts < w->n ? between(w->parts + at + parts - 1, w->c) : 0);
        walk_splits(w, &next, at + parts);
    }
}

int plan_splits(graph *g, const int *index, int n, const caps *c, const plan_options *o, form_split out[FORM_SPLITS])
{
    node_view  parts[FORM_PARTS];
    split_walk w = {g, parts, n, c, o, out, 0};
    for (int k = 0; k < n; k++)
        parts[k] = (node_view){g, g->nodes[index[k]]};
    walk_splits(&w, &(form_split){0}, 0);
    return w.found;
}
