# SPDX-License-Identifier: Apache-2.0
"""Models: files read, not yet planned for a device."""
from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple, Union

from ._device import precision_number
from ._library import Callback, InvalidError, c_text, check, ffi, lib, text, use_devices
from ._values import InputShapes, Layer, Shape, Summary, TuneResult, from_shape, from_struct, progress_bar

if TYPE_CHECKING:
    from ._separation import Sample, Separation
    from ._session import Session

Source = Union[str, "os.PathLike[str]", bytes, bytearray, memoryview]
Shapes = Union[Mapping[str, Sequence[int]], Sequence[int], None]


class Model:
    """A trained network as its file has it. Immutable: any number of threads and sessions may share it.

    source is a path, or the bytes of a file (which must not change while the model is in use; external weights are then
    refused). name is what errors call the model.
    """

    def __init__(self, source: Source, *, name: Optional[str] = None) -> None:
        self._sessions = 0
        self._pointer: Any = None
        self._keep: List[Any] = []
        desc = ffi.new("sepcl_model_desc *")
        if name is not None:
            self._keep.append(c_text(name, "name"))
            desc.name = self._keep[-1]
        out = ffi.new("sepcl_model **")
        if isinstance(source, (bytes, bytearray, memoryview)):
            data = ffi.from_buffer(source)
            self._keep.append(data)
            self.name = name or "model"
            check(lib.sepcl_model_load_memory(data, len(data), desc, out))
        else:
            self.name = name or os.fspath(source)
            check(lib.sepcl_model_load(c_text(source, "path"), desc, out))
        self._pointer = ffi.gc(out[0], lib.sepcl_model_destroy)
        self.input_names: Tuple[str, ...] = tuple(
            text(lib.sepcl_model_input_name(self._pointer, i)) for i in range(lib.sepcl_model_input_count(self._pointer)))
        self.output_names: Tuple[str, ...] = tuple(
            text(lib.sepcl_model_output_name(self._pointer, i)) for i in range(lib.sepcl_model_output_count(self._pointer)))
        self.input_shapes: Dict[str, Shape] = {name: self._input_shape(i) for i, name in enumerate(self.input_names)}

    def _input_shape(self, index: int) -> Shape:
        shape = ffi.new("sepcl_shape *")
        check(lib.sepcl_model_input_shape(self._pointer, index, shape))
        return from_shape(shape)

    def __repr__(self) -> str:
        inputs = ", ".join(f"{name}{shape}" for name, shape in self.input_shapes.items())
        return f"<sepcl.Model {self.name}: {inputs} -> {', '.join(self.output_names)}>"

    def __enter__(self) -> "Model":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Frees the model. Its sessions have to be closed before. Happens by itself when nothing refers to it."""
        if self._pointer is None:
            return
        if self._sessions:
            raise InvalidError(f"{self.name} is still used by {self._sessions} session{'s' * (self._sessions > 1)}: close those first")
        ffi.release(self._pointer)
        self._pointer = None
        self._keep = []

    @property
    def _open(self) -> Any:
        if self._pointer is None:
            raise InvalidError(f"{self.name} was closed")
        return self._pointer

    def _shapes(self, shapes: Shapes) -> InputShapes:
        """Of a mapping, or of the shape of the only input."""
        if shapes is not None and not isinstance(shapes, Mapping):
            if len(self.input_names) != 1:
                raise InvalidError(f"{self.name} has {len(self.input_names)} inputs: give their shapes by name, as in "
                                   f"shapes={{'{(self.input_names or ('x',))[0]}': {tuple(shapes)}}}")
            shapes = {self.input_names[0]: shapes}
        return InputShapes(shapes)

    def session(self, device: Optional[str] = None, precision: str = "f32", *, shapes: Shapes = None,
                cache_dir: Optional[str] = None, cache: bool = True, profile: bool = False,
                fusion: bool = True) -> "Session":
        """Plans the model for a device and compiles its kernels.

        device: a selector as in find_device. precision: 'f32', or 'f16' to store values as half. shapes: fixes free
        dimensions, by input name, or one shape for the only input; a free first dimension is 1 otherwise. cache_dir:
        where compiled kernels and tuning are kept. cache=False: nowhere. profile=True: steps() has times.
        """
        from ._session import Session
        return Session(self, device=device, precision=precision, shapes=shapes, cache_dir=cache_dir, cache=cache,
                       profile=profile, fusion=fusion)

    def summary(self, shapes: Shapes = None) -> Summary:
        """The layers with their shapes, parameters and multiplications."""
        given = self._shapes(shapes)
        out = ffi.new("sepcl_summary **")
        check(lib.sepcl_summary_create(self._open, given.array, given.count, out))
        summary = ffi.gc(out[0], lib.sepcl_summary_destroy)
        info = ffi.new("sepcl_layer_info *")
        layers = []
        for i in range(lib.sepcl_summary_layer_count(summary)):
            check(lib.sepcl_summary_layer(summary, i, info))
            layers.append(from_struct(Layer, info))
        return Summary(tuple(layers))

    def tune(self, device: Optional[str] = None, precision: str = "f32", *, budget: float = 45, shapes: Shapes = None,
             cache_dir: Optional[str] = None, again: bool = False, progress: bool = True,
             on_result: Optional[Callable[[TuneResult], object]] = None) -> List[TuneResult]:
        """Times the ways to run each layer on a device for about budget seconds and keeps the fastest in the cache
        folder, for sessions made later. Nothing else should run on the device meanwhile. progress shows a bar, on a
        terminal or in a notebook."""
        use_devices()
        given = self._shapes(shapes)
        desc = ffi.new("sepcl_tune_desc *")
        keep = [c_text(device, "device") if device else ffi.NULL, c_text(cache_dir, "cache_dir") if cache_dir else ffi.NULL]
        desc.device, desc.cache_dir = keep
        desc.precision = precision_number(precision)
        desc.shapes, desc.n_shapes = given.array, given.count
        desc.budget, desc.again = budget, again
        return _tune(self, desc, progress, on_result)

    def separate(self, samples: "Sequence[Sample]" = (), *, device: Optional[str] = None, tolerance: float = 0,
                 target_speedup: float = 0, shapes: Shapes = None, cache_dir: Optional[str] = None, cache: bool = True,
                 progress: bool = True) -> "Separation":
        """Finds the convolutions that separate, measures their forms on a device, and chooses those that are faster.

        samples: inputs as for Session.run, on which errors are measured; none: random ones. tolerance: largest error of
        the outputs; 0: only forms that are exact but for rounding. Takes seconds to minutes.
        UnsupportedError where can_separate() is False."""
        from ._separation import separate
        return separate(self, device, samples, tolerance, target_speedup, shapes, cache_dir, cache, progress)


def _tune(model: Model, desc: Any, progress: bool, on_result: Optional[Callable[[TuneResult], object]]) -> List[TuneResult]:
    results: List[TuneResult] = []
    with progress_bar("tuning", progress) as bar:
        def on_state(state: Any) -> object:
            bar.update(max(0.0, min(100.0, 100 * state.done) - bar.n))
            if state.result == ffi.NULL:
                bar.set_postfix_str(text(state.name), refresh=False)
                return True
            results.append(from_struct(TuneResult, state.result))
            return on_result(results[-1]) if on_result else True

        callback = Callback("bool(void *, const sepcl_tune_state *)", on_state)
        status = lib.sepcl_tune(model._open, desc, callback.pointer, ffi.NULL)
    callback.reraise()
    check(status)
    return results
