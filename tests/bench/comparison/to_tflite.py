#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the comparison's ONNX networks as TFLite files, channels last, the way TensorFlow's converter would have them.

    to_tflite.py NETWORK.onnx NETWORK.tflite

Runs where ai-edge-litert (its schema), flatbuffers, onnx and numpy are installed. Batch norms go into the weights and
activations into the convolutions, since LiteRT does neither itself. Whatever it cannot say exactly it refuses.
"""
import argparse
import pathlib
import sys

import numpy as np
import onnx
from onnx import helper, numpy_helper

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "golden"))
from tflite_file import ACTIVATION, PADDING, File  # noqa: E402


class Refused(Exception):
    """What has no exact form; the text names the node."""


def need(condition, node, why):
    if not condition:
        raise Refused(f"{node.op_type} '{node.name}': {why}")


class Converter:
    """Walks an ONNX graph in order. shapes and index are of the channels-last tensors that stand for its values."""

    def __init__(self, model):
        self.graph, self.file = model.graph, File()
        self.opset = model.opset_import[0].version
        self.weights = {t.name: numpy_helper.to_array(t) for t in self.graph.initializer}
        self.uses = {}
        for node in self.graph.node:
            for name in node.input:
                self.uses.setdefault(name, []).append(node)
        self.inputs, self.index, self.shapes, self.done = [], {}, {}, set()
        self.not_negative = set()  # values that cannot be below zero, so that padding by zero is padding by the lowest

    def convert(self):
        """The file's bytes."""
        for value in (i for i in self.graph.input if i.name not in self.weights):
            self.inputs.append(value.name)
            self.value(value.name, channels_last([d.dim_value for d in value.type.tensor_type.shape.dim]))
        for node in self.graph.node:
            if id(node) in self.done:
                continue
            emit = getattr(self, "on_" + node.op_type, None)
            need(emit, node, "the writer does not know it")
            emit(node, {a.name: helper.get_attribute_value(a) for a in node.attribute})
        self.file.inputs = [self.index[name] for name in self.inputs]
        self.file.outputs = [self.index[o.name] for o in self.graph.output]
        return self.file.pack()

    # ------------------------------------------------------------ values

    def value(self, name, shape):
        self.index[name], self.shapes[name] = self.file.tensor(name, shape), list(shape)
        return self.index[name]

    def alias(self, node):
        source, target = node.input[0], node.output[0]
        self.index[target], self.shapes[target] = self.index[source], self.shapes[source]

    def follower(self, name, *kinds):
        """The only node that uses a value, if it is of one of these kinds and the value is no output of the network."""
        users = self.uses.get(name, [])
        fits = len(users) == 1 and users[0].op_type in kinds and name not in [o.name for o in self.graph.output]
        return users[0] if fits else None

    def activation(self, name):
        """Takes in an activation that follows. Gives its code and the name of the value behind it."""
        node = self.follower(name, "Relu", "Clip")
        if node is None or (node.op_type == "Clip" and self.clip_range(node) != (0, 6)):
            return ACTIVATION.NONE, name
        self.done.add(id(node))
        self.not_negative.add(node.output[0])
        return ACTIVATION.RELU if node.op_type == "Relu" else ACTIVATION.RELU6, node.output[0]

    def clip_range(self, node):
        attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        bounds = [attributes.get("min"), attributes.get("max")]
        for i, name in enumerate(node.input[1:]):
            bounds[i] = float(self.weights[name]) if name else None
        return tuple(bounds)

    # ------------------------------------------------------------ convolutions

    def on_Conv(self, node, attributes):
        weight = self.weights[node.input[1]].astype(np.float32)
        bias = self.weights[node.input[2]] if len(node.input) > 2 else np.zeros(weight.shape[0], np.float32)
        weight, bias, name = self.with_batch_norm(node.output[0], weight, bias)
        code, name = self.activation(name)
        group, channels = attributes.get("group", 1), self.shapes[node.input[0]][3]
        need(group in (1, channels), node, f"{group} groups of {channels} channels")
        depthwise = group == channels and group > 1
        source, padding, extents = self.padded(node, attributes, node.input[0], weight.shape[2:])
        kernel = weight.reshape(1, weight.shape[0], *weight.shape[2:]) if depthwise else weight
        inputs = [source, self.file.constant(kernel.transpose((0, 2, 3, 1))), self.file.constant(bias.astype(np.float32))]
        strides, dilations = attributes.get("strides", [1, 1]), attributes.get("dilations", [1, 1])
        fields = dict(padding=padding, strideH=strides[0], strideW=strides[1], dilationHFactor=dilations[0],
                      dilationWFactor=dilations[1], fusedActivationFunction=code)
        if depthwise:
            fields["depthMultiplier"] = weight.shape[0] // group
        output = self.value(name, [self.shapes[node.input[0]][0], *extents, weight.shape[0]])
        kind = "DEPTHWISE_CONV_2D" if depthwise else "CONV_2D"
        self.file.operator(kind, inputs, [output], "DepthwiseConv2DOptions" if depthwise else "Conv2DOptions", **fields)

    def with_batch_norm(self, name, weight, bias):
        node = self.follower(name, "BatchNormalization")
        if node is None:
            return weight, bias, name
        self.done.add(id(node))
        scale, shift, mean, variance = (self.weights[i].astype(np.float64) for i in node.input[1:5])
        epsilon = next((a.f for a in node.attribute if a.name == "epsilon"), 1e-5)
        scale = scale / np.sqrt(variance + epsilon)
        weight = (weight * scale.reshape(-1, 1, 1, 1)).astype(np.float32)
        return weight, ((bias - mean) * scale + shift).astype(np.float32), node.output[0]

    def padded(self, node, attributes, name, window):
        """Index of the input of a sliding window, with a Pad operator where neither SAME nor VALID says it; the padding;
        the output's extents."""
        shape, strides = self.shapes[name], attributes.get("strides", [1, 1])
        dilations = attributes.get("dilations", [1, 1])
        reach = [(k - 1) * d + 1 for k, d in zip(window, dilations)]
        same = [max((-(-n // s) - 1) * s + r - n, 0) for n, s, r in zip(shape[1:3], strides, reach)]
        same = [total // 2 for total in same] + [total - total // 2 for total in same]
        auto = attributes.get("auto_pad", b"NOTSET").decode()
        need(auto in ("NOTSET", "SAME_UPPER", "VALID"), node, f"auto_pad {auto}")
        pads = {"SAME_UPPER": same, "VALID": [0] * 4}.get(auto, list(attributes.get("pads", [0] * 4)))
        extents = [(n + pads[i] + pads[i + 2] - reach[i]) // strides[i] + 1 for i, n in enumerate(shape[1:3])]
        if not any(pads):
            return self.index[name], PADDING.VALID, extents
        if pads == same:
            return self.index[name], PADDING.SAME, extents
        need(node.op_type == "Conv" or name in self.not_negative, node, "padding of values that may be negative")
        table = np.array([[0, 0], [pads[0], pads[2]], [pads[1], pads[3]], [0, 0]], np.int32)
        padded = self.file.tensor(node.output[0] + "_padded", np.array(shape) + table.sum(axis=1))
        self.file.operator("PAD", [self.index[name], self.file.constant(table)], [padded], "PadOptions")
        return padded, PADDING.VALID, extents

    # ------------------------------------------------------------ pooling

    def on_MaxPool(self, node, attributes):
        need(not attributes.get("ceil_mode") and "dilations" not in attributes, node, "ceil_mode or dilations")
        window, strides = attributes["kernel_shape"], attributes.get("strides", [1, 1])
        source, padding, extents = self.padded(node, attributes, node.input[0], window)
        shape = self.shapes[node.input[0]]
        output = self.value(node.output[0], [shape[0], *extents, shape[3]])
        if node.input[0] in self.not_negative:
            self.not_negative.add(node.output[0])
        self.file.operator("MAX_POOL_2D", [source], [output], "Pool2DOptions", padding=padding, strideH=strides[0],
                           strideW=strides[1], filterHeight=window[0], filterWidth=window[1])

    def on_GlobalAveragePool(self, node, attributes):
        self.mean(node, True)

    def on_ReduceMean(self, node, attributes):
        need(sorted(attributes.get("axes", [])) == [2, 3], node, "axes other than height and width")
        self.mean(node, bool(attributes.get("keepdims", 1)))

    def mean(self, node, keep):
        shape = self.shapes[node.input[0]]
        output = self.value(node.output[0], [shape[0], 1, 1, shape[3]] if keep else [shape[0], shape[3]])
        axes = self.file.constant(np.array([1, 2], np.int32))
        self.file.operator("MEAN", [self.index[node.input[0]], axes], [output], "ReducerOptions", keepDims=keep)

    # ------------------------------------------------------------ elementwise

    def on_Relu(self, node, attributes):
        self.plain(node, "RELU")
        self.not_negative.add(node.output[0])

    def on_Clip(self, node, attributes):
        need(self.clip_range(node) == (0, 6), node, "a range other than 0 to 6")
        self.plain(node, "RELU6")
        self.not_negative.add(node.output[0])

    def on_HardSwish(self, node, attributes):
        self.plain(node, "HARD_SWISH", "HardSwishOptions")

    def on_Softmax(self, node, attributes):
        rank = len(self.shapes[node.input[0]])
        axis = attributes.get("axis", 1 if self.opset < 13 else -1)
        need(rank == 2 and axis in (1, -1), node, "not along the last axis")
        self.plain(node, "SOFTMAX", "SoftmaxOptions", beta=1.0)

    def on_Dropout(self, node, attributes):
        self.alias(node)

    def on_Identity(self, node, attributes):
        self.alias(node)

    def plain(self, node, kind, options=None, **fields):
        output = self.value(node.output[0], self.shapes[node.input[0]])
        self.file.operator(kind, [self.index[node.input[0]]], [output], options, **fields)

    def on_HardSigmoid(self, node, attributes):
        """relu6(x + 3) / 6, the only hard sigmoid that TensorFlow has."""
        need(abs(attributes.get("alpha", 0.2) - 1 / 6) < 1e-6 and attributes.get("beta", 0.5) == 0.5, node,
             "not x / 6 + 1 / 2")
        shape = self.shapes[node.input[0]]
        middle, output = self.file.tensor(node.output[0] + "_sum", shape), self.value(node.output[0], shape)
        three, sixth = (self.file.constant(np.float32(value).reshape(1)) for value in (3, 1 / 6))
        self.file.operator("ADD", [self.index[node.input[0]], three], [middle], "AddOptions",
                           fusedActivationFunction=ACTIVATION.RELU6)
        self.file.operator("MUL", [middle, sixth], [output], "MulOptions", fusedActivationFunction=ACTIVATION.NONE)

    def on_Add(self, node, attributes):
        self.binary(node, "ADD", "AddOptions")

    def on_Mul(self, node, attributes):
        self.binary(node, "MUL", "MulOptions")

    def binary(self, node, kind, options):
        need(all(name in self.index for name in node.input), node, "a constant operand")
        code, name = self.activation(node.output[0])
        shapes = [self.shapes[i] for i in node.input]
        output = self.value(name, np.broadcast_shapes(*shapes))
        self.file.operator(kind, [self.index[i] for i in node.input], [output], options, fusedActivationFunction=code)

    # ------------------------------------------------------------ the classifier

    def on_Flatten(self, node, attributes):
        self.reshape(node)

    def on_Reshape(self, node, attributes):
        self.reshape(node)

    def reshape(self, node):
        """To rows of features. Only from one pixel, where channels first and last are the same."""
        shape = self.shapes[node.input[0]]
        need(len(shape) == 4 and shape[1:3] == [1, 1], node, "not from one pixel to rows")
        rows = [shape[0], shape[3]]
        output = self.value(node.output[0], rows)
        inputs = [self.index[node.input[0]], self.file.constant(np.array(rows, np.int32))]
        self.file.operator("RESHAPE", inputs, [output], "ReshapeOptions", newShape=rows)

    def on_Gemm(self, node, attributes):
        need(attributes.get("alpha", 1.0) == 1.0 and attributes.get("beta", 1.0) == 1.0 and not attributes.get("transA"),
             node, "alpha, beta or transA")
        weight = self.weights[node.input[1]]
        self.dense(node, weight if attributes.get("transB") else weight.T, self.weights[node.input[2]], node.output[0])

    def on_MatMul(self, node, attributes):
        need(node.input[1] in self.weights, node, "two operands that are not constant")
        weight, name = self.weights[node.input[1]].T, node.output[0]
        bias, add = np.zeros(weight.shape[0], np.float32), self.follower(name, "Add")
        other = [i for i in add.input if i != name] if add else []
        if other and other[0] in self.weights and self.weights[other[0]].shape == bias.shape:
            self.done.add(id(add))
            bias, name = self.weights[other[0]], add.output[0]
        self.dense(node, weight, bias, name)

    def dense(self, node, weight, bias, name):
        need(weight.ndim == 2 and bias.shape == weight.shape[:1], node, "weights or bias of another rank")
        code, name = self.activation(name)
        inputs = [self.index[node.input[0]], self.file.constant(weight), self.file.constant(bias)]
        output = self.value(name, [self.shapes[node.input[0]][0], weight.shape[0]])
        self.file.operator("FULLY_CONNECTED", inputs, [output], "FullyConnectedOptions", fusedActivationFunction=code)


def channels_last(shape):
    return [shape[0], shape[2], shape[3], shape[1]] if len(shape) == 4 else list(shape)


def main():
    parser = argparse.ArgumentParser(description="Write an ONNX network as TFLite.")
    parser.add_argument("onnx", metavar="NETWORK.onnx")
    parser.add_argument("tflite", metavar="NETWORK.tflite")
    arguments = parser.parse_args()
    try:
        pathlib.Path(arguments.tflite).write_bytes(Converter(onnx.load(arguments.onnx)).convert())
    except Refused as why:
        sys.exit(f"to_tflite: {arguments.onnx}: {why}")


if __name__ == "__main__":
    main()
