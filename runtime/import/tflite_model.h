/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A TFLite file, decoded: the tensors and operators of its first subgraph, which point into the file's bytes. Nothing
 * here knows what an operator means. Immutable once open.
 */
#ifndef SEPCL_IMPORT_TFLITE_MODEL_H
#define SEPCL_IMPORT_TFLITE_MODEL_H

#include "base/arena.h"
#include "base/tensor.h"
#include "import/flat.h"
#include "import/import.h"

/* Tensors, operators and operator codes, each; and the entries of all their lists together. Real models have some
   thousands. */
#define TFLITE_MAX_ITEMS (1 << 16)
#define TFLITE_MAX_ENTRIES (1 << 20)
#define TFLITE_VERSION 3

typedef enum tflite_builtin {
#define TFLITE_BUILTIN(number, name) TFLITE_##name = number,
#include "import/tflite_builtins.inc"
#undef TFLITE_BUILTIN
} tflite_builtin;

/* NULL: the format has no such operator. */
const char *tflite_builtin_name(int code);
const char *tflite_type_name(int type);

/* Where a tensor's value comes from: an operator's index, or one of these. */
enum { TFLITE_NOWHERE = -1, TFLITE_INPUT = -2, TFLITE_CONSTANT = -3 };

typedef struct tflite_tensor {
    const char    *name; /* "tensor 7" when the file gives none */
    int            file_type;
    dtype          type; /* DT_NONE: not read by sepcl */
    shape          shape;
    const uint8_t *data; /* constants: as stored, of any alignment */
    size_t         bytes;
    size_t         sparsity; /* position of its table; 0: dense */
    int            from;
    int            uses; /* by needed operators */
    bool           quantised, variable, is_output, needed;
} tflite_tensor;

typedef struct tflite_operator {
    const char *name; /* its first output's */
    int         code;
    const char *custom;   /* name of a custom operator */
    const int  *in, *out; /* indices of tensors; -1: absent */
    int         n_in, n_out;
    int         options_type; /* 0: none */
    size_t      options;      /* position of its table; 0: none */
    bool        needed;       /* an output of the model depends on it */
} tflite_operator;

typedef struct tflite_code {
    int         builtin;
    const char *custom;
} tflite_code;

typedef struct tflite_model {
    arena            memory;
    arena_budget     budget; /* of what loading may take */
    flat             file; /* copied by readers, since a reader notes what is bad */
    flat_vector      buffers;
    tflite_code     *codes;
    tflite_tensor   *tensors;
    tflite_operator *operators;
    file_tensor     *inputs, *outputs;
    const int       *input_tensors, *output_tensors;
    int              n_codes, n_tensors, n_operators, n_inputs, n_outputs;
    int64_t          entries; /* spent of TFLITE_MAX_ENTRIES */
} tflite_model;

/* On failure nothing is left to close. */
status tflite_model_open(const uint8_t *bytes, size_t size, tflite_model **out);
void   tflite_model_close(tflite_model *m);

/* "x is malformed at byte n", when f is bad. */
status tflite_intact(const flat *f, const char *what);

#endif
