/* SPDX-License-Identifier: Apache-2.0 */
/* From TFLite operators to the graph: what build.h leaves to the importer. The file keeps channels last, as the graph.
 */
#ifndef SEPCL_IMPORT_TFLITE_BUILD_H
#define SEPCL_IMPORT_TFLITE_BUILD_H

#include "import/build.h"
#include "import/tflite_model.h"

typedef import_build tflite_build; /* whose reader is a tflite_reader */

typedef struct tflite_reader {
    const tflite_model    *m;
    const tflite_operator *o;      /* the operator at hand */
    operand              **values; /* by tensor; constants are made when they are asked for */
    flat                   file;
    flat_table             options; /* of the operator */
} tflite_reader;

static inline tflite_reader *tflite_of(const tflite_build *b)
{
    return b->reader;
}

/* Fused activations by their numbers in the file. The format has TANH and SIGN_BIT too, which LiteRT's kernels do not
   apply: a file that has them means one thing and runs as another, so they are refused. */
enum { TFLITE_ACT_NONE, TFLITE_ACT_RELU, TFLITE_ACT_RELU_N1_TO_1, TFLITE_ACT_RELU6 };

/* Builds the graph (the importer's build). */
status tflite_build_graph(const tflite_model *m, const shape *inputs, graph *g);

/* ---------------------------------------------------------------- inputs, outputs, options (tflite_build.c) */

/* Input i of the operator; NULL when absent. */
operand *tflite_in(const tflite_build *b, int i);
status   tflite_out(tflite_build *b, int i, operand *x);
/* Applies a fused activation, by its number in the file, and gives output 0. */
status tflite_out_fused(tflite_build *b, int activation, operand *x);

/* Fields of the operator's options. A malformed one sets b->bad, and the default is returned. */
int   option_byte(tflite_build *b, int field, int def);
int   option_int(tflite_build *b, int field, int def);
float option_float(tflite_build *b, int field, float def);
int   option_ints(tflite_build *b, int field, int64_t *out, int max);
/* A constant input as integers: how many. Absent: -1. Not constant, not integers, more than max: -1 and b->bad. */
int param_ints_at(tflite_build *b, int input, int64_t *out, int max);
/* Exactly n integers. */
status param_exactly(tflite_build *b, int input, int64_t *out, int n);

/* A constant of the file as an operand: borrowed where it is dense and aligned (tflite_constant.c). */
status tflite_constant(tflite_build *b, const tflite_tensor *t, operand **out);

/* ---------------------------------------------------------------- the op table (tflite_ops.inc) */
typedef struct tflite_op {
    int code;
    int options; /* number of its table of options; 0: it has none that matter */
    int min_in;  /* inputs that must be there */
    int outputs; /* how many there may be; -1: any */
    status (*build)(tflite_build *b, int arg);
    int         arg;
    const char *note; /* limits, for the table of what is supported; may be "" */
} tflite_op;

/* NULL: not supported. */
const tflite_op *tflite_op_find(int code);

#define TFLITE_OP(name, options, min_in, outputs, fn, arg, note) status tflite_op_##fn(tflite_build *b, int arg_);
#include "import/tflite_ops.inc"
#undef TFLITE_OP

#endif
