/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A graph as an ONNX file. The graph keeps channels last, ONNX's image ops want them second: so a value of four dimensions
 * is on hand in one or both orders ("plain": that of the graph; "second"), and a Transpose is written only where an op asks
 * for the other one. A transpose of the graph between these orders writes nothing: it makes a value's other order known.
 */
#ifndef SEPCL_IMPORT_ONNX_WRITE_H
#define SEPCL_IMPORT_ONNX_WRITE_H

#include "import/onnx_put.h"
#include "ir/op.h"

/* The opset that is written. */
#define ONNX_WRITE_OPSET 17

/* Names of inputs and outputs as the file that was read has them. */
typedef struct onnx_ports {
    const char *const *inputs, *const *outputs;
} onnx_ports;

/* A graph as it was read: nothing fused. SEPCL_UNSUPPORTED names the node that opset 17 has no op for. */
status onnx_write_graph(const graph *g, const onnx_ports *ports, uint8_t **bytes_out, size_t *size_out);

/* ------------------------------------------------------------------ for the ops (onnx_write_ops.c) */

typedef struct writer {
    const graph *g;
    arena        memory;
    wire_out     nodes, tensors;
    const char **plain, **second; /* by value: names on hand; NULL */
    const char **taken;
    int          n_taken, cap_taken;
    bool         out_of_memory;
} writer;

/* A name that nothing has yet, made of this one. */
const char *writer_name(writer *w, const char *base);
/* A value in the order of the graph, or with channels second (four dimensions). Constants become initializers. */
const char *writer_plain(writer *w, value_id v);
const char *writer_second(writer *w, value_id v);
/* Is a value on hand with channels second, and not in the graph's order? */
bool writer_prefers_second(const writer *w, value_id v);
/* Initializers. */
const char *writer_floats(writer *w, const char *base, const float *v, const int64_t *dims, int rank);
const char *writer_whole(writer *w, const char *base, const int64_t *v, int n);
const char *writer_number(writer *w, float v);

/* A node: begin, attributes by onnx_put_..., end, which gives the name of its output: `out`, or a new one. in: names, ""
   for one that is absent. */
typedef struct writer_node {
    wire_out m;
} writer_node;
writer_node writer_begin(const char *op, const char *const *in, int n_in);
const char *writer_end(writer *w, writer_node *n, const char *out_base);
/* A node without attributes. */
const char *writer_op(writer *w, const char *op, const char *const *in, int n_in, const char *out_base);

status writer_put_node(writer *w, const node *n);

#endif
