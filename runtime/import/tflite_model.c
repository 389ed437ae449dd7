/* SPDX-License-Identifier: Apache-2.0 */
#include "import/tflite_model.h"

#include <stdlib.h>
#include <string.h>

#include "base/size.h"

/* Fields of the format's tables. */
enum { MODEL_VERSION, MODEL_CODES, MODEL_SUBGRAPHS, MODEL_BUFFERS = 4, MODEL_SIGNATURES = 7 };
enum { CODE_SHORT, CODE_CUSTOM, CODE_BUILTIN = 3 };
enum { GRAPH_TENSORS, GRAPH_INPUTS, GRAPH_OUTPUTS, GRAPH_OPERATORS };
enum {
    TENSOR_SHAPE,
    TENSOR_TYPE,
    TENSOR_BUFFER,
    TENSOR_NAME,
    TENSOR_QUANTIZATION,
    TENSOR_VARIABLE,
    TENSOR_SPARSITY,
    TENSOR_SIGNATURE,
    TENSOR_EXTERNAL = 10
};
enum { QUANTIZATION_SCALE = 2 };
enum { BUFFER_DATA, BUFFER_OFFSET, BUFFER_SIZE };
enum { OPERATOR_CODE, OPERATOR_INPUTS, OPERATOR_OUTPUTS, OPERATOR_OPTIONS_TYPE, OPERATOR_OPTIONS };
enum { SIGNATURE_KEY = 2, SIGNATURE_SUBGRAPH = 4 };

/* ---------------------------------------------------------------- names */

const char *tflite_builtin_name(int code)
{
    static const char *const names[] = {
#define TFLITE_BUILTIN(number, name) [number] = #name,
#include "import/tflite_builtins.inc"
#undef TFLITE_BUILTIN
    };
    return code >= 0 && code < (int)(sizeof names / sizeof names[0]) ? names[code] : NULL;
}

static const struct {
    const char *name;
    dtype       type;
} types[] = {{"FLOAT32", DT_F32},    {"FLOAT16", DT_F16},   {"INT32", DT_I32},     {"UINT8", DT_NONE},
             {"INT64", DT_I64},      {"STRING", DT_NONE},   {"BOOL", DT_BOOL},     {"INT16", DT_NONE},
             {"COMPLEX64", DT_NONE}, {"INT8", DT_NONE},     {"FLOAT64", DT_NONE},  {"COMPLEX128", DT_NONE},
             {"UINT64", DT_NONE},    {"RESOURCE", DT_NONE}, {"VARIANT", DT_NONE},  {"UINT32", DT_NONE},
             {"UINT16", DT_NONE},    {"INT4", DT_NONE},     {"BFLOAT16", DT_NONE}, {"INT2", DT_NONE},
             {"UINT4", DT_NONE}};
#define N_TYPES ((int)(sizeof types / sizeof types[0]))

const char *tflite_type_name(int type)
{
    return type >= 0 && type < N_TYPES ? types[type].name : "an unknown number";
}

/* ---------------------------------------------------------------- limits */

status tflite_intact(const flat *f, const char *what)
{
    if (!f->bad)
        return SEPCL_OK;
    return fail(SEPCL_BAD_FILE, "%s: the file breaks off or is malformed at byte %zu of %zu", what, f->bad_at, f->n);
}

static status spend(tflite_model *m, int64_t n)
{
    m->entries += n;
    if (m->entries <= TFLITE_MAX_ENTRIES)
        return SEPCL_OK;
    return fail(SEPCL_UNSUPPORTED, "the file has more than %d list entries", TFLITE_MAX_ENTRIES);
}

static status count(const flat_vector *v, const char *what, int *n)
{
    *n = (int)v->n;
    if (v->n <= TFLITE_MAX_ITEMS)
        return SEPCL_OK;
    return fail(SEPCL_UNSUPPORTED, "the file has %u %s, above the limit of %d", v->n, what, TFLITE_MAX_ITEMS);
}

