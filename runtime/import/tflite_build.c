/* SPDX-License-Identifier: Apache-2.0 */
#include "import/tflite_build.h"

#include <math.h>

operand *tflite_in(const tflite_build *b, int i)
{
    const tflite_reader *r = b->reader;
    return i < r->o->n_in && r->o->in[i] >= 0 ? r->values[r->o->in[i]] : NULL;
}

status tflite_out(tflite_build *b, int i, operand *x)
{
    const tflite_reader *r = b->reader;
    if (i >= r->o->n_out)
        return fail(SEPCL_BAD_FILE, "it makes %d outputs at least, and the file has %d", i + 1, r->o->n_out);
    const tflite_tensor *t = &r->m->tensors[r->o->out[i]];
    if (!x->is_const && t->type != DT_F32)
        return fail(SEPCL_UNSUPPORTED, "output '%s' is of type %s; only FLOAT32 is computed", t->name,
                    tflite_type_name(t->file_type));
    if (operand_is_float(x) != (t->type == DT_F32 || t->type == DT_F16))
        return fail(SEPCL_BAD_FILE, "output '%s' is of type %s in the file, but comes out as %s", t->name,
                    tflite_type_name(t->file_type), dtype_name(x->type));
    r->values[r->o->out[i]] = x;
    import_name(b, x, t->name);
    return SEPCL_OK;
}

static status activation_of(int number, act *out)
{
    *out = (act){ACT_NONE, 0, 0};
    switch (number) {
    case TFLITE_ACT_NONE:
        return SEPCL_OK;
    case TFLITE_ACT_RELU:
        *out = (act){ACT_CLAMP, 0, INFINITY};
        return SEPCL_OK;
    case TFLITE_ACT_RELU_N1_TO_1:
        *out = (act){ACT_CLAMP, -1, 1};
        return SEPCL_OK;
    case TFLITE_ACT_RELU6:
        *out = (act){ACT_CLAMP, 0, 6};
        return SEPCL_OK;
    default:
        return fail(SEPCL_UNSUPPORTED, "the fused activation number %d is not supported", number);
    }
}

status tflite_out_fused(tflite_build *b, int activation, operand *x)
{
    act f;
    TRY(activation_of(activation, &f));
    TRY(emit_unary(b, x, f, &x));
    return tflite_out(b, 0, x);
}

/* ---------------------------------------------------------------- options and parameters */

/* Notes a malformed table of options once. */
static bool intact(tflite_build *b)
{
    const flat *f = &tflite_of(b)->file;
    if (f->bad)
        import_bad(b, tflite_intact(f, "the options"));
    return !f->bad;
}

int option_byte(tflite_build *b, int field, int def)
{
    const int v = flat_u8(&tflite_of(b)->options, field, (uint8_t)def);
    return intact(b) ? v : def;
}

int option_int(tflite_build *b, int field, int def)
{
    const int v = flat_i32(&tflite_of(b)->options, field, def);
    return intact(b) ? v : def;
}

float option_float(tflite_build *b, int field, float def)
{
    const float v = flat_f32(&tflite_of(b)->options, field, def);
    return intact(b) ? v : def;
}

int option_ints(tflite_build *b, int field, int64_t *out, int max)
{
    const flat_vector v = flat_list(&tflite_of(b)->options, field, 4);
    if (!intact(b) || !v.at)
        return -1;
    if (v.n > (uint32_t)max) {
        import_bad(b, fail(SEPCL_UNSUPPORTED, "a list of its options has %u entries, above the limit of %d", v.n, max));
        return -1;
    }
    for (uint32_t i = 0; i < v.n; i++)
        out[i] = flat_int(&v, i);
    return (int)v.n;
}

