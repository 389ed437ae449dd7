/* SPDX-License-Identifier: Apache-2.0 */
/* The ONNX importer's table, what it supports, and the checks that need no shapes. */
#include "import/onnx.h"

#include <string.h>

#include "import/onnx_build.h"
#include "import/onnx_edit.h"

static const onnx_op ops[] = {
#define ONNX_OP(name, since, min_in, outputs, fn, arg, note) {#name, since, min_in, outputs, onnx_op_##fn, arg, note},
#include "import/onnx_ops.inc"
#undef ONNX_OP
};
#define N_OPS ((int)(sizeof ops / sizeof ops[0]))

const onnx_op *onnx_op_find(const char *name)
{
    for (int i = 0; i < N_OPS; i++)
        if (strcmp(ops[i].name, name) == 0)
            return &ops[i];
    return NULL;
}

const char *onnx_op_support(int i, int *first_opset, const char **note)
{
    if (i < 0 || i >= N_OPS)
        return NULL;
    if (first_opset)
        *first_opset = ops[i].since;
    if (note)
        *note = ops[i].note;
    return ops[i].name;
}

/* ONNX has no magic number: the file's name decides, else whether the first bytes can begin a ModelProto. */
static bool sniff(const uint8_t *bytes, size_t size, const char *path)
{
    const size_t n = path ? strlen(path) : 0;
    if (n > 5 && strcmp(path + n - 5, ".onnx") == 0)
        return true;
    if (size < 2)
        return false;
    const int field = bytes[0] >> 3, type = bytes[0] & 7;
    switch (field) {
    case 1: /* ir_version, a small number */
        return type == WIRE_VARINT && bytes[1] > 0 && bytes[1] < 64;
    case 5:
        return type == WIRE_VARINT;
    case 2:
    case 3:
    case 4:
    case 6:
    case 7:
    case 8:
        return type == WIRE_LENGTH;
    default:
        return false;
    }
}

static status open_model(const uint8_t *bytes, size_t size, const char *path, void **state_out)
{
    onnx_model  *m;
    const status st = onnx_model_open(bytes, size, path, &m);
    *state_out = m;
    return st;
}

static void close_model(void *state)
{
    onnx_model_close(state);
}

/* Ops that carry graphs, and those on sequences and optionals, deserve a better reason than "not supported". */
static const char *reason(const char *op)
{
    static const char *const control[] = {"If", "Loop", "Scan", "SequenceMap"};
    for (size_t i = 0; i < sizeof control / sizeof control[0]; i++)
        if (strcmp(op, control[i]) == 0)
            return "control flow is not supported";
    if (strncmp(op, "Sequence", 8) == 0 || strncmp(op, "Optional", 8) == 0)
        return "sequences and optionals are not supported";
    if (strstr(op, "uantize") || strstr(op, "Integer"))
        return "quantised models are not supported";
    return "the op is not supported";
}

static status check_op(const onnx_model *m, const onnx_node *n)
{
    const onnx_op *op = onnx_op_find(n->op);
    if (n->domain[0])
        return fail(SEPCL_UNSUPPORTED, "node '%s' (%s.%s): ops of the domain '%s' are not supported", n->name,
                    n->domain, n->op, n->domain);
    if (m->opset <= 0)
        return fail(SEPCL_BAD_FILE, "the file does not say its opset");
    if (!op)
        return fail(SEPCL_UNSUPPORTED, "node '%s' (%s): %s", n->name, n->op[0] ? n->op : "no op", reason(n->op));
    if (m->opset < op->since)
        return fail(SEPCL_BAD_FILE, "node '%s' (%s): the op begins with opset %d, but the model has opset %lld",
                    n->name, n->op, op->since, (long long)m->opset);
    return SEPCL_OK;
}

static status check_model(const void *state)
{
    const onnx_model *m = state;
    for (int i = 0; i < m->n_nodes; i++)
        if (m->nodes[i].needed)
            TRY(check_op(m, &m->nodes[i]));
    for (int i = 0; i < m->n_inputs; i++) {
        const file_tensor *t = &m->inputs[i];
        if (t->type != DT_F32 && m->names[m->input_names[i]].needed)
            return fail(SEPCL_UNSUPPORTED, "input '%s' is a tensor of type %s; inputs have to be of a float type",
                        t->name, dtype_name(t->type));
    }
    return SEPCL_OK;
}

static int n_inputs(const void *state)
{
    return ((const onnx_model *)state)->n_inputs;
}

static int n_outputs(const void *state)
{
    return ((const onnx_model *)state)->n_outputs;
}

static const file_tensor *get_input(const void *state, int i)
{
    return &((const onnx_model *)state)->inputs[i];
}

static const file_tensor *get_output(const void *state, int i)
{
    return &((const onnx_model *)state)->outputs[i];
}

static status build(const void *state, const shape *inputs, graph *g)
{
    return onnx_build_graph(state, inputs, g);
}

static const char *why_not(const void *state, const char *value)
{
    return onnx_edit_why_not(state, value);
}

static status edit(const void *state, const model_edit *edits, int n, uint8_t **bytes_out, size_t *size_out)
{
    return onnx_edit(state, edits, n, bytes_out, size_out);
}

static size_t room(const void *state)
{
    return ((const onnx_model *)state)->budget.left;
}

const importer import_onnx = {
    .format = "ONNX",
    .sniff = sniff,
    .open = open_model,
    .close = close_model,
    .check = check_model,
    .n_inputs = n_inputs,
    .n_outputs = n_outputs,
    .input = get_input,
    .output = get_output,
    .build = build,
    .why_not = why_not,
    .edit = edit,
    .room = room,
};
