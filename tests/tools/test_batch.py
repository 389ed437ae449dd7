# SPDX-License-Identifier: Apache-2.0
"""sepcl-batch: every row in its place, whatever happens on the way."""
import json
import math
import os
import shutil
import signal
import struct
import subprocess
import unittest

import formats
from programs import ProgramTest

HEADER_BYTES, RECORD_BYTES = 32, 8
AT_ROW = os.environ.get("SEPCL_AT_ROW_LIBRARY", "")


def colour_model(batch=1, size=4):
    """Two numbers of a picture: mean red, and mean green less mean blue, each of 0 to 1."""
    weights = [1 / size**2] * size**2 + [0] * 2 * size**2 + [0] * size**2 + [1 / size**2] * size**2 + [-1 / size**2] * size**2
    nodes = [formats.node("Conv", ["x", "w"], ["y"], kernel_shape=[size, size]), formats.node("Neg", ["y"], ["z"])]
    return formats.model(nodes, {"x": [batch, 3, size, size]}, {"y": [batch, 2, 1, 1], "z": [batch, 2, 1, 1]},
                         [formats.tensor("w", [2, 3, size, size], weights)])


def sum_model(count=8, hops=1):
    """y = x summed over its values, through some layers that change nothing."""
    nodes = [formats.node("ReduceSum" if h == hops else "Identity", [f"t{h}"] + (["axes"] if h == hops else []), [f"t{h + 1}"],
                          **({"keepdims": 1} if h == hops else {})) for h in range(hops + 1)]
    return formats.model(nodes, {"t0": ["n", count]}, {f"t{hops + 1}": ["n", 1]}, [formats.int_tensor("axes", [1])])


def colour(i):
    return ((i * 37) % 256, (i * 91 + 11) % 256, (i * 53 + 7) % 256)


class BatchTest(ProgramTest):
    def rows(self, name):
        dims, values = formats.read_npy((self.folder / name).read_bytes())
        width = math.prod(dims[1:])
        return dims, [values[i * width:(i + 1) * width] for i in range(dims[0])]

    def pictures(self, n, folder="pictures"):
        (self.folder / folder).mkdir(exist_ok=True)
        for i in range(n):
            self.write(f"{folder}/{i:03}.png", formats.png(4, 4, colour(i)))
        return folder

    def assert_colours(self, rows, indices):
        self.assertEqual(len(rows), len(indices))
        for row, i in zip(rows, indices):
            red, green, blue = colour(i)
            self.assertAlmostEqual(row[0], red / 255, places=5)
            self.assertAlmostEqual(row[1], (green - blue) / 255, places=5)


