#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Times one engine on one network, in a process of its own, and checks its answer.

    worker.py ENGINE MODEL X.npy Y.npy RESULT.json --threads N --seconds S [--library LIBSEPCL]

A run goes from an array in memory to an array in memory, in the layout of the engine's own model file. RESULT.json gets
the times in milliseconds and the largest difference over the largest magnitude, or "failed" with a sentence.
"""
import argparse
import ctypes
import gc
import importlib.metadata
import json
import os
import pathlib
import sys
import time

import numpy as np

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "golden"))
import machine  # noqa: E402
from compare import difference  # noqa: E402

WARM_UP_RUNS, WARM_UP_SECONDS = 4, 0.3
LEAST_RUNS, MOST_RUNS = 5, 2000


# ---------------------------------------------------------------- engines
# Each gives (run, facts): run(x) -> array. Everything but the input's journey to the answer happens before.

class CacheInfo(ctypes.Structure):
    _fields_ = [("dir", ctypes.c_char_p), ("programs", ctypes.c_int), ("program_bytes", ctypes.c_uint64),
                ("tunings", ctypes.c_int)]


def sepcl(model_path, threads, library):
    from sepcl_library import Library, c
    lib, model, session = Library(library), c.c_void_p(), c.c_void_p()
    lib.lib.sepcl_version.restype = c.c_char_p
    lib.call("model_load", model_path.encode(), None, c.byref(model))
    lib.call("session_create", model, None, c.byref(session))
    facts = {"version": lib.lib.sepcl_version().decode()}
    index, strings = c.c_int(), (c.c_char_p * 128)()  # sepcl_device_info begins with its strings; it is shorter than this
    lib.call("device_find", None, c.byref(index))
    lib.call("device_get", index, strings)
    cache = CacheInfo()
    lib.call("device_cache", index, None, c.byref(cache))
    facts["tunings"] = cache.tunings
    facts["device"] = f"{strings[1].decode()} ({strings[3].decode()} {strings[4].decode()})"

    def run(x):
        lib.call("session_write", session, c.c_int(0), x.ctypes.data_as(c.c_void_p), c.c_size_t(x.nbytes))
        lib.call("session_run", session)
        return lib.read(session, 0)
    return run, facts


def onnxruntime(model_path, threads, library):
    import onnxruntime as ort
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads, options.log_severity_level = threads, 1, 3
    session = ort.InferenceSession(model_path, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda x: session.run(None, {name: x})[0], {}


def openvino(model_path, threads, library):
    import openvino as ov
    compiled = ov.Core().compile_model(model_path, "CPU", {
        "INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "f32"})  # or it computes in bfloat16 where the processor has it
    request = compiled.create_infer_request()

    def run(x):
        request.infer([x], share_inputs=True)
        return np.array(request.get_output_tensor(0).data)
    return run, {}


def litert(model_path, threads, library):
    from ai_edge_litert.interpreter import Interpreter
    interpreter = Interpreter(model_path, num_threads=threads)
    interpreter.allocate_tensors()
    source, target = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]

    def run(x):
        interpreter.set_tensor(source, x)
        interpreter.invoke()
        return interpreter.get_tensor(target)
    return run, {}


def mnn(model_path, threads, library):
    import MNN
    config = {"backend": "CPU", "numThread": threads, "precision": "high"}
    runtime = MNN.nn.create_runtime_manager((config,))
    network = MNN.nn.load_module_from_file(model_path, ["x"], ["y"], runtime_manager=runtime)

    def run(x):
        value = MNN.expr.placeholder(list(x.shape), MNN.expr.NCHW)
        value.write(x)
        return np.array(network.forward([value])[0].read())
    return run, {}


def ncnn(model_path, threads, library):
    import ncnn as nn
    network = nn.Net()
    options = network.opt
    options.num_threads = threads
    options.use_fp16_packed = options.use_fp16_storage = options.use_fp16_arithmetic = options.use_bf16_storage = False
    if network.load_param(model_path) != 0 or network.load_model(str(pathlib.Path(model_path).with_suffix(".bin"))) != 0:
        raise RuntimeError("the converted network does not load")

    def run(x):
        extractor = network.create_extractor()
        extractor.input("in0", nn.Mat(x[0]))
        status, out = extractor.extract("out0")
        if status != 0:
            raise RuntimeError(f"extract() gives {status}")
        return np.array(out)[None]
    return run, {}


def opencv(model_path, threads, library):
    import cv2
    cv2.setNumThreads(threads)
    network = cv2.dnn.readNetFromONNX(model_path)

    def run(x):
        network.setInput(x)
        return network.forward()
    return run, {}


def tinygrad(model_path, threads, library):
    from tinygrad import Device, Tensor, TinyJit
    from tinygrad.nn.onnx import OnnxRunner
    runner = OnnxRunner(model_path)
    name = next(iter(runner.graph_inputs))
    network = TinyJit(lambda value: next(iter(runner({name: value}).values())).realize())
    device = Device[Device.DEFAULT]
    facts = {"device": f"{device.device_name} ({device.driver_version})"}
    return lambda x: network(Tensor(x).realize()).numpy(), facts


ENGINES = {"onnxruntime": (onnxruntime, "onnxruntime"), "openvino": (openvino, "openvino"),
            "litert": (litert, "ai-edge-litert"), "mnn": (mnn, "MNN"), "ncnn": (ncnn, "ncnn"),
            "opencv": (opencv, "opencv-python-headless"), "tinygrad": (tinygrad, "tinygrad"), "sepcl": (sepcl, None)}


# ---------------------------------------------------------------- cores

def thread_times():
    """Nanoseconds that each thread of this process has run."""
    times = {}
    for task in pathlib.Path("/proc/self/task").iterdir():
        try:
            times[int(task.name)] = int((task / "schedstat").read_text().split()[0])
        except OSError:
            pass  # a thread that ended meanwhile
    return times


def pin(before, threads):
    """One core for each of the threads that did the work since: native runtimes leave their threads to the system, which
    now and then puts two on one core for a while. PoCL's are pinned by POCL_AFFINITY."""
    spent = {tid: time_ns - before.get(tid, 0) for tid, time_ns in thread_times().items()}
    busiest = sorted(spent, key=spent.get, reverse=True)[:threads]
    busy = [tid for tid in busiest if spent[tid] > spent[busiest[0]] / 10]
    for tid, core in zip(busy, sorted(os.sched_getaffinity(0))):
        os.sched_setaffinity(tid, {core})
    return len(busy)


