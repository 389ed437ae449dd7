/* SPDX-License-Identifier: Apache-2.0 */
/* A model of one node for each thing that ONNX's ops refuse, and the words in which they do; and what they make of rare
   attributes. */
#include "onnx_text.h"

typedef struct row {
    int         opset;
    const char *op, *inputs, *attributes;
    status      want;
    const char *words;
} row;

#define BAD SEPCL_BAD_FILE
#define NOT SEPCL_UNSUPPORTED

static const row refused[] = {
    /* parameters and attributes of any op */
    {13, "Reshape", "x2x3 f2", NULL, BAD, "input 'i1' is of type float32"},
    {13, "Reshape", "x2x3 x2", NULL, NOT, "input 'i1' has to be a constant"},
    {13, "Reshape", "x2x3 n2x1", NULL, BAD, "has 2 entries and rank 2; at most 8 in one row"},
    {13, "Reshape", "x2x3 n9", NULL, BAD, "has 9 entries and rank 1; at most 8 in one row"},
    {13, "Clip", "x2 f2", NULL, BAD, "input 'i1' should have one element"},
    {13, "Transpose", "x1x2", "perm={0.5,1}", BAD, "attribute 'perm' is malformed, of another type"},
    {13, "Transpose", "x1x2", "perm=[0,1,2,3,4,5,6,7,8]", BAD, "has more than 8 entries"},
    {13, "LeakyRelu", "x2", "alpha=text", BAD, "attribute 'alpha' has another type"},
    {13, "Relu", "t2", NULL, NOT, "input 'i0' is a tensor of bool that depends"},
    /* windows */
    {13, "Conv", "x1x1x4x4 f1x1x4", NULL, BAD, "weights of shape 1x1x4 do not suit an input of shape 1x1x4x4"},
    {13, "Conv", "x4x4 f4x4", NULL, BAD, "the input 'i0' of shape 4x4 has no spatial axis"},
    {13, "Conv", "x1x1x4x4 f1x1x0x1", NULL, BAD, "the weights have a kernel extent of 0"},
    {13, "Conv", "x1x1x4x4 f1x1x2x2", "kernel_shape=[3,3]", BAD, "'kernel_shape' says 3, but the weights have 2"},
    {13, "Conv", "x1x1x4x4 f1x1x2x2", "kernel_shape=[3]", BAD, "'kernel_shape' has 1 entries for 2 spatial axes"},
    {13, "Conv", "x1x1x4x4 f1x1x2x2", "strides=[0,1]", BAD, "'strides' has the entry 0, below 1"},
    {13, "Conv", "x1x1x4x4 f1x1x2x2", "strides=[1,99999999]", NOT, "'strides' has the entry 99999999, above the limit"},
    {13, "Conv", "x1x1x4x4 f1x1x2x2", "dilations=[1,0]", BAD, "'dilations' has the entry 0, below 1"},
    {13, "Conv", "x1x1x4x4 f1x1x2x2", "pads=[1,1]", BAD, "'pads' has 2 entries for 2 spatial axes"},
    {13, "Conv", "x1x1x4x4 f1x1x2x2", "pads=[1,1,-1,1]", BAD, "'pads' has the entry -1, outside"},
    {13, "Conv", "x1x1x4x4 f1x1x2x2", "pads=[1,1,99999999,1]", NOT, "'pads' has the entry 99999999, outside"},
    {13, "Conv", "x1x1x4x4 f1x1x2x2", "auto_pad=SOMEHOW", NOT, "auto_pad 'SOMEHOW' is not supported"},
    {13, "Conv", "x1x1x4x4 f1x1x2x2", "group=0", BAD, "attribute 'group' is 0"},
    {13, "Conv", "x1x2x4x4 f1x1x2x2", NULL, BAD, "1 output and 1 input channels in 1 groups do not suit an input of 2"},
    {13, "Conv", "x1x2x4x4 f0x2x2x2", NULL, BAD, "0 output and 2 input channels"},
    {13, "Conv", "x1x2x4x4 f3x1x2x2", "group=2", BAD, "3 output and 1 input channels in 2 groups"},
    {13, "Conv", "x1x1x4x4 f1x1x2x2 f2", NULL, BAD, "node 'n' (Conv)"},
    {13, "Conv", "x1x1x4x4 f1x1x5x5", NULL, BAD, "the 5x5 kernel does not fit into the padded 4x4 input"},
    {13, "ConvTranspose", "x1x1x4x4 x1x1x2x2", NULL, NOT, "the weights 'i1' are not a constant"},
    {13, "ConvTranspose", "x1x2x4x4 f1x1x2x2", NULL, BAD, "1 input channels in 1 groups do not suit an input of 2"},
    {13, "ConvTranspose", "x1x2x4x4 f2x0x2x2", NULL, BAD, "2 input channels in 1 groups do not suit"},
    {13, "ConvTranspose", "x1x3x4x4 f3x1x2x2", "group=2", BAD, "3 input channels in 2 groups do not suit"},
    {13, "ConvTranspose", "x1x1x4x4 f1x1x2x2", "output_padding=[0,-1]", BAD,
     "'output_padding' has the entry -1, below 0"},
    {13, "ConvTranspose", "x1x1x4x4 f1x1x2x2", "output_shape=[0,1]", BAD, "'output_shape' has the entry 0, below 1"},
    {13, "ConvTranspose", "x1x1x4x4 f1x1x2x2", "group=0", BAD, "attribute 'group' is 0"},
    {13, "MaxPool", "x1x1x4x4", "kernel_shape=[2,99999999]", NOT, "entry 99999999, above the limit"},
    {13, "MaxPool", "x4x4", "kernel_shape=[2,2]", BAD, "has no spatial axis"},
    {13, "MaxPool", "x1x1x4x4", "kernel_shape=[5,5]", NOT, "a window of 5x5, dilated by 1 and 1, does not fit"},
    {13, "GlobalMaxPool", "x4x4", NULL, BAD, "the input 'i0' has no spatial axis"},
    {13, "Conv", "x1x1x4x4 f1x1x70000x1", NULL, NOT, "a kernel extent of 70000 is above the limit"},
    {13, "Conv", "x1x1x4 f1x1x4", "auto_pad=SAME_UPPER dilations=[65535]", NOT,
     "a padding of 196605 is above the limit"},
    {13, "ConvTranspose", "x1x1x4x4 f1x1x2x2", "output_shape=[65000000,4]", NOT, "above the limit"},
    {13, "Softmax", "n2x3", NULL, NOT, "is a tensor of type int64, and those serve for shapes and indices only"},
    {13, "Softmax", "f0x3", NULL, NOT, "'i0' has no elements"},
    {13, "Where", "x2 x2 x2", NULL, BAD, "the operands are of types float32, float32 and float32"},
    {13, "Clip", "n2 (1) (1)", NULL, NOT, "int64"},
    {13, "Gather", "x1x1x1x1x1x1x1x1 n2x2", "axis=0", NOT, "the result has more than 8 dimensions"},
    {13, "Gather", "x3 []", NULL, NOT, "the result has no elements"},
    {13, "Gather", "x3 [-4]", NULL, BAD, "index -4 is outside an axis of 3"},
    {13, "Gather", "x3 [3]", NULL, BAD, "index 3 is outside an axis of 3"},
    {13, "Gather", "x3 {1}", NULL, NOT, "the indices have to be integer constants"},
    {13, "Tile", "x1x1x1x1x1x1x1x2 [1,1,1,1,1,1,1,2]", NULL, NOT, "are above the limit of 8"},
    {13, "GlobalLpPool", "x1x1x4x4", "p=3", NOT, "p is 3; 1 and 2 are supported"},
    /* products */
    {13, "Gemm", "x2 f2x2", NULL, BAD, "the operands have 1 and 2 dimensions"},
    {13, "Gemm", "x2x2 f2", NULL, BAD, "the operands have 2 and 1 dimensions"},
    {13, "Gemm", "x2x3 f4x5", NULL, BAD, "node 'n' (Gemm)"},
    {13, "Gemm", "x2x3 x4x5", NULL, NOT, "3 columns on the left, 4 rows on the right"},
    {13, "Gemm", "x2x3 f3x5 f7x2x5", NULL, BAD, "the addend 'i2' does not suit the product"},
    {13, "Gemm", "x2x3 f3x5 x4", NULL, BAD, "node 'n' (Gemm)"},
    {13, "MatMul", "x f2x2", NULL, BAD, "an operand has no dimension"},
    {13, "MatMul", "x2 f", NULL, BAD, "an operand has no dimension"},
    /* element by element */
    {13, "PRelu", "x2x1 f2x3", NULL, BAD, "the slope 'i1' does not suit the input"},
    {13, "Add", "x2 x3", NULL, BAD, "node 'n' (Add)"},
    {13, "Sum", "x2 - x2", NULL, BAD, "input 1 is missing"},
    {13, "Mean", "x2 - x2", NULL, BAD, "input 1 is missing"},
    {13, "Not", "x2", NULL, BAD, "the operand is of type float32"},
    {13, "Less", "t2 t2", NULL, BAD, "the operands are of types bool and bool"},
    {13, "Equal", "t2 x2", NULL, BAD, "the operands are of types bool and float32"},
    {13, "Or", "x2 x2", NULL, BAD, "the operands are of types float32 and float32"},
    {13, "Where", "t2 x2 b2", NULL, BAD, "the operands are of types bool, float32 and bool"},
    {13, "Cast", "x2", "to=99", NOT, "a cast to type"},
    {13, "Cast", "x2", "to=8", NOT, "a cast to type string is not supported"},
    /* normalisation */
    {13, "BatchNormalization", "x4 f4 f4 f4 f4", NULL, BAD, "the input 'i0' of shape 4 needs 2 dimensions at least"},
    {8, "BatchNormalization", "x1x4 f4 f4 f4 f4", "spatial=0", NOT, "statistics for each position (spatial=0)"},
    {13, "BatchNormalization", "x1x4 x4 f4 f4 f4", NULL, NOT, "input 'i1' has to be a constant"},
    {13, "BatchNormalization", "x1x4 f4 f4 f3 f4", NULL, BAD, "input 'i3' has 3 elements for 4 channels"},
    {13, "InstanceNormalization", "x1x4 f4 f4", NULL, BAD, "needs 3 dimensions at least"},
    {13, "InstanceNormalization", "x1x2x3 n2 f2", NULL, BAD, "input 'i1' is of type int64"},
    {13, "InstanceNormalization", "x1x2x3 f2 f1", NULL, BAD, "input 'i2' has 1 elements for 2 channels"},
    {13, "InstanceNormalization", "x1x2x3x3 x2 f2", NULL, NOT, "input 'i1' has to be a constant"},
    {13, "InstanceNormalization", "x1x2x3x3 f2 f3", NULL, BAD, "input 'i2' has 3 elements for 2 channels"},
    {18, "GroupNormalization", "x1x4 f2 f2", "num_groups=2", BAD, "needs 3 dimensions at least"},
    {18, "GroupNormalization", "x1x4x2 f2 f2", NULL, BAD, "0 groups do not divide 4 channels"},
    {18, "GroupNormalization", "x1x4x2 f2 f2", "num_groups=3", BAD, "3 groups do not divide 4 channels"},
    {18, "GroupNormalization", "x1x4x2 f4 f2", "num_groups=2", BAD, "input 'i1' has 4 elements for 2 channels"},
    {21, "GroupNormalization", "x1x4x2 f4 x4", "num_groups=2", NOT, "input 'i2' has to be a constant"},
    {13, "LRN", "x3", "size=3", BAD, "needs 2 dimensions at least"},
    {13, "LRN", "x1x3x2x2", NULL, BAD, "attribute 'size' is 0"},
    {13, "LRN", "x1x3x2x2", "size=999999999", BAD, "attribute 'size' is 999999999"},
    {13, "Softmax", "x", NULL, BAD, "the input is a scalar"},
    {13, "Softmax", "x2x3", "axis=2", BAD, "axis 2 is outside a tensor of 2 dimensions"},
    {12, "Softmax", "x2x3", "axis=3", BAD, "axis 3 is outside a tensor of 2 dimensions"},
    {17, "LayerNormalization", "x2x3 f3", "axis=2", BAD, "axis 2 is outside"},
    {17, "LayerNormalization", "x2x3 f4x1x1", NULL, BAD, "scale or bias do not suit the input"},
    {23, "RMSNormalization", "x2x3 f3", "axis=5", BAD, "axis 5 is outside"},
    {23, "RMSNormalization", "x2x3 f4x1x1", NULL, BAD, "the scale does not suit the input"},
    {13, "LpNormalization", "x2x3", "p=3", BAD, "p is 3; 1 and 2 are known"},
    {13, "LpNormalization", "f2x3", NULL, NOT, "the input is a constant"},
    {13, "LpNormalization", "x2x3", "axis=2", BAD, "axis 2 is outside"},
    {13, "MeanVarianceNormalization", "x2x3", NULL, BAD, "axis 2 is outside"},
    {13, "ReduceMean", "x2x3", "axes=[2]", BAD, "axis 2 is outside"},
    {18, "ReduceMean", "x2x3 x1", NULL, NOT, "input 'i1' has to be a constant"},
    {18, "ReduceLogSum", "x2x3 [3]", NULL, BAD, "axis 3 is outside"},
    {18, "ReduceLogSumExp", "x2x3 [-3]", NULL, BAD, "axis -3 is outside"},
    /* shapes */
    {13, "Dropout", "x2 - x1", NULL, NOT, "training mode is not supported"},
    {13, "Dropout", "x2 - b2", NULL, NOT, "training mode is not supported"},
    {13, "Dropout", "x2 - (1)", NULL, NOT, "training mode is not supported"},
    {13, "Reshape", "x2x3 [-1,-1]", NULL, BAD, "the shape has two entries of -1"},
    {13, "Reshape", "x2x3 [-2]", NULL, BAD, "the shape has an entry below -1"},
    {13, "Reshape", "x2x3 [0,0,0]", NULL, BAD, "entry 2 of the shape copies a dimension that the input lacks"},
    {13, "Reshape", "x2x3 [-1,4]", NULL, BAD, "6 elements do not divide by the 4 of the given dimensions"},
    {14, "Reshape", "x2x3 [-1,0]", "allowzero=1", BAD, "6 elements do not divide by the 0"},
    {13, "Reshape", "x2x3 [-1,4611686018427387904,4]", NULL, BAD, "the shape has too many elements"},
    {13, "Reshape", "x2x3 [5]", NULL, BAD, "node 'n' (Reshape)"},
    {13, "Flatten", "x2x3", "axis=3", BAD, "axis 3 is outside a tensor of 2 dimensions"},
    {13, "Flatten", "x2x3", "axis=-3", BAD, "axis -3 is outside a tensor of 2 dimensions"},
    {13, "Squeeze", "x1x3 [0,-2]", NULL, BAD, "axis 0 is given twice"},
    {13, "Squeeze", "x1x3 [1]", NULL, BAD, "axis 1 has extent 3, and only 1 can be squeezed"},
    {13, "Squeeze", "x1x3 [2]", NULL, BAD, "axis 2 is outside"},
    {13, "Unsqueeze", "x1x3", NULL, BAD, "the axes are missing"},
    {13, "Unsqueeze", "x1x3 x1", NULL, NOT, "input 'i1' has to be a constant"},
    {13, "Unsqueeze", "x1x1x1x1x1x1x1x1 [0]", NULL, NOT, "the result has more than 8 dimensions"},
    {13, "Unsqueeze", "x1x3 [0,0]", NULL, BAD, "axis 0 is given twice"},
    {13, "Constant", NULL, "value_string=text", NOT, "sparse tensors and strings are not supported"},
    {13, "Constant", NULL, "value_strings=text", NOT, "sparse tensors and strings are not supported"},
    {13, "Constant", NULL, NULL, BAD, "the node has no value"},
    {13, "ConstantOfShape", "x2", NULL, NOT, "input 'i0' has to be a constant"},
    {13, "ConstantOfShape", "[2,-1]", NULL, BAD, "entry 1 of the shape is -1"},
    {13, "Range", "x1 f f", NULL, NOT, "'i0' depends on the model's inputs"},
    {13, "Range", "f2 f f", NULL, BAD, "should be three numbers of one type"},
    {13, "Range", "f f (3)", NULL, BAD, "should be three numbers of one type"},
    {13, "Range", "(0) (3) (0)", NULL, BAD, "a range from 0 to 3 in steps of 0"},
    {13, "Range", "(0) (99999999999) (1)", NULL, NOT, "a range from 0 to 1e+11 in steps of 1"},
    {13, "NonZero", "x2", NULL, NOT, "'i0' depends on the model's inputs"},
    /* moving */
    {13, "Transpose", "x2x3", "perm=[0]", BAD, "perm has 1 entries for 2 dimensions"},
    {13, "Transpose", "x2x3", "perm=[0,0]", BAD, "perm is not a permutation: entry 1 is 0"},
    {13, "Transpose", "x2x3", "perm=[0,2]", BAD, "perm is not a permutation: entry 1 is 2"},
    {13, "Transpose", "x2x3", "perm=[-1,0]", BAD, "perm is not a permutation: entry 0 is -1"},
    {13, "Concat", "x2 - x2", "axis=0", BAD, "input 1 is missing"},
    {13, "Concat", "t2 x2", "axis=0", BAD, "input 'i1' is of type float32 beside one of bool"},
    {13, "Concat", "x2 x2", NULL, BAD, "attribute 'axis' is missing"},
    {13, "Concat", "x2 x2", "axis=1", BAD, "axis 1 is outside"},
    {13, "Concat", "x2x3 x2x4", "axis=0", BAD, "node 'n' (Concat)"},
    {13, "Split", "x4", "axis=1", BAD, "axis 1 is outside"},
    {13, "Split", "x4 [1,2,1]", NULL, BAD, "has 3 entries and rank 1; at most 1"},
    {18, "Split", "x4", "num_outputs=2", BAD, "axis 0 of extent 4 cannot be split for 1 outputs as asked"},
    {18, "Split", "x4", "num_outputs=0", BAD, "axis 0 of extent 4 cannot be split for 1 outputs as asked"},
    {13, "Split", "x4 [5]", NULL, BAD, "piece 0 of 5 elements leaves the extent 4"},
    {13, "Split", "x4 [-1]", NULL, BAD, "piece 0 of -1 elements leaves the extent 4"},
    {13, "Split", "x4 [3]", NULL, BAD, "the pieces have 3 elements together, but the axis has 4"},
    {9, "Slice", "x4", "starts=[0]", BAD, "starts, ends, axes and steps have 1, -1, -1 and -1 entries"},
    {9, "Slice", "x4", "ends=[0]", BAD, "starts, ends, axes and steps have -1, 1, -1 and -1 entries"},
    {13, "Slice", "x4 [0] [1] [0,1]", NULL, BAD, "starts, ends, axes and steps have 1, 1, 2 and -1 entries"},
    {13, "Slice", "x4 [0] [1] [0] [1,1]", NULL, BAD, "starts, ends, axes and steps have 1, 1, 1 and 2 entries"},
    {13, "Slice", "x4x4 [0,0] [1,1] [1,-1]", NULL, BAD, "axis 1 is given twice"},
    {13, "Slice", "x4 [0] [1] [1]", NULL, BAD, "axis 1 is outside"},
    {13, "Slice", "x4 x1 [1]", NULL, NOT, "input 'i1' has to be a constant"},
    {13, "Pad", "x4 [1,1,1]", NULL, BAD, "the pads have 3 entries for 1 axes"},
    {18, "Pad", "x4 [1,1] - [0,0]", NULL, BAD, "the pads have 2 entries for 2 axes"},
    {18, "Pad", "x4 [1,1] - [1]", NULL, BAD, "axis 1 is outside"},
    {13, "Pad", "x4 [1,999999999]", NULL, NOT, "a pad of 999999999 is above the limit"},
    {13, "Pad", "x4 [-2,-2]", NULL, BAD, "the negative pads of axis 0 leave nothing of its extent 4"},
    {13, "Pad", "x4 [1,1]", "mode=somehow", NOT, "mode 'somehow' is not supported"},
    {18, "CenterCropPad", "x4 x1", NULL, NOT, "input 'i1' has to be a constant"},
    {18, "CenterCropPad", "x4 [1,1]", NULL, BAD, "the shape has 2 entries for 1 axes"},
    {18, "CenterCropPad", "x4 [1,1]", "axes=[0]", BAD, "the shape has 2 entries for 1 axes"},
    {18, "CenterCropPad", "x4 [1]", "axes=[1]", BAD, "axis 1 is outside"},
    {18, "CenterCropPad", "x4 [0]", NULL, BAD, "the new extent of axis 0 is 0"},
    {18, "CenterCropPad", "x4 [999999999]", NULL, BAD, "the new extent of axis 0 is 999999999"},
    {13, "Gather", "x4 [0]", "axis=1", BAD, "axis 1 is outside"},
    {13, "Gather", "x4 [4]", NULL, BAD, "index 4 is outside"},
    {13, "Gather", "x4 x1", NULL, NOT, "node 'n' (Gather)"},
    {13, "Expand", "x2 x2", NULL, NOT, "input 'i1' has to be a constant"},
    {13, "Expand", "x2 [3]", NULL, BAD, "shape 2 cannot be expanded to 3"},
    {13, "Tile", "x2 [1,1]", NULL, BAD, "2 repeats for 1 dimensions"},
    {13, "Tile", "x2 x1", NULL, NOT, "input 'i1' has to be a constant"},
    {13, "DepthToSpace", "x4x4x4", "blocksize=2", BAD, "the input has 3 dimensions, and should have 4"},
    {13, "DepthToSpace", "x1x4x2x2", NULL, BAD, "the block size is 0"},
    {13, "DepthToSpace", "x1x4x2x2", "blocksize=32768", BAD, "the block size is 32768"},
    {13, "DepthToSpace", "x1x6x2x2", "blocksize=2", BAD, "6 channels do not divide by blocks of 2x2"},
    {13, "DepthToSpace", "x1x4x2x2", "blocksize=2 mode=RCD", NOT, "mode 'RCD' is not supported"},
    {13, "SpaceToDepth", "x1x4x3x2", "blocksize=2", BAD, "3x2 pixels do not divide by blocks of 2x2"},
    {13, "SpaceToDepth", "x1x4x2x3", "blocksize=2", BAD, "2x3 pixels do not divide by blocks of 2x2"},
    {13, "SpaceToDepth", "x4x3x2", "blocksize=2", BAD, "the input has 3 dimensions"},
    /* by constant indices */
    {13, "GatherElements", "x4 f1", NULL, NOT, "the indices 'i1' have to be integer constants"},
    {13, "GatherElements", "x4 [0]", "axis=1", BAD, "axis 1 is outside"},
    {13, "GatherElements", "x4x2 [0]", NULL, BAD, "indices of shape 1 do not suit data of shape 4x2"},
    {13, "GatherElements", "x4x1 n1x2", NULL, BAD, "indices of shape 1x2 do not suit data of shape 4x1"},
    {13, "GatherElements", "x2 [-3]", NULL, BAD, "index -3 is outside an axis of 2"},
    {13, "GatherElements", "x2 []", NULL, NOT, "the result has no elements"},
    {13, "GatherND", "x4 x1", NULL, NOT, "the indices 'i1' have to be integer constants"},
    {13, "GatherND", "x4 (0)", NULL, BAD, "index tuples of shape scalar do not suit data of shape 4"},
    {13, "GatherND", "x4 n1x2", NULL, BAD, "index tuples of shape 1x2 do not suit data of shape 4"},
    {13, "GatherND", "x4x4 n1x0", NULL, BAD, "index tuples of shape 1x0 do not suit"},
    {13, "GatherND", "x4x4 n2x1", "batch_dims=1", BAD, "index tuples of shape 2x1 do not suit"},
    {13, "GatherND", "x4x4 n2x1", "batch_dims=-1", BAD, "index tuples of shape 2x1 do not suit"},
    {13, "GatherND", "x4x4 n4x1", "batch_dims=2", BAD, "index tuples of shape 4x1 do not suit"},
    {13, "GatherND", "x4 n4x1", "batch_dims=1", BAD, "index tuples of shape 4x1 do not suit"},
    {13, "GatherND", "x1x1x1x1x1 n1x1x1x1x1x1", NULL, NOT, "the result has more than 8 dimensions"},
    {13, "GatherND", "x4 n5x1", NULL, BAD, "index 4 is outside an axis of 4"},
    {13, "ScatterElements", "x4 [0] [7]", NULL, BAD, "the operands are of types float32 and int64"},
    {13, "ScatterElements", "x4 x1 x1", NULL, NOT, "the indices 'i1' have to be integer constants"},
    {13, "ScatterElements", "x4 [0] x1", "axis=1", BAD, "axis 1 is outside"},
    {13, "ScatterElements", "x4 n1x1 x1", NULL, BAD, "indices of shape 1x1 do not suit data of shape 4"},
    {13, "ScatterElements", "x4 [0] x2", NULL, BAD, "the updates 'i2' do not have the indices' shape"},
    {13, "ScatterElements", "x4 [4] x1", NULL, BAD, "index 4 is outside an axis of 4"},
    {18, "ScatterElements", "x4 [0] x1", "reduction=mean", NOT, "reduction 'mean' is not supported"},
    {18, "ScatterElements", "n4 [0] [7]", "reduction=add", NOT, "reductions of integers are not supported"},
    {13, "ScatterND", "x4 n1x2 x1", NULL, BAD, "index tuples of shape 1x2 do not suit data of shape 4"},
    {13, "ScatterND", "x4 n1x1 x2", NULL, BAD, "the updates 'i2' do not have the shape that indices and data ask for"},
    {13, "ScatterND", "x4 f1x1 x1", NULL, NOT, "the indices 'i1' have to be integer constants"},
    {13, "ScatterND", "x4 n5x1 x5", NULL, BAD, "index 4 is outside an axis of 4"},
    {18, "ScatterND", "x4 n1x1 x1", "reduction=mean", NOT, "reduction 'mean' is not supported"},
    /* resizing */
    {13, "Resize", "x1x1x4x4 - x4", NULL, NOT, "the scales or the region 'i2' have to be a constant"},
    {13, "Resize", "x1x1x4x4 - n4", NULL, BAD, "the scales or the region 'i2' are not floats, or too many"},
    {13, "Resize", "x1x1x4x4 - f9", NULL, BAD, "the scales or the region 'i2' are not floats, or too many"},
    {13, "Resize", "x1x1x4x4 - {2,2}", NULL, BAD, "2 scales or sizes for 4 axes"},
    {18, "Resize", "x1x1x4x4 - {2,2}", "axes=[2,2]", BAD, "axis 2 is given twice"},
    {18, "Resize", "x1x1x4x4 - {2,2}", "axes=[2,4]", BAD, "axis 4 is outside"},
    {18, "Resize", "x1x1x4x4 - {2,2}", "axes=[2]", BAD, "2 scales or sizes for 1 axes"},
    {13, "Resize", "x1x1x4x4 - - x4", NULL, NOT, "input 'i3' has to be a constant"},
    {13, "Resize", "x1x1x4x4 - - [1,1,0,4]", NULL, BAD, "the new extent of axis 2 is 0"},
    {13, "Resize", "x1x1x4x4 - - [1,1,999999999,4]", NULL, BAD, "the new extent of axis 2 is 999999999"},
    {18, "Resize", "x1x1x4x400 - - [1,4]", "axes=[2,3] keep_aspect_ratio_policy=not_larger", BAD,
     "nothing is left of axis 2 when the aspect ratio is kept"},
    {13, "Resize", "x1x1x4x4 - {1,1,-1,1}", NULL, BAD, "scale -1 makes an extent of 4"},
    {13, "Resize", "x1x1x4x4 - {1,1,0.1,1}", NULL, BAD, "scale 0.1 makes an extent of 4"},
    {13, "Resize", "x1x1x4x4 - {1,1,1e9,1}", NULL, BAD, "makes an extent of 4"},
    {13, "Resize", "x1x1x4x4 {0,0,0,0,1,1} {1,1,2,2}", "coordinate_transformation_mode=tf_crop_and_resize", BAD,
     "the region has 6 entries for 4 axes"},
    {13, "Resize", "x1x1x4x4 {0,0,0,0,1,1,inf,1} {1,1,2,2}", "coordinate_transformation_mode=tf_crop_and_resize", BAD,
     "the region of axis 2 is 0 to inf"},
    {13, "Resize", "x1x1x4x4 {0,0,nan,0,1,1,1,1} {1,1,2,2}", "coordinate_transformation_mode=tf_crop_and_resize", BAD,
     "the region of axis 2 is nan to 1"},
    {10, "Resize", "x1x1x4x4 {1,1,2,2}", "mode=cubic", BAD, "mode 'cubic' begins with opset 11"},
    {10, "Resize", "x1x1x4x4 {1,1,2}", NULL, BAD, "3 scales for 4 axes"},
    {9, "Upsample", "x1x1x4x4 x4", NULL, NOT, "the scales or the region 'i1' have to be a constant"},
    {8, "Upsample", "x1x1x4x4", NULL, BAD, "-1 scales for 4 axes"},
    {16, "GridSample", "x4x4x4 x1x2x2x2", NULL, NOT, "an input of shape 4x4x4: only images"},
    {16, "GridSample", "x1x1x4x4 x2x2x2", NULL, NOT, "only images with height and width are supported"},
    {16, "GridSample", "x1x1x4x4 x1x2x2x3", NULL, NOT,
     "a grid of shape 1x2x2x3 does not suit an image of shape 1x4x4x1"},
    {16, "GridSample", "x1x1x4x4 x1x2x2x2", "mode=sinc", NOT, "mode 'sinc' is not supported"},
    {20, "AffineGrid", "x1x2x3 x4", NULL, NOT, "input 'i1' has to be a constant"},
    {20, "AffineGrid", "x1x2x3 [1,1,2]", NULL, NOT, "a size of 3 entries"},
    {20, "AffineGrid", "x2x3 [1,1,2,2]", NULL, BAD, "the size does not suit the transformations 'i0'"},
    {20, "AffineGrid", "x1x3x3 [1,1,2,2]", NULL, BAD, "the size does not suit"},
    {20, "AffineGrid", "x1x2x4 [1,1,2,2]", NULL, BAD, "the size does not suit"},
    {20, "AffineGrid", "x2x2x3 [1,1,2,2]", NULL, BAD, "the size does not suit"},
    {20, "AffineGrid", "x1x2x3 [1,1,0,2]", NULL, BAD, "the size does not suit"},
    {20, "AffineGrid", "x1x2x3 [1,1,2,0]", NULL, BAD, "the size does not suit"},
    {20, "AffineGrid", "x1x2x3 [1,1,999999999,2]", NULL, BAD, "the size does not suit"},
    {20, "AffineGrid", "x1x2x3 [1,1,2,999999999]", NULL, BAD, "the size does not suit"},
};