class Inputs(BatchTest):
    def test_a_folder(self):
        self.write("m.onnx", colour_model())
        self.pictures(9)
        self.write("pictures/notes.txt", "no picture")
        out, _ = self.run_program("sepcl-batch", "m.onnx", "pictures", "-o", "z=z.npy", "-o", "y.npy")
        self.assertRegex(out, r"^9 items in [\d.]+ s, [\d.]+ a second\nz.npy: 9 rows of output 'z'\ny.npy: 9 rows of output 'y'\n$")
        dims, rows = self.rows("y.npy")
        self.assertEqual(dims, [9, 2, 1, 1])
        self.assert_colours(rows, range(9))
        self.assertEqual(self.rows("z.npy")[1], [[-v for v in row] for row in rows])
        self.assert_folder_holds("m.onnx", "pictures", "y.npy", "z.npy")

    def test_folders_within_folders(self):
        self.write("m.onnx", colour_model())
        self.pictures(2)
        self.pictures(1, "pictures/0inner")
        self.run_program("sepcl-batch", "m.onnx", "pictures", "-o", "y.npy")
        self.assert_colours(self.rows("y.npy")[1], [0, 1])
        self.run_program("sepcl-batch", "m.onnx", "pictures", "-r", "-o", "y.npy")
        self.assert_colours(self.rows("y.npy")[1], [0, 1, 0])  # 000.png, 001.png, 0inner/000.png

    def test_lists_and_single_pictures_in_order(self):
        self.write("m.onnx", colour_model())
        self.pictures(5)
        self.write("list.txt", "pictures/004.png\n\npictures/000.png\r\npictures/002.png")
        self.run_program("sepcl-batch", "m.onnx", "pictures/003.png", "list.txt", "-", "-o", "y.npy", stdin=b"pictures/001.png\n")
        self.assert_colours(self.rows("y.npy")[1], [3, 4, 0, 2, 1])

    def test_the_same_as_sepcl_run(self):
        self.write("m.onnx", colour_model())
        self.write("p.png", formats.png(31, 17, lambda x, y: (x * 8, y * 15, (x * y) % 256)))
        options = ["--mean", "1,2,3", "--scale", "1/50", "--resize", "stretch", "--channels", "bgr"]
        self.run_program("sepcl-run", "m.onnx", "p.png", "-o", "a.npy", *options)
        self.run_program("sepcl-batch", "m.onnx", "p.png", "-o", "b.npy", *options)
        self.assertEqual(self.rows("a.npy"), self.rows("b.npy"))

    def test_stacks(self):
        self.write("m.onnx", sum_model())
        for kind in ("<f4", ">f4", "|u1", "<f2", "<i8"):
            self.write("x.npy", formats.npy([11, 8], [v % 50 for v in range(88)], kind))
            self.run_program("sepcl-batch", "m.onnx", "x.npy", "x.npy", "-o", "y.npy")
            dims, rows = self.rows("y.npy")
            self.assertEqual(dims, [22, 1])
            self.assertEqual([row[0] for row in rows], 2 * [sum((8 * i + k) % 50 for k in range(8)) for i in range(11)])

    def test_batches_with_a_rest(self):
        self.write("m.onnx", sum_model())
        self.write("x.npy", formats.npy([11, 8], range(88)))
        want = [[sum(range(8 * i, 8 * i + 8))] for i in range(11)]
        for batch in (1, 2, 4, 11, 64):
            self.run_program("sepcl-batch", "m.onnx", "x.npy", "-o", "y.npy", "-b", batch)
            self.assertEqual(self.rows("y.npy")[1], want)

    def test_a_batch_that_the_file_fixes(self):
        self.write("m.onnx", colour_model(batch=4))
        self.pictures(6)
        self.run_program("sepcl-batch", "m.onnx", "pictures", "-o", "y.npy")
        self.assert_colours(self.rows("y.npy")[1], range(6))
        self.assertIn("is 4", self.sentence("sepcl-batch", "m.onnx", "pictures", "-o", "y.npy", "-b", 3, code=2))

    def test_several_devices_and_threads(self):
        self.write("m.onnx", sum_model())
        self.write("x.npy", formats.npy([500, 8], range(4000)))
        want = [[float(sum(range(8 * i, 8 * i + 8)))] for i in range(500)]
        usable = sum(device["available"] for device in self.json("sepcl-info")["devices"])
        self.assertGreaterEqual(usable, int(os.environ.get("SEPCL_TEST_DEVICES", 1)))  # tools/check has two at least
        for options in (["-d", "all"], ["-d", "any,any", "-j", 3], ["--sessions", 3, "-b", 7], ["-p", "f16", "-j", 1, "-d", "all"]):
            told = self.json("sepcl-batch", "m.onnx", "x.npy", "-o", "y.npy", *options)
            self.assertEqual((told["items"], told["skipped"], told["outputs"][0]["row"]), (500, 0, [1]))
            if "all" in options:
                self.assertEqual(len(told["devices"]), usable)
            if "f16" not in options:
                self.assertEqual(self.rows("y.npy")[1], want)


