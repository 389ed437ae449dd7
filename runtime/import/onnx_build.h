/* SPDX-License-Identifier: Apache-2.0 */
/* From ONNX nodes to the graph: what build.h leaves to the importer. Names of the file are numbered; each has an
 * operand. */
#ifndef SEPCL_IMPORT_ONNX_BUILD_H
#define SEPCL_IMPORT_ONNX_BUILD_H

#include "import/build.h"
#include "import/onnx_model.h"

typedef import_build onnx_build; /* whose reader is an onnx_reader */

typedef struct onnx_reader {
    const onnx_model *m;
    const onnx_node  *n;      /* the node at hand */
    operand         **values; /* by name */
} onnx_reader;

static inline onnx_reader *onnx_of(const onnx_build *b)
{
    return b->reader;
}

/* ---------------------------------------------------------------- inputs, outputs (onnx_build.c) */

/* Input i of the node; NULL when absent. */
operand *onnx_in(const onnx_build *b, int i);
void     onnx_out(onnx_build *b, int i, operand *x);

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
