/* SPDX-License-Identifier: Apache-2.0 */
/* A model of one node for each form of ONNX's ops that takes more than a node of the graph or another one, and the
   nodes that come of it. */
#include "onnx_text.h"

static const struct {
    int         opset;
    const char *op, *inputs, *attributes, *outputs, *want;
} rows[] = {
    /* normalisation and softmax */
    {13, "InstanceNormalization", "x1x2x6 f2 f2", NULL, "y",
     "layer_norm 1x2x6 > 1x2x6\n"
     "binary 1x2x6 [1x2x1] > 1x2x6\n"
     "binary 1x2x6 [1x2x1] > 1x2x6\n"},
    {13, "InstanceNormalization", "x1x2x6 {1,1} {0,0}", NULL, "y", "layer_norm 1x2x6 > 1x2x6\n"},
    {13, "InstanceNormalization", "x1x2x3x3 f2 f2", NULL, "y",
     "transpose 1x2x3x3 > 1x3x3x2\n"
     "instance_norm 1x3x3x2 [2] [2] > 1x3x3x2\n"
     "transpose 1x3x3x2 > 1x2x3x3\n"},
    {18, "GroupNormalization", "x1x4x2 f2 f2", "num_groups=2", "y",
     "reshape 1x4x2 > 1x2x4\n"
     "layer_norm 1x2x4 > 1x2x4\n"
     "reshape 1x2x4 > 1x4x2\n"
     "binary 1x4x2 [1x4x1] > 1x4x2\n"
     "binary 1x4x2 [1x4x1] > 1x4x2\n"},
    {21, "GroupNormalization", "x1x4x2 f4 f4", "num_groups=2", "y",
     "reshape 1x4x2 > 1x2x4\n"
     "layer_norm 1x2x4 > 1x2x4\n"
     "reshape 1x2x4 > 1x4x2\n"
     "binary 1x4x2 [1x4x1] > 1x4x2\n"
     "binary 1x4x2 [1x4x1] > 1x4x2\n"},
    {18, "GroupNormalization", "x1x4x2x2 {1,1} {0,0}", "num_groups=2", "y",
     "reshape 1x4x2x2 > 1x2x8\n"
     "layer_norm 1x2x8 > 1x2x8\n"
     "reshape 1x2x8 > 1x4x2x2\n"},
    {18, "GroupNormalization", "x1x4x2x2 {2,2} {0,0}", "num_groups=2", "y",
     "reshape 1x4x2x2 > 1x2x8\n"
     "layer_norm 1x2x8 > 1x2x8\n"
     "reshape 1x2x8 > 1x4x2x2\n"
     "binary 1x4x2x2 [1x4x1x1] > 1x4x2x2\n"},
    {8, "BatchNormalization", "x1x4 f4 f4 f4 f4", NULL, "y", "batch_norm 1x4 [4] [4] [4] [4] > 1x4\n"},
    {13, "BatchNormalization", "x1x2x3x3 f2 f2 f2 f2", NULL, "y",
     "transpose 1x2x3x3 > 1x3x3x2\n"
     "batch_norm 1x3x3x2 [2] [2] [2] [2] > 1x3x3x2\n"
     "transpose 1x3x3x2 > 1x2x3x3\n"},
    {13, "LRN", "x1x3x2x2", "size=3", "y",
     "transpose 1x3x2x2 > 1x2x2x3\n"
     "lrn 1x2x2x3 > 1x2x2x3\n"
     "transpose 1x2x2x3 > 1x3x2x2\n"},
    {12, "Softmax", "x3", NULL, "y", "softmax 3 > 3\n"},
    {12, "Softmax", "x2x3x4", NULL, "y",
     "reshape 2x3x4 > 2x12\n"
     "softmax 2x12 > 2x12\n"
     "reshape 2x12 > 2x3x4\n"},
    {12, "LogSoftmax", "x2x1x4", NULL, "y", "softmax 2x1x4 > 2x1x4\n"},
    {13, "LogSoftmax", "x2x3", "axis=0", "y", "softmax 2x3 > 2x3\n"},
    {17, "LayerNormalization", "x2x3 f3 f3", NULL, "y", "layer_norm 2x3 [3] [3] > 2x3\n"},
    {17, "LayerNormalization", "x2x3 f3 -", NULL, "y", "layer_norm 2x3 [3] > 2x3\n"},
    {17, "LayerNormalization", "x2x3 f2x1 f2x1", NULL, "y",
     "layer_norm 2x3 > 2x3\n"
     "binary 2x3 [2x1] > 2x3\n"
     "binary 2x3 [2x1] > 2x3\n"},
    {17, "LayerNormalization", "x2x3 f2x1", NULL, "y",
     "layer_norm 2x3 > 2x3\n"
     "binary 2x3 [2x1] > 2x3\n"},
    {17, "LayerNormalization", "x2x3 f3", NULL, "y,z,w",
     "layer_norm 2x3 [3] > 2x3\n"
     "reduce 2x3 > 2x1\n"
     "binary 2x3 2x1 > 2x3\n"
     "binary 2x3 2x3 > 2x3\n"
     "reduce 2x3 > 2x1\n"
     "unary 2x1 > 2x1\n"
     "unary 2x1 > 2x1\n"
     "unary 2x1 > 2x1\n"},
    {23, "RMSNormalization", "x2x3 f3", NULL, "y",
     "binary 2x3 2x3 > 2x3\n"
     "reduce 2x3 > 2x1\n"
     "unary 2x1 > 2x1\n"
     "unary 2x1 > 2x1\n"
     "binary 2x3 2x1 > 2x3\n"
     "binary 2x3 [1x3] > 2x3\n"},
    {13, "LpNormalization", "x2x3", "p=1", "y",
     "reduce 2x3 > 2x1\n"
     "binary 2x1 [1x1] > 2x1\n"
     "binary 2x3 2x1 > 2x3\n"
     "where 2x1 [1x1] 2x3 > 2x3\n"},
    {13, "LpNormalization", "x2x3", "axis=0", "y",
     "reduce 2x3 > 1x3\n"
     "binary 1x3 [1x1] > 1x3\n"
     "binary 2x3 1x3 > 2x3\n"
     "where 1x3 [1x1] 2x3 > 2x3\n"},
    {13, "MeanVarianceNormalization", "x1x2x3x3", NULL, "y",
     "reduce 1x2x3x3 > 1x2x1x1\n"
     "binary 1x2x3x3 1x2x1x1 > 1x2x3x3\n"
     "binary 1x2x3x3 1x2x3x3 > 1x2x3x3\n"
     "reduce 1x2x3x3 > 1x2x1x1\n"
     "unary 1x2x1x1 > 1x2x1x1\n"
     "unary 1x2x1x1 > 1x2x1x1\n"
     "binary 1x2x3x3 1x2x1x1 > 1x2x3x3\n"},
    {13, "MeanVarianceNormalization", "x2x3", "axes=[0,1]", "y",
     "reduce 2x3 > 1x1\n"
     "binary 2x3 1x1 > 2x3\n"
     "binary 2x3 2x3 > 2x3\n"
     "reduce 2x3 > 1x1\n"
     "unary 1x1 > 1x1\n"
     "unary 1x1 > 1x1\n"
     "binary 2x3 1x1 > 2x3\n"},
    /* reductions */
    {13, "ReduceMean", "x2x3", "axes=[1] keepdims=0", "y", "reduce 2x3 > 2\n"},
    {13, "ReduceSum", "x", NULL, "y", "reduce scalar > scalar\n"},
    {18, "ReduceMean", "x2x3 []", "noop_with_empty_axes=1", "y", ""},
    {13, "ReduceLogSum", "x2x3", "axes=[0] keepdims=0", "y",
     "reduce 2x3 > 3\n"
     "unary 3 > 3\n"},
    {18, "ReduceLogSum", "x2x3 []", "noop_with_empty_axes=1", "y", "unary 2x3 > 2x3\n"},
    {13, "ReduceLogSum", "x", NULL, "y",
     "reduce scalar > scalar\n"
     "unary scalar > scalar\n"},
    {13, "ReduceLogSumExp", "x2x3", "keepdims=0", "y",
     "reduce 2x3 > 1x1\n"
     "unary 1x1 > 1x1\n"
     "binary 1x1 [1x1] > 1x1\n"
     "where 1x1 [1x1] 1x1 > 1x1\n"
     "binary 2x3 1x1 > 2x3\n"
     "unary 2x3 > 2x3\n"
     "reduce 2x3 > 1x1\n"
     "unary 1x1 > 1x1\n"
     "binary 1x1 1x1 > 1x1\n"
     "reshape 1x1 > scalar\n"},
    {13, "ReduceLogSumExp", "x2x3", "axes=[1]", "y",
     "reduce 2x3 > 2x1\n"
     "unary 2x1 > 2x1\n"
     "binary 2x1 [1x1] > 2x1\n"
     "where 2x1 [1x1] 2x1 > 2x1\n"
     "binary 2x3 2x1 > 2x3\n"
     "unary 2x3 > 2x3\n"
     "reduce 2x3 > 2x1\n"
     "unary 2x1 > 2x1\n"
     "binary 2x1 2x1 > 2x1\n"},
    {13, "ReduceLogSumExp", "x", NULL, "y",
     "reduce scalar > scalar\n"
     "unary scalar > scalar\n"
     "binary scalar [scalar] > scalar\n"
     "where scalar [scalar] scalar > scalar\n"
     "binary scalar scalar > scalar\n"
     "unary scalar > scalar\n"
     "reduce scalar > scalar\n"
     "unary scalar > scalar\n"
     "binary scalar scalar > scalar\n"},
    {18, "ReduceLogSumExp", "x2x3 []", "noop_with_empty_axes=1", "y", ""},
    /* resize */
    {18, "Resize", "x1x1x4x4 - {1,1,0.5,0.5}", "mode=linear antialias=1", "y",
     "resample 1x1x4x4 [2x4] [2x4] > 1x1x2x4\n"
     "resample 1x1x2x4 [2x4] [2x4] > 1x1x2x2\n"},
    {18, "Resize", "x1x1x4x4 - {1,1,2,0.5}", "mode=cubic antialias=1", "y",
     "resample 1x1x4x4 [8x4] [8x4] > 1x1x8x4\n"
     "resample 1x1x8x4 [2x4] [2x4] > 1x1x8x2\n"},
    {18, "Resize", "x1x1x4x4 - - [1,1,1,3]", "mode=cubic coordinate_transformation_mode=pytorch_half_pixel", "y",
     "resample 1x1x4x4 [1x4] [1x4] > 1x1x1x4\n"
     "resample 1x1x1x4 [3x4] [3x4] > 1x1x1x3\n"},
    {18, "Resize", "x1x1x4x4 - - [1,1,1,3]", "mode=cubic coordinate_transformation_mode=align_corners", "y",
     "resample 1x1x4x4 [1x4] [1x4] > 1x1x1x4\n"
     "resample 1x1x1x4 [3x4] [3x4] > 1x1x1x3\n"},
    {18, "Resize", "x1x1x4x4 - {1,1,0.4,0.4}", "mode=cubic coordinate_transformation_mode=align_corners", "y",
     "resample 1x1x4x4 [1x4] [1x4] > 1x1x1x4\n"
     "resample 1x1x1x4 [1x4] [1x4] > 1x1x1x1\n"},
    {18, "Resize", "x1x1x4x4 - {1,1,2,2}", "mode=cubic coordinate_transformation_mode=asymmetric exclude_outside=1",
     "y",
     "resample 1x1x4x4 [8x4] [8x4] > 1x1x8x4\n"
     "resample 1x1x8x4 [8x4] [8x4] > 1x1x8x8\n"},
    {19, "Resize", "x1x1x4x4 - {1,1,0.6,0.6}", "mode=cubic coordinate_transformation_mode=half_pixel_symmetric", "y",
     "resample 1x1x4x4 [2x4] [2x4] > 1x1x2x4\n"
     "resample 1x1x2x4 [2x4] [2x4] > 1x1x2x2\n"},
    {18, "Resize", "x1x4x4x4 - {1,2,1,1}", "mode=nearest nearest_mode=round_prefer_floor", "y",
     "resample 1x4x4x4 [8x1] [8x1] > 1x8x4x4\n"},
    {18, "Resize", "x1x4x4x4 - {1,2,1,1}", "mode=nearest nearest_mode=round_prefer_ceil", "y",
     "resample 1x4x4x4 [8x1] [8x1] > 1x8x4x4\n"},
    {18, "Resize", "x1x4x4x4 - {1,2,1,1}", "mode=nearest nearest_mode=floor", "y",
     "resample 1x4x4x4 [8x1] [8x1] > 1x8x4x4\n"},
    {18, "Resize", "x1x4x4x4 - {1,0.5,1,1}", "mode=nearest nearest_mode=ceil antialias=1", "y",
     "resample 1x4x4x4 [2x1] [2x1] > 1x2x4x4\n"},
    {18, "Resize", "x1x1x4x4 {0,0,0.25,0.25,1,1,0.75,0.75} - [1,1,3,3]",
     "mode=linear coordinate_transformation_mode=tf_crop_and_resize", "y",
     "resample 1x1x4x4 [3x3] [3x3] > 1x1x3x4\n"
     "resample 1x1x3x4 [3x3] [3x3] > 1x1x3x3\n"},
    {18, "Resize", "x1x1x4x4 {0,0,0.5,0,1,1,1,0.75} - [1,1,4,4]",
     "mode=linear coordinate_transformation_mode=tf_crop_and_resize", "y",
     "resample 1x1x4x4 [4x3] [4x3] > 1x1x4x4\n"
     "resample 1x1x4x4 [4x3] [4x3] > 1x1x4x4\n"},
    {18, "Resize", "x1x1x4x4 {0,0,-0.5,0,1,1,1.5,1} - [1,1,1,6]",
     "mode=linear coordinate_transformation_mode=tf_crop_and_resize extrapolation_value=9.0", "y",
     "resample 1x1x4x4 [1x3] [1x3] > 1x1x1x4\n"
     "resample 1x1x1x4 [6x3] [6x3] > 1x1x1x6\n"},
    {18, "Resize", "x1x1x4x4 {0,0,-0.5,0,1,1,1.5,1} - [1,1,8,4]",
     "mode=linear coordinate_transformation_mode=tf_crop_and_resize", "y",
     "resample 1x1x4x4 [8x3] [8x3] > 1x1x8x4\n"
     "where [1x1x8x1] [1x1x1x1] 1x1x8x4 > 1x1x8x4\n"},
    {18, "Resize", "x1x4x4 - {1,1,2}", "mode=linear", "y",
     "transpose 1x4x4 > 1x4x4\n"
     "reshape 1x4x4 > 1x1x4x4\n"
     "resize 1x1x4x4 > 1x1x8x4\n"
     "transpose 1x1x8x4 > 1x1x4x8\n"
     "reshape 1x1x4x8 > 1x4x8\n"},
    {18, "Resize", "x1x1x4x4 - {1,1,2,2}", "mode=linear", "y",
     "reshape 1x1x4x4 > 1x4x4x1\n"
     "resize 1x4x4x1 > 1x8x8x1\n"
     "reshape 1x8x8x1 > 1x1x8x8\n"},
    {18, "Resize", "x1x1x4x4 - {1,1,1,1}", "mode=linear", "y", ""},
    {18, "Resize", "x4x4 - {2,2}", "mode=linear", "y",
     "resample 4x4 [8x3] [8x3] > 8x4\n"
     "resample 8x4 [8x3] [8x3] > 8x8\n"},
    {18, "Resize", "x1x2x2x4x4 - {1,1,1,2,2}", "mode=nearest", "y",
     "resample 1x2x2x4x4 [8x1] [8x1] > 1x2x2x8x4\n"
     "resample 1x2x2x8x4 [8x1] [8x1] > 1x2x2x8x8\n"},
    {10, "Resize", "x1x1x4x4 {1,1,2,0.5}", "mode=nearest", "y",
     "reshape 1x1x4x4 > 1x4x4x1\n"
     "resize 1x4x4x1 > 1x4x2x1\n"
     "resize 1x4x2x1 > 1x8x2x1\n"
     "reshape 1x8x2x1 > 1x1x8x2\n"},
    {9, "Upsample", "x1x1x4x4 {1,1,2,3}", "mode=linear", "y",
     "reshape 1x1x4x4 > 1x4x4x1\n"
     "resize 1x4x4x1 > 1x8x12x1\n"
     "reshape 1x8x12x1 > 1x1x8x12\n"},
    /* pictures by grids */
    {16, "GridSample", "x1x1x4x4 x1x2x2x2", "mode=nearest align_corners=1", "y",
     "reshape 1x1x4x4 > 1x4x4x1\n"
     "grid_sample 1x4x4x1 1x2x2x2 > 1x2x2x1\n"
     "reshape 1x2x2x1 > 1x1x2x2\n"},
    {20, "AffineGrid", "x1x2x3 [1,1,2,2]", NULL, "y",
     "matmul 1x2x3 [3x4] > 1x2x4\n"
     "reshape 1x2x4 > 1x2x2x2\n"
     "transpose 1x2x2x2 > 1x2x2x2\n"},
    {20, "AffineGrid", "x1x2x3 [1,1,1,2]", "align_corners=1", "y",
     "matmul 1x2x3 [3x2] > 1x2x2\n"
     "reshape 1x2x2 > 1x2x1x2\n"
     "transpose 1x2x1x2 > 1x1x2x2\n"},
    /* products */
    {13, "Gemm", "x2x3 f3x5 f5", NULL, "y", "dense 2x3 [3x5] [5] > 2x5\n"},
    {13, "Gemm", "x2x3 f3x5 f", NULL, "y", "dense 2x3 [3x5] [5] > 2x5\n"},
    {13, "Gemm", "x2x3 f3x5 f1x1", "alpha=2.0", "y", "dense 2x3 [3x5] [5] [5] > 2x5\n"},
    {13, "Gemm", "x2x3 f3x5 f2x5", "beta=0.5", "y",
     "dense 2x3 [3x5] > 2x5\n"
     "binary 2x5 [2x5] > 2x5\n"},
    {13, "Gemm", "x2x3 f3x5 f2x1", NULL, "y",
     "dense 2x3 [3x5] > 2x5\n"
     "binary 2x5 [2x1] > 2x5\n"},
    {13, "Gemm", "x2x3 f3x5 x5", NULL, "y",
     "dense 2x3 [3x5] > 2x5\n"
     "reshape 5 > 1x5\n"
     "binary 2x5 1x5 > 2x5\n"},
    {13, "Gemm", "x3x2 x5x3 x5", "transA=1 transB=1 alpha=2.0 beta=3.0", "y",
     "unary 5 > 5\n"
     "transpose 3x2 > 2x3\n"
     "transpose 5x3 > 3x5\n"
     "matmul 2x3 3x5 > 2x5\n"
     "unary 2x5 > 2x5\n"
     "reshape 5 > 1x5\n"
     "binary 2x5 1x5 > 2x5\n"},
    {13, "Gemm", "x2x3 f5x3", "transB=1", "y", "dense 2x3 [5x3] > 2x5\n"},
    {13, "MatMul", "x2x3 x3x4", NULL, "y", "matmul 2x3 3x4 > 2x4\n"},
    {13, "MatMul", "x3 x3", NULL, "y", "matmul 3 3 > scalar\n"},
    {13, "MatMul", "x3 x3x4", NULL, "y", "matmul 3 3x4 > 4\n"},
    {13, "MatMul", "x2x3 x3", NULL, "y", "matmul 2x3 3 > 2\n"},
    {13, "MatMul", "x2x3 f3", NULL, "y",
     "dense 2x3 [3] > 2x1\n"
     "reshape 2x1 > 2\n"},
    {13, "MatMul", "x3 f3x4", NULL, "y",
     "reshape 3 > 1x3\n"
     "dense 1x3 [3x4] > 1x4\n"
     "reshape 1x4 > 4\n"},
    {13, "MatMul", "x2x2x3 f1x3x4", NULL, "y", "dense 2x2x3 [1x3x4] > 2x2x4\n"},
    {13, "MatMul", "x3 f1x3x4", NULL, "y", "matmul 3 [1x3x4] > 1x4\n"},
    {13, "MatMul", "x2x2x3 f2x3x4", NULL, "y", "matmul 2x2x3 [2x3x4] > 2x2x4\n"},
    /* logic */
    {13, "Equal", "t2 t2", NULL, "t",
     "binary 2 [1] > 2\n"
     "unary 2 > 2\n"
     "binary 2 [1] > 2\n"
     "unary 2 > 2\n"
     "binary 2 2 > 2\n"},
    {13, "And", "t2 t3x2", NULL, "t",
     "binary 2 [1] > 2\n"
     "unary 2 > 2\n"
     "binary 3x2 [1x1] > 3x2\n"
     "unary 3x2 > 3x2\n"
     "reshape 2 > 1x2\n"
     "binary 1x2 3x2 > 3x2\n"},
    {13, "Or", "t2 b2", NULL, "t",
     "binary 2 [1] > 2\n"
     "unary 2 > 2\n"
     "binary 2 [2] > 2\n"},
    {13, "Xor", "t2 t2", NULL, "t",
     "binary 2 [1] > 2\n"
     "unary 2 > 2\n"
     "binary 2 [1] > 2\n"
     "unary 2 > 2\n"
     "binary 2 2 > 2\n"
     "unary 2 > 2\n"},
    {13, "Not", "t2", NULL, "t",
     "binary 2 [1] > 2\n"
     "unary 2 > 2\n"
     "unary 2 > 2\n"},
    {13, "Greater", "x2 x2", NULL, "t", "binary 2 2 > 2\n"},
    {13, "GreaterOrEqual", "x2 f2", NULL, "t", "binary [2] 2 > 2\n"},
    {13, "Where", "t2 x2 x2", NULL, "y",
     "binary 2 [1] > 2\n"
     "unary 2 > 2\n"
     "where 2 2 2 > 2\n"},
    {13, "Where", "t2 t2 t2", NULL, "t",
     "binary 2 [1] > 2\n"
     "unary 2 > 2\n"
     "binary 2 [1] > 2\n"
     "unary 2 > 2\n"
     "binary 2 [1] > 2\n"
     "unary 2 > 2\n"
     "where 2 2 2 > 2\n"},
    {13, "Where", "t2 b2 t2", NULL, "t",
     "binary 2 [1] > 2\n"
     "unary 2 > 2\n"
     "binary 2 [1] > 2\n"
     "unary 2 > 2\n"
     "where 2 [2] 2 > 2\n"},
    {13, "Where", "b2 x2 f2", NULL, "y", "where [2] 2 [2] > 2\n"},
    {13, "Cast", "t2", "to=1", "y",
     "binary 2 [1] > 2\n"
     "unary 2 > 2\n"},
    {13, "Cast", "x2", "to=9", "t",
     "binary 2 [1] > 2\n"
     "unary 2 > 2\n"},
    {15, "CastLike", "x2 t2", NULL, "t",
     "binary 2 [1] > 2\n"
     "unary 2 > 2\n"},
    {13, "Less", "x2 x2", NULL, "t", "binary 2 2 > 2\n"},
    {13, "LessOrEqual", "x2 x2", NULL, "t", "binary 2 2 > 2\n"},
    {13, "Cast", "x2", "to=10", "y", ""},
    {13, "Cast", "t2", "to=9", "t",
     "binary 2 [1] > 2\n"
     "unary 2 > 2\n"},
    {15, "CastLike", "t2 f2", NULL, "y",
     "binary 2 [1] > 2\n"
     "unary 2 > 2\n"},
    {13, "IsNaN", "x2", NULL, "t",
     "binary 2 2 > 2\n"
     "unary 2 > 2\n"},
    {13, "IsInf", "x2", NULL, "t",
     "unary 2 > 2\n"
     "binary 2 [1] > 2\n"},
    {13, "IsInf", "x2", "detect_negative=0", "t", "binary 2 [1] > 2\n"},
    {13, "IsInf", "x2", "detect_positive=0", "t", "binary 2 [1] > 2\n"},
    {13, "IsInf", "x2", "detect_positive=0 detect_negative=0", "t", "binary 2 2 > 2\n"},
    /* element by element */
    {13, "Clip", "x2 f -", NULL, "y", "unary 2 > 2\n"},
    {13, "Clip", "x2 - f", NULL, "y", "unary 2 > 2\n"},
    {13, "Clip", "x2 x -", NULL, "y",
     "reshape scalar > 1\n"
     "binary 2 1 > 2\n"},
    {13, "Clip", "x2 - x", NULL, "y",
     "reshape scalar > 1\n"
     "binary 2 1 > 2\n"},
    {13, "Clip", "x2 x x", NULL, "y",
     "reshape scalar > 1\n"
     "binary 2 1 > 2\n"
     "reshape scalar > 1\n"
     "binary 2 1 > 2\n"},
    {13, "Clip", "x2 {3} {2}", NULL, "y", "unary 2 > 2\n"},
    {10, "Clip", "x2", "min=0.0 max=6.0", "y", "unary 2 > 2\n"},
    {13, "Pow", "x2 n2", NULL, "y", "binary 2 [2] > 2\n"},
    {13, "Pow", "x2 x2", NULL, "y", "binary 2 2 > 2\n"},
    {13, "Sum", "x2", NULL, "y", ""},
    {13, "Mean", "x2 x2 x3x2", NULL, "y",
     "binary 2 2 > 2\n"
     "reshape 2 > 1x2\n"
     "binary 1x2 3x2 > 3x2\n"
     "unary 3x2 > 3x2\n"},
    {13, "Max", "x2 f2 x2", NULL, "y",
     "binary 2 [2] > 2\n"
     "binary 2 2 > 2\n"},
    {13, "Min", "x2", NULL, "y", ""},
    {13, "PRelu", "x2x3 f3", NULL, "y", "binary 2x3 [1x3] > 2x3\n"},
    {13, "PRelu", "x2x3 x3", NULL, "y",
     "reshape 3 > 1x3\n"
     "binary 2x3 1x3 > 2x3\n"},
    {13, "Mod", "x2 f2", "fmod=1", "y", "binary 2 [2] > 2\n"},
    /* moving */
    {13, "Pad", "f2x3 [1,0,0,0]", NULL, "y", "pad [2x3] > 3x3\n"},
    {13, "Pad", "x2x3 [1,0,0,-1]", NULL, "y",
     "slice 2x3 > 2x2\n"
     "pad 2x2 > 3x2\n"},
    {13, "Pad", "x2x3 [1,0,0,1] {7}", "mode=constant", "y", "pad 2x3 > 3x4\n"},
    {13, "Concat", "x2 f2", "axis=0", "y", "concat 2 [2] > 4\n"},
    {13, "Concat", "t2 t2", "axis=0", "t",
     "binary 2 [1] > 2\n"
     "unary 2 > 2\n"
     "binary 2 [1] > 2\n"
     "unary 2 > 2\n"
     "concat 2 2 > 4\n"},
    {13, "Concat", "t2 b2", "axis=0", "t",
     "binary 2 [1] > 2\n"
     "unary 2 > 2\n"
     "concat 2 [2] > 4\n"},
    {13, "Split", "x6", "axis=0", "y,z",
     "slice 6 > 3\n"
     "slice 6 > 3\n"},
    {13, "Split", "x6 [1,5]", "axis=0", "y,z",
     "slice 6 > 1\n"
     "slice 6 > 5\n"},
    {13, "Gather", "x4x3 [0,-1]", "axis=1", "y", "gather 4x3 [2] > 4x2\n"},
    {13, "Gather", "x4x3 (1)", "axis=0", "y",
     "slice 4x3 > 1x3\n"
     "reshape 1x3 > 3\n"},
    {13, "GatherElements", "x2x3 n2x1", "axis=1", "y",
     "reshape 2x3 > 6x1\n"
     "gather 6x1 [2] > 2x1\n"},
    {13, "GatherND", "x2x3 n1x2", NULL, "y",
     "reshape 2x3 > 6x1\n"
     "slice 6x1 > 1x1\n"
     "reshape 1x1 > 1\n"},
    {13, "ScatterElements", "x4 [0,2] x2", "axis=0", "y",
     "reshape 4 > 4x1\n"
     "reshape 2 > 2x1\n"
     "concat 4x1 2x1 > 6x1\n"
     "gather 6x1 [4] > 4x1\n"
     "reshape 4x1 > 4\n"},
    {18, "ScatterElements", "x4 [0,2,0] x3", "axis=0 reduction=add", "y",
     "reshape 3 > 3x1\n"
     "concat [1x1] 3x1 > 4x1\n"
     "gather 4x1 [4] > 4x1\n"
     "reshape 4x1 > 4\n"
     "binary 4 4 > 4\n"
     "reshape 3 > 3x1\n"
     "concat [1x1] 3x1 > 4x1\n"
     "gather 4x1 [4] > 4x1\n"
     "reshape 4x1 > 4\n"
     "binary 4 4 > 4\n"},
    {18, "ScatterElements", "x4 [0,2] x2", "axis=0 reduction=max", "y",
     "reshape 2 > 2x1\n"
     "concat [1x1] 2x1 > 3x1\n"
     "gather 3x1 [4] > 4x1\n"
     "reshape 4x1 > 4\n"
     "binary 4 4 > 4\n"},
    {16, "ScatterND", "x4 n1x1 x1", NULL, "y",
     "reshape 4 > 4x1\n"
     "reshape 1 > 1x1\n"
     "concat 4x1 1x1 > 5x1\n"
     "gather 5x1 [4] > 4x1\n"
     "reshape 4x1 > 4\n"},
    {18, "ScatterND", "x4x2 n2x1 x2x2", "reduction=mul", "y",
     "concat [1x2] 2x2 > 3x2\n"
     "gather 3x2 [4] > 4x2\n"
     "binary 4x2 4x2 > 4x2\n"},
    {13, "Tile", "x2x3 [2,1]", NULL, "y",
     "reshape 2x3 > 1x2x3\n"
     "expand 1x2x3 > 2x2x3\n"
     "reshape 2x2x3 > 4x3\n"},
    {13, "Tile", "x2x3 [2,3]", NULL, "y",
     "reshape 2x3 > 1x2x3\n"
     "expand 1x2x3 > 2x2x3\n"
     "reshape 2x2x3 > 4x1x3\n"
     "expand 4x1x3 > 4x3x3\n"
     "reshape 4x3x3 > 4x9\n"},
    {13, "Expand", "x3 [2,3]", NULL, "y",
     "reshape 3 > 1x3\n"
     "expand 1x3 > 2x3\n"},
    {13, "Expand", "x1x3 [2,1]", NULL, "y", "expand 1x3 > 2x3\n"},
    {13, "Slice", "x4 [0] [9] [0] [2]", NULL, "y", "slice 4 > 2\n"},
    {13, "Slice", "x4 [-1] [-9] [0] [-1]", NULL, "y", "slice 4 > 4\n"},
    {13, "Transpose", "x2x3", NULL, "y", "transpose 2x3 > 3x2\n"},
    {13, "DepthToSpace", "x1x4x2x2", "blocksize=2", "y",
     "reshape 1x4x2x2 > 1x2x2x1x2x2\n"
     "transpose 1x2x2x1x2x2 > 1x1x2x2x2x2\n"
     "reshape 1x1x2x2x2x2 > 1x1x4x4\n"},
    {13, "DepthToSpace", "x1x4x2x2", "blocksize=2 mode=CRD", "y",
     "reshape 1x4x2x2 > 1x2x2x2x2x1\n"
     "transpose 1x2x2x2x2x1 > 1x1x2x2x2x2\n"
     "reshape 1x1x2x2x2x2 > 1x1x4x4\n"},
    {13, "SpaceToDepth", "x1x1x4x4", "blocksize=2", "y",
     "reshape 1x1x4x4 > 1x2x2x2x2x1\n"
     "transpose 1x2x2x2x2x1 > 1x2x2x1x2x2\n"
     "reshape 1x2x2x1x2x2 > 1x4x2x2\n"},
    {18, "CenterCropPad", "x4x4 [2,6]", NULL, "y",
     "slice 4x4 > 2x4\n"
     "pad 2x4 > 2x6\n"},
    {13, "Flatten", "x2x3x4", "axis=0", "y", "reshape 2x3x4 > 1x24\n"},
    {13, "Squeeze", "x1x3", NULL, "y", "reshape 1x3 > 3\n"},
    {13, "Unsqueeze", "x3 [0,2]", NULL, "y", "reshape 3 > 1x3x1\n"},
    {13, "Reshape", "x2x3x4 [4,-1]", NULL, "y", "reshape 2x3x4 > 4x6\n"},
    {13, "Identity", "x2", NULL, "y", ""},
    {13, "Dropout", "x2 f b1", NULL, "y", ""},
    /* windows */
    {13, "Conv", "x1x2x4x4 f2x2x3x3 f2", "pads=[1,1,1,1]", "y",
     "transpose 1x2x4x4 > 1x4x4x2\n"
     "conv 1x4x4x2 [2x2x3x3] [2] > 1x4x4x2\n"
     "transpose 1x4x4x2 > 1x2x4x4\n"},
    {13, "Conv", "x1x2x4x4 f2x2x3x3 x2", "pads=[1,1,1,1]", "y",
     "transpose 1x2x4x4 > 1x4x4x2\n"
     "conv 1x4x4x2 [2x2x3x3] > 1x4x4x2\n"
     "reshape 2 > 1x1x1x2\n"
     "binary 1x4x4x2 1x1x1x2 > 1x4x4x2\n"
     "transpose 1x4x4x2 > 1x2x4x4\n"},
    {13, "Conv", "x1x2x8 f2x1x3", "group=2 auto_pad=SAME_LOWER", "y",
     "transpose 1x2x8 > 1x8x2\n"
     "reshape 1x8x2 > 1x1x8x2\n"
     "conv 1x1x8x2 [2x1x3] > 1x1x8x2\n"
     "transpose 1x1x8x2 > 1x1x2x8\n"
     "reshape 1x1x2x8 > 1x2x8\n"},
    {13, "ConvTranspose", "x1x2x4x4 f2x3x3x3 f3", "strides=[2,2] output_padding=[1,1]", "y",
     "transpose 1x2x4x4 > 1x4x4x2\n"
     "conv_transpose 1x4x4x2 [2x3x3x3] [3] > 1x10x10x3\n"
     "transpose 1x10x10x3 > 1x3x10x10\n"},
    {13, "ConvTranspose", "x1x2x4x4 f2x3x3x3", "strides=[2,2] output_shape=[8,8]", "y",
     "transpose 1x2x4x4 > 1x4x4x2\n"
     "conv_transpose 1x4x4x2 [2x3x3x3] > 1x8x8x3\n"
     "transpose 1x8x8x3 > 1x3x8x8\n"},
    {13, "MaxPool", "x1x2x4x4", "kernel_shape=[2,2] ceil_mode=1", "y",
     "transpose 1x2x4x4 > 1x4x4x2\n"
     "pool 1x4x4x2 > 1x3x3x2\n"
     "transpose 1x3x3x2 > 1x2x3x3\n"},
    {13, "MaxPool", "x1x2x5x5", "kernel_shape=[2,2] strides=[2,2] auto_pad=SAME_UPPER ceil_mode=1", "y",
     "transpose 1x2x5x5 > 1x5x5x2\n"
     "pool 1x5x5x2 > 1x3x3x2\n"
     "transpose 1x3x3x2 > 1x2x3x3\n"},
    {13, "AveragePool", "x1x2x4x4", "kernel_shape=[2,2] count_include_pad=1 pads=[1,1,1,1]", "y",
     "transpose 1x2x4x4 > 1x4x4x2\n"
     "pool 1x4x4x2 > 1x5x5x2\n"
     "transpose 1x5x5x2 > 1x2x5x5\n"},
    {13, "LpPool", "x1x2x4x4", "kernel_shape=[2,2] p=1", "y",
     "transpose 1x2x4x4 > 1x4x4x2\n"
     "pool 1x4x4x2 > 1x3x3x2\n"
     "transpose 1x3x3x2 > 1x2x3x3\n"},
    {13, "GlobalAveragePool", "x1x2x4x4", NULL, "y", "reduce 1x2x4x4 > 1x2x1x1\n"},
    {13, "GlobalMaxPool", "x1x2x4x4", NULL, "y", "reduce 1x2x4x4 > 1x2x1x1\n"},
    {13, "GlobalLpPool", "x1x2x4x4", "p=1", "y", "reduce 1x2x4x4 > 1x2x1x1\n"},
    {13, "GlobalLpPool", "x1x2x4x4", NULL, "y", "reduce 1x2x4x4 > 1x2x1x1\n"},
};

/* An output "t" is of truth values, and what the model gives is 0 or 1. */
static net model_of(size_t i)
{
    net m = {{0}};
    if (strcmp(rows[i].outputs, "t") != 0)
        return text_model(rows[i].op, rows[i].inputs, rows[i].attributes, rows[i].outputs);
    text_node(&m, rows[i].op, rows[i].inputs, rows[i].attributes, "t");
    NODE_WITH(&m, "Cast", "c", "t", "y", attr_i("to", 1));
    net_output(&m, "y");
    return m;
}

static void test_built(void **state)
{
    int wrong = 0;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        net          m = model_of(i);
        built        b;
        const status st = build_file(net_finish(&m, rows[i].opset), 1, &b);
        const char  *got = st == SEPCL_OK ? graph_lines(b.g) : error_sentence();
        if (strcmp(got, rows[i].want) != 0) {
            print_error("%s of %s, %s:\n%swant:\n%s", rows[i].op, rows[i].inputs,
                        rows[i].attributes ? rows[i].attributes : "-", got, rows[i].want);
            wrong++;
        }
        built_free(&b);
    }
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_built),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
