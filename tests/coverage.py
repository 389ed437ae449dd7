#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How much of the library the tests have run: lines and branches a folder, from what gcov finds in a build with
SEPCL_COVERAGE.

    coverage.py [--at-least PERCENT] [--importers-at-least PERCENT] [--files] BUILD SOURCE

Branches are those of the compiler; the two of a TRY are among them, so a function that can fail counts as whole only when
it has failed. LEFT_OUT names what is not counted, and why. Exit 1 below a percentage.
"""
import argparse
import collections
import json
import pathlib
import subprocess
import sys
import tempfile

LEFT_OUT = {
    "runtime/cl/measure.c": "microbenchmarks: what they find is time",
}


def figures(build, source):
    """Line and branch counts by file: {file: ({line: run}, {(line, branch): taken})}, merged over all objects."""
    found = collections.defaultdict(lambda: (collections.Counter(), collections.Counter()))
    notes = sorted((build / "CMakeFiles" / "sepcl_objects.dir").rglob("*.gcno"))
    if not notes:
        sys.exit(f"{build}: no objects with coverage")
    with tempfile.TemporaryDirectory() as scratch:
        for note in notes:
            done = subprocess.run(["gcov", "--json-format", "--stdout", "--branch-probabilities", str(note)], cwd=scratch,
                                  capture_output=True, text=True, check=True)
            for line in done.stdout.splitlines():
                for item in json.loads(line)["files"]:
                    path = pathlib.Path(item["file"])
                    path = path if path.is_absolute() else build / path
                    if not path.resolve().is_relative_to(source / "runtime"):
                        continue
                    name = str(path.resolve().relative_to(source))
                    lines, branches = found[name]
                    for entry in item["lines"]:
                        lines[entry["line_number"]] += entry["count"]
                        for i, branch in enumerate(entry["branches"]):
                            branches[entry["line_number"], i] += branch["count"]
    return found


def folder_of(name):
    parts = pathlib.PurePath(name).parts
    return "/".join(parts[:2]) if len(parts) > 2 else "runtime (api)"


def share(counts):
    run, all_of = counts
    return 100 * run / all_of if all_of else 100.0


def main():
    parser = argparse.ArgumentParser(description="Print how much of the library the tests have run.")
    parser.add_argument("--at-least", type=float, default=0, metavar="PERCENT", help="of all branches")
    parser.add_argument("--importers-at-least", type=float, default=0, metavar="PERCENT", help="of the importers' branches")
    parser.add_argument("--files", action="store_true", help="a line a file, too")
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("source", type=pathlib.Path)
    arguments = parser.parse_args()
    lines, branches, files = collections.defaultdict(lambda: [0, 0]), collections.defaultdict(lambda: [0, 0]), []
    for name, (line, branch) in figures(arguments.build.resolve(), arguments.source.resolve()).items():
        if name in LEFT_OUT:
            continue
        for key in (folder_of(name), "all"):
            for table, counts in ((lines, line), (branches, branch)):
                table[key][0] += sum(n > 0 for n in counts.values())
                table[key][1] += len(counts)
        files.append((share((sum(n > 0 for n in branch.values()), len(branch))), name, len(branch)))
    if arguments.files:
        for percent, name, count in sorted(files):
            print(f"{name:40} {percent:5.1f} % of {count} branches")
    print(f"{'':24} {'lines':>8} {'branches':>9}")
    for folder in sorted(lines, key=lambda f: (f == "all", f)):
        print(f"{folder:24} {share(lines[folder]):6.1f} % {share(branches[folder]):7.1f} %")
    for name, why in LEFT_OUT.items():
        print(f"left out: {name} ({why})")
    short = False
    for folder, least in (("all", arguments.at_least), ("runtime/import", arguments.importers_at_least)):
        if share(branches[folder]) < least:
            print(f"{folder}: {share(branches[folder]):.1f} % of branches is less than the {least:g} % that are asked for")
            short = True
    sys.exit(1 if short else 0)


if __name__ == "__main__":
    main()