int param_ints_at(tflite_build *b, int input, int64_t *out, int max)
{
    const operand *x = tflite_in(b, input);
    if (!x)
        return -1;
    const int64_t n = operand_count(x);
    if (!x->is_const)
        import_bad(b, fail(SEPCL_UNSUPPORTED, "input '%s' has to be a constant", x->name));
    else if (operand_is_float(x))
        import_bad(b,
                   fail(SEPCL_BAD_FILE, "input '%s' is of type %s instead of integers", x->name, dtype_name(x->type)));
    else if (n > max)
        import_bad(b, fail(SEPCL_BAD_FILE, "input '%s' has %lld elements, above %d", x->name, (long long)n, max));
    else {
        for (int64_t i = 0; i < n; i++)
            out[i] = data_int(x->type, x->data, i);
        return (int)n;
    }
    return -1;
}

status param_exactly(tflite_build *b, int input, int64_t *out, int n)
{
    const int got = param_ints_at(b, input, out, n);
    if (b->bad != SEPCL_OK)
        return b->bad;
    return got == n ? SEPCL_OK
                    : fail(SEPCL_BAD_FILE, "input %d has %d elements instead of %d", input, got < 0 ? 0 : got, n);
}

/* ---------------------------------------------------------------- operators */

/* Makes operands of the constants that the operator reads, and checks that what must be there is. */
static status take_inputs(tflite_build *b, const tflite_op *op)
{
    const tflite_reader *r = b->reader;
    for (int i = 0; i < r->o->n_in; i++) {
        const int            index = r->o->in[i];
        const tflite_tensor *t = index < 0 ? NULL : &r->m->tensors[index];
        if (t && t->from == TFLITE_CONSTANT && !r->values[index])
            TRY(tflite_constant(b, t, &r->values[index]));
    }
    for (int i = 0; i < op->min_in; i++)
        if (!tflite_in(b, i))
            return fail(SEPCL_BAD_FILE, "input %d is missing", i);
    return SEPCL_OK;
}

/* Is the operator's only output wanted by the outside only? */
static bool leaves(const tflite_model *m, const tflite_operator *o)
{
    const tflite_tensor *t = &m->tensors[o->out[0]];
    return o->n_out == 1 && t->is_output && t->uses == 0;
}

static status build_operator(tflite_build *b, const tflite_operator *o)
{
    tflite_reader   *r = b->reader;
    const tflite_op *op = tflite_op_find(o->code);
    const char      *name = tflite_builtin_name(o->code);
    r->o = o;
    r->options = flat_table_at(&r->file, o->options);
    import_begin(b, o->name, leaves(r->m, o));
    status st = op ? take_inputs(b, op) : fail(SEPCL_UNSUPPORTED, "the op is not supported");
    if (st == SEPCL_OK)
        st = op->build(b, op->arg);
    return import_end(b, st, name ? name : "unknown op");
}

/* ---------------------------------------------------------------- the whole */

static status add_output(tflite_build *b, int index)
{
    const tflite_reader *r = b->reader;
    const tflite_tensor *t = &r->m->tensors[index];
    if (t->from == TFLITE_CONSTANT && !r->values[index])
        TRY(tflite_constant(b, t, &r->values[index]));
    if (!r->values[index])
        return fail(SEPCL_BAD_FILE, "output '%s' is made by no operator", t->name);
    return import_output(b, r->values[index], t->name);
}

static status build_all(tflite_build *b, const shape *inputs)
{
    const tflite_reader *r = b->reader;
    for (int i = 0; i < r->m->n_inputs; i++)
        TRY(import_input(b, r->m->inputs[i].name, &inputs[i], &r->values[r->m->input_tensors[i]]));
    for (int i = 0; i < r->m->n_operators; i++)
        if (r->m->operators[i].needed)
            TRY(build_operator(b, &r->m->operators[i]));
    for (int i = 0; i < r->m->n_outputs; i++)
        TRY(add_output(b, r->m->output_tensors[i]));
    return import_finish(b);
}

status tflite_build_graph(const tflite_model *m, const shape *inputs, graph *g)
{
    tflite_reader r = {.m = m, .file = m->file};
    tflite_build  b = {.g = g, .reader = &r, .file_bytes = (int64_t)m->file.n, .memory.budget = g->memory.budget};
    r.values = arena_array(&b.memory, (size_t)m->n_tensors, sizeof(operand *));
    const status st = r.values ? build_all(&b, inputs) : SEPCL_OUT_OF_MEMORY;
    import_done(&b);
    return st;
}