/* Indices of tensors; absent ones are -1 where that is allowed. */
static status read_indices(tflite_model *m, const flat_table *t, int field, bool may_lack, const int **out, int *n)
{
    const flat_vector v = flat_list(t, field, 4);
    TRY(spend(m, v.n));
    TRY(count(&v, "entries in a list", n));
    int *list = arena_array(&m->memory, v.n, sizeof *list);
    if (!list)
        return SEPCL_OUT_OF_MEMORY;
    for (int i = 0; i < *n; i++) {
        const int64_t index = flat_int(&v, (uint32_t)i);
        if (index >= m->n_tensors || index < (may_lack ? -1 : 0))
            return fail(SEPCL_BAD_FILE, "entry %d of a list names tensor %lld, but there are %d", i, (long long)index,
                        m->n_tensors);
        list[i] = (int)index;
    }
    *out = list;
    return SEPCL_OK;
}

/* ---------------------------------------------------------------- tensors */

static status read_shape(const flat_table *t, int field, const char *name, shape *out)
{
    const flat_vector v = flat_list(t, field, 4);
    if (v.n > MAX_RANK)
        return fail(SEPCL_UNSUPPORTED, "tensor '%s' has %u dimensions, above the limit of %d", name, v.n, MAX_RANK);
    out->rank = (int)v.n;
    for (int i = 0; i < out->rank; i++)
        out->dim[i] = flat_int(&v, (uint32_t)i);
    return SEPCL_OK;
}

/* Sets data when the tensor's buffer has any: in the buffer's table, or in the file behind all tables. */
static status find_data(tflite_model *m, const flat_table *table, tflite_tensor *t)
{
    const uint32_t index = (uint32_t)flat_i32(table, TENSOR_BUFFER, 0);
    if (index >= m->buffers.n)
        return index ? fail(SEPCL_BAD_FILE, "tensor '%s' is kept in buffer %u, but there are %u", t->name, index,
                            m->buffers.n)
                     : SEPCL_OK;
    const flat_table  buffer = flat_item(&m->buffers, index);
    const flat_vector data = flat_list(&buffer, BUFFER_DATA, 1);
    const uint64_t    offset = flat_u64(&buffer, BUFFER_OFFSET, 0), size = flat_u64(&buffer, BUFFER_SIZE, 0);
    if (data.n) {
        t->data = m->file.p + data.at;
        t->bytes = data.n;
    } else if (offset > 1) {
        if (offset > m->file.n || size > m->file.n - offset)
            return fail(SEPCL_BAD_FILE, "tensor '%s' is kept in %llu bytes from byte %llu on, but the file has %zu",
                        t->name, (unsigned long long)size, (unsigned long long)offset, m->file.n);
        t->data = m->file.p + offset;
        t->bytes = (size_t)size;
    }
    if (t->data)
        t->from = TFLITE_CONSTANT;
    return SEPCL_OK;
}

static status read_tensor(tflite_model *m, const flat_table *table, int index, tflite_tensor *t)
{
    const char      *name = flat_text(table, TENSOR_NAME);
    const flat_table quantization = flat_child(table, TENSOR_QUANTIZATION),
                     sparsity = flat_child(table, TENSOR_SPARSITY);
    if (!table->at)
        return fail(SEPCL_BAD_FILE, "tensor %d is missing", index);
    *t = (tflite_tensor){.from = TFLITE_NOWHERE, .sparsity = sparsity.at};
    t->name = name[0] ? name : arena_printf(&m->memory, "tensor %d", index);
    if (!t->name)
        return SEPCL_OUT_OF_MEMORY;
    t->file_type = flat_u8(table, TENSOR_TYPE, 0);
    t->type = t->file_type < N_TYPES ? types[t->file_type].type : DT_NONE;
    t->variable = flat_u8(table, TENSOR_VARIABLE, 0) != 0;
    t->quantised = t->type == DT_NONE && flat_list(&quantization, QUANTIZATION_SCALE, 4).n > 0;
    if (flat_i32(table, TENSOR_EXTERNAL, 0))
        return fail(SEPCL_UNSUPPORTED, "tensor '%s' is kept outside the file, which is not supported", t->name);
    TRY(read_shape(table, TENSOR_SHAPE, t->name, &t->shape));
    return find_data(m, table, t);
}

