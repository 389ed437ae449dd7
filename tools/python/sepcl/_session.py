# SPDX-License-Identifier: Apache-2.0
"""Sessions: models planned for one device."""
from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple, Union

import numpy as np

from ._device import Device, find_device, precision_number
from ._library import Callback, InvalidError, c_text, check, ffi, lib, use_devices
from ._model import Model, Shapes
from ._values import LayerCheck, Shape, Step, Way, from_shape, from_struct

Array = np.ndarray[Any, Any]
Inputs = Union[Mapping[str, Any], Sequence[Any]]
Out = Union[Mapping[str, Array], Sequence[Array], Array, None]


@dataclass(frozen=True)
class Memory:
    """Bytes that a session holds on its device."""

    arena_bytes: int
    weight_bytes: int


class Session:
    """A model planned for one device; made by Model.session.

    Calling it runs the network: session(x) for one input, session(a, b) in the file's order, session(x=x) by name. The
    answer is an array, or a tuple of arrays when the model has several outputs; run() gives a dict. Arrays are float32 in
    the layout of the model file. Other types are converted; contiguous float32 arrays are read where they are, so they
    must not change while a run is under way. Threads that share a session take turns; those with sessions of their own run
    at the same time, as no call holds the GIL.
    """

    def __init__(self, model: Model, *, device: Optional[str] = None, precision: str = "f32", shapes: Shapes = None,
                 cache_dir: Optional[str] = None, cache: bool = True, profile: bool = False, fusion: bool = True) -> None:
        self._pointer: Any = None
        use_devices()
        self.model = model
        self.device: Device = find_device(device)
        self.precision = precision
        self._profile = profile
        self._lock = threading.RLock()
        given = model._shapes(shapes)
        desc = ffi.new("sepcl_session_desc *")
        keep = [c_text(self.device.selector, "device"), c_text(cache_dir, "cache_dir") if cache_dir else ffi.NULL]
        desc.device, desc.cache_dir = keep
        desc.precision = precision_number(precision)
        desc.shapes, desc.n_shapes = given.array, given.count
        desc.no_cache, desc.profile, desc.no_fusion = not cache, profile, not fusion
        out = ffi.new("sepcl_session **")
        check(lib.sepcl_session_create(model._open, desc, out))
        self._pointer = ffi.gc(out[0], lib.sepcl_session_destroy)
        model._sessions += 1
        self.input_shapes: Dict[str, Shape] = self._all_shapes("input", model.input_names)
        self.output_shapes: Dict[str, Shape] = self._all_shapes("output", model.output_names)
        # what the session reads at each run, so that it stays alive; None where it has a copy
        self._bound: List[Optional[Array]] = [None] * len(model.input_names)

    def _all_shapes(self, kind: str, names: Sequence[str]) -> Dict[str, Shape]:
        ask = getattr(lib, f"sepcl_session_{kind}_shape")
        shape = ffi.new("sepcl_shape *")
        shapes = {}
        for i, name in enumerate(names):
            check(ask(self._pointer, i, shape))
            shapes[name] = from_shape(shape)
        return shapes

    def __repr__(self) -> str:
        return f"<sepcl.Session {self.model.name} on {self.device.name} ({self.device.selector}), {self.precision}>"

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Frees the session's memory on the device. Happens by itself when nothing refers to it."""
        with self._lock:
            if self._pointer is not None:
                ffi.release(self._pointer)
                self._pointer = None
                self._bound = [None] * len(self._bound)
                self.model._sessions -= 1

    def __del__(self) -> None:
        if getattr(self, "_pointer", None) is not None:
            self.close()

    @property
    def _open(self) -> Any:
        if self._pointer is None:
            raise InvalidError(f"a session of {self.model.name} was closed")
        return self._pointer

    # ------------------------------------------------------------ inputs

    def _by_index(self, inputs: Inputs) -> List[Tuple[int, Any]]:
        names = self.model.input_names
        if isinstance(inputs, Mapping):
            unknown = [name for name in inputs if name not in names]
            if unknown:
                raise InvalidError(f"{self.model.name} has no input '{unknown[0]}'; there is {_list(names)}")
            missing = [name for i, name in enumerate(names) if name not in inputs]
            if missing:
                raise InvalidError(f"{self.model.name} also needs input '{missing[0]}'")
            return [(i, inputs[name]) for i, name in enumerate(names)]
        if len(inputs) != len(names):
            raise InvalidError(f"{self.model.name} has {len(names)} input{'s' * (len(names) != 1)} ({_list(names)}), "
                               f"but {len(inputs)} {'was' if len(inputs) == 1 else 'were'} given")
        return list(enumerate(inputs))

    def _write(self, index: int, value: Any) -> None:
        name = self.model.input_names[index]
        shape = self.input_shapes[name]
        array = np.asarray(value)
        if array.dtype.kind not in "fiub":
            raise InvalidError(f"input '{name}' takes numbers, not {array.dtype}")
        if array.shape != shape:
            raise InvalidError(f"input '{name}' has shape {shape}, but {array.shape} was given (shapes= of Model.session "
                               "fixes free dimensions)")
        in_place = array.dtype == np.float32 and array.flags.c_contiguous and array.flags.aligned
        session = self._open
        if in_place and self._bound[index] is array:
            return
        data = np.ascontiguousarray(array, dtype=np.float32)
        pointer = ffi.cast("const float *", data.ctypes.data)
        if in_place:
            check(lib.sepcl_session_bind(session, index, pointer, data.nbytes))
        else:
            check(lib.sepcl_session_write(session, index, pointer, data.nbytes))
        self._bound[index] = array if in_place else None

    # ------------------------------------------------------------ outputs

    def _targets(self, out: Out) -> Dict[str, Array]:
        names = self.model.output_names
        given: Dict[str, Array]
        if out is None:
            given = {}
        elif isinstance(out, Mapping):
            given = dict(out)
        else:
            listed = [out] if isinstance(out, np.ndarray) else list(out)
            if len(listed) > len(names):
                raise InvalidError(f"{self.model.name} has {len(names)} outputs, but out= holds {len(listed)} arrays")
            given = dict(zip(names, listed))
        for name, array in given.items():
            if name not in names:
                raise InvalidError(f"{self.model.name} has no output '{name}'; there is {_list(names)}")
            flags = array.flags
            if array.dtype != np.float32 or array.shape != self.output_shapes[name] or not (flags.c_contiguous and flags.writeable):
                raise InvalidError(f"out= for output '{name}' has to be a contiguous, writable float32 array of shape "
                                   f"{self.output_shapes[name]}")
        return given

    def _read(self, out: Dict[str, Array], wanted: Sequence[str]) -> Dict[str, Array]:
        results = {}
        for index, name in enumerate(self.model.output_names):
            if name not in wanted:
                continue
            array = out.get(name)
            if array is None:
                array = np.empty(self.output_shapes[name], np.float32)
            check(lib.sepcl_session_read(self._open, index, ffi.cast("float *", array.ctypes.data), array.nbytes))
            results[name] = array
        return results

    # ------------------------------------------------------------ runs

    def run(self, inputs: Inputs, *, outputs: Optional[Sequence[str]] = None, out: Out = None) -> Dict[str, Array]:
        """Runs the network on a mapping by name or a sequence in the file's order, and gives the outputs by name.

        outputs: only these. out: arrays to read into, by name or in the file's order."""
        with self._lock:
            wanted = self.model.output_names if outputs is None else outputs
            unknown = [name for name in wanted if name not in self.model.output_names]
            if unknown:
                raise InvalidError(f"{self.model.name} has no output '{unknown[0]}'; there is {_list(self.model.output_names)}")
            targets = self._targets(out)
            self.enqueue(inputs)
            self.wait()
            return self._read(targets, wanted)

    def __call__(self, *arrays: Any, out: Out = None, **named: Any) -> Any:
        if arrays and named:
            raise InvalidError("inputs are given by position or by name, not both")
        results = self.run(named if named else arrays, out=out)
        values = tuple(results[name] for name in self.model.output_names)
        return values[0] if len(values) == 1 else values

    def enqueue(self, inputs: Inputs) -> None:
        """Starts a run and returns; the inputs must not change until wait()."""
        with self._lock:
            for index, value in self._by_index(inputs):
                self._write(index, value)
            check(lib.sepcl_session_enqueue(self._open))

    def wait(self) -> None:
        """Blocks until all runs are done."""
        with self._lock:
            check(lib.sepcl_session_wait(self._open))

    def read(self, out: Out = None) -> Dict[str, Array]:
        """Waits, and gives the outputs of the last run by name."""
        with self._lock:
            return self._read(self._targets(out), self.model.output_names)

    # ------------------------------------------------------------ facts

    def steps(self) -> List[Step]:
        """The plan, with the times of the last run when the session was made with profile=True."""
        with self._lock:
            info = ffi.new("sepcl_step_info *")
            steps = []
            for i in range(lib.sepcl_session_step_count(self._open)):
                check(lib.sepcl_session_step(self._open, i, info))
                items, group = (tuple(int(v) for v in getattr(info, part)) for part in ("global", "local"))
                steps.append(from_struct(Step, info, work_items=items, work_group=group))
            return steps

    def ways(self, step: int) -> List[Way]:
        """What competed for a step of the plan, by its index in steps(): forms, then kernels, the best first."""
        with self._lock:
            count, way = ffi.new("int *"), ffi.new("sepcl_way *")
            check(lib.sepcl_session_way_count(self._open, step, count))
            found = []
            for i in range(count[0]):
                check(lib.sepcl_session_way(self._open, step, i, way))
                found.append(from_struct(Way, way))
            return found

    def profile(self, *arrays: Any, **named: Any) -> List[Step]:
        """Runs once and gives the steps with their times."""
        if not self._profile:
            raise InvalidError("the session keeps no times: make it with profile=True")
        with self._lock:
            self(*arrays, **named)
            return self.steps()

    def check(self, inputs: Inputs, tolerance: float = 0, *,
              on_layer: Optional[Callable[[LayerCheck], object]] = None) -> List[LayerCheck]:
        """Compares every layer with the reference in plain C; MismatchError names the first that differs.

        tolerance 0: 1e-4, with f16 1e-2. on_layer gets each layer as it comes, and may return False to stop."""
        layers: List[LayerCheck] = []

        def on_item(item: Any) -> object:
            layers.append(from_struct(LayerCheck, item))
            return on_layer(layers[-1]) if on_layer else True

        callback = Callback("bool(void *, const sepcl_check_result *)", on_item)
        with self._lock:
            for index, value in self._by_index(inputs):
                self._write(index, value)
            status = lib.sepcl_session_check(self._open, tolerance, callback.pointer, ffi.NULL)
            callback.reraise()
            check(status)
        return layers

    def memory(self) -> Memory:
        """Bytes that the session holds on its device."""
        with self._lock:
            info = ffi.new("sepcl_memory_info *")
            check(lib.sepcl_session_memory(self._open, info))
            return from_struct(Memory, info)


def _list(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)
