#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make_filters.py FOLDER: gauss.onnx and sobel.onnx, for grey pictures of any size. Needs the package onnx.

A Gaussian of n x n is a column times a row, so two convolutions of n values each do what one of n * n does. Sobel's two
3 x 3 kernels, each a smoothing column times a difference row or the other way round, are two such pairs.
"""
import pathlib
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def gauss(sigma, taps):
    x = np.arange(taps) - taps // 2
    w = np.exp(-x * x / (2 * sigma * sigma))
    return (w / w.sum()).astype(np.float32)


def column_and_row(columns, rows):
    """For each channel one column filter and one row filter: x -> column -> row, same size."""
    n, taps = columns.shape
    half = taps // 2
    weights = [numpy_helper.from_array(columns.reshape(n, 1, taps, 1), "columns"),
               numpy_helper.from_array(rows.reshape(n, 1, 1, taps), "rows")]
    nodes = [helper.make_node("Conv", ["x", "columns"], ["t"], kernel_shape=[taps, 1], pads=[half, 0, half, 0]),
             helper.make_node("Conv", ["t", "rows"], ["y"], kernel_shape=[1, taps], pads=[0, half, 0, half], group=n)]
    graph = helper.make_graph(nodes, "filter", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, "h", "w"])],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, n, "h", "w"])], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    return model


def main():
    folder = pathlib.Path(sys.argv[1])
    g = gauss(2.0, 11)
    onnx.save(column_and_row(g[None], g[None]), folder / "gauss.onnx")
    smooth, difference = np.float32([1, 2, 1]), np.float32([-1, 0, 1])
    onnx.save(column_and_row(np.stack([smooth, difference]), np.stack([difference, smooth])), folder / "sobel.onnx")


if __name__ == "__main__":
    main()
