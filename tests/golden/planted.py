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
    """Pairs with nothing between them, few output channels: better as one."""
    x = net.input("x", [1, 3, 64, 64])
    x = net.conv(x, 3, 5, group=3, bias=True)
    net.nodes[-1].name = "depthwise"
    x = net.conv(x, 4, 1, pads=[0] * 4)
    net.nodes[-1].name = "pointwise"
    x = net.op("Relu", x)
    x = net.conv(x, 2, (3, 1), pads=[1, 0, 1, 0], bias=False)
    net.nodes[-1].name = "column"
    x = net.conv(x, 4, (1, 3), pads=[0, 1, 0, 1])
    net.nodes[-1].name = "row"
    net.output(x, "y")


PLANTED = {
    "planted_kinds": kinds,
    "planted_bank": bank,
    "planted_folds": folds,
    "planted_dense_64": lambda net, layers: dense(net, layers, 64, 56, 32),
    "planted_dense_128": lambda net, layers: dense(net, layers, 128, 28, 48),
    "planted_dense_256": lambda net, layers: dense(net, layers, 256, 14, 64),
}


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    expected = {}
    for name, fill in PLANTED.items():
        net = Net(name, 13)
        layers = {}
        fill(net, layers)
        model = net.model()
        shape = next(v for v in onnx.shape_inference.infer_shapes(model).graph.output).type
        model.graph.output[0].type.CopyFrom(shape)  # the checker wants it
        onnx.save(model, folder / f"{name}.onnx")
        expected[name] = layers
    (folder / "planted.json").write_text(json.dumps(expected, indent=1))


if __name__ == "__main__":
    main()
