/* SPDX-License-Identifier: Apache-2.0 */
/* Element types, shapes and half conversion. */
#ifndef SEPCL_BASE_TENSOR_H
#define SEPCL_BASE_TENSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

#define MAX_RANK SEPCL_MAX_RANK

/* Tensors of a plan are F32 or F16; the rest occurs only in constants while a file is read. */
typedef enum dtype { DT_NONE, DT_F32, DT_F16, DT_F64, DT_I64, DT_I32, DT_I8, DT_U8, DT_BOOL } dtype;

size_t      dtype_size(dtype t);
const char *dtype_name(dtype t);

typedef struct shape {
    int     rank;
    int64_t dim[MAX_RANK];
} shape;

/* shape_of(3, 1, 2, 3) with int64_t values: use the macro SHAPE(1, 2, 3). */
shape shape_make(int rank, const int64_t *dims);
#define SHAPE(...)                                                                   \
    shape_make((int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (int64_t[]){__VA_ARGS__})

/* Elements; -1 when a dimension is negative or the product passes what an int32 index can reach
   (kernels index with int). A rank of 0 has one element. */
int64_t shape_count(const shape *s);
bool    shape_equal(const shape *a, const shape *b);
/* Product of dim[from..to-1]. Shapes in a graph have been checked, so this cannot overflow. */
int64_t shape_product(const shape *s, int from, int to);
/* "1x3x224x224" into buffer; returns buffer. */
#define SHAPE_TEXT 128
const char *shape_text(const shape *s, char buffer[SHAPE_TEXT]);
/* Dense row-major strides in elements. */
void shape_strides(const shape *s, int64_t stride[MAX_RANK]);
/* NumPy broadcasting of two shapes; false when they do not fit. */
bool shape_broadcast(const shape *a, const shape *b, shape *out);

/* An NHWC view of a shape: rank 4 is N,H,W,C; rank 3 is N,1,W,C; rank 2 is N,1,1,C; other ranks fold
   everything before the last dimension into w. */
typedef struct nhwc {
    int64_t n, h, w, c;
} nhwc;
nhwc shape_nhwc(const shape *s);

float    half_to_float(uint16_t h);
uint16_t float_to_half(float f); /* round to nearest even; overflow becomes infinity; NaN stays NaN */

/* Element i of constant data of a float type, as float. */
float data_float(dtype t, const void *data, int64_t i);
/* Element i of constant data of any type, as int64 (floats truncated). */
int64_t data_int(dtype t, const void *data, int64_t i);

#endif
