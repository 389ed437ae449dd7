# SPDX-License-Identifier: Apache-2.0
"""The comparison as one self-contained page: bars with their spread, the table, and how it was measured."""
import html

import report

STYLE = """
:root { color-scheme: light dark; --paper: #fbfaf7; --ink: #1d2126; --soft: #5d656e; --line: #d9d6cd; --track: #efece4;
  --own: #c2410c; --peer: #4b647d; --opencl: #8a7a55; --best: #27425c; }
@media (prefers-color-scheme: dark) { :root { --paper: #14171a; --ink: #e8e6e1; --soft: #9aa3ad; --line: #32383e;
  --track: #1e2328; --own: #fb8a4c; --peer: #7f9ab5; --opencl: #b3a37c; --best: #b4cde6; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 60rem; padding: 2.5rem 1.25rem 4rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .4rem; } h2 { font-size: 1.15rem; margin: 2.6rem 0 .3rem; }
p { margin: .3rem 0; } .soft { color: var(--soft); font-size: .9rem; }
.mean { font-size: 3.2rem; font-weight: 650; line-height: 1.1; font-variant-numeric: tabular-nums; }
.head { display: flex; justify-content: space-between; align-items: baseline; gap: 1rem; flex-wrap: wrap; }
.row { display: grid; grid-template-columns: 10.5rem 1fr 5.5rem; gap: .6rem; align-items: center; margin: .22rem 0; }
.name { text-align: right; font-size: .92rem; } .value { font-size: .92rem; font-variant-numeric: tabular-nums; }
.own .name, .own .value { font-weight: 650; color: var(--own); } .best .name, .best .value { font-weight: 650; }
.track { position: relative; height: 1.05rem; background: var(--track); border-radius: 2px; }
.bar { position: absolute; left: 0; top: 0; bottom: 0; border-radius: 2px; background: var(--peer); }
.own .bar { background: var(--own); } .opencl .bar { background: var(--opencl); } .best .bar { background: var(--best); }
.beyond .bar { border-radius: 2px 0 0 2px; clip-path: polygon(0 0, 100% 0, calc(100% - .5rem) 50%, 100% 100%, 0 100%); }
.range { position: absolute; top: 50%; height: 1px; background: var(--ink); min-width: 1px; }
.range::before, .range::after { content: ""; position: absolute; top: -3px; width: 1px; height: 7px;
  background: var(--ink); }
.range::before { left: 0; } .range::after { right: 0; }
.even { position: absolute; top: -.2rem; bottom: -.2rem; width: 2px; background: var(--ink); }
.missing .name { color: var(--soft); } .why { color: var(--soft); font-size: .85rem; grid-column: 2 / 4; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; font-size: .88rem; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .6rem; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
tr:last-child td { font-weight: 650; border-bottom: 0; }
code { font-size: .9em; overflow-wrap: anywhere; }
@media (max-width: 34rem) { .row { grid-template-columns: 6.5rem 1fr 4.5rem; } .name, .value { font-size: .8rem; } }
"""


def percent(value, whole):
    return max(0.0, min(100.0, 100.0 * value / whole))


def line(name, kind, value, low, high, whole, shown, title, mark=""):
    """One bar: value of whole, with the range from low to high. What goes beyond the whole is cut with a notch."""
    beyond = " beyond" if value > whole else ""
    spread = ""
    if not beyond and high > low:
        left, right = percent(low, whole), percent(high, whole)
        spread = f'<span class="range" style="left:{left:.2f}%;width:{right - left:.2f}%"></span>'
    return (f'<div class="row {kind}{beyond}" title="{html.escape(title)}"><span class="name">{html.escape(name)}</span>'
            f'<span class="track"><span class="bar" style="width:{percent(value, whole):.2f}%"></span>{spread}'
            f'{mark}</span><span class="value">{html.escape(shown)}</span></div>')