static status read_tensors(tflite_model *m, const flat_table *graph)
{
    const flat_vector v = flat_list(graph, GRAPH_TENSORS, 4);
    TRY(count(&v, "tensors", &m->n_tensors));
    m->tensors = arena_array(&m->memory, v.n, sizeof *m->tensors);
    if (!m->tensors)
        return SEPCL_OUT_OF_MEMORY;
    for (int i = 0; i < m->n_tensors; i++) {
        const flat_table t = flat_item(&v, (uint32_t)i);
        TRY(read_tensor(m, &t, i, &m->tensors[i]));
    }
    return tflite_intact(&m->file, "the tensors");
}

/* ---------------------------------------------------------------- operators */

static status read_codes(tflite_model *m, const flat_table *model)
{
    const flat_vector v = flat_list(model, MODEL_CODES, 4);
    TRY(count(&v, "operator codes", &m->n_codes));
    m->codes = arena_array(&m->memory, v.n, sizeof *m->codes);
    if (!m->codes)
        return SEPCL_OUT_OF_MEMORY;
    for (int i = 0; i < m->n_codes; i++) {
        const flat_table t = flat_item(&v, (uint32_t)i);
        /* numbers above 126 have a field of their own; old files only have the short one */
        const int known = (int8_t)flat_u8(&t, CODE_SHORT, 0), full = flat_i32(&t, CODE_BUILTIN, 0);
        m->codes[i] = (tflite_code){known > full ? known : full, flat_text(&t, CODE_CUSTOM)};
    }
    return tflite_intact(&m->file, "the operator codes");
}

static status read_operator(tflite_model *m, const flat_table *t, int index, tflite_operator *o)
{
    const uint32_t   code = (uint32_t)flat_i32(t, OPERATOR_CODE, 0);
    const flat_table options = flat_child(t, OPERATOR_OPTIONS);
    if (!t->at || code >= (uint32_t)m->n_codes)
        return fail(SEPCL_BAD_FILE, "operator %d has code %u, but there are %d", index, code, m->n_codes);
    *o = (tflite_operator){.code = m->codes[code].builtin, .custom = m->codes[code].custom, .options = options.at};
    o->options_type = options.at ? flat_u8(t, OPERATOR_OPTIONS_TYPE, 0) : 0;
    TRY(read_indices(m, t, OPERATOR_INPUTS, true, &o->in, &o->n_in));
    TRY(read_indices(m, t, OPERATOR_OUTPUTS, false, &o->out, &o->n_out));
    if (o->n_out < 1)
        return fail(SEPCL_BAD_FILE, "operator %d has no output", index);
    o->name = m->tensors[o->out[0]].name;
    return SEPCL_OK;
}

static status read_operators(tflite_model *m, const flat_table *graph)
{
    const flat_vector v = flat_list(graph, GRAPH_OPERATORS, 4);
    TRY(count(&v, "operators", &m->n_operators));
    m->operators = arena_array(&m->memory, v.n, sizeof *m->operators);
    if (!m->operators)
        return SEPCL_OUT_OF_MEMORY;
    for (int i = 0; i < m->n_operators; i++) {
        const flat_table t = flat_item(&v, (uint32_t)i);
        TRY(read_operator(m, &t, i, &m->operators[i]));
    }
    return tflite_intact(&m->file, "the operators");
}

/* ---------------------------------------------------------------- inputs, outputs */

/* What stands in the file at the place of the graph's shape; free dimensions are -1 there. */
static status describe(const flat_table *table, const tflite_tensor *t, file_tensor *out)
{
    shape free;
    *out = (file_tensor){.name = t->name, .type = t->type, .shape = t->shape};
    TRY(read_shape(table, TENSOR_SIGNATURE, t->name, &free));
    if (free.rank && free.rank != t->shape.rank)
        return fail(SEPCL_BAD_FILE, "tensor '%s' has %d dimensions and a signature of %d", t->name, t->shape.rank,
                    free.rank);
    for (int i = 0; i < out->shape.rank; i++) {
        const int64_t given = out->shape.dim[i];
        if (t->from == TFLITE_INPUT && (given == 0 || given < -1))
            return fail(SEPCL_BAD_FILE, "input '%s' has the extent %lld", t->name, (long long)given);
        if (given < 1 || (free.rank && free.dim[i] < 0))
            out->shape.dim[i] = -1;
    }
    return SEPCL_OK;
}

