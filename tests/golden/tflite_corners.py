# SPDX-License-Identifier: Apache-2.0
"""Small TFLite files, each op with each of its options. Every function fills a Corner; CORNERS lists them by name."""
import itertools
import zlib

import numpy as np
from tflite_file import ACTIVATION, PADDING, File, tfl

CORNERS = {}
FUSED = (ACTIVATION.NONE, ACTIVATION.RELU, ACTIVATION.RELU_N1_TO_1, ACTIVATION.RELU6)
SAME, VALID = PADDING.SAME, PADDING.VALID


def corner(function):
    CORNERS[function.__name__] = function
    return function


class Corner(File):
    """A file whose intermediate shapes are left to LiteRT, and the numbers that are fed to its inputs."""

    def __init__(self, name):
        super().__init__()
        self.rng = np.random.default_rng(zlib.crc32(name.encode()))
        self.feeds = {}

    def floats(self, *shape, low=-1.0, high=1.0):
        return self.rng.uniform(low, high, shape).astype(np.float32)

    def input(self, *shape, name="x", low=-2.0, high=2.0, signature=None):
        self.feeds[name] = self.floats(*shape, low=low, high=high)
        self.inputs.append(self.tensor(name, shape))
        if signature:
            self.tensors[-1].shapeSignature = list(signature)
            self.tensors[-1].shape = [max(n, 1) for n in signature]
        return self.inputs[-1]

    def weights(self, *shape):
        return self.constant(self.floats(*shape))

    def ints(self, *values):
        return self.constant(np.array(values, np.int32))

    def op(self, kind, inputs, options=None, outputs=None, dtype=np.float32, **fields):
        """Index of the output, or a list of them when outputs is a count."""
        made = [self.tensor(f"{kind.lower()}_{len(self.tensors)}", [], dtype=dtype) for _ in range(outputs or 1)]
        self.operator(kind, inputs, made, options, **fields)
        return made if outputs else made[0]

    def finish(self, *values):
        self.outputs += values

    # ------------------------------------------------------------ layers

    def conv(self, x, channels, out, k, s=(1, 1), padding=SAME, dilation=(1, 1), fused=ACTIVATION.NONE, group=1, weights=None):
        if weights is None:
            weights = self.weights(out, *k, channels // group)
        return self.op("CONV_2D", [x, weights, self.weights(out)], "Conv2DOptions", padding=padding, strideH=s[0], strideW=s[1],
                       dilationHFactor=dilation[0], dilationWFactor=dilation[1], fusedActivationFunction=fused)

    def depthwise(self, x, channels, k, s=(1, 1), padding=SAME, multiplier=1, dilation=(1, 1), weights=None,
                  fused=ACTIVATION.NONE):
        if weights is None:
            weights = self.weights(1, *k, channels * multiplier)
        inputs = [x, weights, self.weights(channels * multiplier)]
        return self.op("DEPTHWISE_CONV_2D", inputs, "DepthwiseConv2DOptions", padding=padding, strideH=s[0], strideW=s[1],
                       depthMultiplier=multiplier, dilationHFactor=dilation[0], dilationWFactor=dilation[1],
                       fusedActivationFunction=fused)

    def pool(self, kind, x, k, s=(1, 1), padding=SAME, fused=ACTIVATION.NONE):
        return self.op(kind, [x], "Pool2DOptions", padding=padding, filterHeight=k[0], filterWidth=k[1], strideH=s[0],
                       strideW=s[1], fusedActivationFunction=fused)


# ---------------------------------------------------------------- windows

@corner
def conv(c):
    x = c.input(2, 10, 13, 6)
    for padding, k, s in itertools.product((SAME, VALID), ((3, 3), (2, 5), (1, 1)), ((1, 1), (2, 3))):
        c.finish(c.conv(x, 6, 5, k, s, padding))
    for fused in FUSED:
        c.finish(c.conv(x, 6, 7, (3, 3), fused=fused))
    c.finish(c.conv(x, 6, 4, (3, 3), dilation=(2, 3)),
             c.conv(x, 6, 4, (3, 2), padding=VALID, dilation=(3, 2)), c.conv(x, 6, 8, (10, 13), padding=VALID),
             c.conv(x, 6, 9, (3, 3), group=3), c.conv(x, 6, 6, (3, 3), (2, 2), group=6))


@corner
def depthwise(c):
    x = c.input(1, 11, 9, 8)
    for padding, k, s in itertools.product((SAME, VALID), ((3, 3), (5, 5), (2, 4)), ((1, 1), (2, 2))):
        c.finish(c.depthwise(x, 8, k, s, padding))
    for fused in FUSED:
        c.finish(c.depthwise(x, 8, (3, 3), fused=fused))
    c.finish(c.depthwise(x, 8, (3, 3), multiplier=3), c.depthwise(x, 8, (3, 3), dilation=(2, 2)),
             c.depthwise(x, 8, (3, 3), (2, 2), VALID, multiplier=2))
    one = c.input(1, 7, 6, 1, name="one")
    c.finish(c.depthwise(one, 1, (3, 3), multiplier=5), c.depthwise(one, 1, (3, 3)))


@corner
def separable(c):
    x = c.input(1, 14, 14, 24)
    for s in ((1, 1), (2, 2)):
        y = c.depthwise(x, 24, (3, 3), s, fused=ACTIVATION.RELU6)
        c.finish(c.conv(y, 24, 32, (1, 1), fused=ACTIVATION.RELU6))
    y = c.conv(x, 24, 48, (1, 1), fused=ACTIVATION.RELU6)
    y = c.conv(c.depthwise(y, 48, (3, 3), fused=ACTIVATION.RELU6), 48, 24, (1, 1))
    c.finish(c.op("ADD", [x, y], "AddOptions"), c.conv(c.conv(x, 24, 8, (5, 1)), 8, 16, (1, 5)))


@corner
def transpose_conv(c):
    x = c.input(2, 5, 7, 6)
    for padding, k, s in itertools.product((SAME, VALID), ((3, 3), (2, 2), (4, 3), (1, 1)), ((1, 1), (2, 2), (3, 2))):
        size = [n * t if padding == SAME else (n - 1) * t + e for n, t, e in zip((5, 7), s, k)]
        size = [max(n, e) for n, e in zip(size, k)]
        c.finish(transposed(c, x, size, k, s, padding))
    c.finish(transposed(c, x, (9, 13), (3, 3), (2, 2), SAME), transposed(c, x, (10, 15), (2, 2), (2, 2), VALID, extra=1),
             transposed(c, x, (10, 14), (3, 3), (2, 2), SAME, bias=True))
    for fused in (ACTIVATION.RELU, ACTIVATION.RELU6):
        c.finish(transposed(c, x, (10, 14), (4, 4), (2, 2), SAME, bias=True, fused=fused))


def transposed(c, x, size, k, s, padding, extra=0, bias=False, fused=ACTIVATION.NONE):
    shape = c.ints(2, size[0] + extra, size[1], 5)
    inputs = [shape, c.weights(5, *k, 6), x] + ([c.weights(5)] if bias else [])
    return c.op("TRANSPOSE_CONV", inputs, "TransposeConvOptions", padding=padding, strideH=s[0], strideW=s[1],
                fusedActivationFunction=fused, version=4 if fused else 3 if bias else 1)


@corner
def pools(c):
    x = c.input(1, 9, 12, 5)
    for kind, padding in itertools.product(("MAX_POOL_2D", "AVERAGE_POOL_2D"), (SAME, VALID)):
        for k, s in (((2, 2), (2, 2)), ((3, 3), (2, 2)), ((3, 2), (1, 3)), ((9, 12), (1, 1))):
            c.finish(c.pool(kind, x, k, s, padding))
        for fused in FUSED[1:]:
            c.finish(c.pool(kind, x, (2, 3), (1, 1), padding, fused))


# ---------------------------------------------------------------- matrix products

def dense(c, x, features, out, bias=True, weights=None, **fields):
    inputs = [x, c.weights(out, features) if weights is None else weights, c.weights(out) if bias else -1]
    return c.op("FULLY_CONNECTED", inputs, "FullyConnectedOptions", **fields)


@corner
def fully_connected(c):
    x, cube = c.input(3, 10), c.input(2, 5, 2, 4, name="cube")
    for fused in FUSED:
        c.finish(dense(c, x, 10, 7, fusedActivationFunction=fused))
    c.finish(dense(c, x, 10, 1, bias=False), dense(c, cube, 4, 6), dense(c, cube, 8, 6), dense(c, cube, 40, 3),
             dense(c, cube, 4, 6, keepNumDims=True), dense(c, x, 5, 6))
    y = c.op("RELU", [c.input(7, 10, name="w")])
    c.finish(dense(c, x, 10, 7, weights=y))


@corner
def batch_matmul(c):
    a, b = c.input(2, 3, 4, 5), c.input(2, 3, 5, 6, name="b")
    bt, at = c.input(2, 3, 6, 5, name="bt"), c.input(2, 3, 5, 4, name="at")
    c.finish(c.op("BATCH_MATMUL", [a, b], "BatchMatMulOptions"), c.op("BATCH_MATMUL", [a, bt], "BatchMatMulOptions", adjY=True),
             c.op("BATCH_MATMUL", [at, b], "BatchMatMulOptions", adjX=True),
             c.op("BATCH_MATMUL", [at, bt], "BatchMatMulOptions", adjX=True, adjY=True),
             c.op("BATCH_MATMUL", [a, c.weights(5, 7)], "BatchMatMulOptions"),
             c.op("BATCH_MATMUL", [a, c.weights(7, 5)], "BatchMatMulOptions", adjY=True),
             c.op("BATCH_MATMUL", [a, c.weights(3, 7, 5)], "BatchMatMulOptions", adjY=True))


# ---------------------------------------------------------------- element by element

@corner
def activations(c):
    x = c.input(2, 5, 6, 3, low=-8, high=8)
    for kind in "RELU RELU6 RELU_N1_TO_1 RELU_0_TO_1 ELU HARD_SWISH LOGISTIC TANH ABS NEG SIGN SIN COS FLOOR CEIL ROUND SQUARE".split():
        c.finish(c.op(kind, [x]))
    c.finish(c.op("LEAKY_RELU", [x], "LeakyReluOptions", alpha=0.3), c.op("GELU", [x], "GeluOptions", approximate=False),
             c.op("GELU", [x], "GeluOptions", approximate=True), c.op("PRELU", [x, c.weights(1, 1, 3)]),
             c.op("PRELU", [x, c.weights(5, 6, 3)]))
    positive = c.input(3, 7, name="positive", low=0.1, high=9)
    for kind in "EXP LOG SQRT RSQRT".split():
        c.finish(c.op(kind, [positive]))


@corner
def binaries(c):
    x, y = c.input(2, 4, 5, 6), c.input(2, 4, 5, 6, name="y", low=0.5, high=3)
    row, image = c.input(6, name="row", low=0.5), c.input(1, 4, 5, 1, name="image", low=0.5)
    for kind, options in (("ADD", "AddOptions"), ("SUB", "SubOptions"), ("MUL", "MulOptions"), ("DIV", "DivOptions")):
        for fused in FUSED:
            c.finish(c.op(kind, [x, y], options, fusedActivationFunction=fused))
        c.finish(c.op(kind, [x, row], options), c.op(kind, [image, x if kind != "DIV" else y], options),
                 c.op(kind, [x, c.constant(np.float32(1.5))], options), c.op(kind, [c.weights(5, 1), y], options))
    for kind in "MAXIMUM MINIMUM SQUARED_DIFFERENCE".split():
        c.finish(c.op(kind, [x, y]), c.op(kind, [x, row]), c.op(kind, [x, c.constant(np.float32(0.25))]))
    c.finish(c.op("POW", [y, x]), c.op("POW", [y, c.constant(np.float32(2))]), c.op("ADD_N", [x, y, x], "AddNOptions"),
             c.op("FLOOR_DIV", [x, y]), c.op("FLOOR_MOD", [x, y]))


# ---------------------------------------------------------------- along axes

@corner
def softmax(c):
    x, row = c.input(2, 3, 4, 5), c.input(4, 9, name="row")
    c.finish(c.op("SOFTMAX", [x], "SoftmaxOptions", beta=1.0), c.op("SOFTMAX", [row], "SoftmaxOptions", beta=0.5),
             c.op("LOG_SOFTMAX", [row], "LogSoftmaxOptions"), c.op("L2_NORMALIZATION", [x], "L2NormOptions"))


@corner
def reductions(c):
    x = c.input(2, 5, 6, 3, low=0.5, high=1.5)
    for kind in "MEAN SUM REDUCE_MAX REDUCE_MIN REDUCE_PROD".split():
        for axes, keep in (((1, 2), True), ((1, 2), False), ((-1,), True), ((0, 3), False), ((0, 1, 2, 3), False), ((2,), False)):
            c.finish(c.op(kind, [x, c.ints(*axes)], "ReducerOptions", keepDims=keep))
    c.finish(c.op("MEAN", [x, c.constant(np.array(1, np.int32))], "ReducerOptions", keepDims=True))


# ---------------------------------------------------------------- movement

@corner
def pads(c):
    x = c.input(1, 5, 6, 3)
    widths = ([[0, 0], [1, 2], [0, 3], [0, 0]], [[0, 0], [0, 0], [0, 0], [0, 5]], [[1, 0], [0, 0], [2, 1], [1, 1]])
    for w in widths:
        c.finish(c.op("PAD", [x, c.constant(w, np.int32)], "PadOptions"), c.op("PAD", [x, c.constant(w, np.int64)], "PadOptions"),
                 c.op("PADV2", [x, c.constant(w, np.int32), c.constant(np.float32(-1.5))], "PadV2Options"))
    for mode, w in itertools.product((0, 1), ([[0, 0], [1, 2], [3, 4], [0, 0]], [[0, 0], [0, 0], [1, 0], [2, 1]])):
        c.finish(c.op("MIRROR_PAD", [x, c.constant(w, np.int32)], "MirrorPadOptions", mode=mode))
    c.finish(c.op("MIRROR_PAD", [x, c.constant([[1, 1], [5, 5], [6, 6], [3, 3]], np.int32)], "MirrorPadOptions", mode=1))


@corner
def padded_conv(c):
    """A stride over explicit padding, as TensorFlow writes what is neither SAME nor VALID."""
    x = c.input(1, 12, 12, 4)
    y = c.op("PAD", [x, c.constant([[0, 0], [1, 1], [1, 1], [0, 0]], np.int32)], "PadOptions")
    c.finish(c.conv(y, 4, 8, (3, 3), (2, 2), VALID, fused=ACTIVATION.RELU), c.pool("MAX_POOL_2D", y, (3, 3), (2, 2), VALID))
    y = c.conv(x, 4, 4, (3, 3))
    y = c.op("PAD", [c.pool("MAX_POOL_2D", y, (2, 2), (2, 2)), c.constant([[0, 0]] * 3 + [[0, 4]], np.int32)], "PadOptions")
    c.finish(c.op("ADD", [c.conv(x, 4, 8, (3, 3), (2, 2)), y], "AddOptions", fusedActivationFunction=ACTIVATION.RELU))


@corner
def joins_and_cuts(c):
    x, y = c.input(2, 3, 4, 6), c.input(2, 3, 4, 2, name="y")
    c.finish(c.op("CONCATENATION", [x, y, x], "ConcatenationOptions", axis=3),
             c.op("CONCATENATION", [x, c.weights(2, 3, 4, 1)], "ConcatenationOptions", axis=-1,
                  fusedActivationFunction=ACTIVATION.NONE),
             c.op("CONCATENATION", [x, x], "ConcatenationOptions", axis=1),
             *c.op("SPLIT", [c.ints(3), x], "SplitOptions", outputs=3, numSplits=3),
             *c.op("SPLIT", [c.ints(-2), x], "SplitOptions", outputs=2, numSplits=2),
             *c.op("SPLIT_V", [x, c.ints(1, -1, 2), c.ints(3)], "SplitVOptions", outputs=3, numSplits=3),
             c.op("PACK", [x, x], "PackOptions", valuesCount=2, axis=0), c.op("PACK", [y, y, y], "PackOptions", valuesCount=3, axis=-1),
             *c.op("UNPACK", [x], "UnpackOptions", outputs=3, num=3, axis=1),
             *c.op("UNPACK", [y], "UnpackOptions", outputs=2, num=2, axis=-1))


@corner
def slices(c):
    x = c.input(2, 5, 6, 7)
    c.finish(c.op("SLICE", [x, c.ints(0, 1, 2, 3), c.ints(2, 3, -1, 1)], "SliceOptions"),
             c.op("SLICE", [x, c.constant([1, 0, 0, 0], np.int64), c.constant([1, -1, 2, -1], np.int64)], "SliceOptions"),
             c.op("REVERSE_V2", [x, c.ints(1)]), c.op("REVERSE_V2", [x, c.ints(-1)]),
             cut(c, x, (0, 1, 0, 2), (2, 5, 6, 7), (1, 2, 1, 3)), cut(c, x, (0, -2, -3, 0), (2, -1, 100, -1), (1, 1, 1, 2)),
             cut(c, x, (1, 4, -1, 6), (2, 0, -7, 0), (1, -1, -2, -3)), cut(c, x, (9, 3, 0, 2), (9, 1, 0, 4), (1, 1, 2, 1), beginMask=13, endMask=15),
             cut(c, x, (0, 3, 0, 2), (0, 1, 0, 4), (1, -1, -2, 1), beginMask=5, endMask=7),
             cut(c, x, (1, 2, 0, 1), (1, 2, 3, 4), (1,) * 4, version=8, offset=True),
             cut(c, x, (0, -3, -2, 1), (2, 2, 2, 5), (1, 1, 1, 2), version=8, offset=True),
             cut(c, x, (1, 2), (2, 4), (1, 1)), cut(c, x, (0, 2, 0, -1), (2, 3, 6, 0), (1, 1, 1, 1), shrinkAxisMask=10),
             cut(c, x, (0, 1), (0, 2), (1, 1), ellipsisMask=1, shrinkAxisMask=2),
             cut(c, x, (1, 0, 2), (2, 0, 5), (1, 1, 2), ellipsisMask=2),
             cut(c, x, (0, 0, 1), (0, 2, 4), (1, 1, 1), newAxisMask=1),
             cut(c, x, (0, 0, 0, 0, 3), (2, 0, 3, 0, 4), (1, 1, 1, 1, 1), ellipsisMask=8, newAxisMask=2, shrinkAxisMask=16))


def cut(c, x, begin, end, step, **fields):
    return c.op("STRIDED_SLICE", [x, c.ints(*begin), c.ints(*end), c.ints(*step)], "StridedSliceOptions", **fields)


@corner
def moves(c):
    x = c.input(2, 4, 6, 12)
    c.finish(c.op("TRANSPOSE", [x, c.ints(0, 3, 1, 2)], "TransposeOptions"), c.op("TRANSPOSE", [x, c.ints(3, 1, 0, 2)], "TransposeOptions"),
             c.op("GATHER", [x, c.ints(3, 0, 5)], "GatherOptions", axis=2), c.op("GATHER", [x, c.ints(1)], "GatherOptions", axis=0),
             c.op("GATHER", [x, c.constant([[1, 11], [0, 2]], np.int32)], "GatherOptions", axis=-1),
             c.op("DEPTH_TO_SPACE", [x], "DepthToSpaceOptions", blockSize=2),
             c.op("SPACE_TO_DEPTH", [x], "SpaceToDepthOptions", blockSize=2),
             c.op("TILE", [x, c.ints(1, 2, 3, 1)], "TileOptions"), c.op("TILE", [x, c.ints(2, 1, 1, 2)], "TileOptions"))
    row = c.input(3, 1, 4, name="row")
    c.finish(c.op("BROADCAST_TO", [row, c.ints(3, 5, 4)], version=2), c.op("BROADCAST_TO", [row, c.ints(2, 3, 2, 4)], version=2))


@corner
def resizes(c):
    x = c.input(1, 5, 6, 3)
    for size in ((10, 12), (7, 11), (3, 4), (1, 1), (5, 13)):
        for corners, half in ((False, False), (True, False), (False, True)):
            fields = dict(alignCorners=corners, halfPixelCenters=half)
            c.finish(c.op("RESIZE_BILINEAR", [x, c.ints(*size)], "ResizeBilinearOptions", version=3, **fields),
                     c.op("RESIZE_NEAREST_NEIGHBOR", [x, c.ints(*size)], "ResizeNearestNeighborOptions", version=3, **fields))
    # extents whose ratio float32 cannot hold: the neighbour depends on how the position is rounded
    wide = c.input(1, 2, 23, 1, name="wide")
    for size in ((82, 161), (41, 100), (94, 253), (9, 199)):
        for corners, half in ((False, False), (True, False), (False, True)):
            c.finish(c.op("RESIZE_NEAREST_NEIGHBOR", [wide, c.ints(*size)], "ResizeNearestNeighborOptions", version=3,
                          alignCorners=corners, halfPixelCenters=half))


# ---------------------------------------------------------------- shapes

@corner
def reshapes(c):
    x = c.input(2, 3, 4, 5)
    c.finish(c.op("RESHAPE", [x, c.ints(6, 20)], "ReshapeOptions", newShape=[6, 20]), c.op("RESHAPE", [x, c.ints(2, -1, 10)]),
             c.op("RESHAPE", [x], "ReshapeOptions", newShape=[-1, 5]), c.op("EXPAND_DIMS", [x, c.ints(2)]),
             c.op("EXPAND_DIMS", [x, c.constant(np.array(-1, np.int32))]))
    ones = c.input(1, 3, 1, 5, name="ones")
    c.finish(c.op("SQUEEZE", [ones], "SqueezeOptions", squeezeDims=[0, -2]), c.op("SQUEEZE", [ones], "SqueezeOptions"),
             c.op("SQUEEZE", [ones], "SqueezeOptions", squeezeDims=[2]),
             c.op("RESHAPE", [c.op("SUM", [ones, c.ints(0, 1, 2, 3)], "ReducerOptions"), c.constant(np.zeros(0, np.int32))]))


@corner
def computed_shapes(c):
    """What exporters write for a batch of any size."""
    x = c.input(3, 4, 5, 6, signature=(-1, 4, 5, 6))
    shape = c.op("SHAPE", [x], "ShapeOptions", dtype=np.int32, outType=tfl.TensorType.INT32)
    batch = c.op("STRIDED_SLICE", [shape, c.ints(0), c.ints(1), c.ints(1)], "StridedSliceOptions", dtype=np.int32, shrinkAxisMask=1)
    packed = c.op("PACK", [batch, c.constant(np.array(20, np.int32)), c.constant(np.array(6, np.int32))], "PackOptions",
                  dtype=np.int32, valuesCount=3, axis=0)
    c.finish(c.op("RESHAPE", [x, packed]))
    height = c.op("STRIDED_SLICE", [shape, c.ints(1), c.ints(3), c.ints(1)], "StridedSliceOptions", dtype=np.int32)
    double = c.op("MUL", [height, c.ints(2, 3)], "MulOptions", dtype=np.int32)
    c.finish(c.op("RESIZE_NEAREST_NEIGHBOR", [x, double], "ResizeNearestNeighborOptions"))
    third = c.op("FLOOR_DIV", [double, c.ints(3, 3)], dtype=np.int32)
    c.finish(c.op("RESIZE_BILINEAR", [x, c.op("MAXIMUM", [third, c.ints(1, 1)], dtype=np.int32)], "ResizeBilinearOptions"))
    whole = c.op("REDUCE_PROD", [shape, c.ints(0)], "ReducerOptions", dtype=np.int32, keepDims=True)
    c.finish(c.op("RESHAPE", [x, whole]))
    filled = c.op("FILL", [shape, c.constant(np.float32(0.5))])
    c.finish(c.op("ADD", [x, filled], "AddOptions"))
    numbers = c.op("RANGE", [c.constant(np.array(0, np.int32)), c.constant(np.array(6, np.int32)), c.constant(np.array(1, np.int32))],
                   dtype=np.int32)
    floats = c.op("CAST", [numbers], "CastOptions", inDataType=tfl.TensorType.INT32, outDataType=tfl.TensorType.FLOAT32)
    c.finish(c.op("MUL", [x, floats], "MulOptions"))
    joined = c.op("CONCATENATION", [c.ints(-1), c.op("GATHER", [shape, c.ints(3)], "GatherOptions", dtype=np.int32)],
                  "ConcatenationOptions", dtype=np.int32)
    c.finish(c.op("RESHAPE", [x, joined]))


# ---------------------------------------------------------------- constants

def half(c, data):
    return c.op("DEQUANTIZE", [c.constant(data.astype(np.float16))], "DequantizeOptions")


def with_zeros(c, *shape, share=0.7):
    data = c.floats(*shape)
    data[c.rng.random(shape) < share] = 0
    return data


@corner
def half_weights(c):
    x = c.input(1, 8, 9, 6)
    shared = half(c, c.floats(5, 3, 3, 6))
    c.finish(c.conv(x, 6, 5, (3, 3), weights=shared), c.conv(x, 6, 5, (3, 3), (2, 2), weights=shared),
             c.depthwise(x, 6, (3, 3), weights=half(c, c.floats(1, 3, 3, 6))),
             c.op("MUL", [x, half(c, c.floats(6))], "MulOptions"), c.op("PRELU", [x, half(c, c.floats(1, 1, 6))]),
             dense(c, x, 6, 7, weights=half(c, c.floats(7, 6))))
    kernel, bias = half(c, c.floats(4, 1, 1, 6)), half(c, c.floats(4))
    c.finish(c.op("CONV_2D", [x, kernel, bias], "Conv2DOptions", strideH=1, strideW=1))


@corner
def sparse_weights(c):
    x = c.input(1, 6, 7, 16)
    dense_kernel = c.op("DENSIFY", [c.sparse(with_zeros(c, 8, 3, 3, 16))], "DensifyOptions")
    c.finish(c.conv(x, 16, 8, (3, 3), weights=dense_kernel))
    pointwise = c.op("DENSIFY", [c.sparse(with_zeros(c, 12, 1, 1, 16).astype(np.float16))], "DensifyOptions", dtype=np.float16)
    c.finish(c.conv(x, 16, 12, (1, 1), weights=c.op("DEQUANTIZE", [pointwise], "DequantizeOptions")))
    blocks = with_zeros(c, 10, 4, 1, share=0.6) * c.floats(10, 4, 4)
    c.finish(dense(c, x, 16, 10, weights=c.op("DENSIFY", [c.sparse(blocks.reshape(10, 16), 4)], "DensifyOptions")))
    nothing = np.zeros((3, 16), np.float32)
    nothing[1, 5] = 1
    c.finish(dense(c, x, 16, 3, weights=c.op("DENSIFY", [c.sparse(nothing)], "DensifyOptions")))
    wide = with_zeros(c, 2, 700, share=0.5)  # positions that need 16 bits
    c.finish(dense(c, c.input(1, 700, name="wide"), 700, 2, weights=c.op("DENSIFY", [c.sparse(wide)], "DensifyOptions")))


# ---------------------------------------------------------------- networks

@corner
def outputs(c):
    """An output that is another's view, one that is read on, and one made twice from the same tensor."""
    x = c.input(1, 4, 4, 8)
    y = c.conv(x, 8, 8, (3, 3), fused=ACTIVATION.RELU)
    flat = c.op("RESHAPE", [y, c.ints(1, 128)])
    c.finish(y, flat, c.op("RESHAPE", [flat, c.ints(2, 64)]), c.op("SOFTMAX", [flat], "SoftmaxOptions", beta=1.0))


@corner
def channels_first_inside(c):
    """A network of another framework, converted with transposes around its layers."""
    x = c.input(1, 6, 10, 12)
    y = c.op("TRANSPOSE", [x, c.ints(0, 2, 3, 1)], "TransposeOptions")
    y = c.conv(y, 6, 8, (3, 3), fused=ACTIVATION.RELU)
    y = c.op("TRANSPOSE", [y, c.ints(0, 3, 1, 2)], "TransposeOptions")
    y = c.op("ADD", [y, c.weights(8, 1, 1)], "AddOptions")
    y = c.op("TRANSPOSE", [y, c.ints(0, 2, 3, 1)], "TransposeOptions")
    y = c.depthwise(y, 8, (3, 3), (2, 2))
    c.finish(c.op("MEAN", [y, c.ints(1, 2)], "ReducerOptions", keepDims=False))


@corner
def squeeze_excite(c):
    x = c.input(2, 9, 9, 16)
    y = c.depthwise(x, 16, (5, 5), fused=ACTIVATION.NONE)
    y = c.op("HARD_SWISH", [y])
    s = c.op("MEAN", [y, c.ints(1, 2)], "ReducerOptions", keepDims=True)
    s = c.conv(s, 16, 4, (1, 1), fused=ACTIVATION.RELU)
    s = c.op("ADD", [c.conv(s, 4, 16, (1, 1)), c.constant(np.float32(3))], "AddOptions", fusedActivationFunction=ACTIVATION.RELU6)
    s = c.op("MUL", [s, c.constant(np.float32(1 / 6))], "MulOptions")
    y = c.op("MUL", [y, s], "MulOptions")
    c.finish(c.op("LOGISTIC", [c.conv(y, 16, 16, (1, 1))]))
