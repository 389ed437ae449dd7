/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What importers share: from a file's layers to nodes of the graph, in one pass with all input shapes known.
 *
 * Each value of the file is an operand. It is either a constant of the host, computed here and now (so shape chains
 * vanish), or a value of the graph. The graph keeps channels last; a file may keep them second. So an operand remembers
 * in which memory orders ("forms") it is on hand, and a transpose is added only when an op asks for an order that is
 * not among them. A transpose in the file adds nothing: it renames axes. What is asked for decides:
 *  - convolution, pooling, normalisation by channel: channels last;
 *  - ops that go element by element or along one axis: whatever order there is, with the axis renumbered;
 *  - matrix products, layer norm, outputs of the graph: the file's order.
 *
 * An importer speaks of shapes and axes of the file only; forms are the business of form.c, emit.c and reshape.c.
 */
#ifndef SEPCL_IMPORT_BUILD_H
#define SEPCL_IMPORT_BUILD_H

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
    const char *name;  /* in the file; NULL for a value between two nodes of one layer of the file */
    shape       shape; /* in the file's order; a constant may have 0 elements */
    dtype       type;  /* constants: as stored; values of the graph: DT_F32, or DT_BOOL for floats that are 0 or 1 */
    bool        is_const;
    const void *data;             /* constants: dense, row-major, in the file's order */
    form        forms[MAX_FORMS]; /* graph values that hold it; the first is the one it was made in */
    int         n_forms;
    bool        fresh; /* forms[0] was made for this operand and has no name of the file yet */
} operand;

typedef struct import_build {
    graph      *g;
    void       *reader;         /* the importer's own state */
    bool        channels_first; /* the file keeps channels second; else last */
    int64_t     file_bytes;     /* large files may compute more on the host */
    arena       memory;         /* operands; goes when the build is done */
    const char *node;           /* name of the layer at hand, which its nodes get */
    bool        leaves;         /* its output is wanted by the outside only, in the file's order */
    int64_t     work;           /* elements computed on the host so far */
    int64_t     folded_bytes;   /* of constants made so far */
    status      bad;            /* a malformed attribute or parameter; checked when the layer's function returns */
    char        bad_text[256];
    bool        placed; /* the error sentence names the layer already */
} import_build;

/* ---------------------------------------------------------------- the frame of an importer (build.c) */

/* Adds a float32 input of the graph, in the file's order. */
status import_input(import_build *b, const char *name, const shape *s, operand **out);
/* A constant of the file; the data is borrowed. */
status import_constant(import_build *b, const char *name, dtype type, const shape *s, const void *data, operand **out);
/* Gives an operand its name in the file, unless it has one: an identity gives two names to one operand. */
void import_name(import_build *b, operand *x, const char *name);
/* Adds an output of the graph, in the file's order. */
status import_output(import_build *b, operand *x, const char *name);
/* Before and after the function of each layer. import_end names layer and op in the sentence of a failure. */
void   import_begin(import_build *b, const char *node, bool leaves);
status import_end(import_build *b, status st, const char *op);
/* Records a failure in b->bad. */
void import_bad(import_build *b, status st);
/* After the outputs: drops nodes that nothing reads, such as views that another view replaced. */
status import_finish(import_build *b);
/* Gives back what the build needed; the graph stays. */
void import_done(import_build *b);

/* axis or axis + rank into *out; BAD_FILE when outside. */
status import_axis(int64_t axis, int rank, int *out);

/* ---------------------------------------------------------------- windows (window.c)
   Pairs are {height, width}, paddings {top, left, bottom, right}; a file's single spatial axis is the width. */

/* Extents that keep every sum of positions far inside an int. */
#define IMPORT_MOST 65535

/* The file axis of the channels, and the extent of height (0) or width (1). */
int     import_channels_axis(const import_build *b, int rank);
int64_t import_extent(const import_build *b, const operand *x, int axis);
/* SAME: as many outputs as strides begin in the input; upper: an odd row or column of padding goes to the end. */
status import_pad_same(const import_build *b, const operand *x, const int kernel[2], const int stride[2],
                       const int dilation[2], bool upper, int pad[4]);
/* A transposed convolution that is to make this output of this input, on one axis: padding at both ends, and what is to
   be added to *extra at the end. */
typedef struct import_transposed {
    int64_t in, out;
    int     kernel, stride, dilation;
    bool    upper;
} import_transposed;
status import_pad_transposed(const import_transposed *t, int *before, int *after, int *extra);

/* Convolution or transposed convolution by attributes a, with x and y in the file's order. The bias is [Cout] or NULL;
   one that is no constant is added behind. */
status emit_conv(import_build *b, op_kind op, operand *x, operand *w, operand *bias, const attr_conv *a, operand **out);
status emit_pool(import_build *b, operand *x, const attr_pool *a, operand **out);

/* ---------------------------------------------------------------- operands (form.c) */
operand *operand_new(import_build *b);

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

