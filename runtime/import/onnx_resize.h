/* SPDX-License-Identifier: Apache-2.0 */
/* What the node Resize says, and how it is done when the graph's resize of height and width does not do. */
#ifndef SEPCL_IMPORT_ONNX_RESIZE_H
#define SEPCL_IMPORT_ONNX_RESIZE_H

#include "import/onnx_build.h"

typedef enum onnx_resize_mode { ONNX_NEAREST, ONNX_LINEAR, ONNX_CUBIC } onnx_resize_mode;

typedef struct resizing {
    int64_t          out[MAX_RANK];                  /* extents */
    double           scale[MAX_RANK];                /* output / input */
    double           begin[MAX_RANK], end[MAX_RANK]; /* crops: the part of the input, 0 ... 1 */
    attr_resize      a; /* coordinates and rounding; the rest is filled for the graph's op */
    onnx_resize_mode mode;
    double           cubic; /* the parameter of the cubic filter */
    float            outside;
    bool             crops, antialias, exclude;
} resizing;

/* onnx_resample.c: any of it. */
status resize_by_tables(onnx_build *b, operand *x, const resizing *r, operand **out);

#endif
