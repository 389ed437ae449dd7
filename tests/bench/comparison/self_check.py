# SPDX-License-Identifier: Apache-2.0
"""Runs the reporting on canned turns, whose figures were worked out by hand, and checks table, page and JSON."""
import html.parser
import json
import re

import types

import figures
import page
import report
import turns

ENGINES = [{"key": "sepcl", "title": "sepcl", "kind": "own", "version": "0.1.0"},
           {"key": "a", "title": "Engine A", "kind": "peer", "version": "1.0"},
           {"key": "b", "title": "B <script>alert(1)</script> & {mark}", "kind": "peer", "version": "2.0"},
           {"key": "slow", "title": "Slow (OpenCL)", "kind": "opencl", "version": "3.0"}]
NETWORKS = [{"key": "one", "title": "One"}, {"key": "two", "title": "Two"}, {"key": "three", "title": "Three"},
            {"key": "four", "title": "Four"}]
# network, engine, median of each round in ms, error of the last round
TIMES = [("one", "sepcl", (4.0, 5.0, 3.0), 1e-6), ("one", "a", (8.0, 8.0, 10.0), 1e-6),
         ("one", "b", (16.0, 4.0, 16.0), 0.0), ("one", "slow", (400.0,), 1e-5),
         ("two", "sepcl", (50.0, 50.0, 55.0), 1e-6), ("two", "a", (100.0, 80.0, 110.0, 1.0), 1e-6),
         ("two", "b", (25.0, 25.0, 25.0), 1e-6),
         ("three", "sepcl", (1.0, 1.0), 1e-6), ("three", "a", (0.5, 0.5, 0.5), 0.2),
         ("three", "b", (2.0, 2.0, 2.0), 1e-6), ("three", "slow", (0.25,), 0.0),
         ("four", "sepcl", (1.0, 1.0, 1.0), float("nan")), ("four", "a", (1.0, 1.0, 1.0), 1e-6)]


def canned():
    taken = [{"round": i, "network": network, "engine": engine, "median_ms": median, "min_ms": median * 0.9,
              "p90_ms": median * 1.1, "runs": 10, "error": error if i == len(medians) - 1 else 0.0, "load_ms": 20.0,
              "first_ms": 30.0, "others": 0.01, "device": "a device"}
             for network, engine, medians, error in TIMES for i, median in enumerate(medians)]
    for turn in taken:  # company that made a round of "a" look fast, and all of "b" on "one"
        where = turn["network"], turn["engine"]
        if where == ("one", "b") or (*where, turn["round"]) == ("two", "a", 3):
            turn["others"] = 0.5
    taken.append({"round": 0, "network": "two", "engine": "slow", "failed": "not <b>installed</b>"})
    taken.append({"round": 1, "network": "four", "engine": "b", "failed": "over 9 s"})
    machine = {"processor": "P", "vector_units": "AVX9", "cores": 4, "virtual": True, "system": "S", "kernel": "K"}
    return {"machine": machine, "when": "2000-01-01 00:00 UTC", "command": "compare --rounds 3 --quick",
            "engines": ENGINES, "networks": NETWORKS, "settings": {"threads": 2, "rounds": 3, "seconds": 0.5}, "turns": taken}


class Wrong(Exception):
    pass


def expect(name, got, want):
    same = abs(got - want) < 1e-9 if isinstance(want, float) else got == want
    if not same:
        raise Wrong(f"{name} is {got!r}, expected {want!r}")


def check_figures(results):
    one, two, three, four = results["table"]
    expect("fastest peer of one", one["fastest_peer"], "a")
    expect("ratio of one", one["over_fastest_peer"]["ratio"], 0.5)
    expect("lowest round of one", one["over_fastest_peer"]["low"], 0.3)
    expect("highest round of one", one["over_fastest_peer"]["high"], 0.625)
    expect("OpenCL ratio of one", one["opencl"]["ratio"], 100.0)
    expect("fastest peer of two", two["fastest_peer"], "b")
    expect("Engine A on two, without its disturbed turn", two["cells"]["a"]["low_ms"], 80.0)
    expect("cells that are disturbed", figures.disturbed(results), (1, 11))
    expect("ratio of two", two["over_fastest_peer"]["ratio"], 2.0)
    expect("OpenCL ratio of two", two["opencl"], None)
    expect("fastest peer of three, where the faster one is wrong", three["fastest_peer"], "b")
    expect("Engine A on three", three["cells"]["a"].get("wrong"), True)
    expect("ratio of four, where sepcl's answer is not a number", four["over_fastest_peer"], None)
    expect("a turn that failed", four["cells"]["b"], {"failed": "over 9 s"})
    expect("never run", four["cells"]["slow"], {"failed": "not run"})
    mean = results["over_fastest_peer"]
    expect("mean", mean["ratio"], 0.5 ** (1 / 3))
    expect("lowest round of the mean", mean["low"], 0.5 ** (1 / 3))
    expect("highest round of the mean", mean["high"], 0.625 ** (1 / 3))
    expect("mean of the OpenCL ratios", results["opencl"]["ratio"], 5.0)
    expect("networks in the mean", mean["networks"], 3)
    expect("worst network", mean["worst"], 2.0)
    expect("own failures", list(figures.own_failures(results)), ["four"])


