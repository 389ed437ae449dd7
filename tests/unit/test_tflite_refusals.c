/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A TFLite file of one operator for each thing that operators refuse, and the words in which they do. Inputs are text,
 * separated by blanks, and called i0, i1, ...: "x2x3" an input of floats, "f2x3" constant floats 0, 1, 2, ..., "n2x3"
 * constant whole numbers, "[1,-2]" a row of them, "(3)" one without a dimension, "{0.5}" a row of floats, "-" absent.
 */
#include "model_bytes.h"

#include "import/tflite_model.h"
#include "tflite_writer.h"

#define BAD SEPCL_BAD_FILE
#define NOT SEPCL_UNSUPPORTED

typedef struct row {
    int         code;
    const char *inputs;
    status      want;
    const char *words;
    int         type, n; /* of the options, and how many */
    int64_t     options[8];
    int         n_out; /* 0: 1 */
    int         output_type;
    int         n_list; /* above 0: what the first option leads to */
    int32_t     list[4];
} row;

#define OPTIONS(kind, ...)                                                                                             \
    .type = kind, .n = (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), .options = {__VA_ARGS__}

static const row rows[] = {
    /* convolutions: padding, strides of width and height, activation, dilations of width and height */
    {TFLITE_CONV_2D, "x4x4x2 f1x3x3x2", BAD, "the input 'i0' of shape 4x4x2 should have 4 dimensions",
     OPTIONS(1, 0, 1, 1)},
    {TFLITE_CONV_2D, "x1x4x4x2 x1x3x3x2", NOT, "the weights 'i1' are not a constant", OPTIONS(1, 0, 1, 1)},
    {TFLITE_CONV_2D, "x1x4x4x2 f3x3x2", BAD, "are not 4 dimensions of floats", OPTIONS(1, 0, 1, 1)},
    {TFLITE_CONV_2D, "x1x4x4x2 n1x3x3x2", BAD, "are not 4 dimensions of floats", OPTIONS(1, 0, 1, 1)},
    {TFLITE_CONV_2D, "x1x4x4x2 f0x3x3x2", BAD, "are not 4 dimensions of floats", OPTIONS(1, 0, 1, 1)},
    {TFLITE_CONV_2D, "x1x4x4x2 f1x70000x1x2", NOT, "a kernel extent of 70000 is above the limit", OPTIONS(1, 0, 1, 1)},
    {TFLITE_CONV_2D, "x1x4x4x2 f1x3x3x2", BAD, "the vertical stride is 0", OPTIONS(1, 0, 1, 0)},
    {TFLITE_CONV_2D, "x1x4x4x2 f1x3x3x2", BAD, "the horizontal stride is -1", OPTIONS(1, 0, -1, 1)},
    {TFLITE_CONV_2D, "x1x4x4x2 f1x3x3x2", BAD, "the vertical dilation is 0", OPTIONS(1, 0, 1, 1, 0, 1, 0)},
    {TFLITE_CONV_2D, "x1x4x4x2 f1x3x3x2", NOT, "the horizontal dilation is 70000", OPTIONS(1, 0, 1, 1, 0, 70000, 1)},
    {TFLITE_CONV_2D, "x1x4x4x2 f1x3x3x2", BAD, "padding number 7 is unknown", OPTIONS(1, 7, 1, 1)},
    {TFLITE_CONV_2D, "x1x4x4x3 f1x3x3x2", BAD, "1 output and 2 input channels do not suit an input of 3",
     OPTIONS(1, 0, 1, 1)},
    {TFLITE_CONV_2D, "x1x4x4x4 f3x3x3x2", BAD, "3 output and 2 input channels do not suit an input of 4",
     OPTIONS(1, 0, 1, 1)},
    {TFLITE_CONV_2D, "x1x4x4x2 f1x5x5x2", BAD, "kernel does not fit into the padded", OPTIONS(1, 1, 1, 1)},
    {TFLITE_CONV_2D, "x1x4x4x2 f1x3x3x2", NOT, "fused activation number 9", OPTIONS(1, 0, 1, 1, 9)},
    {TFLITE_CONV_2D, "x1x4x4x2 f1x3x3x2 f2", BAD, "bias", OPTIONS(1, 0, 1, 1)},
    {TFLITE_DEPTHWISE_CONV_2D, "x1x4x4x2 f2x3x3x2", BAD, "depthwise weights for 2 channels do not suit an input of 2",
     OPTIONS(2, 0, 1, 1)},
    {TFLITE_DEPTHWISE_CONV_2D, "x1x4x4x2 f1x3x3x3", BAD, "depthwise weights for 3 channels do not suit an input of 2",
     OPTIONS(2, 0, 1, 1)},
    {TFLITE_DEPTHWISE_CONV_2D, "x1x4x4x2 f1x3x3x2", BAD, "padding number 2 is unknown", OPTIONS(2, 2, 1, 1)},
    {TFLITE_DEPTHWISE_CONV_2D, "x4x4x2 f1x3x3x2", BAD, "should have 4 dimensions", OPTIONS(2, 0, 1, 1)},
    {TFLITE_TRANSPOSE_CONV, "[1,8,8] f1x3x3x2 x1x4x4x2", BAD, "input 0 has 3 elements instead of 4",
     OPTIONS(49, 0, 2, 2)},
    {TFLITE_TRANSPOSE_CONV, "x4 f1x3x3x2 x1x4x4x2", NOT, "input 'i0' has to be a constant", OPTIONS(49, 0, 2, 2)},
    {TFLITE_TRANSPOSE_CONV, "[1,8,8,1] f1x3x3x2 x1x4x4x2", BAD, "padding number 2 is unknown", OPTIONS(49, 2, 2, 2)},
    {TFLITE_TRANSPOSE_CONV, "[1,8,8,1] f1x3x3x3 x1x4x4x2", BAD, "do not suit an input of 2 channels",
     OPTIONS(49, 0, 2, 2)},
    {TFLITE_TRANSPOSE_CONV, "[2,8,8,1] f1x3x3x2 x1x4x4x2", BAD, "do not suit an input of 2 channels",
     OPTIONS(49, 0, 2, 2)},
    {TFLITE_TRANSPOSE_CONV, "[1,8,8,2] f1x3x3x2 x1x4x4x2", BAD, "and an output of 2", OPTIONS(49, 0, 2, 2)},
    {TFLITE_TRANSPOSE_CONV, "[1,8,10,1] f1x3x3x2 x1x4x4x2", NOT, "an output extent of 10 does not follow from",
     OPTIONS(49, 0, 2, 2)},
    {TFLITE_TRANSPOSE_CONV, "[1,8,9,1] f1x3x3x2 x1x4x4x2", NOT, "an output extent of 8 does not follow from",
     OPTIONS(49, 1, 2, 2)},
    {TFLITE_TRANSPOSE_CONV, "[1,11,9,1] f1x3x3x2 x1x4x4x2", NOT, "an output extent of 11 does not follow from",
     OPTIONS(49, 1, 2, 2)},
    {TFLITE_MAX_POOL_2D, "x4x4x2", BAD, "should have 4 dimensions", OPTIONS(5, 0, 1, 1, 2, 2)},
    {TFLITE_AVERAGE_POOL_2D, "x1x4x4x2", NOT, "a window of 5x5", OPTIONS(5, 1, 1, 1, 5, 5)},
    /* products */
    {TFLITE_FULLY_CONNECTED, "x2x3 f4x3", NOT, "weights in the shuffled order are not supported", OPTIONS(8, 0, 1)},
    {TFLITE_FULLY_CONNECTED, "x2x3 f3", BAD, "the weights 'i1' have 1 dimensions instead of 2", .n = 0},
    {TFLITE_FULLY_CONNECTED, "x2x3 f4x5", BAD, "an input of shape 2x3 does not divide into rows of the weights' 5",
     .n = 0},
    {TFLITE_FULLY_CONNECTED, "x2x2x3 f4x6", BAD, "does not divide into rows of the weights' 6", OPTIONS(8, 0, 0, 1)},
    {TFLITE_FULLY_CONNECTED, "x2x3 f4x3 f3", BAD, "the bias 'i2' does not have one element for each of 4 outputs",
     .n = 0},
    {TFLITE_FULLY_CONNECTED, "x2x3 f4x3", NOT, "fused activation number 9", OPTIONS(8, 9)},
    {TFLITE_BATCH_MATMUL, "x3 f3x4", BAD, "the operands have 1 and 2 dimensions", .n = 0},
    {TFLITE_BATCH_MATMUL, "x2x3 f3", BAD, "the operands have 2 and 1 dimensions", .n = 0},
    {TFLITE_BATCH_MATMUL, "x2x3 f3x4", BAD, "node 'y' (BATCH_MATMUL)", OPTIONS(101, 1)},
    /* element by element */
    {TFLITE_ADD, "x2 x3", BAD, "shapes 2 and 3 cannot be broadcast to each other", .n = 0},
    {TFLITE_ADD, "x2 x2", NOT, "fused activation number 5", OPTIONS(11, 5)},
    {TFLITE_PRELU, "x2x1 f2x3", BAD, "the slope 'i1' does not suit the input", .n = 0},
    {TFLITE_SQUARED_DIFFERENCE, "x2 x3", BAD, "shapes 2 and 3 cannot be broadcast", .n = 0},
    {TFLITE_ADD_N, "x2 - x2", BAD, "input 1 is missing", .n = 0},
    {TFLITE_FLOOR_DIV, "n2 n3", BAD, "shapes 2 and 3 cannot be broadcast", .n = 0},
    {TFLITE_SOFTMAX, "x", BAD, "the input is a scalar", .type = 9},
    {TFLITE_LOG_SOFTMAX, "x", BAD, "the input is a scalar", .n = 0},
    {TFLITE_L2_NORMALIZATION, "x", BAD, "the input is a scalar", .n = 0},
    {TFLITE_MEAN, "x2x3 [2]", BAD, "axis 2 is outside a tensor of 2 dimensions", .n = 0},
    {TFLITE_MEAN, "x2x3 x1", NOT, "input 'i1' has to be a constant", .n = 0},
    {TFLITE_MEAN, "x2x3 f1", BAD, "input 'i1' is of type float32 instead of integers", .n = 0},
    {TFLITE_MEAN, "x2x3 n9", BAD, "input 'i1' has 9 elements, above 8", .n = 0},
    /* moving */
    {TFLITE_PAD, "x2x3 [1,1]", BAD, "input 1 has 2 elements instead of 4", .n = 0},
    {TFLITE_PAD, "x2x3 [0,0,-1,0]", BAD, "a pad of -1 is outside 0 to", .n = 0},
    {TFLITE_PAD, "x2x3 [0,0,0,999999999]", NOT, "a pad of 999999999 is outside 0 to", .n = 0},
    {TFLITE_PADV2, "x2 [1,1] x1", NOT, "the value 'i2' has to be a constant of one float", .n = 0},
    {TFLITE_PADV2, "x2 [1,1] (1)", NOT, "the value 'i2' has to be a constant of one float", .n = 0},
    {TFLITE_PADV2, "x2 [1,1] f2", NOT, "the value 'i2' has to be a constant of one float", .n = 0},
    {TFLITE_MIRROR_PAD, "x2 [1,1]", BAD, "mode number 2 is unknown", OPTIONS(77, 2)},
    {TFLITE_MIRROR_PAD, "x2 [2,0]", BAD, "axis 0 of extent 2 is padded by 2 and 0, more than it has to mirror",
     OPTIONS(77, 0)},
    {TFLITE_MIRROR_PAD, "x2 [0,3]", BAD, "axis 0 of extent 2 is padded by 0 and 3", OPTIONS(77, 1)},
    {TFLITE_MIRROR_PAD, "x2 [-1,0]", BAD, "a pad of -1 is outside", OPTIONS(77, 0)},
    {TFLITE_CONCATENATION, "x2 - x2", BAD, "input 1 is missing", OPTIONS(10, 0)},
    {TFLITE_CONCATENATION, "x2x3 x2x4", BAD, "node 'y' (CONCATENATION)", OPTIONS(10, 0)},
    {TFLITE_CONCATENATION, "x2 x2", NOT, "fused activation number 9", OPTIONS(10, 0, 9)},
    {TFLITE_PACK, "x2 - x2", BAD, "input 1 is missing", OPTIONS(59, 3, 0)},
    {TFLITE_PACK, "x2 x2", BAD, "axis 2 is outside a tensor of 2 dimensions", OPTIONS(59, 2, 2)},
    {TFLITE_PACK, "x2 x3", BAD, "input 1 has another shape than the first", OPTIONS(59, 2, 0)},
    {TFLITE_PACK, "x1x1x1x1x1x1x1x1", NOT, "the result has more than 8 dimensions", OPTIONS(59, 1, 0)},
    {TFLITE_SPLIT, "(1) x4", BAD, "axis 1 is outside", OPTIONS(35, 2), .n_out = 2},
    {TFLITE_SPLIT, "x1 x4", NOT, "input 'i0' has to be a constant", OPTIONS(35, 2), .n_out = 2},
    {TFLITE_SPLIT, "(0) x5", BAD, "the pieces do not make up the extent 5", OPTIONS(35, 2), .n_out = 2},
    {TFLITE_SPLIT_V, "x4 [1] (0)", BAD, "input 1 has 1 elements instead of 2", OPTIONS(79, 2), .n_out = 2},
    {TFLITE_SPLIT_V, "x4 [1,3] (1)", BAD, "axis 1 is outside", OPTIONS(79, 2), .n_out = 2},
    {TFLITE_SPLIT_V, "x4 [1,2] (0)", BAD, "the pieces do not make up the extent 4", OPTIONS(79, 2), .n_out = 2},
    {TFLITE_SPLIT_V, "x4 [5,-1] (0)", BAD, "the pieces do not make up the extent 4", OPTIONS(79, 2), .n_out = 2},
    {TFLITE_SPLIT_V, "x4 [-2,6] (0)", BAD, "the pieces do not make up the extent 4", OPTIONS(79, 2), .n_out = 2},
    {TFLITE_UNPACK, "x4", BAD, "axis 1 is outside", OPTIONS(64, 2, 1), .n_out = 2},
    {TFLITE_UNPACK, "x4", BAD, "an axis of extent 4 is to be 2 tensors", OPTIONS(64, 2, 0), .n_out = 2},
    {TFLITE_SLICE, "x4 [0,0] [1]", BAD, "input 'i1'", .n = 0},
    {TFLITE_SLICE, "x4 [0] [1,1]", BAD, "input 'i2'", .n = 0},
    {TFLITE_SLICE, "x4 [-1] [1]", BAD, "1 elements from -1 on do not lie in axis 0 of extent 4", .n = 0},
    {TFLITE_SLICE, "x4 [5] [-1]", BAD, "-1 elements from 5 on do not lie in axis 0", .n = 0},
    {TFLITE_SLICE, "x4 [1] [-2]", BAD, "-2 elements from 1 on do not lie in axis 0", .n = 0},
    {TFLITE_SLICE, "x4 [2] [3]", BAD, "3 elements from 2 on do not lie in axis 0", .n = 0},
    {TFLITE_REVERSE_V2, "x4 x1", NOT, "input 'i1' has to be a constant", .n = 0},
    {TFLITE_REVERSE_V2, "x4 [1]", BAD, "axis 1 is outside", .n = 0},
    {TFLITE_TRANSPOSE, "x2x3 [0]", BAD, "input 1 has 1 elements instead of 2", .n = 0},
    {TFLITE_TRANSPOSE, "x2x3 [0,2]", BAD, "axis 2 is outside", .n = 0},
    {TFLITE_TRANSPOSE, "x2x3 [1,-1]", BAD, "the order of the axes has axis 1 twice", .n = 0},
    {TFLITE_GATHER, "x2x3 [0]", NOT, "batch dimensions are not supported", OPTIONS(23, 0, 1)},
    {TFLITE_GATHER, "x2x3 [0]", BAD, "axis 2 is outside", OPTIONS(23, 2, 0)},
    {TFLITE_GATHER, "x2x3 [2]", BAD, "index 2 is outside", OPTIONS(23, 0, 0)},
    {TFLITE_GATHER, "x2x3 f1", NOT, "node 'y' (GATHER)", OPTIONS(23, 0, 0)},
    {TFLITE_BROADCAST_TO, "x2 x1", NOT, "input 'i1' has to be a constant", .n = 0},
    {TFLITE_BROADCAST_TO, "x2 [3]", BAD, "shape 2 cannot be expanded to 3", .n = 0},
    {TFLITE_BROADCAST_TO, "x2 [1]", BAD, "shape 2 cannot be expanded to 1", .n = 0},
    {TFLITE_TILE, "x2 [1,1]", BAD, "input 'i1'", .n = 0},
    {TFLITE_TILE, "x2 [-1]", BAD, "repeat 0 is -1", .n = 0},
    {TFLITE_DEPTH_TO_SPACE, "x2x2x4", BAD, "the input has 3 dimensions, and should have 4", OPTIONS(94, 2)},
    {TFLITE_DEPTH_TO_SPACE, "x1x2x2x4", BAD, "the block size is 0", OPTIONS(94, 0)},
    {TFLITE_DEPTH_TO_SPACE, "x1x2x2x4", BAD, "the block size is 32768", OPTIONS(94, 32768)},
    {TFLITE_SPACE_TO_DEPTH, "x1x3x2x4", BAD, "3x2 pixels do not divide by blocks of 2x2", OPTIONS(19, 2)},
    {TFLITE_SPACE_TO_DEPTH, "x1x2x3x4", BAD, "2x3 pixels do not divide by blocks of 2x2", OPTIONS(19, 2)},
    {TFLITE_SPACE_TO_DEPTH, "x2x4", BAD, "the input has 2 dimensions, and should have 4", OPTIONS(19, 2)},
    {TFLITE_RESIZE_BILINEAR, "x4x4x2 [8,8]", BAD, "the input has 3 dimensions, and should have 4",
     OPTIONS(15, 0, 0, 0, 0)},
    {TFLITE_RESIZE_BILINEAR, "x1x4x4x2 [8]", BAD, "input 1 has 1 elements instead of 2", OPTIONS(15, 0, 0, 0, 0)},
    {TFLITE_RESIZE_BILINEAR, "x1x4x4x2 [8,0]", BAD, "the new extent 0 is outside 1 to", OPTIONS(15, 0, 0, 0, 0)},
    {TFLITE_RESIZE_BILINEAR, "x1x4x4x2 [999999999,1]", BAD, "the new extent 999999999 is outside 1 to",
     OPTIONS(15, 0, 0, 0, 0)},
    {TFLITE_RESIZE_BILINEAR, "x1x4x4x2 [8,8]", BAD, "corners and centres cannot both be aligned",
     OPTIONS(15, 0, 0, 1, 1)},
    /* shapes and types */
    {TFLITE_RESHAPE, "x2x3 [-1,-1]", BAD, "the new shape has the extent -1", .n = 0},
    {TFLITE_RESHAPE, "x2x3 [-2]", BAD, "the new shape has the extent -2", .n = 0},
    {TFLITE_RESHAPE, "x2x3 [-1,4]", BAD, "6 elements do not divide by the known extents of the new shape, 4", .n = 0},
    {TFLITE_RESHAPE, "x2x3 [-1,0]", BAD, "6 elements do not divide by the known extents of the new shape, 0", .n = 0},
    {TFLITE_RESHAPE, "x2x3 f2", BAD, "input 'i1' is of type float32 instead of integers", .n = 0},
    {TFLITE_EXPAND_DIMS, "x2 [1,1]", BAD, "input 'i1'", .n = 0},
    {TFLITE_EXPAND_DIMS, "x2 (2)", BAD, "axis 2 is outside a tensor of 2 dimensions", .n = 0},
    {TFLITE_EXPAND_DIMS, "x1x1x1x1x1x1x1x1 (0)", NOT, "the result has more than 8 dimensions", .n = 0},
    {TFLITE_FILL, "x2 f1", NOT, "input 'i0' has to be a constant", .n = 0},
    {TFLITE_FILL, "[2] x1", NOT, "it is supported on constants only, but 'i1' depends on the model's inputs", .n = 0},
    {TFLITE_FILL, "[2] f2", BAD, "the value 'i1' has 2 elements", .n = 0},
    {TFLITE_RANGE, "x1 f f", NOT, "'i0' depends on the model's inputs", .n = 0},
    {TFLITE_RANGE, "f2 f f", BAD, "begin, end and step are not three numbers of one type", .n = 0},
    {TFLITE_RANGE, "f f (1)", BAD, "begin, end and step are not three numbers of one type", .n = 0},
    {TFLITE_RANGE, "(0) (3) (0)", NOT, "a row from 0 to 3 by 0 has more than", .n = 0},
    {TFLITE_CAST, "x2", NOT, "rounding to FLOAT16 is not supported", .output_type = T_FLOAT16},
    {TFLITE_DEQUANTIZE, "x2", NOT, "'i0' is not a float16 constant", .n = 0},
    {TFLITE_DEQUANTIZE, "f2", NOT, "'i0' is not a float16 constant", .n = 0},
    {TFLITE_DENSIFY, "x2", NOT, "'i0' depends on the model's inputs", .n = 0},
    /* strided slices: masks of begins, ends, ellipsis, new axes and axes that go, and whether ends are relative */
    {TFLITE_STRIDED_SLICE, "x4 x1 [1] [1]", NOT, "input 'i1' has to be a constant", OPTIONS(32, 0, 0, 0, 0, 0, 0)},
    {TFLITE_STRIDED_SLICE, "x4 [0] [1,1] [1]", BAD, "input 'i2'", OPTIONS(32, 0, 0, 0, 0, 0, 0)},
    {TFLITE_STRIDED_SLICE, "x4 [0] [1] [1,1]", BAD, "input 'i3'", OPTIONS(32, 0, 0, 0, 0, 0, 0)},
    {TFLITE_STRIDED_SLICE, "x4 [0] [1] [0]", BAD, "the stride of axis 0 is 0", OPTIONS(32, 0, 0, 0, 0, 0, 0)},
    {TFLITE_STRIDED_SLICE, "x4 [4] [5] [1]", BAD, "element 4 is outside axis 0 of extent 4",
     OPTIONS(32, 0, 0, 0, 0, 1, 0)},
    {TFLITE_STRIDED_SLICE, "x4 [-5] [5] [1]", BAD, "element -5 is outside axis 0 of extent 4",
     OPTIONS(32, 0, 0, 0, 0, 1, 0)},
    {TFLITE_STRIDED_SLICE, "x4 [1] [4] [1]", BAD, "4 elements from 1 on do not lie in axis 0",
     OPTIONS(32, 0, 0, 0, 0, 0, 1)},
    {TFLITE_STRIDED_SLICE, "x4 [1] [-3] [1]", BAD, "-3 elements from 1 on do not lie in axis 0",
     OPTIONS(32, 0, 0, 0, 0, 0, 1)},
    {TFLITE_STRIDED_SLICE, "x4 [0,0] [1,1] [1,1]", BAD, "its 2 entries do not suit 1 dimensions",
     OPTIONS(32, 0, 0, 0, 0, 0, 0)},
    {TFLITE_STRIDED_SLICE, "x4x4 [0,0] [1,1] [1,1]", BAD, "its 2 entries do not suit 2 dimensions",
     OPTIONS(32, 0, 0, 3, 0, 0, 0)},
    {TFLITE_STRIDED_SLICE, "x4 [1] [-9] [-1]", BAD, "-9 elements from 1 on do not lie in axis 0",
     OPTIONS(32, 0, 0, 0, 0, 0, 1)},
    {TFLITE_STRIDED_SLICE, "x1x1x1x1x1x1x1x1 [0,0] [1,1] [1,1]", NOT, "the result has more than 8 dimensions",
     OPTIONS(32, 0, 0, 0, 1, 0, 0)}, /* an axis more in front */
    {TFLITE_STRIDED_SLICE, "x1x1x1x1x1x1x1x1 [0,0] [1,1] [1,1]", NOT, "the result has more than 8 dimensions",
     OPTIONS(32, 0, 0, 1, 2, 0, 0)}, /* behind all that are kept */
    {TFLITE_STRIDED_SLICE, "x4 [0,0,0,0,0,0,0,0] [0,0,0,0,0,0,0,0] [1,1,1,1,1,1,1,1]", NOT,
     "the result has more than 8 dimensions", OPTIONS(32, 0, 0, 0, 255, 0, 0)},
    /* shapes and constants */
    {TFLITE_RESHAPE, "x2x3 -", BAD, "the new shape has the extent -1", OPTIONS(17, 0), .n_list = 2, .list = {-1, -1}},
    {TFLITE_RESHAPE, "x2x3 -", BAD, "the new shape has the extent -2", OPTIONS(17, 0), .n_list = 1, .list = {-2}},
    {TFLITE_RESHAPE, "x2x3 -", BAD, "the new shape has the extent 2147483647", OPTIONS(17, 0), .n_list = 3,
     .list = {INT32_MAX, INT32_MAX, INT32_MAX}},
    {TFLITE_RESHAPE, "x2x3 -", BAD, "6 elements do not divide by the known extents of the new shape, 0", OPTIONS(17, 0),
     .n_list = 2, .list = {0, -1}},
    {TFLITE_RESHAPE, "x2x3 -", BAD, "2x3 cannot be reshaped to scalar", OPTIONS(17, 0), .n_list = 1, .list = {0}},
    {TFLITE_RESHAPE, "x2x3 -", BAD, "2x3 cannot be reshaped to 5", OPTIONS(17, 0), .n_list = 1, .list = {5}},
    {TFLITE_SQUEEZE, "x1x3", BAD, "axis 2 is outside a tensor of 2 dimensions", OPTIONS(30, 0), .n_list = 1,
     .list = {2}},
    {TFLITE_SQUEEZE, "x1x3", BAD, "axis 1 has the extent 3 and cannot go", OPTIONS(30, 0), .n_list = 2, .list = {0, 1}},
    {TFLITE_FILL, "[2] x1", NOT, "it is supported on constants only, but 'i1' depends on", .n = 0},
    {TFLITE_FILL, "x2 f1", NOT, "input 'i0' has to be a constant", .n = 0},
    {TFLITE_FILL, "[2] f2", BAD, "the value 'i1' has 2 elements", .n = 0},
    {TFLITE_FILL, "[3,-2] f1", BAD, "entry 1 of the shape is -2", .n = 0},
    {TFLITE_RANGE, "x1 (1) (1)", NOT, "it is supported on constants only, but 'i0' depends on", .n = 0},
    {TFLITE_RANGE, "(0) f1 (1)", BAD, "begin, end and step are not three numbers of one type", .n = 0},
    {TFLITE_RANGE, "(0) [1,2] (1)", BAD, "begin, end and step are not three numbers of one type", .n = 0},
    {TFLITE_RANGE, "(0) (0) (0)", NOT, "a row from 0 to 0 by 0 has more than", .n = 0},
    {TFLITE_RANGE, "(0) (99999999) (1)", NOT, "a row from 0 to 1e+08 by 1 has more than", .n = 0},
    {TFLITE_FLOOR_DIV, "n2 x2", NOT, "integers are supported on constants only", .n = 0},
    {TFLITE_FLOOR_DIV, "n2 [0,1]", BAD, "a constant is divided by zero", .n = 0},
};

