/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes small TFLite files for tests: a flatbuffer writer, and on it tensors, operators and models. Tables are written
 * parents first, each behind its own field table; every field takes four bytes. Where sizes, counts and offsets stand
 * is noted, so that tests can spoil each of them.
 */
#ifndef SEPCL_TEST_TFLITE_WRITER_H
#define SEPCL_TEST_TFLITE_WRITER_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define FW_SIZES 2048
#define FW_NONE INT64_MIN /* a field that is absent */

typedef struct fw {
    uint8_t *p;
    size_t   n, cap;
    size_t sizes[FW_SIZES]; /* positions of counts and offsets, four bytes each, and (odd: two bytes) of table sizes */
    int    n_sizes;
} fw;

static inline size_t fw_raw(fw *w, const void *p, size_t n)
{
    const size_t at = w->n;
    if (w->n + n > w->cap) {
        w->cap = 2 * (w->n + n) + 256;
        w->p = realloc(w->p, w->cap);
        if (!w->p)
            abort();
    }
    if (n)
        memcpy(w->p + w->n, p, n);
    w->n += n;
    return at;
}

static inline void fw_note(fw *w, size_t at)
{
    if (w->n_sizes == FW_SIZES)
        abort();
    w->sizes[w->n_sizes++] = at;
}

static inline void fw_align(fw *w, size_t to)
{
    while (w->n % to)
        fw_raw(w, "", 1);
}

static inline size_t fw_u32(fw *w, uint32_t v)
{
    return fw_raw(w, &v, 4);
}

static inline void fw_set(fw *w, size_t at, uint32_t v)
{
    memcpy(w->p + at, &v, 4);
}