class BadPictures(BatchTest):
    def test_are_named_skipped_and_counted(self):
        self.write("m.onnx", colour_model(batch=2))
        self.pictures(7)
        self.write("pictures/002.png", b"\x89PNG\r\n\x1a\nnonsense")
        self.write("pictures/005.png", b"")
        self.write("list.txt", "pictures/missing.png\npictures/006.png\n")
        out, errors = self.run_program("sepcl-batch", "m.onnx", "pictures", "list.txt", "-o", "y.npy")
        self.assertRegex(out, "^9 items .* 3 could not be read and were skipped\n")
        for name in ("002.png", "005.png", "missing.png"):
            self.assertRegex(errors, rf"(?m)^sepcl-batch: warning: skipped: .*pictures/{name}")
        self.assertEqual(errors.count("\n"), 3)
        rows = self.rows("y.npy")[1]
        bad = [i for i, row in enumerate(rows) if all(map(math.isnan, row))]
        self.assertEqual(bad, [2, 5, 7])
        self.assert_colours([row for i, row in enumerate(rows) if i not in bad], [0, 1, 3, 4, 6, 6])

    def test_nothing_but_bad_ones(self):
        self.write("m.onnx", colour_model())
        self.write("bad.png", "nonsense")
        self.assertRegex(self.run_program("sepcl-batch", "m.onnx", "bad.png", "-o", "y.npy", code=3)[1], "none of the 1 items")

    def test_errors(self):
        self.write("m.onnx", colour_model())
        self.write("s.onnx", sum_model())
        self.write("two.onnx", formats.model([formats.node("Add", ["a", "b"], ["y"])], {"a": [1], "b": [1]}, {"y": [1]}))
        self.write("n.onnx", formats.model([formats.node("Neg", ["x"], ["y"])], {"x": ["n", 5, 5, 5]}, {"y": ["n", 5, 5, 5]}))
        self.write("x.npy", formats.npy([3, 7], range(21)))
        self.write("f.npy", formats.npy([3, 8], range(24), fortran=True))
        self.write("binary", b"a\0b")
        (self.folder / "empty").mkdir()
        self.pictures(1)
        for arguments, code, words in (
                (["m.onnx", "pictures"], 2, "-o FILE"), (["m.onnx", "-o", "y.npy"], 2, "an input"), (["m.onnx", "empty", "-o", "y.npy"], 3, "--recursive"),
                (["m.onnx", "nowhere", "-o", "y.npy"], 3, "nowhere"), (["m.onnx", "binary", "-o", "y.npy"], 3, "neither a folder"),
                (["s.onnx", "x.npy", "-o", "y.npy"], 2, "3x7"), (["s.onnx", "f.npy", "-o", "y.npy"], 3, "Fortran"),
                (["n.onnx", "pictures", "-o", "y.npy"], 2, "no picture fits"), (["two.onnx", "x.npy", "-o", "y.npy"], 2, "2 inputs"),
                (["m.onnx", "pictures", "-o", "q=y.npy"], 2, "no output 'q'"), (["m.onnx", "pictures", "-o", "y=a.npy", "-o", "y=b.npy"], 2, "does too|goes to"),
                (["m.onnx", "pictures", "-o", "no/y.npy"], 3, "no/y.npy"), (["m.onnx", "pictures", "-o", "y.npy", "-d", "nothere"], 5, "nothere"),
                (["m.onnx", "pictures", "-o", "y.npy", "-d", "any,nothere"], 5, "nothere"), (["m.onnx", "pictures", "-o", "y.npy", "--mean", "1,2"], 2, "mean")):
            self.assertRegex(self.sentence("sepcl-batch", *arguments, code=code), words)
        self.assertEqual([p.name for p in self.folder.glob("y.npy*")], [])


