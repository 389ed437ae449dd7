# SPDX-License-Identifier: Apache-2.0
"""Small networks, each a corner of ONNX that exporters reach: how padding is written, what changed between opsets, where
weights may sit. Each function fills a Net; CORNERS lists them as ops_<name>."""
import numpy as np
from onnx import TensorProto, helper, numpy_helper

CORNERS = {}


def corner(*opsets):
    def register(function):
        for opset in opsets:
            suffix = f"_opset{opset}" if len(opsets) > 1 else ""
            CORNERS[f"ops_{function.__name__}{suffix}"] = (opset, function)
        return function
    return register


def finish(n, *values):
    """The values become outputs y, y2, y3 ..."""
    for i, value in enumerate(values):
        n.output(value, "y" if i == 0 else f"y{i + 1}")


def image(n, c=4, h=9, w=11, batch=1, name="x"):
    return n.input(name, [batch, c, h, w])


# ---------------------------------------------------------------- windows

@corner(11)
def auto_pad(n):
    x = image(n, 3, 10, 13)
    parts = []
    for mode in ("SAME_UPPER", "SAME_LOWER", "VALID"):
        parts.append(n.conv(x, 5, 3, 2, auto_pad=mode))
        parts.append(n.op("MaxPool", x, kernel_shape=[2, 3], strides=[2, 2], auto_pad=mode))
        parts.append(n.op("AveragePool", x, kernel_shape=[3, 2], strides=[2, 1], auto_pad=mode))
    parts.append(n.conv(x, 5, (4, 2), (3, 1), auto_pad="SAME_LOWER"))
    parts.append(n.op("Conv", x, n.const(n.floats(2, 3, 3, 3)), auto_pad="NOTSET", pads=[1, 0, 0, 1]))
    finish(n, *parts)


@corner(11)
def asymmetric_pads(n):
    x = image(n)
    finish(n, n.conv(x, 6, 3, pads=[0, 1, 2, 3]), n.conv(x, 4, 5, 2, pads=[3, 0, 1, 4], group=4),
           n.op("MaxPool", x, kernel_shape=[3, 3], pads=[2, 0, 1, 2]),
           n.op("AveragePool", x, kernel_shape=[3, 3], strides=[2, 1], pads=[0, 1, 2, 1]),
           n.op("AveragePool", x, kernel_shape=[3, 3], pads=[0, 1, 2, 1], count_include_pad=1))


@corner(10)
def dilations(n):
    x = image(n, 4, 14, 15)
    finish(n, n.conv(x, 6, 3, pads=[2, 3, 2, 3], dilations=[2, 3]), n.conv(x, 4, 3, 2, pads=[0] * 4, group=4, dilations=[3, 2]),
           n.op("MaxPool", x, kernel_shape=[3, 2], dilations=[2, 4], pads=[1, 1, 2, 1]))


@corner(13)
def groups(n):
    x = image(n, 12)
    finish(n, n.conv(x, 8, 3, group=2), n.conv(x, 24, 3, group=4), n.conv(x, 12, 1, group=3), n.conv(x, 36, 3, 2, group=12),
           n.conv(x, 12, (5, 1), group=12), n.conv(x, 6, (1, 4), pads=[0, 1, 0, 2], group=6))


@corner(13)
def large_kernels(n):
    x = image(n, 3, 20, 21)
    finish(n, n.conv(x, 4, 11, 4, pads=[2] * 4), n.conv(x, 3, 13, group=3), n.conv(x, 2, (20, 21), pads=[0] * 4),
           n.conv(x, 5, 2, 3, pads=[0] * 4))


@corner(13)
def one_dimension(n):
    x = n.input("x", [2, 6, 17])
    y = n.op("Conv", x, n.const(n.floats(8, 6, 3, scale=0.3)), n.const(n.floats(8)), strides=[2], pads=[2, 1], dilations=[2])
    z = n.op("Conv", x, n.const(n.floats(6, 1, 5, scale=0.3)), group=6, pads=[2, 2])
    z = n.op("BatchNormalization", z, *[n.const(n.floats(6, low=0.5)) for _ in range(4)])
    finish(n, y, z, n.op("MaxPool", x, kernel_shape=[3], strides=[2]), n.op("AveragePool", x, kernel_shape=[2], pads=[1, 0]),
           n.op("GlobalAveragePool", x), n.op("ConvTranspose", x, n.const(n.floats(6, 3, 4, scale=0.3)), strides=[2], pads=[1, 1]))