/* One operator, and the nodes that come of it; "= " and the numbers, when the output is a constant.
   Whole ones are cast to floats. */
static const row built[] = {
    {TFLITE_RESHAPE, "x1 -", SEPCL_OK, "reshape 1 > scalar\n", OPTIONS(17, 0), .n_list = 1, .list = {0}},
    {TFLITE_RESHAPE, "x2x3 -", SEPCL_OK, "reshape 2x3 > 3x2\n", OPTIONS(17, 0), .n_list = 2, .list = {3, -1}},
    {TFLITE_RESHAPE, "x2x3 [6]", SEPCL_OK, "reshape 2x3 > 6\n", .n = 0},
    {TFLITE_SQUEEZE, "x1x3x1", SEPCL_OK, "reshape 1x3x1 > 3x1\n", OPTIONS(30, 0), .n_list = 1, .list = {0}},
    {TFLITE_SQUEEZE, "x1x3x1", SEPCL_OK, "reshape 1x3x1 > 3\n", OPTIONS(30, 0), .n_list = 2, .list = {0, -1}},
    {TFLITE_SHAPE, "x2x3", SEPCL_OK, "= 2 3", .n = 0, .output_type = T_INT32},
    {TFLITE_RANK, "x2x3", SEPCL_OK, "= 2", .n = 0, .output_type = T_INT32},
    {TFLITE_FILL, "[2,2] {7}", SEPCL_OK, "= 7 7 7 7", .n = 0},
    {TFLITE_RANGE, "(3) (9) (2)", SEPCL_OK, "= 3 5 7", .n = 0, .output_type = T_INT32},
    {TFLITE_RANGE, "{3} {2} {-0.5}", SEPCL_OK, "= 3 2.5", .n = 0},
    {TFLITE_CAST, "x2", SEPCL_OK, "", .n = 0},
    {TFLITE_CAST, "n3", SEPCL_OK, "= 0 1 2", .n = 0},
    {TFLITE_CAST, "{1.5,-2.5}", SEPCL_OK, "= 1 -2", .n = 0, .output_type = T_INT64},
    {TFLITE_FLOOR_DIV, "[7,-7] [2,2]", SEPCL_OK, "= 3 -4", .n = 0, .output_type = T_INT32},
    {TFLITE_FLOOR_DIV, "x2 x2", SEPCL_OK, "binary 2 2 > 2\nunary 2 > 2\n", .n = 0},
    {TFLITE_FLOOR_MOD, "x2 f2", SEPCL_OK, "binary 2 [2] > 2\n", .n = 0},
    {TFLITE_RSQRT, "x2", SEPCL_OK, "unary 2 > 2\nunary 2 > 2\n", .n = 0},
    {TFLITE_MEAN, "x2x3 []", SEPCL_OK, "", .n = 0},
    {TFLITE_MEAN, "x2x3 [0,-1]", SEPCL_OK, "reduce 2x3 > scalar\n", .n = 0},
    {TFLITE_STRIDED_SLICE, "x4 [0] [4] [2]", SEPCL_OK, "slice 4 > 2\n", OPTIONS(32, 0, 0, 0, 0, 0, 0)},
    {TFLITE_STRIDED_SLICE, "x4 [3] [0] [-2]", SEPCL_OK, "slice 4 > 2\n", OPTIONS(32, 0, 0, 0, 0, 0, 0)},
    {TFLITE_STRIDED_SLICE, "x4 [3] [-4] [-1]", SEPCL_OK, "slice 4 > 4\n", OPTIONS(32, 0, 0, 0, 0, 0, 1)},
    {TFLITE_STRIDED_SLICE, "x4x3 [1] [2] [1]", SEPCL_OK, "slice 4x3 > 1x3\nreshape 1x3 > 3\n",
     OPTIONS(32, 0, 0, 0, 0, 1, 0)},
    {TFLITE_CONV_2D, "x1x4x4x2 f3x3x3x2", SEPCL_OK, "conv 1x4x4x2 [3x3x3x2] > 1x2x2x3\n", OPTIONS(1, 1, 1, 1)},
    {TFLITE_DEPTHWISE_CONV_2D, "x1x4x4x2 f1x3x3x2 f2", SEPCL_OK, "conv 1x4x4x2 [1x3x3x2] [2] > 1x4x4x2\n",
     OPTIONS(2, 0, 1, 1)},
    {TFLITE_FULLY_CONNECTED, "x2x3 f4x3 f4", SEPCL_OK, "dense 2x3 [4x3] [4] > 2x4\n", .n = 0},
    {TFLITE_FULLY_CONNECTED, "x2x2x3 f4x6", SEPCL_OK, "reshape 2x2x3 > 2x6\ndense 2x6 [4x6] > 2x4\n", .n = 0},
    {TFLITE_FULLY_CONNECTED, "x2x2x3 f4x3", SEPCL_OK, "dense 2x2x3 [4x3] > 2x2x4\n", OPTIONS(8, 0, 0, 1)},
    {TFLITE_BATCH_MATMUL, "x2x3 x4x3", SEPCL_OK, "transpose 4x3 > 3x4\nmatmul 2x3 3x4 > 2x4\n", OPTIONS(101, 0, 1)},
    {TFLITE_BATCH_MATMUL, "x2x3 f3x4", SEPCL_OK, "dense 2x3 [3x4] > 2x4\n", OPTIONS(101, 0, 0)},
    {TFLITE_L2_NORMALIZATION, "x2x3", SEPCL_OK, "reduce 2x3 > 2x1\nunary 2x1 > 2x1\nbinary 2x3 2x1 > 2x3\n",
     .type = 12},
    {TFLITE_SOFTMAX, "x2x3", SEPCL_OK, "unary 2x3 > 2x3\nsoftmax 2x3 > 2x3\n", .type = 9},
    {TFLITE_SPLIT_V, "x4 [1,-1] (0)", SEPCL_OK, "slice 4 > 1\nslice 4 > 3\n", OPTIONS(79, 2), .n_out = 2},
    {TFLITE_PACK, "x2 x2", SEPCL_OK, "reshape 2 > 1x2\nreshape 2 > 1x2\nconcat 1x2 1x2 > 2x2\n", OPTIONS(59, 2, 0)},
    {TFLITE_UNPACK, "x2x3", SEPCL_OK, "slice 2x3 > 1x3\nreshape 1x3 > 3\nslice 2x3 > 1x3\nreshape 1x3 > 3\n",
     OPTIONS(64, 2, 0), .n_out = 2},
};

