#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes networks with random weights, inputs, and onnxruntime's answers into a folder, for compare.py.

    make_networks.py [--orientation MODEL.onnx] FOLDER [NAME ...]

NAME: a network's name or a part of it (default: all). Files: NAME.onnx, NAME.<input>.npy, NAME.<output>.npy and
manifest.json. What is there already and was made by these same scripts is kept. With --orientation the text-orientation
model answers too, on drawn text, at batch 1 and 3.
"""
import argparse
import hashlib
import json
import os
import pathlib
import re
import shutil
import sys
import zlib

import numpy as np
import onnx
import onnx.backend.test
import onnxruntime

HERE = pathlib.Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent.parent / "tools")]
from architectures import ARCHITECTURES  # noqa: E402
from corners import CORNERS  # noqa: E402
from draw_text import draw  # noqa: E402
from net import Net  # noqa: E402


def file_of(name, tensor):
    return f"{name}.{re.sub('[^A-Za-z0-9_.-]', '_', tensor)}.npy"


def answers(path, feeds):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = os.cpu_count() or 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, feeds)))


def sane(name, outputs):
    """A network whose answer is constant or infinite would test nothing."""
    for key, value in outputs.items():
        finite = value[np.isfinite(value)]
        if name == "ops_not_a_number":
            continue
        if finite.size != value.size:
            sys.exit(f"{name}: output {key} has numbers that are not finite")
        if value.size > 100 and not name.startswith("ops_") and np.ptp(value) < 1e-3 * np.abs(value).max():
            sys.exit(f"{name}: output {key} hardly varies")


def write(name, feeds, outputs, tolerance, folder):
    """Saves the arrays; gives the network's entry in the manifest."""
    entry = {"tolerance": tolerance, "inputs": {}, "outputs": {}}
    for kind, tensors in (("inputs", feeds), ("outputs", outputs)):
        for tensor, data in tensors.items():
            entry[kind][tensor] = file_of(name, tensor)
            np.save(folder / entry[kind][tensor], data)
    return entry


def make(name, opset, fill, folder):
    net = Net(name, opset)
    fill(net)
    path = folder / f"{name}.onnx"
    net.save(path)
    outputs = answers(path, net.data)
    sane(name, outputs)
    return write(name, net.data, outputs, net.tolerance, folder)


def text_pixels(text, turned):
    """A picture as the orientation model wants it: blue, green, red planes in [-1, 1]."""
    pixels = np.asarray(draw(text), np.float32)
    if turned:
        pixels = pixels[::-1, ::-1]
    return (pixels[:, :, ::-1].transpose(2, 0, 1) / 255 - 0.5) / 0.5


def make_orientation(name, count, model, folder):
    path = folder / f"{name}.onnx"
    shutil.copyfile(model, path)
    lines = [("Hello, OpenCL", False), ("Hello, OpenCL", True), ("Which way is up?", False)][:count]
    x = np.ascontiguousarray(np.stack([text_pixels(*line) for line in lines]))
    outputs = answers(path, {"x": x})
    (scores,) = outputs.values()
    if [bool(row[1] > row[0]) for row in scores] != [turned for _, turned in lines]:
        sys.exit(f"{name}: the model did not tell upright from turned text: {scores.tolist()}")
    return write(name, {"x": x}, outputs, 1e-4, folder)


def light_networks():
    """Whole networks that the onnx package brings for its own tests: real structures, weights all alike."""
    folder = pathlib.Path(onnx.backend.test.__file__).parent / "data" / "light"
    return sorted(folder.glob("light_*.onnx"))


def make_light(source, folder):
    name = source.stem
    path = folder / f"{name}.onnx"
    shutil.copyfile(source, path)
    graph = onnx.load(path).graph
    weights = {t.name for t in graph.initializer}
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    feeds = {i.name: rng.standard_normal([d.dim_value for d in i.type.tensor_type.shape.dim]).astype(np.float32)
             for i in graph.input if i.name not in weights}
    return write(name, feeds, answers(path, feeds), 1e-4, folder)


def wanted(arguments):
    """Name -> function that makes it."""
    recipes = {name: lambda name=name, opset=opset, fill=fill: make(name, opset, fill, arguments.folder)
               for name, (opset, fill) in {**ARCHITECTURES, **CORNERS}.items()}
    for source in light_networks():
        recipes[source.stem] = lambda source=source: make_light(source, arguments.folder)
    if arguments.orientation:
        for count in (1, 3):
            name = f"orientation_{count}"
            recipes[name] = lambda name=name, count=count: make_orientation(name, count, arguments.orientation, arguments.folder)
    return {name: recipe for name, recipe in recipes.items()
            if not arguments.names or any(part in name for part in arguments.names)}


def main():
    parser = argparse.ArgumentParser(description="Make networks and onnxruntime's answers.")
    parser.add_argument("--orientation", type=pathlib.Path, metavar="MODEL.onnx")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("names", nargs="*", metavar="NAME")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    text = b"".join((HERE / file).read_bytes() for file in ("net.py", "architectures.py", "corners.py", "make_networks.py"))
    stamp = hashlib.sha256(text + onnxruntime.__version__.encode()).hexdigest()
    manifest_path = arguments.folder / "manifest.json"
    manifest = json.loads(manifest_path.read_text()) if manifest_path.exists() else {}
    if manifest.get("stamp") != stamp:
        manifest = {"stamp": stamp, "networks": {}}
    recipes = {name: recipe for name, recipe in wanted(arguments).items() if name not in manifest["networks"]}
    for name, recipe in recipes.items():
        manifest["networks"][name] = recipe()
    temporary = manifest_path.with_suffix(".tmp")
    temporary.write_text(json.dumps(manifest, indent=1))
    temporary.replace(manifest_path)
    print(f"{len(recipes)} networks made, {len(manifest['networks'])} in {arguments.folder}")


if __name__ == "__main__":
    main()
