/* SPDX-License-Identifier: Apache-2.0 */
/* The order of the passes, and the small ones. */
#include "pass/pass.h"

#include <stdlib.h>

#include "ir/op.h"

static const pass passes[] = {
    {"recognise activations", pass_recognise, true},
    {"fold batch norm", pass_fold_batch_norm, false},
    {"fold padding", pass_fold_pad, true},
    {"fuse epilogues", pass_fuse_epilogue, true},
    {"drop dead nodes", pass_drop_dead, false},
    {"outputs", pass_outputs, false},
    {"half storage", pass_half, false},
};

status passes_run(graph *g, const pass_options *o)
{
    graph_dump(g, "as read");
    for (size_t i = 0; i < sizeof passes / sizeof *passes; i++) {
        if (passes[i].fusion && o->no_fusion)
            continue;
        status st = passes[i].run(g, o);
        if (st == SEPCL_OK) {
            graph_compact(g);
            st = graph_check(g);
        }
        if (st != SEPCL_OK)
            return fail_in(st, "pass '%s'", passes[i].name);
        graph_dump(g, passes[i].name);
    }
    return SEPCL_OK;
}

status pass_drop_dead(graph *g, const pass_options *o)
{
    (void)o;
    bool *needed = calloc((size_t)g->n_values + 1, sizeof *needed);
    if (!needed)
        return fail_memory((size_t)g->n_values, "a pass");
    for (int i = 0; i < g->n_outputs; i++)
        needed[g->outputs[i]] = true;
    for (int i = g->n_nodes - 1; i >= 0; i--) {
        node *n = g->nodes[i];
        bool  used = false;
        for (int k = 0; k < n->n_out; k++)
            used |= needed[n->out[k]];
        n->dead |= !used;
        for (int k = 0; k < n->n_in && !n->dead; k++)
            if (n->in[k] >= 0)
                needed[n->in[k]] = true;
    }
    free(needed);
    return SEPCL_OK;
}

/* The value whose memory v would show. */
static value_id root_of(const graph *g, value_id v)
{
    while (g->values[v].producer >= 0) {
        const node *n = g->nodes[g->values[v].producer];
        if (!(op_get(n->op)->flags & OP_VIEW))
            break;
        v = n->in[0];
    }
    return v;
}

/* An output that is an input, a constant, or shares its memory with another output gets a copy of its own. */
status pass_outputs(graph *g, const pass_options *o)
{
    (void)o;
    for (int i = 0; i < g->n_outputs; i++) {
        const value_id v = g->outputs[i], root = root_of(g, v);
        bool           shared = g->values[root].is_input || g->values[root].data;
        for (int k = 0; k < i; k++)
            shared |= root_of(g, g->outputs[k]) == root;
        if (!shared)
            continue;
        const value_id copy = graph_op(g, OP_CAST, g->values[v].name, NULL, &v, 1);
        if (copy < 0)
            return SEPCL_OUT_OF_MEMORY;
        g->outputs[i] = copy;
        g->values[copy].is_output = true;
        g->values[v].is_output = false;
        for (int k = 0; k < g->n_outputs; k++)
            g->values[g->outputs[k]].is_output = true;
    }
    return SEPCL_OK;
}

/* Ops whose input and output may be stored differently. */
static bool converts(const node *n)
{
    return n->op == OP_CAST || n->op == OP_TRANSPOSE;
}

static status cast_to(graph *g, value_id v, dtype type, int at, value_id *out)
{
    *out = graph_op(g, OP_CAST, g->values[v].name, NULL, &v, 1);
    if (*out < 0)
        return SEPCL_OUT_OF_MEMORY;
    g->values[*out].type = type;
    graph_move_last(g, at);
    return SEPCL_OK;
}

/* Views before it may read v too, and stay as they are. */
static void replace_from(graph *g, int at, value_id v, value_id cast)
{
    for (int i = at; i < g->n_nodes; i++)
        for (int k = 0; k < g->nodes[i]->n_in; k++)
            if (g->nodes[i]->in[k] == v)
                g->nodes[i]->in[k] = cast;
}

status pass_half(graph *g, const pass_options *o)
{
    if (!o->f16)
        return SEPCL_OK;
    for (int i = 0; i < g->n_nodes; i++) {
        node      *n = g->nodes[i];
        const bool view = (op_get(n->op)->flags & OP_VIEW) != 0;
        for (int k = 0; k < n->n_in; k++) {
            value_id       cast;
            const value_id v = n->in[k];
            if (v < 0 || g->values[v].data || g->values[v].type == DT_F16 || view || converts(n))
                continue;
            TRY(cast_to(g, v, DT_F16, i, &cast));
            replace_from(g, ++i, v, cast); /* the cast itself keeps reading v */
        }
        for (int k = 0; k < n->n_out; k++)
            g->values[n->out[k]].type = view ? (g->values[n->in[0]].data ? DT_F16 : g->values[n->in[0]].type) : DT_F16;
    }
    for (int i = 0; i < g->n_outputs; i++) {
        const value_id v = g->outputs[i];
        const int      producer = g->values[v].producer;
        if (g->values[v].type != DT_F16)
            continue;
        if (converts(g->nodes[producer]) && graph_uses(g, v) == 1) {
            g->values[v].type = DT_F32;
            continue;
        }
        value_id cast;
        TRY(cast_to(g, v, DT_F32, g->n_nodes - 1 + 1, &cast));
        g->outputs[i] = cast;
        g->values[v].is_output = false;
        g->values[cast].is_output = true;
    }
    return SEPCL_OK;
}
