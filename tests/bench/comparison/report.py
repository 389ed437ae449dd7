# SPDX-License-Identifier: Apache-2.0
"""The comparison as a Markdown table with its notes."""
import figures


def milliseconds(value):
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:.0f}"


def time(cell):
    return ("~" if cell["disturbed"] else "") + milliseconds(cell["median_ms"])


def spread(ratio):
    if ratio is None:
        return "—"
    brackets = f" ({ratio['low']:.2f}–{ratio['high']:.2f})" if ratio["high"] > ratio["low"] else ""
    return f"{ratio['ratio']:.2f}{brackets}"


def times(ratio):
    return "—" if ratio is None else f"{ratio['ratio']:.1f} ×"


class Notes:
    """Numbered remarks; the same words get the same number."""

    def __init__(self):
        self.lines = []

    def mark(self, text):
        if text not in self.lines:
            self.lines.append(text)
        return f"[{self.lines.index(text) + 1}]"


def rows(results, notes):
    """The table as lists of strings, its header first."""
    engines = results["engines"]
    titles = {network["key"]: network["title"] for network in results["networks"]}
    own = next(e for e in engines if e["kind"] == "own")
    opencl = [e for e in engines if e["kind"] == "opencl"]
    lines = [["ms"] + [e["title"] for e in engines] + [f"{own['title']} / fastest"]
             + [f"{e['title']} / {own['title']}" for e in opencl]]
    for row in results["table"]:
        cells = []
        for engine in engines:
            cell = row["cells"][engine["key"]]
            text = f"— {notes.mark(cell['failed'])}" if "failed" in cell else time(cell)
            cells.append(f"**{text}**" if engine["key"] == row["fastest_peer"] else text)
        lines.append([titles[row["network"]], *cells, spread(row["over_fastest_peer"])]
                     + [times(row["opencl"]) for _ in opencl])
    mean = results["over_fastest_peer"]
    count = f" of {mean['networks']}" if mean and mean["networks"] < len(results["table"]) else ""
    lines.append([f"geometric mean{count}", *[""] * len(engines), spread(mean)]
                 + [times(results["opencl"]) for _ in opencl])
    return lines


def markdown(lines):
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]

    def row(line):
        rest = [text.rjust(width) for text, width in zip(line[1:], widths[1:])]
        return "| " + " | ".join([line[0].ljust(widths[0]), *rest]) + " |"
    rule = ["-" * widths[0]] + ["-" * (width - 1) + ":" for width in widths[1:]]
    return "\n".join([row(lines[0]), row(rule), *map(row, lines[1:])])


def machine(results):
    m = results["machine"]
    cores = f"{results['settings']['threads']} of {m['cores']} cores"
    return f"{m['processor']} ({m['vector_units']}), {cores}, {m['system']}"


def remarks(results):
    """What a reader has to know to judge the figures, in sentences."""
    settings = results["settings"]
    own = next(e for e in results["engines"] if e["kind"] == "own")
    devices = [turn["device"] for turn in results["turns"] if turn["engine"] == own["key"] and "device" in turn]
    device = devices[0] if devices else "no device"
    versions = ", ".join(f"{e['title']} {e['version']}" for e in results["engines"] if e.get("version"))
    tunings = max((turn.get("tunings", 0) for turn in results["turns"]), default=0)
    tuned = f"with {tunings} tuned layers in its cache" if tunings else "untuned"
    reference = "onnxruntime's"
    if settings.get("tflite"):
        reference = "onnxruntime's (on the face networks: from that of LiteRT's plain kernels)"
    lines = [f"Machine: {machine(results)}. {own['title']} ran on {device}, {tuned}.",
             f"Batch 1, float32, {settings['threads']} threads, milliseconds from input array to output array: medians of "
             f"{settings['rounds']} rounds of {settings['seconds']:g} s, each in a process of its own, one engine after the "
             "other. Bold: the fastest of the others. Ratios: the median of the rounds, and in brackets the lowest and the "
             "highest.",
             f"Every time belongs to an answer that differs from {reference} by less than {figures.TOLERANCE:g} of its "
             "largest value.",
             f"Versions: {versions or 'none'}."]
    for engine in results["engines"]:
        if engine["kind"] == "aside":
            lines.append(f"{engine['title']} is not among the engines that the fastest is taken from.")
        if engine["kind"] == "opencl":
            lines.append(f"{engine['title']} computes through OpenCL too; it took part in the first round only, and is not "
                         f"among the engines that the fastest is taken from.")
    if settings.get("tflite"):
        lines.append("Both engines read the same .tflite file of each network.")
    bad, cells = figures.disturbed(results)
    if bad:
        lines.append(f"~ ({bad} of {cells} figures): other processes had more than {figures.QUIET:.0%} of the cores in each of "
                     "these turns, so the figure is worth little.")
    return lines


def text(results):
    notes = Notes()
    table = markdown(rows(results, notes))
    numbered = [f"[{i}] {line}" for i, line in enumerate(notes.lines, 1)]
    return "\n".join([table, "", *numbered, *([""] if numbered else []), *remarks(results)])
