# SPDX-License-Identifier: Apache-2.0
"""Small networks with answers computed by numpy. The tests need an installed sepcl, numpy, pytest and Pillow."""
import pathlib
import sys

import numpy as np
import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tools"))
import formats  # noqa: E402

import sepcl  # noqa: E402


def numbers(*shape, seed=1):
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(np.float32)


WEIGHTS = numbers(7, 5, 1, 1, seed=2)


def pointwise_bytes(dims=(1, 5, 6, 9)):
    """y = relu(W x), z = x + x."""
    nodes = [formats.node("Conv", ["x", "w"], ["c"], kernel_shape=[1, 1]), formats.node("Relu", ["c"], ["y"]),
             formats.node("Add", ["x", "x"], ["z"])]
    out = [dims[0], 7, *dims[2:]]
    return formats.model(nodes, {"x": dims}, {"y": out, "z": dims}, [formats.tensor("w", [7, 5, 1, 1], WEIGHTS.ravel())])


def pointwise(x):
    return np.maximum(np.einsum("oi,nihw->nohw", WEIGHTS[:, :, 0, 0], x), 0)


def two_inputs_bytes():
    return formats.model([formats.node("Sub", ["a", "b"], ["y"])], {"a": [2, 3], "b": [2, 3]}, {"y": [2, 3]})


def wide_bytes(size=96, channels=48):
    """Long enough that threads meet in it."""
    w = numbers(channels, channels, 3, 3, seed=3) / channels
    nodes = [formats.node("Conv", [f"t{i}", "w"], [f"t{i + 1}"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]) for i in range(4)]
    shape = [1, channels, size, size]
    return formats.model(nodes, {"t0": shape}, {"t4": shape}, [formats.tensor("w", w.shape, w.ravel())])


@pytest.fixture
def model():
    with sepcl.Model(pointwise_bytes(), name="pointwise") as m:
        yield m


@pytest.fixture
def x():
    return numbers(1, 5, 6, 9)


def close(got, want, tolerance=1e-5):
    assert got.dtype == np.float32 and got.shape == want.shape
    np.testing.assert_allclose(got, want, atol=tolerance * max(1e-30, np.abs(want).max()), rtol=0)