layout layout_plain(int rank);
/* Channels behind height and width: [N, H, W, C]; one spatial axis is kept as [N, 1, L, C]. */
layout layout_last(const import_build *b, int rank);
shape  layout_shape(const layout *l, const shape *file);
/* Is a form on hand that has channels last, in an order that differs from the file's? */
bool operand_is_last(const import_build *b, const operand *x);
/* A layout that suits all of these, of which none has more than rank axes. */
layout operands_layout(const import_build *b, operand *const *x, int n, int rank);
/* The operand as a graph value in this layout; adds a view, a transpose or a constant when there is none yet. */
status operand_get(import_build *b, operand *x, const layout *l, value_id *out);
status operand_plain(import_build *b, operand *x, value_id *out);
status operand_last(import_build *b, operand *x, value_id *out);
/* In whatever layout it is on hand, channels last preferred; of what is no constant. */
form operand_here(const import_build *b, const operand *x);
/* The same, and plain of a constant. */
status operand_any(import_build *b, operand *x, form *out);
/* Adds a node of the current name and op whose output has layout l and file_rank axes. */
status operand_node(import_build *b, op_kind op, const attrs *a, const value_id *in, int n_in, const layout *l,
                    int file_rank, operand **out);
/* A view of a graph value. */
status operand_view(import_build *b, value_id from, const shape *s, const char *name, value_id *out);

/* ---------------------------------------------------------------- graph ops in terms of the file (emit.c)
   Constants are folded where that is cheap. */
status emit_unary(import_build *b, operand *x, act f, operand **out); /* ACT_NONE: x itself */
status emit_binary(import_build *b, binary_kind kind, operand *x, operand *y, operand **out);
status emit_where(import_build *b, operand *test, operand *x, operand *y, operand **out);
/* Truth values as floats of 0 and 1; whether each is 0. */
status emit_number(import_build *b, operand *x, operand **out);
status emit_not(import_build *b, operand *x, operand **out);
status emit_reduce(import_build *b, reduce_kind kind, operand *x, uint32_t axes, bool keepdims, operand **out);
status emit_softmax(import_build *b, operand *x, int axis, bool log, operand **out);
status emit_concat(import_build *b, operand **x, int n, int axis, operand **out);
status emit_slice(import_build *b, operand *x, const attr_slice *a, operand **out);
status emit_pad(import_build *b, operand *x, const attr_pad *a, operand **out);
status emit_transpose(import_build *b, operand *x, const int *perm, operand **out);
status emit_expand(import_build *b, operand *x, const shape *s, operand **out);
status emit_gather(import_build *b, operand *x, int axis, operand *indices, operand **out);
status emit_tile(import_build *b, operand *x, const int64_t *repeats, operand **out);
/* Reshape, transpose, reshape: one transpose at most. */
status emit_rearrange(import_build *b, operand *x, const shape *split, const int *perm, const shape *whole,
                      operand **out);
/* Height and width by a->size and a->scale, of 3 or 4 dimensions. */
status emit_resize(import_build *b, operand *x, const attr_resize *a, operand **out);
/* linear.c */
/* y[.., n] = alpha * sum_k x[.., k] w(n, k) + bias[n]; the bias is a constant or NULL. */
status emit_dense(import_build *b, operand *x, operand *w, const attr_dense *d, float alpha, operand *bias,
                  operand **out);
/* The matrix product with NumPy's rules, w's last two axes swapped first when swap is set; then + bias, which may be
   NULL. */
status emit_matmul(import_build *b, operand *x, operand *w, bool swap, operand *bias, operand **out);
/* reshape.c */
status emit_reshape(import_build *b, operand *x, const shape *s, operand **out);
/* Leading dimensions of 1 up to a rank. */
status emit_rank(import_build *b, operand *x, int rank, operand **out);

/* ---------------------------------------------------------------- constants (fold.c, fold_move.c) */
#define FOLD_SMALL ((int64_t)1 << 20) /* elements: computed */
#define FOLD_LARGE ((int64_t)1 << 27) /* elements: moved */

/* What can be computed of two operands, beside binary_kind. */
typedef enum fold_kind { FOLD_GREATER = BINARY_COUNT, FOLD_GREATER_EQUAL, FOLD_AND, FOLD_OR, FOLD_XOR } fold_kind;

/* A constant whose elements are to be written through *data. UNSUPPORTED when it is larger than limit. */
status fold_new(import_build *b, dtype type, const shape *s, int64_t limit, operand **out, void **data);
/* Counts elements against what a build may compute on the host. */
status fold_charge(import_build *b, int64_t elements);
status fold_ints(import_build *b, const int64_t *v, int n, operand **out); /* a 1-D int64 constant */
status fold_unary(import_build *b, const operand *x, act f, operand **out);
status fold_binary(import_build *b, int kind, const operand *x, const operand *y,
                   operand **out); /* binary_kind, fold_kind */
status fold_where(import_build *b, const operand *c, const operand *x, const operand *y, operand **out);
status fold_not(import_build *b, const operand *x, operand **out);
status fold_cast(import_build *b, const operand *x, dtype type, operand **out);
status fold_reduce(import_build *b, reduce_kind kind, const operand *x, uint32_t axes, bool keepdims, operand **out);
/* out[i] = x[offset + sum i_k * stride_k] for a box of up to 2 * MAX_RANK dimensions, as shape s. */
typedef struct strided {
    int     rank;
    int64_t dim[2 * MAX_RANK], stride[2 * MAX_RANK], offset;
} strided;
status fold_strided(import_build *b, const operand *x, const strided *box, const shape *s, operand **out);
status fold_concat(import_build *b, operand *const *x, int n, int axis, const shape *s, operand **out);
status fold_gather(import_build *b, const operand *x, int axis, const operand *indices, operand **out);
/* Copies a box of elements of this size. */
void strided_copy(void *to, const void *from, const strided *box, size_t size);

#endif
