/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An ONNX file with other convolutions. Fields are copied as they stand, in their order, but for: the nodes that are
 * replaced; initializers and Constant nodes that only those read, and what the file says of values that are no more;
 * and external weights, which move into the file, since it may lie elsewhere. New weights are initializers; in files of
 * an intermediate representation below 4, where those had to be inputs too, they are Constant nodes.
 */
#include "import/onnx_edit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/size.h"
#include "import/onnx_put.h"

typedef struct editor {
    const onnx_model *m;
    const model_edit *edits;
    int               n;
    arena             memory;
    int              *edit_of; /* by node: index + 1 of the edit that it is part of; 0: it stays */
    int              *uses;    /* by name: how many nodes that stay, and outputs, need it */
    bool             *gone;    /* by name: only nodes that go made or read it */
    int              *name_of; /* by initializer */
    const char      **made;    /* new names */
    int               n_made, cap_made;
    int64_t           ir;
} editor;

/* ------------------------------------------------------------------ what is there */

static int find_name(const onnx_model *m, const char *text)
{
    for (int i = 0; i < m->n_names; i++)
        if (!strcmp(m->names[i].text, text))
            return i;
    return -1;
}

static const onnx_node *maker(const onnx_model *m, const char *value)
{
    const int name = find_name(m, value);
    return name >= 0 && m->names[name].from >= 0 ? &m->nodes[m->names[name].from] : NULL;
}

/* The tensor that a node's input is; NULL when other nodes compute it. */
static const onnx_tensor *constant_of(const onnx_model *m, const onnx_node *n, int input)
{
    const onnx_name *name = input < n->n_in && n->in[input] >= 0 ? &m->names[n->in[input]] : NULL;
    if (name && name->from == ONNX_INITIALIZER)
        return &m->tensors[name->index];
    if (name && name->from >= 0 && !strcmp(m->nodes[name->from].op, "Constant"))
        return m->nodes[name->from].value;
    return NULL;
}

const char *onnx_edit_why_not(const onnx_model *m, const char *value)
{
    const onnx_node   *n = maker(m, value);
    const onnx_tensor *w = n ? constant_of(m, n, 1) : NULL;
    if (!n || strcmp(n->op, "Conv"))
        return "the file has more in its place than one Conv node";
    if (!w)
        return "the file computes its weights by other nodes";
    if (w->onnx_type != ONNX_FLOAT && w->onnx_type != ONNX_FLOAT16 && w->onnx_type != ONNX_DOUBLE)
        return "its weights are stored in a type that is not written";
    return NULL;
}

static wire_bytes attribute_text(const onnx_node *n, const char *name)
{
    wire       w = wire_open(n->message);
    wire_field f, a;
    while (wire_next(&w, &f)) {
        wire_bytes text = {0};
        bool       is_it = false;
        if (f.number != N_ATTRIBUTE || f.type != WIRE_LENGTH)
            continue;
        wire inner = wire_open(f.bytes);
        while (wire_next(&inner, &a)) {
            is_it |= a.number == A_NAME && a.type == WIRE_LENGTH && wire_equal(a.bytes, name);
            if (a.number == A_STRING && a.type == WIRE_LENGTH)
                text = a.bytes;
        }
        if (is_it)
            return text;
    }
    return (wire_bytes){0};
}

/* The automatic padding that all replaced nodes agree on; empty: none, pads are explicit. */
static wire_bytes auto_pad_of(const editor *ed, const model_edit *e)
{
    wire_bytes first = {0};
    for (int i = 0; i < e->n_old; i++) {
        const wire_bytes one = attribute_text(maker(ed->m, e->old[i]), "auto_pad");
        if (i && (one.n != first.n || (one.n && memcmp(one.p, first.p, one.n))))
            return (wire_bytes){0};
        first = one;
    }
    return first.n > 4 && !memcmp(first.p, "SAME", 4) ? first : (wire_bytes){0};
}

static status mark_nodes(editor *ed)
{
    for (int i = 0; i < ed->n; i++)
        for (int k = 0; k < ed->edits[i].n_old; k++) {
            const char      *value = ed->edits[i].old[k], *reason = onnx_edit_why_not(ed->m, value);
            const onnx_node *n = maker(ed->m, value);
            if (reason)
                return fail(SEPCL_UNSUPPORTED, "the convolution that makes '%s' cannot be replaced: %s", value, reason);
            if (ed->edit_of[n - ed->m->nodes])
                return fail(SEPCL_INVALID, "the convolution that makes '%s' is to be replaced twice", value);
            ed->edit_of[n - ed->m->nodes] = i + 1;
        }
    return SEPCL_OK;
}

