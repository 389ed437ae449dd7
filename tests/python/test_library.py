# SPDX-License-Identifier: Apache-2.0
import fcntl
import os
import pathlib
import pty
import re
import struct
import subprocess
import sys
import termios
import threading

import numpy as np
import pytest
import sepcl
from conftest import close, formats, numbers, pointwise, pointwise_bytes
from PIL import Image

HEADER = pathlib.Path(__file__).resolve().parents[2] / "include/sepcl/sepcl.h"


def test_version_is_the_headers():
    parts = re.findall(r"#define SEPCL_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)", HEADER.read_text())
    assert sepcl.__version__ == ".".join(parts)


def test_devices():
    found = sepcl.devices()
    assert found and all(d.name and d.selector and d.type in ("cpu", "gpu", "accelerator", "other") for d in found)
    device = sepcl.find_device(found[0].selector)
    assert device == found[0] and device.global_bytes > 0
    assert any("pointwise" in line or "gemm" in line or ":" in line for line in device.choices())
    with pytest.raises(sepcl.DeviceError, match="no such device"):
        sepcl.find_device("no such device")
    with pytest.raises(sepcl.InvalidError, match="zero byte"):
        sepcl.find_device("a\0b")


def test_device_cache_and_self_test(tmp_path):
    device = sepcl.find_device()
    assert device.cache(str(tmp_path)).programs == 0
    results = device.self_test("unary", on_result=lambda result: False)
    assert len(results) == 1 and results[0].failed == 0 and results[0].cases > 0
    with pytest.raises(KeyboardInterrupt):
        def interrupt(_):
            raise KeyboardInterrupt
        device.self_test("unary", on_result=interrupt)


@pytest.mark.parametrize("content, kind", [
    (b"", sepcl.BadFileError), (b"nonsense" * 10, sepcl.BadFileError), (pointwise_bytes()[:-30], sepcl.BadFileError),
    (formats.model([formats.node("NoSuchOp", ["x"], ["y"])], {"x": [1]}, {"y": [1]}), sepcl.UnsupportedError),
])
def test_bad_models(tmp_path, content, kind):
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    for source in (path, str(path)):
        with pytest.raises(kind, match=r"model\.onnx"):
            sepcl.Model(source)
    with pytest.raises(kind, match="from memory"):
        sepcl.Model(content, name="from memory")


def test_missing_model(tmp_path):
    with pytest.raises(OSError) as raised:
        sepcl.Model(tmp_path / "missing.onnx")
    assert isinstance(raised.value, sepcl.BadFileError) and raised.value.status == 3
    assert "missing.onnx" in str(raised.value)


def test_errors_are_pythons_own_too():
    for kind, own, status in ((sepcl.InvalidError, ValueError, 2), (sepcl.BadFileError, OSError, 3),
                              (sepcl.UnsupportedError, NotImplementedError, 4), (sepcl.DeviceError, RuntimeError, 5),
                              (sepcl.OutOfMemoryError, MemoryError, 6)):
        error = kind("a sentence")
        assert isinstance(error, own) and isinstance(error, sepcl.Error)
        assert error.status == status and str(error) == "a sentence"


def test_summary(model):
    summary = model.summary()
    assert summary.parameters == 35 and summary.multiplications == 35 * 6 * 9
    conv = summary[0]
    assert conv.is_convolution and conv.output == (1, 6, 9, 7) and conv.op.endswith("Conv2D")
    assert len(summary) == len(list(summary)) == len(summary.layers)
    assert re.search(r"total +35 +1,890$", str(summary))


def test_log(model):
    lines = []
    sepcl.set_log(lambda level, line: lines.append((level, line)), "info")
    try:
        model.session(cache=False).close()
    finally:
        sepcl.set_log(None)
    assert lines and {level for level, _ in lines} <= {"warn", "info"}
    count = len(lines)
    model.session().close()
    assert len(lines) == count
    with pytest.raises(sepcl.InvalidError, match="loud"):
        sepcl.set_log(print, "loud")


def test_tune(model, tmp_path):
    seen = []
    found = model.tune(budget=2, cache_dir=str(tmp_path), on_result=seen.append)
    assert found == seen and found and all(r.after and r.tried > 0 and r.wrong == 0 for r in found)
    assert sepcl.find_device().cache(str(tmp_path)).tunings > 0
    with model.session(cache_dir=str(tmp_path)) as session:
        assert any("tuned" in step.why for step in session.steps())
    with pytest.raises(ZeroDivisionError):
        model.tune(budget=2, cache_dir=str(tmp_path), again=True, progress=False, on_result=lambda r: 1 / 0)
    with pytest.raises(sepcl.InvalidError, match="f64"):
        model.tune(precision="f64")


