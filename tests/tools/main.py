#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs tests of the programs: main.py FOLDER-OF-PROGRAMS [MODULE[.CLASS[.TEST]]...]. Needs nothing but Python."""
import pathlib
import sys
import unittest

sys.dont_write_bytecode = True
here = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(here))

import programs  # noqa: E402

programs.folder_of_programs = pathlib.Path(sys.argv[1]).resolve()
names = sys.argv[2:] or sorted(p.stem for p in here.glob("test_*.py"))
result = unittest.TextTestRunner(verbosity=2).run(unittest.defaultTestLoader.loadTestsFromNames(names))
sys.exit(0 if result.wasSuccessful() and result.testsRun else 1)
