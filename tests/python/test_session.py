# SPDX-License-Identifier: Apache-2.0
import gc
import threading
import time
import weakref

import numpy as np
import pytest
import sepcl
from conftest import close, formats, numbers, pointwise, pointwise_bytes, two_inputs_bytes, wide_bytes


def test_answers_as_tuple_and_dict(model, x):
    with model.session() as session:
        assert session.input_shapes == {"x": (1, 5, 6, 9)}
        assert session.output_shapes == {"y": (1, 7, 6, 9), "z": (1, 5, 6, 9)}
        y, z = session(x)
        close(y, pointwise(x))
        close(z, 2 * x)
        named = session.run({"x": x})
        assert list(named) == ["y", "z"] and np.array_equal(named["y"], y) and np.array_equal(named["z"], z)
        assert list(session.run([x], outputs=["z"])) == ["z"]
        assert np.array_equal(session(x=x)[0], y)


def test_single_output_is_an_array():
    a, b = numbers(2, 3, seed=4), numbers(2, 3, seed=5)
    with sepcl.Model(two_inputs_bytes()) as model, model.session() as session:
        close(session(a, b), a - b)
        close(session(b=a, a=b), b - a)
        close(session.run({"b": b, "a": a})["y"], a - b)


def test_arrays_are_read_in_place(model, x):
    with model.session() as session:
        first = session(x)[0]
        x *= -1  # the same memory with other numbers
        close(session(x)[0], pointwise(x))
        assert not np.array_equal(first, session(x)[0])
        seen = weakref.ref(x.base if x.base is not None else x)
        del x
        gc.collect()
        assert seen() is not None  # the session reads it, so it lives
        other = numbers(1, 5, 6, 9, seed=9)
        close(session(other)[0], pointwise(other))


@pytest.mark.parametrize("change", [
    lambda x: x.astype(np.float64), lambda x: x.astype(np.float16), lambda x: np.asfortranarray(x),
    lambda x: np.stack([x, x], -1)[..., 1], lambda x: x[:, :, ::-1][:, :, ::-1], lambda x: x.astype(">f4"), lambda x: x.tolist(),
    lambda x: (x * 100).astype(np.int8), lambda x: x > 0,
    lambda x: np.frombuffer(b"\0" * 4 + x.tobytes(), np.uint8)[4:].view(np.float32).reshape(x.shape),
    lambda x: np.frombuffer(b"\0" + x.tobytes(), np.uint8)[1:].view(np.float32).reshape(x.shape),
], ids=["float64", "float16", "fortran", "strided", "reversed", "big-endian", "list", "int8", "bool", "offset 4", "offset 1"])
def test_any_layout_and_type(model, x, change):
    given = change(x)
    with model.session() as session:
        close(session(given)[0], pointwise(np.asarray(given, np.float32)))
        close(session(x)[0], pointwise(x))
        close(session(given)[0], pointwise(np.asarray(given, np.float32)))


def test_half_storage(model, x):
    with model.session(precision="f16") as session:
        close(session(x)[0], pointwise(x), 2e-3)
        close(session(x.astype(np.float64))[0], pointwise(x), 2e-3)


def test_out_is_filled(model, x):
    y, z = np.zeros((1, 7, 6, 9), np.float32), np.zeros((1, 5, 6, 9), np.float32)
    with model.session() as session:
        assert session(x, out=(y, z))[0] is y
        close(y, pointwise(x))
        assert session.run([x], out={"z": z})["z"] is z
        for wrong in (y[..., :-1], y.astype(np.float64), np.zeros((1, 7, 6, 18), np.float32)[..., ::2]):
            with pytest.raises(sepcl.InvalidError, match="out= for output 'y'"):
                session(x, out=[wrong])
        y.flags.writeable = False
        with pytest.raises(sepcl.InvalidError, match="writable"):
            session(x, out=[y])
        with pytest.raises(sepcl.InvalidError, match="no output 'q'; there is 'y', 'z'"):
            session.run([x], out={"q": z})


