#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_ort.py PLUGIN GOLDEN [TEST...]: the plugin inside onnxruntime, on the golden networks and on what onnxruntime and sepcl
have to share, against onnxruntime's own CPU provider. Needs onnx, onnxruntime and numpy."""
import ctypes
import pathlib
import sys
import threading
import unittest

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

plugin, golden = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
NAME = "SepclExecutionProvider"


def devices():
    return [d for d in ort.get_ep_devices() if d.ep_name == NAME]


def session(model, options=None):
    so = ort.SessionOptions()
    so.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
    so.add_provider_for_devices(devices()[:1], options or {})
    return ort.InferenceSession(model if isinstance(model, bytes) else str(model), so)


def parts(s):
    """How many nodes each part has that sepcl runs."""
    return sorted(len(a.get_nodes()) for a in s.get_provider_graph_assignment_info() if a.ep_name == NAME)


def own(model, feeds):
    return ort.InferenceSession(model if isinstance(model, bytes) else str(model), providers=["CPUExecutionProvider"]).run(None, feeds)


def numbers(*shape, seed=1):
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(np.float32)


def weight(name, *shape, seed=1):
    return numpy_helper.from_array(numbers(*shape, seed=seed) / np.sqrt(np.prod(shape[1:])).astype(np.float32), name)


def model(nodes, inputs, outputs, weights):
    def info(name, dims):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, dims)
    graph = helper.make_graph(nodes, "g", [info(*i) for i in inputs.items()], [info(*o) for o in outputs.items()], weights)
    m = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
    onnx.checker.check_model(m)
    return m.SerializeToString()


class OnnxruntimeTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        ort.set_default_logger_severity(3)
        ort.register_execution_provider_library("sepcl", str(plugin))

    @classmethod
    def tearDownClass(cls):
        ort.unregister_execution_provider_library("sepcl")

    def assert_close(self, got, want, tolerance=1e-4):
        self.assertEqual(len(got), len(want))
        for a, b in zip(got, want):
            self.assertEqual((a.shape, a.dtype), (b.shape, b.dtype))
            self.assertTrue(np.array_equal(np.isnan(a), np.isnan(b)))
            finite = np.isfinite(b)
            if finite.any():
                self.assertLessEqual(np.abs(a - b)[finite].max(), tolerance * max(1e-30, np.abs(b[finite]).max()))

    def test_device(self):
        self.assertGreater(len(devices()), 0)
        self.assertEqual(devices()[0].ep_vendor, "sepcl")
        self.assertRegex(devices()[0].ep_options["device"], r"^\d+:\d+$")

    def test_golden_networks(self):
        whole = {"mobilenet_v1": 1, "mobilenet_v2": 1, "mobilenet_v3_large": 1, "efficientnet_lite0": 1, "resnet18": 1, "spatial_5x1": 1,
                 "shufflenet_v2": 2, "orientation": 1, "seed_separable": 1, "seed_spatial": 1}
        ran = 0
        for file in sorted(golden.glob("*.onnx")):
            if file.stem == "xception" or not (file.stem in whole or file.stem.startswith("ops_")):
                continue
            try:
                s = session(file)
                feeds = {i.name: np.load(golden / f"{file.stem}.{i.name}.npy") for i in s.get_inputs()}
            except FileNotFoundError:  # an input's name that is no file's
                continue
            with self.subTest(file.stem):
                self.assert_close(s.run(None, feeds), own(file, feeds))
                if file.stem in whole:
                    self.assertEqual(len(parts(s)), whole[file.stem])
                ran += len(parts(s)) > 0
        self.assertGreater(ran, 30)

    def small(self, batch=1):
        """conv - relu - tanh - conv, and a residual; two outputs."""
        nodes = [helper.make_node("Conv", ["x", "w1"], ["a"], pads=[1, 1, 1, 1]), helper.make_node("Relu", ["a"], ["b"]),
                 helper.make_node("Tanh", ["b"], ["c"]), helper.make_node("Conv", ["c", "w2"], ["d"], pads=[1, 1, 1, 1]),
                 helper.make_node("Add", ["d", "b"], ["y"]), helper.make_node("Flatten", ["y"], ["z"])]
        shape = [batch, 8, 6, 6]
        return model(nodes, {"x": [batch, 3, 6, 6]}, {"y": shape, "z": [batch, 288]}, [weight("w1", 8, 3, 3, 3), weight("w2", 8, 8, 3, 3, seed=2)])

    def test_what_sepcl_lacks_stays_with_onnxruntime(self):
        """CumSum, between two convolutions of which the first is also added to the second."""
        nodes = [helper.make_node("Conv", ["x", "w1"], ["a"]), helper.make_node("CumSum", ["a", "axis"], ["b"]),
                 helper.make_node("Conv", ["b", "w2"], ["c"]), helper.make_node("Add", ["c", "a"], ["y"])]
        m = model(nodes, {"x": [1, 4, 5, 5]}, {"y": [1, 4, 5, 5]},
                  [weight("w1", 4, 4, 1, 1), weight("w2", 4, 4, 1, 1, seed=3), numpy_helper.from_array(np.array(2, np.int64), "axis")])
        s = session(m)
        feeds = {"x": numbers(1, 4, 5, 5)}
        self.assert_close(s.run(None, feeds), own(m, feeds))
        self.assertEqual(parts(s), [1, 2])

    def test_nothing_for_sepcl(self):
        m = model([helper.make_node("Relu", ["x"], ["y"])], {"x": [2, 3]}, {"y": [2, 3]}, [])
        s = session(m)
        feeds = {"x": numbers(2, 3)}
        self.assert_close(s.run(None, feeds), own(m, feeds), 0)
        self.assertEqual(parts(s), [])

    def test_a_free_batch(self):
        m = self.small("n")
        s = session(m)
        self.assertEqual(len(parts(s)), 1)
        for n in (1, 3, 1, 2, 5, 4, 7, 3, 1):  # more sizes than it keeps sessions for
            feeds = {"x": numbers(n, 3, 6, 6, seed=n)}
            self.assert_close(s.run(None, feeds), own(m, feeds))

    def test_threads(self):
        m = self.small("n")
        s, wrong = session(m), []

        def work(n):
            feeds = {"x": numbers(n, 3, 6, 6, seed=n)}
            want = own(m, feeds)
            for _ in range(20):
                if np.abs(s.run(None, feeds)[0] - want[0]).max() > 1e-4:
                    wrong.append(n)

        threads = [threading.Thread(target=work, args=(n,)) for n in (1, 2, 1, 3)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(wrong, [])

    def test_options(self):
        m = self.small()
        feeds = {"x": numbers(1, 3, 6, 6)}
        exact, half = session(m).run(None, feeds)[0], session(m, {"precision": "f16"}).run(None, feeds)[0]
        self.assertFalse(np.array_equal(exact, half))
        self.assert_close([half], [exact], 1e-2)
        with self.assertRaisesRegex(Exception, "precision 'f64' is unknown"):
            session(m, {"precision": "f64"})
        with self.assertRaisesRegex(Exception, "nowhere"):
            session(m, {"device": "nowhere"})


class LoadingTest(unittest.TestCase):
    """onnxruntimes that the plugin has to refuse, played by tables made here."""

    def load(self, version, slots):
        """What the plugin says to them."""
        kept, said = [], []
        create = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p)(lambda code, text: said.append(text.decode()) or 1)
        nothing = ctypes.CFUNCTYPE(ctypes.c_void_p)(lambda: None)
        table = (ctypes.c_void_p * slots)(*[ctypes.cast(create if i == 0 else nothing, ctypes.c_void_p).value for i in range(slots)])
        get_api = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_uint32)(lambda interface: ctypes.addressof(table))
        get_version = ctypes.CFUNCTYPE(ctypes.c_char_p)(lambda: version)
        kept += [create, nothing, get_api, get_version]
        base = (ctypes.c_void_p * 2)(ctypes.cast(get_api, ctypes.c_void_p).value, ctypes.cast(get_version, ctypes.c_void_p).value)
        library = ctypes.CDLL(str(plugin))
        factories, count = (ctypes.c_void_p * 4)(), ctypes.c_size_t(7)
        library.CreateEpFactories.restype = ctypes.c_void_p
        status = library.CreateEpFactories(b"sepcl", ctypes.byref(base), None, factories, ctypes.c_size_t(4), ctypes.byref(count))
        self.assertEqual((status, count.value), (1, 0))
        return said[-1]

    def test_too_old(self):
        self.assertRegex(self.load(b"1.22.1", 318), r"needs onnxruntime 1\.23 or a later 1\.x, and this is 1\.22\.1")

    def test_another_major_version(self):
        self.assertIn("this is 2.0.0", self.load(b"2.0.0", 500))

    def test_another_layout(self):
        self.assertIn("is not laid out", self.load(b"1.40.0", 500))


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]], verbosity=2)
