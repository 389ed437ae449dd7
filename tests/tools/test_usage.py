# SPDX-License-Identifier: Apache-2.0
"""Command lines and files that are wrong: an exit code and a sentence, never a crash, a hang or a partial file."""
import random
import re
import struct
import unittest

import formats
from programs import ProgramTest

PROGRAMS = ["sepcl-bench", "sepcl-info", "sepcl-run", "sepcl-summary"]


def small_model():
    """Two steps on an input of shape N x 2: enough to be loaded and run."""
    return formats.model([formats.node("Relu", ["x"], ["r"]), formats.node("Add", ["r", "one"], ["y"])], {"x": ["N", 2]},
                         {"y": ["N", 2]}, [formats.tensor("one", [2], [1.0, 2.0])])


def picture_model(dims=(1, 3, 4, 4)):
    return formats.model([formats.node("GlobalAveragePool", ["x"], ["y"])], {"x": list(dims)}, {"y": ["N", 3, 1, 1]})


class Usage(ProgramTest):
    def test_help(self):
        for program in PROGRAMS:
            out, errors = self.run_program(program, "--help")
            self.assertTrue(out.startswith(f"Usage: {program} "), out)
            self.assertEqual(errors, "")
            self.assertEqual([line for line in out.splitlines() if len(line) > 80], [])
            for option in ["--help", "--version", "--json", "--verbose", "--quiet"]:
                self.assertIn(option, out)
            self.assertEqual(self.run_program(program, "-h")[0], out)

    def test_every_option_that_help_names_is_known(self):
        for program in PROGRAMS:
            out, _ = self.run_program(program, "--help")
            found = re.findall(r"^ {2}(?:-(.),| {3}) --([a-z0-9-]+)( \S)?", out, re.M)
            self.assertGreater(len(found), 5)
            for letter, name, argument in found:
                for form in [f"--{name}"] + ([f"-{letter}"] if letter else []):
                    if argument:
                        self.assertIn(f"{form} needs an argument", self.sentence(program, form, code=2))
                    else:
                        self.run_program(program, form, "--help")

    def test_version(self):
        versions = set()
        for program in PROGRAMS:
            out, _ = self.run_program(program, "--version")
            self.assertRegex(out, rf"^{program} \d+\.\d+\.\d+\n$")
            versions.add(out.split()[1])
        self.assertEqual(len(versions), 1)

    def test_wrong_options(self):
        for program in PROGRAMS:
            self.assertIn("did you mean --version?", self.sentence(program, "--verison", code=2))
            self.assertIn("--quiet takes no argument", self.sentence(program, "--quiet=1", code=2))
            self.assertIn("unknown option -Z", self.sentence(program, "-Z", code=2))
        self.assertIn("did you mean --device?", self.sentence("sepcl-run", "--devise", "gpu", code=2))
        self.assertIn("--repeat takes a whole number from 1", self.sentence("sepcl-run", "m", "--repeat", "0", code=2))
        self.assertIn("f32 or f16, not 'f64'", self.sentence("sepcl-run", "m", "-p", "f64", code=2))
        self.assertIn("--output needs an argument", self.sentence("sepcl-run", "m", "--output", code=2))
        self.assertIn("1 or 3 numbers", self.sentence("sepcl-run", "m", "--mean", "1,2", "--mean", "1,2,3,4", code=2))
        self.assertIn("goes with --self-test", self.sentence("sepcl-info", "--quick", code=2))
        self.assertIn("do not go together", self.sentence("sepcl-info", "--self-test", "--measure", code=2))

    def test_arguments(self):
        self.assertIn("a model file is needed", self.sentence("sepcl-run", code=2))
        self.assertIn("a model file is needed", self.sentence("sepcl-summary", code=2))
        self.assertIn("'b' is one argument too many", self.sentence("sepcl-summary", "a", "b", code=2))
        self.assertIn("'a' is one argument too many", self.sentence("sepcl-info", "a", code=2))

    def test_names(self):
        self.write("m.onnx", small_model())
        self.write("x.npy", formats.npy([1, 2], [1, 2]))
        said = self.sentence("sepcl-run", "m.onnx", "z=x.npy", code=2)
        self.assertIn("'z'", said)
        self.assertIn("'x'", said)
        self.assertIn("input 'x' (?x2) needs a file, or --random", self.sentence("sepcl-run", "m.onnx", code=2))
        said = self.sentence("sepcl-run", "m.onnx", "x.npy", "-o", "q=out.npy", code=2)
        self.assertIn("'q'", said)
        self.assertIn("one output file too many", self.sentence("sepcl-run", "m.onnx", "x.npy", "-o", "a", "-o", "b", code=2))
        self.assertIn("has two files", self.sentence("sepcl-run", "m.onnx", "x.npy", "-o", "y=a", "-o", "y=b", code=2))
        self.assertIn("2 files", self.sentence("sepcl-run", "m.onnx", "x.npy", "x.npy", code=2))

    def test_shapes(self):
        self.write("m.onnx", small_model())
        self.write("x.npy", formats.npy([1, 3], [1, 2, 3]))
        self.assertIn("x.npy has shape 1x3, but input 'x' takes ?x2", self.sentence("sepcl-run", "m.onnx", "x.npy", code=2))
        for wrong in ["x=1x", "x=", "x=0x2", "x=-1x2", "x=1x2x", "x=ax2", "x=1,2", "x=99999999999999999999",
                      "x=1x1x1x1x1x1x1x1x1"]:
            self.assertIn("--shape takes", self.sentence("sepcl-summary", "m.onnx", "--shape", wrong, code=2))
        self.assertIn("'z'", self.sentence("sepcl-summary", "m.onnx", "--shape", "z=1x2", code=2))
        self.sentence("sepcl-summary", "m.onnx", "--shape", "x=1x3", code=2)
        self.write("free.onnx", picture_model(["N", 3, "H", "W"]))
        for program in ["sepcl-summary", "sepcl-run"]:
            said = self.sentence(program, "free.onnx", *(["--random"] if program == "sepcl-run" else []), code=2)
            self.assertIn("--shape 'x=1x3x224x224'", said)

    def test_no_device(self):
        nowhere = {"OCL_ICD_VENDORS": str(self.folder)}
        self.write("m.onnx", small_model())
        self.assertIn("no OpenCL device", self.sentence("sepcl-info", code=5, environment=nowhere))
        self.sentence("sepcl-run", "m.onnx", "--random", code=5, environment=nowhere)
        self.run_program("sepcl-summary", "m.onnx", environment=nowhere)

    def test_unknown_device(self):
        self.write("m.onnx", small_model())
        self.assertIn("no-such-device", self.sentence("sepcl-info", "-d", "no-such-device", code=5))
        self.assertIn("9:9", self.sentence("sepcl-run", "m.onnx", "--random", "-d", "9:9", code=5))
        self.sentence("sepcl-run", "m.onnx", "--random", code=5, environment={"SEPCL_DEVICE": "no-such-device"})


