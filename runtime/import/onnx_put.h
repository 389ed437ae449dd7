/* SPDX-License-Identifier: Apache-2.0 */
/* Pieces of ONNX files to be written: attributes and tensors, with the field numbers of onnx.proto. */
#ifndef SEPCL_IMPORT_ONNX_PUT_H
#define SEPCL_IMPORT_ONNX_PUT_H

#include "import/wire_out.h"

enum { M_IR = 1, M_PRODUCER = 2, M_GRAPH = 7, M_OPSET = 8 };
enum { G_NODE = 1, G_NAME = 2, G_INITIALIZER = 5, G_INPUT = 11, G_OUTPUT = 12, G_VALUE_INFO = 13 };
enum { N_INPUT = 1, N_OUTPUT = 2, N_NAME = 3, N_OP = 4, N_ATTRIBUTE = 5 };
enum { A_NAME = 1, A_FLOAT = 2, A_INT = 3, A_STRING = 4, A_TENSOR = 5, A_INTS = 8, A_TYPE = 20 };
enum { T_DIMS = 1, T_TYPE = 2, T_NAME = 8, T_RAW = 9, T_EXTERNAL = 13, T_LOCATION = 14 };

#define ONNX_MOST_BYTES INT32_MAX /* of a protobuf message */

/* Attributes of a node. */
void onnx_put_int(wire_out *node, const char *name, int64_t v);
void onnx_put_float(wire_out *node, const char *name, float v);
void onnx_put_ints(wire_out *node, const char *name, const int64_t *v, int n);
void onnx_put_text(wire_out *node, const char *name, wire_bytes v);
void onnx_put_tensor(wire_out *node, const char *name, wire_out *tensor);
/* The last `axes` entries of a pair, or of each half of four paddings. */
void onnx_put_pairs(wire_out *node, const char *name, const int *v, int n, int axes);

/* A tensor of an ONNX element type (float, float16, double) made of floats; of whole numbers. */
void onnx_put_floats(wire_out *tensor, const char *name, int64_t type, const int64_t *dims, int rank, const float *v);
void onnx_put_whole(wire_out *tensor, const char *name, const int64_t *dims, int rank, const int64_t *v);

#endif