/* A table of n fields; offsets are set later by fw_link. */
static inline size_t fw_table(fw *w, int n, const int64_t *v)
{
    fw_align(w, 4);
    const uint16_t bytes = (uint16_t)(4 + 2 * n), size = (uint16_t)(4 + 4 * n);
    const size_t   fields = fw_raw(w, &bytes, 2);
    fw_note(w, fields | 1);
    fw_note(w, fw_raw(w, &size, 2) | 1);
    for (int i = 0; i < n; i++)
        fw_raw(w, &(uint16_t){(uint16_t)(v[i] == FW_NONE ? 0 : 4 + 4 * i)}, 2);
    fw_align(w, 4);
    const size_t table = w->n;
    fw_u32(w, (uint32_t)(table - fields));
    fw_note(w, table);
    for (int i = 0; i < n; i++)
        fw_u32(w, v[i] == FW_NONE ? 0 : (uint32_t)v[i]);
    return table;
}
#define FW_TABLE(w, ...)                                                                                               \
    fw_table(w, (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (int64_t[]){__VA_ARGS__})

/* The offset at a position leads to what is written next. */
static inline void fw_here(fw *w, size_t at)
{
    fw_align(w, 4);
    fw_set(w, at, (uint32_t)(w->n - at));
    fw_note(w, at);
}

/* Field i of a table leads to the table at a position. */
static inline void fw_to_table(fw *w, size_t at, size_t table)
{
    fw_set(w, at, (uint32_t)(table - at));
    fw_note(w, at);
}

static inline size_t fw_field(size_t table, int i)
{
    return table + 4 + 4 * (size_t)i;
}

/* A vector of n elements, from a field or an entry; gives the position of the first element. */
static inline size_t fw_vector(fw *w, size_t from, const void *p, size_t n, size_t size)
{
    fw_here(w, from);
    fw_note(w, fw_u32(w, (uint32_t)n));
    return fw_raw(w, p, n * size);
}

static inline void fw_text(fw *w, size_t from, const char *text)
{
    fw_vector(w, from, text, strlen(text), 1);
    fw_raw(w, "", 1);
}

/* n offsets, to be set. */
static inline size_t fw_offsets(fw *w, size_t from, size_t n)
{
    void        *zeros = calloc(n + 1, 4);
    const size_t at = fw_vector(w, from, zeros, n, 4);
    free(zeros);
    return at;
}

/* ---------------------------------------------------------------- models */

enum { T_FLOAT32, T_FLOAT16, T_INT32, T_UINT8, T_INT64, T_STRING, T_BOOL, T_INT16, T_INT8 = 9 };

typedef struct tfl_tensor {
    const char *name;
    int         type, rank;
    int32_t     dim[10], free[10]; /* free: the signature, when its first entry is not 0 */
    const void *data;              /* NULL: computed */
    size_t      bytes;
    bool        scaled, variable, external;
    int         far; /* 1: the data stand behind all tables; 2: and begin beyond the file, 3: end there */
    void (*sparsity)(fw *w, size_t from); /* writes the table that the field leads to */
} tfl_tensor;

typedef struct tfl_op {
    int         code;
    const char *custom;
    int         n_in, n_out, options_type, n_options;
    int32_t     in[6], out[4];
    int64_t     options[10];
    int32_t     list[4]; /* n_list above 0: what the first option leads to */
    int         n_list;
} tfl_op;

typedef struct tfl {
    tfl_tensor tensors[24];
    tfl_op     ops[12];
    int32_t    inputs[4], outputs[4];
    int        n_tensors, n_ops, n_inputs, n_outputs;
    int        version;         /* 0: 3 */
    int        signature_graph; /* above 0: of a signature */
    bool       more_graphs;     /* another behind the one that counts */
} tfl;

static inline int tfl_add(tfl *m, tfl_tensor t)
{
    m->tensors[m->n_tensors] = t;
    return m->n_tensors++;
}

/* A float32 tensor that is computed or an input. */
#define TFL_VALUE(m, tensor_name, tensor_rank, ...)                                                                    \
    tfl_add(m, (tfl_tensor){.name = tensor_name, .rank = tensor_rank, .dim = {__VA_ARGS__}})
#define TFL_CONST(m, tensor_name, tensor_type, values, tensor_rank, ...)                                               \
    tfl_add(m, (tfl_tensor){.name = tensor_name,                                                                       \
                            .type = tensor_type,                                                                       \
                            .rank = tensor_rank,                                                                       \
                            .dim = {__VA_ARGS__},                                                                      \
                            .data = values,                                                                            \
                            .bytes = sizeof values})
#define TFL_OP(m, ...) ((m)->ops[(m)->n_ops++] = (tfl_op){__VA_ARGS__})

static inline void tfl_ends(tfl *m, int input, int output)
{
    m->inputs[m->n_inputs++] = input;
    m->outputs[m->n_outputs++] = output;
}

/* Buffer 0 is empty, as the format has it; the others belong to the constants in their order. */
static inline int tfl_buffer(const tfl *m, int tensor)
{
    int n = 0;
    for (int i = 0; i <= tensor; i++)
        n += m->tensors[i].data != NULL;
    return tensor >= 0 && m->tensors[tensor].data ? n : 0;
}

static inline void tfl_write_tensor(fw *w, size_t from, const tfl_tensor *t, int buffer)
{
    const bool   sized = t->free[0] != 0;
    const size_t at =
        FW_TABLE(w, t->rank ? 0 : FW_NONE, t->type, buffer, t->name ? 0 : FW_NONE, t->scaled ? 0 : FW_NONE, t->variable,
                 t->sparsity ? 0 : FW_NONE, sized ? 0 : FW_NONE, FW_NONE, FW_NONE, t->external ? 1 : FW_NONE);
    fw_to_table(w, from, at);
    if (t->rank)
        fw_vector(w, fw_field(at, 0), t->dim, (size_t)t->rank, 4);
    if (t->name)
        fw_text(w, fw_field(at, 3), t->name);
    if (t->scaled) {
        const size_t scale = FW_TABLE(w, FW_NONE, FW_NONE, 0);
        fw_to_table(w, fw_field(at, 4), scale);
        fw_vector(w, fw_field(scale, 2), &(float){0.5f}, 1, 4);
    }
    if (t->sparsity)
        t->sparsity(w, fw_field(at, 6));
    if (sized)
        fw_vector(w, fw_field(at, 7), t->free, (size_t)t->rank, 4);
}

static inline void tfl_write_op(fw *w, size_t from, const tfl_op *o, int code)
{
    const size_t at =
        FW_TABLE(w, code, 0, 0, o->options_type ? o->options_type : FW_NONE, o->options_type ? 0 : FW_NONE);
    fw_to_table(w, from, at);
    fw_vector(w, fw_field(at, 1), o->in, (size_t)o->n_in, 4);
    fw_vector(w, fw_field(at, 2), o->out, (size_t)o->n_out, 4);
    if (!o->options_type)
        return;
    const size_t options = fw_table(w, o->n_options, o->options);
    fw_to_table(w, fw_field(at, 4), options);
    if (o->n_list)
        fw_vector(w, fw_field(options, 0), o->list, (size_t)o->n_list, 4);
}

static inline void tfl_write_graph(fw *w, size_t from, const tfl *m)
{
    const size_t graph = FW_TABLE(w, 0, 0, 0, 0);
    fw_to_table(w, from, graph);
    const size_t tensors = fw_offsets(w, fw_field(graph, 0), (size_t)m->n_tensors);
    for (int i = 0; i < m->n_tensors; i++)
        tfl_write_tensor(w, tensors + 4 * (size_t)i, &m->tensors[i], tfl_buffer(m, i));
    fw_vector(w, fw_field(graph, 1), m->inputs, (size_t)m->n_inputs, 4);
    fw_vector(w, fw_field(graph, 2), m->outputs, (size_t)m->n_outputs, 4);
    const size_t ops = fw_offsets(w, fw_field(graph, 3), (size_t)m->n_ops);
    for (int i = 0; i < m->n_ops; i++)
        tfl_write_op(w, ops + 4 * (size_t)i, &m->ops[i], i);
}

static inline void tfl_write_codes(fw *w, size_t from, const tfl *m)
{
    const size_t codes = fw_offsets(w, from, (size_t)m->n_ops);
    for (int i = 0; i < m->n_ops; i++) {
        const tfl_op *o = &m->ops[i];
        const size_t  at = FW_TABLE(w, o->code < 127 ? o->code : 127, o->custom ? 0 : FW_NONE, 1, o->code);
        fw_to_table(w, codes + 4 * (size_t)i, at);
        if (o->custom)
            fw_text(w, fw_field(at, 1), o->custom);
    }
}

/* A buffer's table that says where the data stand in the file; gives where those two numbers are. */
static inline size_t tfl_far_buffer(fw *w, size_t from)
{
    static const uint16_t fields[] = {10, 20, 0, 4, 12, 0};
    fw_align(w, 4);
    fw_raw(w, fields, sizeof fields);
    const size_t table = fw_u32(w, sizeof fields);
    fw_to_table(w, from, table);
    return fw_raw(w, (uint64_t[]){0, 0}, 16);
}

static inline void tfl_write_far(fw *w, const tfl_tensor *t, size_t numbers)
{
    fw_align(w, 16);
    uint64_t v[2] = {fw_raw(w, t->data, t->bytes), t->bytes};
    if (t->far == 2)
        v[0] = UINT64_MAX;
    if (t->far == 3)
        v[1] = w->n;
    memcpy(w->p + numbers, v, sizeof v);
}

static inline void tfl_write_buffers(fw *w, size_t from, const tfl *m)
{
    size_t n = 1, far[24];
    for (int i = 0; i < m->n_tensors; i++)
        n += m->tensors[i].data != NULL;
    const size_t buffers = fw_offsets(w, from, n);
    fw_to_table(w, buffers, FW_TABLE(w, FW_NONE));
    for (int i = 0; i < m->n_tensors; i++) {
        const tfl_tensor *t = &m->tensors[i];
        const size_t      entry = buffers + 4 * (size_t)tfl_buffer(m, i);
        if (!t->data)
            continue;
        if (t->far) {
            far[i] = tfl_far_buffer(w, entry);
            continue;
        }
        const size_t at = FW_TABLE(w, 0);
        fw_to_table(w, entry, at);
        while ((w->n + 4) % 16)
            fw_raw(w, "", 1);
        fw_vector(w, fw_field(at, 0), t->data, t->bytes, 1);
    }
    for (int i = 0; i < m->n_tensors; i++)
        if (m->tensors[i].data && m->tensors[i].far)
            tfl_write_far(w, &m->tensors[i], far[i]);
}

/* The file; p is to be freed. */
static inline fw tfl_finish(const tfl *m)
{
    fw           w = {0};
    const size_t root = fw_u32(&w, 0);
    fw_raw(&w, "TFL3", 4);
    const size_t model =
        FW_TABLE(&w, m->version ? m->version : 3, 0, 0, FW_NONE, 0, FW_NONE, FW_NONE, m->signature_graph ? 0 : FW_NONE);
    fw_to_table(&w, root, model);
    tfl_write_codes(&w, fw_field(model, 1), m);
    const size_t graphs = fw_offsets(&w, fw_field(model, 2), m->more_graphs ? 2 : 1);
    tfl_write_graph(&w, graphs, m);
    if (m->more_graphs)
        fw_to_table(&w, graphs + 4, FW_TABLE(&w, FW_NONE));
    if (m->signature_graph) {
        const size_t list = fw_offsets(&w, fw_field(model, 7), 1);
        const size_t signature = FW_TABLE(&w, FW_NONE, FW_NONE, 0, FW_NONE, m->signature_graph);
        fw_to_table(&w, list, signature);
        fw_text(&w, fw_field(signature, 2), "decode");
    }
    tfl_write_buffers(&w, fw_field(model, 4), m);
    return w;
}

#endif
