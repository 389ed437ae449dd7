# SPDX-License-Identifier: Apache-2.0
"""A small builder of ONNX networks with reproducible random weights.

Weights are drawn so that activations keep their magnitude through depth (He et al. 2015): a network of random weights
then exercises every layer with numbers of the size that a trained one has.
"""
import zlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


class Net:
    """Nodes, initializers, inputs and outputs of one model; values are called by their names."""

    def __init__(self, name, opset):
        self.name = name
        self.opset = opset
        self.rng = np.random.default_rng(zlib.crc32(name.encode()))
        self.nodes, self.initializers, self.inputs, self.outputs = [], [], [], []
        self.data = {}           # input name -> array fed to it
        self.channels = {}       # value -> channels, where a convolution needs to know
        self.counter = 0
        self.tolerance = 1e-4
        self.ir_version = None   # None: the oldest that the opset allows
        self.initializers_as_inputs = False
        self.external = None     # name of the file that holds the weights

    # ------------------------------------------------------------ parts

    def fresh(self, hint):
        self.counter += 1
        return f"{hint}_{self.counter}"

    def input(self, name, shape, data=None, dtype=np.float32):
        """shape may hold strings (free dimensions); then data gives the extents."""
        if data is None:
            data = self.rng.standard_normal(shape)
        self.data[name] = np.array(data, dtype, order="C")
        kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        self.inputs.append(helper.make_tensor_value_info(name, kind, shape))
        if len(shape) > 1 and isinstance(shape[1], int):
            self.channels[name] = shape[1]
        return name

    def output(self, value, name, kind=TensorProto.FLOAT):
        """Ends the network: value is given the name."""
        self.nodes.append(helper.make_node("Identity", [value], [name])) if value in self.data else self._rename(value, name)
        self.outputs.append(helper.make_empty_tensor_value_info(name))
        self.outputs[-1].type.tensor_type.elem_type = kind
        return name

    def _rename(self, old, new):
        for node in self.nodes:
            for names in (node.input, node.output):
                for i, item in enumerate(names):
                    if item == old:
                        names[i] = new

    def const(self, array, dtype=None, name=None):
        array = np.array(array, dtype, order="C")
        name = name or self.fresh("w")
        self.initializers.append(numpy_helper.from_array(array, name))
        return name

    def floats(self, *shape, scale=1.0, low=None):
        """Normal numbers times scale, or uniform ones in [low, low + scale)."""
        if low is None:
            return (self.rng.standard_normal(shape) * scale).astype(np.float32)
        return (low + self.rng.random(shape) * scale).astype(np.float32)

    def ints(self, *values):
        return self.const(np.array(values, np.int64))

    def op(self, kind, *inputs, outputs=None, **attributes):
        """Adds a node; gives its output's name, or a list of names when outputs is a count."""
        names = [self.fresh(kind.lower()) for _ in range(outputs or 1)]
        self.nodes.append(helper.make_node(kind, list(inputs), names, name=f"{kind}_{len(self.nodes)}", **attributes))
        if inputs and inputs[0] in self.channels:
            for name in names:
                self.channels[name] = self.channels[inputs[0]]
        return names if outputs else names[0]

    # ------------------------------------------------------------ layers

    def conv(self, x, out, k, s=1, pads=None, group=1, bias=True, gain=2.0, weight=None, **attributes):
        """k and s: numbers or (height, width). pads None: half the kernel on every side."""
        k = (k, k) if isinstance(k, int) else tuple(k)
        s = (s, s) if isinstance(s, int) else tuple(s)
        per_group = self.channels[x] // group
        if weight is None:
            fan_in = per_group * int(np.prod(k))
            weight = self.const(self.floats(out, per_group, *k, scale=np.sqrt(gain / fan_in)))
        inputs = [x, weight] + ([self.const(self.floats(out, scale=0.1))] if bias else [])
        if "auto_pad" not in attributes:
            attributes["pads"] = [d // 2 for d in k] * 2 if pads is None else pads
        y = self.op("Conv", *inputs, kernel_shape=k, strides=s, group=group, **attributes)
        self.channels[y] = out
        return y

    def batch_norm(self, x, eps=1e-5):
        c = self.channels[x]
        parts = [self.floats(c, low=0.8, scale=0.4), self.floats(c, scale=0.1), self.floats(c, scale=0.1),
                 self.floats(c, low=0.8, scale=0.4)]
        return self.op("BatchNormalization", x, *[self.const(p) for p in parts], epsilon=eps)

    def dense(self, x, features_in, out):
        """Fully connected layer as PyTorch exports it."""
        w = self.const(self.floats(out, features_in, scale=np.sqrt(1.0 / features_in)))
        return self.op("Gemm", x, w, self.const(self.floats(out, scale=0.1)), transB=1)

    def relu6(self, x):
        if self.opset < 11:
            return self.op("Clip", x, min=0.0, max=6.0)
        return self.op("Clip", x, self.const(np.float32(0)), self.const(np.float32(6)))

    # ------------------------------------------------------------ the whole

    def model(self):
        inputs = list(self.inputs)
        if self.initializers_as_inputs:
            inputs += [helper.make_tensor_value_info(t.name, t.data_type, list(t.dims)) for t in self.initializers]
        graph = helper.make_graph(self.nodes, self.name, inputs, self.outputs, self.initializers)
        opsets = [helper.make_opsetid("", self.opset)]
        model = helper.make_model(graph, opset_imports=opsets, producer_name="sepcl-tests")
        model.ir_version = self.ir_version or helper.find_min_ir_version_for(opsets, True)
        return model

    def save(self, path):
        model = self.model()
        if self.external:
            onnx.save(model, path, save_as_external_data=True, location=self.external, size_threshold=0)
        else:
            with open(path, "wb") as file:
                file.write(model.SerializeToString())
