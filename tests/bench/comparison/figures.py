# SPDX-License-Identifier: Apache-2.0
"""From the turns that were measured to the figures that are shown. A turn is one process: one engine, one network."""
import math
import statistics

TOLERANCE = 1e-3  # of an answer: largest difference over largest magnitude
QUIET = 0.05      # share of the cores that other processes may have in a turn that counts


def counting(turns):
    """The turns that no other process disturbed, or all if there is none such. Engines suffer differently from company
    (those whose threads spin, most), so that a disturbed turn beside a quiet one would say something about the machine."""
    return [turn for turn in turns if turn.get("others", 0.0) <= QUIET] or turns


def cell(turns):
    """One engine on one network: its median over the turns that count, with their spread, or why there is none."""
    if not turns:
        return {"failed": "not run"}
    failed = next((turn["failed"] for turn in turns if "failed" in turn), None)
    if failed:
        return {"failed": failed}
    error = max((turn["error"] for turn in turns), key=lambda error: math.inf if math.isnan(error) else error)
    if not error <= TOLERANCE:
        return {"failed": f"its answer is wrong by {error:.2g} of the largest value", "wrong": True, "error": error}
    turns = counting(turns)
    medians = [turn["median_ms"] for turn in turns]
    return {"disturbed": min(turn.get("others", 0.0) for turn in turns) > QUIET,
            "median_ms": statistics.median(medians), "low_ms": min(medians), "high_ms": max(medians),
            "min_ms": min(turn["min_ms"] for turn in turns), "error": error,
            "load_ms": statistics.median(turn["load_ms"] for turn in turns), "rounds": len(turns)}


def ratio(above, below):
    """Of two engines' times: the median of the ratios of the rounds that count for both, with their spread. Without such
    a round, the ratio of the medians."""
    rounds = {r: above[r] / below[r] for r in above.keys() & below.keys()}
    ratios = list(rounds.values()) or [statistics.median(above.values()) / statistics.median(below.values())]
    return {"ratio": statistics.median(ratios), "low": min(ratios), "high": max(ratios), "rounds": rounds}


def geometric_mean(values):
    return math.exp(statistics.fmean(math.log(v) for v in values))


def over_all(ratios):
    """Geometric mean over networks, with the spread of the rounds that every network has."""
    if not ratios:
        return None
    common = set.intersection(*(set(r["rounds"]) for r in ratios))
    rounds = [geometric_mean(r["rounds"][i] for r in ratios) for i in common]
    middle = geometric_mean(r["ratio"] for r in ratios)
    return {"ratio": middle, "low": min(rounds, default=middle), "high": max(rounds, default=middle),
            "networks": len(ratios), "worst": max(r["ratio"] for r in ratios)}


def summarise(measured):
    """Adds to {"engines", "networks", "turns", ...} the cells, ratios and means. Nothing else is computed elsewhere."""
    kinds = {engine["key"]: engine["kind"] for engine in measured["engines"]}
    own = next(key for key, kind in kinds.items() if kind == "own")
    table = []
    for network in measured["networks"]:
        here = [turn for turn in measured["turns"] if turn["network"] == network["key"]]
        turns = {key: [turn for turn in here if turn["engine"] == key] for key in kinds}
        cells = {key: cell(turns[key]) for key in kinds}
        times = {key: {turn["round"]: turn["median_ms"] for turn in counting(turns[key])}
                 for key in kinds if "median_ms" in cells[key]}
        row = {"network": network["key"], "cells": cells, "fastest_peer": None, "over_fastest_peer": None, "opencl": None}
        peers = [key for key in times if kinds[key] == "peer"]
        if peers:
            row["fastest_peer"] = min(peers, key=lambda key: cells[key]["median_ms"])
        if own in times and peers:
            row["over_fastest_peer"] = ratio(times[own], times[row["fastest_peer"]])
        opencl = [key for key in times if kinds[key] == "opencl"]
        if own in times and opencl:
            row["opencl"] = ratio(times[opencl[0]], times[own])
        table.append(row)
    return {**measured, "table": table,
            "over_fastest_peer": over_all([r["over_fastest_peer"] for r in table if r["over_fastest_peer"]]),
            "opencl": over_all([r["opencl"] for r in table if r["opencl"]])}


def own_failures(results):
    """Networks that sepcl itself did not run or answered wrongly."""
    own = next(engine["key"] for engine in results["engines"] if engine["kind"] == "own")
    return {row["network"]: row["cells"][own] for row in results["table"] if "failed" in row["cells"][own]}


def disturbed(results):
    """Cells whose every turn was disturbed, and all that have a time."""
    cells = [cell for row in results["table"] for cell in row["cells"].values() if "failed" not in cell]
    return sum(cell["disturbed"] for cell in cells), len(cells)