/* ---------------------------------------------------------------- inputs */

/* What constants point to until a file is written. */
static char   room[1 << 22];
static size_t used;

static void *take(size_t n)
{
    void *p = room + used;
    used += (n + 15) / 16 * 16;
    assert_true(used <= sizeof room);
    return p;
}

static void put_whole(tfl_tensor *t, int64_t n, const int32_t *given)
{
    int32_t *v = take((size_t)(n + 1) * sizeof *v);
    for (int64_t i = 0; i < n; i++)
        v[i] = given ? given[i] : (int32_t)i;
    t->type = T_INT32;
    t->data = v;
    t->bytes = (size_t)n * sizeof *v;
}

static int put_input(tfl *m, int index, const char *text)
{
    tfl_tensor t = {0};
    int32_t    list[16];
    char      *name = take(8);
    int64_t    n = 1;
    if (*text == '-')
        return -1;
    snprintf(name, 8, "i%d", index);
    t.name = name;
    if (*text == '[') {
        int count = 0;
        for (text++; *text != ']'; text += *text == ',')
            list[count++] = (int32_t)strtol(text, (char **)&text, 10);
        t.rank = 1;
        t.dim[0] = count;
        put_whole(&t, count, list);
        return tfl_add(m, t);
    }
    if (*text == '{') {
        float *v = take(16 * sizeof *v);
        int    count = 0;
        for (text++; *text != '}'; text += *text == ',')
            v[count++] = strtof(text, (char **)&text);
        t.rank = 1;
        t.dim[0] = count;
        t.data = v;
        t.bytes = (size_t)count * sizeof *v;
        return tfl_add(m, t);
    }
    if (*text == '(') {
        list[0] = (int32_t)strtol(text + 1, NULL, 10);
        put_whole(&t, 1, list);
        return tfl_add(m, t);
    }
    for (const char *at = text + 1; *at; at += *at == 'x')
        n *= t.dim[t.rank++] = (int32_t)strtol(at, (char **)&at, 10);
    if (*text == 'n') {
        put_whole(&t, n, NULL);
    } else if (*text == 'f') {
        float *v = take((size_t)(n + 1) * sizeof *v);
        for (int64_t i = 0; i < n; i++)
            v[i] = (float)i;
        t.data = v;
        t.bytes = (size_t)n * sizeof *v;
    }
    const int at = tfl_add(m, t);
    if (*text == 'x')
        m->inputs[m->n_inputs++] = at;
    return at;
}

