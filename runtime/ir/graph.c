/* SPDX-License-Identifier: Apache-2.0 */
#include "ir/graph.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/size.h"
#include "ir/op.h"

status graph_create(const char *name, graph **out)
{
    *out = NULL;
    graph *g = calloc(1, sizeof *g);
    if (!g)
        return fail_memory(sizeof *g, "a graph");
    g->name = arena_strdup(&g->memory, name ? name : "graph");
    if (!g->name) {
        graph_destroy(g);
        return SEPCL_OUT_OF_MEMORY;
    }
    *out = g;
    return SEPCL_OK;
}

void graph_destroy(graph *g)
{
    if (!g)
        return;
    if (g->release)
        g->release(g->owner);
    arena_free(&g->memory);
    free(g);
}

static bool append_id(graph *g, value_id **list, int *n, int *cap, value_id v)
{
    value_id *grown = arena_grow(&g->memory, *list, cap, *n + 1, sizeof **list);
    if (!grown)
        return false;
    *list = grown;
    grown[(*n)++] = v;
    return true;
}

/* A new value; -1 when memory is out or the shape is not usable. */
static value_id add_value(graph *g, const char *name, dtype type, const shape *s)
{
    char text[SHAPE_TEXT];
    if (s->rank < 0 || s->rank > MAX_RANK) {
        fail(SEPCL_UNSUPPORTED, "tensor '%s' has rank %d, above the limit of %d", name ? name : "", s->rank, MAX_RANK);
        return -1;
    }
    if (shape_count(s) < 0) {
        fail(SEPCL_UNSUPPORTED, "tensor '%s' of shape %s is above the limit of 2147483647 elements", name ? name : "",
             shape_text(s, text));
        return -1;
    }
    char  *copy = arena_strdup(&g->memory, name ? name : "");
    value *grown = copy ? arena_grow(&g->memory, g->values, &g->cap_values, g->n_values + 1, sizeof *grown) : NULL;
    if (!grown)
        return -1;
    g->values = grown;
    grown[g->n_values] = (value){.name = copy, .type = type, .shape = *s, .producer = -1};
    return g->n_values++;
}

value_id graph_input(graph *g, const char *name, dtype type, const shape *s)
{
    const value_id v = add_value(g, name, type, s);
    if (v < 0 || !append_id(g, &g->inputs, &g->n_inputs, &g->cap_inputs, v))
        return -1;
    g->values[v].is_input = true;
    return v;
}

value_id graph_const(graph *g, const char *name, dtype type, const shape *s, const void *data, bool copy)
{
    const value_id v = add_value(g, name, type, s);
    if (v < 0)
        return -1;
    if (copy) {
        size_t bytes = 0;
        void  *p = NULL;
        if (size_mul((size_t)shape_count(s), dtype_size(type), &bytes))
            p = arena_alloc(&g->memory, bytes);
        if (!p)
            return -1;
        if (data)
            memcpy(p, data, bytes);
        data = p;
    }
    g->values[v].data = data;
    return v;
}

float *graph_const_data(graph *g, value_id v)
{
    return (float *)g->values[v].data;
}

status graph_output(graph *g, value_id v)
{
    if (v < 0 || v >= g->n_values)
        return fail(SEPCL_INVALID, "graph '%s': output is not a value of the graph", g->name);
    if (!append_id(g, &g->outputs, &g->n_outputs, &g->cap_outputs, v))
        return SEPCL_OUT_OF_MEMORY;
    g->values[v].is_output = true;
    return SEPCL_OK;
}

int graph_add_layer(graph *g, const graph_layer *l)
{
    graph_layer *grown, copy = *l;
    copy.name = arena_strdup(&g->memory, l->name);
    copy.type = arena_strdup(&g->memory, l->type);
    if (!copy.name || !copy.type)
        return 0;
    grown = arena_grow(&g->memory, g->layers, &g->cap_layers, g->n_layers + 1, sizeof *grown);
    if (!grown)
        return 0;
    g->layers = grown;
    grown[g->n_layers++] = copy;
    return g->n_layers;
}