def ratios(results):
    """sepcl over the fastest other engine, one bar a network; the upright line is where both are equally fast."""
    titles = {network["key"]: network["title"] for network in results["networks"]}
    measured = [row for row in results["table"] if row["over_fastest_peer"]]
    if not measured:
        return '<p class="soft">No network ran on both sides.</p>'
    whole = max(1.25, max(row["over_fastest_peer"]["high"] for row in measured) * 1.05)
    mark = f'<span class="even" style="left:{percent(1, whole):.2f}%"></span>'
    lines = [line(titles[row["network"]], "own", r["ratio"], r["low"], r["high"], whole, f"{r['ratio']:.2f}",
                  report.spread(r), mark) for row in measured for r in [row["over_fastest_peer"]]]
    return "\n".join(lines)


def network(results, row):
    """The bars of one network. The slowest native engine fills the width."""
    title = next(n["title"] for n in results["networks"] if n["key"] == row["network"])
    native = [row["cells"][e["key"]]["high_ms"] for e in results["engines"]
              if e["kind"] != "opencl" and "failed" not in row["cells"][e["key"]]]
    whole = max(native, default=1.0)
    lines = []
    for engine in sorted(results["engines"], key=lambda e: row["cells"][e["key"]].get("median_ms", float("inf"))):
        cell = row["cells"][engine["key"]]
        if "failed" in cell:
            lines.append(f'<div class="row missing"><span class="name">{html.escape(engine["title"])}</span>'
                         f'<span class="why">{html.escape(cell["failed"])}</span></div>')
            continue
        kind = engine["kind"] + (" best" if engine["key"] == row["fastest_peer"] else "")
        lines.append(line(engine["title"], kind, cell["median_ms"], cell["low_ms"], cell["high_ms"], whole,
                          report.time(cell) + " ms",
                          f"{cell['low_ms']:.3f} to {cell['high_ms']:.3f} ms, error {cell['error']:.1e}"))
    ratio = f"{report.spread(row['over_fastest_peer'])} × the fastest other engine" if row["over_fastest_peer"] else ""
    return (f'<section><div class="head"><h2>{html.escape(title)}</h2><span class="soft">{ratio}</span></div>\n'
            + "\n".join(lines) + "</section>")


def table(results):
    notes = report.Notes()
    header, *lines = report.rows(results, notes)
    cells = ["".join(f"<td>{html.escape(text.replace('**', ''))}</td>" for text in line) for line in lines]
    numbered = "".join(f"<p>[{i}] {html.escape(text)}</p>" for i, text in enumerate(notes.lines, 1))
    return ("<div class=\"scroll\"><table><thead><tr>" + "".join(f"<th>{html.escape(t)}</th>" for t in header)
            + "</tr></thead><tbody>" + "".join(f"<tr>{line}</tr>\n" for line in cells) + "</tbody></table></div>"
            + f'<div class="soft">{numbered}</div>')


def page(results):
    mean = results["over_fastest_peer"]
    own = html.escape(next(e["title"] for e in results["engines"] if e["kind"] == "own"))
    summary = '<p class="soft">No network ran on both sides, so there is no ratio.</p>'
    if mean:
        word = "network" if mean["networks"] == 1 else "networks"
        summary = (f'<div class="mean">{mean["ratio"]:.2f} ×</div><p>the time of the fastest other engine, geometric mean '
                   f'over {mean["networks"]} {word}: {report.spread(mean)}; the slowest network {mean["worst"]:.2f}. '
                   'Below 1 is faster.</p>')
    remarks = "".join(f"<p>{html.escape(text)}</p>" for text in report.remarks(results))
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{own} beside other engines</title><style>{STYLE}</style></head><body>
<h1>{own} beside other engines</h1>
<p class="soft">{html.escape(report.machine(results))} · {html.escape(results["when"])}</p>
{summary}
<h2>{own} / fastest other engine</h2>
{ratios(results)}
{"".join(network(results, row) for row in results["table"])}
<h2>All medians</h2>
{table(results)}
<h2>How it was measured</h2>
<div class="soft">{remarks}<p>Again: <code>{html.escape(results["command"])}</code></p></div>
</body></html>
"""
