# SPDX-License-Identifier: Apache-2.0
"""Published convolutional networks at their full size, and the layers of the project's beginning, as ONNX exporters
write them. Each function fills a Net; ARCHITECTURES lists them."""
import numpy as np

ARCHITECTURES = {}


def network(opset, name=None):
    def register(function):
        ARCHITECTURES[name or function.__name__] = (opset, function)
        return function
    return register


def divisible(value, by=8):
    """Channel counts are rounded to multiples, never by more than a tenth downwards (Sandler et al. 2018)."""
    result = max(by, int(value + by / 2) // by * by)
    return result + by if result < 0.9 * value else result


# ---------------------------------------------------------------- MobileNets

@network(9)
def mobilenet_v1(n):
    """Howard et al. 2017, width 1.0, as Keras builds it: stride 2 pads at the end only, batch norm kept."""
    def unit(x, out, k, s, group=1):
        pads = [0, 0, 1, 1] if s == 2 else None
        x = n.conv(x, out, k, s, pads=pads, group=group, bias=False)
        return n.relu6(n.batch_norm(x, 1e-3))

    x = unit(n.input("x", [1, 3, 224, 224]), 32, 3, 2)
    for out, s in [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)] + [(512, 1)] * 5 + [(1024, 2), (1024, 1)]:
        c = n.channels[x]
        x = unit(unit(x, c, 3, s, group=c), out, 1, 1)
    x = n.op("Dropout", n.op("GlobalAveragePool", x), ratio=0.001)
    x = n.op("Reshape", n.conv(x, 1000, 1, gain=16.0), n.ints(-1, 1000))
    n.output(n.op("Softmax", x, axis=1), "y")


def inverted_residual(n, x, out, k, s, expand, act, squeeze=None, **conv):
    """Expand, depthwise, squeeze-excite, project; with a residual where the shape stays."""
    c = n.channels[x]
    y = act(n.conv(x, expand, 1)) if expand != c else x
    y = n.conv(y, expand, k, s, group=expand, **conv)
    y = act(y)
    if squeeze:
        y = squeeze(y)
    y = n.conv(y, out, 1, gain=1.0)
    return n.op("Add", x, y) if s == 1 and c == out else y


@network(11)
def mobilenet_v2(n):
    """Sandler et al. 2018, width 1.0, as PyTorch exports it: batch norm folded."""
    x = n.relu6(n.conv(n.input("x", [1, 3, 224, 224]), 32, 3, 2))
    for t, out, count, s in [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2),
                             (6, 320, 1, 1)]:
        for i in range(count):
            x = inverted_residual(n, x, out, 3, s if i == 0 else 1, t * n.channels[x], n.relu6)
    x = n.op("GlobalAveragePool", n.relu6(n.conv(x, 1280, 1)))
    n.output(n.dense(n.op("Flatten", x, axis=1), 1280, 1000), "y")


@network(14)
def mobilenet_v3_large(n):
    """Howard et al. 2019: h-swish and squeeze-excite."""
    def squeeze(x):
        c = n.channels[x]
        y = n.op("Relu", n.conv(n.op("GlobalAveragePool", x), divisible(c / 4), 1))
        return n.op("Mul", n.op("HardSigmoid", n.conv(y, c, 1), alpha=1 / 6, beta=0.5), x)

    def relu(x):
        return n.op("Relu", x)

    def h_swish(x):
        return n.op("HardSwish", x)

    x = h_swish(n.conv(n.input("x", [1, 3, 224, 224]), 16, 3, 2))
    for k, expand, out, se, act, s in [
            (3, 16, 16, 0, relu, 1), (3, 64, 24, 0, relu, 2), (3, 72, 24, 0, relu, 1), (5, 72, 40, 1, relu, 2),
            (5, 120, 40, 1, relu, 1), (5, 120, 40, 1, relu, 1), (3, 240, 80, 0, h_swish, 2), (3, 200, 80, 0, h_swish, 1),
            (3, 184, 80, 0, h_swish, 1), (3, 184, 80, 0, h_swish, 1), (3, 480, 112, 1, h_swish, 1),
            (3, 672, 112, 1, h_swish, 1), (5, 672, 160, 1, h_swish, 2), (5, 960, 160, 1, h_swish, 1),
            (5, 960, 160, 1, h_swish, 1)]:
        x = inverted_residual(n, x, out, k, s, expand, act, squeeze if se else None)
    x = n.op("Flatten", n.op("GlobalAveragePool", h_swish(n.conv(x, 960, 1))), axis=1)
    n.output(n.dense(h_swish(n.dense(x, 960, 1280)), 1280, 1000), "y")


