/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The graph: nodes and values, in topological order. Image tensors are NHWC; the importers see to that.
 * A graph is built by an importer or a test, changed by passes, and frozen by plan_create.
 */
#ifndef SEPCL_IR_GRAPH_H
#define SEPCL_IR_GRAPH_H

#include "base/arena.h"
#include "ir/attrs.h"

typedef int value_id; /* index into graph.values; -1: absent */

typedef enum op_kind {
    OP_NONE,
#define OP(NAME, name) OP_##NAME,
#include "ir/ops.inc"
#undef OP
    OP_COUNT
} op_kind;

typedef struct value {
    const char *name;
    dtype       type;
    shape       shape;
    const void *data;     /* constants: dense row-major elements, borrowed (file mapping) or in the graph's arena */
    int         producer; /* node index, -1 for inputs and constants */
    bool        is_input, is_output;
} value;

/* What is done to each element of a node's first output on its way to memory: y = act2(act(y) + residual).
   The residual, when there, is the input in the op's own residual slot (CONV_RES, ...). */
typedef struct epilogue {
    act act, act2;
} epilogue;

typedef struct node node;
struct node {
    op_kind     op;
    const char *name;
    int         n_in, n_out;
    value_id   *in, *out;
    attrs       a;
    epilogue    epi;
    /* A fused op keeps the nodes that it stands for, in order; their inner values stay in the graph but are never
       stored. Its own in[] is x, then everything that is not an inner value; see fused.h of its op. */
    node      **sub;
    int         n_sub;
    bool        layout; /* made by an importer to store a tensor in another order: no layer of the model */
    bool        dead;
    int         layer;  /* number of the layer that it is a part of, counted from 1; 0: it is a layer by itself */
};

/* A layer as the model's author knows it, where that may be several nodes or none (a dropout). */
typedef struct graph_layer {
    const char *name, *type;
    shape       output;
    uint64_t    parameters, trainable;
} graph_layer;

typedef struct graph {
    arena     memory;
    char     *name;
    value    *values;
    int       n_values, cap_values;
    node    **nodes;      /* topological order; dead ones are skipped and dropped by graph_compact */
    int       n_nodes, cap_nodes;
    value_id *inputs, *outputs;
    int       n_inputs, n_outputs, cap_inputs, cap_outputs;
    /* An importer whose files speak of layers lists them; empty: each node is a layer. */
    graph_layer *layers;
    int          n_layers, cap_layers;
    int          layer; /* that nodes are made for, counted from 1; 0: none */
    /* keeps the bytes that constants borrow (a file mapping): called once by graph_destroy */
    void (*release)(void *owner);
    void *owner;
} graph;

status graph_create(const char *name, graph **out);
void   graph_destroy(graph *g);

/* Deep copy of nodes and value table; constants' bytes are shared, so `from` must outlive the copy. */
status graph_clone(const graph *from, graph **out);

/* All return -1 on failure with the error sentence set. Names are copied; name may be NULL. */
value_id graph_input(graph *g, const char *name, dtype type, const shape *s);
/* data is borrowed when copy is false, else copied into the graph's arena (data NULL: zeroed, to be filled through
   graph_const_data). */
value_id graph_const(graph *g, const char *name, dtype type, const shape *s, const void *data, bool copy);
float   *graph_const_data(graph *g, value_id v); /* only for constants made with copy */
status   graph_output(graph *g, value_id v);

/* Adds a layer to the list; its number, counted from 1, or 0 when memory is out. Texts are copied. */
int graph_add_layer(graph *g, const graph_layer *l);

/* Adds a node after those there; infers and checks. outs[n_out] receives the new values. NULL attrs: all zero.
   On failure the sentence names the node and op. */
status graph_node(graph *g, op_kind op, const char *name, const attrs *a, const value_id *in, int n_in, value_id *outs,
                  int n_out);
/* The same for one output: the value, or -1. */
value_id graph_op(graph *g, op_kind op, const char *name, const attrs *a, const value_id *in, int n_in);

/* Moves a node to an earlier position of the order, or the one added last. What it reads has to be made before there. */
void graph_move(graph *g, int from, int to);
void graph_move_last(graph *g, int to);

/* Number of live nodes that read v, plus one when it is an output of the graph. */
int graph_uses(const graph *g, value_id v);
/* The only live node that reads v; NULL when none, several, or v is an output of the graph. *index_out: its node index. */
node *graph_single_user(const graph *g, value_id v, int *index_out);
/* Makes every reader of `from` (and the graph's outputs) use `to`. */
void graph_replace_uses(graph *g, value_id from, value_id to);
/* Drops dead nodes and renumbers producers. */
void graph_compact(graph *g);

/* Every invariant: topological order, shapes as inferred, inputs in range. For use after each pass. */
status graph_check(const graph *g);
/* One line a node into the debug log. */
void graph_dump(const graph *g, const char *title);

#endif
