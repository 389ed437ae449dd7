# SPDX-License-Identifier: Apache-2.0
"""filters.py EXAMPLES WORK: the filtered pictures against numpy's."""
import pathlib
import sys

import numpy as np
from PIL import Image

examples, work = map(pathlib.Path, sys.argv[1:])
sys.dont_write_bytecode = True
sys.path.insert(0, str(examples))
import make_filters  # noqa: E402


def filtered(x, column, row):
    """Sums over a zero margin, without turning the kernel round, as networks do."""
    half = len(column) // 2
    padded = np.pad(x, half)
    rows = sum(c * padded[i:i + x.shape[0]] for i, c in enumerate(column))
    return sum(r * rows[:, i:i + x.shape[1]] for i, r in enumerate(row))


gray = np.asarray(Image.open(work / "gray.png"), np.float64) / 255
g = make_filters.gauss(2.0, 11)
for name, column, row in (("gauss", g, g), ("sobel", [1, 2, 1], [-1, 0, 1])):
    want = filtered(gray, column, row)
    want = 255 * (want - want.min()) / (want.max() - want.min())
    for language in ("c", "py"):
        got = np.asarray(Image.open(work / f"{name}.{language}.png"), np.float64)
        assert got.shape == want.shape and np.abs(got - want).max() <= 0.51, (name, language, np.abs(got - want).max())
        assert got.std() > 10, f"{name}.{language}.png is nearly flat"