static status check_inputs(const node_view *v, const op_def *op)
{
    const node *n = v->n;
    if (n->n_in < op->min_in || (op->max_in >= 0 && n->n_in > op->max_in))
        return fail(SEPCL_BAD_FILE, "%d inputs, but the op takes %d to %d", n->n_in, op->min_in, op->max_in);
    for (int i = 0; i < n->n_in; i++) {
        if (n->in[i] >= v->g->n_values || (i < op->min_in && n->in[i] < 0))
            return fail(SEPCL_BAD_FILE, "input %d is missing", i);
    }
    return SEPCL_OK;
}

/* Checks a node and infers its output shapes. */
static status infer_node(const node_view *v, shape *out)
{
    const op_def *op = op_get(v->n->op);
    TRY(check_inputs(v, op));
    /* shape inference may divide by attributes that check() has vetted */
    if (op->check)
        TRY(op->check(v));
    return op->infer(v, out);
}

status graph_node(graph *g, op_kind op, const char *name, const attrs *a, const value_id *in, int n_in, value_id *outs,
                  int n_out)
{
    status st = SEPCL_OUT_OF_MEMORY;
    node  *n = arena_alloc(&g->memory, sizeof *n);
    shape *shapes = arena_array(&g->memory, (size_t)n_out, sizeof *shapes);
    if (!n || !shapes)
        return st;
    *n = (node){.op = op, .name = arena_strdup(&g->memory, name ? name : ""), .n_in = n_in, .n_out = n_out};
    n->layer = g->layer;
    n->in = arena_array(&g->memory, (size_t)n_in, sizeof *n->in);
    n->out = arena_array(&g->memory, (size_t)n_out, sizeof *n->out);
    if (!n->name || !n->in || !n->out)
        return st;
    node **grown = arena_grow(&g->memory, g->nodes, &g->cap_nodes, g->n_nodes + 1, sizeof(node *));
    if (!grown)
        return st;
    g->nodes = grown;
    for (int i = 0; i < n_in; i++)
        n->in[i] = in[i];
    for (int i = 0; i < n_out; i++)
        n->out[i] = -1;
    if (a)
        n->a = *a;
    st = infer_node(&(node_view){g, n}, shapes);
    if (st != SEPCL_OK)
        return fail_in(st, "node '%s' (%s)", n->name, op_name(op));
    for (int i = 0; i < n_out; i++) {
        char *out_name = n_out == 1 ? (char *)n->name : arena_printf(&g->memory, "%s:%d", n->name, i);
        n->out[i] = out_name ? add_value(g, out_name, DT_F32, &shapes[i]) : -1;
        if (n->out[i] < 0)
            return fail_in(error_code(), "node '%s' (%s)", n->name, op_name(op));
        g->values[n->out[i]].producer = g->n_nodes;
        outs[i] = n->out[i];
    }
    g->nodes[g->n_nodes++] = n;
    return SEPCL_OK;
}

value_id graph_op(graph *g, op_kind op, const char *name, const attrs *a, const value_id *in, int n_in)
{
    value_id out = -1;
    return graph_node(g, op, name, a, in, n_in, &out, 1) == SEPCL_OK ? out : -1;
}

void graph_move(graph *g, int from, int to)
{
    node *n = g->nodes[from];
    memmove(&g->nodes[to + 1], &g->nodes[to], (size_t)(from - to) * sizeof(node *));
    g->nodes[to] = n;
    for (int i = to; i <= from; i++)
        for (int k = 0; k < g->nodes[i]->n_out && !g->nodes[i]->dead; k++)
            g->values[g->nodes[i]->out[k]].producer = i;
}

void graph_move_last(graph *g, int to)
{
    graph_move(g, g->n_nodes - 1, to);
}

