# SPDX-License-Identifier: Apache-2.0
"""sepcl-info: devices, measurements and the self-test."""
import unittest

from programs import ProgramTest


class Devices(ProgramTest):
    def test_text(self):
        out, errors = self.run_program("sepcl-info")
        self.assertEqual(errors, "")
        self.assertRegex(out, r"(?m)^\d+:\d+  \S.*\(the default\)$")
        for title in ["type", "platform", "driver", "compute", "work-group", "local memory", "memory", "has", "would choose",
                      "caches"]:
            self.assertRegex(out, rf"(?m)^  {title}  +\S")
        self.assertLessEqual(max(len(line) for line in out.splitlines()), 100)

    def test_json(self):
        answer = self.json("sepcl-info")
        self.assertEqual(sum(d["default"] for d in answer["devices"]), 1)
        for device in answer["devices"]:
            self.assertRegex(device["selector"], r"^\d+:\d+$")
            self.assertIn(device["type"], ["CPU", "GPU", "accelerator", "other"])
            self.assertEqual(len(device["max_work_item"]), 3)
            for key in ["compute_units", "max_work_group", "local_bytes", "global_bytes", "max_alloc_bytes"]:
                self.assertGreater(device[key], 0)
            if device["available"]:
                self.assertTrue(any("depthwise" in choice for choice in device["choices"]))

    def test_one_device(self):
        first = self.json("sepcl-info")["devices"][0]
        for selector in [first["selector"], first["name"], first["name"].upper()]:
            devices = self.json("sepcl-info", "--device", selector)["devices"]
            self.assertEqual([d["selector"] for d in devices], [first["selector"]])
        devices = self.json("sepcl-info", environment={"SEPCL_DEVICE": first["selector"]})["devices"]
        self.assertEqual(len(devices), 1)

    def test_caches(self):
        (self.folder / "cache").mkdir()
        self.assertTrue(self.json("sepcl-info", "--cache-dir", "cache")["devices"][0]["cache"]["dir"].startswith("cache"))
        self.assertIsNone(self.json("sepcl-info", "--no-cache")["devices"][0]["cache"])

    def test_measure(self):
        out, _ = self.run_program("sepcl-info", "--device", "any", "--measure")
        self.assertRegex(out, r"(?m)^  measured +[\d.]+ GFLOP/s")
        speed = self.json("sepcl-info", "--device", "any", "--measure")["devices"][0]["measured"]
        self.assertGreaterEqual(speed.pop("cache_gbs"), 0)  # 0 where the device names no cache
        self.assertTrue(all(value > 0 for value in speed.values()), speed)


class SelfTest(ProgramTest):
    def test_one_op(self):
        out, errors = self.run_program("sepcl-info", "--self-test", "--quick", "--op", "unary")
        self.assertEqual(errors, "")
        self.assertRegex(out, r"(?m)^unary +unary/unary +\d+ +\d+ +0 +\S+ +1e-05$")
        self.assertRegex(out, r"(?m)^\d+ kernels in \d+ variants, \d+ cases, 0 wrong, in [\d.]+ s\.$")
        answer = self.json("sepcl-info", "--self-test", "--quick", "--op", "unary")
        self.assertTrue(answer["ok"])
        self.assertTrue(all(v["op"] == "unary" and v["failed"] == 0 and v["cases"] > 0 for v in answer["variants"]))

    def test_verbose(self):
        _, errors = self.run_program("sepcl-info", "--self-test", "--quick", "--op", "unary", "-v")
        self.assertRegex(errors, r"(?m)^sepcl-info: unary, unary/unary .*: \d+ cases, 0 wrong")

    def test_unknown_op(self):
        self.assertIn("'nonsense'", self.sentence("sepcl-info", "--self-test", "--op", "nonsense", code=2))


if __name__ == "__main__":
    unittest.main()
