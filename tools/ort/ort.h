/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of the plugin that lets onnxruntime run what sepcl can. */
#ifndef SEPCL_ORT_H
#define SEPCL_ORT_H

#include "sepcl/sepcl.h"
#include "slots.h"

#define ORT_PROVIDER "SepclExecutionProvider"

extern ort_api           ort; /* after ort_load */
extern const ort_ep_api *ort_ep;

/* NULL, or a status that says what is wrong with this onnxruntime. */
OrtStatus *ort_load(const OrtApiBase *base);
OrtStatus *ort_fail(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));
OrtStatus *ort_no_memory(void);
/* The library's last failure. */
OrtStatus *ort_library(sepcl_status st);

#define ORT_TRY(expression)                                                                                            \
    do {                                                                                                               \
        OrtStatus *const ort_try = (expression);                                                                       \
        if (ort_try)                                                                                                   \
            return ort_try;                                                                                            \
    } while (0)

/* ---------------------------------------------------------------- nodes.c: nodes as ONNX */

#define ORT_MAX_RANK SEPCL_MAX_RANK

typedef struct ort_node {
    const OrtNode       *node;
    const char          *op, *domain;
    const OrtValueInfo **in, **out; /* in[i] NULL: left out */
    size_t               n_in, n_out;
    bool                 supported;
    int                  level;
} ort_node;

OrtStatus *ort_node_read(const OrtNode *node, ort_node *out);
void       ort_node_free(ort_node *n);

/* Element type and dimensions (-1: free) of a value; type 0 when it is no tensor, or has too many dimensions. */
OrtStatus *ort_value_shape(const OrtValueInfo *v, int *type_out, sepcl_shape *shape_out);
OrtStatus *ort_is_constant(const OrtValueInfo *v, bool *constant_out);

/* Bytes of a model file. */
typedef struct onnx_bytes {
    uint8_t *data;
    size_t   size, room;
    bool     failed; /* no memory */
} onnx_bytes;

typedef struct onnx_part {
    const ort_node      *nodes;
    size_t               n_nodes;
    const OrtValueInfo **inputs, **outputs;
    size_t               n_inputs, n_outputs;
    int64_t              opset;
    bool                 batch_of_one; /* a free first dimension is written as 1 */
} onnx_part;
/* Constant inputs of the nodes become initializers. */
OrtStatus *onnx_write(const onnx_part *part, onnx_bytes *out);

/* ---------------------------------------------------------------- capability.c: which nodes */

typedef struct ort_provider {
    OrtEp           ep; /* first */
    char            device[256];
    sepcl_precision precision;
} ort_provider;

OrtStatus *ort_capability(OrtEp *ep, const OrtGraph *graph, OrtEpGraphSupportInfo *info);

/* ---------------------------------------------------------------- compute.c: running them */

OrtStatus *ort_compile(OrtEp *ep, const OrtGraph **graphs, const OrtNode **fused, size_t count,
                       OrtNodeComputeInfo **out, OrtNode **contexts);
void       ort_release_compute(OrtEp *ep, OrtNodeComputeInfo **infos, size_t count);
OrtStatus *ort_opset(const OrtGraph *graph, int64_t *version_out);

#endif