/* Inputs that the new nodes still take from the replaced ones. */
static bool still_read(const editor *ed, int node, int input)
{
    const model_edit *e = &ed->edits[ed->edit_of[node] - 1];
    const onnx_node  *n = &ed->m->nodes[node];
    if (input == 0)
        return n == maker(ed->m, e->old[0]);
    return input == 2 && n == maker(ed->m, e->old[e->n_old - 1]) && !e->bias;
}

static void count_uses(editor *ed)
{
    const onnx_model *m = ed->m;
    for (int i = 0; i < m->n_names; i++)
        ed->uses[i] = m->names[i].is_output;
    for (int i = 0; i < m->n_nodes; i++)
        for (int k = 0; k < m->nodes[i].n_in; k++)
            if (m->nodes[i].in[k] >= 0 && (!ed->edit_of[i] || still_read(ed, i, k)))
                ed->uses[m->nodes[i].in[k]]++;
    for (int i = 0; i < m->n_nodes; i++) {
        if (!ed->edit_of[i])
            continue;
        for (int k = 1; k < m->nodes[i].n_in; k++)
            if (m->nodes[i].in[k] >= 0)
                ed->gone[m->nodes[i].in[k]] = !ed->uses[m->nodes[i].in[k]];
        const model_edit *e = &ed->edits[ed->edit_of[i] - 1];
        for (int k = 0; k + 1 < e->n_old; k++) /* between two that become one */
            ed->gone[find_name(m, e->old[k])] = true;
    }
}

static status check_gone(const editor *ed)
{
    for (int i = 0; i < ed->m->n_names; i++)
        if (ed->gone[i] && ed->uses[i])
            return fail(SEPCL_INVALID, "'%s' is to go, but others read it", ed->m->names[i].text);
    return SEPCL_OK;
}

/* ------------------------------------------------------------------ new names */

static bool is_taken(const editor *ed, const char *text)
{
    for (int i = 0; i < ed->n_made; i++)
        if (!strcmp(ed->made[i], text))
            return true;
    return find_name(ed->m, text) >= 0;
}

/* "layer/role", or with a number where a name is taken; NULL when memory is out. */
static const char *new_name(editor *ed, const char *layer, const char *role, const char *what)
{
    const char *text = NULL;
    for (int k = 1; !text || is_taken(ed, text); k++) {
        char number[16] = "";
        if (k > 1)
            snprintf(number, sizeof number, "_%d", k);
        text = arena_printf(&ed->memory, "%s/%s%s%s", layer, role, number, what);
        if (!text)
            return NULL;
    }
    const char **grown = arena_grow(&ed->memory, ed->made, &ed->cap_made, ed->n_made + 1, sizeof *grown);
    if (!grown)
        return NULL;
    ed->made = grown;
    return grown[ed->n_made++] = text;
}

/* ------------------------------------------------------------------ new tensors and nodes */

/* The tensor as an initializer, or as a node that has it as its value. */
static void put_tensor(const editor *ed, wire_out *graph, wire_out *nodes, const char *name, const int64_t *dims,
                       int rank, int64_t onnx_type, const float *v)
{
    wire_out t = {0}, node = {0};
    onnx_put_floats(&t, name, onnx_type, dims, rank, v);
    if (ed->ir >= 4) {
        wire_put_message(graph, G_INITIALIZER, &t);
        return;
    }
    wire_put_text(&node, N_OUTPUT, name);
    wire_put_text(&node, N_NAME, name);
    wire_put_text(&node, N_OP, "Constant");
    onnx_put_tensor(&node, "value", &t);
    wire_put_message(nodes, G_NODE, &node);
}

static void put_window(wire_out *node, const attr_conv *c, int axes, wire_bytes auto_pad)
{
    onnx_put_pairs(node, "dilations", c->dilation, 2, axes);
    onnx_put_int(node, "group", c->group);
    onnx_put_pairs(node, "kernel_shape", c->kernel, 2, axes);
    onnx_put_pairs(node, "strides", c->stride, 2, axes);
    if (auto_pad.n)
        onnx_put_text(node, "auto_pad", auto_pad);
    else
        onnx_put_pairs(node, "pads", c->pad, 4, axes);
}

