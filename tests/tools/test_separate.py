# SPDX-License-Identifier: Apache-2.0
"""sepcl-separate: what it finds and writes, on samples of all kinds, and what it says when something is wrong: all that
has to hold whatever it measures. What it chooses is in test_separate_choice.py, networks with planted ranks are in
tests/golden."""
import math
import random
import re
import subprocess
import unittest
import xml.etree.ElementTree as xml

import formats
from programs import ProgramTest


def dice(count, start=0):
    source = random.Random(start)
    return [source.uniform(-1, 1) for _ in range(count)]


def rank_one(out, channels, k, damage=0.0):
    """[out][channels][k][k] weights a(i, y) b(x, o), and a little of something else."""
    a, b, rest = dice(channels * k, 3), dice(k * out, 11), dice(out * channels * k * k, 5)
    w = []
    for o in range(out):
        for i in range(channels):
            for y in range(k):
                for x in range(k):
                    w.append((a[i * k + y] * b[x * out + o] + damage * rest[len(w)]) / channels)
    return w


def network(damage=0.0, weights=None, size=24, batch=1, channels=16, out=24, classes=False):
    """A 5 x 5 convolution that is ten times as dear as its factors, and a smaller one."""
    w = weights or rank_one(out, channels, 5, damage)
    nodes = [formats.node("Conv", ["x", "w"], ["c"], name="large", kernel_shape=[5, 5], pads=[2, 2, 2, 2]),
             formats.node("Relu", ["c"], ["r"]),
             formats.node("Conv", ["r", "v"], ["d"], name="small", kernel_shape=[1, 1]),
             formats.node("GlobalAveragePool", ["d"], ["p"]),
             formats.node("Flatten", ["p"], ["f"])]
    last = "f"
    if classes:
        nodes.append(formats.node("Softmax", ["f"], ["s"], axis=1))
        last = "s"
    return formats.model(nodes, {"x": [batch, channels, size, size]}, {last: [batch, 4]},
                         [formats.tensor("w", [out, channels, 5, 5], w), formats.tensor("v", [4, out, 1, 1], dice(4 * out, 9))])


