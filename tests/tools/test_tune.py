# SPDX-License-Identifier: Apache-2.0
"""sepcl-tune: what it finds is right, kept, used, and never trusted."""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time
import unittest

import formats
from programs import ProgramTest

KERNELS = pathlib.Path(__file__).resolve().parents[2] / "kernels"


def dice(count, start=0):
    return [(((i + start) * 2654435761) % 2000) / 1000 - 1 for i in range(count)]


def block(blocks=1, size=14, channels=16, wide=48):
    """Inverted residuals: pointwise, depthwise, pointwise, addition."""
    nodes, weights, x = [], [], "x"
    for b in range(blocks):
        w = wide + 16 * b
        weights += [formats.tensor(f"e{b}", [w, channels, 1, 1], dice(w * channels)),
                    formats.tensor(f"d{b}", [w, 1, 3, 3], dice(w * 9, 7)),
                    formats.tensor(f"p{b}", [channels, w, 1, 1], [v / 16 for v in dice(w * channels, 3)])]
        nodes += [formats.node("Conv", [x, f"e{b}"], [f"a{b}"], kernel_shape=[1, 1]),
                  formats.node("Relu", [f"a{b}"], [f"r{b}"]),
                  formats.node("Conv", [f"r{b}", f"d{b}"], [f"c{b}"], kernel_shape=[3, 3], pads=[1, 1, 1, 1], group=w),
                  formats.node("Conv", [f"c{b}", f"p{b}"], [f"q{b}"], kernel_shape=[1, 1]),
                  formats.node("Add", [f"q{b}", x], [f"y{b}"])]
        x = f"y{b}"
    shape = [1, channels, size, size]
    return formats.model(nodes, {"x": shape}, {x: shape}, weights)