def test_free_dimensions():
    with sepcl.Model(pointwise_bytes(("n", 5, "h", "w"))) as model:
        assert model.input_shapes == {"x": (-1, 5, -1, -1)}
        with pytest.raises(sepcl.InvalidError, match="free"):
            model.session()
        x = numbers(3, 5, 4, 2)
        for shapes in ({"x": x.shape}, x.shape):
            with model.session(shapes=shapes) as session:
                close(session(x)[0], pointwise(x))
        with pytest.raises(sepcl.InvalidError, match="does not fit"):
            model.session(shapes=(3, 6, 4, 2))
        with pytest.raises(sepcl.InvalidError, match="dimensions"):
            model.session(shapes=(1,) * 9)


def test_enqueue_and_wait(model, x):
    with model.session() as session:
        session.enqueue([x])
        session.wait()
        close(session.read()["y"], pointwise(x))


def test_steps_and_profile(model, x):
    with model.session(profile=True) as session:
        steps = session.profile(x)
        assert steps and all(step.kernel and step.op and step.work_items[0] > 0 for step in steps)
        assert any(step.end_ns > step.start_ns > 0 for step in steps)
        assert sum(step.multiplications for step in steps) == 7 * 5 * 6 * 9
        assert session.memory().arena_bytes > 0
    with model.session() as session, pytest.raises(sepcl.InvalidError, match="profile=True"):
        session.profile(x)


def forms_of(session):
    return [way for i in range(len(session.steps())) for way in session.ways(i) if way.is_form]


def test_ways(tmp_path):
    net = formats.model([formats.node("Conv", ["x", "d"], ["m"], kernel_shape=[3, 3], pads=[1, 1, 1, 1], group=8),
                         formats.node("Conv", ["m", "p"], ["y"], kernel_shape=[1, 1])],
                        {"x": [1, 8, 24, 24]}, {"y": [1, 16, 24, 24]},
                        [formats.tensor("d", [8, 1, 3, 3], numbers(72)), formats.tensor("p", [16, 8, 1, 1], numbers(128))])
    folder = str(tmp_path)
    with sepcl.Model(net) as model:
        with model.session(cache_dir=folder) as session:
            steps = session.steps()
            for i, step in enumerate(steps):
                ways = session.ways(i)
                kernel, = [w for w in ways if w.chosen and not w.is_form]
                assert kernel.name == step.kernel and all(w.measured_us == 0 for w in ways)
            ops = [step.op for step in steps]
            forms = forms_of(session)
            assert sorted(w.name for w in forms) == ["conv, conv", "separable"]
            assert [w.name for w in forms if w.chosen] == (["separable"] if "separable" in ops else ["conv, conv"])
            assert forms[0].chosen and 0 < forms[0].predicted <= forms[1].predicted
            with pytest.raises(sepcl.InvalidError, match=f"step {len(steps)}: the plan has"):
                session.ways(len(steps))
        model.tune(budget=3, cache_dir=folder, progress=False)
        with model.session(cache_dir=folder) as session:
            tuned = [i for i, step in enumerate(session.steps()) if "tuned" in step.why]
            assert tuned and len([w for w in forms_of(session) if w.chosen]) == 1
            for i in tuned:
                ways = [w for w in session.ways(i) if not w.is_form]
                times = [w.measured_us for w in ways if w.measured_us]
                assert times and times == sorted(times) and [w.measured_us > 0 for w in ways if w.chosen] == [True]
        with model.session(cache_dir=folder, fusion=False) as session:
            assert not forms_of(session)


