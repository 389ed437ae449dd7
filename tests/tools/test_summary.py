# SPDX-License-Identifier: Apache-2.0
"""sepcl-summary: the numbers of the layers that the project started from, and tables that fit."""
import math
import re
import unittest

import formats
from programs import ProgramTest


def conv(name, source, target, filters, channels, kernel, group=1):
    count = filters * channels // group * kernel[0] * kernel[1]
    return (formats.node("Conv", [source, f"{name}_w"], [target], name=name, kernel_shape=list(kernel), group=group),
            formats.tensor(f"{name}_w", [filters, channels // group, *kernel], [0.5] * count))


def network(*parts, source=("N", 3, 12, 12), target=("N", 1, 8, 8)):
    return formats.model([p[0] for p in parts], {"x": list(source)}, {"y": list(target)}, [p[1] for p in parts])


def dense():
    nodes = [formats.node("Flatten", ["x"], ["f"], name="flatten"), formats.node("MatMul", ["f", "w"], ["y"], name="dense")]
    return formats.model(nodes, {"x": ["N", 3, 12, 12]}, {"y": ["N", 64]}, [formats.tensor("w", [432, 64], [0.5] * 27648)])


class SeedLayers(ProgramTest):
    """Name of a layer, output shape, parameters, multiplications."""

    def check(self, model, *layers):
        self.write("m.onnx", model)
        answer = self.json("sepcl-summary", "m.onnx")
        found = {layer["name"]: layer for layer in answer["layers"]}
        for name, kind, shape, parameters, multiplications in layers:
            layer = found[name]
            self.assertEqual((layer["type"], layer["output_shape"], layer["parameters"], layer["multiplications"]),
                             (kind, shape, parameters, multiplications))
        self.assertEqual(answer["parameters"], sum(layer[3] for layer in layers))
        self.assertEqual(answer["multiplications"], sum(layer[4] for layer in layers))
        out, _ = self.run_program("sepcl-summary", "m.onnx")
        for name, kind, shape, parameters, multiplications in layers:
            shown = ", ".join(["None"] + [str(d) for d in shape[1:]])
            self.assertRegex(out, rf"│ {name} \({kind}\) +│ \({shown}\) +│ +{parameters:,} │ +{multiplications:,} │")
        self.assertRegex(out, rf"Total params +{answer['parameters']:,} ")
        self.assertRegex(out, rf"Multiplications +{answer['multiplications']:,}\n")
        return found

    def test_dense(self):
        self.check(dense(), ("dense", "Dense", [1, 64], 27648, 27648))

    def test_convolution(self):
        for filters in [1, 2, 16]:
            found = self.check(network(conv("c", "x", "y", filters, 3, (5, 5)), target=("N", filters, 8, 8)),
                               ("c", "Conv2D", [1, 8, 8, filters], 75 * filters, 4800 * filters))
            forms = found["c"]["forms"]
            self.assertEqual(forms["dense"], 4800 * filters)
            self.assertEqual(forms["separable"], 4800 + 192 * filters)
            if filters == 1:
                self.assertEqual(forms["spatial"], 1760)

    def test_spatially_separable(self):
        self.check(network(conv("column", "x", "t", 1, 3, (5, 1)), conv("row", "t", "y", 1, 1, (1, 5))),
                   ("column", "Conv2D", [1, 8, 12, 1], 15, 1440), ("row", "Conv2D", [1, 8, 8, 1], 5, 320))

    def test_depthwise(self):
        self.check(network(conv("d", "x", "y", 3, 3, (5, 5), group=3), target=("N", 3, 8, 8)),
                   ("d", "DepthwiseConv2D", [1, 8, 8, 3], 75, 4800))

    def test_pointwise(self):
        self.check(network(conv("p", "x", "y", 10, 3, (1, 1)), source=("N", 3, 8, 8), target=("N", 10, 8, 8)),
                   ("p", "Conv2D", [1, 8, 8, 10], 30, 1920))

    def test_depthwise_separable(self):
        self.check(network(conv("d", "x", "t", 3, 3, (5, 5), group=3), conv("p", "t", "y", 1, 3, (1, 1))),
                   ("d", "DepthwiseConv2D", [1, 8, 8, 3], 75, 4800), ("p", "Conv2D", [1, 8, 8, 1], 3, 192))

    def test_batch(self):
        """A batch that is given counts; one that is free is None, and counted once."""
        self.write("m.onnx", network(conv("c", "x", "y", 1, 3, (5, 5))))
        out, _ = self.run_program("sepcl-summary", "m.onnx", "--shape", "4x3x12x12")
        self.assertRegex(out, r"│ c \(Conv2D\) +│ \(4, 8, 8, 1\) +│ +75 │ +19,200 │")


class ExactForms(ProgramTest):
    """5 x 5 kernels over three channels: a product of a column and a row, and not one."""

    def test_marks(self):
        column, row = [1, 2, 3, 2, 1] * 3, [1, -2, 0.5, 2, 1]
        product = [column[i * 5 + y] * (i + 1) * row[x] for i in range(3) for y in range(5) for x in range(5)]
        other = [math.sin(i * i) for i in range(75)]
        for name, weights in (("product", product), ("other", other)):
            self.write(f"{name}.onnx", formats.model(
                [formats.node("Conv", ["x", "w"], ["y"], name="conv", kernel_shape=[5, 5])], {"x": ["N", 3, 12, 12]},
                {"y": ["N", 1, 8, 8]}, [formats.tensor("w", [1, 3, 5, 5], weights)]))
        (layer,) = self.json("sepcl-summary", "product.onnx")["layers"]
        self.assertEqual(layer["exact"], {"form": "spatial", "rank": 1, "multiplications": 1440 + 320})
        (layer,) = self.json("sepcl-summary", "other.onnx")["layers"]
        self.assertIsNone(layer["exact"])
        out, _ = self.run_program("sepcl-summary", "product.onnx")
        self.assertIn("separates exactly: spatial at rank 1, 1,760 multiplications", out)
        out, _ = self.run_program("sepcl-summary", "other.onnx")
        self.assertNotIn("exactly", out)


class Table(ProgramTest):
    def deep(self, name="a/rather/long/name/of/a/layer/as/exporters/write/them", channels=96):
        parts = []
        for i in range(4):
            parts.append(conv(f"{name}/{i}", "x" if i == 0 else f"t{i}", "y" if i == 3 else f"t{i + 1}", channels, channels,
                              (3, 3)))
        return network(*parts, source=("N", channels, 112, 112), target=("N", channels, 104, 104))

    def assert_box(self, text, width):
        lines = [line for line in text.splitlines() if line and line[0] in "┌├│└"]
        self.assertGreater(len(lines), 5)
        self.assertEqual({len(line) for line in lines}, {len(lines[0])})
        self.assertLessEqual(max(len(line) for line in text.splitlines()), width)

    def test_fits_100_columns(self):
        self.write("m.onnx", self.deep())
        out, _ = self.run_program("sepcl-summary", "m.onnx")
        self.assert_box(out, 100)
        self.assertIn("(None, 104, 104, 96)", out)
        self.assertEqual(len(set(re.findall(r"│ (a/\S*…\S*/\d)", out))), 4)  # cut names still differ

    def test_fits_a_terminal(self):
        self.write("m.onnx", self.deep())
        for width in [80, 100, 200]:
            code, out = self.in_terminal("sepcl-summary", "m.onnx", width=width)
            self.assertEqual(code, 0)
            self.assert_box(out, min(width, 100))

    def test_hostile_names(self):
        self.write("m.onnx", self.deep("\x1b[2J\u202e"))
        out, _ = self.run_program("sepcl-summary", "m.onnx")
        self.assertNotIn("\x1b", out)
        self.assertNotIn("\u202e", out)
        self.assert_box(out, 100)
        self.json("sepcl-summary", "m.onnx")

    def test_quiet(self):
        self.write("m.onnx", dense())
        self.assertEqual(self.run_program("sepcl-summary", "m.onnx", "-q"), ("", ""))


if __name__ == "__main__":
    unittest.main()