class Separating(ProgramTest):
    def setUp(self):
        super().setUp()
        self.write("m.onnx", network())

    def test_what_is_exact_is_rewritten(self):
        out, _ = self.run_program("sepcl-separate", "m.onnx", "-o", "n.onnx", "--report", "r.html")
        rewritten = int(re.match(r"m\.onnx on .+: 2 convolutions, ([01]) rewritten\.\n", out)[1])
        self.assertRegex(out, r"(?m)^large +Conv2D 5x5 s1 padded +spatial 1/80, depthwise 5/24? ")
        self.write("x.npy", formats.npy([1, 16, 24, 24], dice(16 * 576, 1)))
        for name in "mn":
            self.run_program("sepcl-run", f"{name}.onnx", "x.npy", "-o", f"{name}.npy", "-q")
        want, got = (formats.read_npy((self.folder / f"{name}.npy").read_bytes())[1] for name in "mn")
        self.assertLess(max(abs(a - b) for a, b in zip(want, got)), 1e-5 * max(map(abs, want)))
        sizes = [(self.folder / f"{name}.onnx").stat().st_size for name in "mn"]
        self.assertEqual(sizes[1] < sizes[0] / 4, rewritten == 1)
        tree = xml.fromstring((self.folder / "r.html").read_text(encoding="utf-8").removeprefix("<!DOCTYPE html>"))
        self.assertEqual(tree.find(".//h1").text, "m.onnx")
        self.assertEqual([h.text for h in tree.findall(".//section//h3")], ["large", "small"])
        self.assertGreater(len(tree.findall(".//svg/rect")), 1)
        self.assert_folder_holds("m.npy", "m.onnx", "n.npy", "n.onnx", "r.html", "x.npy")

    def test_json_fits_together(self):
        answer = self.json("sepcl-separate", "m.onnx", "--tolerance", "0.5")
        large, small = answer["layers"]
        self.assertEqual((answer["convolutions"], answer["samples"], answer["random_samples"]), (2, 4, True))
        self.assertEqual(large["multiplications"], 16 * 24 * 25 * 576)
        spatial = large["spectra"][0]
        self.assertEqual((spatial["form"], spatial["rank"], spatial["full_rank"]), ("spatial", 1, 80))
        self.assertEqual(spatial["singular_values"], sorted(spatial["singular_values"], reverse=True))
        self.assertAlmostEqual(spatial["energy"][0], 1)
        self.assertEqual(spatial["multiplications"], [576 * (80 + 120) * r for r in range(1, 81)])
        self.assertEqual(len(spatial["bytes"]), 80)
        self.assertEqual(small["spectra"][0]["form"], "low rank")
        for form in large["forms"] + small["forms"]:
            self.assertLessEqual(form["error"], form["bound"] * (1 + 1e-9))
            self.assertEqual(form["exact"], form["weight_error"] <= 1e-6)
        exact = next(form for form in large["forms"] if form["exact"])
        self.assertEqual((exact["form"], exact["rank"]), ("spatial", 1))
        self.assertGreater(exact["us"], 0)
        self.assertGreater(exact["as_it_is_us"], 0)
        if large["chosen"] is not None:
            chosen = large["forms"][large["chosen"]]
            self.assertLess(chosen["us"], chosen["as_it_is_us"])
        else:
            self.assertIn("left: ", large["why"])

    def test_near_is_only_taken_when_asked_for(self):
        self.write("near.onnx", network(damage=1e-3))
        answer = self.json("sepcl-separate", "near.onnx", "-o", "a.onnx")
        self.assertEqual(answer["rewritten"], 0)
        self.assertEqual((self.folder / "a.onnx").stat().st_size, (self.folder / "near.onnx").stat().st_size)
        answer = self.json("sepcl-separate", "near.onnx", "--tolerance", "0.1")
        self.assertLessEqual(answer["error"], 0.1)
        self.assertEqual(answer["error"] > 0, answer["rewritten"] > 0)
        answer = self.json("sepcl-separate", "near.onnx", "--target-speedup", "1.01")
        self.assertEqual(answer["target_met"], answer["before_ms"] >= 1.01 * answer["after_ms"] * (1 - 1e-9))
        self.assertLessEqual(answer["after_ms"], answer["before_ms"])
        answer = self.json("sepcl-separate", "near.onnx", "--target-speedup", "1")
        self.assertEqual((answer["rewritten"], answer["target_met"], answer["error"]), (0, True, 0))

    def test_a_target_that_is_out_of_reach_is_told(self):
        _, errors = self.run_program("sepcl-separate", "m.onnx", "-o", "n.onnx", "--target-speedup", 900)
        self.assertRegex(errors, r"(?m)^sepcl-separate: warning: m\.onnx: a speed-up of 900 was asked for; the most that was found is ")
        self.assertTrue((self.folder / "n.onnx").exists())

    def test_progress(self):
        code, errors = self.in_terminal("sepcl-separate", "m.onnx", "-q", stream="stderr")
        self.assertEqual((code, errors), (0, ""))


class Samples(ProgramTest):
    def setUp(self):
        super().setUp()
        self.write("m.onnx", network(channels=3, out=32, size=32, damage=1e-4, classes=True))
        (self.folder / "calib").mkdir()

    def answer(self, *arguments):
        return self.json("sepcl-separate", "m.onnx", "--tolerance", 0.05, "--calib", "calib", *arguments)

    def test_pictures_and_arrays(self):
        self.write("calib/a.png", formats.png(40, 30, lambda x, y: (5 * x, 7 * y, 90)))
        self.write("calib/b.jpg", formats.JPEG)
        self.write("calib/c.npy", formats.npy([1, 3, 32, 32], dice(3072)))
        self.write("calib/d.npy", formats.npy([4, 3, 32, 32], dice(4 * 3072)))
        self.write("calib/readme.txt", b"not a sample")
        answer = self.answer("--mean", "128", "--scale", "1/128")
        self.assertEqual((answer["samples"], answer["random_samples"], answer["class_rows"]), (7, False, 7))
        self.assertEqual(self.answer("--samples", 3)["samples"], 3)

    def test_what_is_wrong_with_them_is_told(self):
        self.assertIn("holds no .npy, .png or .jpg file",
                      self.sentence("sepcl-separate", "m.onnx", "--calib", "calib", code=3))
        self.assertIn("cannot read the folder none", self.sentence("sepcl-separate", "m.onnx", "--calib", "none", code=3))
        self.write("calib/c.npy", formats.npy([3, 32, 32], dice(3072)))
        self.assertIn("calib/c.npy has shape 3x32x32", self.sentence("sepcl-separate", "m.onnx", "--calib", "calib", code=2))
        self.write("calib/c.npy", b"no array")
        self.assertIn("calib/c.npy is neither", self.sentence("sepcl-separate", "m.onnx", "--calib", "calib", code=3))