def test_check_against_reference(model, x):
    with model.session() as session:
        layers = session.check([x])
        assert len(layers) >= 2 and all(layer.ok for layer in layers)
        with pytest.raises(sepcl.MismatchError, match="differs") as raised:
            session.check([np.full_like(x, 1 / 3)], tolerance=1e-30)
        assert raised.value.status == 1
        seen = []
        session.check([x], on_layer=lambda layer: seen.append(layer) or False)
        assert len(seen) == 1
        with pytest.raises(ZeroDivisionError):
            session.check([x], on_layer=lambda layer: 1 / 0)
        close(session(x)[0], pointwise(x))


@pytest.mark.parametrize("call, sentence", [
    (lambda s, x: s(x, x), "has 1 input"), (lambda s, x: s(), "has 1 input"), (lambda s, x: s(y=x), "no input 'y'; there is 'x'"),
    (lambda s, x: s.run({}), "also needs input 'x'"), (lambda s, x: s(x[:, :4]), r"shape \(1, 5, 6, 9\), but \(1, 4, 6, 9\)"),
    (lambda s, x: s(x, x=x), "by position or by name"), (lambda s, x: s(np.array("text")), "takes numbers"),
    (lambda s, x: s(x.astype(complex)), "takes numbers"), (lambda s, x: s.run([x], outputs=["q"]), "no output 'q'"),
])
def test_misuse(model, x, call, sentence):
    with model.session() as session:
        with pytest.raises(sepcl.InvalidError, match=sentence) as raised:
            call(session, x)
        assert isinstance(raised.value, ValueError) and raised.value.status == 2
        close(session(x)[0], pointwise(x))


def test_closing():
    model = sepcl.Model(pointwise_bytes())
    session = model.session()
    with pytest.raises(sepcl.InvalidError, match="1 session"):
        model.close()
    session.close()
    session.close()
    with pytest.raises(sepcl.InvalidError, match="closed"):
        session(numbers(1, 5, 6, 9))
    model.close()
    model.close()
    with pytest.raises(sepcl.InvalidError, match="closed"):
        model.session()


def test_nobody_closes():
    session = sepcl.Model(pointwise_bytes()).session()  # the model lives as long as its session
    gc.collect()
    x = numbers(1, 5, 6, 9)
    close(session(x)[0], pointwise(x))
    gone = weakref.ref(session)
    del session
    gc.collect()
    assert gone() is None


def test_other_threads_go_on_during_a_run():
    """Counts how often this thread gets to run while another is inside the library; were the GIL held, hardly ever."""
    with sepcl.Model(wide_bytes()) as model, model.session() as session:
        x = numbers(1, 48, 96, 96)
        session(x)
        begin = time.perf_counter()
        session(x)
        once = time.perf_counter() - begin
        runs = max(10, int(0.5 / once))
        worker = threading.Thread(target=lambda: [session(x) for _ in range(runs)])
        ticks = 0
        worker.start()
        while worker.is_alive():
            time.sleep(once / 20)
            ticks += 1
        worker.join()
        assert ticks > 2 * runs


def test_threads_share_a_session_and_a_model(model):
    wrong = []

    def work(session, seed):
        x = numbers(1, 5, 6, 9, seed=seed)
        want = pointwise(x)
        for _ in range(25):
            if np.abs(session(x)[0] - want).max() > 1e-5:
                wrong.append(seed)

    with model.session() as shared, model.session() as own:
        threads = [threading.Thread(target=work, args=(s, i)) for i, s in enumerate([shared, shared, own])]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not wrong


def test_numbers_that_are_none(model, x):
    x[0, 0, 0, 0], x[0, 1, 2, 3] = np.nan, np.inf
    with model.session() as session:
        z = session(x)[1]
        assert np.isnan(z[0, 0, 0, 0]) and np.isinf(z[0, 1, 2, 3]) and np.isfinite(z).sum() == z.size - 2


def test_formats_helper_makes_what_numpy_reads(tmp_path):
    (tmp_path / "a.npy").write_bytes(formats.npy([2, 3], range(6)))
    assert np.array_equal(np.load(tmp_path / "a.npy"), np.arange(6, dtype=np.float32).reshape(2, 3))
