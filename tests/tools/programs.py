# SPDX-License-Identifier: Apache-2.0
"""What the tests of the programs share: a folder of one's own, and running a program with all that has to hold for it."""
import fcntl
import json
import os
import pathlib
import pty
import resource
import struct
import subprocess
import tempfile
import termios
import unittest

folder_of_programs = pathlib.Path(".")


class ProgramTest(unittest.TestCase):
    """Each test has an empty folder, self.folder, that is the programs' working folder."""

    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory(prefix="sepcl-test-")
        self.addCleanup(self.scratch.cleanup)
        self.folder = pathlib.Path(self.scratch.name)

    def write(self, name, content):
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return name

    def path(self, program):
        return str(folder_of_programs / program)

    def run_program(self, program, *arguments, code=0, environment=None, stdin=b"", stdout=subprocess.PIPE, limit=None):
        """Runs it, checks the exit code and, for a failure, that one sentence says what is wrong. Gives (stdout, stderr)."""
        def restrict():
            if limit:
                resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        done = subprocess.run([self.path(program), *map(str, arguments)], cwd=self.folder, input=stdin, stdout=stdout,
                              stderr=subprocess.PIPE, timeout=300, preexec_fn=restrict,
                              env={**os.environ, **(environment or {})})
        out = (done.stdout or b"").decode(errors="replace")
        errors = done.stderr.decode(errors="replace")
        self.assertEqual(done.returncode, code, f"{program} {arguments}: stdout {out[-2000:]!r}, stderr {errors[-2000:]!r}")
        if code:
            self.assertRegex(errors, rf"(?m)^{program}: .{{8,}}$")
        return out, errors

    def sentence(self, program, *arguments, code, **rest):
        """The sentence of a failure, which is all that stands on standard error."""
        out, errors = self.run_program(program, *arguments, code=code, **rest)
        self.assertEqual(errors.count("\n"), 1, errors)
        self.assertEqual(out, "")
        return errors.strip()

    def in_terminal(self, program, *arguments, width=80, stream="stdout"):
        """Exit code and what a terminal of this width gets on one stream; the other one goes nowhere."""
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, width, 0, 0))
        streams = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, stream: slave}
        child = subprocess.Popen([self.path(program), *map(str, arguments)], cwd=self.folder, **streams)
        os.close(slave)
        out = b""
        try:
            while piece := os.read(master, 65536):
                out += piece
        except OSError:  # the terminal's other end is closed
            pass
        os.close(master)
        return child.wait(timeout=60), out.decode().replace("\r\n", "\n")

    def json(self, program, *arguments, **rest):
        out, _ = self.run_program(program, *arguments, "--json", **rest)
        return json.loads(out, parse_constant=lambda text: self.fail(f"{text} is not JSON"))

    def assert_folder_holds(self, *names):
        self.assertEqual(sorted(p.name for p in self.folder.iterdir()), sorted(names))