int graph_uses(const graph *g, value_id v)
{
    int uses = 0;
    for (int i = 0; i < g->n_nodes; i++) {
        const node *n = g->nodes[i];
        for (int k = 0; !n->dead && k < n->n_in; k++)
            uses += n->in[k] == v;
    }
    for (int i = 0; i < g->n_outputs; i++)
        uses += g->outputs[i] == v;
    return uses;
}

node *graph_single_user(const graph *g, value_id v, int *index_out)
{
    node *user = NULL;
    for (int i = 0; i < g->n_outputs; i++)
        if (g->outputs[i] == v)
            return NULL;
    for (int i = 0; i < g->n_nodes; i++) {
        node *n = g->nodes[i];
        for (int k = 0; !n->dead && k < n->n_in; k++) {
            if (n->in[k] != v)
                continue;
            if (user)
                return NULL;
            user = n;
            if (index_out)
                *index_out = i;
        }
    }
    return user;
}

void graph_replace_uses(graph *g, value_id from, value_id to)
{
    for (int i = 0; i < g->n_nodes; i++) {
        node *n = g->nodes[i];
        for (int k = 0; !n->dead && k < n->n_in; k++)
            if (n->in[k] == from)
                n->in[k] = to;
    }
    for (int i = 0; i < g->n_outputs; i++)
        if (g->outputs[i] == from) {
            g->outputs[i] = to;
            g->values[from].is_output = false;
            g->values[to].is_output = true;
        }
}

void graph_compact(graph *g)
{
    int kept = 0;
    for (int i = 0; i < g->n_nodes; i++) {
        node *n = g->nodes[i];
        for (int k = 0; k < n->n_out; k++)
            g->values[n->out[k]].producer = n->dead ? -1 : kept;
        if (!n->dead)
            g->nodes[kept++] = n;
    }
    g->n_nodes = kept;
}

static node *clone_node(graph *to, const node *n)
{
    node *c = arena_alloc(&to->memory, sizeof *c);
    if (!c)
        return NULL;
    *c = *n;
    c->name = arena_strdup(&to->memory, n->name);
    c->in = arena_array(&to->memory, (size_t)n->n_in, sizeof *c->in);
    c->out = arena_array(&to->memory, (size_t)n->n_out, sizeof *c->out);
    c->sub = n->n_sub ? arena_array(&to->memory, (size_t)n->n_sub, sizeof *c->sub) : NULL;
    if (!c->name || !c->in || !c->out || (n->n_sub && !c->sub))
        return NULL;
    memcpy(c->in, n->in, (size_t)n->n_in * sizeof *c->in);
    memcpy(c->out, n->out, (size_t)n->n_out * sizeof *c->out);
    for (int i = 0; i < n->n_sub; i++)
        if (!(c->sub[i] = clone_node(to, n->sub[i])))
            return NULL;
    return c;
}

static bool clone_ids(graph *to, value_id **ids, int *cap, int n)
{
    value_id *copy = arena_array(&to->memory, (size_t)n, sizeof *copy);
    if (!copy)
        return false;
    if (n)
        memcpy(copy, *ids, (size_t)n * sizeof *copy);
    *ids = copy;
    *cap = n;
    return true;
}

status graph_clone(const graph *from, graph **out)
{
    TRY(graph_create(from->name, out));
    graph *g = *out;
    g->n_values = g->cap_values = from->n_values;
    g->n_nodes = g->cap_nodes = from->n_nodes;
    g->n_inputs = from->n_inputs;
    g->n_outputs = from->n_outputs;
    g->inputs = from->inputs;
    g->outputs = from->outputs;
    g->values = arena_array(&g->memory, (size_t)g->n_values, sizeof *g->values);
    g->nodes = arena_array(&g->memory, (size_t)g->n_nodes, sizeof(node *));
    if (!g->values || !g->nodes || !clone_ids(g, &g->inputs, &g->cap_inputs, g->n_inputs) ||
        !clone_ids(g, &g->outputs, &g->cap_outputs, g->n_outputs))
        goto fail;
    for (int i = 0; i < g->n_values; i++) {
        g->values[i] = from->values[i];
        if (!(g->values[i].name = arena_strdup(&g->memory, from->values[i].name)))
            goto fail;
    }
    for (int i = 0; i < g->n_nodes; i++)
        if (!(g->nodes[i] = clone_node(g, from->nodes[i])))
            goto fail;
    for (int i = 0; i < from->n_layers; i++)
        if (!graph_add_layer(g, &from->layers[i]))
            goto fail;
    return SEPCL_OK;
fail:
    graph_destroy(g);
    *out = NULL;
    return SEPCL_OUT_OF_MEMORY;
}

