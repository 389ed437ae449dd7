#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs sepcl-run on the networks of make_networks.py and compares its answers with onnxruntime's.

    compare.py --run SEPCL-RUN [--jobs N] [--half] FOLDER [NAME ...] [-- OPTION ...]

One line a network: name, largest difference over largest magnitude, seconds. Exit 1 if one is wrong, 2 if there is none.
--half: values are stored as half, answers may differ by 1e-2, and the best class of each row of scores has to be the same.
"""
import argparse
import concurrent.futures
import json
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np


def difference(got, want):
    """Largest |got - want| over the largest |want|; what is not finite has to be the same."""
    if got.shape != want.shape:
        return np.inf, f"shape {got.shape}, expected {want.shape}"
    if got.dtype != np.float32:
        return np.inf, f"type {got.dtype}, expected float32"
    got, want = got.astype(np.float64).ravel(), want.astype(np.float64).ravel()
    finite = np.isfinite(want)
    same = np.array_equal(got[~finite], want[~finite], equal_nan=True)
    if not same or not np.isfinite(got[finite]).all():
        return np.inf, "NaN or infinity in different places"
    if not finite.any():
        return 0.0, ""
    scale = np.abs(want[finite]).max()
    return float(np.abs(got[finite] - want[finite]).max() / (scale if scale > 0 else 1.0)), ""


HALF_TOLERANCE = 1e-2


def same_best_class(got, want):
    """Of each row of class scores; true of outputs that are none."""
    return want.ndim != 2 or want.shape[1] < 2 or np.array_equal(got.argmax(axis=1), want.argmax(axis=1))


def run(arguments, name, entry):
    """Gives (error, sentence); the sentence is empty when all is well."""
    with tempfile.TemporaryDirectory() as scratch:
        tolerance = HALF_TOLERANCE if arguments.half else entry["tolerance"]
        command = [arguments.run, str(arguments.folder / entry.get("file", f"{name}.onnx")), "-q"]
        command += ["--precision", "f16"] if arguments.half else []
        command += [f"{tensor}={arguments.folder / file}" for tensor, file in entry["inputs"].items()]
        for i, tensor in enumerate(entry["outputs"]):
            command += ["-o", f"{tensor}={scratch}/{i}.npy"]
        done = subprocess.run(command + arguments.options, capture_output=True, text=True, timeout=arguments.timeout)
        if done.returncode != 0:
            return np.inf, f"exit {done.returncode}: {done.stderr.strip()[-600:]}"
        worst, sentence = 0.0, ""
        for i, (tensor, file) in enumerate(entry["outputs"].items()):
            got, want = np.load(f"{scratch}/{i}.npy"), np.load(arguments.folder / file)
            error, why = difference(got, want)
            if arguments.half and not why and not same_best_class(got, want):
                return error, f"output '{tensor}': another best class"
            if error > worst:
                worst, sentence = error, f"output '{tensor}': {why or f'difference {error:.2e}'}"
        return worst, sentence if worst > tolerance else ""


def timed(arguments, name, entry):
    start = time.monotonic()
    try:
        error, sentence = run(arguments, name, entry)
    except (OSError, ValueError, subprocess.TimeoutExpired) as problem:
        error, sentence = np.inf, str(problem)
    return name, error, sentence, time.monotonic() - start


def main():
    position = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    parser = argparse.ArgumentParser(description="Compare sepcl-run with onnxruntime.")
    parser.add_argument("--run", required=True, metavar="SEPCL-RUN")
    parser.add_argument("--jobs", type=int, default=1, metavar="N")
    parser.add_argument("--half", action="store_true")
    parser.add_argument("--timeout", type=float, default=300, metavar="SECONDS")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("names", nargs="*", metavar="NAME")
    arguments = parser.parse_args(sys.argv[1:position])
    arguments.options = sys.argv[position + 1:]
    networks = json.loads((arguments.folder / "manifest.json").read_text())["networks"]
    chosen = {name: entry for name, entry in networks.items()
              if not arguments.names or any(name.startswith(part) for part in arguments.names)}
    wrong = 0
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        for name, error, sentence, seconds in pool.map(lambda item: timed(arguments, *item), chosen.items()):
            wrong += bool(sentence)
            print(f"{'WRONG' if sentence else 'right'}  {name:28} {error:8.1e}  {seconds:6.2f} s  {sentence}", flush=True)
    print(f"{len(chosen) - wrong} networks right, {wrong} wrong")
    sys.exit(2 if not chosen else 1 if wrong else 0)


if __name__ == "__main__":
    main()