static void test_refused(void **state)
{
    int wrong = 0;
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        const row   *r = &refused[i];
        net          m = text_model(r->op, r->inputs, r->attributes, "y");
        built        b;
        const status st = build_file(net_finish(&m, r->opset), 1, &b);
        if (st != r->want || !strstr(error_sentence(), r->words) || strncmp(error_sentence(), "test.onnx: ", 11) != 0) {
            print_error("%s of %s, %s: status %d (want %d), '%s' (want '%s')\n", r->op, r->inputs, r->attributes, st,
                        r->want, st == SEPCL_OK ? "" : error_sentence(), r->words);
            wrong++;
        }
        built_free(&b);
    }
    assert_int_equal(wrong, 0);
}

/* More than a node may have outputs for. */
static void test_split_outputs(void **state)
{
    (void)state;
    net m = text_model("Split", "x5", NULL, "y,z");
    check_refused(&m, 13, BAD, "axis 0 of extent 5 cannot be split for 2 outputs");
    m = text_model("Split", "x5 [3]", NULL, "y,z");
    check_refused(&m, 13, BAD, "axis 0 of extent 5 cannot be split for 2 outputs");
    m = text_model("Split", "x5", "num_outputs=3", "y,z");
    check_refused(&m, 18, BAD, "axis 0 of extent 5 cannot be split for 2 outputs");
    m = text_model("Split", "x5", "num_outputs=2", "y,z");
    check_lines(&m, 18, "slice 5 > 3\nslice 5 > 2\n");
}

