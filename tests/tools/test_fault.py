# SPDX-License-Identifier: Apache-2.0
"""The programs on drivers that fail and lie: exit codes, sentences, bans. The layer is tests/fault/layer.h's."""
import os
import unittest

import formats
from programs import ProgramTest

LAYER = os.environ.get("SEPCL_FAULT_LAYER", "")


def dice(count, start=0):
    return [(((i + start) * 2654435761) % 2000) / 1000 - 1 for i in range(count)]


@unittest.skipUnless(LAYER, "SEPCL_FAULT_LAYER names no layer")
class FaultyDriver(ProgramTest):
    def setUp(self):
        super().setUp()
        nodes = [formats.node("Conv", ["x", "w"], ["a"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
                 formats.node("Softmax", ["a"], ["y"], axis=1)]
        self.write("m.onnx", formats.model(nodes, {"x": [1, 4, 9, 9]}, {"y": [1, 8, 9, 9]},
                                           [formats.tensor("w", [8, 4, 3, 3], dice(8 * 4 * 9))]))
        self.write("x.npy", formats.npy([1, 4, 9, 9], dice(4 * 81, 5)))

    def under(self, fault, **more):
        return {"OPENCL_LAYERS": LAYER, "SEPCL_FAULT": fault, "SEPCL_CACHE_DIR": str(self.folder / "cache"), **more}

    def answer(self, fault=""):
        self.run_program("sepcl-run", "m.onnx", "x.npy", "-o", "y.npy", environment=self.under(fault))
        return formats.read_npy((self.folder / "y.npy").read_bytes())[1]

    def failure(self, fault, code):
        """The last line on standard error: warnings tell before it what was tried."""
        _, said = self.run_program("sepcl-run", "m.onnx", "x.npy", "-o", "y.npy", code=code,
                                   environment=self.under(fault, SEPCL_LANES="0"))
        return said.splitlines()[-1]

    def test_exit_code_and_error_name(self):
        said = self.failure("call=clCreateContext;n=1;mode=gone", 5)
        self.assertIn("CL_DEVICE_NOT_AVAILABLE", said)
        self.assertIn("m.onnx", said)
        said = self.failure("call=clCreateKernel;n=1;mode=stuck", 5)
        self.assertRegex(said, r"m\.onnx: layer '.*' \(\w+\): kernel \w+ on .*: CL_INVALID_KERNEL_NAME$")
        self.assertIn("CL_MEM_OBJECT_ALLOCATION_FAILURE", self.failure("call=clCreateBuffer;n=1;mode=stuck", 6))

    def test_another_kernel_is_said(self):
        want = self.answer()
        _, said = self.run_program("sepcl-run", "m.onnx", "x.npy", "-o", "y.npy", "-v",
                                   environment=self.under("call=clCreateKernel;n=2;mode=once"))
        self.assertRegex(said, r"does not run \(.*CL_INVALID_KERNEL_NAME\): planned without it|an entry is removed")
        got = formats.read_npy((self.folder / "y.npy").read_bytes())[1]
        self.assertLessEqual(max(abs(a - b) for a, b in zip(got, want)), 1e-5)

    def test_bans_are_found_kept_and_shown(self):
        want = self.answer()
        lie = "skip=softmax_rows "
        wrong = self.answer(lie)
        self.assertGreater(max(abs(a - b) if a == a else 9 for a, b in zip(wrong, want)), 1e-2)
        out, _ = self.run_program("sepcl-info", "--self-test", "--op", "softmax", code=1, environment=self.under(lie))
        self.assertIn("not used on this device from now on", out)
        out, _ = self.run_program("sepcl-info", environment=self.under(""))
        self.assertRegex(out, r"banned +softmax f32 softmax/softmax_rows V=")
        bans = self.json("sepcl-info", environment=self.under(""))["devices"][0]["cache"]["bans"]
        self.assertTrue(bans and all(ban.startswith("softmax f32 softmax/softmax_rows V=") for ban in bans))
        got = self.answer(lie)
        self.assertLessEqual(max(abs(a - b) for a, b in zip(got, want)), 1e-5)
        for path in (self.folder / "cache" / "tuning").iterdir():  # as a person lifts it
            path.write_text("".join(line for line in path.read_text().splitlines(True) if " | ban | " not in line))
        self.assertEqual(self.json("sepcl-info", environment=self.under(""))["devices"][0]["cache"]["bans"], [])

    def test_false_times(self):
        for times in ["zero", "backwards", "same", "huge"]:
            out, _ = self.run_program("sepcl-bench", "m.onnx", "--layers", "--repeat", "3",
                                      environment=self.under(f"times={times}", SEPCL_LANES="0"))
            self.assertNotIn("nan", out.lower())
            self.assertIn("m.onnx", out)


if __name__ == "__main__":
    unittest.main()
