/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes of the ops. One struct an op; all spatial pairs are {height, width}, pads {top, left, bottom, right}. */
#ifndef SEPCL_IR_ATTRS_H
#define SEPCL_IR_ATTRS_H

#include "base/tensor.h"

typedef enum act_kind {
#define ACT(NAME, name, formula) ACT_##NAME,
#include "ir/acts.inc"
#undef ACT
    ACT_COUNT
} act_kind;

typedef struct act {
    act_kind kind;
    float    a, b;
} act;

/* Where a weight tensor keeps element (output channel o, input channel i within the group, row h, column w), in
   elements. It lets every file layout (OIHW, OHWI, HWIO) be used without a copy. For a depthwise convolution i is 0.
   For conv_transpose o is the output channel within its group and i the input channel over all groups. */
typedef struct weight_strides {
    int64_t o, i, h, w;
} weight_strides;

/* conv, conv_transpose. Inputs: CONV_X [N,H,W,Cin], CONV_W (constant, weight_strides), CONV_B [Cout] or absent,
   CONV_SCALE [Cout] or absent: constant factor of each output channel's weights (a folded batch norm),
   CONV_RES: residual of the output's shape or absent. */
enum { CONV_X, CONV_W, CONV_B, CONV_SCALE, CONV_RES, CONV_INPUTS };
typedef struct attr_conv {
    int            kernel[2], stride[2], dilation[2], pad[4];
    int            group;
    int            out_channels;
    int            out_pad[2]; /* conv_transpose: extra rows and columns at the end */
    weight_strides w;
} attr_conv;

/* dense: y[.., n] = sum_k x[.., k] * w(n, k) + bias[n]. Same input slots as conv; w.o is the stride of n, w.i of k. */
typedef struct attr_dense {
    int64_t        in_features, out_features;
    weight_strides w;
} attr_dense;

typedef enum pool_kind { POOL_MAX, POOL_AVERAGE, POOL_LP } pool_kind;
typedef struct attr_pool {
    pool_kind kind;
    int       kernel[2], stride[2], dilation[2], pad[4];
    bool      count_include_pad; /* average: divide by the kernel's size within the padded extent */
    bool      ceil_mode;         /* a last window may begin inside the input or front padding and end beyond the padding */
    float     p;                 /* POOL_LP */
} attr_pool;

typedef enum reduce_kind { REDUCE_MEAN, REDUCE_SUM, REDUCE_MAX, REDUCE_MIN, REDUCE_PROD, REDUCE_L1, REDUCE_L2, REDUCE_SUM_SQUARE } reduce_kind;
typedef struct attr_reduce {
    reduce_kind kind;
    uint32_t    axes; /* bit i: dimension i is reduced */
    bool        keepdims;
} attr_reduce;

typedef enum binary_kind {
#define BINARY(NAME, fn, layer) BINARY_##NAME,
#include "ir/binaries.inc"
#undef BINARY
    BINARY_COUNT
} binary_kind;
/* binary: two inputs, NumPy broadcasting; either may be a constant.
   where: three inputs, broadcast too: in[0] != 0 ? in[1] : in[2]. */
typedef struct attr_binary {
    binary_kind kind;
} attr_binary;

typedef struct attr_unary {
    act f;
} attr_unary;

typedef struct attr_softmax {
    int  axis;
    bool log;
} attr_softmax;

typedef struct attr_concat {
    int axis;
} attr_concat;

/* slice: out[i] = in[start + i * step]; step may be negative; size is the output's extent. */
typedef struct attr_slice {
    int64_t start[MAX_RANK], step[MAX_RANK], size[MAX_RANK];
} attr_slice;

/* PAD_REFLECT does not repeat the edge, PAD_SYMMETRIC does. */
typedef enum pad_mode { PAD_CONSTANT, PAD_REFLECT, PAD_EDGE, PAD_WRAP, PAD_SYMMETRIC } pad_mode;
typedef struct attr_pad {
    pad_mode mode;
    int64_t  before[MAX_RANK], after[MAX_RANK]; /* >= 0 (a negative pad is a slice) */
    float    value;
} attr_pad;

