/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An ONNX file, decoded: names numbered, nodes in order, tensors that point into the file's bytes where alignment and
 * type allow. Nothing here knows what an op means. Immutable once open.
 */
#ifndef SEPCL_IMPORT_ONNX_MODEL_H
#define SEPCL_IMPORT_ONNX_MODEL_H

#include "base/arena.h"
#include "base/tensor.h"
#include "import/file_map.h"
#include "import/import.h"
#include "import/onnx_wire.h"

/* Nodes, names, tensors and list entries of one file, all together. Real models have some ten thousand. */
#define ONNX_MAX_ITEMS (1 << 20)
#define ONNX_FIRST_OPSET 7
#define ONNX_LAST_OPSET 28

/* TensorProto.DataType */
enum {
    ONNX_FLOAT = 1,
    ONNX_UINT8 = 2,
    ONNX_INT8 = 3,
    ONNX_INT32 = 6,
    ONNX_INT64 = 7,
    ONNX_BOOL = 9,
    ONNX_FLOAT16 = 10,
    ONNX_DOUBLE = 11,
    ONNX_BFLOAT16 = 16
};

/* The type in memory of an ONNX element type: double and bfloat16 become float32. DT_NONE: not read by sepcl. */
dtype       onnx_dtype(int64_t onnx_type);
const char *onnx_type_name(int64_t onnx_type);

typedef struct onnx_tensor {
    const char *name; /* "" when it has none */
    int64_t     onnx_type;
    dtype       type; /* as in memory */
    shape       shape;
    int64_t     count; /* elements; may be 0 */
    const void *data;  /* aligned for type; NULL until loaded */
    wire_bytes  message;
} onnx_tensor;

/* Where a name's value comes from: a node's index, or one of these. */
enum { ONNX_NOWHERE = -1, ONNX_INPUT = -2, ONNX_INITIALIZER = -3 };

typedef struct onnx_name {
    const char *text;
    int         from;  /* node index or ONNX_* */
    int         index; /* of the input or initializer */
    int         uses;  /* by needed nodes */
    bool        is_output, needed;
} onnx_name;

typedef struct onnx_node {
    const char  *name;        /* the node's, else its first output's */
    const char  *op, *domain; /* domain "" is the standard one */
    wire_bytes   message;     /* for attributes */
    int         *in, *out;    /* indices of names; -1: absent */
    int          n_in, n_out;
    onnx_tensor *value;  /* the attribute of that name, when it is a tensor */
    bool         needed; /* an output of the graph depends on it */
} onnx_node;

typedef struct onnx_external {
    const char *location;
    file_map    map;
} onnx_external;

typedef struct onnx_model {
    arena          memory;
    arena_budget   budget; /* of memory, while the file is read */
    size_t         limit;  /* what the budget was, all files together */
    wire_bytes     file;
    const char    *path; /* NULL: in memory, so without external data */
    int64_t        opset;
    int64_t        items; /* spent of ONNX_MAX_ITEMS */
    onnx_name     *names;
    int            n_names, cap_names;
    int           *slots; /* hash table of names: index + 1 */
    int            n_slots;
    onnx_node     *nodes;
    onnx_tensor   *tensors;
    file_tensor   *inputs, *outputs;
    int           *input_names, *output_names;
    int            n_nodes, n_tensors, n_inputs, n_outputs;
    onnx_external *externals;
    int            n_externals, cap_externals;
} onnx_model;

/* On failure nothing is left to close. */
status onnx_model_open(const uint8_t *bytes, size_t size, const char *path, onnx_model **out);
void   onnx_model_close(onnx_model *m);
/* More may be taken, since there is more to read. */
void onnx_model_allow(onnx_model *m, size_t bytes);

/* "x breaks off or is malformed at byte n" */
status onnx_malformed(const onnx_model *m, const wire *w, const char *what);
/* Counts n more items against the limit. */
status onnx_spend(onnx_model *m, int64_t n);
/* A copy with a terminator; refuses a 0 byte inside. */
status onnx_text(onnx_model *m, wire_bytes b, const char **out);

/* onnx_tensor.c: the description (type, shape, name), then the elements. */
status onnx_tensor_describe(onnx_model *m, wire_bytes message, onnx_tensor *out);
status onnx_tensor_load(onnx_model *m, onnx_tensor *t);

#endif
