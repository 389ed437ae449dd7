/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes small ONNX files for tests: a protobuf writer, and on it nodes, tensors and models. Field numbers are those of
 * onnx.proto. A message is a growing buffer; adding it to another one frees it.
 */
#ifndef SEPCL_TEST_ONNX_WRITER_H
#define SEPCL_TEST_ONNX_WRITER_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct pb {
    uint8_t *p;
    size_t   n, cap;
} pb;

static inline void pb_raw(pb *b, const void *p, size_t n)
{
    if (b->n + n > b->cap) {
        b->cap = 2 * (b->n + n) + 64;
        b->p = realloc(b->p, b->cap);
        if (!b->p)
            abort();
    }
    if (n)
        memcpy(b->p + b->n, p, n);
    b->n += n;
}

static inline void pb_varint(pb *b, uint64_t v)
{
    for (; v > 127; v >>= 7)
        pb_raw(b, &(uint8_t){(uint8_t)(v | 128)}, 1);
    pb_raw(b, &(uint8_t){(uint8_t)v}, 1);
}

static inline void pb_int(pb *b, int field, int64_t v)
{
    pb_varint(b, (uint64_t)field << 3);
    pb_varint(b, (uint64_t)v);
}

static inline void pb_float(pb *b, int field, float v)
{
    pb_varint(b, (uint64_t)field << 3 | 5);
    pb_raw(b, &v, 4);
}

static inline void pb_bytes(pb *b, int field, const void *p, size_t n)
{
    pb_varint(b, (uint64_t)field << 3 | 2);
    pb_varint(b, n);
    pb_raw(b, p, n);
}

static inline void pb_text(pb *b, int field, const char *text)
{
    pb_bytes(b, field, text, strlen(text));
}

static inline void pb_message(pb *b, int field, pb inner)
{
    pb_bytes(b, field, inner.p ? inner.p : (const uint8_t *)"", inner.n);
    free(inner.p);
}

/* ---------------------------------------------------------------- attributes (types: FLOAT 1, INT 2, STRING 3, ...) */

static inline pb attr_begin(const char *name, int type)
{
    pb b = {0};
    pb_text(&b, 1, name);
    pb_int(&b, 20, type);
    return b;
}

static inline pb attr_i(const char *name, int64_t v)
{
    pb b = attr_begin(name, 2);
    pb_int(&b, 3, v);
    return b;
}

static inline pb attr_f(const char *name, float v)
{
    pb b = attr_begin(name, 1);
    pb_float(&b, 2, v);
    return b;
}

static inline pb attr_s(const char *name, const char *v)
{
    pb b = attr_begin(name, 3);
    pb_text(&b, 4, v);
    return b;
}

