# SPDX-License-Identifier: Apache-2.0
"""What python -m sepcl does."""
from __future__ import annotations

import argparse
import dataclasses
import json
import math
import os
import statistics
import time
from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np

from ._device import devices, find_device
from ._library import BadFileError, InvalidError, __version__
from ._model import Model
from ._pictures import picture
from ._session import Session
from ._values import table

Options = argparse.Namespace


def _print_json(value: Any) -> None:
    print(json.dumps(value, indent=2, default=str))


def _shapes(model: Model, texts: Sequence[str]) -> Dict[str, Tuple[int, ...]]:
    shapes = {}
    for text in texts:
        name, equals, dims = text.rpartition("=")
        if not equals:
            if len(model.input_names) != 1:
                raise InvalidError(f"--shape '{text}' needs an input's name in front, as the model has {len(model.input_names)}")
            name = model.input_names[0]
        try:
            shapes[name] = tuple(int(d) for d in dims.split("x"))
        except ValueError:
            raise InvalidError(f"--shape takes NAME=1x3x224x224, not '{text}'") from None
    return shapes


def _split(text: str, names: Sequence[str]) -> Tuple[Optional[str], str]:
    """NAME=FILE, where NAME is one of these."""
    for name in names:
        if text.startswith(name + "="):
            return name, text[len(name) + 1:]
    return None, text


# ---------------------------------------------------------------- info, summary

def info(options: Options) -> None:
    found = devices()
    default = find_device().index if found else -1
    if options.json:
        _print_json({"version": __version__, "devices": [
            {**dataclasses.asdict(d), "default": d.index == default, "choices": d.choices() if d.available else [],
             "cache": dataclasses.asdict(d.cache(options.cache_dir)),
             **({"measured": dataclasses.asdict(d.measure())} if options.measure and d.available else {})} for d in found]})
        return
    if not found:
        print("no OpenCL devices")
    for d in found:
        print(f"{d.selector}  {d.name}{'  (the default)' if d.index == default else ''}")
        print(f"    {d.type}, {d.platform}, driver {d.driver_version}, {d.device_version}")
        print(f"    {d.compute_units} compute units, {d.global_bytes / 2**30:.1f} GiB, {d.local_bytes // 1024} KiB local")
        if options.measure and d.available:
            s = d.measure()
            print(f"    {s.fma_gflops:.1f} GFLOP/s, {s.bandwidth_gbs:.1f} GB/s, {s.launch_us:.1f} us a launch in a batch, "
                  f"{s.round_trip_us:.1f} us alone with a wait")
        for line in d.choices() if d.available else []:
            print(f"    {line}")
        cache = d.cache(options.cache_dir)
        print(f"    caches: {cache.dir or 'off'}, {cache.programs} programs, {cache.tunings} tuning entries")


def summary(options: Options) -> None:
    with Model(options.model) as model:
        found = model.summary(_shapes(model, options.shape))
        if options.json:
            _print_json({"model": options.model, "parameters": found.parameters, "trainable": found.trainable,
                         "multiplications": found.multiplications, "layers": [dataclasses.asdict(layer) for layer in found]})
        else:
            print(found)


# ---------------------------------------------------------------- run

def _read_file(path: str, shape: Sequence[int], options: Options) -> "np.ndarray[Any, Any]":
    try:
        with open(path, "rb") as file:
            is_array = file.read(6) == b"\x93NUMPY"
        if is_array:
            return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
    except (OSError, ValueError) as error:
        raise BadFileError(f"cannot read {path}: {error}") from None
    return picture(path, shape, mean=options.mean, scale=options.scale, resize=options.resize, channels=options.channels)


def _assign(model: Model, texts: Sequence[str], random: bool) -> Dict[str, str]:
    files: Dict[str, str] = {}
    rest = []
    for text in texts:
        name, path = _split(text, model.input_names)
        if name is None:
            rest.append(path)
        else:
            files[name] = path
    for path in rest:
        free = [name for name in model.input_names if name not in files]
        if not free:
            raise InvalidError(f"{path} is one input too many: the model has {len(model.input_names)}")
        files[free[0]] = path
    missing = [name for name in model.input_names if name not in files]
    if missing and not random:
        raise InvalidError(f"input '{missing[0]}' needs a file, or --random")
    return files


