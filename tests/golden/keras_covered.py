#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Looks whether every layer that the Keras importer reads is in some model of make_keras.py, in each layout that has it.

    keras_covered.py FOLDER

A layer of runtime/import/keras_layers.inc has to be in a file of Keras 3 and in one laid out as Keras 2 did; an operation
of the table in one of Keras 3; each class and each mode of Merge that runtime/import/keras_v1.c renames in one of Keras 1.
The models' answers are compared elsewhere (golden.keras_layer, golden.keras_old). One line for each that is missing; exit 1
if there is one.
"""
import collections
import json
import pathlib
import re
import sys
import zipfile

import h5py

import support

ONLY_KERAS_2 = {"TFOpLambda", "ThresholdedReLU"}  # Keras 3 has no such classes
MODELS = {"Sequential", "Functional", "Model", "Container", "InputLayer"}


def config_of(path):
    """(major version, configuration)"""
    if path.suffix == ".keras":
        return 3, json.loads(zipfile.ZipFile(path).read("config.json"))
    with h5py.File(path) as file:
        return int(str(file.attrs.get("keras_version", "1")).split(".")[0]), json.loads(file.attrs["model_config"])


def layers_of(config):
    """Every layer's class and settings, those of models inside of the model too."""
    if config["class_name"] not in MODELS - {"InputLayer"}:
        yield config["class_name"], config["config"]
        return
    inner = config["config"]
    for layer in inner["layers"] if isinstance(inner, dict) else inner:
        yield from layers_of(layer)


def old_names(array):
    """The names that keras_v1.c changes."""
    text = (support.IMPORT / "keras_v1.c").read_text()
    body = re.search(rf"pair_of_names {array}\[\] = \{{(.*?)\n\}};", text, re.S).group(1)
    return dict(re.findall(r'\{"(\w+)", "(\w+)"\}', body))


def table(macro):
    text = (support.IMPORT / "keras_layers.inc").read_text()
    return set(re.findall(rf"^{macro}\((\w+),", text, re.M))


def missing(found, modes):
    layers = table("KERAS_LAYER")
    yield from (("Keras 3", name) for name in sorted(layers - ONLY_KERAS_2 - found[3]))
    yield from (("Keras 2", name) for name in sorted(layers - found[2]))
    yield from (("Keras 3", f"the operation {name}") for name in sorted(table("KERAS_OPERATION") - found[3]))
    yield from (("Keras 1", name) for name in sorted(set(old_names("classes")) - found[1]))
    known = {mode for mode, now in old_names("merges").items() if now in layers}
    yield from (("Keras 1", f"Merge with the mode '{mode}'") for mode in sorted(known - modes))


def main():
    folder = pathlib.Path(sys.argv[1])
    networks = json.loads((folder / "manifest.json").read_text())["networks"]
    found, modes = collections.defaultdict(set), set()
    for entry in networks.values():
        version, config = config_of(folder / entry["file"])
        text = json.dumps(config)
        found[version] |= {name for name in MODELS if f'"class_name": "{name}"' in text}
        for name, settings in layers_of(config):
            found[version].add(name)
            if name == "Merge":
                modes.add(settings["mode"])
    lines = [f"no file of {version} has {name}" for version, name in missing(found, modes)]
    print("\n".join(lines) or f"{len(networks)} models have every layer: " +
          ", ".join(f"{len(found[v])} classes of Keras {v}" for v in sorted(found)))
    sys.exit(1 if lines or not networks else 0)


if __name__ == "__main__":
    main()
