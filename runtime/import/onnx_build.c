/* SPDX-License-Identifier: Apache-2.0 */
#include "import/onnx_build.h"

#include <string.h>

operand *operand_new(onnx_build *b)
{
    return arena_alloc(&b->memory, sizeof(operand));
}

operand *onnx_in(const onnx_build *b, int i)
{
    return i < b->n->n_in && b->n->in[i] >= 0 ? b->values[b->n->in[i]] : NULL;
}

void onnx_out(onnx_build *b, int i, operand *x)
{
    if (i >= b->n->n_out || b->n->out[i] < 0)
        return;
    const int name = b->n->out[i];
    b->values[name] = x;
    if (x->name)
        return; /* an identity: two names for one operand */
    x->name = b->m->names[name].text;
    if (x->fresh)
        b->g->values[x->forms[0].id].name = x->name;
}

status onnx_axis(int64_t axis, int rank, int *out)
{
    if (axis < -rank || axis >= rank)
        return fail(SEPCL_BAD_FILE, "axis %lld is outside a tensor of %d dimensions", (long long)axis, rank);
    *out = (int)(axis < 0 ? axis + rank : axis);
    return SEPCL_OK;
}

/* ---------------------------------------------------------------- sources */

static status add_input(onnx_build *b, int i, const shape *s)
{
    const file_tensor *t = &b->m->inputs[i];
    const value_id     id = graph_input(b->g, t->name, DT_F32, s);
    operand           *x = operand_new(b);
    if (id < 0 || !x)
        return SEPCL_OUT_OF_MEMORY;
    *x = (operand){.name = t->name, .shape = *s, .type = DT_F32, .n_forms = 1};
    x->forms[0] = (form){id, layout_plain(s->rank)};
    b->values[b->m->input_names[i]] = x;
    return SEPCL_OK;
}

static status add_initializers(onnx_build *b)
{
    for (int i = 0; i < b->m->n_names; i++) {
        const onnx_name *n = &b->m->names[i];
        if (n->from != ONNX_INITIALIZER || !n->needed)
            continue;
        const onnx_tensor *t = &b->m->tensors[n->index];
        operand           *x = operand_new(b);
        if (!x)
            return SEPCL_OUT_OF_MEMORY;
        *x = (operand){.name = n->text, .shape = t->shape, .type = t->type, .is_const = true, .data = t->data};
        b->values[i] = x;
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
    for (int i = 0; i < b->n->n_in; i++)
        if (onnx_in(b, i) && operand_is_truth(onnx_in(b, i)) && !takes_truth(op))
            return fail(SEPCL_UNSUPPORTED, "input '%s' is a tensor of bool that depends on the model's inputs",
                        onnx_in(b, i)->name);
    return SEPCL_OK;
}

/* Outputs of an op that moves elements have the type of its first input. */
static void pass_truth(onnx_build *b, const onnx_op *op)
{
    const operand *x = onnx_in(b, 0);
    for (int i = 0; x && operand_is_truth(x) && moves(op) && i < b->n->n_out; i++) {
        operand *y = b->n->out[i] >= 0 ? b->values[b->n->out[i]] : NULL;
        if (y && !y->is_const)
            y->type = DT_BOOL;
    }
}

static status check_node(const onnx_build *b, const onnx_op *op)
{
    const onnx_node *n = b->n;
    TRY(check_inputs(b, op));
    for (int i = 0; i < n->n_out; i++)
        if (op->outputs >= 0 && i >= op->outputs && n->out[i] >= 0 && b->m->names[n->out[i]].needed)
            return fail(SEPCL_UNSUPPORTED, "output %d, '%s', is used, but only %d of the op's outputs are supported", i,
                        b->m->names[n->out[i]].text, op->outputs);
    if (n->n_out < 1)
        return fail(SEPCL_BAD_FILE, "the node has no output");
    return SEPCL_OK;
}

static status build_node(onnx_build *b, const onnx_node *n)
{
    const onnx_op *op = onnx_op_find(n->op);
    b->n = n;
    b->bad = SEPCL_OK;
    b->placed = false;
    status st = op ? check_node(b, op) : fail(SEPCL_UNSUPPORTED, "the op is not supported");
    if (st == SEPCL_OK)
        st = op->build(b, op->arg);
    if (st == SEPCL_OK)
        pass_truth(b, op);
    if (b->bad != SEPCL_OK) {
        st = fail(b->bad, "%s", b->bad_text);
        b->placed = false;
    }
    if (st == SEPCL_OK || b->placed || st == SEPCL_OUT_OF_MEMORY)
        return st;
    return fail_in(st, "node '%s' (%s)", n->name, n->op);
}

static status build_nodes(onnx_build *b)
{
    for (int i = 0; i < b->m->n_nodes; i++)
        if (b->m->nodes[i].needed)
            TRY(build_node(b, &b->m->nodes[i]));
    return SEPCL_OK;
}

/* ---------------------------------------------------------------- outputs */

/* Views, constants and inputs may be outputs here; a pass gives them memory of their own. */
static status add_output(onnx_build *b, int i)
{
    const int   name = b->m->output_names[i];
    const char *text = b->m->names[name].text;
    operand    *x = b->values[name];
    value_id    id;
    if (!operand_is_float(x))
        return fail(SEPCL_UNSUPPORTED, "output '%s' is a tensor of type %s; outputs are float32", text,
                    dtype_name(x->type));
    TRY(operand_plain(b, x, &id));
    if (b->g->values[id].producer >= 0)
        b->g->values[id].name = text;
    return graph_output(b->g, id);
}

/* Nodes that nothing reads, such as views that another view replaced. */
static status drop_unused(onnx_build *b)
{
    graph *g = b->g;
    bool  *used = arena_array(&b->memory, (size_t)g->n_values, sizeof *used);
    if (!used)
        return SEPCL_OUT_OF_MEMORY;
    for (int i = 0; i < g->n_outputs; i++)
        used[g->outputs[i]] = true;
    for (int i = g->n_nodes - 1; i >= 0; i--) {
        node *n = g->nodes[i];
        n->dead = true;
        for (int k = 0; k < n->n_out; k++)
            n->dead &= !used[n->out[k]];
        for (int k = 0; !n->dead && k < n->n_in; k++)
            if (n->in[k] >= 0)
                used[n->in[k]] = true;
    }
    graph_compact(g);
    return SEPCL_OK;
}

status onnx_build_graph(const onnx_model *m, const shape *inputs, graph *g)
{
    onnx_build b = {.m = m, .g = g, .memory.budget = g->memory.budget};
    status     st = SEPCL_OUT_OF_MEMORY;
    b.values = arena_array(&b.memory, (size_t)m->n_names, sizeof(operand *));
    if (!b.values)
        goto done;
    st = add_initializers(&b);
    for (int i = 0; st == SEPCL_OK && i < m->n_inputs; i++)
        st = add_input(&b, i, &inputs[i]);
    if (st == SEPCL_OK)
        st = build_nodes(&b);
    for (int i = 0; st == SEPCL_OK && i < m->n_outputs; i++)
        st = add_output(&b, i);
    if (st == SEPCL_OK)
        st = drop_unused(&b);
done:
    arena_free(&b.memory);
    return st;
}