/* resize of an NHWC tensor's height and width, as tables' recipe: source position of output index i on an axis is
   given by `coordinates`, then sampled by `mode`. Names are the ONNX standard's. */
typedef enum resize_mode { RESIZE_NEAREST, RESIZE_LINEAR } resize_mode;
typedef enum resize_coordinates { RESIZE_HALF_PIXEL, RESIZE_PYTORCH_HALF_PIXEL, RESIZE_ALIGN_CORNERS, RESIZE_ASYMMETRIC, RESIZE_HALF_PIXEL_SYMMETRIC, RESIZE_TF_HALF_PIXEL_NN } resize_coordinates;
typedef enum resize_round { RESIZE_ROUND_PREFER_FLOOR, RESIZE_ROUND_PREFER_CEIL, RESIZE_FLOOR, RESIZE_CEIL } resize_round;
typedef struct attr_resize {
    resize_mode        mode;
    resize_coordinates coordinates;
    resize_round       round;   /* RESIZE_NEAREST */
    int64_t            size[2];
    double             scale[2]; /* output / input as the file gives it (may differ from the ratio of the extents) */
    float              step[2];  /* above 0: positions are multiplied by it in float32, where others divide by scale */
} attr_resize;

/* resample: along one axis, out[j] = sum over t of weight[j, t] * in[index[j, t]]. in[0] is x, in[1] the indices
   (constant I32, in range), in[2] the weights (constant), both [output extent, taps]. */
typedef struct attr_resample {
    int axis;
} attr_resample;

/* grid_sample: in[0] is an NHWC image, in[1] [N, rows, columns, 2] the x and y in -1 ... 1 from which each output pixel
   is taken. aligned: -1 and 1 are the centres of the outermost pixels instead of their edges. */
typedef enum sample_mode { SAMPLE_NEAREST, SAMPLE_LINEAR, SAMPLE_CUBIC } sample_mode;
typedef enum sample_outside { SAMPLE_ZEROS, SAMPLE_BORDER, SAMPLE_REFLECTION } sample_outside;
typedef struct attr_grid_sample {
    sample_mode    mode;
    sample_outside outside;
    bool           aligned;
} attr_grid_sample;

typedef struct attr_transpose {
    int perm[MAX_RANK]; /* out.dim[i] = in.dim[perm[i]] */
} attr_transpose;

/* reshape (a view: same elements, same order) and expand (NumPy broadcast): the output's shape. */
typedef struct attr_shape {
    shape shape;
} attr_shape;

/* gather: out = take(in[0], in[1]) along axis; in[1] is a constant I64 or I32 of any shape, already >= 0 and in range. */
typedef struct attr_gather {
    int axis;
} attr_gather;

typedef struct attr_lrn {
    int   size;
    float alpha, beta, bias;
} attr_lrn;

/* batch_norm: in x, scale, bias, mean, variance (constants [C], the last dimension of x).
   instance_norm: in x, scale, bias; over every dimension but the first and the last.
   layer_norm: in x, scale or absent, bias or absent; over the dimensions from axis on. */
typedef struct attr_norm {
    float epsilon;
    int   axis;
} attr_norm;

typedef union attrs {
    attr_conv      conv;
    attr_dense     dense;
    attr_pool      pool;
    attr_reduce    reduce;
    attr_binary    binary;
    attr_unary     unary;
    attr_softmax   softmax;
    attr_concat    concat;
    attr_slice     slice;
    attr_pad       pad;
    attr_resize    resize;
    attr_resample  resample;
    attr_grid_sample grid_sample;
    attr_transpose transpose;
    attr_shape     reshape, expand;
    attr_gather    gather;
    attr_lrn       lrn;
    attr_norm      norm;
} attrs;

#endif
