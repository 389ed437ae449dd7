#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs sepcl-separate on the networks of planted.py: what was planted has to be found and rewritten, nothing else, and
the rewritten file has to be one that the onnx checker and onnxruntime take and that answers as the original does.

    separated.py --separate SEPCL-SEPARATE --run SEPCL-RUN FOLDER [NAME ...]
    separated.py --separate SEPCL-SEPARATE --run SEPCL-RUN FOLDER --real MODEL...

Planted networks are for a program whose times are known (tests/tools/fixed_times.c), so that what is rewritten is known as
well; of real ones only that is held which is true whatever the times are. The reports stay in FOLDER.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml

import numpy as np
import onnx
import onnxruntime

from compare import difference

TOLERANCE = 0.02  # of trained networks


def fail(sentence):
    sys.exit(f"FAILED {sentence}")


def check(truth, sentence):
    if not truth:
        fail(sentence)


def run(command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=300)
    check(done.returncode == 0, f"{command}: exit {done.returncode}: {done.stderr.strip()[-600:]}")
    return done.stdout


def session(path):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def feed(net):
    rng = np.random.default_rng(1)
    return {i.name: rng.standard_normal([d if isinstance(d, int) else 2 for d in i.shape]).astype(
        np.float16 if "float16" in i.type else np.float32) for i in net.get_inputs()}


def check_found(name, answer, expected):
    """Ranks of the spectra, and that errors stay below their bounds."""
    layers = {layer["name"]: layer for layer in answer["layers"]}
    for layer, want in expected.items():
        spectra = {s["form"]: s for s in layers[layer]["spectra"]}
        for form, s in spectra.items():
            if want and form == want["form"]:
                check(s["rank"] == want["rank"], f"{name}: {layer} has {form} rank {s['rank']}, planted was {want['rank']}")
            elif not want:
                check(s["rank"] == s["full_rank"], f"{name}: {layer} of full rank was found to be of {form} rank {s['rank']}")
        check(not want or want["form"] in spectra, f"{name}: {layer} has no {want and want['form']} spectrum")
    for layer in answer["layers"]:
        for form in layer["forms"]:
            check(form["error"] <= form["bound"] * (1 + 1e-9), f"{name}: {layer['name']}: {form}")
        chosen = layer["chosen"]
        check(chosen is None or layer["forms"][chosen]["us"] < layer["forms"][chosen]["as_it_is_us"],
              f"{name}: {layer['name']}: what was chosen is not faster")


def check_file(name, original, made, tolerance, arguments):
    """The checker takes it, onnxruntime and sepcl-run agree with the original, and what was left is as it was."""
    model = onnx.load(made)
    onnx.checker.check_model(model, full_check=True)
    before, after = session(original), session(made)
    data = feed(before)
    want, got = before.run(None, data)[0], after.run(None, data)[0]
    error, why = difference(got.astype(np.float32), want.astype(np.float32))
    check(error <= tolerance, f"{name}: differs from the original by {error:.3g} {why}")
    with tempfile.TemporaryDirectory() as scratch:
        inputs = []
        for key, value in data.items():
            np.save(f"{scratch}/{key}.npy", value.astype(np.float32))
            inputs.append(f"{key}={scratch}/{key}.npy")
        run([arguments.run, made, *inputs, "-q", "-o", f"{scratch}/out.npy"])
        own, why = difference(np.load(f"{scratch}/out.npy"), got.astype(np.float32))
    check(own <= (1e-4 if want.dtype == np.float32 else 2e-2), f"{name}: sepcl and onnxruntime differ by {own:.3g} {why}")
    old = {t.name: t for t in onnx.load(original).graph.initializer}
    read = {i for node in model.graph.node for i in node.input}
    for tensor in model.graph.initializer:
        check(tensor.name in read, f"{name}: the initializer {tensor.name} is read by nothing")
        if tensor.name in old:
            check(onnx.numpy_helper.to_array(tensor).tobytes() == onnx.numpy_helper.to_array(old[tensor.name]).tobytes(),
                  f"{name}: {tensor.name} has changed")
    return error


def check_page(name, path):
    text = path.read_text(encoding="utf-8")
    xml.fromstring(text.removeprefix("<!DOCTYPE html>"))
    for word in ("http:", "https:", "<script", "<link", "<img", "url("):
        check(word not in text, f"{name}: the page refers to something outside: {word}")
    check("prefers-color-scheme:dark" in text and "max-width:40rem" in text, f"{name}: the page's style lacks something")