@unittest.skipUnless(AT_ROW, "SEPCL_AT_ROW_LIBRARY names no library")
class ResumeTest(BatchTest):
    """What stops the program comes when it has written so many rows (tests/fault/at_row.c), whatever the machine does."""

    ROWS = 20000

    def setUp(self):
        super().setUp()
        self.write("m.onnx", sum_model(hops=6))
        values = [float((i * 7919) % 1000) for i in range(8 * self.ROWS)]
        self.write("x.npy", formats.npy([self.ROWS, 8], values))
        self.want = [[sum(values[8 * i:8 * i + 8])] for i in range(self.ROWS)]

    def marks(self):
        """How many records of the journal say that their row is done."""
        data = (self.folder / "y.npy.journal").read_bytes()[HEADER_BYTES:]
        return sum(struct.unpack_from("<I", data, at)[0] == 1 for at in range(0, len(data) - 7, RECORD_BYTES))

    def at_row(self, row, number, *target):
        """The environment in which the program's own row number `row`, written, brings a signal."""
        return {"LD_PRELOAD": AT_ROW, "SEPCL_AT_ROW": " ".join(map(str, [row, int(number), *target]))}

    def start(self, environment):
        return subprocess.Popen([self.path("sepcl-batch"), "m.onnx", "x.npy", "-o", "y.npy", "--resume"], cwd=self.folder,
                                env={**os.environ, **environment}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def stop_on_the_way(self, number=signal.SIGKILL, row=300):
        child = self.start(self.at_row(row, number))
        errors = child.communicate(timeout=300)[1].decode()
        return child.returncode, errors


class Resume(ResumeTest):
    def test_after_a_kill_nothing_is_lost_and_nothing_done_twice(self):
        for before in (300, 600):
            self.assertEqual(self.stop_on_the_way()[0], -signal.SIGKILL)
            self.assertEqual(self.marks(), before)
        self.assert_folder_holds("m.onnx", "x.npy", "y.npy.journal", "y.npy.part")
        told = self.json("sepcl-batch", "m.onnx", "x.npy", "-o", "y.npy", "--resume")
        self.assertEqual(told["done_before"], before)
        self.assertEqual(self.rows("y.npy")[1], self.want)
        self.assert_folder_holds("m.onnx", "x.npy", "y.npy")

    def test_ctrl_c_says_how_to_go_on(self):
        code, errors = self.stop_on_the_way(signal.SIGINT)
        self.assertEqual(code, -signal.SIGINT)
        self.assertTrue(300 <= self.marks() < self.ROWS)
        self.assertRegex(errors, r"^sepcl-batch: interrupted with \d+ of 20000 items done; go on by --resume\n$")
        self.assertIn("--resume", self.sentence("sepcl-batch", "m.onnx", "x.npy", "-o", "y.npy", code=2))
        # a journal is of one run: other inputs or options are another
        for options in (["--shape", "1x8", "-p", "f16"], ["x.npy"]):
            self.assertIn("other options", self.sentence("sepcl-batch", "m.onnx", "x.npy", *options, "-o", "y.npy", "--resume", code=2))
        # rows that a crash of the machine lost are found by their checksums
        part = bytearray((self.folder / "y.npy.part").read_bytes())
        part[128:128 + 4 * 100] = bytes(400)
        self.write("y.npy.part", bytes(part))
        out, errors = self.run_program("sepcl-batch", "m.onnx", "x.npy", "-o", "y.npy", "--resume", "-b", 5)
        self.assertRegex(errors, "warning: (9|100)[0-9]* rows of the earlier run are damaged and are computed again")
        self.assertEqual(self.rows("y.npy")[1], self.want)

    def test_two_at_once_are_refused(self):
        child = self.start(self.at_row(1, signal.SIGSTOP))
        try:
            self.assertTrue(os.WIFSTOPPED(os.waitpid(child.pid, os.WUNTRACED)[1]))
            self.assertIn("another sepcl-batch", self.sentence("sepcl-batch", "m.onnx", "x.npy", "-o", "y.npy", "--resume", code=2))
        finally:
            child.kill()
            child.wait()
            child.stderr.close()

    def test_killed_while_files_get_their_names(self):
        self.stop_on_the_way()
        (self.folder / "y.npy.part").rename(self.folder / "y.npy")
        self.run_program("sepcl-batch", "m.onnx", "x.npy", "-o", "y.npy", "--resume")
        self.assertEqual(self.rows("y.npy")[1], self.want)
        self.assert_folder_holds("m.onnx", "x.npy", "y.npy")

    def test_a_bar_with_rate_and_time_left(self):
        code, text = self.in_terminal("sepcl-batch", "m.onnx", "x.npy", "-o", "y.npy", width=120, stream="stderr")
        self.assertEqual(code, 0)
        self.assertRegex(text, r"batch [█░]{24} +\d+%  \d+ s  \d+ of 20000, \d+/s, \d+ s left")

    def test_no_journal(self):
        self.write("y.npy.journal", "something else")
        self.assertIn("no journal", self.sentence("sepcl-batch", "m.onnx", "x.npy", "-o", "y.npy", "--resume", code=3))


@unittest.skipUnless(shutil.which("mpirun"), "Open MPI is not installed")
class Ranks(ResumeTest):
    """Four processes on one machine."""

    MPIRUN = ["mpirun", "--allow-run-as-root", "--oversubscribe", "-n", "4"]

    def environment(self):
        (self.folder / "pocl").mkdir(exist_ok=True)
        return {**os.environ, "POCL_CACHE_DIR": str(self.folder / "pocl")}

    def finish(self):
        done = subprocess.run([*self.MPIRUN, self.path("sepcl-batch"), "m.onnx", "x.npy", "-o", "y.npy", "--resume", "--json"],
                              cwd=self.folder, env=self.environment(), capture_output=True, timeout=300)
        self.assertEqual(done.returncode, 0, done.stderr)
        told = json.loads(done.stdout)
        self.assertEqual(told["ranks"], 4)
        self.assertEqual(self.rows("y.npy")[1], self.want)
        return told

    def kill_at_row(self, rank, row):
        """A job in which this rank is killed when the first one has written so many rows."""
        (self.folder / "ranks").mkdir()
        variables = self.at_row(row, signal.SIGKILL, rank, self.folder / "ranks")
        done = subprocess.run([*self.MPIRUN, *(f for name in variables for f in ("-x", f"{name}={variables[name]}")),
                               self.path("sepcl-batch"), "m.onnx", "x.npy", "-o", "y.npy", "--resume"],
                              cwd=self.folder, env=self.environment(), capture_output=True, timeout=300)
        self.assertNotEqual(done.returncode, 0, done.stderr)
        self.assertEqual(sorted(p.name for p in (self.folder / "ranks").iterdir()), [f"rank{i}" for i in range(4)])
        shutil.rmtree(self.folder / "ranks")

    def test_after_kills_nothing_is_lost_and_nothing_done_twice(self):
        for rank, row, marks in ((2, 300, 300), (0, 100, 400)):
            self.kill_at_row(rank, row)
            self.assertEqual(self.marks(), marks)
        self.assertEqual(self.finish()["done_before"], 400)
        self.assertEqual(sorted(p.name for p in (self.folder / "pocl").glob("rank*")), ["rank0", "rank1", "rank2", "rank3"])
        self.assert_folder_holds("m.onnx", "pocl", "x.npy", "y.npy")

    def test_bad_pictures_are_told_once(self):
        self.write("c.onnx", colour_model())
        self.pictures(30)
        self.write("pictures/010.png", "nonsense")
        done = subprocess.run([*self.MPIRUN, self.path("sepcl-batch"), "c.onnx", "pictures", "-o", "c.npy"], cwd=self.folder,
                              env=self.environment(), capture_output=True, text=True, timeout=300)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stderr.count("skipped: pictures/010.png"), 1)
        rows = self.rows("c.npy")[1]
        self.assertTrue(all(map(math.isnan, rows.pop(10))))
        self.assert_colours(rows, [i for i in range(30) if i != 10])

    def test_one_error_ends_all(self):
        done = subprocess.run([*self.MPIRUN, self.path("sepcl-batch"), "m.onnx", "nowhere", "-o", "y.npy"], cwd=self.folder,
                              env=self.environment(), capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 3)
        self.assertIn("sepcl-batch: cannot read nowhere", done.stderr)