static tfl model_of(const row *r)
{
    static const char *const names[] = {"y", "z"};
    tfl                      m = {0};
    tfl_op                   o = {.code = r->code, .options_type = r->type, .n_options = r->n, .n_list = r->n_list};
    char                     text[256], *rest = NULL;
    used = 0;
    memcpy(o.options, r->options, sizeof r->options);
    memcpy(o.list, r->list, sizeof r->list);
    snprintf(text, sizeof text, "%s", r->inputs);
    for (char *word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest), o.n_in++)
        o.in[o.n_in] = put_input(&m, o.n_in, word);
    for (; o.n_out < (r->n_out ? r->n_out : 1); o.n_out++) {
        o.out[o.n_out] = tfl_add(&m, (tfl_tensor){.name = names[o.n_out], .type = r->output_type});
        m.outputs[m.n_outputs++] = o.out[o.n_out];
    }
    m.ops[m.n_ops++] = o;
    if (r->want == SEPCL_OK && r->output_type) { /* what a model gives are floats */
        const int y = tfl_add(&m, (tfl_tensor){.name = "float"});
        m.outputs[0] = y;
        m.ops[m.n_ops++] = (tfl_op){.code = TFLITE_CAST, .n_in = 1, .in = {o.out[0]}, .n_out = 1, .out = {y}};
    }
    return m;
}