@corner(11)
def transposed(n):
    x = image(n, 4, 5, 6)

    def turn(out, k, group=1, bias=False, **attributes):
        inputs = [x, n.const(n.floats(4, out // group, *k, scale=0.3))] + ([n.const(n.floats(out))] if bias else [])
        return n.op("ConvTranspose", *inputs, group=group, **attributes)

    finish(n, turn(6, (3, 3), strides=[2, 2], pads=[1, 1, 1, 1], output_padding=[1, 1], bias=True),
           turn(3, (2, 2), strides=[2, 2], kernel_shape=[2, 2]), turn(8, (4, 3), group=2, strides=[2, 1], pads=[1, 0, 2, 1]),
           turn(4, (3, 3), group=4, strides=[2, 2], bias=True), turn(2, (3, 2), dilations=[2, 3]),
           turn(3, (3, 3), strides=[2, 2], output_shape=[10, 12]),
           turn(3, (3, 3), strides=[2, 2], auto_pad="SAME_UPPER"), turn(3, (2, 2), strides=[3, 3]))


@corner(11)
def transposed_same_lower(n):
    x = image(n, 4, 5, 6)
    finish(n, n.op("ConvTranspose", x, n.const(n.floats(4, 3, 3, 3)), strides=[2, 2], auto_pad="SAME_LOWER"),
           n.op("ConvTranspose", x, n.const(n.floats(4, 3, 3, 3)), strides=[2, 2], output_shape=[10, 13],
                auto_pad="SAME_LOWER"))


@corner(10, 19)
def pools(n):
    x = image(n, 3, 10, 12)
    options = [dict(ceil_mode=1), dict(ceil_mode=1, pads=[1, 1, 1, 1]), dict(pads=[1, 1, 1, 1]), dict(ceil_mode=1, pads=[0, 1, 1, 0])]
    parts = [n.op("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], **o) for o in options]
    for include in (0, 1):
        parts += [n.op("AveragePool", x, kernel_shape=[3, 2], strides=[2, 3], count_include_pad=include, **o) for o in options]
    finish(n, *parts, n.op("GlobalMaxPool", x), n.op("GlobalAveragePool", x))


@corner(13)
def padding_value_of_max(n):
    """Padding never wins a maximum, though every number is below zero."""
    x = n.input("x", [1, 2, 5, 5], -1 - np.arange(50).reshape(1, 2, 5, 5))
    finish(n, n.op("MaxPool", x, kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[2, 2]))


# ---------------------------------------------------------------- resize

def sizes(n, *values):
    return n.const(np.array(values, np.int64))


@corner(7)
def upsample_attribute(n):
    x = image(n, 3, 4, 5)
    finish(n, n.op("Upsample", x, mode="nearest", scales=[1.0, 1.0, 2.0, 3.0]),
           n.op("Upsample", x, mode="linear", scales=[1.0, 1.0, 2.0, 2.0]))


@corner(9)
def upsample_input(n):
    x = image(n, 3, 4, 5)
    finish(n, n.op("Upsample", x, n.const(np.float32([1, 1, 2, 3])), mode="nearest"),
           n.op("Upsample", x, n.const(np.float32([1, 1, 1.5, 2])), mode="linear"))


@corner(10)
def resize_10(n):
    x = image(n, 3, 6, 7)
    finish(n, n.op("Resize", x, n.const(np.float32([1, 1, 2, 2])), mode="nearest"),
           n.op("Resize", x, n.const(np.float32([1, 1, 0.6, 0.5])), mode="nearest"),
           n.op("Resize", x, n.const(np.float32([1, 1, 2, 1.5])), mode="linear"))


@corner(11, 13, 18, 19)
def resize(n):
    x = image(n, 3, 6, 7)
    roi = n.const(np.zeros(0, np.float32)) if n.opset == 11 else ""
    none = n.const(np.zeros(0, np.float32)) if n.opset == 11 else ""
    parts = []
    coordinates = ["half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"] + (["half_pixel_symmetric"] if n.opset >= 19 else [])
    for c in coordinates:
        for extent in ((9, 11), (3, 5), (1, 1), (13, 4)):
            parts.append(n.op("Resize", x, roi, none, sizes(n, 1, 3, *extent), mode="linear", coordinate_transformation_mode=c))
        if c == "align_corners":  # the standard and onnxruntime differ where scale x extent is no whole number
            continue
        parts.append(n.op("Resize", x, roi, n.const(np.float32([1, 1, 2.5, 0.7])), mode="linear", coordinate_transformation_mode=c))
    for c in coordinates + (["tf_half_pixel_for_nn"] if n.opset < 13 else []):
        for r in ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil"):
            parts.append(n.op("Resize", x, roi, n.const(np.float32([1, 1, 2, 3])), mode="nearest", nearest_mode=r,
                              coordinate_transformation_mode=c))
            parts.append(n.op("Resize", x, roi, none, sizes(n, 1, 3, 4, 10), mode="nearest", nearest_mode=r,
                              coordinate_transformation_mode=c))
    finish(n, *parts)


@corner(18)
def resize_axes(n):
    x = image(n, 3, 6, 7)
    finish(n, n.op("Resize", x, "", n.const(np.float32([2, 0.5])), axes=[2, 3], mode="linear"),
           n.op("Resize", x, "", "", sizes(n, 12, 9), axes=[2, 3], mode="linear", keep_aspect_ratio_policy="not_larger"),
           n.op("Resize", x, "", "", sizes(n, 12, 9), axes=[3, 2], mode="nearest"))


@corner(13)
def resize_to_other(n):
    """A decoder resizes to the extent of an encoder's tensor."""
    x, z = n.input("x", [1, 4, "h", "w"], n.floats(1, 4, 8, 10)), n.op("MaxPool", "x", kernel_shape=[2, 2], strides=[2, 2])
    head = n.op("Slice", n.op("Shape", z), n.ints(0), n.ints(2), n.ints(0))
    tail = n.op("Slice", n.op("Shape", x), n.ints(2), n.ints(4), n.ints(0))
    y = n.op("Resize", z, "", "", n.op("Concat", head, tail, axis=0), mode="linear", coordinate_transformation_mode="half_pixel")
    finish(n, n.op("Add", x, y))


# ---------------------------------------------------------------- functions of one number

@corner(9, 11, 13)
def softmax(n):
    x, z = image(n, 3, 4, 5, 2), n.input("z", [2, 10])
    axes = [1, 2, 3] if n.opset < 13 else [-1, 1, 2]
    parts = [n.op("Softmax", x), n.op("LogSoftmax", z), n.op("Softmax", z, axis=1)]
    finish(n, *parts, *[n.op("Softmax", x, axis=a) for a in axes], n.op("LogSoftmax", x, axis=1))


@corner(9)
def clip_attributes(n):
    x = image(n)
    finish(n, n.op("Clip", x, min=-0.5, max=0.7), n.op("Clip", x, min=0.1), n.op("Clip", x, max=0.1), n.op("Clip", x))


@corner(11, 13)
def clip_inputs(n):
    x = image(n)
    low, high = n.const(np.float32(-0.5)), n.const(np.float32(0.7))
    finish(n, n.op("Clip", x, low, high), n.op("Clip", x, low), n.op("Clip", x, "", high), n.op("Clip", x))


@corner(13)
def h_swish_in_parts(n):
    """x * clip(x + 3, 0, 6) / 6 in the orders that exporters write, and the squeeze gate written so."""
    def gate(v):
        return n.op("Clip", n.op("Add", v, n.const(np.float32(3))), n.const(np.float32(0)), n.const(np.float32(6)))

    six = n.const(np.float32(6))
    x = n.conv(image(n), 8, 3)
    a = n.op("Div", n.op("Mul", x, gate(x)), six)
    b = n.op("Mul", x, n.op("Div", gate(x), six))
    c = n.op("Mul", n.op("Mul", x, gate(x)), n.const(np.float32(1 / 6)))
    d = n.op("Mul", n.op("HardSigmoid", x, alpha=1 / 6, beta=0.5), x)
    e = n.op("Div", gate(n.conv(n.op("GlobalAveragePool", x), 8, 1)), six)
    finish(n, n.conv(a, 4, 1), b, n.conv(c, 4, 3), d, n.op("Mul", e, x), n.op("HardSigmoid", x))


@corner(13)
def gelu_in_parts(n):
    def gelu(v):
        e = n.op("Erf", n.op("Div", v, n.const(np.float32(np.sqrt(2)))))
        return n.op("Mul", n.op("Mul", v, n.op("Add", e, n.const(np.float32(1)))), n.const(np.float32(0.5)))

    x = n.conv(image(n), 8, 3)
    y = gelu(x)
    half = n.op("Mul", n.op("Mul", x, n.const(np.float32(0.5))),
                n.op("Add", n.op("Erf", n.op("Mul", x, n.const(np.float32(np.sqrt(0.5))))), n.const(np.float32(1))))
    silu = n.op("Mul", x, n.op("Sigmoid", x))
    mish = n.op("Mul", x, n.op("Tanh", n.op("Softplus", x)))
    finish(n, y, half, n.conv(silu, 4, 1), mish)


@corner(22)
def activations(n):
    x = image(n)
    positive = n.op("Add", n.op("Abs", x), n.const(np.float32(0.1)))
    finish(n, n.op("Relu", x), n.op("LeakyRelu", x, alpha=0.2), n.op("LeakyRelu", x), n.op("Elu", x, alpha=1.5), n.op("Selu", x),
           n.op("Celu", x, alpha=0.7), n.op("Sigmoid", x), n.op("HardSigmoid", x), n.op("HardSwish", x), n.op("Tanh", x),
           n.op("Softplus", x), n.op("Softsign", x), n.op("ThresholdedRelu", x, alpha=0.4), n.op("Mish", x), n.op("Gelu", x),
           n.op("Gelu", x, approximate="tanh"), n.op("Exp", x), n.op("Log", positive), n.op("Sqrt", positive), n.op("Erf", x),
           n.op("Reciprocal", positive), n.op("Neg", x), n.op("Floor", x), n.op("Ceil", x), n.op("Round", x), n.op("Sign", x))


@corner(7, 16)
def prelu(n):
    x = image(n)
    finish(n, n.op("PRelu", x, n.const(n.floats(4, 1, 1))), n.op("PRelu", x, n.const(n.floats(1))),
           n.op("PRelu", n.conv(x, 6, 3), n.const(n.floats(6, 1, 1))), n.op("PRelu", x, n.const(n.floats(11))))


# ---------------------------------------------------------------- arithmetic and reductions

@corner(8, 14)
def broadcasting(n):
    x, z, v = image(n, 4, 3, 5, 2), n.input("z", [2, 4, 1, 1]), n.input("v", [5])
    def c(*shape):
        return n.const(n.floats(*shape, low=0.5))
    positive = n.op("Add", n.op("Abs", x), n.const(np.float32(0.1)))
    finish(n, n.op("Add", x, c(4, 1, 1)), n.op("Mul", x, c(1)), n.op("Sub", c(4, 1, 1), x), n.op("Div", x, c(1, 4, 1, 1)),
           n.op("Div", c(3, 1), x), n.op("Add", x, c(5)), n.op("Mul", x, c(3, 5)), n.op("Mul", x, z), n.op("Sub", z, x),
           n.op("Add", v, x), n.op("Mul", v, c(3, 1)), n.op("Pow", positive, n.const(np.float32(2))), n.op("Pow", positive, c(4, 1, 1)),
           n.op("Min", x, z, c(5)), n.op("Max", x, c(1), z), n.op("Max", x), n.op("Add", z, v),
           n.op("Add", x, x), n.op("Mul", n.op("Relu", x), n.op("Add", z, c(2, 4, 3, 1))))


@corner(13, 18)
def reductions(n):
    x = image(n, 4, 3, 5, 2)

    def reduce(kind, axes, **attributes):
        if axes is None:
            return n.op(kind, x, **attributes)
        if n.opset < 18 and kind != "ReduceSum":
            return n.op(kind, x, axes=axes, **attributes)
        return n.op(kind, x, n.ints(*axes), **attributes)

    finish(n, reduce("ReduceMean", [2, 3]), reduce("ReduceMean", [2, 3], keepdims=0), reduce("ReduceMean", [-1]),
           reduce("ReduceMean", [1], keepdims=0), reduce("ReduceMean", None), reduce("ReduceMean", None, keepdims=0),
           reduce("ReduceMean", [0, 3], keepdims=0), reduce("ReduceSum", [2, 3]), reduce("ReduceMax", [1]), reduce("ReduceMin", [2]),
           reduce("ReduceL2", [1, 2, 3]), reduce("ReduceProd", [3]), reduce("ReduceL1", [2]), reduce("ReduceSumSquare", [1]))


@corner(13)
def dense(n):
    x, t = n.input("x", [3, 10]), n.input("t", [10, 3])
    z, m = n.input("z", [2, 3, 10]), n.input("m", [2, 10, 4])
    w, wt = n.const(n.floats(10, 6, scale=0.3)), n.const(n.floats(6, 10, scale=0.3))
    b = n.const(n.floats(6))
    finish(n, n.op("Gemm", x, w, b), n.op("Gemm", x, wt, b, transB=1), n.op("Gemm", x, w), n.op("Gemm", t, w, b, transA=1),
           n.op("Gemm", x, w, n.const(np.float32(0.5)), alpha=0.7, beta=2.0), n.op("Gemm", x, w, n.const(n.floats(3, 1))),
           n.op("Gemm", x, w, n.const(n.floats(3, 6)), beta=0.5), n.op("MatMul", x, w), n.op("Add", n.op("MatMul", z, w), b),
           n.op("MatMul", z, m), n.op("MatMul", z, n.const(n.floats(2, 10, 5))), n.op("MatMul", n.const(n.floats(4, 3)), x),
           n.op("MatMul", x, n.const(n.floats(10))), n.op("Gemm", x, t))


@corner(9, 15)
def batch_norm(n):
    """Where folding is right and where it is not: padding of a later convolution, two consumers, a rank of 2."""
    x = image(n, 4)
    first = n.conv(n.batch_norm(x, 1e-3), 6, 3)
    y = n.conv(x, 6, 3, bias=False)
    z = n.input("z", [3, 5])
    n.channels[z] = 5
    turned = n.op("ConvTranspose", x, n.const(n.floats(4, 4, 2, 2)), strides=[2, 2])
    finish(n, first, n.op("Relu", n.batch_norm(y)), n.op("Add", y, n.conv(y, 6, 1)), n.batch_norm(z), n.batch_norm(turned),
           n.batch_norm(n.op("Relu", y)), n.batch_norm(n.conv(x, 8, 3, group=4)))


@corner(17)
def normalisations(n):
    x = image(n, 6, 5, 7, 2)
    finish(n, n.op("InstanceNormalization", x, n.const(n.floats(6, low=0.5)), n.const(n.floats(6)), epsilon=1e-3),
           n.op("LRN", x, size=3, alpha=0.5, beta=0.75, bias=1.5), n.op("LRN", x, size=1), n.op("LRN", x, size=5, alpha=0.9),
           n.op("LayerNormalization", x, n.const(n.floats(7)), n.const(n.floats(7)), axis=-1))


# ---------------------------------------------------------------- shapes and movement

@corner(13)
def depth_and_space(n):
    x = image(n, 16, 4, 6)
    finish(n, n.op("DepthToSpace", x, blocksize=2), n.op("DepthToSpace", x, blocksize=2, mode="CRD"),
           n.op("DepthToSpace", x, blocksize=4), n.op("SpaceToDepth", x, blocksize=2))


@corner(11, 13, 18)
def split(n):
    x = image(n, 8, 6, 5)
    if n.opset >= 13:
        a = n.op("Split", x, n.ints(1, 4, 3), outputs=3, axis=1)
    else:
        a = n.op("Split", x, split=[1, 4, 3], outputs=3, axis=1)
    even = {"num_outputs": 2} if n.opset >= 18 else {}
    b = n.op("Split", x, outputs=2, axis=2, **even)
    c = n.op("Split", x, outputs=3, axis=-1, num_outputs=3) if n.opset >= 18 else []
    finish(n, *a, *b, *c, n.op("Concat", *a, axis=1), n.op("Concat", b[1], b[0], x, axis=-2), n.op("Concat", x, x, axis=3),
           n.op("Concat", x, x, axis=0))


@corner(9)
def slice_attributes(n):
    x = image(n, 8)
    finish(n, n.op("Slice", x, starts=[1, 2], ends=[6, 1000], axes=[1, 3]), n.op("Slice", x, starts=[0, -5], ends=[1, -1]),
           n.op("Slice", x, starts=[-4], ends=[9223372036854775807], axes=[2]))


@corner(13)
def slice_inputs(n):
    x = image(n, 8)
    def cut(starts, ends, axes, steps=None):
        return n.op("Slice", x, n.ints(*starts), n.ints(*ends), n.ints(*axes), *([n.ints(*steps)] if steps else []))
    focus = [cut([i, j], [2 ** 31 - 1] * 2, [2, 3], [2, 2]) for i in (0,) for j in (0, 1)]
    finish(n, cut([1, 2], [6, 1000], [1, 3]), cut([-1], [-(2 ** 63)], [3], [-1]), cut([7, 8], [0, 1], [1, 2], [-2, -3]),
           cut([0], [8], [-3], [3]), n.op("Slice", x, n.ints(0, 1), n.ints(1, -1)), *focus)


@corner(13)
def gather_expand(n):
    x = image(n, 5, 3, 4, 2)
    finish(n, n.op("Gather", x, n.ints(3, 0, -1), axis=1), n.op("Gather", x, n.const(np.int64(1)), axis=2),
           n.op("Gather", x, n.const(np.array([[0, 3], [2, -2]])), axis=3), n.op("Gather", x, n.ints(1, 0), axis=0),
           n.op("Expand", n.op("GlobalAveragePool", x), n.ints(2, 5, 3, 4)), n.op("Expand", x, n.ints(1, 1, 1)),
           n.op("Expand", n.op("ReduceMean", x, axes=[0, 1], keepdims=0), n.ints(2, 3, 3, 4)))


@corner(9, 11, 19)
def pad(n):
    x = image(n, 3)

    def margin(pads, mode="constant", value=None, axes=None):
        if n.opset < 11:
            return n.op("Pad", x, pads=pads, mode=mode, **({"value": value} if value is not None else {}))
        inputs = [n.ints(*pads)]
        if value is not None or axes:
            inputs.append(n.const(np.float32(value)) if value is not None else "")
        if axes:
            inputs.append(n.ints(*axes))
        return n.op("Pad", x, *inputs, mode=mode)

    parts = [margin([0, 0, 1, 2, 0, 0, 3, 0]), margin([0, 1, 0, 2, 0, 2, 3, 0], value=1.5),
             margin([0, 0, 2, 1, 0, 0, 1, 3], "reflect"), margin([0, 0, 2, 1, 0, 1, 1, 3], "edge"),
             margin([0, 0, -1, 2, 0, 0, 1, -2]), n.conv(margin([0, 0, 1, 2, 0, 0, 0, 1]), 4, 3, pads=[0] * 4)]
    n.channels[parts[-2]] = 3
    if n.opset >= 19:
        parts += [margin([0, 0, 1, 2, 0, 0, 3, 0], "wrap"), margin([1, 2, 0, 3], axes=[2, -1])]
    finish(n, *parts)


@corner(13)
def views(n):
    """Flatten, reshape and transpose see the file's order of elements."""
    x = image(n, 4, 3, 5, 2)
    c = n.conv(x, 6, 3)
    flat = n.op("Flatten", c, axis=1)
    finish(n, n.dense(flat, 90, 7), n.op("Flatten", c, axis=2), n.op("Flatten", x, axis=0), n.op("Flatten", x, axis=-1),
           n.op("Reshape", c, n.ints(0, -1, 5)), n.op("Reshape", c, n.ints(0, 2, 3, 0, -1)), n.op("Reshape", c, n.ints(-1)),
           n.op("Transpose", c, perm=[0, 2, 3, 1]), n.op("Transpose", x, perm=[3, 1, 0, 2]), n.op("Transpose", x),
           n.op("Reshape", n.op("Transpose", c, perm=[0, 2, 3, 1]), n.ints(2, -1, 6)),
           n.op("Transpose", n.op("Reshape", c, n.ints(2, 6, -1)), perm=[0, 2, 1]))


@corner(11, 13)
def squeeze(n):
    x = n.op("GlobalAveragePool", image(n, 4, 3, 5, 2))
    if n.opset >= 13:
        y, z = n.op("Squeeze", x, n.ints(2, 3)), n.op("Squeeze", x)
        finish(n, y, n.op("Unsqueeze", y, n.ints(1, -1)), z, n.op("Unsqueeze", n.op("Relu", z), n.ints(0)))
    else:
        y, z = n.op("Squeeze", x, axes=[2, 3]), n.op("Squeeze", x)
        finish(n, y, n.op("Unsqueeze", y, axes=[1, 3]), z, n.op("Unsqueeze", n.op("Relu", z), axes=[0]))


@corner(11)
def channels_last(n):
    """A TensorFlow export: channels last outside, transposed around every convolution."""
    x = n.input("x", [1, 9, 11, 3])
    for out in (4, 6):
        y = n.op("Transpose", x, perm=[0, 3, 1, 2])
        n.channels[y] = 3 if out == 4 else 4
        y = n.op("Relu", n.conv(y, out, 3, 2 if out == 4 else 1, auto_pad="SAME_UPPER"))
        x = n.op("Transpose", y, perm=[0, 2, 3, 1])
    m = n.op("ReduceMean", x, axes=[1, 2], keepdims=0)
    finish(n, n.op("Add", x, n.const(n.floats(6))), n.op("MatMul", m, n.const(n.floats(6, 3))),
           n.op("Reshape", x, n.ints(1, -1)), n.op("Concat", x, x, axis=3))


@corner(13)
def channel_attention(n):
    """Squeeze-excite with a reshape in the gate, and a spatial gate of one channel."""
    x = n.conv(image(n), 8, 3)
    g = n.op("Reshape", n.op("ReduceMean", x, axes=[2, 3], keepdims=0), n.ints(1, 8))
    g = n.op("Sigmoid", n.dense(n.op("Relu", n.dense(g, 8, 2)), 2, 8))
    g = n.op("Reshape", g, n.ints(1, 8, 1, 1))
    s = n.op("Sigmoid", n.conv(x, 1, 3))
    finish(n, n.op("Mul", x, g), n.op("Mul", s, x), n.op("Mul", n.op("Mul", x, g), s))


# ---------------------------------------------------------------- where weights sit

@corner(13)
def constant_nodes(n):
    """All weights in Constant nodes, and the short forms of Constant."""
    def c(array):
        return n.op("Constant", value=numpy_helper.from_array(np.asarray(array)))

    x = image(n)
    y = n.op("Conv", x, c(n.floats(6, 4, 3, 3, scale=0.3)), c(n.floats(6)), pads=[1] * 4)
    y = n.op("Mul", y, n.op("Constant", value_float=0.5))
    y = n.op("Add", y, n.op("Reshape", n.op("Constant", value_floats=[float(i) for i in range(6)]), n.op("Constant", value_ints=[1, 6, 1, 1])))
    finish(n, n.op("Gather", y, n.op("Constant", value_int=2), axis=1), y)


@corner(13)
def constant_of_shape(n):
    x = image(n)
    w = n.op("ConstantOfShape", n.ints(6, 4, 3, 3), value=helper.make_tensor("v", TensorProto.FLOAT, [1], [0.25]))
    zeros = n.op("ConstantOfShape", n.op("Shape", x))
    y = n.op("Conv", x, w, n.op("ConstantOfShape", n.ints(6)))
    finish(n, y, n.op("Add", x, n.op("Add", zeros, n.const(np.float32(1)))))


@corner(13)
def half_weights(n):
    """Half weights behind casts, as raw bytes and in int32_data; a bias as double."""
    x = image(n)
    raw = n.const(n.floats(6, 4, 3, 3, scale=0.3).astype(np.float16))
    words = n.floats(6, 6, 1, 1, scale=0.3).astype(np.float16)
    packed = TensorProto(name="packed", data_type=TensorProto.FLOAT16, dims=words.shape)
    packed.int32_data.extend(int(v) for v in words.view(np.uint16).ravel())
    n.initializers.append(packed)
    y = n.op("Conv", x, n.op("Cast", raw, to=TensorProto.FLOAT), n.op("Cast", n.const(n.floats(6).astype(np.float64)), to=TensorProto.FLOAT))
    finish(n, n.op("Conv", n.op("Relu", y), n.op("Cast", "packed", to=TensorProto.FLOAT)))


@corner(13)
def half_network(n):
    """Half inside, float at the edges; the other side rounds after every layer, so the bound is half's."""
    n.tolerance = 5e-3
    x = n.op("Cast", image(n), to=TensorProto.FLOAT16)
    y = n.op("Conv", x, n.const(n.floats(6, 4, 3, 3, scale=0.3).astype(np.float16)), n.const(n.floats(6).astype(np.float16)))
    y = n.op("GlobalAveragePool", n.op("Relu", y))
    finish(n, n.op("Cast", y, to=TensorProto.FLOAT))


@corner(13)
def typed_data(n):
    """Weights in float_data and int64_data instead of raw bytes."""
    x = image(n)
    w = n.floats(6, 4, 3, 3, scale=0.3)
    n.initializers.append(helper.make_tensor("w", TensorProto.FLOAT, w.shape, w.ravel().tolist()))
    n.initializers.append(helper.make_tensor("s", TensorProto.INT64, [2], [1, -1]))
    finish(n, n.op("Reshape", n.op("Conv", x, "w"), "s"))


@corner(13)
def external_data(n):
    n.external = f"{n.name}.data"
    x = n.conv(image(n), 8, 3)
    finish(n, n.conv(n.op("Relu", x), 5, 1))


@corner(8)
def initializers_as_inputs(n):
    n.initializers_as_inputs = True
    finish(n, n.conv(image(n), 8, 3))


@corner(13)
def shared_weights(n):
    """One weight for two layers, one of them with a batch norm behind it; one constant in two roles."""
    x, w, b = image(n), n.const(n.floats(4, 4, 3, 3, scale=0.3)), n.const(n.floats(4))
    y = n.op("Conv", x, w, b, pads=[1] * 4)
    n.channels[y] = 4
    z = n.batch_norm(n.op("Conv", y, w, pads=[1] * 4))
    finish(n, z, n.op("BatchNormalization", y, b, b, b, n.const(n.floats(4, low=0.5))))


# ---------------------------------------------------------------- the shape of a model

@corner(13)
def free_dimensions(n):
    """Batch, height and width free; a flatten computed from the shape."""
    x = n.input("x", ["n", 3, "h", "w"], n.floats(2, 3, 8, 6))
    n.channels[x] = 3
    y = n.op("Relu", n.conv(x, 4, 3, 2))
    shape = n.op("Shape", y)
    batch = n.op("Slice", shape, n.ints(0), n.ints(1), n.ints(0))
    a = n.op("Reshape", y, n.op("Concat", batch, n.ints(-1), axis=0))
    channels = n.op("Gather", shape, n.const(np.int64(1)), axis=0)
    b = n.op("Reshape", y, n.op("Concat", batch, n.op("Unsqueeze", channels, n.ints(0)), n.ints(-1), axis=0))
    area = n.op("Mul", n.op("Gather", shape, n.const(np.int64(2)), axis=0), n.op("Gather", shape, n.const(np.int64(3)), axis=0))
    whole = n.op("Concat", batch, n.ints(4), n.op("Unsqueeze", area, n.ints(0)), axis=0)
    finish(n, a, b, n.op("Reshape", y, n.op("Cast", whole, to=TensorProto.INT64)))


@corner(13)
def expand_by_shape(n):
    """How PyTorch writes expand: where(shape == -1, 1, shape)."""
    x = image(n, 4, 3, 5)
    shape = n.ints(2, -1, -1, -1)
    ones = n.op("ConstantOfShape", n.op("Shape", shape), value=helper.make_tensor("v", TensorProto.INT64, [1], [1]))
    target = n.op("Where", n.op("Equal", shape, n.op("Mul", ones, n.ints(-1))), ones, shape)
    finish(n, n.op("Expand", x, target))


@corner(13)
def inputs_and_outputs(n):
    """Several of each; an output from the middle, an output that is an input, one value as two outputs' source."""
    x, z = image(n), image(n, 2, name="z")
    y = n.conv(x, 6, 3)
    both = n.op("Concat", n.op("Relu", y), z, axis=1)
    finish(n, both, n.op("Identity", y), n.op("Identity", x), n.op("Identity", both), n.op("Sigmoid", y))


@corner(7, 13)
def do_nothing(n):
    x = n.op("Identity", image(n))
    y = n.op("Dropout", n.conv(x, 5, 3), **({"ratio": 0.5} if n.opset < 12 else {}))
    mask = n.op("Dropout", y, outputs=2, **({"ratio": 0.3} if n.opset < 12 else {}))
    finish(n, n.op("Relu", mask[0]), n.op("Identity", n.op("Identity", y)))


@corner(13)
def names(n):
    """Names that exporters make: dots, colons, slashes, blanks."""
    x = n.input("serving_default_image:0", [1, 3, 6, 6])
    y = n.conv(x, 4, 3)
    n.output(n.op("Relu", y), "StatefulPartitionedCall/a b.c:0")


@corner(13)
def unused(n):
    """An initializer and a node that nothing reads."""
    x = image(n)
    n.const(n.floats(3))
    n.op("Relu", n.conv(x, 3, 1))
    finish(n, n.conv(x, 4, 3))


@corner(13)
def residuals(n):
    """Sums around convolutions, in both orders, with activations on either side and a shared operand."""
    x = n.conv(image(n), 8, 3)
    a = n.op("Relu", n.op("Add", n.conv(x, 8, 3), x))
    b = n.op("Add", a, n.op("Relu", n.conv(a, 8, 3, group=8)))
    c = n.conv(b, 8, 1)
    d = n.op("Add", c, c)
    e = n.op("Add", n.conv(d, 8, 1), n.conv(d, 8, 3))
    f = n.op("Add", n.conv(e, 8, 1), n.op("GlobalAveragePool", e))
    finish(n, f, n.relu6(n.op("Add", n.op("Relu", n.conv(f, 8, 1)), f)), c)


@corner(13)
def batches(n):
    x = image(n, 3, 8, 8, batch=5)
    y = n.op("Relu", n.conv(n.conv(x, 6, 3, 2, group=3), 8, 1))
    y = n.op("Relu", n.conv(n.conv(y, 8, (3, 1)), 8, (1, 3)))
    finish(n, n.dense(n.op("Flatten", n.op("MaxPool", y, kernel_shape=[2, 2])), 72, 5), y)


@corner(13)
def odd_channels(n):
    """Channel counts that fill no vector."""
    x = image(n, 1, 7, 5)
    for out in (3, 7, 13, 17, 1):
        x = n.op("Relu", n.conv(n.conv(x, out, 1), out, 3, group=out))
    finish(n, x)


@corner(13)
def not_a_number(n):
    """NaN and infinity pass through as IEEE 754 says."""
    data = n.floats(1, 3, 6, 7)
    data[0, 0, 1, 1], data[0, 1, 4, 5], data[0, 2, 0, 0] = np.nan, np.inf, -np.inf
    x = n.input("x", [1, 3, 6, 7], data)
    finish(n, n.op("Relu", x), n.conv(x, 4, 1), n.op("LeakyRelu", x), n.op("GlobalAveragePool", x))


@corner(13)
def masks(n):
    """Choices by comparisons that the input decides, with broadcasting on every side."""
    x, y = image(n, 5, 6, 7), image(n, 5, 6, 7, name="z")
    zero, row = n.const(np.float32(0)), n.const(n.floats(7))
    above = n.op("And", n.op("Greater", x, zero), n.op("Not", n.op("Less", y, row)))
    either = n.op("Or", above, n.op("Xor", n.op("Equal", x, y), n.op("LessOrEqual", y, zero)))
    moved = n.op("Transpose", n.op("Reshape", either, n.ints(1, 5, 42)), perm=[0, 2, 1])
    number = n.op("Cast", moved, to=TensorProto.FLOAT)
    column = n.const(n.floats(5, 1, 1) > 0)
    conv = n.conv(n.op("Where", either, x, n.const(np.float32(-np.inf))), 5, 1)
    n.channels[conv] = 5
    finish(n, n.op("Where", above, x, y), n.op("Where", column, x, zero), number,
           n.op("Where", n.op("IsInf", conv), zero, n.op("Where", n.op("IsNaN", conv), row, conv)),
           n.op("Cast", n.op("Cast", n.op("Relu", x), to=TensorProto.BOOL), to=TensorProto.FLOAT),
           n.op("Mod", x, y, fmod=1))


@corner(13, 18)
def resize_filters(n):
    """Cubic, smoothed, and cut out of the input."""
    x = image(n, 3, 7, 9)
    none = ["", ""]
    parts = [n.op("Resize", x, *none, n.ints(1, 3, *size), mode="cubic", coordinate_transformation_mode=mode, cubic_coeff_a=a)
             for size, mode, a in (((14, 18), "half_pixel", -0.75), ((5, 4), "align_corners", -0.5),
                                   ((11, 20), "pytorch_half_pixel", -0.75), ((9, 10), "asymmetric", -0.6))]
    parts.append(n.op("Resize", x, "", n.const(n.floats(0)), n.ints(1, 3, 8, 8), mode="cubic", exclude_outside=1))
    if n.opset >= 18:
        parts += [n.op("Resize", x, *none, n.ints(1, 3, 4, 5), mode=mode, antialias=1) for mode in ("linear", "cubic")]
    region = n.const(np.array([0, 0, 0.1, -0.2, 1, 1, 0.8, 1.1], np.float32))
    parts.append(n.op("Resize", x, region, "", n.ints(1, 3, 6, 8), mode="linear", extrapolation_value=0.5,
                      coordinate_transformation_mode="tf_crop_and_resize"))
    finish(n, *parts)


@corner(16)
def grid_sample(n):
    """Positions inside and outside the image, in every mode; behind a convolution, so that the image is channels last."""
    x = n.conv(image(n, 3, 8, 9, batch=2), 6, 3)
    grid = n.input("grid", [2, 5, 4, 2], n.floats(2, 5, 4, 2, low=-1.4, scale=2.8))
    finish(n, *[n.op("GridSample", x, grid, mode=mode, padding_mode=padding, align_corners=aligned)
                for mode in ("bilinear", "nearest", "bicubic") for padding in ("zeros", "border", "reflection")
                for aligned in (0, 1)])


@corner(18)
def scattered(n):
    """Elements picked and replaced by constant indices."""
    x = image(n, 4, 5, 6)
    four = n.const(np.array([[[[0, 3], [-1, 1]]]], np.int64))
    tuples = n.const(np.array([[0, 1, 2], [0, 3, -1], [0, 1, 2]], np.int64))
    rows = n.const(n.floats(3, 6))
    parts = [n.op("GatherElements", x, n.const(np.arange(1 * 4 * 5 * 3).reshape(1, 4, 5, 3) % 6 - 3), axis=3),
             n.op("GatherND", x, tuples), n.op("GatherND", x, n.const(np.array([[[1, 2], [3, -5]]], np.int64)), batch_dims=1),
             n.op("ScatterElements", x, four, n.const(n.floats(1, 1, 2, 2)), axis=2),
             n.op("ScatterND", x, n.const(np.array([[0, 2, 1], [0, 0, 4]], np.int64)), n.input("rows", [2, 6]))]
    parts += [n.op("ScatterND", x, tuples, rows, reduction=reduction) for reduction in ("add", "mul", "max", "min")]
    finish(n, *parts, n.op("Tile", x, n.ints(2, 1, 3, 2)))


@corner(18)
def norms_by_parts(n):
    """Normalisations and reductions that become several ops."""
    x = image(n, 4, 5, 6)
    large = n.op("Mul", x, n.const(np.float32(60)))
    finish(n, n.op("LpNormalization", x, axis=1, p=2), n.op("LpNormalization", x, axis=-1, p=1),
           n.op("MeanVarianceNormalization", x, axes=[0, 2, 3]), n.op("ReduceLogSumExp", large, n.ints(1, 2)),
           n.op("ReduceLogSumExp", large, n.ints(3), keepdims=0), n.op("ReduceLogSum", n.op("Abs", x), n.ints(-1)),
           *n.op("LayerNormalization", x, n.const(n.floats(5, 6)), n.const(n.floats(5, 6)), axis=2, outputs=3))
