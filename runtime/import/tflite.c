/* SPDX-License-Identifier: Apache-2.0 */
/* The TFLite importer's table, what it supports, and the checks that need no shapes. */
#include "import/tflite.h"

#include <string.h>

#include "import/tflite_build.h"

static const tflite_op ops[] = {
#define TFLITE_OP(name, options, min_in, outputs, fn, arg, note)                                                       \
    {TFLITE_##name, options, min_in, outputs, tflite_op_##fn, arg, note},
#include "import/tflite_ops.inc"
#undef TFLITE_OP
};
#define N_OPS ((int)(sizeof ops / sizeof ops[0]))

const tflite_op *tflite_op_find(int code)
{
    for (int i = 0; i < N_OPS; i++)
        if (ops[i].code == code)
            return &ops[i];
    return NULL;
}

const char *tflite_op_support(int i, const char **note)
{
    if (i < 0 || i >= N_OPS)
        return NULL;
    if (note)
        *note = ops[i].note;
    return tflite_builtin_name(ops[i].code);
}

static bool sniff(const uint8_t *bytes, size_t size, const char *path)
{
    const size_t n = path ? strlen(path) : 0;
    return (size >= 8 && memcmp(bytes + 4, "TFL3", 4) == 0) || (n > 7 && strcmp(path + n - 7, ".tflite") == 0);
}

static status open_model(const uint8_t *bytes, size_t size, const char *path, void **state_out)
{
    tflite_model *m;
    const status  st = tflite_model_open(bytes, size, &m);
    (void)path;
    *state_out = m;
    return st;
}

static void close_model(void *state)
{
    tflite_model_close(state);
}

/* ---------------------------------------------------------------- check */

static const char *reason(int code)
{
    switch (code) {
    case TFLITE_CUSTOM:
    case TFLITE_DELEGATE:
        return "custom ops are not supported";
    case TFLITE_QUANTIZE:
    case TFLITE_FAKE_QUANT:
        return "quantised models are not supported";
    case TFLITE_IF:
    case TFLITE_WHILE:
    case TFLITE_CALL:
    case TFLITE_CALL_ONCE:
    case TFLITE_STABLEHLO_WHILE:
    case TFLITE_STABLEHLO_CASE:
    case TFLITE_STABLEHLO_COMPOSITE:
        return "it runs other subgraphs, and control flow is not supported";
    default:
        return "the op is not supported";
    }
}

static status refuse(const tflite_operator *o)
{
    const char *name = tflite_builtin_name(o->code);
    if (o->code == TFLITE_CUSTOM)
        return fail(SEPCL_UNSUPPORTED, "node '%s' (custom op '%s'): %s", o->name, o->custom, reason(o->code));
    if (!name)
        return fail(SEPCL_UNSUPPORTED, "node '%s' (op number %d): the op is unknown", o->name, o->code);
    return fail(SEPCL_UNSUPPORTED, "node '%s' (%s): %s", o->name, name, reason(o->code));
}

/* DT_NONE stands for whatever sepcl does not compute with. */
static status check_type(const tflite_operator *o, const tflite_tensor *t)
{
    const char *op = tflite_builtin_name(o->code);
    if (t->variable)
        return fail(SEPCL_UNSUPPORTED,
                    "node '%s' (%s): tensor '%s' keeps its value from run to run, which is not supported", o->name, op,
                    t->name);
    if (t->type != DT_NONE)
        return SEPCL_OK;
    if (t->quantised)
        return fail(SEPCL_UNSUPPORTED, "node '%s' (%s): tensor '%s' is of type %s; quantised models are not supported",
                    o->name, op, t->name, tflite_type_name(t->file_type));
    return fail(SEPCL_UNSUPPORTED, "node '%s' (%s): tensor '%s' is of type %s, which is not supported", o->name, op,
                t->name, tflite_type_name(t->file_type));
}

static status check_operator(const tflite_model *m, const tflite_operator *o)
{
    const tflite_op *op = tflite_op_find(o->code);
    if (!op)
        return refuse(o);
    for (int k = 0; k < o->n_in; k++)
        if (o->in[k] >= 0)
            TRY(check_type(o, &m->tensors[o->in[k]]));
    for (int k = 0; k < o->n_out; k++)
        TRY(check_type(o, &m->tensors[o->out[k]]));
    if (o->options_type && op->options && o->options_type != op->options)
        return fail(SEPCL_BAD_FILE, "node '%s' (%s): its options are of kind %d instead of %d", o->name,
                    tflite_builtin_name(o->code), o->options_type, op->options);
    if (op->outputs >= 0 && o->n_out > op->outputs)
        return fail(SEPCL_BAD_FILE, "node '%s' (%s): it has %d outputs instead of %d", o->name,
                    tflite_builtin_name(o->code), o->n_out, op->outputs);
    return SEPCL_OK;
}

static status check_model(const void *state)
{
    const tflite_model *m = state;
    for (int i = 0; i < m->n_operators; i++)
        if (m->operators[i].needed)
            TRY(check_operator(m, &m->operators[i]));
    for (int i = 0; i < m->n_inputs; i++) {
        const tflite_tensor *t = &m->tensors[m->input_tensors[i]];
        if (t->needed && t->type != DT_F32)
            return fail(SEPCL_UNSUPPORTED, "input '%s' is a tensor of type %s; inputs have to be FLOAT32", t->name,
                        tflite_type_name(t->file_type));
    }
    return SEPCL_OK;
}

/* ---------------------------------------------------------------- the table */

static int n_inputs(const void *state)
{
    return ((const tflite_model *)state)->n_inputs;
}

static int n_outputs(const void *state)
{
    return ((const tflite_model *)state)->n_outputs;
}

static const file_tensor *get_input(const void *state, int i)
{
    return &((const tflite_model *)state)->inputs[i];
}

static const file_tensor *get_output(const void *state, int i)
{
    return &((const tflite_model *)state)->outputs[i];
}

static status build(const void *state, const shape *inputs, graph *g)
{
    return tflite_build_graph(state, inputs, g);
}

static size_t room(const void *state)
{
    return ((const tflite_model *)state)->budget.left;
}

const importer import_tflite = {
    .format = "TFLite",
    .sniff = sniff,
    .open = open_model,
    .close = close_model,
    .check = check_model,
    .n_inputs = n_inputs,
    .n_outputs = n_outputs,
    .input = get_input,
    .output = get_output,
    .build = build,
    .room = room,
};
