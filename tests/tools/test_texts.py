# SPDX-License-Identifier: Apache-2.0
"""Manual pages and shell completion, as the shells themselves see them."""
import os
import pty
import re
import select
import shutil
import subprocess
import time

import programs
from programs import ProgramTest


class Texts(ProgramTest):
    def all_programs(self):
        found = sorted(p.name for p in programs.folder_of_programs.glob("sepcl-*") if p.is_file() and os.access(p, os.X_OK))
        self.assertGreaterEqual(set(found), {"sepcl-bench", "sepcl-info", "sepcl-run", "sepcl-summary", "sepcl-tune"})
        return found

    def text(self, program, what):
        out, errors = self.run_program(program, "--print", what)
        self.assertEqual(errors, "")
        return out

    def options(self, program):
        out, _ = self.run_program(program, "--help")
        return set(re.findall(r"(?m)^  (?:-\w,|   ) (--[a-z0-9-]+)", out))

    def shell(self, name):
        self.assertTrue(shutil.which(name), f"{name} is not installed")
        return name

    def test_usage_error(self):
        self.assertRegex(self.sentence("sepcl-run", "--print", "html", code=2), "man, bash, zsh or fish")

    def test_manual_pages_have_every_option_and_no_warning(self):
        self.shell("groff")
        for program in self.all_programs():
            self.write("page.1", self.text(program, "man"))
            done = subprocess.run(["groff", "-man", "-ww", "-Tascii", "-P-cbou", "page.1"], cwd=self.folder, capture_output=True)
            self.assertEqual((done.returncode, done.stderr), (0, b""))
            page = done.stdout.decode()
            for option in self.options(program):
                self.assertIn(option, page)
            self.assertRegex(" ".join(page.split()), rf"NAME {program} - [a-z][\w '.-]+\w SYNOPSIS")
            for heading in ("SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXIT STATUS", "ENVIRONMENT"):
                self.assertRegex(page, rf"(?m)^{heading}$")

    # ------------------------------------------------------------ bash

    def bash(self, program, *words):
        """What bash would offer for the last of these words."""
        self.write("rules", self.text(program, "bash"))
        quoted = " ".join("'" + w.replace("'", "'\\''") + "'" for w in words)
        script = (f"compopt() {{ :; }}; source ./rules; COMP_WORDS=({program} {quoted}); COMP_CWORD={len(words)};"
                  f" _{program.replace('-', '_')} && printf '%s\\n' \"${{COMPREPLY[@]}}\"")
        done = subprocess.run([self.shell("bash"), "--norc", "-c", script], cwd=self.folder, capture_output=True, text=True)
        self.assertEqual(done.stderr, "")
        return set(done.stdout.split())

    def test_bash(self):
        for program in self.all_programs():
            self.assertEqual({w for w in self.bash(program, "--") if w.startswith("--")}, self.options(program))
        self.assertEqual(self.bash("sepcl-run", "--res"), {"--resize"})
        self.assertEqual(self.bash("sepcl-run", "--resize", ""), {"crop", "stretch"})
        self.assertEqual(self.bash("sepcl-run", "--resize", "=", "cr"), {"crop"})
        self.assertEqual(self.bash("sepcl-run", "-p", "f1"), {"f16"})
        self.assertEqual(self.bash("sepcl-run", "m"), set())  # files, by bash itself
        (self.folder / "a folder").mkdir()
        self.assertEqual(self.bash("sepcl-run", "--cache-dir", "a"), {"a", "folder"})

    # ------------------------------------------------------------ fish

    def fish(self, program, line):
        self.write("rules.fish", self.text(program, "fish"))
        done = subprocess.run([self.shell("fish"), "--no-config", "-c", f"source rules.fish; complete -C '{line}'"],
                              cwd=self.folder, capture_output=True, text=True, env={**os.environ, "HOME": str(self.folder)})
        self.assertEqual(done.stderr, "")
        return {word.split("\t")[0] for word in done.stdout.splitlines()}

    def test_fish(self):
        for program in self.all_programs():
            self.assertEqual({w.rstrip("=") for w in self.fish(program, f"{program} --")}, self.options(program))
        self.assertEqual(self.fish("sepcl-run", "sepcl-run --resize "), {"crop", "stretch"})
        self.assertEqual(self.fish("sepcl-run", "sepcl-run -p f1"), {"f16"})
        self.write("model.onnx", "")
        self.assertIn("model.onnx", self.fish("sepcl-run", "sepcl-run --labels mod"))

    # ------------------------------------------------------------ zsh

    def zsh(self, line):
        """What an interactive zsh shows after Tab."""
        for program in self.all_programs():
            self.write(f"_{program}", self.text(program, "zsh"))
        start = ("PS1=; unsetopt zle_bracketed_paste 2>/dev/null; fpath=($PWD $fpath); autoload -Uz compinit; compinit -u -D; "
                 "zstyle ':completion:*' list-prompt ''; LISTMAX=1000; setopt list_ambiguous no_beep; print rea''dy\n")
        child, master = pty.fork()
        if child == 0:
            os.chdir(self.folder)
            os.environ.update(TERM="dumb", HOME=str(self.folder), COLUMNS="200")
            os.execvp("zsh", ["zsh", "-f", "-i"])
        try:
            self.say(master, start, "ready")
            return self.say(master, line + "\t", None)
        finally:
            os.close(master)
            os.waitpid(child, 0)

    def say(self, master, text, until):
        """Types, and gives what comes back, until a word or half a second of silence after something came."""
        os.write(master, text.encode())
        out, end = "", time.monotonic() + 20
        while time.monotonic() < end:
            ready, _, _ = select.select([master], [], [], 0.7)
            if ready:
                out += os.read(master, 65536).decode(errors="replace")
                if until and re.search(rf"(?m)^{until}", out):
                    return out
            elif not until and len(out.strip()) > len(text.strip()):
                return out
        self.fail(f"zsh said only {out!r}")

    def test_zsh(self):
        self.shell("zsh")
        self.assertIn("sepcl-run --resize", self.zsh("sepcl-run --res"))
        shown = self.zsh("sepcl-run --resize=")
        self.assertRegex(shown, r"crop\s+stretch")
        shown = self.zsh("sepcl-run --re")
        self.assertRegex(shown, r"--repeat\s+-- after one run")
        self.assertRegex(shown, r"--resize\s+-- to the model's size")
        for program in self.all_programs():
            self.assertEqual(set(re.findall(r"(?m)^(--[a-z0-9-]+)=? ", self.zsh(f"{program} --"))), self.options(program))
