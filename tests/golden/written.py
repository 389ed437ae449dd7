#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes models as ONNX from the graph that sepcl makes of them, and compares onnxruntime's answers with those that are
known (networks of make_networks.py) or with sepcl-run's (any other model file).

    written.py --write WRITE_ONNX --run SEPCL-RUN FOLDER [MODEL ...]
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime

from compare import difference

# What opset 17 has no op for; the sentence has to say so.
# network -> what the sentence says: opset 17 lacks it, or there is no op for it yet
REFUSED = {"ops_pools_opset10": "ceil_mode", "ops_pools_opset19": "ceil_mode", "ops_resize_opset11": "coordinates",
           "ops_resize_opset19": "coordinates", "ops_resize_axes": "aspect", "ops_pad_opset19": "wrapping",
           "ops_masks": "(where): it is not written",
           "ops_resize_filters_opset13": "(resample): it is not written",
           "ops_resize_filters_opset18": "(resample): it is not written",
           "ops_grid_sample": "(grid_sample): it is not written", "ops_norms_by_parts": "(where): it is not written"}


def session(path):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def scores(path, feeds):
    """What goes into the last Softmax; None: there is none."""
    model = onnx.load(path)
    last = [node for node in model.graph.node if node.op_type == "Softmax"][-1:]
    if not last:
        return None
    model.graph.output.append(onnx.helper.make_tensor_value_info(last[0].input[0], onnx.TensorProto.FLOAT, None))
    net = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return net.run(None, feeds)[-1].ravel()


def light(original, out, feeds):
    """The weights of these networks make scores of some 1e9 that are all the same: Softmax would compare the rounding."""
    want, got = scores(original, feeds), scores(out, feeds)
    if want is None:
        return None
    error, why = difference(got, want)
    return f"its scores differ by {error:.3g} {why}" if error > 1e-4 else ""


def write(arguments, model, out, shapes):
    command = [arguments.write, str(model), str(out)] + [f"{n}={'x'.join(map(str, s))}" for n, s in shapes.items() if s]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def known(arguments, name, entry, scratch):
    """A sentence when a network of the manifest is not written as it should be."""
    feeds = {n: np.load(arguments.folder / f).astype(np.float32) for n, f in entry["inputs"].items()}
    out = pathlib.Path(scratch) / "out.onnx"
    done = write(arguments, arguments.folder / f"{name}.onnx", out, {n: x.shape for n, x in feeds.items()})
    if name in REFUSED:
        return "" if done.returncode == 4 and REFUSED[name] in done.stderr else f"exit {done.returncode}: {done.stderr}"
    if done.returncode:
        return f"exit {done.returncode}: {done.stderr}"
    onnx.checker.check_model(str(out), full_check=True)
    if name.startswith("light_"):
        sentence = light(arguments.folder / f"{name}.onnx", out, feeds)
        if sentence is not None:
            return sentence
    net = session(out)
    got = dict(zip([o.name for o in net.get_outputs()], net.run(None, feeds)))
    for tensor, file in entry["outputs"].items():
        error, why = difference(got[tensor], np.load(arguments.folder / file).astype(np.float32))
        if error > max(entry["tolerance"], 1e-4):
            return f"output {tensor} differs by {error:.3g} {why}"
    return ""


def other(arguments, model, scratch):
    out = pathlib.Path(scratch) / "out.onnx"
    done = write(arguments, model, out, {})
    if done.returncode:
        return f"exit {done.returncode}: {done.stderr}"
    onnx.checker.check_model(str(out), full_check=True)
    net = session(out)
    rng = np.random.default_rng(3)
    command = [arguments.run, str(model), "-q"]
    feeds = {}
    for i, tensor in enumerate(net.get_inputs()):
        feeds[tensor.name] = rng.uniform(-1, 1, tensor.shape).astype(np.float32)
        np.save(f"{scratch}/in{i}.npy", feeds[tensor.name])
        command.append(f"{tensor.name}={scratch}/in{i}.npy")
    for i, tensor in enumerate(net.get_outputs()):
        command += ["-o", f"{tensor.name}={scratch}/out{i}.npy"]
    subprocess.run(command, check=True, timeout=120)
    for i, got in enumerate(net.run(None, feeds)):
        error, why = difference(np.load(f"{scratch}/out{i}.npy"), got)
        if error > 1e-4:
            return f"output {i} differs by {error:.3g} {why}"
    return ""


def main():
    parser = argparse.ArgumentParser(description="Check graphs written as ONNX.")
    parser.add_argument("--write", required=True)
    parser.add_argument("--run", required=True)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("models", nargs="*", type=pathlib.Path)
    arguments = parser.parse_args()
    networks = json.loads((arguments.folder / "manifest.json").read_text())["networks"]
    bad = []
    with tempfile.TemporaryDirectory() as scratch:
        for name, entry in networks.items():
            bad.append((name, known(arguments, name, entry, scratch)))
        for model in arguments.models:
            bad.append((model.name, other(arguments, model, scratch)))
    for name, sentence in bad:
        if sentence:
            print(f"FAILED {name}: {sentence.strip()}")
    failed = sum(bool(sentence) for _, sentence in bad)
    print(f"{len(bad) - failed} of {len(bad)} models written")
    sys.exit(bool(failed) or len(bad) < 60)


if __name__ == "__main__":
    main()
