# SPDX-License-Identifier: Apache-2.0
"""Runs convolutional networks on any OpenCL device.

    import sepcl

    model = sepcl.Model("net.onnx")
    with model.session(device="gpu") as session:
        scores = session(pixels)            # numpy in, numpy out
"""
from ._device import Cache, Device, SelfTest, Speed, devices, find_device
from ._library import (BadFileError, DeviceError, Error, InvalidError, MismatchError, OutOfMemoryError, UnsupportedError,
                       __version__, set_log)
from ._model import Model
from ._onnxruntime import onnxruntime_library, register_with_onnxruntime
from ._pictures import picture
from ._separation import Form, SeparatedLayer, Separation, Spectrum, Totals, can_separate
from ._session import Memory, Session
from ._values import Layer, LayerCheck, Step, Summary, TuneResult, Way

__all__ = [
    "BadFileError", "Cache", "Device", "DeviceError", "Error", "Form", "InvalidError", "Layer", "LayerCheck", "Memory",
    "MismatchError", "Model", "OutOfMemoryError", "SelfTest", "SeparatedLayer", "Separation", "Session", "Spectrum",
    "Speed", "Step", "Summary", "Totals", "TuneResult", "UnsupportedError", "Way", "__version__", "can_separate", "devices",
    "find_device", "onnxruntime_library", "picture", "register_with_onnxruntime", "set_log",
]