def _random(session: Session, name: str, seed: int) -> "np.ndarray[Any, Any]":
    generator = np.random.default_rng([seed, session.model.input_names.index(name)])
    return generator.uniform(-1, 1, session.input_shapes[name]).astype(np.float32)


def _write_outputs(model: Model, results: Dict[str, "np.ndarray[Any, Any]"], texts: Sequence[str]) -> None:
    left = list(model.output_names)
    for text in texts:
        name, path = _split(text, model.output_names)
        if name is None:
            if not left:
                raise InvalidError(f"{path} is one output file too many: the model has {len(model.output_names)}")
            name = left[0]
        if name in left:
            left.remove(name)
        temporary = f"{path}.part{os.getpid()}"
        try:
            with open(temporary, "wb") as file:
                np.save(file, results[name])
            os.replace(temporary, path)
        except OSError as error:
            raise BadFileError(f"cannot write {path}: {error.strerror}") from None


def _best(row: "np.ndarray[Any, Any]", top: int, labels: Optional[List[str]]) -> List[Dict[str, Any]]:
    order = np.argsort(-row, kind="stable")[:top]
    return [{"class": int(i), "score": float(row[i]), "label": labels[i] if labels and i < len(labels) else None}
            for i in order]


def _report(results: Dict[str, "np.ndarray[Any, Any]"], options: Options) -> List[Dict[str, Any]]:
    labels = None
    if options.labels:
        try:
            with open(options.labels, encoding="utf-8", errors="replace") as file:
                labels = file.read().splitlines()
        except OSError as error:
            raise BadFileError(f"cannot read {options.labels}: {error.strerror}") from None
    report = []
    for name, array in results.items():
        item: Dict[str, Any] = {"name": name, "shape": list(array.shape)}
        if array.size:
            item.update(min=float(array.min()), max=float(array.max()), mean=float(array.mean(dtype=np.float64)))
        if (options.top or labels) and array.size and array.ndim:
            item["best"] = [_best(row, options.top or 5, labels) for row in array.reshape(array.shape[0], -1)]
        report.append(item)
    return report


def _print_report(report: List[Dict[str, Any]]) -> None:
    for item in report:
        shape = "x".join(map(str, item["shape"]))
        print(f"{item['name']}: {shape}" + (f", {item['min']:.6g} to {item['max']:.6g}, mean {item['mean']:.6g}"
                                            if "min" in item else ""))
        for best in item.get("best", []):
            rows = [(str(b["class"]), f"{b['score']:.4f}", b["label"] or "") for b in best]
            print(table(("Class", "Score", "Label"), rows, ">><"))


def run(options: Options) -> None:
    with Model(options.model) as model:
        files = _assign(model, options.inputs, options.random is not None)
        shapes = _shapes(model, options.shape)
        inputs = {name: _read_file(path, shapes.get(name, model.input_shapes[name]), options) for name, path in files.items()}
        shapes.update((name, array.shape) for name, array in inputs.items())
        with model.session(options.device, options.precision, shapes=shapes, cache_dir=options.cache_dir) as session:
            for name in model.input_names:
                if name not in inputs:
                    inputs[name] = _random(session, name, options.random)
            begin = time.perf_counter()
            results = session.run(inputs)
            seconds = time.perf_counter() - begin
            checked = session.check(inputs) if options.check else []
            _write_outputs(model, results, options.output)
            report = _report(results, options)
            if options.json:
                _print_json({"model": options.model, "device": session.device.name, "precision": options.precision,
                             "ms": 1e3 * seconds, "outputs": report,
                             **({"check": [dataclasses.asdict(layer) for layer in checked]} if options.check else {})})
                return
            print(f"{options.model} on {session.device.name} ({session.device.selector}), {options.precision}: {1e3 * seconds:.2f} ms")
            if options.check:
                worst = max(checked, key=lambda layer: layer.error)
                print(f"{len(checked)} layers agree with the reference; the largest difference is {worst.error:.2g} in {worst.name}")
            _print_report(report)


