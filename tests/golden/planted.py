#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Networks whose convolutions separate in ways that are known, with what has to be found: planted.json beside them.

    planted.py FOLDER
"""
import json
import pathlib
import sys

import numpy as np
import onnx
from onnx import TensorProto

from net import Net


def spatial(net, out, channels, k, rank, groups=1):
    """Weights that are a sum of `rank` products (i, y) x (x, o) in each group, rounded to float32."""
    parts = []
    for _ in range(groups):
        a = net.rng.standard_normal((rank, channels // groups, k))
        b = net.rng.standard_normal((rank, k, out // groups))
        parts.append(np.einsum("riy,rxo->oiyx", a, b))
    return scaled(np.concatenate(parts))


def separable(net, out, channels, k, multiplier):
    """Weights that are depthwise filters, `multiplier` a channel, then a pointwise convolution."""
    d = net.rng.standard_normal((multiplier, channels, k, k))
    p = net.rng.standard_normal((multiplier, out, channels))
    return scaled(np.einsum("miyx,moi->oiyx", d, p))


def low_rank(net, out, channels, rank):
    return scaled((net.rng.standard_normal((out, rank)) @ net.rng.standard_normal((rank, channels)))[:, :, None, None])


def full(net, out, channels, k):
    return scaled(net.rng.standard_normal((out, channels, k, k)))


def scaled(w):
    """So that outputs are as large as inputs, in float32."""
    return (w * np.sqrt(1 / np.sum(w * w) * w.shape[0])).astype(np.float32)


def found(form, rank):
    return {"form": form, "rank": rank}


def add(net, x, weight, k, expected, layers, name, **attributes):
    attributes.setdefault("pads", [k // 2] * 4)
    x = net.conv(x, weight.shape[0], k, weight=net.const(weight), bias=True, **attributes)
    net.nodes[-1].name = name
    layers[name] = expected
    return net.op("Relu", x)


def kinds(net, layers):
    """Every planted structure in one network."""
    x = net.input("x", [1, 32, 14, 14])
    x = add(net, x, spatial(net, 48, 32, 5, 1), 5, found("spatial", 1), layers, "rank_1")
    x = add(net, x, spatial(net, 48, 48, 5, 2), 5, found("spatial", 2), layers, "rank_2")
    x = add(net, x, spatial(net, 96, 48, 5, 32), 5, found("spatial", 32), layers, "rank_32")
    x = add(net, x, separable(net, 64, 96, 3, 1), 3, found("depthwise", 1), layers, "multiplier_1")
    x = add(net, x, separable(net, 64, 64, 3, 2), 3, found("depthwise", 2), layers, "multiplier_2")
    x = add(net, x, full(net, 64, 64, 3), 3, None, layers, "full")
    x = add(net, x, low_rank(net, 128, 64, 8), 1, found("low rank", 8), layers, "pointwise_8", pads=[0] * 4)
    x = add(net, x, full(net, 64, 128, 1), 1, None, layers, "pointwise_full", pads=[0] * 4)
    x = add(net, x, spatial(net, 64, 64, 5, 3, groups=2), 5, found("spatial", 3), layers, "groups_of_rank_3", group=2)
    x = add(net, x, spatial(net, 64, 64, 5, 1, groups=64), 5, found("spatial", 1), layers, "depthwise_rank_1", group=64)
    x = add(net, x, full(net, 64, 1, 5), 5, None, layers, "depthwise_full", group=64)
    x = add(net, x, spatial(net, 32, 64, 3, 4), 3, found("spatial", 4), layers, "strides", s=(2, 1),
            pads=[1, 0, 2, 1])
    net.output(x, "y")


def dense(net, layers, channels, extent, rank, depth=3):
    """A 5 x 5 dense network of one rank."""
    x = net.input("x", [1, channels, extent, extent])
    for i in range(depth):
        x = add(net, x, spatial(net, channels, channels, 5, rank), 5, found("spatial", rank), layers, f"layer_{i}")
    net.output(x, "y")


def near(net, layers):
    """Low rank but for a thousandth: exact only at full rank, and cheap within a tolerance."""
    x = net.input("x", [1, 64, 28, 28])
    for i in range(2):
        w = spatial(net, 64, 64, 5, 8) + np.float32(1e-3) * full(net, 64, 64, 5)
        x = add(net, x, w.astype(np.float32), 5, None, {}, f"layer_{i}")
    net.output(net.op("Flatten", net.op("GlobalAveragePool", x)), "y")


def bank(net, layers):
    """Gauss and Sobel filters of several widths on grey pictures: what a picture pyramid would use."""
    t = np.arange(-5, 6, dtype=np.float64)
    columns, filters = [], []
    for sigma in (1.0, 2.0):
        g = np.exp(-t * t / (2 * sigma * sigma))
        columns.append((g / g.sum(), -t / sigma**2 * g / g.sum()))
    for g, d in columns:
        filters += [np.outer(g, g), np.outer(d, g), np.outer(g, d)]
    w = np.stack(filters)[:, None].astype(np.float32)
    x = net.input("x", [1, 1, 256, 256])
    x = net.conv(x, len(filters), 11, weight=net.const(w), bias=False, pads=[5] * 4)
    net.nodes[-1].name = "bank"
    layers["bank"] = found("spatial", 4)
    net.output(x, "y")


def folds(net, layers):
    """Pairs with nothing between them: with one output channel they have fewer multiplications as one."""
    x = net.input("x", [1, 3, 64, 64])
    x = net.conv(x, 3, 3, group=3, bias=True)
    x = net.conv(x, 1, 1, pads=[0] * 4)
    net.nodes[-1].name = "pointwise"
    x = net.op("Relu", x)
    x = net.conv(x, 4, (3, 1), pads=[1, 0, 1, 0], bias=False)
    x = net.conv(x, 1, (1, 3), pads=[0, 1, 0, 1])
    net.nodes[-1].name = "row"
    net.output(x, "y")


def written_oddly(net, layers, kind):
    """A layer that is far faster separated, in files of several kinds."""
    if kind == "automatic":
        x = net.input("x", ["N", 64, "H", "W"], net.floats(1, 64, 13, 15))
    else:
        x = net.input("x", [1, 64, 14, 14], dtype=np.float16 if kind == "half" else np.float32)
    net.channels["x"] = 64
    w = spatial(net, 64, 64, 5, 2)
    if kind == "constant":
        weight = net.op("Constant", value=onnx.numpy_helper.from_array(w, "inner"))
    else:
        weight = net.const(w.astype(np.float16) if kind == "half" else w)
    extra = {"auto_pad": "SAME_UPPER", "s": 2} if kind == "automatic" else {}
    x = net.conv(x, 64, 5, weight=weight, bias=False, **extra)
    net.nodes[-1].name = "layer"
    layers["layer"] = None if kind == "half" else found("spatial", 2)
    if kind == "half":
        layers.clear()
    net.output(net.op("Relu", x), "y", TensorProto.FLOAT16 if kind == "half" else TensorProto.FLOAT)
    if kind == "old":
        net.initializers_as_inputs = True
        net.ir_version = 3
    if kind == "external":
        net.external = f"{net.name}.data"


def nothing(net, layers):
    """Weights of zeros, of 1 x 1, a stride beyond the kernel, one channel: left alone, or right."""
    x = net.input("x", [1, 1, 20, 20])
    x = net.conv(x, 1, 3, weight=net.const(full(net, 1, 1, 3)))
    x = net.conv(x, 4, 3, weight=net.const(np.zeros((4, 1, 3, 3), np.float32)))
    x = net.conv(x, 4, 1, group=4, pads=[0] * 4)
    x = net.conv(x, 6, 3, s=7)
    net.output(net.op("Flatten", x), "y")


# name -> (opset, fill, options, error that the outputs may have, layers that are rewritten where time is multiplications)
PLANTED = {
    "planted_kinds": (13, kinds, [], 1e-5, ["rank_1", "rank_2", "rank_32", "multiplier_1", "multiplier_2", "pointwise_8",
                                            "groups_of_rank_3", "depthwise_rank_1", "strides"]),
    "planted_bank": (13, bank, [], 1e-5, ["bank"]),
    "planted_folds": (13, folds, [], 1e-5, ["pointwise", "row"]),
    "planted_nothing": (13, nothing, [], 1e-5, []),
    "planted_dense_64": (13, lambda n, l: dense(n, l, 64, 56, 32), [], 1e-5, ["layer_0", "layer_1", "layer_2"]),
    "planted_dense_128": (13, lambda n, l: dense(n, l, 128, 28, 48), [], 1e-5, ["layer_0", "layer_1", "layer_2"]),
    "planted_dense_256": (13, lambda n, l: dense(n, l, 256, 14, 64), [], 1e-5, ["layer_0", "layer_1", "layer_2"]),
    "planted_near": (13, lambda n, l: near(n, l), ["--tolerance", "0.02"], 0.02, ["layer_0", "layer_1"]),
    "planted_target": (13, lambda n, l: near(n, l), ["--target-speedup", "1.5"], 1.0, ["layer_0"]),
    "planted_constant": (13, lambda n, l: written_oddly(n, l, "constant"), [], 1e-5, ["layer"]),
    "planted_external": (13, lambda n, l: written_oddly(n, l, "external"), [], 1e-5, ["layer"]),
    "planted_old": (8, lambda n, l: written_oddly(n, l, "old"), [], 1e-5, ["layer"]),
    "planted_automatic": (15, lambda n, l: written_oddly(n, l, "automatic"), ["--shape", "x=1x64x13x15"], 1e-5, ["layer"]),
    "planted_half": (13, lambda n, l: written_oddly(n, l, "half"), ["--tolerance", "0.02"], 0.02, ["layer"]),
}


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    expected = {}
    for name, (opset, fill, options, tolerance, rewritten) in PLANTED.items():
        net = Net(name, opset)
        layers = {}
        fill(net, layers)
        inferred = onnx.shape_inference.infer_shapes(net.model(), data_prop=True).graph
        net.outputs[0].type.CopyFrom(inferred.output[0].type)  # the checker wants its shape
        net.save(folder / f"{name}.onnx")
        expected[name] = {"layers": layers, "options": options, "tolerance": tolerance, "rewritten": rewritten}
    (folder / "planted.json").write_text(json.dumps(expected, indent=1))


if __name__ == "__main__":
    main()