# ---------------------------------------------------------------- time

def sample(run, x, seconds, least, most):
    times, y = [], None
    end = time.perf_counter() + seconds
    while len(times) < least or (time.perf_counter() < end and len(times) < most):
        start = time.perf_counter_ns()
        y = run(x)
        times.append((time.perf_counter_ns() - start) / 1e6)
    return times, y


def measure(arguments):
    create, package = ENGINES[arguments.engine]
    x, want = np.load(arguments.x), np.load(arguments.y)
    start = time.perf_counter()
    run, result = create(arguments.model, arguments.threads, arguments.library)
    result["load_ms"] = (time.perf_counter() - start) * 1e3
    if package:
        result["version"] = importlib.metadata.version(package)
    run(x)
    result["first_ms"] = (time.perf_counter() - start) * 1e3
    cores, before = os.sched_getaffinity(0), thread_times()
    sample(run, x, WARM_UP_SECONDS, WARM_UP_RUNS, MOST_RUNS)
    if arguments.engine not in ("sepcl", "tinygrad"):
        result["pinned"] = pin(before, arguments.threads)
        run(x)
    gc.collect()
    gc.disable()
    start, busy, own = time.perf_counter(), machine.core_seconds(cores), time.process_time()
    times, y = sample(run, x, arguments.seconds, LEAST_RUNS, MOST_RUNS)
    wall, busy, own = time.perf_counter() - start, machine.core_seconds(cores) - busy, time.process_time() - own
    result["others"] = max(0.0, busy - own) / (wall * len(cores))  # share of the cores that other processes took
    error, why = difference(np.asarray(y).reshape(want.shape) if np.size(y) == want.size else np.asarray(y), want)
    if why:
        raise RuntimeError(f"the answer is of no use: {why}")
    return {**result, "runs": len(times), "median_ms": float(np.median(times)), "min_ms": min(times),
            "p90_ms": float(np.quantile(times, 0.9)), "error": error}


def main():
    parser = argparse.ArgumentParser(description="Time one engine on one network.")
    parser.add_argument("engine", choices=sorted(ENGINES))
    for name in ("model", "x", "y", "result"):
        parser.add_argument(name)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--library")
    arguments = parser.parse_args()
    try:
        result = measure(arguments)
    except Exception as problem:  # whatever an engine raises becomes a cell of the table
        result = {"failed": f"{type(problem).__name__}: {problem}"}
    pathlib.Path(arguments.result).write_text(json.dumps(result))


if __name__ == "__main__":
    main()