# ---------------------------------------------------------------- bench, tune

def _times(session: Session, repeat: int) -> List[float]:
    inputs = {name: _random(session, name, 1) for name in session.input_shapes}
    out = {name: np.empty(shape, np.float32) for name, shape in session.output_shapes.items()}
    begin = time.perf_counter()
    runs = 0
    while runs < 2 or time.perf_counter() - begin < 0.3:
        session.run(inputs, out=out)
        runs += 1
    seconds = []
    for _ in range(repeat):
        begin = time.perf_counter()
        session.run(inputs, out=out)
        seconds.append(time.perf_counter() - begin)
    return sorted(seconds)


def _slowest(model: Model, options: Options) -> List[Dict[str, Any]]:
    with model.session(options.device, options.precision, shapes=_shapes(model, options.shape), cache_dir=options.cache_dir,
                       profile=True) as session:
        inputs = {name: _random(session, name, 1) for name in session.input_shapes}
        times: List[List[int]] = []
        for _ in range(12):
            session.run(inputs)
            times.append([step.busy_ns for step in session.steps()])
        medians = [statistics.median(column) for column in zip(*times[2:])]
        steps = [{"name": step.name, "op": step.op, "kernel": step.kernel, "us": 1e-3 * median,
                  "gflops": 2 * step.multiplications / median if median else math.nan}
                 for step, median in zip(session.steps(), medians)]
    return sorted(steps, key=lambda step: -float(step["us"]))


def bench(options: Options) -> None:
    if options.repeat < 1:
        raise InvalidError(f"--repeat takes a whole number from 1, not {options.repeat}")
    report = []
    for path in options.models:
        begin = time.perf_counter()
        with Model(path) as model:
            loaded = time.perf_counter()
            with model.session(options.device, options.precision, shapes=_shapes(model, options.shape),
                               cache_dir=options.cache_dir) as session:
                ready = time.perf_counter()
                seconds = _times(session, options.repeat)
                device = session.device
            p90 = seconds[min(len(seconds) - 1, math.ceil(0.9 * len(seconds)) - 1)]
            report.append({"file": path, "precision": options.precision, "min_ms": 1e3 * seconds[0],
                           "median_ms": 1e3 * statistics.median(seconds), "p90_ms": 1e3 * p90, "load_ms": 1e3 * (loaded - begin),
                           "session_ms": 1e3 * (ready - loaded), "runs": len(seconds)})
            if options.layers:
                report[-1]["steps"] = _slowest(model, options)
    if options.json:
        _print_json({"device": device.name, "selector": device.selector, "models": report})
        return
    print(f"{device.name} ({device.selector}), {options.precision}, {options.repeat} runs")
    rows = [(r["file"], f"{r['min_ms']:.2f}", f"{r['median_ms']:.2f}", f"{r['p90_ms']:.2f}", f"{r['load_ms'] + r['session_ms']:.0f}")
            for r in report]
    print(table(("Model", "min ms", "median ms", "p90 ms", "ready in ms"), rows, "<>>>>"))
    for r in report:
        if options.layers:
            print(f"\n{r['file']}")
            steps = [(s["name"][-48:], s["op"], f"{s['us']:.1f}", f"{s['gflops']:.1f}") for s in r["steps"]]
            print(table(("Layer", "Op", "us", "GFLOP/s"), steps, "<<>>"))


def tune(options: Options) -> None:
    report = []
    for path in options.models:
        with Model(path) as model:
            found = model.tune(options.device, options.precision, budget=options.budget, again=options.again,
                               shapes=_shapes(model, options.shape), cache_dir=options.cache_dir,
                               progress=not options.json)
        report.append({"file": path, "layers": [dataclasses.asdict(r) for r in found]})
        if options.json:
            continue
        rows = [(r.name[-40:], r.op, f"{r.before_us:.1f}", f"{r.after_us:.1f}", r.after) for r in found if r.used]
        print(path)
        print(table(("Layer", "Op", "before us", "after us", "chosen"), rows, "<<>><"))
    if options.json:
        _print_json({"models": report})