/* Lists as writers of other languages pack them: all entries in one field. */
static void test_packed_lists(void **state)
{
    static const struct {
        int         n;
        const char *bytes;
        const char *words; /* NULL: good */
    } perms[] = {
        {2, "\1\0", NULL},
        {3, "\1\0\x80", "attribute 'perm' is malformed"}, /* a number that goes on beyond the end */
        {9, "\0\1\2\3\4\5\6\7\10", "has more than 8 entries"},
    };
    const float scales[] = {1, 1, 2, 2};
    net         m;
    (void)state;
    for (size_t i = 0; i < sizeof perms / sizeof perms[0]; i++) {
        pb a = attr_begin("perm", 7);
        pb_bytes(&a, 8, perms[i].bytes, (size_t)perms[i].n);
        m = (net){{0}};
        INPUT(&m, "x", 2, 3);
        NODE_WITH(&m, "Transpose", "n", "x", "y", a);
        net_output(&m, "y");
        if (perms[i].words)
            check_refused(&m, 13, BAD, perms[i].words);
        else
            check_lines(&m, 13, "transpose 2x3 > 3x2\n");
    }
    for (size_t n = sizeof scales - 1; n <= sizeof scales; n++) {
        pb a = attr_begin("scales", 6);
        pb_bytes(&a, 7, scales, n);
        m = (net){{0}};
        INPUT(&m, "x", 1, 1, 4, 4);
        NODE_WITH(&m, "Upsample", "n", "x", "y", a);
        net_output(&m, "y");
        if (n < sizeof scales)
            check_refused(&m, 7, BAD, "attribute 'scales' is malformed");
        else
            check_lines(&m, 7, "reshape 1x1x4x4 > 1x4x4x1\nresize 1x4x4x1 > 1x8x8x1\nreshape 1x8x8x1 > 1x1x8x8\n");
    }
    pb a = attr_begin("perm", 7);
    pb_float(&a, 8, 1); /* entries of 32 bits, which whole numbers do not have */
    m = (net){{0}};
    INPUT(&m, "x", 2, 3);
    NODE_WITH(&m, "Transpose", "n", "x", "y", a);
    net_output(&m, "y");
    check_refused(&m, 13, BAD, "attribute 'perm' is malformed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_split_outputs),
        cmocka_unit_test(test_packed_lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
