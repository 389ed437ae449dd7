# SPDX-License-Identifier: Apache-2.0
"""sepcl-run on a device: right answers from files in every form, and outputs that are whole or not there."""
import json
import math
import os
import re
import signal
import subprocess
import time
import unittest

import formats
from programs import ProgramTest


def two_by_two():
    """Two inputs, two outputs: sum and product."""
    return formats.model([formats.node("Add", ["a", "b"], ["sum"]), formats.node("Mul", ["a", "b"], ["product"])],
                         {"a": ["N", 3], "b": ["N", 3]}, {"sum": ["N", 3], "product": ["N", 3]})


def colours(dims=("N", 3, "H", "W")):
    """Which channel is the strongest, as probabilities."""
    nodes = [formats.node("GlobalAveragePool", ["x"], ["p"]), formats.node("Flatten", ["p"], ["f"]),
             formats.node("Softmax", ["f"], ["y"], axis=1)]
    return formats.model(nodes, {"x": list(dims)}, {"y": ["N", 3]})


def convolution(size=16, filters=8):
    dice = [((i * 2654435761) % 1000) / 500 - 1 for i in range(filters * 27)]
    return formats.model([formats.node("Conv", ["x", "w"], ["c"], name="the_conv", kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
                          formats.node("Relu", ["c"], ["y"])],
                         {"x": ["N", 3, size, size]}, {"y": ["N", filters, size, size]},
                         [formats.tensor("w", [filters, 3, 3, 3], dice)])


class Arrays(ProgramTest):
    def setUp(self):
        super().setUp()
        self.write("m.onnx", two_by_two())
        self.write("a.npy", formats.npy([2, 3], [1, 2, 3, 4, 5, 6]))
        self.write("b.npy", formats.npy([2, 3], [10, 20, 30, 40, 50, 60]))

    def output(self, name="out.npy"):
        return formats.read_npy((self.folder / name).read_bytes())

    def test_names_and_order(self):
        total, product = ([2, 3], [11, 22, 33, 44, 55, 66]), ([2, 3], [10, 40, 90, 160, 250, 360])
        for inputs in [["a.npy", "b.npy"], ["a=a.npy", "b=b.npy"], ["b=b.npy", "a=a.npy"], ["b=b.npy", "a.npy"]]:
            for outputs in [["s.npy", "p.npy"], ["sum=s.npy", "product=p.npy"], ["product=p.npy", "s.npy"]]:
                self.run_program("sepcl-run", "m.onnx", *inputs, *(o for f in outputs for o in ("-o", f)))
                self.assertEqual(self.output("s.npy"), total)
                self.assertEqual(self.output("p.npy"), product)

    def test_element_types_and_order(self):
        values = [1, 2, 3, 4, 5, 6]
        for kind in formats.KINDS:
            self.write("x.npy", formats.npy([2, 3], values, kind))
            self.run_program("sepcl-run", "m.onnx", "a=x.npy", "b=b.npy", "-o", "sum=out.npy", "-q")
            self.assertEqual(self.output(), ([2, 3], [11, 22, 33, 44, 55, 66]), kind)
        self.write("x.npy", formats.npy([2, 3], [1, 4, 2, 5, 3, 6], fortran=True))
        self.run_program("sepcl-run", "m.onnx", "a=x.npy", "b=b.npy", "-o", "sum=out.npy", "-q")
        self.assertEqual(self.output(), ([2, 3], [11, 22, 33, 44, 55, 66]))

    def test_file_names_with_equals(self):
        self.write("c=d.npy", (self.folder / "a.npy").read_bytes())
        self.run_program("sepcl-run", "m.onnx", "c=d.npy", "b=b.npy", "-o", "sum=e=f.npy")
        self.assertEqual(self.output("e=f.npy")[1][0], 11)

    def test_pipes(self):
        out = subprocess.run([self.path("sepcl-run"), "m.onnx", "a=-", "b=b.npy", "-o", "sum=-"], cwd=self.folder, check=True,
                             input=(self.folder / "a.npy").read_bytes(), stdout=subprocess.PIPE, timeout=300).stdout
        self.assertEqual(formats.read_npy(out), ([2, 3], [11, 22, 33, 44, 55, 66]))

    def test_nan_and_infinity(self):
        self.write("a.npy", formats.npy([1, 3], [math.nan, math.inf, 1]))
        self.write("b.npy", formats.npy([1, 3], [1, 1, 1]))
        out, _ = self.run_program("sepcl-run", "m.onnx", "a.npy", "b.npy", "-o", "sum=out.npy")
        got = self.output()[1]
        self.assertTrue(math.isnan(got[0]) and got[1] == math.inf and got[2] == 2)
        self.assertIn("NaN", out)
        answer = self.json("sepcl-run", "m.onnx", "a.npy", "b.npy")
        self.assertEqual(answer["outputs"][0]["nan"], 1)
        self.assertEqual(answer["outputs"][0]["least"], 2)
        self.assertIsNone(answer["outputs"][0]["most"])

    def test_ranges(self):
        out, errors = self.run_program("sepcl-run", "m.onnx", "a.npy", "b.npy")
        self.assertEqual(errors, "")
        self.assertRegex(out, r"(?m)^m\.onnx on .+ \(\d+:\d+\), f32: [\d.]+ ms$")
        self.assertRegex(out, r"(?m)^sum +2x3 +11 +66 +38\.5$")
        self.assertRegex(out, r"(?m)^product +2x3 +10 +360 +151\.67$")

    def test_quiet_and_verbose(self):
        out, errors = self.run_program("sepcl-run", "m.onnx", "a.npy", "b.npy", "-q", "-o", "sum=out.npy")
        self.assertEqual((out, errors), ("", ""))
        plain, _ = self.run_program("sepcl-run", "m.onnx", "a.npy", "b.npy")
        environment = {k: v for k, v in os.environ.items() if k != "POCL_AFFINITY"}
        done = subprocess.run([self.path("sepcl-run"), "m.onnx", "a.npy", "b.npy", "-vv"], cwd=self.folder, env=environment,
                              capture_output=True, text=True, timeout=300, check=True)
        self.assertEqual(done.stdout.splitlines()[1:], plain.splitlines()[1:])
        self.assertIn("sepcl-run: POCL_AFFINITY=1 was set", done.stderr)
        self.assertRegex(done.stderr, r"(?m)^sepcl-run: step 0: .*binary.* launch")

    def test_cache_folder(self):
        self.run_program("sepcl-run", "m.onnx", "a.npy", "b.npy", "--cache-dir", "cache", "--no-cache")
        self.assertFalse((self.folder / "cache").exists())
        self.run_program("sepcl-run", "m.onnx", "a.npy", "b.npy", "--cache-dir", "cache")
        self.assertTrue(any(p.is_file() for p in (self.folder / "cache").rglob("*")))

    def test_half(self):
        self.run_program("sepcl-run", "m.onnx", "a.npy", "b.npy", "-o", "product=out.npy", "-p", "f16", "--check")
        self.assertEqual(self.output()[1], [10, 40, 90, 160, 250, 360])


class Random(ProgramTest):
    def test_seeds(self):
        self.write("m.onnx", two_by_two())
        outputs = []
        for option in ["--random", "--random=1", "--random=2"]:
            self.run_program("sepcl-run", "m.onnx", option, "-o", "sum=out.npy", "--shape", "a=4x3", "--shape", "b=4x3")
            outputs.append(formats.read_npy((self.folder / "out.npy").read_bytes())[1])
        self.assertEqual(outputs[0], outputs[1])
        self.assertNotEqual(outputs[0], outputs[2])
        self.assertEqual(len(set(outputs[0])), 12)
        self.assertTrue(all(-2 <= v <= 2 for v in outputs[0]))


class Pictures(ProgramTest):
    RED, GREEN, BLUE = (250, 10, 20), (0, 255, 0), (30, 0, 200)

    def setUp(self):
        super().setUp()
        self.write("m.onnx", colours())
        self.write("labels.txt", "red\r\ngreen\r\nblue\r\n")
        for name, colour in [("r", self.RED), ("g", self.GREEN), ("b", self.BLUE)]:
            self.write(f"{name}.png", formats.png(9, 6, colour))
        self.write("r.jpg", formats.JPEG)

    def best(self, *arguments):
        answer = self.json("sepcl-run", "m.onnx", *arguments, "-l", "labels.txt")
        return [row[0]["label"] for row in answer["outputs"][0]["classes"]]

    def test_channels(self):
        self.assertEqual(self.best("b.png"), ["blue"])
        self.assertEqual(self.best("b.png", "--channels", "bgr"), ["red"])
        self.assertEqual(self.best("r.jpg"), ["red"])

    def test_batch(self):
        self.assertEqual(self.best("r.png", "g.png", "b.png"), ["red", "green", "blue"])
        out, _ = self.run_program("sepcl-run", "m.onnx", "r.png", "b.png", "-k", "2", "-l", "labels.txt")
        self.assertRegex(out, r"(?s)r\.png\nClass +Probability +Label\n.*0 +0\.\d{4} +red\n.*b\.png\n.* 2 +0\.\d{4} +blue\n")

    def test_layouts(self):
        self.write("m.onnx", formats.model(
            [formats.node("ReduceMean", ["x"], ["f"], axes=[1, 2], keepdims=0), formats.node("Softmax", ["f"], ["y"], axis=1)],
            {"x": [1, 5, 7, 3]}, {"y": [1, 3]}))
        self.assertEqual(self.best("g.png"), ["green"])

    def values(self, *arguments):
        """The input tensor itself, by a network that gives it back."""
        self.write("same.onnx", formats.model([formats.node("Identity", ["x"], ["i"]), formats.node("Relu", ["i"], ["y"])],
                                              {"x": [1, 3, 2, 2]}, {"y": [1, 3, 2, 2]}))
        self.run_program("sepcl-run", "same.onnx", *arguments, "-o", "out.npy")
        return formats.read_npy((self.folder / "out.npy").read_bytes())[1]

    def test_scaling(self):
        def near(got, want):
            self.assertTrue(all(abs(g - w) < 1e-5 for g, w in zip(got, [c for c in want for _ in range(4)])), got)
        near(self.values("r.png"), [250 / 255, 10 / 255, 20 / 255])
        near(self.values("r.png", "--mean", "10"), [240, 0, 10])
        near(self.values("r.png", "--scale", "0.5"), [125, 5, 10])
        near(self.values("r.png", "--mean=0,5,10", "--scale", "1,1/2,1/4"), [250, 2.5, 2.5])

    def test_resize(self):
        """Left third red, middle green, right blue: crop sees the middle, stretch all."""
        self.write("x.png", formats.png(12, 4, lambda x, y: [(255, 0, 0), (0, 255, 0), (0, 0, 255)][x // 4]))
        crop, stretch = self.values("x.png"), self.values("x.png", "--resize", "stretch")
        self.assertLess(max(crop[0:4] + crop[8:12]), 0.2)
        self.assertGreater(stretch[0], 0.5)
        self.assertGreater(stretch[9], 0.5)

    def test_classes(self):
        out, _ = self.run_program("sepcl-run", "m.onnx", "r.png", "-k", "99")
        self.assertEqual(len(out.strip().splitlines()), 1 + 1 + 1 + 2 + 3)
        self.write("labels.txt", "only one\n")
        out, _ = self.run_program("sepcl-run", "m.onnx", "b.png", "-l", "labels.txt")
        self.assertRegex(out, r"(?m)^ +0 +0\.\d{4} +only one$")

    def test_hostile_labels(self):
        self.write("labels.txt", b"\x1b[2J\xff\n\x07\n\n")
        out, _ = self.run_program("sepcl-run", "m.onnx", "r.png", "-l", "labels.txt")
        self.assertNotIn("\x1b", out)
        self.assertNotIn("\x07", out)
        self.json("sepcl-run", "m.onnx", "r.png", "-l", "labels.txt")


class Checking(ProgramTest):
    def setUp(self):
        super().setUp()
        self.write("m.onnx", convolution())

    def test_right(self):
        out, _ = self.run_program("sepcl-run", "m.onnx", "--random", "--check", "-o", "y.npy")
        self.assertRegex(out, r"(?m)^ *\d+ .*the_conv.* (conv|stem_planes) +\S+ +ok$")
        self.assertRegex(out, r"All \d+ layers agree")
        answer = self.json("sepcl-run", "m.onnx", "--random", "--check")
        self.assertTrue(answer["check"]["ok"])
        self.assertTrue(all(0 <= layer["error"] < 1e-4 for layer in answer["check"]["layers"]))

    def test_wrong(self):
        """float32 cannot agree with double to twelve digits: the layer is named and nothing is written."""
        out, errors = self.run_program("sepcl-run", "m.onnx", "--random", "--check=1e-12", "-o", "y.npy", code=1)
        self.assertRegex(out, r"(?m)^ *\d+ .*the_conv.* WRONG$")
        self.assertRegex(errors, r"^sepcl-run: layer '.*the_conv.*differs.*\n$")
        self.assert_folder_holds("m.onnx")
        out, _ = self.run_program("sepcl-run", "m.onnx", "--random", "--check=1e-12", "--json", code=1)
        self.assertIn('"ok": false', out)

    def test_no_fusion(self):
        fused = self.json("sepcl-run", "m.onnx", "--random", "--check")["check"]["layers"]
        single = self.json("sepcl-run", "m.onnx", "--random", "--check", "--no-fusion")["check"]["layers"]
        self.assertGreater(len(single), len(fused))


class Measuring(ProgramTest):
    def setUp(self):
        super().setUp()
        self.write("m.onnx", convolution())

    def test_repeat(self):
        out, _ = self.run_program("sepcl-run", "m.onnx", "--random", "--repeat", "20")
        times = [float(t) for t in re.search(
            r": min ([\d.]+), median ([\d.]+), p90 ([\d.]+) ms of 20 runs", out).groups()]
        self.assertEqual(times, sorted(times))
        answer = self.json("sepcl-run", "m.onnx", "--random", "--repeat", "5")
        self.assertEqual(answer["runs"], 5)
        self.assertTrue(0 < answer["min_ms"] <= answer["median_ms"] <= answer["p90_ms"])

    def test_progress(self):
        self.write("long.onnx", convolution(96, 64))
        least_ms = self.json("sepcl-run", "long.onnx", "--random", "--repeat", 200)["min_ms"]
        # ten times as long as nothing is shown of what is done within a moment, so that the bar appears on any machine
        arguments = ["long.onnx", "--random", "--repeat", min(10000, math.ceil(4000 / least_ms))]
        code, out = self.in_terminal("sepcl-run", *arguments, width=60, stream="stderr")
        self.assertEqual(code, 0)
        self.assertRegex(out, r"run [█░]{24} +\d+%")
        self.assertTrue(out.endswith("\r\x1b[K"), out[-200:])  # nothing of it stays
        for line in re.split(r"[\r\n]|\x1b\[K", out):
            self.assertLess(len(line), 60)
        self.assertEqual(self.in_terminal("sepcl-run", *arguments, "-q", stream="stderr"), (0, ""))
        _, errors = self.run_program("sepcl-run", *arguments)
        self.assertEqual(errors, "")

    def test_trace(self):
        self.run_program("sepcl-run", "m.onnx", "--random", "--profile", "trace.json", "--repeat", "3", "-q")
        trace = json.loads((self.folder / "trace.json").read_text())
        events = trace["traceEvents"]
        tracks = {e["args"]["name"]: e["tid"] for e in events if e["ph"] == "M" and e["name"] == "thread_name"}
        self.assertEqual(len(tracks), 2)
        spans = [e for e in events if e["ph"] == "X"]
        self.assertTrue(all(e["dur"] >= 0 and e["ts"] >= 0 for e in spans))
        host = [e["name"] for e in spans if e["tid"] == tracks["host"]]
        for name in ["load model", "create session", "write inputs", "read outputs"]:
            self.assertIn(name, host)
        self.assertEqual(host.count("run"), 3)
        device = [e for e in spans if e["tid"] != tracks["host"]]
        self.assertGreaterEqual(len([e for e in device if "the_conv" in e["name"]]), 3)
        self.assertTrue(all(e["args"]["kernel"] and e["args"]["why"] for e in device))
        runs = [e for e in spans if e["name"] == "run"]
        for e in device:  # each kernel lies within a run of the host, give or take the clocks' difference
            self.assertTrue(any(r["ts"] - 500 <= e["ts"] <= r["ts"] + r["dur"] + 500 for r in runs), e)

    def test_trace_in_perfetto(self):
        """What Perfetto asks of the trace event format: named tracks, complete events in microseconds, and on each track spans
        that lie in or beside each other."""
        self.write("two.onnx", formats.model(
            [formats.node("Conv", ["x", "w"], ["m"], name="first", kernel_shape=[1, 1]),
             formats.node("Conv", ["m", "v"], ["y"], name="second", kernel_shape=[1, 1])],
            {"x": [1, 3, 16, 16]}, {"y": [1, 2, 16, 16]},
            [formats.tensor("w", [4, 3, 1, 1], range(12)), formats.tensor("v", [2, 4, 1, 1], range(8))]))
        begin = time.monotonic()
        told = self.json("sepcl-run", "two.onnx", "--random", "--no-fusion", "--profile", "trace.json", "--repeat", 3)
        wall_us = 1e6 * (time.monotonic() - begin)
        trace = json.loads((self.folder / "trace.json").read_text())
        events = trace["traceEvents"]
        self.assertEqual({e["ph"] for e in events}, {"M", "X"})
        names = {(e["name"], e["tid"]): e["args"]["name"] for e in events if e["ph"] == "M"}
        self.assertEqual(len({e["pid"] for e in events}), 1)
        self.assertEqual([v for (kind, _), v in names.items() if kind == "process_name"], ["sepcl-run"])
        tracks = {v: tid for (kind, tid), v in names.items() if kind == "thread_name"}
        self.assertEqual(sorted(tracks), sorted(["host", told["device"]["name"]]))
        spans = {tid: sorted((e for e in events if e["ph"] == "X" and e["tid"] == tid), key=lambda e: (e["ts"], -e["dur"]))
                 for tid in tracks.values()}
        self.assertEqual(sum(map(len, spans.values())), sum(e["ph"] == "X" for e in events))
        layers = [e["name"] for e in spans[tracks[told["device"]["name"]]]]
        self.assertEqual([name for name in layers if name in ("first", "second")], 3 * ["first", "second"])
        for track in spans.values():
            open_ends = []
            for e in track:
                self.assertTrue(e["name"] and 0 <= e["ts"] <= e["ts"] + e["dur"] <= wall_us, e)
                while open_ends and open_ends[-1] <= e["ts"] + 1e-3:  # a nanosecond: both are rounded
                    open_ends.pop()
                self.assertTrue(not open_ends or e["ts"] + e["dur"] <= open_ends[-1] + 1e-3, (e, open_ends))
                open_ends.append(e["ts"] + e["dur"])
        load, = [e for e in spans[tracks["host"]] if e["name"] == "load model"]
        self.assertGreaterEqual(load["dur"], 1e3 * told["load_ms"] - 1e-3)  # and no longer than all of it took: microseconds


class WholeFiles(ProgramTest):
    def setUp(self):
        super().setUp()
        self.write("m.onnx", two_by_two())
        self.write("a.npy", formats.npy([1, 3], [1, 2, 3]))

    def test_all_or_none(self):
        said = self.sentence("sepcl-run", "m.onnx", "a.npy", "a.npy", "-o", "sum=s.npy", "-o", "product=none/p.npy", code=3)
        self.assertIn("none/p.npy", said)
        self.assert_folder_holds("a.npy", "m.onnx")
        said = self.sentence("sepcl-run", "m.onnx", "a.npy", "a.npy", "-o", "s.npy", "--profile", ".", code=3)
        self.assertIn("is a folder", said)
        self.assert_folder_holds("a.npy", "m.onnx")

    def test_old_file_survives(self):
        self.write("s.npy", "old")
        self.run_program("sepcl-run", "m.onnx", "a.npy", "missing.npy", "-o", "s.npy", code=3)
        self.assertEqual((self.folder / "s.npy").read_text(), "old")

    def test_full_disk(self):
        self.write("big.onnx", convolution(512, 8))
        arguments = ["big.onnx", "--random", "-q", "-o", "y.npy"]
        self.run_program("sepcl-run", *arguments)  # compiles what has to be compiled
        (self.folder / "y.npy").unlink()
        said = self.sentence("sepcl-run", *arguments, code=3, limit=6 << 20)
        self.assertIn("y.npy: File too large", said)
        self.assert_folder_holds("a.npy", "big.onnx", "m.onnx")

    def test_standard_output_is_full(self):
        with open("/dev/full", "wb") as full:
            for arguments in [("sepcl-run", "m.onnx", "a.npy", "a.npy"), ("sepcl-summary", "m.onnx"), ("sepcl-info", "--json")]:
                _, errors = self.run_program(*arguments, code=3, stdout=full)
                self.assertIn("cannot write standard output", errors)

    def test_killed(self):
        for number in [signal.SIGKILL, signal.SIGTERM, signal.SIGINT]:
            child = subprocess.Popen([self.path("sepcl-run"), "m.onnx", "a.npy", "a.npy", "--repeat", "1000000", "-o", "s.npy"],
                                     cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(1)
            self.assertIsNone(child.poll())
            child.send_signal(number)
            self.assertEqual(child.wait(timeout=60), -number)
            self.assert_folder_holds("a.npy", "m.onnx")

    def test_link(self):
        self.write("real.npy", "old")
        (self.folder / "link.npy").symlink_to("real.npy")
        self.run_program("sepcl-run", "m.onnx", "a.npy", "a.npy", "-o", "sum=link.npy", "-q")
        self.assertTrue((self.folder / "link.npy").is_symlink())
        self.assertEqual(formats.read_npy((self.folder / "real.npy").read_bytes())[1], [2, 4, 6])


if __name__ == "__main__":
    unittest.main()