static status describe_all(tflite_model *m, const flat_table *graph, const int *list, int n, file_tensor **out)
{
    const flat_vector v = flat_list(graph, GRAPH_TENSORS, 4);
    *out = arena_array(&m->memory, (size_t)n, sizeof **out);
    if (!*out)
        return SEPCL_OUT_OF_MEMORY;
    for (int i = 0; i < n; i++) {
        const flat_table t = flat_item(&v, (uint32_t)list[i]);
        TRY(describe(&t, &m->tensors[list[i]], &(*out)[i]));
    }
    return SEPCL_OK;
}

static status read_ends(tflite_model *m, const flat_table *graph)
{
    TRY(read_indices(m, graph, GRAPH_INPUTS, false, &m->input_tensors, &m->n_inputs));
    TRY(read_indices(m, graph, GRAPH_OUTPUTS, false, &m->output_tensors, &m->n_outputs));
    if (m->n_outputs < 1)
        return fail(SEPCL_BAD_FILE, "the model has no output");
    for (int i = 0; i < m->n_inputs; i++) {
        tflite_tensor *t = &m->tensors[m->input_tensors[i]];
        if (t->from == TFLITE_INPUT)
            return fail(SEPCL_BAD_FILE, "tensor '%s' is an input twice", t->name);
        t->from = TFLITE_INPUT;
        t->data = NULL;
    }
    TRY(describe_all(m, graph, m->input_tensors, m->n_inputs, &m->inputs));
    TRY(describe_all(m, graph, m->output_tensors, m->n_outputs, &m->outputs));
    return tflite_intact(&m->file, "the inputs and outputs");
}

/* ---------------------------------------------------------------- who needs what */

/* Every tensor has one source, and it comes before its readers. */
static status link_operators(tflite_model *m)
{
    for (int i = 0; i < m->n_operators; i++) {
        const tflite_operator *o = &m->operators[i];
        for (int k = 0; k < o->n_in; k++) {
            const tflite_tensor *t = o->in[k] < 0 ? NULL : &m->tensors[o->in[k]];
            /* state that an operator keeps from run to run is refused when it is known to be needed */
            if (t && t->from == TFLITE_NOWHERE && !t->variable && shape_count(&t->shape) != 0)
                return fail(SEPCL_BAD_FILE, "operator %d, '%s', reads tensor '%s' before it is made", i, o->name,
                            t->name);
        }
        for (int k = 0; k < o->n_out; k++) {
            tflite_tensor *t = &m->tensors[o->out[k]];
            if (t->from != TFLITE_NOWHERE)
                return fail(SEPCL_BAD_FILE, "operator %d makes tensor '%s', which has a value already", i, t->name);
            t->from = i;
        }
    }
    for (int i = 0; i < m->n_tensors; i++) /* empty lists are kept without a buffer */
        if (m->tensors[i].from == TFLITE_NOWHERE && shape_count(&m->tensors[i].shape) == 0)
            m->tensors[i].from = TFLITE_CONSTANT;
    return SEPCL_OK;
}

static void need_operator(tflite_model *m, tflite_operator *o)
{
    for (int k = 0; k < o->n_out; k++)
        o->needed |= m->tensors[o->out[k]].needed;
    for (int k = 0; o->needed && k < o->n_in; k++)
        if (o->in[k] >= 0) {
            m->tensors[o->in[k]].needed = true;
            m->tensors[o->in[k]].uses++;
        }
}

static status mark_needed(tflite_model *m)
{
    for (int i = 0; i < m->n_outputs; i++) {
        tflite_tensor *t = &m->tensors[m->output_tensors[i]];
        if (t->from == TFLITE_NOWHERE)
            return fail(SEPCL_BAD_FILE, "output '%s' is made by no operator", t->name);
        t->needed = t->is_output = true;
    }
    for (int i = m->n_operators - 1; i >= 0; i--)
        need_operator(m, &m->operators[i]);
    return SEPCL_OK;
}

