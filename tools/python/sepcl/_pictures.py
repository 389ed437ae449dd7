# SPDX-License-Identifier: Apache-2.0
"""Pictures as inputs, the way sepcl-run makes them."""
from __future__ import annotations

import os
from typing import Any, Optional, Sequence, Tuple, Union

import numpy as np

from ._library import BadFileError, InvalidError, UnsupportedError

Number = Union[float, Sequence[float]]


def _layout(shape: Sequence[int]) -> Tuple[Optional[int], int]:
    """Which dimension holds the channels, and which the rows; the columns follow the rows."""
    if len(shape) == 2:
        return None, 0
    if len(shape) in (3, 4):
        first = len(shape) - 3
        before, after = shape[first], shape[first + 2]
        planar = before in (1, 3) or (before < 0 and after not in (1, 3))
        if planar or after in (1, 3):
            return (first, first + 1) if planar else (first + 2, first)
    raise InvalidError(f"no picture fits the shape {tuple(shape)}: neither dimension 1 (NCHW) nor the last (NHWC) is 1 or 3")


def _open(source: Any) -> Any:
    try:
        from PIL import Image, ImageOps
    except ImportError:
        raise UnsupportedError("reading pictures needs Pillow: pip install pillow") from None
    if not isinstance(source, (str, os.PathLike)):
        return source
    try:
        with Image.open(source) as file:
            image = ImageOps.exif_transpose(file)
            if image.has_transparency_data:
                white = Image.new("RGBA", image.size, "white")
                image = Image.alpha_composite(white, image.convert("RGBA"))
            return image.convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise BadFileError(f"cannot read the picture {os.fspath(source)}: {error}") from None


def _resized(image: Any, height: int, width: int, resize: str) -> "np.ndarray[Any, Any]":
    """Rows, columns, RGB as float32 of 0 to 255; a triangle filter, as wide as the step between output pixels."""
    from PIL import Image
    if resize not in ("crop", "stretch"):
        raise InvalidError(f"resize {resize!r} is unknown; there are crop and stretch")
    w, h = image.size
    if resize == "crop":
        scale = min(w / width, h / height)
        w, h = scale * width, scale * height
    left, top = (image.size[0] - w) / 2, (image.size[1] - h) / 2
    box = (left, top, min(left + w, image.size[0]), min(top + h, image.size[1]))
    planes = [plane.convert("F").resize((width, height), Image.Resampling.BILINEAR, box=box) for plane in image.split()]
    return np.stack([np.asarray(plane, np.float32) for plane in planes], axis=-1)


def _per_channel(value: Number, channels: int, what: str) -> "np.ndarray[Any, Any]":
    numbers = np.atleast_1d(np.asarray(value, np.float64))
    if numbers.shape not in ((1,), (channels,)):
        raise InvalidError(f"{what} has {numbers.size} numbers, but the input has {channels} channel{'s' * (channels > 1)}")
    return numbers


def picture(source: Any, shape: Sequence[int], *, mean: Optional[Number] = None, scale: Optional[Number] = None,
            resize: str = "crop", channels: Optional[str] = None) -> "np.ndarray[Any, Any]":
    """A picture (a path or a PIL image) as an input of this shape, NCHW or NHWC; -1 takes the picture's own size.

    Values are (v - mean) * scale of v from 0 to 255, for all channels or each; without both, v / 255. resize: 'crop' cuts
    the middle out, 'stretch' gives each side its own factor. channels: 'rgb', 'bgr' or 'gray'.
    """
    image = _open(source).convert("RGB")
    channel, row = _layout(shape)
    dims = [1 if i == 0 and d < 0 and len(shape) == 4 else int(d) for i, d in enumerate(shape)]
    if len(dims) == 4 and dims[0] != 1:
        raise InvalidError(f"one picture cannot fill a batch of {dims[0]}: stack several")
    if channel is not None and dims[channel] < 0:
        dims[channel] = 1 if channels == "gray" else 3
    count = 1 if channel is None else dims[channel]
    channels = channels or ("gray" if count == 1 else "rgb")
    if channels not in ("rgb", "bgr", "gray") or (channels == "gray") != (count == 1):
        raise InvalidError(f"channels {channels!r} does not go with an input of {count} channel{'s' * (count > 1)}")
    dims[row] = image.size[1] if dims[row] < 0 else dims[row]
    dims[row + 1] = image.size[0] if dims[row + 1] < 0 else dims[row + 1]
    values = _resized(image, dims[row], dims[row + 1], resize).astype(np.float64)
    if channels == "gray":
        values = (values * [0.299, 0.587, 0.114]).sum(-1, keepdims=True)
    elif channels == "bgr":
        values = values[..., ::-1]
    factor: Number = scale if scale is not None else 1 / 255 if mean is None else 1
    values = (values - _per_channel(0 if mean is None else mean, count, "mean")) * _per_channel(factor, count, "scale")
    if channel is not None and channel < row:
        values = values.transpose(2, 0, 1)
    return np.ascontiguousarray(values.reshape(dims), dtype=np.float32)
