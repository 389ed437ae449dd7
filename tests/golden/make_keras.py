#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes Keras models with random weights, inputs, and Keras's answers and summaries into a folder, for compare.py and
keras_summary.py.

    make_keras.py [--emotion MODEL.hdf5] FOLDER [NAME ...]

NAME: a model's name or the begin of it (default: all). Files: NAME.keras or NAME.h5, NAME.<input>.npy, NAME.<output>.npy
and manifest.json. What is there already and was made by these same scripts is kept. Needs keras with jax, and h5py.
"""
import argparse
import hashlib
import io
import json
import os
import pathlib
import re
import shutil
import sys
import zipfile
import zlib

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("JAX_PLATFORMS", "cpu")
import h5py  # noqa: E402
import keras  # noqa: E402
import numpy as np  # noqa: E402

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE))
from keras_cases import CASES  # noqa: E402
from keras_old import CALLED, OLD  # noqa: E402

A = keras.applications
APPLICATIONS = {
    "mobilenet": (A.MobileNet, "keras", {}),
    "mobilenet_v2": (A.MobileNetV2, "h5", {}),
    "mobilenet_v3_small": (A.MobileNetV3Small, "keras", {}),
    "mobilenet_v3_large": (A.MobileNetV3Large, "h5", {"input_shape": (224, 224, 3)}),
    "xception": (A.Xception, "keras", {}),
    "efficientnet_b0": (A.EfficientNetB0, "h5", {}),
    "resnet50": (A.ResNet50, "keras", {}),
}
TOLERANCE = 1e-4
rng = np.random.default_rng(0)


# ---------------------------------------------------------------- random weights

def draw(self, shape, dtype=None, **_):
    """Kernels that keep the magnitude of activations (He et al. 2015); drawn by NumPy, which does not compile first."""
    fan_in = np.prod(shape[:-1]) if len(shape) > 1 else 1
    return (rng.standard_normal(shape) * np.sqrt(2 / fan_in)).astype(dtype or "float32")


for initializer in (keras.initializers.GlorotUniform, keras.initializers.VarianceScaling):
    initializer.__call__ = draw


def stir(model):
    """Weights that start at 0 or 1 get values that show a mistake."""
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.Normalization):
            continue
        for w in layer._trainable_variables + layer._non_trainable_variables:
            role = w.path.split("/")[-1]
            if role in ("moving_variance", "gamma"):
                w.assign(rng.uniform(0.6, 1.4, w.shape))
            elif role in ("bias", "beta", "moving_mean", "alpha"):
                w.assign(rng.standard_normal(w.shape) * 0.2)
    return model


# ---------------------------------------------------------------- files

def summary(model):
    """What Keras's own summary says: name, class, output shape and parameters of each layer, and the totals."""
    rows = []
    operations = model.layers if isinstance(model, keras.Sequential) else model._operations
    for layer in operations:
        outputs = layer._inbound_nodes[-1].output_tensors
        rows.append([layer.name, type(layer).__name__, list(outputs[0].shape),
                     layer.count_params() if isinstance(layer, keras.layers.Layer) else 0])
    count = lambda weights: int(sum(np.prod(w.shape) for w in weights))  # noqa: E731
    return {"layers": rows, "trainable": count(model.trainable_weights), "non_trainable": count(model.non_trainable_weights)}


def file_of(name, tensor):
    return f"{name}.{re.sub('[^A-Za-z0-9_.-]', '_', tensor)}.npy"


def output_names(path):
    """The outputs as the file calls them: by its keys, else by the layers that make them, each only once."""
    if path.suffix == ".keras":
        config = json.loads(zipfile.ZipFile(path).read("config.json"))
    else:
        config = json.loads(h5py.File(path).attrs["model_config"])
    if config["class_name"] == "Sequential":
        layers = config["config"]["layers"] if isinstance(config["config"], dict) else config["config"]
        return [layers[-1]["config"]["name"]]
    ends = config["config"]["output_layers"]
    if isinstance(ends, dict):
        return list(ends)
    bases = [ends[0]] if isinstance(ends[0], str) else [end[0] for end in ends]
    names = []
    for base in bases:
        name, number = base, 1
        while name in names:
            name, number = f"{base}_{number}", number + 1
        names.append(name)
    return names


