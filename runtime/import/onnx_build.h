/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From ONNX nodes to the graph, in one pass with all input shapes known.
 *
 * Each ONNX value is an operand. It is either a constant of the host, computed here and now (so shape chains vanish),
 * or a value of the graph. The file keeps channels second, the graph last; so an operand remembers in which memory
 * orders
 * ("forms") it is on hand, and a transpose is added only when an op asks for an order that is not among them. An ONNX
 * Transpose adds nothing: it renames axes. What is asked for decides:
 *  - convolution, pooling, normalisation by channel: channels last;
 *  - ops that go element by element or along one axis: whatever order there is, with the axis renumbered;
 *  - matrix products, layer norm, outputs of the graph: the file's order.
 *
 * Op functions speak of shapes and axes of the file only; forms are the business of onnx_form.c and onnx_emit.c.
 */
#ifndef SEPCL_IMPORT_ONNX_BUILD_H
#define SEPCL_IMPORT_ONNX_BUILD_H

#include "import/onnx_model.h"
#include "ir/graph.h"

/* Where a graph value keeps the file's axes: axis a is its dimension pos[a] of rank; its other dimensions are 1. */
typedef struct layout {
    int    rank;
    int8_t pos[MAX_RANK];
} layout;

typedef struct form {
    value_id id;
    layout   at;
} form;

#define MAX_FORMS 4

typedef struct operand {
    const char *name;  /* in the file; NULL for a value between two nodes of one ONNX node */
    shape       shape; /* in the file's order; a constant may have 0 elements */
    dtype       type;  /* constants: as stored; values of the graph: DT_F32, or DT_BOOL for floats that are 0 or 1 */
    bool        is_const;
    const void *data;             /* constants: dense, row-major, in the file's order */
    form        forms[MAX_FORMS]; /* graph values that hold it; the first is the one it was made in */
    int         n_forms;
    bool        fresh; /* forms[0] was made for this operand and has no name of the file yet */
} operand;

typedef struct onnx_build {
    const onnx_model *m;
    graph            *g;
    arena             memory;       /* operands; goes when the build is done */
    operand         **values;       /* by name */
    const onnx_node  *n;            /* the node at hand */
    int64_t           work;         /* elements computed on the host so far */
    int64_t           folded_bytes; /* of constants made so far */
    status            bad;          /* a malformed attribute or parameter; checked when the op's function returns */
    char              bad_text[256];
    bool              placed; /* the error sentence names the node already */
} onnx_build;

/* ---------------------------------------------------------------- inputs, outputs (onnx_build.c) */

/* Input i of the node; NULL when absent. */
operand *onnx_in(const onnx_build *b, int i);
void     onnx_out(onnx_build *b, int i, operand *x);
operand *operand_new(onnx_build *b);

static inline bool operand_is_float(const operand *x)
{
    return x->type == DT_F32 || x->type == DT_F16;
}
/* A truth value that is computed when the network runs: a graph value of 0 and 1. */
static inline bool operand_is_truth(const operand *x)
{
    return x->type == DT_BOOL && !x->is_const;
}
static inline int64_t operand_count(const operand *x)
{
    return shape_count(&x->shape);
}

/* axis or axis + rank into *out; BAD_FILE when outside. */
status onnx_axis(int64_t axis, int rank, int *out);

/* Builds the graph (the importer's build). */
status onnx_build_graph(const onnx_model *m, const shape *inputs, graph *g);

/* ---------------------------------------------------------------- attributes (onnx_attr.c)
   A malformed one sets b->bad, and the default is returned. */
bool    attr_has(onnx_build *b, const char *name);
int64_t attr_int(onnx_build *b, const char *name, int64_t def);
float   attr_float(onnx_build *b, const char *name, float def);
/* Number of entries, -1 when absent. */
int attr_ints(onnx_build *b, const char *name, int64_t *out, int max);
int attr_floats(onnx_build *b, const char *name, float *out, int max);
/* Index of the text in options (ended by NULL); def when absent. Any other text is unsupported. */
int attr_choice(onnx_build *b, const char *name, const char *const *options, int def);
/* Constant inputs as numbers: entries, or -1 when absent. Not constant, not of the right type, more than max: b->bad.
 */
int param_ints(onnx_build *b, int input, int64_t *out, int max);
/* A constant input of one float; def when absent. */
float param_float(onnx_build *b, int input, float def);
/* The input from opset `since` on, the attribute before. */
int ints_of(onnx_build *b, const char *attribute, int input, int since, int64_t *out, int max);
/* Records a failure in b->bad. */
void onnx_bad(onnx_build *b, status st);

/* ---------------------------------------------------------------- forms (onnx_form.c) */
layout layout_plain(int rank);
/* Rank 3 N,C,L is kept as N,1,L,C; others as N,spatial...,C. */
layout layout_last(int rank);
shape  layout_shape(const layout *l, const shape *file);
/* Is a form on hand that has channels last, in an order that differs from the file's? */
bool operand_is_last(const operand *x);
/* A layout that suits all of these, of which none has more than rank axes. */
layout operands_layout(operand *const *x, int n, int rank);
/* The operand as a graph value in this layout; adds a view, a transpose or a constant when there is none yet. */
status operand_get(onnx_build *b, operand *x, const layout *l, value_id *out);
status operand_plain(onnx_build *b, operand *x, value_id *out);
status operand_last(onnx_build *b, operand *x, value_id *out);
/* In whatever layout it is on hand, channels last preferred. */
status operand_any(onnx_build *b, operand *x, form *out);
/* Adds a node of the current name and op whose output has layout l and file_rank axes. */
status operand_node(onnx_build *b, op_kind op, const attrs *a, const value_id *in, int n_in, const layout *l,
                    int file_rank, operand **out);
