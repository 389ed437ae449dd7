/* SPDX-License-Identifier: Apache-2.0 */
#include "import/onnx_write.h"

#include <stdlib.h>
#include <string.h>

#include "base/size.h"
#include "import/onnx_model.h"

/* ------------------------------------------------------------------ names */

static bool is_taken(const writer *w, const char *name)
{
    for (int i = 0; i < w->n_taken; i++)
        if (!strcmp(w->taken[i], name))
            return true;
    return false;
}

static const char *take(writer *w, const char *name)
{
    const char **grown = name ? arena_grow(&w->memory, w->taken, &w->cap_taken, w->n_taken + 1, sizeof *grown) : NULL;
    if (!grown) {
        w->out_of_memory = true;
        return "";
    }
    w->taken = grown;
    return grown[w->n_taken++] = name;
}

const char *writer_name(writer *w, const char *base)
{
    const char *name = *base ? base : "value";
    for (int k = 2; name && is_taken(w, name); k++)
        name = arena_printf(&w->memory, "%s_%d", *base ? base : "value", k);
    return take(w, name ? arena_strdup(&w->memory, name) : NULL);
}

/* ------------------------------------------------------------------ nodes */

writer_node writer_begin(const char *op, const char *const *in, int n_in)
{
    writer_node n = {{0}};
    for (int i = 0; i < n_in; i++)
        wire_put_text(&n.m, N_INPUT, in[i]);
    wire_put_text(&n.m, N_OP, op);
    return n;
}

const char *writer_end(writer *w, writer_node *n, const char *out_base)
{
    const char *out = writer_name(w, out_base);
    wire_put_text(&n->m, N_OUTPUT, out);
    wire_put_text(&n->m, N_NAME, out);
    wire_put_message(&w->nodes, G_NODE, &n->m);
    return out;
}

const char *writer_op(writer *w, const char *op, const char *const *in, int n_in, const char *out_base)
{
    writer_node n = writer_begin(op, in, n_in);
    return writer_end(w, &n, out_base);
}

/* ------------------------------------------------------------------ constants */

const char *writer_floats(writer *w, const char *base, const float *v, const int64_t *dims, int rank)
{
    wire_out    t = {0};
    const char *name = writer_name(w, base);
    onnx_put_floats(&t, name, ONNX_FLOAT, dims, rank, v);
    wire_put_message(&w->tensors, G_INITIALIZER, &t);
    return name;
}

const char *writer_whole(writer *w, const char *base, const int64_t *v, int n)
{
    wire_out      t = {0};
    const char   *name = writer_name(w, base);
    const int64_t dims[] = {n};
    onnx_put_whole(&t, name, dims, 1, v);
    wire_put_message(&w->tensors, G_INITIALIZER, &t);
    return name;
}

const char *writer_number(writer *w, float v)
{
    return writer_floats(w, "number", &v, NULL, 0);
}

/* A constant's elements as floats, in the order of the graph or, as four dimensions, with channels second. */
static const char *put_constant(writer *w, value_id id, bool second)
{
    const value  *v = &w->g->values[id];
    const int64_t n = shape_count(&v->shape);
    float        *data = malloc((size_t)i64_max(n, 1) * sizeof *data);
    if (!data) {
        w->out_of_memory = true;
        return "";
    }
    int64_t dims[MAX_RANK] = {1, 1, 1, 1};
    int     rank = v->shape.rank;
    for (int i = 0; i < rank; i++)
        dims[second ? 4 - rank + i : i] = v->shape.dim[i];
    const int64_t inner = dims[1] * dims[2], c = dims[3];
    for (int64_t i = 0; i < n; i++) {
        const int64_t p = second ? i / c : 0, k = i - p * c, b = second ? p / inner : 0;
        data[second ? (b * c + k) * inner + p - b * inner : i] = data_float(v->type, v->data, i);
    }
    const int64_t moved[] = {dims[0], dims[3], dims[1], dims[2]};
    const char   *name = writer_floats(w, v->name, data, second ? moved : dims, second ? 4 : rank);
    free(data);
    return name;
}

/* ------------------------------------------------------------------ orders */

static const char *put_transpose(writer *w, const char *in, bool to_second, const char *base)
{
    static const int64_t perms[2][4] = {{0, 2, 3, 1}, {0, 3, 1, 2}};
    writer_node          n = writer_begin("Transpose", &in, 1);
    onnx_put_ints(&n.m, "perm", perms[to_second], 4);
    return writer_end(w, &n, base);
}

const char *writer_plain(writer *w, value_id id)
{
    if (w->plain[id])
        return w->plain[id];
    if (w->g->values[id].data)
        return w->plain[id] = put_constant(w, id, false);
    return w->plain[id] = put_transpose(w, w->second[id], false, w->g->values[id].name);
}