class Tuning(ProgramTest):
    def setUp(self):
        super().setUp()
        self.write("m.onnx", block())
        self.write("x.npy", formats.npy([1, 16, 14, 14], dice(16 * 14 * 14, 11)))

    def tune(self, *arguments, budget="8", **rest):
        return self.json("sepcl-tune", "m.onnx", "--cache-dir", "cache", "--budget", budget, *arguments, **rest)["models"][0]

    def file(self):
        files = list((self.folder / "cache" / "tuning").iterdir())
        self.assertEqual(len(files), 1)
        return files[0]

    def answer(self, *arguments, **rest):
        """Values, and what -v says."""
        _, said = self.run_program("sepcl-run", "m.onnx", "x.npy", "-o", "y.npy", "-v", *arguments, **rest)
        return formats.read_npy((self.folder / "y.npy").read_bytes())[1], said

    def assert_close(self, got, want, tolerance=1e-5):
        largest = max(abs(v) for v in want)
        self.assertLessEqual(max(abs(a - b) for a, b in zip(got, want)), tolerance * largest)

    def test_a_second_session_uses_what_was_found(self):
        want, said = self.answer("--no-cache")
        self.assertNotIn("tuned", said)
        found = self.tune(budget="60")  # all has to be measured, however busy the machine
        self.assertFalse(found["stopped"])
        self.assertGreater(found["before_ms"], 0)
        self.assertGreater(found["after_ms"], 0)
        self.assertGreater(len(found["layers"]), 1)
        for layer in found["layers"]:
            self.assertEqual(layer["wrong"], 0)
            self.assertGreater(layer["tried"], 0)
            self.assertGreater(layer["after_us"], 0)
            self.assertLessEqual(layer["error"], 1e-4)
        self.assertTrue(any(layer["form"] for layer in found["layers"]))
        got, said = self.answer("--cache-dir", "cache")
        self.assertRegex(said, r"(?m)^sepcl-run: (conv|inverted|separable|expand_depthwise) .*\(tuned: [\d.]+ us measured\)$")
        self.assertRegex(said, r"(?m)^sepcl-run: form: .* tuned, ")
        self.assert_close(got, want)
        _, said = self.answer("--no-cache")
        self.assertNotIn("tuned", said)
        _, said = self.answer("--cache-dir", "cache", "--no-fusion")
        self.assertNotIn("form:", said)
        devices = self.json("sepcl-info", "--device", "any", "--cache-dir", "cache")["devices"]
        lines = [line for line in self.file().read_text().splitlines() if not line.startswith("#")]
        self.assertEqual(devices[0]["cache"]["tunings"], len(lines))
        self.assertEqual(len(lines), len(found["layers"]))

    def test_only_once(self):
        self.assertTrue(self.tune()["layers"])
        for _ in range(3):  # where times are close, what is chosen may be a layer that was none of the plan before
            if not self.tune()["layers"]:
                break
        before = self.file().read_text()
        self.assertEqual(self.tune()["layers"], [])
        self.assertEqual(self.file().read_text(), before)
        self.assertTrue(self.tune("--again")["layers"])

    def test_half(self):
        want, _ = self.answer("--no-cache")
        self.assertTrue(self.tune("-p", "f16")["layers"])
        _, said = self.answer("--cache-dir", "cache")
        self.assertNotIn("tuned", said)  # other storage, other entries
        got, said = self.answer("--cache-dir", "cache", "-p", "f16")
        self.assertIn("tuned", said)
        self.assert_close(got, want, 1e-2)

    def test_entries_are_not_trusted(self):
        want, _ = self.answer("--no-cache")
        self.tune()
        path = self.file()
        good = path.read_text()
        for pattern, new in [(r"MR=\d+", "MR=3"), (r"MR=\d+ V=\d+ NB=\d+", "MR=12 V=16 NB=4"), (r"V=\d+", "V=-1"),
                             (r"(gemm/gemm|inverted/inverted|separable/separable)", "nothing/nothing"),
                             (r"\| form \| (.*?) \| [a-z_, ]+ \|", r"| form | \1 | spatial_pair, softmax |")]:
            broken = re.sub(pattern, new, good)
            self.assertNotEqual(broken, good)
            path.write_text(broken)
            got, said = self.answer("--cache-dir", "cache")
            self.assertIn("it is not used", said)
            self.assert_close(got, want)
        path.write_bytes(bytes(range(256)) * 300)
        got, said = self.answer("--cache-dir", "cache")
        self.assertIn("left out", said)
        self.assert_close(got, want)

    def test_an_edited_entry_counts(self):
        want, _ = self.answer("--no-cache")
        self.tune()
        path = self.file()
        lines = [line for line in path.read_text().splitlines() if " | form | " not in line]
        form = next(line for line in path.read_text().splitlines() if " | form | " in line and line.count(" + ") == 2)
        device, _, key, _, ns, error = form.split(" | ")[:6]
        for n in [3, 2]:
            lines.append(" | ".join([device, "form", " + ".join(key.split(" + ")[-n:]), ", ".join(["conv"] * n), ns, error]))
        text = "\n".join(lines)
        path.write_text(text)
        got, said = self.answer("--cache-dir", "cache")
        self.assertNotRegex(said, r"(?m)^sepcl-run: (inverted|separable|expand_depthwise) ")
        self.assertEqual(said.count("sepcl-run: conv '"), 3)
        self.assert_close(got, want)

    def test_a_wrong_kernel_never_wins(self):
        """Tiles of an even number of rows add something to every sum."""
        shutil.copytree(KERNELS, self.folder / "kernels")
        for name in ["gemm.cl", "conv.cl", "separable.cl", "inverted.cl"]:
            path = self.folder / "kernels" / name
            text = path.read_text()
            broken = re.sub(r"(acc\[m\]\[b\] = LDF\(V, \w+, [^;]*\));", r"\1 + (MR % 2 ? 0.0f : 0.25f);", text)
            self.assertNotEqual(broken, text, name)
            path.write_text(broken)
        environment = {"SEPCL_KERNEL_DIR": str(self.folder / "kernels")}
        want, _ = self.answer("--no-cache")
        found = self.tune(environment=environment, budget="60")  # all has to be measured, however busy the machine
        self.assertGreater(sum(layer["wrong"] for layer in found["layers"]), 0)
        tiled = [layer["after"] for layer in found["layers"] if "MR=" in layer["after"]]
        self.assertGreater(len(tiled), 0)
        for after in tiled:
            self.assertRegex(after, r"MR=\d*[13579]\b")
        got, said = self.answer("--cache-dir", "cache", environment=environment)
        self.assertIn("tuned", said)
        self.assert_close(got, want)

    def test_nowhere_to_keep_it(self):
        self.assertIn("--no-cache leaves no place", self.sentence("sepcl-tune", "m.onnx", "--no-cache", code=2))
        said = self.sentence("sepcl-tune", "m.onnx", "--budget", "1", code=2, environment={"SEPCL_CACHE_DIR": "off"})
        self.assertIn("no cache folder", said)
        self.assertIn("--budget takes", self.sentence("sepcl-tune", "m.onnx", "--budget", "0", code=2))

    def test_text(self):
        out, errors = self.run_program("sepcl-tune", "m.onnx", "--cache-dir", "cache", "--budget", "4")
        self.assertEqual(errors, "")
        self.assertRegex(out.replace("\n", " "), r"^m\.onnx on .+ \(\d+:\d+\), f32: [\d.]+ ms before, [\d.]+ ms after\. ")
        self.assertLessEqual(max(len(line) for line in out.splitlines()[1:] or [""]), 110)
        out, errors = self.run_program("sepcl-tune", "m.onnx", "--cache-dir", "cache", "-q")
        self.assertEqual((out, errors), ("", ""))


class Interrupted(ProgramTest):
    def test_what_is_done_is_kept(self):
        self.write("m.onnx", block(blocks=12, size=28))
        child = subprocess.Popen([self.path("sepcl-tune"), "m.onnx", "--cache-dir", "cache", "--budget", "300", "--json"],
                                 cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                 env={**os.environ})
        tuning = self.folder / "cache" / "tuning"
        for _ in range(600):  # until something has been stored
            if child.poll() is not None or (tuning.is_dir() and any(p.suffix == ".txt" for p in tuning.iterdir())):
                break
            time.sleep(0.1)
        child.send_signal(signal.SIGINT)
        out, errors = child.communicate(timeout=60)
        own = [line for line in errors.splitlines() if line != "1 error generated."]  # PoCL's, of a build that is repeated
        self.assertEqual((child.returncode, own), (0, []))
        found = json.loads(out)["models"][0]
        self.assertTrue(found["stopped"])
        self.assertTrue(found["layers"])
        entries = [p for p in tuning.iterdir()]
        self.assertEqual([p.suffix for p in entries], [".txt"])
        self.assertGreaterEqual(len([line for line in entries[0].read_text().splitlines() if not line.startswith("#")]),
                                len(found["layers"]))


if __name__ == "__main__":
    unittest.main()