static inline pb attr_list(const char *name, int n, const int64_t *v)
{
    pb b = attr_begin(name, 7);
    for (int i = 0; i < n; i++)
        pb_int(&b, 8, v[i]);
    return b;
}
#define ATTR_IS(name, ...)                                                                                             \
    attr_list(name, (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (int64_t[]){__VA_ARGS__})

static inline pb attr_t(const char *name, pb tensor)
{
    pb b = attr_begin(name, 4);
    pb_message(&b, 5, tensor);
    return b;
}

static inline pb attr_floats(const char *name, int n, const float *v)
{
    pb b = attr_begin(name, 6);
    for (int i = 0; i < n; i++)
        pb_float(&b, 7, v[i]);
    return b;
}

/* ---------------------------------------------------------------- tensors */

/* Name, element type and dimensions; rank up to 8. */
static inline pb tensor_begin(const char *name, int type, int rank, const int64_t *dims)
{
    pb b = {0};
    for (int i = 0; i < rank; i++)
        pb_int(&b, 1, dims[i]);
    pb_int(&b, 2, type);
    pb_text(&b, 8, name);
    return b;
}

static inline int64_t dims_count(int rank, const int64_t *dims)
{
    int64_t n = 1;
    for (int i = 0; i < rank; i++)
        n *= dims[i];
    return n;
}

/* Floats 0, step, 2 step, ... */
static inline pb tensor_ramp(const char *name, float step, int rank, const int64_t *dims)
{
    pb            b = tensor_begin(name, 1, rank, dims);
    const int64_t n = dims_count(rank, dims);
    float        *v = malloc((size_t)(n + 1) * sizeof *v);
    if (!v)
        abort();
    for (int64_t i = 0; i < n; i++)
        v[i] = step * (float)i;
    pb_bytes(&b, 9, v, (size_t)n * sizeof *v);
    free(v);
    return b;
}

static inline pb tensor_ints(const char *name, int rank, const int64_t *dims, const int64_t *v)
{
    pb b = tensor_begin(name, 7, rank, dims);
    pb_bytes(&b, 9, v, (size_t)dims_count(rank, dims) * sizeof *v);
    return b;
}

/* ---------------------------------------------------------------- models */

typedef struct net {
    pb graph;
} net;

/* Each name of a comma-separated list as one entry of a repeated field; "" is an absent value. */
static inline void pb_names(pb *b, int field, const char *list)
{
    for (;;) {
        const size_t n = strcspn(list, ",");
        pb_bytes(b, field, list, n);
        if (!list[n])
            return;
        list += n + 1;
    }
}

static inline pb node_begin(const char *op, const char *name, const char *in, const char *out)
{
    pb b = {0};
    if (in)
        pb_names(&b, 1, in);
    if (out)
        pb_names(&b, 2, out);
    pb_text(&b, 3, name);
    pb_text(&b, 4, op);
    return b;
}

/* in and out: comma-separated names, NULL for none. */
static inline void net_node(net *m, const char *op, const char *name, const char *in, const char *out, int n_attr,
                            pb *attr)
{
    pb b = node_begin(op, name, in, out);
    for (int i = 0; i < n_attr; i++)
        pb_message(&b, 5, attr[i]);
    pb_message(&m->graph, 1, b);
}
#define NODE(m, op, name, in, out) net_node(m, op, name, in, out, 0, NULL)
#define NODE_WITH(m, op, name, in, out, ...)                                                                           \
    net_node(m, op, name, in, out, (int)(sizeof((pb[]){__VA_ARGS__}) / sizeof(pb)), (pb[]){__VA_ARGS__})

static inline void net_tensor(net *m, pb tensor)
{
    pb_message(&m->graph, 5, tensor);
}
/* A constant input that is a ramp of floats; a row of integers. */
#define WEIGHT(m, name, step, ...)                                                                                     \
    net_tensor(m, tensor_ramp(name, step, (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)),                   \
                              (int64_t[]){__VA_ARGS__}))
#define INTS(m, name, ...)                                                                                             \
    net_tensor(m, tensor_ints(name, 1, &(int64_t){(int64_t)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t))},      \
                              (int64_t[]){__VA_ARGS__}))

/* Field 11 of the graph is an input, 12 an output. A dimension of -1 gets the name "n"; rank -1: no shape. */
static inline void net_port(net *m, int field, const char *name, int type, int rank, const int64_t *dims)
{
    pb extents = {0}, tensor = {0}, kind = {0}, port = {0};
    for (int i = 0; i < rank; i++) {
        pb dim = {0};
        if (dims[i] < 0)
            pb_text(&dim, 2, "n");
        else
            pb_int(&dim, 1, dims[i]);
        pb_message(&extents, 1, dim);
    }
    pb_int(&tensor, 1, type);
    if (rank >= 0)
        pb_message(&tensor, 2, extents);
    pb_message(&kind, 1, tensor);
    pb_text(&port, 1, name);
    pb_message(&port, 2, kind);
    pb_message(&m->graph, field, port);
}
#define INPUT(m, name, ...)                                                                                            \
    net_port(m, 11, name, 1, (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (int64_t[]){__VA_ARGS__})

static inline void net_output(net *m, const char *name)
{
    net_port(m, 12, name, 1, -1, NULL);
}

/* The file. Frees the graph. */
static inline pb net_finish(net *m, int64_t opset)
{
    pb file = {0}, import = {0};
    pb_int(&file, 1, 8);
    pb_text(&file, 2, "test");
    pb_int(&import, 2, opset);
    pb_message(&file, 8, import);
    pb_message(&file, 7, m->graph);
    m->graph = (pb){0};
    return file;
}

#endif
