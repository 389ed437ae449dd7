# SPDX-License-Identifier: Apache-2.0
"""Which convolutions separate, what that would cost, and the network rewritten."""
from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, List, Mapping, Optional, Sequence, Tuple, Union

import numpy as np

from ._library import BadFileError, Callback, InvalidError, c_text, check, ffi, lib, text, use_devices
from ._values import Shape, from_shape, from_struct, progress_bar, table

if TYPE_CHECKING:
    from ._model import Model, Shapes

Array = np.ndarray[Any, Any]
Sample = Union[Mapping[str, Any], Sequence[Any], Array]


def can_separate() -> bool:
    """Was this build made with LAPACK, which the analysis needs?"""
    return bool(lib.sepcl_can_separate())


def form_name(form: int) -> str:
    return text(lib.sepcl_form_name(form))


@dataclass(frozen=True)
class Spectrum:
    """Singular values of a convolution's weights as matrices, largest first; the weights are exact at rank."""

    form: str
    values: Array
    rank: int


@dataclass(frozen=True)
class Form:
    """A way to run a layer. See sepcl_form_info for the errors and times."""

    form: str
    rank: int
    exact: bool
    weight_error: float
    gain: float
    bound: float
    error: float
    multiplications: int
    bytes: int
    seconds: float
    as_is_seconds: float
    note: str


@dataclass(frozen=True)
class SeparatedLayer:
    """A convolution, its spectra, and the forms that were considered; chosen is None where it stays as it is."""

    name: str
    op: str
    detail: str
    output: Shape
    multiplications: int
    bytes: int
    absorbed: bool
    why: str
    spectra: Tuple[Spectrum, ...]
    forms: Tuple[Form, ...]
    chosen: Optional[Form]


@dataclass(frozen=True)
class Totals:
    """The whole network before and after: multiplications of its convolutions, seconds of a run."""

    device: str
    multiplications: Tuple[int, int]
    seconds: Tuple[float, float]
    error: float
    samples: int
    random_samples: bool
    rows: int
    changed: int
    layers: int
    rewritten: int
    target_met: bool


class Separation:
    """What Model.separate found. str() is a table; save() writes the rewritten network."""

    def __init__(self, model: "Model", pointer: Any) -> None:
        self._model = model  # which has to outlive the pointer
        self._pointer = pointer
        self.layers: Tuple[SeparatedLayer, ...] = tuple(
            self._layer(i) for i in range(lib.sepcl_separation_layer_count(pointer)))
        totals = ffi.new("sepcl_separation_totals *")
        check(lib.sepcl_separation_total(pointer, totals))
        self.totals = from_struct(Totals, totals, multiplications=tuple(int(v) for v in totals.multiplications),
                                  seconds=tuple(float(v) for v in totals.seconds))

    def _layer(self, index: int) -> SeparatedLayer:
        info = ffi.new("sepcl_separated_layer *")
        check(lib.sepcl_separation_layer(self._pointer, index, info))
        spectra = tuple(Spectrum(form_name(s.form), np.array(ffi.unpack(s.values, s.n) if s.n else [], np.float64), int(s.rank))
                        for s in (info.spectra[k] for k in range(info.n_spectra)))
        forms = tuple(self._form(index, k) for k in range(info.n_forms))
        return from_struct(SeparatedLayer, info, spectra=spectra, forms=forms,
                           chosen=forms[info.chosen] if info.chosen >= 0 else None)

    def _form(self, layer: int, index: int) -> Form:
        info = ffi.new("sepcl_form_info *")
        check(lib.sepcl_separation_form(self._pointer, layer, index, info))
        return from_struct(Form, info, form=form_name(info.form))

    def onnx(self) -> bytes:
        """The rewritten network as an ONNX file's bytes; UnsupportedError for models of other formats."""
        data, size = ffi.new("const void **"), ffi.new("size_t *")
        check(lib.sepcl_separation_file(self._pointer, data, size))
        return bytes(ffi.buffer(data[0], size[0]))

    def save(self, path: Union[str, "os.PathLike[str]"]) -> None:
        """Writes the rewritten network, whole or not at all."""
        data = self.onnx()
        temporary = f"{os.fspath(path)}.part{os.getpid()}"
        try:
            with open(temporary, "wb") as file:
                file.write(data)
            os.replace(temporary, path)
        except OSError as error:
            raise BadFileError(f"cannot write {os.fspath(path)}: {error.strerror}") from None

    def __str__(self) -> str:
        rows = [(f"{layer.name} ({layer.op})", f"{layer.multiplications:,}",
                 f"{layer.chosen.form}, rank {layer.chosen.rank}" if layer.chosen else "as it is",
                 f"{layer.chosen.multiplications:,}" if layer.chosen else "", layer.why) for layer in self.layers]
        before, after = self.totals.seconds
        return (table(("Layer (type)", "Mult #", "Form", "Mult # then", "Why"), rows, "<><><") +
                f"\n{1e3 * before:.3g} ms before, {1e3 * after:.3g} ms after; error {self.totals.error:.2g} "
                f"over {self.totals.samples} samples")