static void test_refused(void **state)
{
    int wrong = 0;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const row   *r = &rows[i];
        const tfl    m = model_of(r);
        fw           file = tfl_finish(&m);
        model_file  *f = NULL;
        graph       *g;
        const status st = model_starve_and_build(&(model_bytes){file.p, file.n, "test.tflite", 1, 1}, &f, &g);
        if (st != r->want || !strstr(error_sentence(), r->words) ||
            strncmp(error_sentence(), "test.tflite: ", 13) != 0) {
            print_error("op %d of %s: status %d (want %d), '%s' (want '%s')\n", r->code, r->inputs, st, r->want,
                        st == SEPCL_OK ? "" : error_sentence(), r->words);
            wrong++;
        }
        graph_destroy(g);
        model_file_close(f);
        free(file.p);
    }
    assert_int_equal(wrong, 0);
}

/* The nodes, or the output's numbers when it is a constant. */
static const char *made_of(const graph *g)
{
    static char  text[512];
    const value *v = &g->values[g->outputs[0]];
    int          at = snprintf(text, sizeof text, "=");
    if (!v->data)
        return graph_lines(g);
    for (int64_t i = 0; i < shape_count(&v->shape); i++)
        at += snprintf(text + at, sizeof text - (size_t)at, " %g",
                       v->type == DT_I64 || v->type == DT_I32 ? (double)data_int(v->type, v->data, i)
                                                              : data_float(v->type, v->data, i));
    return text;
}