@network(13)
def efficientnet_lite0(n):
    """Tan and Le 2019 in its Lite form: no squeeze-excite, ReLU6, TensorFlow's SAME padding."""
    same = {"auto_pad": "SAME_UPPER"}
    x = n.relu6(n.conv(n.input("x", [1, 3, 224, 224]), 32, 3, 2, **same))
    for t, out, count, s, k in [(1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 40, 2, 2, 5), (6, 80, 3, 2, 3), (6, 112, 3, 1, 5),
                                (6, 192, 4, 2, 5), (6, 320, 1, 1, 3)]:
        for i in range(count):
            x = inverted_residual(n, x, out, k, s if i == 0 else 1, t * n.channels[x], n.relu6, **same)
    x = n.op("Flatten", n.op("GlobalAveragePool", n.relu6(n.conv(x, 1280, 1))), axis=1)
    n.output(n.dense(x, 1280, 1000), "y")


# ---------------------------------------------------------------- others

@network(12)
def xception(n):
    """Chollet 2017 as Keras builds it, at 299 x 299: separable convolutions without an activation inside, batch norm kept,
    the classifier as a product and a sum."""
    def relu(x):
        return n.op("Relu", x)

    def separable(x, out, gain=2.0):
        c = n.channels[x]
        x = n.conv(x, c, 3, group=c, bias=False, gain=1.0)
        return n.batch_norm(n.conv(x, out, 1, bias=False, gain=gain), 1e-3)

    def entry(x, out, first):
        shortcut = n.batch_norm(n.conv(x, out, 1, 2, bias=False, gain=1.0, auto_pad="SAME_UPPER"), 1e-3)
        x = separable(x if first else relu(x), out)
        x = separable(relu(x), out)
        return n.op("Add", n.op("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], auto_pad="SAME_UPPER"), shortcut)

    x = relu(n.batch_norm(n.conv(n.input("x", [1, 3, 299, 299]), 32, 3, 2, pads=[0] * 4, bias=False), 1e-3))
    x = relu(n.batch_norm(n.conv(x, 64, 3, pads=[0] * 4, bias=False), 1e-3))
    for out in (128, 256, 728):
        x = entry(x, out, out == 128)
    for _ in range(8):
        y = separable(relu(separable(relu(x), 728)), 728)
        x = n.op("Add", separable(relu(y), 728, gain=0.2), x)  # small branches: eight sums shall not blow up
    shortcut = n.batch_norm(n.conv(x, 1024, 1, 2, bias=False, gain=1.0, auto_pad="SAME_UPPER"), 1e-3)
    x = separable(relu(separable(relu(x), 728)), 1024)
    x = n.op("Add", n.op("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], auto_pad="SAME_UPPER"), shortcut)
    x = relu(separable(relu(separable(x, 1536, gain=0.2)), 2048, gain=0.2))
    x = n.op("ReduceMean", x, axes=[2, 3], keepdims=0)
    x = n.op("MatMul", x, n.const(n.floats(2048, 1000, scale=np.sqrt(1 / 2048))))
    n.output(n.op("Softmax", n.op("Add", x, n.const(n.floats(1000, scale=0.1))), axis=-1), "y")


@network(8)
def resnet18(n):
    """He et al. 2016, batch norm kept, weights listed as inputs too, as files of this age have them."""
    n.initializers_as_inputs = True

    def block(x, out, s):
        y = n.op("Relu", n.batch_norm(n.conv(x, out, 3, s, bias=False)))
        y = n.batch_norm(n.conv(y, out, 3, bias=False, gain=1.0))
        shortcut = n.batch_norm(n.conv(x, out, 1, s, bias=False, gain=1.0)) if s == 2 else x
        return n.op("Relu", n.op("Add", y, shortcut))

    x = n.op("Relu", n.batch_norm(n.conv(n.input("x", [1, 3, 224, 224]), 64, 7, 2, bias=False)))
    x = n.op("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    for out in (64, 128, 256, 512):
        x = block(block(x, out, 1 if out == 64 else 2), out, 1)
    x = n.op("Reshape", n.op("GlobalAveragePool", x), n.ints(1, -1))
    n.output(n.dense(x, 512, 1000), "y")


@network(17)
def shufflenet_v2(n):
    """Ma et al. 2018, width 1.0: channel split and shuffle, written with a free batch dimension."""
    def relu(x):
        return n.op("Relu", x)

    def shuffle(x, c, side):
        shape = n.op("Shape", x)
        batch = n.op("Unsqueeze", n.op("Gather", shape, n.const(np.int64(0)), axis=0), n.ints(0))
        x = n.op("Reshape", x, n.op("Concat", batch, n.ints(2, c // 2, side, side), axis=0))
        x = n.op("Transpose", x, perm=[0, 2, 1, 3, 4])
        x = n.op("Reshape", x, n.op("Concat", batch, n.ints(-1, side, side), axis=0))
        n.channels[x] = c
        return x

    def branch(x, out, s):
        x = relu(n.conv(x, out, 1))
        return relu(n.conv(n.conv(x, out, 3, s, group=out, gain=1.0), out, 1))

    def unit(x, out, s, side):
        half = out // 2
        if s == 1:
            left, right = n.op("Split", x, n.ints(half, half), outputs=2, axis=1)
            n.channels[right] = half
        else:
            c = n.channels[x]
            left, right = relu(n.conv(n.conv(x, c, 3, 2, group=c, gain=1.0), half, 1)), x
        return shuffle(n.op("Concat", left, branch(right, half, s), axis=1), out, side)

    data = n.rng.standard_normal((1, 3, 224, 224))
    x = relu(n.conv(n.input("x", ["batch", 3, 224, 224], data), 24, 3, 2))
    x = n.op("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    for out, count, side in [(116, 4, 28), (232, 8, 14), (464, 4, 7)]:
        for i in range(count):
            x = unit(x, out, 2 if i == 0 else 1, side)
    x = n.op("ReduceMean", relu(n.conv(x, 1024, 1)), axes=[2, 3], keepdims=0)
    n.output(n.dense(x, 1024, 1000), "y")


@network(21)
def spatial_5x1(n):
    """Spatially separable: every convolution but the first is 5 x 1, then 1 x 5, half of the pairs with an activation
    between the two."""
    x = n.op("Relu", n.conv(n.input("x", [1, 3, 224, 224]), 64, 7, 4))
    for out in (64, 128, 256):
        for i in range(4):
            s = 2 if i == 0 and out != 64 else 1
            linear = i % 2 == 1
            y = n.conv(x, out, (5, 1), (s, 1), bias=not linear, gain=1.0 if linear else 2.0)
            x = n.op("Relu", n.conv(y if linear else n.op("Relu", y), out, (1, 5), (1, s)))
    x = n.op("Flatten", n.op("GlobalAveragePool", x), axis=1)
    n.output(n.dense(x, 256, 1000), "y")


# ---------------------------------------------------------------- the layers of the beginning

def plain(n, x, *args, **kwargs):
    """Valid padding, no bias."""
    return n.conv(x, *args, pads=[0] * 4, bias=False, gain=1.0, **kwargs)


@network(13)
def seed_dense(n):
    x = n.op("Flatten", n.input("x", [1, 3, 12, 12]), axis=1)
    n.output(n.op("MatMul", x, n.const(n.floats(432, 64, scale=0.05))), "y")


@network(13)
def seed_conv(n):
    n.output(plain(n, n.input("x", [1, 3, 12, 12]), 1, 5), "y")


@network(13)
def seed_conv_64(n):
    n.output(plain(n, n.input("x", [1, 3, 12, 12]), 64, 5), "y")


@network(13)
def seed_spatial(n):
    n.output(plain(n, plain(n, n.input("x", [1, 3, 12, 12]), 1, (5, 1)), 1, (1, 5)), "y")


@network(13)
def seed_depthwise(n):
    n.output(plain(n, n.input("x", [1, 3, 12, 12]), 3, 5, group=3), "y")


@network(13)
def seed_depthwise_m4(n):
    n.output(plain(n, n.input("x", [1, 3, 12, 12]), 12, 5, group=3), "y")


@network(13)
def seed_pointwise(n):
    n.output(plain(n, n.input("x", [1, 3, 8, 8]), 64, 1), "y")


@network(13)
def seed_separable(n):
    n.output(plain(n, plain(n, n.input("x", [1, 3, 12, 12]), 3, 5, group=3), 1, 1), "y")


@network(13)
def seed_separable_64(n):
    n.output(plain(n, plain(n, n.input("x", [1, 3, 12, 12]), 3, 5, group=3), 64, 1), "y")