class Degenerate(ProgramTest):
    def why(self, layer, model):
        self.write("m.onnx", model)
        answer = self.json("sepcl-separate", "m.onnx", "-o", "n.onnx")
        self.assertTrue((self.folder / "n.onnx").exists())
        return {l["name"]: l["why"] for l in answer["layers"]}[layer]

    def test_weights_that_are_no_use(self):
        self.assertEqual(self.why("large", network(weights=[0.0] * 9600)), "left: its weights are all 0")
        self.write("m.onnx", network(weights=[math.nan] + [1.0] * 9599))
        self.assertIn("NaN or infinity", self.sentence("sepcl-separate", "m.onnx", code=4))

    def test_nan_behind_an_unused_layer(self):
        """A layer that the output does not depend on is none of the network."""
        nodes = [formats.node("Conv", ["x", "w"], ["c"], name="dead", kernel_shape=[3, 3]), formats.node("Relu", ["x"], ["y"])]
        self.write("m.onnx", formats.model(nodes, {"x": [1, 1, 8, 8]}, {"y": [1, 1, 8, 8]},
                                           [formats.tensor("w", [1, 1, 3, 3], [math.nan] * 9)]))
        answer = self.json("sepcl-separate", "m.onnx", "-o", "n.onnx", "--report", "r.html")
        self.assertEqual((answer["convolutions"], answer["rewritten"], answer["layers"]), (0, 0, []))

    def test_small_windows_and_large_strides(self):
        nodes = [formats.node("Conv", ["x", "a"], ["b"], name="one", kernel_shape=[1, 1]),
                 formats.node("Conv", ["b", "c"], ["d"], name="far", kernel_shape=[3, 3], strides=[50, 60], pads=[1, 1, 1, 1]),
                 formats.node("Conv", ["d", "e"], ["y"], name="groups", kernel_shape=[1, 1], group=2)]
        model = formats.model(nodes, {"x": [1, 1, 9, 9]}, {"y": [1, 2, 1, 1]},
                              [formats.tensor("a", [2, 1, 1, 1], dice(2)), formats.tensor("c", [2, 2, 3, 3], dice(36)),
                               formats.tensor("e", [2, 1, 1, 1], dice(2))])
        self.assertEqual(self.why("one", model), "left: there is nothing to separate")
        self.assertEqual(self.why("groups", model), "left: there is nothing to separate")


class Wrong(ProgramTest):
    def setUp(self):
        super().setUp()
        self.write("m.onnx", network(size=6))

    def test_usage(self):
        self.assertIn("a model file is needed", self.sentence("sepcl-separate", code=2))
        self.assertIn("-o and --report both write 'a'",
                      self.sentence("sepcl-separate", "m.onnx", "-o", "a", "--report", "a", code=2))
        for option in ("--tolerance", "--target-speedup", "--samples"):
            self.sentence("sepcl-separate", "m.onnx", option, "no", code=2)
        self.assertIn("--mean takes 1 or 3 numbers", self.sentence("sepcl-separate", "m.onnx", "--mean", "1,2,3,4", code=2))

    def test_files(self):
        self.sentence("sepcl-separate", "none.onnx", code=3)
        self.sentence("sepcl-separate", "m.onnx", "-o", "no/n.onnx", code=3)
        self.write("free.onnx", network(batch="N"))
        self.assertEqual(self.json("sepcl-separate", "free.onnx")["convolutions"], 2)
        self.sentence("sepcl-separate", "m.onnx", "-d", "no such device", code=5)

    def test_full_disk_leaves_nothing(self):
        said = self.sentence("sepcl-separate", "m.onnx", "-o", "/dev/full", "--report", "r.html", "-q", code=3)
        self.assertIn("/dev/full", said)
        self.assert_folder_holds("m.onnx")

    def test_standard_output(self):
        done = subprocess.run([self.path("sepcl-separate"), "m.onnx", "-o", "-"], cwd=self.folder, capture_output=True,
                              timeout=120)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assertIn(b"GlobalAveragePool", done.stdout)


if __name__ == "__main__":
    unittest.main()