def separate(name, arguments, *options):
    """(JSON, path of the new file)"""
    original, made = arguments.folder / f"{name}.onnx", arguments.folder / "separated" / f"{name}.onnx"
    made.parent.mkdir(exist_ok=True)
    made.unlink(missing_ok=True)
    page = arguments.folder / f"{name}.separated.html"
    out = run([arguments.separate, original, "-o", made, "--report", page, "--json", *options])
    check_page(name, page)
    return json.loads(out), made


def one(name, entry, arguments):
    answer, made = separate(name, arguments, *entry["options"])
    check_found(name, answer, entry["layers"])
    limit = entry["tolerance"]
    check(answer["error"] <= limit, f"{name}: the outputs' error of {answer['error']:.3g} is above {limit:g}")
    chosen = {layer["name"] for layer in answer["layers"] if layer["chosen"] is not None}
    check(sorted(chosen) == sorted(entry["rewritten"]),
          f"{name}: {sorted(chosen)} was rewritten instead of {sorted(entry['rewritten'])}: "
          f"{[(layer['name'], layer['why']) for layer in answer['layers']]}")
    check(answer["target_met"], f"{name}: the speed-up that was asked for was not reached")
    error = check_file(name, arguments.folder / f"{name}.onnx", made, max(1e-5, limit), arguments)
    print(f"ok {name:24} {len(chosen)}/{len(answer['layers'])} rewritten, {answer['before_ms']:.3f} -> "
          f"{answer['after_ms']:.3f} ms, error {error:.2g}")


def real(model, arguments):
    """A network as it was trained, at a tolerance: report, page and new file are kept as artefacts."""
    arguments.folder.mkdir(parents=True, exist_ok=True)
    made, page = arguments.folder / f"{model.stem}.onnx", arguments.folder / f"{model.stem}.html"
    shape = ["--shape", "x=1x3x48x192"] if model.suffix == ".onnx" else []
    out = run([arguments.separate, model, "-o", made, "--report", page, "--json", "--tolerance", TOLERANCE, *shape])
    page.with_suffix(".json").write_text(out)
    answer = json.loads(out)
    check_page(model.name, page)
    check_found(model.name, answer, {})
    check(answer["layers"] and answer["error"] <= TOLERANCE, f"{model.name}: an error of {answer['error']}")
    onnx.checker.check_model(str(made), full_check=True)
    net = session(made)
    rng, inputs, data = np.random.default_rng(2), [], {}
    with tempfile.TemporaryDirectory() as scratch:
        for i, port in enumerate(net.get_inputs()):
            size = [d if isinstance(d, int) else k for d, k in zip(port.shape, (1, 3, 48, 192))]
            data[port.name] = rng.uniform(-1, 1, size).astype(np.float32)
            np.save(f"{scratch}/{i}.npy", data[port.name])
            inputs.append(f"{port.name}={scratch}/{i}.npy")
        first = net.get_outputs()[0].name
        run([arguments.run, model, *inputs, "-q", "-o", f"{first}={scratch}/out.npy"])
        want, got = np.load(f"{scratch}/out.npy"), net.run([first], data)[0]
    error, why = difference(got.reshape(want.shape), want)
    check(error <= 2 * TOLERANCE, f"{model.name}: differs from the original by {error:.3g} {why}")  # on other input
    print(f"ok {model.name}: {answer['rewritten']}/{len(answer['layers'])} rewritten, error {answer['error']:.2g}")


def main():
    parser = argparse.ArgumentParser(description="Check sepcl-separate.")
    parser.add_argument("--separate", required=True)
    parser.add_argument("--run", required=True)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--real", type=pathlib.Path, nargs="+", default=[], help="trained networks; reports go into FOLDER")
    arguments = parser.parse_args()
    for model in arguments.real:
        real(model, arguments)
    if arguments.real:
        return
    planted = json.loads((arguments.folder / "planted.json").read_text())
    names = [n for n in planted if not arguments.names or any(part in n for part in arguments.names)]
    check(names, "no such network")
    for name in names:
        one(name, planted[name], arguments)


if __name__ == "__main__":
    main()