/* A view of a graph value. */
status operand_view(onnx_build *b, value_id from, const shape *s, const char *name, value_id *out);

/* ---------------------------------------------------------------- graph ops in terms of the file (onnx_emit.c)
   Constants are folded where that is cheap. */
status emit_unary(onnx_build *b, operand *x, act f, operand **out);
status emit_binary(onnx_build *b, binary_kind kind, operand *x, operand *y, operand **out);
status emit_where(onnx_build *b, operand *test, operand *x, operand *y, operand **out);
/* Truth values as floats of 0 and 1; whether each is 0. */
status emit_number(onnx_build *b, operand *x, operand **out);
status emit_not(onnx_build *b, operand *x, operand **out);
status emit_reduce(onnx_build *b, reduce_kind kind, operand *x, uint32_t axes, bool keepdims, operand **out);
status emit_softmax(onnx_build *b, operand *x, int axis, bool log, operand **out);
status emit_concat(onnx_build *b, operand **x, int n, int axis, operand **out);
status emit_slice(onnx_build *b, operand *x, const attr_slice *a, operand **out);
status emit_pad(onnx_build *b, operand *x, const attr_pad *a, operand **out);
status emit_transpose(onnx_build *b, operand *x, const int *perm, operand **out);
status emit_expand(onnx_build *b, operand *x, const shape *s, operand **out);
status emit_gather(onnx_build *b, operand *x, int axis, operand *indices, operand **out);
status emit_tile(onnx_build *b, operand *x, const int64_t *repeats, operand **out);
/* onnx_reshape.c */
status emit_reshape(onnx_build *b, operand *x, const shape *s, operand **out);
/* Leading dimensions of 1 up to a rank. */
status emit_rank(onnx_build *b, operand *x, int rank, operand **out);

/* ---------------------------------------------------------------- constants (onnx_fold.c) */
#define FOLD_SMALL ((int64_t)1 << 20) /* elements: computed */
#define FOLD_LARGE ((int64_t)1 << 27) /* elements: moved */

/* What can be computed of two operands, beside binary_kind. */
typedef enum fold_kind { FOLD_GREATER = BINARY_COUNT, FOLD_GREATER_EQUAL, FOLD_AND, FOLD_OR, FOLD_XOR } fold_kind;

/* A constant whose elements are to be written through *data. UNSUPPORTED when it is larger than limit. */
status fold_new(onnx_build *b, dtype type, const shape *s, int64_t limit, operand **out, void **data);
/* Counts elements against what a build may compute on the host. */
status fold_charge(onnx_build *b, int64_t elements);
status fold_ints(onnx_build *b, const int64_t *v, int n, operand **out); /* a 1-D int64 constant */
status fold_unary(onnx_build *b, const operand *x, act f, operand **out);
status fold_binary(onnx_build *b, int kind, const operand *x, const operand *y,
                   operand **out); /* binary_kind, fold_kind */
status fold_where(onnx_build *b, const operand *c, const operand *x, const operand *y, operand **out);
status fold_not(onnx_build *b, const operand *x, operand **out);
status fold_cast(onnx_build *b, const operand *x, dtype type, operand **out);
status fold_reduce(onnx_build *b, reduce_kind kind, const operand *x, uint32_t axes, bool keepdims, operand **out);
/* out[i] = x[offset + sum i_k * stride_k] for a box of up to 2 * MAX_RANK dimensions, as shape s. */
typedef struct strided {
    int     rank;
    int64_t dim[2 * MAX_RANK], stride[2 * MAX_RANK], offset;
} strided;
status fold_strided(onnx_build *b, const operand *x, const strided *box, const shape *s, operand **out);
status fold_concat(onnx_build *b, operand *const *x, int n, int axis, const shape *s, operand **out);
status fold_gather(onnx_build *b, const operand *x, int axis, const operand *indices, operand **out);
/* Copies a box of elements of this size. */
void strided_copy(void *to, const void *from, const strided *box, size_t size);

/* ---------------------------------------------------------------- the op table (onnx_ops.inc) */
typedef struct onnx_op {
    const char *name;
    int         since;   /* first opset that has it */
    int         min_in;  /* inputs that must be there */
    int         outputs; /* how many may be used; -1: any */
    status (*build)(onnx_build *b, int arg);
    int         arg;
    const char *note; /* limits, for the table of what is supported; may be "" */
} onnx_op;

/* NULL: unknown. */
const onnx_op *onnx_op_find(const char *name);

#define ONNX_OP(name, since, min_in, outputs, fn, arg, note) status onnx_op_##fn(onnx_build *b, int arg_);
#include "import/onnx_ops.inc"
#undef ONNX_OP

#endif
