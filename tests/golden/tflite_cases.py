#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs TFLite files through LiteRT and libsepcl and compares the answers.

    tflite_cases.py --library LIBSEPCL.SO [--corners] [--converted FOLDER] [--models FOLDER] [--run SEPCL-RUN]
                    [--keep FOLDER] [--half] [NAME ...]

--corners: the files of tflite_corners.py. --converted: the ONNX networks of make_networks.py in FOLDER, written as TFLite
by to_tflite.py. --models: every .tflite file in FOLDER; with --run through that program too. Whole networks have to run
without a transpose, but for what MOVING says. NAME: a case's name or a part of it. --keep: a folder for the files that
were made. --half: values are stored as half, and answers may differ by 1e-2. Exit 1 if one is wrong, 2 if there is none.
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile
import time
import zlib

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "bench" / "comparison")]
import sepcl_library  # noqa: E402
from compare import HALF_TOLERANCE, difference  # noqa: E402
from tflite_corners import CORNERS, Corner  # noqa: E402

TOLERANCE = 1e-4
# transposes that have to run: of an input in another order, of blocks that become pixels
MOVING = {"channels_first_inside": 1, "face_detection_full_range_sparse": 2}
NETWORKS = ("mobilenet_v1", "mobilenet_v2", "mobilenet_v3_large", "efficientnet_lite0", "resnet18", "spatial_5x1")


def interpreter(model, feeds):
    """LiteRT with its own kernels, ready to run on inputs of these shapes."""
    litert = Interpreter(model_content=model, experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES)
    for entry in litert.get_input_details():
        if list(entry["shape"]) != list(feeds[entry["name"]].shape):
            litert.resize_tensor_input(entry["index"], feeds[entry["name"]].shape)
    litert.allocate_tensors()
    return litert


def answers(model, feeds):
    """LiteRT's outputs, in order."""
    litert = interpreter(model, feeds)
    for entry in litert.get_input_details():
        litert.set_tensor(entry["index"], feeds[entry["name"]])
    litert.invoke()
    return [litert.get_tensor(entry["index"]) for entry in litert.get_output_details()]


def corner_case(name):
    """The file with the shapes that LiteRT finds for its tensors, and its inputs."""
    c = Corner(name)
    CORNERS[name](c)
    for i, index in enumerate(c.outputs):
        c.tensors[index].name = f"y{i}".encode()
    for entry in interpreter(c.pack(), c.feeds).get_tensor_details():
        if entry["index"] < len(c.tensors) and not c.tensors[entry["index"]].shapeSignature:
            c.tensors[entry["index"]].shape = [int(n) for n in entry["shape"]]
    return c.pack(), c.feeds


def file_case(path):
    model = path.read_bytes()
    rng = np.random.default_rng(zlib.crc32(path.stem.encode()))
    litert = Interpreter(model_content=model)
    return model, {entry["name"]: rng.uniform(-1, 1, entry["shape"]).astype(np.float32) for entry in litert.get_input_details()}


def converted_case(path):
    import onnx
    from to_tflite import Converter
    converter = Converter(onnx.load(path))
    model = converter.convert()
    feeds = {}
    for name, data in ((i, np.load(path.parent / f"{path.stem}.{i}.npy")) for i in converter.inputs):
        feeds[name] = np.ascontiguousarray(data.transpose(0, 2, 3, 1)) if data.ndim == 4 else data
    return model, feeds


def by_program(program, path, feeds):
    """sepcl-run's answers: arrays in and out by the file's names, in the file's order of axes."""
    names = [entry["name"] for entry in Interpreter(model_path=str(path)).get_output_details()]
    with tempfile.TemporaryDirectory() as scratch:
        command = [program, path, "-q"]
        for i, (name, data) in enumerate(feeds.items()):
            np.save(f"{scratch}/{i}.npy", data)
            command.append(f"{name}={scratch}/{i}.npy")
        for i, name in enumerate(names):
            command += ["-o", f"{name}={scratch}/out{i}.npy"]
        done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=300)
        if done.returncode != 0:
            raise RuntimeError(f"sepcl-run ended with {done.returncode}: {done.stderr.strip()[-300:]}")
        return [np.load(f"{scratch}/out{i}.npy") for i in range(len(names))]


# ---------------------------------------------------------------- comparing

def cases(arguments):
    """(name, function that gives model and inputs, its file when it has one)"""
    found = []
    if arguments.corners:
        found += [(name, lambda name=name: corner_case(name), None) for name in CORNERS]
    if arguments.converted:
        found += [(name, lambda name=name: converted_case(arguments.converted / f"{name}.onnx"), None) for name in NETWORKS]
    if arguments.models:
        found += [(path.stem, lambda path=path: file_case(path), path) for path in sorted(arguments.models.glob("*.tflite"))]
    return [case for case in found if not arguments.names or any(part in case[0] for part in arguments.names)]


def compare(got, want, tolerance):
    """Gives (largest difference, sentence when it is wrong)."""
    if len(got) != len(want):
        return np.inf, f"{len(got)} outputs instead of {len(want)}"
    errors = [difference(g, w) for g, w in zip(got, want)]
    worst = int(np.argmax([error for error, _ in errors]))
    error, why = errors[worst]
    return error, "" if error <= tolerance else f"output {worst}: {why or f'difference {error:.2e}'}"


def run(library, name, make, path, arguments):
    model, feeds = make()
    if arguments.keep:
        (arguments.keep / f"{name}.tflite").write_bytes(model)
    want = answers(model, feeds)
    got, steps = library.run_in_order(model, f"{name}.tflite", feeds)
    tolerance = HALF_TOLERANCE if arguments.half else TOLERANCE
    error, sentence = compare(got, want, tolerance)
    most = MOVING.get(name, 0 if name not in CORNERS else len(steps))
    if not sentence and steps.count("transpose") > most:
        sentence = f"{steps.count('transpose')} transposes run, and {most} would do"
    if not sentence and path and arguments.run and not arguments.half:
        error, sentence = compare(by_program(arguments.run, path, feeds), want, tolerance)
    return error, sentence


def main():
    parser = argparse.ArgumentParser(description="Compare libsepcl with LiteRT.")
    parser.add_argument("--library", required=True)
    parser.add_argument("--run", metavar="SEPCL-RUN")
    parser.add_argument("--corners", action="store_true")
    parser.add_argument("--converted", type=pathlib.Path, metavar="FOLDER")
    parser.add_argument("--models", type=pathlib.Path, metavar="FOLDER")
    parser.add_argument("--keep", type=pathlib.Path, metavar="FOLDER")
    parser.add_argument("--half", action="store_true")
    parser.add_argument("names", nargs="*", metavar="NAME")
    arguments = parser.parse_args()
    if arguments.keep:
        arguments.keep.mkdir(parents=True, exist_ok=True)
    precision = sepcl_library.F16 if arguments.half else sepcl_library.F32
    library, wrong, chosen = sepcl_library.Library(arguments.library, precision), 0, cases(arguments)
    for name, make, path in chosen:
        start = time.monotonic()
        try:
            error, sentence = run(library, name, make, path, arguments)
        except (sepcl_library.Failure, RuntimeError, ValueError) as failure:
            error, sentence = np.inf, str(failure)
        wrong += bool(sentence)
        print(f"{'WRONG' if sentence else 'right'}  {name:32} {error:8.1e}  {time.monotonic() - start:6.2f} s  {sentence}", flush=True)
    print(f"{len(chosen) - wrong} files right, {wrong} wrong")
    sys.exit(2 if not chosen else 1 if wrong else 0)


if __name__ == "__main__":
    main()
