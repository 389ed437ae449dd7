#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Random ONNX models: sepcl's answers beside onnxruntime's.

    onnx_graphs.py --library LIBSEPCL.SO [--first N] [--count N | --seconds S] [--keep FOLDER]

A model is given by its number alone. Each is right, refused in words by sepcl, or wrong; then it is kept in FOLDER.
"""
import argparse
import pathlib
import sys
import time

import numpy as np
import onnxruntime as ort

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "golden"))
from compare import difference  # noqa: E402
from net import Net  # noqa: E402
import sepcl_library  # noqa: E402

MOST = 1 << 14  # elements of a value


class Model(Net):
    """A network that grows by random nodes; the shape of each value is known."""

    def __init__(self, number):
        super().__init__(f"random_{number}", int(np.random.default_rng(number).choice([11, 13, 17, 18])))
        self.shapes = {}

    def pick(self, low, high=None):
        return int(self.rng.integers(low, high))

    def value(self, rank=None):
        names = [n for n, s in self.shapes.items() if rank is None or len(s) == rank]
        return names[-1 - min(self.pick(0, 4), len(names) - 1)] if names else None

    def add(self, kind, shape, *inputs, **attributes):
        if np.prod(shape) > MOST or min(shape, default=1) < 1:
            return
        name = self.op(kind, *inputs, **attributes)
        self.shapes[name] = tuple(int(d) for d in shape)
        self.channels[name] = self.shapes[name][1] if len(shape) > 1 else 0

    # ------------------------------------------------------------ kinds of nodes

    def window(self, shape, k, s, d, p):
        return [(shape[2 + i] + p[i] + p[2 + i] - d[i] * (k[i] - 1) - 1) // s[i] + 1 for i in range(2)]

    def random_conv(self):
        x = self.value(4)
        if not x:
            return
        shape, c = self.shapes[x], self.shapes[x][1]
        kind = self.pick(0, 4)
        group = c if kind == 1 else 2 if kind == 2 and c % 2 == 0 else 1
        out = group * self.pick(1, 3) if group > 1 else self.pick(1, 24)
        k = [1, 1] if kind == 0 else [self.pick(1, 6), self.pick(1, 6)]
        s, d, p = [self.pick(1, 3), self.pick(1, 3)], [self.pick(1, 3), 1], [self.pick(0, 3) for _ in range(4)]
        size = self.window(shape, k, s, d, p)
        if min(size) < 1:
            return
        weight = self.const(self.floats(out, c // group, *k, scale=np.sqrt(2 / (c // group * k[0] * k[1]))))
        inputs = [x, weight] + ([self.const(self.floats(out))] if self.pick(0, 2) else [])
        self.add("Conv", (shape[0], out, *size), *inputs, kernel_shape=k, strides=s, dilations=d, pads=p, group=group)

    def random_transposed(self):
        x = self.value(4)
        if not x:
            return
        n, c, h, w = self.shapes[x]
        out, k, s = self.pick(1, 8), [self.pick(1, 5), self.pick(1, 5)], [self.pick(1, 4), self.pick(1, 4)]
        p = [self.pick(0, (k[i % 2] + 1) // 2 + 1) for i in range(4)]
        size = [(e - 1) * s[i] + k[i] - p[i] - p[2 + i] for i, e in enumerate((h, w))]
        weight = self.const(self.floats(c, out, *k, scale=np.sqrt(1 / (c * k[0] * k[1]))))
        self.add("ConvTranspose", (n, out, *size), x, weight, kernel_shape=k, strides=s, pads=p)

    def random_pool(self):
        x = self.value(4)
        if not x:
            return
        k, s = [self.pick(1, 4), self.pick(1, 4)], [self.pick(1, 3), self.pick(1, 3)]
        p = [self.pick(0, k[i % 2]) for i in range(4)]
        size = self.window(self.shapes[x], k, s, [1, 1], p)
        kind = str(self.rng.choice(["MaxPool", "AveragePool"]))
        more = {"count_include_pad": self.pick(0, 2)} if kind == "AveragePool" else {}
        self.add(kind, (*self.shapes[x][:2], *size), x, kernel_shape=k, strides=s, pads=p, **more)

    def random_unary(self):
        x = self.value()
        kind = str(self.rng.choice(["Relu", "Sigmoid", "Tanh", "HardSigmoid", "Elu", "Selu", "Softplus", "Abs", "Neg", "Erf",
                                    "LeakyRelu", "Softsign", "Identity"]))
        self.add(kind, self.shapes[x], x)

    def random_binary(self):
        x = self.value()
        shape = self.shapes[x]
        kind = str(self.rng.choice(["Add", "Sub", "Mul", "Max", "Min", "PRelu"]))
        same = [n for n, s in self.shapes.items() if s == shape and n != x]
        if self.pick(0, 2) and same and kind != "PRelu":
            other = same[self.pick(0, len(same))]
        else:
            kept = [d if self.pick(0, 2) else 1 for d in shape]
            other = self.const(self.floats(*kept[self.pick(0, len(kept)) if kept else 0:]))
        self.add(kind, shape, *((other, x) if self.pick(0, 4) == 0 and kind != "PRelu" else (x, other)))

    def random_concat(self):
        x = self.value()
        shape, axis = self.shapes[x], self.pick(0, max(1, len(self.shapes[x])))
        fits = [n for n, s in self.shapes.items() if len(s) == len(shape) and
                all(a == b for i, (a, b) in enumerate(zip(s, shape)) if i != axis)]
        others = [fits[self.pick(0, len(fits))] for _ in range(self.pick(1, 3))]
        whole = list(shape)
        whole[axis] = shape[axis] + sum(self.shapes[o][axis] for o in others)
        self.add("Concat", whole, x, *others, axis=axis)

    def random_slice(self):
        x = self.value()
        shape = self.shapes[x]
        starts = [self.pick(0, d) for d in shape]
        ends = [self.pick(s + 1, d + 1) for s, d in zip(starts, shape)]
        steps = [self.pick(1, 3) for _ in shape]
        out = [-(-(e - s) // t) for s, e, t in zip(starts, ends, steps)]
        self.add("Slice", out, x, self.ints(*starts), self.ints(*ends), self.ints(*range(len(shape))), self.ints(*steps))

    def random_pad(self):
        x = self.value(4)
        if not x:
            return
        shape, mode = self.shapes[x], str(self.rng.choice(["constant", "edge", "reflect"]))
        pads = [0, 0] + [self.pick(0, min(3, d)) for d in shape[2:]] + [0, 0] + [self.pick(0, min(3, d)) for d in shape[2:]]
        out = [d + a + b for d, a, b in zip(shape, pads[:4], pads[4:])]
        self.add("Pad", out, x, self.ints(*pads), *([self.const(np.float32(0.5))] if mode == "constant" else []), mode=mode)

    def random_resize(self):
        x = self.value(4)
        if not x:
            return
        shape = self.shapes[x]
        size = (*shape[:2], self.pick(1, 20), self.pick(1, 20))
        mode = str(self.rng.choice(["nearest", "linear", "cubic"]))
        way = str(self.rng.choice(["half_pixel", "align_corners", "asymmetric"]))
        more = {"nearest_mode": "floor"} if mode == "nearest" else {}
        self.add("Resize", size, x, "", "", self.ints(*size), mode=mode, coordinate_transformation_mode=way, **more)

    def random_transpose(self):
        x = self.value()
        perm = [int(i) for i in self.rng.permutation(len(self.shapes[x]))]
        self.add("Transpose", [self.shapes[x][i] for i in perm], x, perm=perm)

    def random_reshape(self):
        x = self.value()
        shape = list(self.shapes[x])
        if len(shape) > 1 and self.pick(0, 2):
            at = self.pick(0, len(shape) - 1)
            shape[at:at + 2] = [shape[at] * shape[at + 1]]
        else:
            at = self.pick(0, len(shape))
            parts = [d for d in range(1, shape[at] + 1) if shape[at] % d == 0]
            part = parts[self.pick(0, len(parts))]
            shape[at:at + 1] = [part, shape[at] // part]
        if len(shape) <= 6:
            self.add("Reshape", shape, x, self.ints(*shape))

    def random_reduce(self):
        x = self.value()
        shape, axis, keep = self.shapes[x], self.pick(0, len(self.shapes[x])), self.pick(0, 2)
        kind = str(self.rng.choice(["ReduceMean", "ReduceMax", "ReduceMin", "ReduceL1"]))
        out = [1 if i == axis else d for i, d in enumerate(shape) if keep or i != axis]
        if self.opset >= 18:
            self.add(kind, out, x, self.ints(axis), keepdims=keep)
        else:
            self.add(kind, out, x, axes=[axis], keepdims=keep)

    def random_product(self):
        x = self.value()
        shape = self.shapes[x]
        if len(shape) < 2:
            return
        out = self.pick(1, 20)
        self.add("MatMul", (*shape[:-1], out), x, self.const(self.floats(shape[-1], out, scale=np.sqrt(1 / shape[-1]))))

    def random_norm(self):
        x = self.value(4)
        if not x:
            return
        c = self.shapes[x][1]
        if self.pick(0, 2):
            self.add("InstanceNormalization", self.shapes[x], x, self.const(self.floats(c)), self.const(self.floats(c)), epsilon=0.05)
        else:
            parts = [self.const(self.floats(c)) for _ in range(3)] + [self.const(self.floats(c, low=0.5))]
            self.add("BatchNormalization", self.shapes[x], x, *parts)

    def random_softmax(self):
        x = self.value()
        self.add("Softmax", self.shapes[x], x, axis=self.pick(0, len(self.shapes[x])))

    def random_gate(self):
        """Squeeze and excite."""
        x = self.value(4)
        if not x:
            return
        n, c = self.shapes[x][:2]
        self.add("GlobalAveragePool", (n, c, 1, 1), x)
        y = list(self.shapes)[-1]
        weight = self.const(self.floats(c, c, 1, 1, scale=np.sqrt(1 / c)))
        self.add("Conv", (n, c, 1, 1), y, weight, kernel_shape=[1, 1])
        self.add("HardSigmoid", (n, c, 1, 1), list(self.shapes)[-1])
        self.add("Mul", self.shapes[x], x, list(self.shapes)[-1])

    def grow(self):
        kinds = sorted(name for name in dir(self) if name.startswith("random_"))
        for i in range(self.pick(1, 3)):
            shape = [self.pick(1, 3), self.pick(1, 16), self.pick(1, 14), self.pick(1, 14)]
            self.shapes[self.input(f"x{i}", shape)] = tuple(shape)
        for _ in range(self.pick(2, 14)):
            getattr(self, kinds[self.pick(0, len(kinds))])()
        read = {name for node in self.nodes for name in node.input}
        for i, name in enumerate([n for n in self.shapes if n not in read and n not in self.data][-4:]):
            self.output(name, f"y{i}")


def answers(model, feeds):
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return dict(zip([o.name for o in session.get_outputs()], session.run(None, feeds)))


def try_model(library, number):
    """Gives (verdict, sentence, bytes of the model)."""
    net = Model(number)
    net.grow()
    if not net.outputs:
        return "empty", "", b""
    model = net.model().SerializeToString()
    try:
        want = answers(model, net.data)
    except Exception as problem:  # what onnxruntime does not take is no matter here
        return "outside", str(problem)[:200], model
    if not all(np.isfinite(array).all() for array in want.values()):
        return "outside", "not finite", model
    try:
        got = library.run(model, net.name, net.data)
    except sepcl_library.Failure as failure:
        refused = failure.status == sepcl_library.UNSUPPORTED
        return "refused" if refused else "wrong", f"status {failure.status}: {failure}", model
    error, why = max(difference(got[name], array.astype(np.float32)) for name, array in want.items())
    return ("wrong" if error > 1e-3 else "right"), why or f"difference {error:.2e}", model


def main():
    parser = argparse.ArgumentParser(description="Compare random ONNX models with onnxruntime.")
    parser.add_argument("--library", required=True)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=0)
    parser.add_argument("--keep", type=pathlib.Path)
    arguments = parser.parse_args()
    library = sepcl_library.Library(arguments.library)
    begin, number, count = time.monotonic(), arguments.first, {}
    while time.monotonic() - begin < arguments.seconds if arguments.seconds else number < arguments.first + arguments.count:
        verdict, sentence, model = try_model(library, number)
        count[verdict] = count.get(verdict, 0) + 1
        if verdict in ("wrong", "refused"):
            print(f"{verdict} {number}: {sentence}", flush=True)
        if verdict == "wrong" and arguments.keep:
            arguments.keep.mkdir(parents=True, exist_ok=True)
            (arguments.keep / f"random_{number}.onnx").write_bytes(model)
        number += 1
    print(", ".join(f"{n} {verdict}" for verdict, n in sorted(count.items())))
    sys.exit(1 if count.get("wrong") or not count.get("right") else 0)


if __name__ == "__main__":
    main()
