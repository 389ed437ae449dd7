/* SPDX-License-Identifier: Apache-2.0 */
#include "import/onnx_put.h"

#include <string.h>

#include "import/onnx_model.h"

enum { A_IS_FLOAT = 1, A_IS_INT = 2, A_IS_STRING = 3, A_IS_TENSOR = 4, A_IS_INTS = 7 };

/* ------------------------------------------------------------------ attributes */

static void put_attribute(wire_out *node, wire_out *a, const char *name, int type)
{
    wire_put_text(a, A_NAME, name);
    wire_put_number(a, A_TYPE, type);
    wire_put_message(node, N_ATTRIBUTE, a);
}

void onnx_put_int(wire_out *node, const char *name, int64_t v)
{
    wire_out a = {0};
    wire_put_number(&a, A_INT, v);
    put_attribute(node, &a, name, A_IS_INT);
}

void onnx_put_float(wire_out *node, const char *name, float v)
{
    wire_out a = {0};
    wire_put_tag(&a, A_FLOAT, WIRE_32);
    wire_put(&a, &v, sizeof v);
    put_attribute(node, &a, name, A_IS_FLOAT);
}

void onnx_put_ints(wire_out *node, const char *name, const int64_t *v, int n)
{
    wire_out a = {0};
    for (int i = 0; i < n; i++)
        wire_put_number(&a, A_INTS, v[i]);
    put_attribute(node, &a, name, A_IS_INTS);
}

void onnx_put_text(wire_out *node, const char *name, wire_bytes v)
{
    wire_out a = {0};
    wire_put_bytes(&a, A_STRING, v.p, v.n);
    put_attribute(node, &a, name, A_IS_STRING);
}

void onnx_put_tensor(wire_out *node, const char *name, wire_out *tensor)
{
    wire_out a = {0};
    wire_put_message(&a, A_TENSOR, tensor);
    put_attribute(node, &a, name, A_IS_TENSOR);
}

void onnx_put_pairs(wire_out *node, const char *name, const int *v, int n, int axes)
{
    int64_t list[4];
    int     count = 0;
    for (int half = 0; half < n; half += 2)
        for (int i = 2 - axes; i < 2; i++)
            list[count++] = v[half + i];
    onnx_put_ints(node, name, list, count);
}

/* ------------------------------------------------------------------ tensors */

static int64_t put_head(wire_out *t, const char *name, int64_t type, const int64_t *dims, int rank)
{
    int64_t n = 1;
    for (int i = 0; i < rank; i++) {
        wire_put_number(t, T_DIMS, dims[i]);
        n *= dims[i];
    }
    wire_put_number(t, T_TYPE, type);
    wire_put_text(t, T_NAME, name);
    return n;
}

void onnx_put_floats(wire_out *t, const char *name, int64_t type, const int64_t *dims, int rank, const float *v)
{
    const int64_t n = put_head(t, name, type, dims, rank);
    const size_t  size = type == ONNX_DOUBLE ? 8 : type == ONNX_FLOAT16 ? 2 : 4;
    wire_put_tag(t, T_RAW, WIRE_LENGTH);
    wire_put_varint(t, (uint64_t)n * size);
    if (type == ONNX_FLOAT) {
        wire_put(t, v, (size_t)n * size);
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        const double   d = v[i];
        const uint16_t h = float_to_half(v[i]);
        wire_put(t, type == ONNX_DOUBLE ? (const void *)&d : (const void *)&h, size);
    }
}

void onnx_put_whole(wire_out *t, const char *name, const int64_t *dims, int rank, const int64_t *v)
{
    const int64_t n = put_head(t, name, ONNX_INT64, dims, rank);
    wire_put_bytes(t, T_RAW, v, (size_t)n * sizeof *v);
}
