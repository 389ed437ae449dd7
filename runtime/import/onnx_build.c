/* SPDX-License-Identifier: Apache-2.0 */
#include "import/onnx_build.h"

operand *onnx_in(const onnx_build *b, int i)
{
    const onnx_reader *r = b->reader;
    return i < r->n->n_in && r->n->in[i] >= 0 ? r->values[r->n->in[i]] : NULL;
}

void onnx_out(onnx_build *b, int i, operand *x)
{
    const onnx_reader *r = b->reader;
    if (i >= r->n->n_out || r->n->out[i] < 0)
        return;
    const int name = r->n->out[i];
    r->values[name] = x;
    import_name(b, x, r->m->names[name].text);
}

static status add_initializers(onnx_build *b)
{
    const onnx_reader *r = b->reader;
    for (int i = 0; i < r->m->n_names; i++) {
        const onnx_name *n = &r->m->names[i];
        if (n->from != ONNX_INITIALIZER || !n->needed)
            continue;
        const onnx_tensor *t = &r->m->tensors[n->index];
        TRY(import_constant(b, n->text, t->type, &t->shape, t->data, &r->values[i]));
    }
    return SEPCL_OK;
}

/* ---------------------------------------------------------------- nodes */

/* Ops that only move elements: truth values stay truth values. */
static bool moves(const onnx_op *op)
{
    status (*const list[])(onnx_build *, int) = {
        onnx_op_identity, onnx_op_reshape, onnx_op_flatten, onnx_op_squeeze, onnx_op_unsqueeze, onnx_op_transpose,
        onnx_op_split,    onnx_op_slice,   onnx_op_gather,  onnx_op_expand,  onnx_op_tile,
    };
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++)
        if (op->build == list[i])
            return true;
    return false;
}

/* Ops that tell truth values from numbers. */
static bool takes_truth(const onnx_op *op)
{
    status (*const list[])(onnx_build *, int) = {
        onnx_op_compare,   onnx_op_not,    onnx_op_where, onnx_op_cast,
        onnx_op_cast_like, onnx_op_concat, onnx_op_shape, onnx_op_size,
    };
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++)
        if (op->build == list[i])
            return true;
    return moves(op);
}

static status check_inputs(const onnx_build *b, const onnx_op *op)
{
    for (int i = 0; i < op->min_in; i++)
        if (!onnx_in(b, i))
            return fail(SEPCL_BAD_FILE, "input %d is missing", i);
    for (int i = 0; i < onnx_of(b)->n->n_in; i++)
        if (onnx_in(b, i) && operand_is_truth(onnx_in(b, i)) && !takes_truth(op))
            return fail(SEPCL_UNSUPPORTED, "input '%s' is a tensor of bool that depends on the model's inputs",
                        onnx_in(b, i)->name);
    return SEPCL_OK;
}

/* Outputs of an op that moves elements have the type of its first input. */
static void pass_truth(onnx_build *b, const onnx_op *op)
{
    const onnx_reader *r = b->reader;
    const operand     *x = onnx_in(b, 0);
    for (int i = 0; x && operand_is_truth(x) && moves(op) && i < r->n->n_out; i++) {
        operand *y = r->n->out[i] >= 0 ? r->values[r->n->out[i]] : NULL;
        if (y && !y->is_const)
            y->type = DT_BOOL;
    }
}

static status check_node(const onnx_build *b, const onnx_op *op)
{
    const onnx_model *m = onnx_of(b)->m;
    const onnx_node  *n = onnx_of(b)->n;
    TRY(check_inputs(b, op));
    for (int i = 0; i < n->n_out; i++)
        if (op->outputs >= 0 && i >= op->outputs && n->out[i] >= 0 && m->names[n->out[i]].needed)
            return fail(SEPCL_UNSUPPORTED, "output %d, '%s', is used, but only %d of the op's outputs are supported", i,
                        m->names[n->out[i]].text, op->outputs);
    if (n->n_out < 1)
        return fail(SEPCL_BAD_FILE, "the node has no output");
    return SEPCL_OK;
}

/* Is the node's first output wanted by the outside only? */
static bool leaves(const onnx_model *m, const onnx_node *n)
{
    const onnx_name *name = n->n_out && n->out[0] >= 0 ? &m->names[n->out[0]] : NULL;
    return name && name->is_output && name->uses == 0;
}

static status build_node(onnx_build *b, const onnx_node *n)
{
    const onnx_op *op = onnx_op_find(n->op);
    onnx_of(b)->n = n;
    import_begin(b, n->name, leaves(onnx_of(b)->m, n));
    status st = op ? check_node(b, op) : fail(SEPCL_UNSUPPORTED, "the op is not supported");
    if (st == SEPCL_OK)
        st = op->build(b, op->arg);
    if (st == SEPCL_OK)
        pass_truth(b, op);
    return import_end(b, st, n->op);
}

static status build_nodes(onnx_build *b)
{
    const onnx_model *m = onnx_of(b)->m;
    for (int i = 0; i < m->n_nodes; i++)
        if (m->nodes[i].needed)
            TRY(build_node(b, &m->nodes[i]));
    return SEPCL_OK;
}

static status build_all(onnx_build *b, const shape *inputs)
{
    const onnx_reader *r = b->reader;
    TRY(add_initializers(b));
    for (int i = 0; i < r->m->n_inputs; i++)
        TRY(import_input(b, r->m->inputs[i].name, &inputs[i], &r->values[r->m->input_names[i]]));
    TRY(build_nodes(b));
    for (int i = 0; i < r->m->n_outputs; i++) {
        const int name = r->m->output_names[i];
        TRY(import_output(b, r->values[name], r->m->names[name].text));
    }
    return import_finish(b);
}

status onnx_build_graph(const onnx_model *m, const shape *inputs, graph *g)
{
    onnx_reader r = {.m = m};
    onnx_build  b = {.g = g,
                     .reader = &r,
                     .channels_first = true,
                     .file_bytes = (int64_t)m->file.n,
                     .memory.budget = g->memory.budget};
    r.values = arena_array(&b.memory, (size_t)m->n_names, sizeof(operand *));
    const status st = r.values ? build_all(&b, inputs) : SEPCL_OUT_OF_MEMORY;
    import_done(&b);
    return st;
}