def feeds_of(model, extent=64):
    return {x._keras_history.operation.name: rng.standard_normal([2] + [extent if d is None else d for d in x.shape[1:]]).astype("f4")
            for x in model.inputs}


def answers(model, feeds, names, batch):
    outputs = model.predict_on_batch({k: v[:batch] for k, v in feeds.items()} if len(feeds) > 1 else next(iter(feeds.values()))[:batch])
    if isinstance(outputs, dict):
        return {name: np.asarray(outputs[name], "f4") for name in names}
    outputs = outputs if isinstance(outputs, list) else [outputs]
    return dict(zip(names, (np.asarray(v, "f4") for v in outputs), strict=True))


def entry(name, path, feeds, outputs, facts, folder):
    result = {"tolerance": TOLERANCE, "file": path.name, "inputs": {}, "outputs": {}, "summary": facts}
    for kind, tensors in (("inputs", feeds), ("outputs", outputs)):
        for tensor, data in tensors.items():
            if not np.isfinite(data).all():
                sys.exit(f"{name}: {tensor} has numbers that are not finite")
            result[kind][tensor] = file_of(name, tensor)
            np.save(folder / result[kind][tensor], data)
    return result


def make(name, model, kind, folder, batch=2, stirred=False):
    path = folder / f"{name}.{kind}"
    if not stirred:
        stir(model)
    model.save(path)
    feeds = {k: v[:batch] for k, v in feeds_of(model).items()}
    outputs = answers(model, feeds, output_names(path), batch)
    return entry(name, path, feeds, outputs, summary(model), folder)


def make_case(name, kind, folder):
    function, _ = CASES[name]
    keras.utils.clear_session()
    result = make(f"{name}_{kind}", function(), kind, folder)
    if name == "half_weights":  # Keras computes in half there
        result["tolerance"] = 5e-3
    if name == "gated":  # Keras's summary does not know that the activation halves an axis
        result["summary"] = None
    return result


def calm(model):
    """Scores that softmax does not turn into a lone 1: scales the last kernel by what comes out of it."""
    last = model.layers[-1]
    feeds = feeds_of(model)
    inner = keras.Model(model.inputs, last.input).predict_on_batch(next(iter(feeds.values()))[:1])
    last.kernel.assign(last.kernel * (2 / np.std(inner @ np.asarray(last.kernel))))


def make_application(name, folder):
    function, kind, options = APPLICATIONS[name]
    keras.utils.clear_session()
    model = stir(function(weights=None, **options))
    if name == "resnet50":
        calm(model)
    result = make(name, model, kind, folder, batch=1, stirred=True)
    for file in result["outputs"].values():
        scores = np.load(folder / file)
        if scores.max() > 0.5 or np.ptp(scores) < 1e-4:
            sys.exit(f"{name}: the scores would hide a mistake: from {scores.min()} to {scores.max()}")
    return result


# ---------------------------------------------------------------- containers that Keras itself does not write

