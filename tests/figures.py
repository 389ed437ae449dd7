#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The table "figure, asked, reached" from the files that the tests leave in BUILD/figures.

    figures.py BUILD            prints the table
    figures.py BUILD README     puts it between the marks of this file instead
"""
import pathlib
import sys

BEGIN, END = "<!-- figures -->\n", "<!-- end of figures -->\n"


def table(build):
    files = sorted((pathlib.Path(build) / "figures").glob("*.txt"))
    rows = ["| Test | Figure | Asked | Reached |", "|---|---|---|---|"]
    for path in files:
        for number, line in enumerate(path.read_text().splitlines(), 1):
            cells = [cell.strip() for cell in line.split(" | ")]
            if len(cells) != 3 or not all(cells):
                sys.exit(f"{path}:{number}: not FIGURE | ASKED | REACHED: {line!r}")
            rows.append("| " + " | ".join([path.stem] + cells) + " |")
    if len(rows) == 2:
        sys.exit(f"{build}/figures holds no figures; the tests write them")
    return "\n".join(rows) + "\n"


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    made = table(sys.argv[1])
    if len(sys.argv) == 2:
        print(made, end="")
        return
    readme = pathlib.Path(sys.argv[2])
    text = readme.read_text()
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        sys.exit(f"{readme}: needs one {BEGIN.strip()!r} and then one {END.strip()!r}")
    head, rest = text.split(BEGIN)
    readme.write_text(head + BEGIN + made + END + rest.split(END)[1])


main()
