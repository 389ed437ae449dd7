/* SPDX-License-Identifier: Apache-2.0 */
/* The convolutions of a model, in the graph as read and in the one after the passes, where they come in the same order.
 */
#include "pass/pass.h"
#include "separate/separation.h"

static int count_convs(const graph *g)
{
    int n = 0;
    for (int i = 0; i < g->n_nodes; i++)
        n += g->nodes[i]->op == OP_CONV;
    return n;
}

static status describe(separation *s, site *t, int node)
{
    const node_view     v = {s->read, s->read->nodes[node]};
    const conv_geometry g = conv_geometry_of(&v);
    const value        *w = nv_in(&v, CONV_W);
    *t = (site){.read = node, .name = v.n->name, .in = g.in, .out = g.out, .chosen = -1, .before = -1, .why = ""};
    t->window = (conv_part){.a = *g.a, .ci = g.ci};
    conv_part_set_strides(&t->window);
    t->stored = w->type;
    t->output_name = nv_out(&v, 0)->name;
    t->why_not = model_file_why_not(s->file, t->output_name);
    conv_part_cost(&t->window, t->in, &t->multiplications, &t->bytes);
    return patches_create(&t->window, &t->samples);
}

/* The k-th convolution of either graph is the same layer. */
static status match_passed(separation *s)
{
    int k = 0;
    for (int i = 0; i < s->passed->n_nodes; i++) {
        const node *n = s->passed->nodes[i], *was;
        if (n->op != OP_CONV)
            continue;
        was = k < s->n_sites ? s->read->nodes[s->sites[k].read] : NULL;
        if (!was || s->passed->values[n->in[CONV_W]].data != s->read->values[was->in[CONV_W]].data)
            break;
        s->sites[k++].passed = i;
    }
    return k == s->n_sites
               ? SEPCL_OK
               : fail(SEPCL_UNSUPPORTED, "layer '%s' is not what it was after the passes", s->sites[k].name);
}

static status find_folds(separation *s)
{
    for (int k = 1; k < s->n_sites; k++) {
        site       *t = &s->sites[k];
        int         first;
        const char *why;
        if (!fold_applies(s->read, t->read, &first, &why))
            continue;
        for (int j = 0; j < k; j++)
            if (s->sites[j].read == first)
                t->before = j;
        t->fold_window = fold_window(s->read, first, t->read);
        TRY(patches_create(&t->fold_window, &t->fold_samples));
    }
    return SEPCL_OK;
}

status sites_find(separation *s)
{
    const int n = count_convs(s->read);
    TRY(graph_clone(s->read, &s->passed));
    TRY(passes_run(s->passed, &(pass_options){.f16 = false}));
    s->sites = arena_array(&s->memory, (size_t)n, sizeof *s->sites);
    if (!s->sites)
        return SEPCL_OUT_OF_MEMORY;
    for (int i = 0; i < s->read->n_nodes; i++)
        if (s->read->nodes[i]->op == OP_CONV)
            TRY(describe(s, &s->sites[s->n_sites++], i));
    /* layers that nothing reads go in the passes; importers drop them before */
    TRY(match_passed(s));
    return find_folds(s);
}