def check_table(text):
    lines = [line for line in text.splitlines() if line.startswith("|")]
    expect("rows of the table", len(lines), len(NETWORKS) + 3)
    expect("columns of the rows", {line.count("|") for line in lines}, {len(ENGINES) + 4})
    expect("widths of the rows", len({len(line) for line in lines}), 1)
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    expect("row of one", cells[2], ["One", "4.00", "**8.00**", "~16.0", "400", "0.50 (0.30–0.62)", "100.0 ×"])
    expect("last row", cells[-1][0], "geometric mean of 3")
    marks, notes = set(re.findall(r"— \[(\d+)\]", text)), set(re.findall(r"^\[(\d+)\] .+", text, re.MULTILINE))
    expect("notes", marks, notes)
    for part in ("its answer is wrong by 0.2 of", "not <b>installed</b>", "over 9 s", "not run", "AVX9", "Engine A 1.0"):
        expect(f"'{part}' in the text", part in text, True)


class Page(html.parser.HTMLParser):
    """Elements are closed in order, nothing is fetched, nothing of the data became an element."""
    void = {"meta", "br", "hr", "link", "img", "input"}
    known = {"html", "head", "body", "title", "style", "meta", "h1", "h2", "p", "div", "span", "section", "table", "thead",
             "tbody", "tr", "th", "td", "code"}
    harmless = {"lang", "charset", "name", "content", "class", "style", "title"}

    def __init__(self):
        super().__init__()
        self.open, self.text, self.bars, self.rows = [], "", [], []

    def handle_starttag(self, tag, attributes):
        expect(f"<{tag}>", tag in self.known, True)
        attributes = dict(attributes)
        expect(f"attributes of <{tag}>", set(attributes) <= self.harmless, True)
        shares = [float(n) for n in re.findall(r"(?:left|width):([-0-9.]+)%", attributes.get("style", ""))]
        expect(f"{attributes} inside its track", all(0 <= n <= 100 for n in shares) and sum(shares) < 100.02, True)
        if attributes.get("class") == "bar":
            self.bars.append(shares[0])
        if tag == "tr":
            self.rows.append(0)
        if tag in ("td", "th"):
            self.rows[-1] += 1
        if tag not in self.void:
            self.open.append(tag)

    def handle_endtag(self, tag):
        expect("closing element", tag, self.open.pop() if self.open else None)

    def handle_data(self, data):
        self.text += data


def check_page(text):
    parsed = Page()
    parsed.feed(text)
    parsed.close()
    expect("elements left open", parsed.open, [])
    ran = sum("median_ms" in cell for row in figures.summarise(canned())["table"] for cell in row["cells"].values())
    expect("bars", len(parsed.bars), ran + 3)
    expect("longest bar of the ratios", max(parsed.bars[:3]), round(2.0 / (2.2 * 1.05) * 100, 2))
    expect("cells of the rows", set(parsed.rows), {len(ENGINES) + 3})
    titles = [item["title"] for item in ENGINES + NETWORKS]
    for part in [*titles, "not <b>installed</b>", "compare --rounds 3 --quick"]:
        expect(f"'{part}' on the page", part in parsed.text, True)
    for part in ("http:", "https:", "url(", "@import", "src="):
        expect(f"'{part}' on the page, which has to be self-contained", part in text, False)
    for part in ("color-scheme: light dark", "@media (prefers-color-scheme: dark) {"):
        expect(f"'{part}' on the page", part in text, True)


def check_turns():
    """Who runs when: order, engines that are missing or fail, and turns that others disturbed."""
    given = types.SimpleNamespace(rounds=3, networks=["one"], engines=["sepcl", "a", "b", "slow"], quick=False)
    kinds, calls = {engine["key"]: engine["kind"] for engine in ENGINES}, []
    shares = iter([0.5, 0.2, 0.3])  # of sepcl's turns; after these all is quiet

    def turn(engine, network, settings):
        calls.append(engine)
        if engine == "a":
            return {"failed": "no"}
        return {"others": next(shares, 0.0) if engine == "sepcl" else 0.0, "call": len(calls)}
    taken = list(turns.take(turn, given, kinds, {"b": "not installed"}))
    expect("order", [t["engine"] for t in taken if t["round"] < 2], ["sepcl", "a", "b", "slow", "a", "b", "sepcl"])
    expect("calls, with two more of a disturbed turn and none after a failure", calls,
           ["sepcl"] * 3 + ["a", "slow"] + ["sepcl"] * 2)
    expect("the quietest turn", taken[0]["call"], 2)
    expect("a missing engine", {t["failed"] for t in taken if t["engine"] == "b"}, {"not installed"})
    expect("a failure", [t["failed"] for t in taken if t["engine"] == "a"], ["no"] * 3)


def check_nothing():
    """No engine but sepcl, and not even that: the page and the table still say so."""
    empty = {**canned(), "engines": ENGINES[:1], "turns": []}
    results = figures.summarise(empty)
    expect("mean of nothing", results["over_fastest_peer"], None)
    expect("own failures of nothing", len(figures.own_failures(results)), len(NETWORKS))
    Page().feed(page.page(results))
    expect("'[1] not run' in the text", "[1] not run" in report.text(results), True)


def run():
    results = figures.summarise(canned())
    check_figures(results)
    check_figures(figures.summarise(json.loads(json.dumps(canned()))))
    check_table(report.text(results))
    check_page(page.page(results))
    check_nothing()
    check_turns()
