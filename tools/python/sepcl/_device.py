# SPDX-License-Identifier: Apache-2.0
"""OpenCL devices."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, List, Optional, Tuple

from ._library import Callback, InvalidError, c_text, check, ffi, lib, text, use_devices
from ._values import from_struct

_types = {0: "other", 1: "cpu", 2: "gpu", 3: "accelerator"}


@dataclass(frozen=True)
class Speed:
    """What a measurement of a device found; see sepcl_device_speed."""

    fma_gflops: float
    bandwidth_gbs: float
    cache_gbs: float
    launch_us: float
    round_trip_us: float


@dataclass(frozen=True)
class Cache:
    """State of the caches for a device; dir is None when caching is off."""

    dir: Optional[str]
    programs: int
    program_bytes: int
    tunings: int


@dataclass(frozen=True)
class SelfTest:
    """A kernel variant compared with the reference."""

    op: str
    kernel: str
    parameters: str
    cases: int
    failed: int
    error: float
    tolerance: float
    detail: str


@dataclass(frozen=True)
class Device:
    """Facts of one device; selector is what device= takes."""

    index: int
    type: str
    selector: str
    name: str
    vendor: str
    platform: str
    driver_version: str
    device_version: str
    c_version: str
    platform_version: str
    available: bool
    compute_units: int
    clock_mhz: int
    max_work_group: int
    max_work_item: Tuple[int, int, int]
    local_bytes: int
    local_is_real: bool
    global_bytes: int
    max_alloc_bytes: int
    constant_bytes: int
    cache_bytes: int
    cache_line_bytes: int
    align_bytes: int
    vector_width_f32: int
    native_vector_width_f32: int
    vector_width_f16: int
    fp16: bool
    fp64: bool
    subgroups: bool
    integer_dot: bool
    command_buffer: bool
    unified_memory: bool
    images: bool

    def measure(self) -> Speed:
        """Measures the device for about a second; nothing else should run on it meanwhile."""
        use_devices()
        out = ffi.new("sepcl_device_speed *")
        check(lib.sepcl_device_measure(self.index, out))
        return from_struct(Speed, out)

    def choices(self) -> List[str]:
        """What sepcl would choose here: one line a kernel."""
        use_devices()
        lines: List[str] = []
        out = ffi.new("const char **")
        while True:
            status = lib.sepcl_device_choice(self.index, len(lines), out)
            if status == InvalidError.status and lines:
                return lines
            check(status)
            lines.append(text(out[0]))

    def cache(self, cache_dir: Optional[str] = None) -> Cache:
        """State of the caches in cache_dir, or in the default folder."""
        use_devices()
        out = ffi.new("sepcl_cache_info *")
        folder = c_text(cache_dir, "cache_dir") if cache_dir is not None else ffi.NULL
        check(lib.sepcl_device_cache(self.index, folder, out))
        return from_struct(Cache, out)

    def self_test(self, op: Optional[str] = None, *, quick: bool = True, precision: str = "f32",
                  cache_dir: Optional[str] = None, on_result: Optional[Callable[[SelfTest], object]] = None) -> List[SelfTest]:
        """Runs every kernel variant that fits, or those of one op, and compares with the reference.

        MismatchError when one differs; on_result gets each result as it comes, and may return False to stop.
        """
        use_devices()
        results: List[SelfTest] = []

        def on_item(item: object) -> object:
            results.append(from_struct(SelfTest, item))
            return on_result(results[-1]) if on_result else True

        callback = Callback("bool(void *, const sepcl_self_test_result *)", on_item)
        desc = ffi.new("sepcl_self_test_desc *")
        desc.device = self.index
        desc.quick = quick
        desc.f16 = precision_number(precision) == lib.SEPCL_F16
        keep = [c_text(op, "op") if op else ffi.NULL, c_text(cache_dir, "cache_dir") if cache_dir else ffi.NULL]
        desc.op, desc.cache_dir = keep
        status = lib.sepcl_device_self_test(desc, callback.pointer, ffi.NULL)
        callback.reraise()
        check(status)
        return results


def precision_number(precision: str) -> int:
    numbers = {"f32": lib.SEPCL_F32, "f16": lib.SEPCL_F16}
    if precision not in numbers:
        raise InvalidError(f"precision {precision!r} is unknown; there are f32 and f16")
    return int(numbers[precision])


def _device(index: int) -> Device:
    out = ffi.new("sepcl_device_info *")
    check(lib.sepcl_device_get(index, out))
    return from_struct(Device, out, index=index, type=_types.get(int(out.type), "other"))


def devices() -> List[Device]:
    """The devices of every type on every platform; may be empty."""
    use_devices()
    count = ffi.new("int *")
    check(lib.sepcl_device_count(count))
    return [_device(i) for i in range(count[0])]


def find_device(selector: Optional[str] = None) -> Device:
    """The device that a selector means: 'P:D', part of a name, 'gpu', 'cpu', 'any'; None: SEPCL_DEVICE, else 'any'."""
    use_devices()
    index = ffi.new("int *")
    check(lib.sepcl_device_find(c_text(selector, "device") if selector else ffi.NULL, index))
    return _device(index[0])