static status check_node(const graph *g, int index, bool *seen, shape *shapes)
{
    const node     *n = g->nodes[index];
    const node_view v = {g, n};
    char            got[SHAPE_TEXT], want[SHAPE_TEXT];
    for (int k = 0; k < n->n_in; k++)
        if (n->in[k] >= 0 && !seen[n->in[k]])
            return fail(SEPCL_INVALID, "node '%s' (%s) reads '%s' before it is made", n->name, op_name(n->op),
                        g->values[n->in[k]].name);
    const status st = infer_node(&v, shapes);
    if (st != SEPCL_OK)
        return fail_in(st, "node '%s' (%s)", n->name, op_name(n->op));
    for (int k = 0; k < n->n_out; k++) {
        const value *out = &g->values[n->out[k]];
        if (!shape_equal(&out->shape, &shapes[k]))
            return fail(SEPCL_INVALID, "node '%s' (%s): output %d has shape %s, inferred %s", n->name, op_name(n->op),
                        k, shape_text(&out->shape, got), shape_text(&shapes[k], want));
        if (out->producer != index)
            return fail(SEPCL_INVALID, "node '%s' (%s): output %d has another producer", n->name, op_name(n->op), k);
        seen[n->out[k]] = true;
    }
    return SEPCL_OK;
}

status graph_check(const graph *g)
{
    status st = SEPCL_OK;
    int    most = 1;
    for (int i = 0; i < g->n_nodes; i++)
        most = g->nodes[i]->n_out > most ? g->nodes[i]->n_out : most;
    bool  *seen = calloc((size_t)g->n_values + 1, sizeof *seen);
    shape *shapes = calloc((size_t)most, sizeof *shapes);
    if (!seen || !shapes)
        st = fail_memory((size_t)g->n_values, "checking a graph");
    for (int i = 0; st == SEPCL_OK && i < g->n_values; i++)
        seen[i] = g->values[i].is_input || g->values[i].data;
    for (int i = 0; st == SEPCL_OK && i < g->n_nodes; i++)
        if (!g->nodes[i]->dead)
            st = check_node(g, i, seen, shapes);
    for (int i = 0; st == SEPCL_OK && i < g->n_outputs; i++)
        if (!seen[g->outputs[i]])
            st = fail(SEPCL_BAD_FILE, "output '%s' is made by no node", g->values[g->outputs[i]].name);
    free(seen);
    free(shapes);
    return st;
}

void graph_dump(const graph *g, const char *title)
{
    if (!log_wants(SEPCL_LOG_DEBUG))
        return;
    log_debug("%s: %d nodes", title, g->n_nodes);
    for (int i = 0; i < g->n_nodes; i++) {
        const node *n = g->nodes[i];
        char        line[512], text[SHAPE_TEXT];
        int         at = 0;
        if (n->dead)
            continue;
        for (int k = 0; k < n->n_in && at < 300; k++)
            at += snprintf(line + at, sizeof line - (size_t)at, " %d", n->in[k]);
        if (n->n_out)
            snprintf(line + at, sizeof line - (size_t)at, " -> %d %s act %s/%s", n->out[0],
                     shape_text(&g->values[n->out[0]].shape, text), act_name(n->epi.act.kind),
                     act_name(n->epi.act2.kind));
        log_debug("  %s '%s'%s", op_name(n->op), n->name, line);
    }
}