const char *writer_second(writer *w, value_id id)
{
    if (w->second[id])
        return w->second[id];
    if (w->g->values[id].data)
        return w->second[id] = put_constant(w, id, true);
    return w->second[id] = put_transpose(w, w->plain[id], true, w->g->values[id].name);
}

bool writer_prefers_second(const writer *w, value_id id)
{
    return w->second[id] && !w->plain[id];
}

/* ------------------------------------------------------------------ the model */

static void put_port(wire_out *graph, uint32_t field, const char *name, const shape *s)
{
    wire_out port = {0}, type = {0}, tensor = {0}, dims = {0};
    for (int i = 0; i < s->rank; i++) {
        wire_out dim = {0};
        wire_put_number(&dim, 1, s->dim[i]);
        wire_put_message(&dims, 1, &dim);
    }
    wire_put_number(&tensor, 1, ONNX_FLOAT);
    wire_put_message(&tensor, 2, &dims);
    wire_put_message(&type, 1, &tensor);
    wire_put_text(&port, 1, name);
    wire_put_message(&port, 2, &type);
    wire_put_message(graph, field, &port);
}

/* Outputs get the names that they have to have. */
static void put_outputs(writer *w, const onnx_ports *ports)
{
    for (int i = 0; i < w->g->n_outputs; i++) {
        const char *in = writer_plain(w, w->g->outputs[i]);
        writer_node n = writer_begin("Identity", &in, 1);
        wire_put_text(&n.m, N_OUTPUT, ports->outputs[i]);
        wire_put_text(&n.m, N_NAME, writer_name(w, ports->outputs[i]));
        wire_put_message(&w->nodes, G_NODE, &n.m);
    }
}

static void put_graph(writer *w, const onnx_ports *ports, wire_out *model)
{
    wire_out graph = {0};
    wire_put(&graph, w->nodes.p, w->nodes.n);
    wire_put_text(&graph, G_NAME, "sepcl");
    wire_put(&graph, w->tensors.p, w->tensors.n);
    graph.failed |= w->nodes.failed || w->tensors.failed;
    for (int i = 0; i < w->g->n_inputs; i++)
        put_port(&graph, G_INPUT, ports->inputs[i], &w->g->values[w->g->inputs[i]].shape);
    for (int i = 0; i < w->g->n_outputs; i++)
        put_port(&graph, G_OUTPUT, ports->outputs[i], &w->g->values[w->g->outputs[i]].shape);
    wire_put_message(model, M_GRAPH, &graph);
}

static status put_model(writer *w, const onnx_ports *ports, wire_out *out)
{
    wire_out opset = {0};
    for (int i = 0; i < w->g->n_inputs; i++)
        w->plain[w->g->inputs[i]] = take(w, ports->inputs[i]);
    for (int i = 0; i < w->g->n_outputs; i++)
        take(w, ports->outputs[i]);
    for (int i = 0; i < w->g->n_nodes; i++) {
        const node  *n = w->g->nodes[i];
        const status st = n->dead ? SEPCL_OK : writer_put_node(w, n);
        if (st != SEPCL_OK)
            return fail_in(st, "node '%s' (%s)", n->name, op_name(n->op));
    }
    put_outputs(w, ports);
    wire_put_number(out, M_IR, 8);
    wire_put_text(out, M_PRODUCER, "sepcl");
    put_graph(w, ports, out);
    wire_put_number(&opset, 2, ONNX_WRITE_OPSET);
    wire_put_message(out, M_OPSET, &opset);
    if (w->out_of_memory || out->failed)
        return fail_memory(out->n, "the new file");
    return out->n <= ONNX_MOST_BYTES ? SEPCL_OK
                                     : fail(SEPCL_UNSUPPORTED, "the new file would be larger than the limit of 2 GiB");
}

status onnx_write_graph(const graph *g, const onnx_ports *ports, uint8_t **bytes_out, size_t *size_out)
{
    writer   w = {.g = g};
    wire_out out = {0};
    status   st = SEPCL_OUT_OF_MEMORY;
    w.plain = arena_array(&w.memory, (size_t)g->n_values, sizeof *w.plain);
    w.second = arena_array(&w.memory, (size_t)g->n_values, sizeof *w.second);
    *bytes_out = NULL;
    *size_out = 0;
    if (w.plain && w.second)
        st = put_model(&w, ports, &out);
    wire_out_free(&w.nodes);
    wire_out_free(&w.tensors);
    arena_free(&w.memory);
    if (st != SEPCL_OK) {
        wire_out_free(&out);
        return st;
    }
    *bytes_out = out.p;
    *size_out = out.n;
    return SEPCL_OK;
}