typedef struct part_names {
    const char *in, *out, *node, *weight, *bias; /* bias NULL: none */
} part_names;

static void put_conv(const editor *ed, const model_edit *e, int part, int axes, const part_names *names,
                     wire_out *nodes)
{
    wire_out node = {0};
    wire_put_text(&node, N_INPUT, names->in);
    wire_put_text(&node, N_INPUT, names->weight);
    if (names->bias)
        wire_put_text(&node, N_INPUT, names->bias);
    wire_put_text(&node, N_OUTPUT, names->out);
    wire_put_text(&node, N_NAME, names->node);
    wire_put_text(&node, N_OP, "Conv");
    put_window(&node, &e->parts[part].a, axes, auto_pad_of(ed, e));
    wire_put_message(nodes, G_NODE, &node);
}

/* The new nodes of an edit, in the place of its last old one, and their weights. */
static status put_edit(editor *ed, const model_edit *e, wire_out *graph, wire_out *nodes)
{
    const onnx_model  *m = ed->m;
    const onnx_node   *first = maker(m, e->old[0]), *last = maker(m, e->old[e->n_old - 1]);
    const onnx_tensor *old = constant_of(m, last, 1);
    const int          axes = old->shape.rank - 2;
    const char        *in = m->names[first->in[0]].text, *bias = NULL;
    if (last->n_in > 2 && last->in[2] >= 0)
        bias = m->names[last->in[2]].text;
    if (e->bias && !(bias = new_name(ed, last->name, e->roles[e->n_parts - 1], ".bias")))
        return SEPCL_OUT_OF_MEMORY;
    for (int i = 0; i < e->n_parts; i++) {
        const conv_part *c = &e->parts[i];
        const bool       is_last = i + 1 == e->n_parts;
        const int64_t dims[4] = {c->a.out_channels, c->ci, axes == 1 ? c->a.kernel[1] : c->a.kernel[0], c->a.kernel[1]};
        const part_names names = {.in = in,
                                  .node = new_name(ed, last->name, e->roles[i], ""),
                                  .weight = new_name(ed, last->name, e->roles[i], ".weight"),
                                  .out = is_last ? m->names[last->out[0]].text
                                                 : new_name(ed, last->name, e->roles[i], ".out"),
                                  .bias = is_last ? bias : NULL};
        if (!names.node || !names.weight || !names.out)
            return SEPCL_OUT_OF_MEMORY;
        put_tensor(ed, graph, nodes, names.weight, dims, 2 + axes, old->onnx_type, c->w);
        if (is_last && e->bias)
            put_tensor(ed, graph, nodes, bias, dims, 1, old->onnx_type, e->bias);
        put_conv(ed, e, i, axes, &names, nodes);
        in = names.out;
    }
    return SEPCL_OK;
}

/* ------------------------------------------------------------------ what stays */

/* External data moves into the file. */
static status put_initializer(const onnx_tensor *t, const wire_field *f, wire_out *graph)
{
    bool       external = false;
    wire       w = wire_open(t->message);
    wire_field inner;
    while (wire_next(&w, &inner))
        external |= inner.number == T_LOCATION && inner.type == WIRE_VARINT && inner.value == 1;
    if (!external) {
        wire_put_field(graph, f);
        return SEPCL_OK;
    }
    if (!t->data || t->onnx_type == ONNX_DOUBLE || t->onnx_type == ONNX_BFLOAT16)
        return fail(SEPCL_UNSUPPORTED,
                    "the initializer '%s' of type %s lies in another file and cannot be moved into this one", t->name,
                    onnx_type_name(t->onnx_type));
    wire_out out = {0};
    w = wire_open(t->message);
    while (wire_next(&w, &inner))
        if (inner.number != T_LOCATION && inner.number != T_EXTERNAL && inner.number != T_RAW)
            wire_put_field(&out, &inner);
    wire_put_bytes(&out, T_RAW, t->data, (size_t)t->count * dtype_size(t->type));
    wire_put_message(graph, G_INITIALIZER, &out);
    return SEPCL_OK;
}

/* The name of an input or of what a value_info describes. */
static bool describes_gone(const editor *ed, wire_bytes message)
{
    wire       w = wire_open(message);
    wire_field f;
    while (wire_next(&w, &f))
        if (f.number == 1 && f.type == WIRE_LENGTH)
            for (int i = 0; i < ed->m->n_names; i++)
                if (ed->gone[i] && wire_equal(f.bytes, ed->m->names[i].text))
                    return true;
    return false;
}