def in_terminal(monkeypatch, call):
    """What call() writes to standard error when that is a terminal."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 80, 0, 0))
    said = []

    def listen():
        try:
            while piece := os.read(master, 4096):
                said.append(piece)
        except OSError:  # the other end is closed
            pass

    reader = threading.Thread(target=listen)
    reader.start()
    with os.fdopen(slave, "w") as terminal, monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", terminal)
        call()
    reader.join()
    os.close(master)
    return b"".join(said).decode()


def test_the_bar_is_for_terminals(model, tmp_path, monkeypatch, capfd):
    folder = str(tmp_path)
    assert "tuning:   0%|" in in_terminal(monkeypatch, lambda: model.tune(budget=1, cache_dir=folder))  # its first state
    assert in_terminal(monkeypatch, lambda: model.tune(budget=1, cache_dir=folder, again=True, progress=False)) == ""
    assert capfd.readouterr().err == ""
    model.tune(budget=1, cache_dir=folder, again=True)  # into a file
    assert capfd.readouterr().err == ""


def test_after_a_fork_it_says_so(model):
    sepcl.devices()
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            sepcl.devices()
            os.write(write, b"no error")
        except sepcl.DeviceError as error:
            os.write(write, str(error).encode())
        finally:
            os._exit(0)
    os.close(write)
    said = os.read(read, 1000).decode()
    os.close(read)
    os.waitpid(child, 0)
    assert "spawn" in said


def test_a_missing_library_is_told(tmp_path):
    done = subprocess.run([sys.executable, "-c", "import sepcl"], capture_output=True, text=True,
                          env={**os.environ, "SEPCL_LIBRARY": str(tmp_path / "none.so")})
    assert done.returncode and "ImportError: sepcl cannot load" in done.stderr


@pytest.mark.skipif(not sepcl.can_separate(), reason="this build has no LAPACK")
def test_separate(tmp_path):
    column, row = numbers(5, seed=6), numbers(5, seed=7)
    weights = np.outer(column, row)[None, None] * np.eye(8, dtype=np.float32)[:, :, None, None]  # rank 8 in space, not 40
    net = formats.model([formats.node("Conv", ["x", "w"], ["y"], kernel_shape=[5, 5])],
                        {"x": [1, 8, 40, 40]}, {"y": [1, 8, 36, 36]},
                        [formats.tensor("w", [8, 8, 5, 5], weights.ravel())])
    x = numbers(1, 8, 40, 40)
    with sepcl.Model(net, name="outer") as model:
        found = model.separate([x], cache_dir=str(tmp_path), progress=False)
        layer = found.layers[0]
        spatial = [s for s in layer.spectra if s.form == "spatial"][0]
        assert spatial.rank == 8 and np.all(np.diff(spatial.values) <= 1e-9 * spatial.values[0])
        assert layer.forms and any(f.form == "spatial" and f.exact and f.rank == 8 for f in layer.forms)
        assert found.totals.layers == 1 and found.totals.samples == 1 and not found.totals.random_samples
        assert found.totals.error < 1e-5 and "outer" not in str(found) and layer.why in str(found)
        found.save(tmp_path / "out.onnx")
        with sepcl.Model(tmp_path / "out.onnx") as rewritten, rewritten.session() as after, model.session() as before:
            close(after(x), before(x))
        with pytest.raises(sepcl.InvalidError, match="sample"):
            model.separate([x[:, :, 1:]], progress=False)
        with pytest.raises(sepcl.InvalidError, match="1 inputs"):
            model.separate([[x, x]], progress=False)
        assert found.onnx() == (tmp_path / "out.onnx").read_bytes()


def test_onnxruntime(x):
    ort = pytest.importorskip("onnxruntime")
    devices = sepcl.register_with_onnxruntime()
    assert devices and sepcl.register_with_onnxruntime()
    options = ort.SessionOptions()
    options.add_provider_for_devices(devices[:1], {"precision": "f32"})
    y, z = ort.InferenceSession(pointwise_bytes(), options).run(None, {"x": x})
    close(y, pointwise(x))
    close(z, 2 * x)


# ---------------------------------------------------------------- pictures

def test_picture_values():
    image = Image.new("RGB", (4, 4), (51, 102, 255))
    x = sepcl.picture(image, (1, 3, 2, 2))
    assert x.shape == (1, 3, 2, 2) and x.dtype == np.float32
    np.testing.assert_allclose(x[0, :, 0, 0], [0.2, 0.4, 1.0], atol=1e-6)
    x = sepcl.picture(image, (1, 2, 2, 3), mean=(51, 2, 0), scale=0.5, channels="bgr")
    np.testing.assert_allclose(x[0, 0, 0], [(255 - 51) / 2, (102 - 2) / 2, 51 / 2])
    x = sepcl.picture(image, (-1, 1, -1, -1), scale=1)
    assert x.shape == (1, 1, 4, 4)
    np.testing.assert_allclose(x[0, 0, 0, 0], 0.299 * 51 + 0.587 * 102 + 0.114 * 255, rtol=1e-6)


def test_picture_crops_the_middle():
    image = Image.new("RGB", (12, 4), "black")
    image.paste((255, 255, 255), (4, 0, 8, 4))
    np.testing.assert_allclose(sepcl.picture(image, (3, 4, 4)), 1)
    assert sepcl.picture(image, (3, 2, 6), resize="stretch")[0, 0, 0] < 0.01


def test_transparent_parts_stand_on_white(tmp_path):
    Image.new("RGBA", (2, 2), (0, 0, 0, 0)).save(tmp_path / "clear.png")
    np.testing.assert_allclose(sepcl.picture(tmp_path / "clear.png", (3, 2, 2)), 1)


def test_bad_pictures(tmp_path):
    (tmp_path / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\nnonsense")
    for path in ("bad.png", "missing.png"):
        with pytest.raises(sepcl.BadFileError, match=path):
            sepcl.picture(tmp_path / path, (3, 2, 2))
    image = Image.new("RGB", (2, 2))
    for shape, options in (((1, 5, 2, 2), {}), ((2, 3, 2, 2), {}), ((3, 2, 2), {"mean": (1, 2)}),
                           ((3, 2, 2), {"channels": "gray"}), ((3, 2, 2), {"resize": "fit"}), ((7,), {})):
        with pytest.raises(sepcl.InvalidError):
            sepcl.picture(image, shape, **options)


# ---------------------------------------------------------------- python -m sepcl

def command(*arguments, code=0, cwd):
    done = subprocess.run([sys.executable, "-m", "sepcl", *map(str, arguments)], capture_output=True, text=True, cwd=cwd)
    assert done.returncode == code, done.stderr
    if code:
        assert done.stderr.startswith("sepcl: ") and done.stderr.count("\n") == 1, done.stderr
    return done.stderr if code else done.stdout


def test_command_info(tmp_path):
    import json
    told = json.loads(command("info", "--json", cwd=tmp_path))
    assert told["version"] == sepcl.__version__ and sum(d["default"] for d in told["devices"]) == 1
    assert sepcl.devices()[0].name in command("info", cwd=tmp_path)


def test_command_run(tmp_path, x):
    import json
    (tmp_path / "m.onnx").write_bytes(pointwise_bytes())
    np.save(tmp_path / "x.npy", x)
    out = command("run", "m.onnx", "x.npy", "-o", "z=z.npy", "-o", "y.npy", "--check", cwd=tmp_path)
    assert "agree with the reference" in out
    with sepcl.Model(tmp_path / "m.onnx") as model, model.session() as session:
        y, z = session(x)
    assert np.array_equal(np.load(tmp_path / "y.npy"), y) and np.array_equal(np.load(tmp_path / "z.npy"), z)
    told = json.loads(command("run", "m.onnx", "x.npy", "-k", 2, "--json", cwd=tmp_path))
    best = told["outputs"][0]["best"][0]
    assert [b["class"] for b in best] == list(np.argsort(-y.ravel(), kind="stable")[:2])
    assert command("run", "m.onnx", "--random", cwd=tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["m.onnx", "x.npy", "y.npy", "z.npy"]


def test_command_run_on_a_picture(tmp_path):
    weights = formats.tensor("w", [2, 3, 2, 2], [1] * 12 + [-1] * 12)
    net = formats.model([formats.node("Conv", ["x", "w"], ["y"], kernel_shape=[2, 2])], {"x": [1, 3, 2, 2]}, {"y": [1, 2, 1, 1]}, [weights])
    (tmp_path / "m.onnx").write_bytes(net)
    (tmp_path / "labels.txt").write_text("light\ndark\n")
    Image.new("RGB", (8, 8), "white").save(tmp_path / "w.png")
    out = command("run", "m.onnx", "w.png", "-l", "labels.txt", cwd=tmp_path)
    assert re.search(r"0 +12\.0000 +light\n +1 +-12\.0000 +dark", out)


def test_command_bench_and_summary(tmp_path):
    import json
    (tmp_path / "m.onnx").write_bytes(pointwise_bytes())
    told = json.loads(command("bench", "m.onnx", "--repeat", 3, "--layers", "--json", cwd=tmp_path))["models"][0]
    assert 0 < told["min_ms"] <= told["median_ms"] <= told["p90_ms"] and told["steps"]
    assert "median ms" in command("bench", "m.onnx", "--repeat", 3, "--layers", cwd=tmp_path)
    assert "1,890" in command("summary", "m.onnx", cwd=tmp_path)


@pytest.mark.parametrize("arguments, code, sentence", [
    (["run"], 2, "required"), (["nonsense"], 2, "invalid choice"), (["run", "missing.onnx"], 3, "missing.onnx"),
    (["run", "m.onnx"], 2, "needs a file, or --random"), (["run", "m.onnx", "m.onnx"], 3, "m.onnx"),
    (["run", "m.onnx", "--random", "-d", "nowhere"], 5, "nowhere"), (["bench", "m.onnx", "--repeat", "0"], 2, "--repeat"),
    (["run", "m.onnx", "--random", "--shape", "1xa"], 2, "--shape"), (["run", "m.onnx", "x.npy", "x.npy"], 2, "too many"),
])
def test_command_errors(tmp_path, arguments, code, sentence):
    (tmp_path / "m.onnx").write_bytes(pointwise_bytes())
    np.save(tmp_path / "x.npy", numbers(1, 5, 6, 9))
    assert sentence in command(*arguments, code=code, cwd=tmp_path)
