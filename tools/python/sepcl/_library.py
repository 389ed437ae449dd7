# SPDX-License-Identifier: Apache-2.0
"""The shared library, its errors and its log."""
from __future__ import annotations

import os
import pathlib
import sys
import traceback
from typing import Any, Callable, Dict, Optional, Type

from ._bindings import ffi as ffi

_NAME = "libsepcl.so"


def _load() -> Any:
    path = os.environ.get("SEPCL_LIBRARY") or str(pathlib.Path(__file__).with_name(_NAME))
    try:
        library = ffi.dlopen(path)
    except OSError as error:
        raise ImportError(f"sepcl cannot load {path}: {error} (an OpenCL loader, libOpenCL.so.1, has to be installed)") from None
    version = ffi.string(library.sepcl_version()).decode()
    wanted = f"{library.SEPCL_VERSION_MAJOR}.{library.SEPCL_VERSION_MINOR}."
    if not version.startswith(wanted):
        raise ImportError(f"{path} is sepcl {version}, but this package was made for {wanted}x")
    return library


lib = _load()
__version__: str = ffi.string(lib.sepcl_version()).decode()


class Error(Exception):
    """A call failed. str() names file, layer, op, value and limit; status is the number that the C library and the
    exit codes of the programs have for it."""

    status = 0


class MismatchError(Error):
    """An answer was checked and is wrong."""

    status = 1


class InvalidError(Error, ValueError):
    """An argument is wrong: an unknown name, a shape that does not fit, ..."""

    status = 2


class BadFileError(Error, OSError):
    """A file is missing, unreadable, truncated or contradicts itself."""

    status = 3


class UnsupportedError(Error, NotImplementedError):
    """A valid model that needs something sepcl lacks."""

    status = 4


class DeviceError(Error, RuntimeError):
    """No usable device, or OpenCL failed."""

    status = 5


class OutOfMemoryError(Error, MemoryError):
    """Host or device memory is too small."""

    status = 6


_errors: Dict[int, Type[Error]] = {
    kind.status: kind for kind in (MismatchError, InvalidError, BadFileError, UnsupportedError, DeviceError, OutOfMemoryError)
}


def check(status: int) -> None:
    """Raises the exception of a status; must be called in the thread that got it."""
    if status:
        sentence = text(lib.sepcl_last_error()) or text(lib.sepcl_status_name(status)) or ""
        raise _errors.get(status, Error)(sentence)


def text(pointer: Any) -> str:
    """A C string; '' for NULL."""
    return ffi.string(pointer).decode(errors="replace") if pointer else ""


def c_text(value: Any, what: str) -> Any:
    """A C string that lives as long as what is returned."""
    data = os.fsencode(value)
    if b"\0" in data:
        raise InvalidError(f"{what} holds a zero byte: {value!r}")
    return ffi.new("char[]", data)


# An OpenCL driver does not survive a fork: its threads are gone and its locks may be held.
_used = False
_forked = False


def _after_fork() -> None:
    global _forked
    _forked = _used


os.register_at_fork(after_in_child=_after_fork)


def use_devices() -> None:
    """To be called before whatever reaches OpenCL."""
    global _used
    if _forked:
        raise DeviceError("sepcl was in use before this process was forked, and OpenCL drivers do not survive that: "
                          "use multiprocessing's 'spawn' or 'forkserver', or import and use sepcl only in the children")
    _used = True


class Callback:
    """A C callback of a Python function. What the function raises stops the work, and reraise() passes it on."""

    def __init__(self, signature: str, function: Callable[[Any], Any]) -> None:
        self.raised: Optional[BaseException] = None

        def guarded(_user: Any, item: Any) -> bool:
            try:
                return self.raised is None and function(item) is not False
            except BaseException as error:  # KeyboardInterrupt, too
                self.raised = error
                return False

        self.pointer = ffi.callback(signature, guarded, error=False)

    def reraise(self) -> None:
        if self.raised is not None:
            raise self.raised


# ---------------------------------------------------------------- log

_levels = {"off": 0, "warn": 1, "info": 2, "debug": 3}
_level_names = {number: name for name, number in _levels.items()}
_log_callback: Any = None


def set_log(function: Optional[Callable[[str, str], Any]], level: str = "warn") -> None:
    """Sends the library's messages to function(level, line), with level 'warn', 'info' or 'debug'; None: nowhere.

    For the whole process, and not to be called while other threads are inside sepcl. 'info' says what was chosen and why.
    """
    global _log_callback
    if level not in _levels:
        raise InvalidError(f"log level {level!r} is unknown; there are {', '.join(_levels)}")
    if function is None:
        lib.sepcl_set_log(ffi.NULL, ffi.NULL, 0)
        _log_callback = None
        return
    sink = function

    def on_line(_user: Any, number: int, line: Any) -> None:
        try:
            sink(_level_names.get(number, "debug"), text(line))
        except Exception:  # a message must not stop what it tells of
            traceback.print_exc(file=sys.stderr)

    callback = ffi.callback("void(void *, sepcl_log_level, const char *)", on_line)
    lib.sepcl_set_log(callback, ffi.NULL, _levels[level])
    _log_callback = callback