static void test_built(void **state)
{
    int wrong = 0;
    (void)state;
    for (size_t i = 0; i < sizeof built / sizeof built[0]; i++) {
        const row   *r = &built[i];
        const tfl    m = model_of(r);
        fw           file = tfl_finish(&m);
        model_file  *f = NULL;
        graph       *g;
        const status st = model_starve_and_build(&(model_bytes){file.p, file.n, "test.tflite", 1, 1}, &f, &g);
        const char  *got = st == SEPCL_OK ? made_of(g) : error_sentence();
        if (strcmp(got, r->words) != 0) {
            print_error("op %d of %s:\n%s\nwant:\n%s\n", r->code, r->inputs, got, r->words);
            wrong++;
        }
        graph_destroy(g);
        model_file_close(f);
        free(file.p);
    }
    assert_int_equal(wrong, 0);
}

/* Every operator of the format has a name, and no two the same; those here stand in its documentation with these
 * numbers. */
static void test_names(void **state)
{
    static const struct {
        int         code;
        const char *name;
    } known[] = {{0, "ADD"},         {3, "CONV_2D"}, {25, "SOFTMAX"},        {32, "CUSTOM"},
                 {98, "LEAKY_RELU"}, {150, "GELU"},  {209, "STABLEHLO_CASE"}};
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        assert_string_equal(tflite_builtin_name(known[i].code), known[i].name);
    for (int i = 0; i < 210; i++) {
        const char *name = tflite_builtin_name(i), *other;
        if (i == 127) { /* says that the number is in another field */
            assert_null(name);
            continue;
        }
        assert_non_null(name);
        for (int k = 0; k < i; k++)
            if ((other = tflite_builtin_name(k)))
                assert_string_not_equal(name, other);
    }
    assert_null(tflite_builtin_name(210));
    assert_null(tflite_builtin_name(-1));
    assert_string_equal(tflite_type_name(T_INT8), "INT8");
    assert_string_equal(tflite_type_name(-1), "an unknown number");
    assert_string_equal(tflite_type_name(99), "an unknown number");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_built),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