static bool node_goes(const editor *ed, int i)
{
    const onnx_node *n = &ed->m->nodes[i];
    bool             gone = !strcmp(n->op, "Constant") && n->n_out > 0;
    for (int k = 0; gone && k < n->n_out; k++)
        gone = n->out[k] >= 0 && ed->gone[n->out[k]];
    return gone;
}

static status put_node(editor *ed, int i, const wire_field *f, wire_out *graph, wire_out *nodes)
{
    const model_edit *e = ed->edit_of[i] ? &ed->edits[ed->edit_of[i] - 1] : NULL;
    if (e && &ed->m->nodes[i] == maker(ed->m, e->old[e->n_old - 1]))
        return put_edit(ed, e, graph, nodes);
    if (!e && !node_goes(ed, i))
        wire_put_field(nodes, f);
    return SEPCL_OK;
}

/* Nodes come first, then all else in its order: the order between fields of different numbers has no meaning. */
static status put_graph(editor *ed, wire_bytes old, wire_out *out)
{
    wire_out   nodes = {0}, rest = {0};
    wire       w = wire_open(old);
    wire_field f;
    int        node = 0, tensor = 0;
    status     st = SEPCL_OK;
    while (st == SEPCL_OK && wire_next(&w, &f)) {
        if (f.number == G_NODE) {
            st = put_node(ed, node++, &f, &rest, &nodes);
        } else if (f.number == G_INITIALIZER) {
            const onnx_tensor *t = &ed->m->tensors[tensor++];
            if (!ed->gone[ed->name_of[t - ed->m->tensors]])
                st = put_initializer(t, &f, &rest);
        } else if ((f.number != G_INPUT && f.number != G_VALUE_INFO) || !describes_gone(ed, f.bytes)) {
            wire_put_field(&rest, &f);
        }
    }
    wire_put(&nodes, rest.p, rest.n);
    nodes.failed |= rest.failed;
    wire_out_free(&rest);
    wire_put_message(out, M_GRAPH, &nodes);
    return st;
}

static status put_model(editor *ed, wire_out *out)
{
    wire       w = wire_open(ed->m->file);
    wire_field f;
    while (wire_next(&w, &f))
        if (f.number == M_IR && f.type == WIRE_VARINT)
            ed->ir = (int64_t)f.value;
    w = wire_open(ed->m->file);
    while (wire_next(&w, &f)) {
        if (f.number == M_GRAPH)
            TRY(put_graph(ed, f.bytes, out));
        else
            wire_put_field(out, &f);
        if (out->failed)
            return fail_memory(out->n, "the new file");
        if (out->n > ONNX_MOST_BYTES)
            return fail(SEPCL_UNSUPPORTED, "the new file would be larger than the limit of 2 GiB");
    }
    return SEPCL_OK;
}

status onnx_edit(const onnx_model *m, const model_edit *edits, int n, uint8_t **bytes_out, size_t *size_out)
{
    editor   ed = {.m = m, .edits = edits, .n = n};
    wire_out out = {0};
    ed.edit_of = arena_array(&ed.memory, (size_t)m->n_nodes, sizeof *ed.edit_of);
    ed.uses = arena_array(&ed.memory, (size_t)m->n_names, sizeof *ed.uses);
    ed.gone = arena_array(&ed.memory, (size_t)m->n_names, sizeof *ed.gone);
    ed.name_of = arena_array(&ed.memory, (size_t)m->n_tensors, sizeof *ed.name_of);
    for (int i = 0; ed.name_of && i < m->n_names; i++)
        if (m->names[i].from == ONNX_INITIALIZER)
            ed.name_of[m->names[i].index] = i;
    status st = ed.edit_of && ed.uses && ed.gone && ed.name_of ? mark_nodes(&ed) : SEPCL_OUT_OF_MEMORY;
    if (st == SEPCL_OK) {
        count_uses(&ed);
        st = check_gone(&ed);
    }
    if (st == SEPCL_OK)
        st = put_model(&ed, &out);
    arena_free(&ed.memory);
    if (st != SEPCL_OK) {
        wire_out_free(&out);
        return st;
    }
    *bytes_out = out.p;
    *size_out = out.n;
    return SEPCL_OK;
}
