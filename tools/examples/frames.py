#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""frames.py MODEL.onnx FOLDER: runs a model on every picture of a folder; the next one is read while the device works."""
import concurrent.futures
import pathlib
import sys
import time

import sepcl
from PIL import Image

model = sepcl.Model(sys.argv[1])
files = sorted(pathlib.Path(sys.argv[2]).glob("*.png"))
width, height = Image.open(files[0]).size
shape = (1, 3, height, width)


def read(file):
    return sepcl.picture(file, shape, mean=127.5, scale=1 / 127.5)


with model.session(shapes=shape) as session, concurrent.futures.ThreadPoolExecutor(1) as reader:
    begin = time.perf_counter()
    coming = reader.submit(read, files[0])
    for i, file in enumerate(files):
        x = coming.result()
        if i + 1 < len(files):
            coming = reader.submit(read, files[i + 1])
        scores = session(x).ravel()
        print(f"{file.name}: {scores.argmax()} ({scores.max():.4f})")
    print(f"{len(files)} frames, {len(files) / (time.perf_counter() - begin):.1f} a second")