/* The bytes of a dense constant are those of its shape. */
static status check_constants(const tflite_model *m)
{
    char text[SHAPE_TEXT];
    for (int i = 0; i < m->n_tensors; i++) {
        const tflite_tensor *t = &m->tensors[i];
        if (!t->needed || t->from != TFLITE_CONSTANT || t->type == DT_NONE || t->sparsity)
            continue;
        const int64_t n = shape_count(&t->shape);
        if (n < 0 || t->bytes / dtype_size(t->type) != (size_t)n || t->bytes % dtype_size(t->type))
            return fail(SEPCL_BAD_FILE, "constant '%s' of shape %s and type %s has %zu bytes", t->name,
                        shape_text(&t->shape, text), tflite_type_name(t->file_type), t->bytes);
    }
    return SEPCL_OK;
}

/* ---------------------------------------------------------------- the file */

/* Functions that a user would call by name, in subgraphs of their own, are other models: the first is not the answer.
 */
static status check_signatures(const flat_table *model)
{
    const flat_vector v = flat_list(model, MODEL_SIGNATURES, 4);
    for (uint32_t i = 0; i < v.n; i++) {
        const flat_table s = flat_item(&v, i);
        if (flat_i32(&s, SIGNATURE_SUBGRAPH, 0))
            return fail(SEPCL_UNSUPPORTED,
                        "the signature '%s' is in subgraph %d, and only models in the first subgraph are supported",
                        flat_text(&s, SIGNATURE_KEY), flat_i32(&s, SIGNATURE_SUBGRAPH, 0));
    }
    return SEPCL_OK;
}

static status read_model(tflite_model *m)
{
    if (m->file.n < 8 || memcmp(m->file.p + 4, "TFL3", 4) != 0)
        return fail(SEPCL_BAD_FILE, "not a TFLite file: 'TFL3' is missing at byte 4");
    const flat_table model = flat_root(&m->file);
    const int32_t    version = flat_i32(&model, MODEL_VERSION, 0);
    TRY(tflite_intact(&m->file, "the model"));
    if (version != TFLITE_VERSION)
        return fail(SEPCL_UNSUPPORTED, "the file has version %d of the format; %d is supported", version,
                    TFLITE_VERSION);
    const flat_vector graphs = flat_list(&model, MODEL_SUBGRAPHS, 4);
    const flat_table  graph = flat_item(&graphs, 0);
    if (!graph.at && !m->file.bad)
        return fail(SEPCL_BAD_FILE, "the file has no subgraph");
    TRY(check_signatures(&model));
    m->buffers = flat_list(&model, MODEL_BUFFERS, 4);
    TRY(tflite_intact(&m->file, "the model"));
    TRY(read_codes(m, &model));
    TRY(read_tensors(m, &graph));
    TRY(read_ends(m, &graph));
    TRY(read_operators(m, &graph));
    TRY(link_operators(m));
    TRY(mark_needed(m));
    return check_constants(m);
}

status tflite_model_open(const uint8_t *bytes, size_t size, tflite_model **out)
{
    *out = NULL;
    tflite_model *m = calloc(1, sizeof *m);
    if (!m)
        return fail_memory(sizeof *m, "a model");
    m->file = (flat){.p = bytes, .n = size};
    size_t room;
    m->memory.budget = &m->budget;
    m->budget.left = size_mul(2, size, &room) && size_add(IMPORT_MEMORY, room, &room) ? room : SIZE_MAX;
    status st = read_model(m);
    if (st == SEPCL_OUT_OF_MEMORY && m->budget.over)
        st = fail(SEPCL_UNSUPPORTED, "reading it would take more than %zu bytes of memory", room);
    if (st != SEPCL_OK) {
        tflite_model_close(m);
        return st;
    }
    *out = m;
    return SEPCL_OK;
}

void tflite_model_close(tflite_model *m)
{
    if (!m)
        return;
    arena_free(&m->memory);
    free(m);
}