def _sample_arrays(model: "Model", samples: Sequence[Sample]) -> List[Array]:
    arrays: List[Array] = []
    for sample in samples:
        if isinstance(sample, Mapping):
            missing = [name for name in model.input_names if name not in sample]
            if missing:
                raise InvalidError(f"a sample lacks input '{missing[0]}'")
            values: Sequence[Any] = [sample[name] for name in model.input_names]
        elif isinstance(sample, np.ndarray) and len(model.input_names) == 1:
            values = [sample]
        else:
            values = list(sample)
        if len(values) != len(model.input_names):
            raise InvalidError(f"a sample has {len(values)} arrays, but {model.name} has {len(model.input_names)} inputs")
        arrays += [np.ascontiguousarray(value, np.float32) for value in values]
    return arrays


def _check_samples(model: "Model", arrays: Sequence[Array], given: Mapping[str, Sequence[int]]) -> None:
    for i, array in enumerate(arrays):
        name = model.input_names[i % len(model.input_names)]
        declared = [1 if d < 0 and k == 0 else d for k, d in enumerate(model.input_shapes[name])]
        wanted = tuple(given.get(name, declared))
        if array.shape != wanted:
            raise InvalidError(f"a sample for input '{name}' has shape {array.shape}, not {wanted}")


def separate(model: "Model", device: Optional[str], samples: Sequence[Sample], tolerance: float, target_speedup: float,
             shapes: "Shapes", cache_dir: Optional[str], cache: bool, progress: bool) -> Separation:
    use_devices()
    given = model._shapes(shapes)
    fixed = {text(item.name): from_shape(item.shape) for item in given.array[0:given.count]}
    arrays = _sample_arrays(model, samples)
    _check_samples(model, arrays, fixed)
    keep = [c_text(device, "device") if device else ffi.NULL, c_text(cache_dir, "cache_dir") if cache_dir else ffi.NULL,
            ffi.new("float *[]", [ffi.cast("float *", a.ctypes.data) for a in arrays] or [ffi.NULL])]
    desc = ffi.new("sepcl_separate_desc *")
    desc.device, desc.cache_dir = keep[:2]
    desc.samples = ffi.cast("const float *const *", keep[2])
    desc.n_samples = len(samples)
    desc.shapes, desc.n_shapes = given.array, given.count
    desc.no_cache, desc.tolerance, desc.target_speedup = not cache, tolerance, target_speedup
    out = ffi.new("sepcl_separation **")
    with progress_bar("separating", progress) as bar:
        def on_state(state: Any) -> object:
            bar.set_postfix_str(f"{text(state.phase)} {text(state.name)}".strip(), refresh=False)
            bar.update(max(0.0, min(100.0, 100 * state.done) - bar.n))
            return True

        callback: Callback = Callback("bool(void *, const sepcl_separate_state *)", on_state)
        status = lib.sepcl_separate(model._open, desc, callback.pointer, ffi.NULL, out)
    callback.reraise()
    check(status)
    return Separation(model, ffi.gc(out[0], lib.sepcl_separation_destroy))