def make_packed(kind, folder):
    """The same model as `sequential`, its weights compressed: in the archive, or in chunks of the HDF5 file."""
    keras.utils.clear_session()
    model = CASES["conv2d"][0]()
    result = make(f"packed_{kind}", model, kind, folder)
    path = folder / f"packed_{kind}.{kind}"
    if kind == "keras":
        members = {i.filename: zipfile.ZipFile(path).read(i) for i in zipfile.ZipFile(path).infolist()}
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for member, data in members.items():
                archive.writestr(member, data)
    else:
        rewrite(path, lambda data: dict(compression="gzip", shuffle=True, chunks=tuple((d + 1) // 2 for d in data.shape)))
    return result


def rewrite(path, options, change=lambda data: data):
    """Writes an HDF5 file anew, with options for each array that is no scalar."""
    target = io.BytesIO()
    with h5py.File(path) as old, h5py.File(target, "w") as new:
        def copy(name, item):
            if isinstance(item, h5py.Group):
                made = new.require_group(name)
            else:
                data = change(item[()])
                made = new.create_dataset(name, data=data, **(options(data) if data.ndim else {}))
            for key, value in item.attrs.items():
                made.attrs[key] = value
        for key, value in old.attrs.items():
            new.attrs[key] = value
        old.visititems(copy)
    path.write_bytes(target.getvalue())


def make_doubles(folder):
    """Weights as float64."""
    keras.utils.clear_session()
    result = make("doubles", CASES["conv2d"][0](), "h5", folder)
    rewrite(folder / "doubles.h5", lambda data: {}, lambda data: data.astype("f8"))
    return result


def make_old(name, folder):
    keras.utils.clear_session()
    model, write = OLD[name]()
    path = folder / f"{name}.h5"
    stir(model)
    write(model, path)
    feeds = feeds_of(model)
    facts = summary(model)
    called = CALLED.get(name, {})
    facts["layers"] = [[layer, called.get(kind, kind), *rest] for layer, kind, *rest in facts["layers"]]
    return entry(name, path, feeds, answers(model, feeds, output_names(path), 2), facts, folder)


def make_emotion(source, folder):
    """A model of Keras 2.0.5 as Keras reads it today."""
    path = folder / "emotion.hdf5"
    shutil.copyfile(source, path)
    model = keras.models.load_model(path, compile=False)
    feeds = {"input_1": rng.uniform(-1, 1, (3, 64, 64, 1)).astype("f4")}
    return entry("emotion", path, feeds, answers(model, feeds, output_names(path), 3), summary(model), folder)


def wanted(arguments):
    folder = arguments.folder
    recipes = {}
    for name, (_, kinds) in CASES.items():
        for kind in kinds:
            recipes[f"layer_{name}_{kind}"] = lambda name=name, kind=kind: make_case(name, kind, folder)
    for kind in ("keras", "h5"):
        recipes[f"file_packed_{kind}"] = lambda kind=kind: make_packed(kind, folder)
    recipes["file_doubles"] = lambda: make_doubles(folder)
    for name in OLD:
        recipes[f"old_{name}"] = lambda name=name: make_old(name, folder)
    for name in APPLICATIONS:
        recipes[name] = lambda name=name: make_application(name, folder)
    if arguments.emotion:
        recipes["emotion"] = lambda: make_emotion(arguments.emotion, folder)
    return {name: recipe for name, recipe in recipes.items()
            if not arguments.names or any(name.startswith(part) for part in arguments.names)}


def main():
    global rng
    parser = argparse.ArgumentParser(description="Make Keras models and Keras's answers.")
    parser.add_argument("--emotion", type=pathlib.Path, metavar="MODEL.hdf5")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("names", nargs="*", metavar="NAME")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    text = b"".join((HERE / file).read_bytes() for file in ("make_keras.py", "keras_cases.py", "keras_old.py"))
    stamp = hashlib.sha256(text + keras.__version__.encode()).hexdigest()
    manifest_path = arguments.folder / "manifest.json"
    manifest = json.loads(manifest_path.read_text()) if manifest_path.exists() else {}
    if manifest.get("stamp") != stamp:
        manifest = {"stamp": stamp, "networks": {}}
    recipes = {name: recipe for name, recipe in wanted(arguments).items() if name not in manifest["networks"]}
    try:
        for name, recipe in recipes.items():
            rng = np.random.default_rng(zlib.crc32(name.encode()))
            manifest["networks"][name] = recipe()
    finally:
        temporary = manifest_path.with_suffix(".tmp")
        temporary.write_text(json.dumps(manifest, indent=1))
        temporary.replace(manifest_path)
    print(f"{len(recipes)} models made, {len(manifest['networks'])} in {arguments.folder}")


if __name__ == "__main__":
    main()
