# SPDX-License-Identifier: Apache-2.0
"""The part of sepcl's C interface that the test scripts call, through ctypes."""
import ctypes as c

import numpy as np

OK, MISMATCH, INVALID, BAD_FILE, UNSUPPORTED, DEVICE_ERROR, OUT_OF_MEMORY = range(7)
F32, F16 = range(2)
MAX_RANK = 8


class Shape(c.Structure):
    _fields_ = [("rank", c.c_int32), ("dims", c.c_int64 * MAX_RANK)]


class InputShape(c.Structure):
    _fields_ = [("name", c.c_char_p), ("shape", Shape)]


class SessionDesc(c.Structure):
    _fields_ = [("device", c.c_char_p), ("precision", c.c_int), ("shapes", c.POINTER(InputShape)), ("n_shapes", c.c_int),
                ("cache_dir", c.c_char_p), ("no_cache", c.c_bool), ("profile", c.c_bool), ("no_fusion", c.c_bool),
                ("cl_context", c.c_void_p), ("cl_queue", c.c_void_p)]


class StepInfo(c.Structure):
    _fields_ = [("name", c.c_char_p), ("op", c.c_char_p), ("kernel", c.c_char_p), ("why", c.c_char_p), ("output", Shape),
                ("launches", c.c_int), ("global_size", c.c_uint64 * 3), ("local_size", c.c_uint64 * 3),
                ("multiplications", c.c_uint64), ("additions", c.c_uint64), ("bytes", c.c_uint64), ("queued_ns", c.c_uint64),
                ("start_ns", c.c_uint64), ("end_ns", c.c_uint64), ("busy_ns", c.c_uint64)]


class Failure(Exception):
    def __init__(self, status, sentence):
        super().__init__(sentence)
        self.status = status


class Library:
    def __init__(self, path, precision=F32):
        self.lib = c.CDLL(path)
        self.precision = precision
        self.lib.sepcl_last_error.restype = c.c_char_p
        for name in ("input", "output"):
            getattr(self.lib, f"sepcl_model_{name}_name").restype = c.c_char_p

    def call(self, function, *arguments):
        status = getattr(self.lib, f"sepcl_{function}")(*arguments)
        if status != OK:
            raise Failure(status, self.lib.sepcl_last_error().decode(errors="replace"))

    def run(self, model_bytes, name, feeds):
        """Runs a model held in memory; feeds: input name -> float32 array. Gives output name -> array."""
        return self.with_session(model_bytes, name, feeds, lambda model, session: {
            self.lib.sepcl_model_output_name(model, i).decode(): self.read(session, i)
            for i in range(self.lib.sepcl_model_output_count(model))})

    def run_in_order(self, model_bytes, name, feeds):
        """The same; gives a list of arrays, and the ops of the plan's steps."""
        return self.with_session(model_bytes, name, feeds, lambda model, session: (
            [self.read(session, i) for i in range(self.lib.sepcl_model_output_count(model))], self.steps(session)))

    def with_session(self, model_bytes, name, feeds, take):
        """What take makes of a model and its session after a run."""
        lib, model, session = self.lib, c.c_void_p(), c.c_void_p()
        desc = c.create_string_buffer(name.encode())
        model_desc = c.cast((c.c_char_p * 1)(c.addressof(desc)), c.c_void_p)
        try:
            self.call("model_load_memory", model_bytes, c.c_size_t(len(model_bytes)), model_desc, c.byref(model))
            shapes = (InputShape * max(1, len(feeds)))()
            for item, (key, data) in zip(shapes, feeds.items()):
                item.name = key.encode()
                item.shape.rank = data.ndim
                for i, extent in enumerate(data.shape):
                    item.shape.dims[i] = extent
            session_desc = SessionDesc(precision=self.precision, shapes=shapes, n_shapes=len(feeds))
            self.call("session_create", model, c.byref(session_desc), c.byref(session))
            for i in range(lib.sepcl_model_input_count(model)):
                data = np.ascontiguousarray(feeds[lib.sepcl_model_input_name(model, i).decode()], np.float32)
                self.call("session_write", session, c.c_int(i), data.ctypes.data_as(c.c_void_p), c.c_size_t(data.nbytes))
            self.call("session_run", session)
            return take(model, session)
        finally:
            lib.sepcl_session_destroy(session)
            lib.sepcl_model_destroy(model)

    def steps(self, session):
        ops, info = [], StepInfo()
        for i in range(self.lib.sepcl_session_step_count(session)):
            self.call("session_step", session, c.c_int(i), c.byref(info))
            ops.append(info.op.decode())
        return ops

    def read(self, session, index):
        shape = Shape()
        self.call("session_output_shape", session, c.c_int(index), c.byref(shape))
        data = np.empty(tuple(shape.dims[:shape.rank]), np.float32)
        self.call("session_read", session, c.c_int(index), data.ctypes.data_as(c.c_void_p), c.c_size_t(data.nbytes))
        return data
