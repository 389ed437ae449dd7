#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Gives all engines of the comparison the same files to start from.

    prepare.py GOLDEN-FOLDER OUT-FOLDER NAME ...

Takes networks, inputs and onnxruntime's answers of tests/golden/make_networks.py. Writes NAME.onnx without what some of
the converters stumble over and none needs: weights that are listed as inputs (they would not count as constants), padding
given by name instead of numbers, and outputs without their shape. Beside it NAME.x.npy, NAME.x_last.npy (channels last) and NAME.y.npy. Files that
would not change are left alone.
"""
import io
import json
import pathlib
import sys

import numpy as np
import onnx
from onnx import helper, shape_inference


def constant_weights(model):
    weights = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in weights]
    del model.graph.input[:]
    model.graph.input.extend(inputs)
    model.ir_version = max(model.ir_version, 4)  # older files have to list their weights


def same_upper(extents, kernel, strides, dilations):
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilations)]
    total = [max((-(-n // s) - 1) * s + r - n, 0) for n, s, r in zip(extents, strides, reach)]
    return [t // 2 for t in total] + [t - t // 2 for t in total]


def padding_in_numbers(model):
    inferred = shape_inference.infer_shapes(model, strict_mode=True).graph
    shapes = {value.name: [d.dim_value for d in value.type.tensor_type.shape.dim]
              for value in [*inferred.value_info, *inferred.input]}
    for node in model.graph.node:
        attributes = {a.name: a for a in node.attribute}
        auto = attributes.get("auto_pad")
        if auto is None or auto.s == b"NOTSET":
            continue
        if auto.s != b"SAME_UPPER":
            sys.exit(f"prepare: {node.op_type} '{node.name}': auto_pad {auto.s.decode()} is not provided for")
        kernel = list(attributes["kernel_shape"].ints)
        ones = [1] * len(kernel)
        strides, dilations = (list(attributes[a].ints) if a in attributes else ones for a in ("strides", "dilations"))
        node.attribute.remove(auto)
        pads = same_upper(shapes[node.input[0]][2:], kernel, strides, dilations)
        node.attribute.append(helper.make_attribute("pads", pads))


def shapes_of_outputs(model):
    inferred = {value.name: value for value in shape_inference.infer_shapes(model, strict_mode=True).graph.output}
    for value in model.graph.output:
        value.CopyFrom(inferred[value.name])


def write(path, data):
    if not path.exists() or path.read_bytes() != data:
        path.write_bytes(data)


def array(data):
    file = io.BytesIO()
    np.save(file, np.ascontiguousarray(data))
    return file.getvalue()


def main():
    golden, out, *names = sys.argv[1:]
    golden, out = pathlib.Path(golden), pathlib.Path(out)
    manifest = json.loads((golden / "manifest.json").read_text())["networks"]
    out.mkdir(parents=True, exist_ok=True)
    for name in names:
        model = onnx.load(golden / f"{name}.onnx")
        constant_weights(model)
        padding_in_numbers(model)
        shapes_of_outputs(model)
        write(out / f"{name}.onnx", model.SerializeToString(deterministic=True))
        (x,), (y,) = ([np.load(golden / file) for file in manifest[name][kind].values()] for kind in ("inputs", "outputs"))
        write(out / f"{name}.x.npy", array(x))
        write(out / f"{name}.x_last.npy", array(x.transpose(0, 2, 3, 1)))
        write(out / f"{name}.y.npy", array(y))


if __name__ == "__main__":
    main()
