# SPDX-License-Identifier: Apache-2.0
"""sepcl as a provider of onnxruntime."""
from __future__ import annotations

import pathlib
from typing import Any, List

from ._library import UnsupportedError

PROVIDER = "SepclExecutionProvider"


def onnxruntime_library() -> str:
    """The plugin's path, for onnxruntime.register_execution_provider_library."""
    path = pathlib.Path(__file__).with_name("libsepcl-ort.so")
    if not path.exists():
        raise UnsupportedError(f"this build of sepcl has no plugin for onnxruntime: {path} is missing")
    return str(path)


def register_with_onnxruntime() -> List[Any]:
    """Makes sepcl known to onnxruntime, once a process, and gives its devices, for SessionOptions.add_provider_for_devices.

    Options: device (a selector as in find_device) and precision ('f32' or 'f16')."""
    import onnxruntime
    found = [d for d in onnxruntime.get_ep_devices() if d.ep_name == PROVIDER]
    if not found:
        onnxruntime.register_execution_provider_library("sepcl", onnxruntime_library())
        found = [d for d in onnxruntime.get_ep_devices() if d.ep_name == PROVIDER]
    return found
