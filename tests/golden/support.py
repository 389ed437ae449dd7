#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the tables of what is supported, from the importers' own tables and from a run of node_cases.py.

    support.py (--check | --write) [--report FILE.json] ROOT

README.md has a short table between two markers, runtime/import/SUPPORTED.md all of it. --check ends with 1, and says how
to write them, when they are not what would be written. A report made with another version of the onnx package than the
page was written with has other cases: then all but the numbers is compared.
"""
import argparse
import collections
import difflib
import json
import pathlib
import re
import sys
import textwrap

IMPORT = pathlib.Path(__file__).resolve().parent.parent.parent / "runtime" / "import"
BEGIN, END = "<!-- supported: written by tests/golden/support.py -->", "<!-- supported: end -->"
FORMATS = (("ONNX", "onnx_ops.inc", "op"), ("Keras", "keras_layers.inc", "layer"), ("TFLite", "tflite_ops.inc", "op"))

Entry = collections.namedtuple("Entry", "name group since note")


def table(file, folder=IMPORT):
    """The entries of an importer's table: MACRO(name, ..., "limits"), in groups that a comment of one line heads."""
    path, group, entries = folder / file, "", []
    if not path.exists():
        return []
    text = re.sub(r"/\*.*?\*/", lambda c: c.group(0).replace("\n", " "), path.read_text(), flags=re.S)
    for line in text.splitlines():
        comment = re.fullmatch(r"/\* (.*) \*/", line)
        entry = re.fullmatch(r'[A-Z]+_[A-Z]+\((\w+), *(.*)"([^"]*)"\)', line)
        if comment:
            group = comment.group(1)
        elif entry:
            since = re.match(r"(\d+), ", entry.group(2)) if file.startswith("onnx") else None
            entries.append(Entry(entry.group(1), group, int(since.group(1)) if since else 0, entry.group(3)))
        elif line.strip():
            sys.exit(f"{path}: not an entry: {line}")
    return entries


def write_report(path, found):
    import onnx
    supported = {entry.name for entry in table("onnx_ops.inc")}
    ops, total = collections.defaultdict(collections.Counter), collections.Counter()
    for case in found:
        for op in case["ops"]:
            ops[op][case["verdict"]] += 1
        if set(case["ops"]) <= supported:
            total[case["verdict"]] += 1
    path.write_text(json.dumps({"onnx": onnx.__version__, "total": total, "ops": ops}, indent=1, sort_keys=True) + "\n")


# ---------------------------------------------------------------- the tables

def groups(entries):
    found = {}
    for entry in entries:
        found.setdefault(entry.group, []).append(entry)
    return found.items()


def readme(formats):
    lines = ["| | |", "| --- | --- |"]
    for title, entries, _ in formats:
        for group, members in groups(entries):
            names = ", ".join(entry.name for entry in members)
            lines.append(f"| {title}: {group.split(';')[0]} | {names} |")
    return "\n".join(lines)


def share(report):
    total = report["total"]
    inside = total.get("right", 0) + total.get("refused", 0) + total.get("wrong", 0)
    return (f"Of the {inside} cases of onnx {report['onnx']} that feed and give float tensors to these ops alone, "
            f"{total.get('right', 0)} ({100 * total.get('right', 0) / inside:.1f} %) are right, "
            f"{total.get('refused', 0)} are refused in words when the model is loaded, and {total.get('wrong', 0)} are "
            "wrong. Cases on other types are outside: tensors cross the interface as float32.")


PAGE = """# What is supported

Written by `tests/golden/support.py` from the importers' own tables and from a run of the ONNX standard's operator cases;
do not edit. Anything else is refused at load with node, op and reason: exit code 4 of the programs, `SEPCL_UNSUPPORTED`
of the library.
"""
CASES = """
The last two columns count the standard's cases in which the op occurs: those that are right, and those that are refused.
A case is a small network, and is refused when one of its ops is, so a count of refused ones may be another op's.
"""


def page(formats, report):
    parts = [PAGE]
    for title, entries, kind in formats:
        cases = title == "ONNX"
        parts.append(f"\n## {title}\n")
        if cases:
            parts.append("\n" + "\n".join(textwrap.wrap(share(report), 120)) + "\n" + CASES)
        for group, members in groups(entries):
            parts.append(f"\n**{group}**\n\n")
            columns = [kind, "limits"] + (["since opset", "right", "refused"] if cases else [])
            parts.append(f"| {' | '.join(columns)} |\n|{' --- |' * len(columns)}\n")
            for entry in members:
                count = report["ops"].get(entry.name, {})
                cells = [f"`{entry.name}`", entry.note]
                if cases:
                    cells += [str(entry.since) if entry.since > 7 else "", str(count.get("right", 0)),
                              str(count.get("refused", 0))]
                parts.append("| " + " | ".join(cells) + " |\n")
    return "".join(parts)


def with_table(text, block):
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    if not tail:
        sys.exit("README.md has no place for the table")
    return f"{head}{BEGIN}\n{block}\n{END}{tail}"


def without_numbers(text):
    return re.sub(r"(?<=\| )\d+ \| \d+(?= \|)", "N | N", re.sub(r"Of the .*? float32\.", "", text, flags=re.S))


# ---------------------------------------------------------------- checking and writing

def main():
    parser = argparse.ArgumentParser(description="Check or write the tables of what is supported.")
    mode = parser.add_mutually_exclusive_group(required=True)
    mode.add_argument("--check", action="store_true")
    mode.add_argument("--write", action="store_true")
    parser.add_argument("--report", type=pathlib.Path, required=True, metavar="FILE.json")
    parser.add_argument("root", type=pathlib.Path)
    arguments = parser.parse_args()
    report = json.loads(arguments.report.read_text())
    folder = arguments.root / "runtime" / "import"
    formats = [(title, table(file, folder), kind) for title, file, kind in FORMATS]
    formats = [entry for entry in formats if entry[1]]
    files = {arguments.root / "README.md": None, folder / "SUPPORTED.md": page(formats, report)}
    stale = False
    for path, wanted in files.items():
        there = path.read_text() if path.exists() else ""
        wanted = with_table(there, readme(formats)) if wanted is None else wanted
        if arguments.write:
            path.write_text(wanted)
        elif f"cases of onnx {report['onnx']} that" not in there and path.name == "SUPPORTED.md":
            there, wanted = without_numbers(there), without_numbers(wanted)
        if not arguments.write and there != wanted:
            stale = True
            sys.stdout.writelines(difflib.unified_diff(there.splitlines(True), wanted.splitlines(True), str(path), "wanted", n=0))
    if stale:
        sys.exit(f"\nto write them: {sys.argv[0]} --write --report {arguments.report} {arguments.root}")


if __name__ == "__main__":
    main()
