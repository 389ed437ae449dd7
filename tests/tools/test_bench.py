# SPDX-License-Identifier: Apache-2.0
"""sepcl-bench: numbers that fit together, files that are whole, and a page that stands alone. How fast anything is, is not
tested: that depends on what else the machine does."""
import json
import re
import unittest
import xml.etree.ElementTree as xml

import formats
from programs import ProgramTest


def network(name="conv", size=16, batch="N", filters=8):
    """A convolution with an activation, pooling, and a free batch unless one is given."""
    dice = [((i * 2654435761) % 1000) / 500 - 1 for i in range(filters * 27)]
    return formats.model(
        [formats.node("Conv", ["x", "w"], ["c"], name=name, kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
         formats.node("Relu", ["c"], ["r"]), formats.node("GlobalAveragePool", ["r"], ["y"], name="pool")],
        {"x": [batch, 3, size, size]}, {"y": [batch, filters, 1, 1]},
        [formats.tensor("w", [filters, 3, 3, 3], dice)])


def separable():
    """A depthwise and a pointwise convolution, which compete with the form of both."""
    dice = [((i * 2654435761) % 1000) / 500 - 1 for i in range(16 * 8)]
    return formats.model([formats.node("Conv", ["x", "d"], ["m"], name="deep", kernel_shape=[3, 3], group=8),
                          formats.node("Conv", ["m", "p"], ["y"], name="point", kernel_shape=[1, 1])],
                         {"x": [1, 8, 24, 24]}, {"y": [1, 16, 22, 22]},
                         [formats.tensor("d", [8, 1, 3, 3], dice[:72]), formats.tensor("p", [16, 8, 1, 1], dice)])


def bench(test, *arguments, models=("m.onnx",)):
    """(text, JSON) of a short run."""
    out, _ = test.run_program("sepcl-bench", *models, "--repeat", 3, "--json", "bench.json", *arguments)
    text = (test.folder / "bench.json").read_text()
    return out, json.loads(text, parse_constant=lambda word: test.fail(f"{word} is not JSON"))


class Latency(ProgramTest):
    def setUp(self):
        super().setUp()
        self.write("m.onnx", network())
        self.write("fixed.onnx", network(batch=2))

    def rows(self, out):
        """{model: (batch, min, median, p90)}"""
        found = re.findall(r"(?m)^(\S+\.onnx) +(\d+) +([\d.]+) +([\d.]+) +([\d.]+)$", out)
        return {name: (int(batch), *map(float, times)) for name, batch, *times in found}

    def test_text(self):
        out, _ = self.run_program("sepcl-bench", "m.onnx", "fixed.onnx", "--repeat", 12)
        self.assertRegex(out, r"^.+ \(\d+:\d+\), f32, 12 runs\n")
        rows = self.rows(out)
        self.assertEqual(list(rows), ["m.onnx", "fixed.onnx"])
        self.assertEqual((rows["m.onnx"][0], rows["fixed.onnx"][0]), (1, 2))
        for _, least, median, p90 in rows.values():
            self.assertTrue(0 < least <= median <= p90)
        self.assert_folder_holds("fixed.onnx", "m.onnx")

    def test_batch(self):
        out, _ = self.run_program("sepcl-bench", "m.onnx", "--batch", 5, "--repeat", 1)
        self.assertEqual(self.rows(out)["m.onnx"][0], 5)
        out, _ = self.run_program("sepcl-bench", "m.onnx", "--shape", "x=4x3x16x16", "--repeat", 1, "-p", "f16")
        self.assertEqual(self.rows(out)["m.onnx"][0], 4)
        self.assertIn(", f16, 1 run\n", out)

    def test_batch_is_the_first_free_dimension(self):
        self.write("inner.onnx", formats.model([formats.node("Relu", ["x"], ["y"])], {"x": [3, "N", 7]}, {"y": [3, "N", 7]}))
        out, _ = self.run_program("sepcl-bench", "inner.onnx", "--batch", 6, "--repeat", 1)
        self.assertEqual(self.rows(out)["inner.onnx"][0], 6)

    def test_quiet(self):
        self.assertEqual(self.run_program("sepcl-bench", "m.onnx", "--repeat", 1, "-q"), ("", ""))

    def test_progress(self):
        """On a terminal only, and gone at the end."""
        self.write("slow.onnx", network(size=192, filters=64))
        code, errors = self.in_terminal("sepcl-bench", "slow.onnx", "--repeat", 400, stream="stderr")
        self.assertEqual(code, 0)
        for piece in errors.split("\r"):
            self.assertRegex(piece.replace("\x1b[K", ""), r"^(timing [█░]+ +\d+%.*|preparing the kernels  \d+ s)?$")


class Layers(ProgramTest):
    def setUp(self):
        super().setUp()
        self.write("m.onnx", network())

    def test_json(self):
        out, answer = bench(self, models=("m.onnx", "./m.onnx"))
        self.assertIn("./m.onnx", out)
        device = answer["device"]
        self.assertRegex(device["selector"], r"^\d+:\d+$")
        for key in ["fma_gflops", "least_fma_gflops", "bandwidth_gbs", "launch_us", "round_trip_us"]:
            self.assertGreater(device[key], 0)
        self.assertEqual([m["file"] for m in answer["models"]], ["m.onnx", "./m.onnx"])
        for m in answer["models"]:
            self.assertEqual((m["batch"], m["precision"], m["runs"], m["fusion"]), (1, "f32", 3, True))
            self.assertTrue(0 < m["min_ms"] <= m["median_ms"] <= m["p90_ms"])
            for key in ["load_ms", "session_ms", "write_ms", "run_ms", "read_ms", "profiled_run_ms", "floor_ms"]:
                self.assertGreater(m[key], 0)
            self.check_steps(m, device)

    def check_steps(self, model, device):
        steps = model["steps"]
        self.assertEqual(len({s["name"] for s in steps}), len(steps))
        conv, = [s for s in steps if "conv" in s["name"]]  # by itself, or with the transposition before it
        self.assertEqual((conv["output_shape"], conv["multiplications"]), ([1, 16, 16, 8], 16 * 16 * 8 * 27))
        self.assertAlmostEqual(sum(s["floor_ms"] for s in steps), model["floor_ms"], delta=1e-6 * model["floor_ms"])
        for s in steps:
            self.assertGreaterEqual(s["launches"], 1)
            self.assertEqual([w["name"] for w in s["kernels_tried"] if w["chosen"]], [s["kernel"]])
            self.assertGreater(s["bytes"], 0)
            self.assertIn(s["bound"], ["compute", "cache", "memory"])
            speed = {"compute": device["fma_gflops"], "cache": device["cache_gbs"], "memory": device["bandwidth_gbs"]}
            work = 2 * max(s["multiplications"], s["additions"]) if s["bound"] == "compute" else s["bytes"]
            self.assertAlmostEqual(s["floor_ms"], 1e-6 * work / speed[s["bound"]], delta=1e-6 * s["floor_ms"])
            if s["time_ms"] is None:  # a device that gives no event times
                self.assertEqual((s["efficiency"], s["lost_ms"], model["kernels_ms"]), (None, None, None))
                continue
            self.assertAlmostEqual(s["efficiency"], s["floor_ms"] / s["time_ms"], delta=1e-6 * s["efficiency"])
            self.assertAlmostEqual(s["lost_ms"], max(0, s["time_ms"] - s["floor_ms"]), delta=1e-6 * s["time_ms"])

    def test_table(self):
        out, answer = bench(self, "--layers")
        known = answer["models"][0]["kernels_ms"] is not None
        table = re.findall(r"(?m)^(\S.*?) +(\w+) +(compute|cache|memory) +([\d.-]+) +([\d.]+) +(\d+ %|-) +([\d.-]+)$", out)
        self.assertEqual(sorted(row[0] for row in table), sorted(s["name"] for s in answer["models"][0]["steps"]))
        if known:
            lost = [float(row[6]) for row in table]
            self.assertEqual(lost, sorted(lost, reverse=True))
            self.assertRegex(out, r"(?m)^A profiled run takes [\d.]+ ms, of which [\d.]+ in kernels and [\d.]+ ")
        self.assertRegex(out, rf"(?m)^all {len(table)} ")
        self.assertRegex(out, r"(?m)^Measured on .+: \S+ GFLOP/s of multiply-adds, \S+ GB/s to memory")

    def test_batch_and_half(self):
        # unfused, as the first convolution may else read the picture itself, which is float32 in either precision
        _, one = bench(self, "--no-fusion")
        _, four = bench(self, "--no-fusion", "--batch", 4)
        _, half = bench(self, "--no-fusion", "-p", "f16")
        of_conv = [[s for s in answer["models"][0]["steps"] if s["op"] == "conv"][0] for answer in (one, four, half)]
        self.assertEqual(four["models"][0]["batch"], 4)
        self.assertEqual(of_conv[1]["multiplications"], 4 * of_conv[0]["multiplications"])
        self.assertEqual(half["models"][0]["precision"], "f16")
        self.assertEqual(2 * of_conv[2]["bytes"], of_conv[0]["bytes"])

    def test_forms_tried(self):
        self.write("m.onnx", separable())
        _, fused = bench(self)
        _, apart = bench(self, "--no-fusion")
        steps = [s for s in fused["models"][0]["steps"] if s["op"] in ("conv", "separable")]
        self.assertEqual(sorted(w["name"] for w in steps[0]["forms_tried"]), ["conv, conv", "separable"])
        self.assertEqual([w["name"] for w in steps[0]["forms_tried"] if w["chosen"]],
                         ["separable" if len(steps) == 1 else "conv, conv"])
        self.assertTrue(all(w["tuned_us"] is None and w["predicted"] > 0 for w in steps[0]["forms_tried"]))
        self.assertFalse([s["name"] for s in apart["models"][0]["steps"] if s["forms_tried"]])

    def test_no_fusion(self):
        _, fused = bench(self)
        _, apart = bench(self, "--no-fusion")
        self.assertFalse(apart["models"][0]["fusion"])
        self.assertGreater(len(apart["models"][0]["steps"]), len(fused["models"][0]["steps"]))

    def test_standard_output(self):
        out, _ = self.run_program("sepcl-bench", "m.onnx", "--repeat", 1, "--json", "-")
        self.assertEqual(json.loads(out)["models"][0]["file"], "m.onnx")
        out, _ = self.run_program("sepcl-bench", "m.onnx", "--repeat", 1, "--layers", "--html", "-")
        self.assertTrue(out.startswith("<!DOCTYPE html>"))
        self.assert_folder_holds("m.onnx")


class Page(ProgramTest):
    def setUp(self):
        super().setUp()
        self.write("m.onnx", network())

    def page(self):
        return (self.folder / "page.html").read_text(encoding="utf-8")

    def make(self, *models, arguments=()):
        self.run_program("sepcl-bench", *models, "--repeat", 2, "--html", "page.html", "-q", *arguments)
        return xml.fromstring(self.page().removeprefix("<!DOCTYPE html>"))

    def test_stands_alone(self):
        tree = self.make("m.onnx")
        text = self.page()
        self.assertNotRegex(text, r"(?i)https?:|//|url\(|@import|<script|<link|<img|<iframe|<object|\bsrc\s*=")
        for element in tree.iter():
            for key, value in element.attrib.items():
                self.assertFalse(key.startswith("on"), f"{key} runs a script")
                self.assertTrue(key != "href" or value.startswith("#"), value)
        self.assertIn("prefers-color-scheme:dark", text)
        self.assertIsNotNone(tree.find("./head/meta[@name='viewport']"))
        self.assertEqual(tree.find("./head/title").text, "sepcl-bench: m.onnx")

    def test_holds_every_layer(self):
        _, answer = bench(self, "--html", "page.html", "-q")
        tree = xml.fromstring(self.page().removeprefix("<!DOCTYPE html>"))
        steps = answer["models"][0]["steps"]
        rows = tree.findall(".//section/table/tbody/tr")
        self.assertEqual([row[0].text for row in rows], [str(i + 1) for i in range(len(steps))])
        self.assertEqual(sorted(row[1].text for row in rows), sorted(s["name"] for s in steps))
        self.check_ways(tree, steps)
        if answer["models"][0]["kernels_ms"] is None:
            return
        bars = [bar.find("span").text for bar in tree.iter("div") if bar.get("class") == "bar"]
        self.assertEqual(bars, [s["name"] for s in steps] + ["between kernels"])
        shown = [s for s in steps if s["multiplications"] + s["additions"] > 0]
        for picture in tree.iter("svg"):
            self.assertEqual(len(picture.findall("circle")), len(shown))
            self.assertIn("GFLOP/s", "".join(picture.itertext()))

    def check_ways(self, tree, steps):
        """Every layer with what was tried for it, and what runs marked."""
        found = {d.find("summary").text: d for d in tree.iter("details")}
        self.assertEqual(sorted(found), sorted(s["name"] for s in steps))
        for s in steps:
            ways = [d for d in found[s["name"]].iter("div") if d.get("class").startswith("bar way")]
            tried = s["forms_tried"] + s["kernels_tried"]
            self.assertEqual([d.find("span").text for d in ways], [w["name"] for w in tried])
            self.assertEqual([d.get("class") == "bar way on" for d in ways], [w["chosen"] for w in tried])
            self.assertIn(s["why"], "".join(found[s["name"]].itertext()))

    def test_forms_tried(self):
        self.write("m.onnx", separable())
        text = "".join(self.make("m.onnx").itertext())
        for piece in ["separable", "conv, conv", "2 forms, ", "fewest predicted cycles"]:
            self.assertIn(piece, text)

    def test_several_models(self):
        self.write("other.onnx", network(size=8))
        tree = self.make("m.onnx", "other.onnx")
        targets = [a.get("href")[1:] for a in tree.iter("a")]
        self.assertEqual(targets, [s.get("id") for s in tree.iter("section")])
        self.assertEqual([s.find("h2").text for s in tree.iter("section")], ["m.onnx", "other.onnx"])

    def test_hostile_names(self):
        name = "</title></style><script>alert(1)</script>&amp;\"' \x1b[2J\u202e]]><!--"
        self.write("<b>&.onnx", network(name))
        tree = self.make("<b>&.onnx", arguments=["--json", "bench.json"])
        self.assertEqual([e for e in tree.iter() if e.tag in ("script", "b") and e.get("class") not in ("f", "l")], [])
        self.assertIn("<b>&.onnx", "".join(tree.find("./body/header/h1").itertext()))
        self.assertIn("<script>alert(1)</script>&amp;\"' \ufffd[2J\ufffd]]><!--", "".join(tree.itertext()))
        json.loads((self.folder / "bench.json").read_text())


class Wrong(ProgramTest):
    def setUp(self):
        super().setUp()
        self.write("m.onnx", network())
        self.write("fixed.onnx", network(batch=2))

    def test_usage(self):
        self.assertIn("a model file is needed", self.sentence("sepcl-bench", code=2))
        for option in ["--repeat", "--batch"]:
            for value in ["0", "-1", "1.5", "many", "99999999999"]:
                self.assertIn(f"{option} takes a whole number from 1", self.sentence("sepcl-bench", "m.onnx", option, value,
                                                                                     code=2))
        self.assertIn("--json and --html both write 'a'",
                      self.sentence("sepcl-bench", "m.onnx", "--json", "a", "--html", "a", code=2))
        self.assertIn("both write '-'", self.sentence("sepcl-bench", "m.onnx", "--json", "-", "--html", "-", code=2))
        said = self.sentence("sepcl-bench", "m.onnx", "fixed.onnx", "--batch", 4, code=2)
        self.assertIn("fixed.onnx has no free dimension for --batch 4: input 'x' is 2x3x16x16", said)
        self.assertIn("did you mean --layers?", self.sentence("sepcl-bench", "m.onnx", "--layer=1", code=2))

    def test_open_shape(self):
        self.write("open.onnx", formats.model([formats.node("Relu", ["x"], ["y"])], {"x": ["N", 3, "H", "W"]},
                                              {"y": ["N", 3, "H", "W"]}))
        self.assertIn("--shape 'x=4x3x224x224'", self.sentence("sepcl-bench", "open.onnx", "--batch", 4, code=2))

    def test_bad_files(self):
        self.write("bad.onnx", "no model")
        self.assertIn("bad.onnx", self.sentence("sepcl-bench", "m.onnx", "bad.onnx", code=3))
        self.assertIn("missing.onnx", self.sentence("sepcl-bench", "missing.onnx", code=3))
        self.write("odd.onnx", formats.model([formats.node("Frobnicate", ["x"], ["y"])], {"x": [1, 2]}, {"y": [1, 2]}))
        self.assertIn("Frobnicate", self.sentence("sepcl-bench", "odd.onnx", code=4))
        for option in ["--json", "--html"]:
            self.assertIn("cannot write no/such", self.sentence("sepcl-bench", "m.onnx", option, "no/such", code=3))
            self.assertIn("it is a folder", self.sentence("sepcl-bench", "m.onnx", option, ".", code=3))
        self.assert_folder_holds("bad.onnx", "fixed.onnx", "m.onnx", "odd.onnx")

    def test_full_disk(self):
        said = self.sentence("sepcl-bench", "m.onnx", "--repeat", 1, "--json", "/dev/full", "--html", "page.html", "-q",
                             code=3)
        self.assertIn("cannot write /dev/full", said)
        self.assert_folder_holds("fixed.onnx", "m.onnx")  # not one without the other

    def test_devices(self):
        self.assertIn("9:9", self.sentence("sepcl-bench", "m.onnx", "-d", "9:9", code=5))
        self.sentence("sepcl-bench", "m.onnx", code=5, environment={"OCL_ICD_VENDORS": str(self.folder)})


class BreakEven(ProgramTest):
    def run_shapes(self, *arguments):
        out, _ = self.run_program("sepcl-bench", "--break-even", "--most", 8, "--json", "b.json", *arguments)
        return out, json.loads((self.folder / "b.json").read_text())

    def test_the_seed(self):
        out, answer = self.run_shapes()
        (seed,) = answer["break_even"]
        self.assertEqual([seed[k] for k in ("height", "width", "channels", "kernel")], [12, 12, 3, [5, 5]])
        self.assertEqual([p["outputs"] for p in seed["points"]], [1, 2, 4, 8])
        for p in seed["points"]:
            n = p["outputs"]
            self.assertEqual(p["dense"]["multiplications"], 4800 * n)
            self.assertEqual(p["separable"]["multiplications"], 4800 + 192 * n)
            self.assertEqual(p["spatial"]["multiplications"], 1440 * n + 320 * n * n)
            for form in ("dense", "separable", "spatial"):
                self.assertGreater(p[form]["us"], 0)
        (span,) = seed["separable"]["fewer_multiplications"]
        self.assertAlmostEqual(span[0], 4800 / (4800 - 192), 6)
        self.assertIsNone(span[1])
        (span,) = seed["spatial"]["fewer_multiplications"]
        self.assertIsNone(span[0])
        self.assertAlmostEqual(span[1], (4800 - 1440) / 320, 6)
        self.assertIn("depthwise-separable: fewer multiplications than dense from 1.04 on, faster ", out)
        self.assertIn("5x1, then 1x5: fewer multiplications than dense up to 10.5, faster ", out)
        self.assertRegex(out, r"(?m)^ *8 +[\d.]+ +[\d.]+ +[\d.]+ +38,400 +6,336 +32,000$")

    def test_shapes_and_kernels(self):
        out, answer = self.run_shapes("--shape", "20x16x4", "--kernel", "3x1", "--shape", "9x9x1", "--html", "p.html", "--svg",
                                      "p.svg")
        _, second, third = answer["break_even"]
        self.assertEqual((second["kernel"], third["kernel"]), ([3, 1], [3, 1]))
        self.assertEqual((second["spatial"], second["points"][0]["spatial"]), (None, None))
        self.assertEqual(second["points"][1]["dense"]["multiplications"], 18 * 16 * 12 * 2)
        page = (self.folder / "p.html").read_text(encoding="utf-8")
        self.assertNotRegex(page, r"(?i)https?:|url\(|<script|<link|<img")
        tree = xml.fromstring(page.removeprefix("<!DOCTYPE html>"))
        self.assertEqual(len(tree.findall(".//svg")), 6)
        self.assertEqual(len(tree.findall(".//polyline[@class='curve s2']")), 2)
        picture = xml.fromstring((self.folder / "p.svg").read_text(encoding="utf-8"))
        self.assertEqual(picture.tag, "{http://www.w3.org/2000/svg}svg")
        self.assertEqual(len(picture.findall(".//{*}polyline")), 14)
        self.assertIn("prefers-color-scheme:dark", picture.find("{*}style").text)

    def test_wrong(self):
        self.write("m.onnx", network())
        for arguments, text in ((["m.onnx"], "takes no model"), (["--shape", "x=1x3x8x8"], "HEIGHTxWIDTHxCHANNELS"),
                                (["--shape", "8x8"], "HEIGHTxWIDTHxCHANNELS"), (["--kernel", "3x3"], "no --shape to go with"),
                                (["--shape", "4x4x1", "--kernel", "5x5"], "does not fit"), (["--layers"], "are of models"),
                                (["--shape", "8x8x8", "--kernel", "3"], "--kernel takes")):
            self.assertIn(text, self.sentence("sepcl-bench", "--break-even", *arguments, code=2))
        self.assertIn("--svg goes with --break-even", self.sentence("sepcl-bench", "m.onnx", "--svg", "a.svg", code=2))


if __name__ == "__main__":
    unittest.main()
