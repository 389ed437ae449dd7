#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds what sepcl says of the models of make_keras.py against what Keras says, and looks at how they are run.

    keras_facts.py --summary SEPCL-SUMMARY --library LIBSEPCL.SO FOLDER

sepcl-summary has to list the same layers as Keras's own summary, with the same output shapes and parameters, and the same
totals. No model may be run with a transpose, but those that ask for one: channels come last in all the others. One line a
model that differs; exit 1 if there is one, 2 if there are no models.
"""
import argparse
import json
import pathlib
import subprocess
import sys

import numpy as np
from sepcl_library import Library

MOVED = ("layer_shapes_", "layer_channels_first_", "old_keras_2_shapes", "old_keras_2_channels_first")  # Permute; channels first, flattened as if they were last


def summary_of(arguments, entry):
    command = [arguments.summary, "--json", str(arguments.folder / entry["file"])]
    for name, file in entry["inputs"].items():
        extents = np.load(arguments.folder / file, mmap_mode="r").shape
        command += ["--shape", f"{name}={'x'.join(map(str, extents))}"]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def same_shape(got, want):
    """None in Keras's shape is an extent that the file leaves free."""
    return len(got) == len(want) and all(w is None or g == w for g, w in zip(got, want))


def summary_differences(got, want):
    rows = [(l["name"], l["type"], l["output_shape"], l["parameters"]) for l in got["layers"]]
    if [row[0] for row in rows] != [row[0] for row in want["layers"]]:
        yield f"layers {[row[0] for row in rows]}, expected {[row[0] for row in want['layers']]}"
        return
    for row, (name, kind, shape, parameters) in zip(rows, want["layers"]):
        if row[1] != kind or not same_shape(row[2], shape) or row[3] != parameters:
            yield f"{row}, expected {kind} {shape} {parameters}"
    for total in ("trainable", "non_trainable"):
        if got[total] != want[total]:
            yield f"{total} {got[total]}, expected {want[total]}"


def ops_of(library, arguments, name, entry):
    feeds = {key: np.load(arguments.folder / file) for key, file in entry["inputs"].items()}
    return library.run_in_order((arguments.folder / entry["file"]).read_bytes(), name, feeds)[1]


def differences(library, arguments, name, entry):
    if entry["summary"]:
        yield from summary_differences(summary_of(arguments, entry), entry["summary"])
    transposes = ops_of(library, arguments, name, entry).count("transpose")
    if (transposes > 0) != name.startswith(MOVED):
        yield f"{transposes} transposes"


def main():
    parser = argparse.ArgumentParser(description="Compare sepcl's summaries with Keras's, and look for transposes.")
    parser.add_argument("--summary", required=True, metavar="SEPCL-SUMMARY")
    parser.add_argument("--library", required=True, metavar="LIBSEPCL.SO")
    parser.add_argument("folder", type=pathlib.Path)
    arguments = parser.parse_args()
    library = Library(arguments.library)
    networks = json.loads((arguments.folder / "manifest.json").read_text())["networks"]
    wrong = 0
    for name, entry in networks.items():
        found = list(differences(library, arguments, name, entry))
        wrong += bool(found)
        for sentence in found:
            print(f"{name}: {sentence}", flush=True)
    print(f"{len(networks) - wrong} models as Keras describes them, {wrong} not")
    sys.exit(2 if not networks else 1 if wrong else 0)


if __name__ == "__main__":
    main()