class BadFiles(ProgramTest):
    def refused(self, *arguments, program="sepcl-run", codes=(3,)):
        out, errors = None, None
        for code in codes:
            try:
                out, errors = self.run_program(program, *arguments, code=code)
                break
            except AssertionError:
                if code == codes[-1]:
                    raise
        self.assertEqual(out, "")
        return errors

    def test_no_model(self):
        self.write("empty.onnx", b"")
        self.write("text.onnx", "this is no model\n" * 100)
        self.write("noise.onnx", random.Random(1).randbytes(5000))
        for program in ["sepcl-run", "sepcl-summary"]:
            for name in ["missing.onnx", ".", "empty.onnx", "text.onnx", "noise.onnx"]:
                self.assertIn(name, self.refused(name, program=program))

    def test_cut_model(self):
        whole = small_model()
        for size in range(len(whole)):
            self.write("cut.onnx", whole[:size])
            self.refused("cut.onnx", program="sepcl-summary", codes=(3, 4))

    def test_damaged_model(self):
        """A wrong byte may still make a model; never a crash."""
        whole = small_model()
        dice = random.Random(2)
        for _ in range(150):
            broken = bytearray(whole)
            for _ in range(dice.randint(1, 4)):
                broken[dice.randrange(len(broken))] = dice.randrange(256)
            self.write("m.onnx", bytes(broken))
            try:
                self.run_program("sepcl-summary", "m.onnx")
            except AssertionError:
                self.refused("m.onnx", program="sepcl-summary", codes=(3, 4, 2))

    def test_unsupported_op(self):
        self.write("m.onnx", formats.model([formats.node("Frobnicate", ["x"], ["y"], name="the_node")], {"x": [1, 2]},
                                           {"y": [1, 2]}))
        for program in ["sepcl-run", "sepcl-summary"]:
            said = self.sentence(program, "m.onnx", code=4)
            self.assertIn("the_node", said)
            self.assertIn("Frobnicate", said)

    def test_arrays(self):
        self.write("m.onnx", small_model())
        whole = formats.npy([1, 2], [1, 2])
        for size in range(0, len(whole), 3):
            self.write("x.npy", whole[:size])
            self.assertIn("x.npy", self.refused("m.onnx", "x.npy", "-o", "y.npy"))
        self.write("x.npy", whole + b"more")
        self.assertIn("12 bytes of elements where its header wants 8", self.refused("m.onnx", "x.npy", "-o", "y.npy"))
        self.assertIn("missing.npy: No such file", self.refused("m.onnx", "missing.npy"))
        self.assertIn("is a folder", self.refused("m.onnx", "."))
        self.assertIn("neither a PNG or JPEG picture nor a .npy", self.refused("m.onnx", "m.onnx"))
        self.assert_folder_holds("m.onnx", "x.npy")

    def test_pictures(self):
        self.write("m.onnx", picture_model())
        for name, whole in [("x.png", formats.png(5, 4, (1, 2, 3))), ("x.jpg", formats.JPEG)]:
            # the last two bytes of a JPEG only say that it ends
            for size in range(4, len(whole) - (2 if name == "x.jpg" else 0), 3):
                self.write(name, whole[:size])
                self.assertIn(name, self.refused("m.onnx", name, "-o", "y.npy"))
        self.write("x.png", whole := formats.png(5, 4, (1, 2, 3)))
        self.write("wide.png", whole[:16] + struct.pack(">II", 100000, 100000) + whole[24:])
        self.refused("m.onnx", "wide.png", "-o", "y.npy")
        self.assert_folder_holds("m.onnx", "wide.png", "x.jpg", "x.png")

    def test_pictures_that_do_not_fit(self):
        self.write("x.png", formats.png(4, 4, (1, 2, 3)))
        self.write("m.onnx", small_model())
        self.assertIn("cannot be gray", self.sentence_for(picture_model(), "x.png", "--channels", "gray"))
        self.assertIn("takes a batch of 1, but 2 pictures were given", self.sentence_for(picture_model(), "x.png", "x.png"))
        self.assertIn("which no picture fits", self.sentence_for(picture_model([1, 64, 4, 4]), "x.png"))

    def sentence_for(self, model, *arguments):
        self.write("p.onnx", model)
        return self.sentence("sepcl-run", "p.onnx", *arguments, code=2)

    def test_labels(self):
        self.write("m.onnx", small_model())
        self.write("empty.txt", b"")
        self.write("binary.txt", b"a\0b")
        self.assertIn("missing.txt", self.refused("m.onnx", "--random", "-l", "missing.txt"))
        self.assertIn("empty.txt is empty", self.refused("m.onnx", "--random", "-l", "empty.txt"))
        self.assertIn("no text file", self.refused("m.onnx", "--random", "-l", "binary.txt"))


if __name__ == "__main__":
    unittest.main()
