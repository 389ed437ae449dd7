# SPDX-License-Identifier: Apache-2.0
"""Files as Keras 1 and 2 wrote them, by h5py: OLD lists functions that give a model of today and a function that writes
it the old way. keras_covered.py looks whether all layers are among them."""
import json

import h5py
import keras
import numpy as np
from keras import layers as L
from keras_cases import CASES
from keras.src.ops.function import make_node_key

OLD = {}


def old(function):
    OLD[function.__name__] = function
    return function


# ---------------------------------------------------------------- Keras 1

def write_keras_1(path, config, weights):
    """weights: layer -> [(name, array)]; texts of fixed length, no version."""
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(config).encode()
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = np.array([name.encode() for name in weights])
        for layer, arrays in weights.items():
            inner = group.create_group(layer)
            inner.attrs["weight_names"] = np.array([name.encode() for name, _ in arrays], dtype="S" if arrays else "f8")
            for name, array in arrays:
                inner.create_dataset(name, data=array)


def plain(layer, *suffixes):
    """The layer's weights under names of Keras 1."""
    values = [np.asarray(w) for w in layer.weights]
    return [(f"{layer.name}_{suffix}", value) for suffix, value in zip(suffixes, values, strict=True)]


@old
def keras_1_sequential():
    c = L.Conv2D(6, (3, 5), strides=(2, 1), activation="relu", padding="same", name="convolution2d_1")
    n = L.BatchNormalization(name="batchnormalization_1", epsilon=1e-5)
    a = L.Conv2D(4, 3, dilation_rate=2, name="atrousconvolution2d_1")
    t = L.Conv2DTranspose(3, 2, strides=2, name="deconvolution2d_1")
    d = L.Dense(5, activation="softmax", name="dense_1")
    model = keras.Sequential([keras.Input((12, 10, 3), name="convolution2d_1_input"), c, n, L.ZeroPadding2D((1, 2), name="zeropadding2d_1"),
                              a, t, L.MaxPooling2D((2, 3), name="maxpooling2d_1"), L.LeakyReLU(negative_slope=0.3, name="leakyrelu_1"),
                              L.Dropout(0.5, name="dropout_1"), L.Flatten(name="flatten_1"), d])

    def write(model, path):
        entry = lambda kind, name, **settings: {"class_name": kind, "config": {"name": name, "trainable": True, **settings}}  # noqa: E731
        config = {"class_name": "Sequential", "config": [
            entry("Convolution2D", c.name, nb_filter=6, nb_row=3, nb_col=5, subsample=[2, 1], border_mode="same", dim_ordering="tf",
                  bias=True, activation="relu", init="glorot_uniform", W_regularizer=None, batch_input_shape=[None, 12, 10, 3],
                  input_dtype="float32"),
            entry("BatchNormalization", n.name, mode=0, axis=-1, epsilon=1e-5, momentum=0.99),
            entry("ZeroPadding2D", "zeropadding2d_1", padding=[1, 2], dim_ordering="default"),
            entry("AtrousConvolution2D", a.name, nb_filter=4, nb_row=3, nb_col=3, subsample=[1, 1], atrous_rate=[2, 2],
                  border_mode="valid", dim_ordering="tf", bias=True, activation="linear"),
            entry("Deconvolution2D", t.name, nb_filter=3, nb_row=2, nb_col=2, subsample=[2, 2], border_mode="valid",
                  dim_ordering="tf", bias=True, activation="linear", output_shape=[None, 8, 20, 3]),
            entry("MaxPooling2D", "maxpooling2d_1", pool_size=[2, 3], strides=[2, 3], border_mode="valid", dim_ordering="tf"),
            entry("LeakyReLU", "leakyrelu_1", alpha=0.3), entry("Dropout", "dropout_1", p=0.5), entry("Flatten", "flatten_1"),
            entry("Dense", d.name, output_dim=5, input_dim=120, bias=True, activation="softmax", init="glorot_uniform")]}
        weights = {layer["config"]["name"]: [] for layer in config["config"]}
        for layer in (c, a, t, d):
            weights[layer.name] = plain(layer, "W", "b")
        name, kernel = weights[t.name][0]
        weights[t.name][0] = (name, kernel.transpose(0, 1, 3, 2))
        weights[n.name] = plain(n, "gamma", "beta", "running_mean", "running_std")
        write_keras_1(path, config, weights)

    return model, write


@old
def keras_1_functional():
    x, y = keras.Input((8, 8, 3), name="input_1"), keras.Input((9, 4), name="input_2")
    c = L.Conv2D(4, 1, name="convolution2d_1", use_bias=False)
    s = L.SeparableConv2D(4, 3, padding="same", depth_multiplier=2, name="separableconvolution2d_1")
    k = L.Conv1D(4, 3, strides=2, activation="hard_tanh", name="convolution1d_1")
    left, right = c(x), s(x)
    total = L.Add(name="merge_1")([left, right])
    joined = L.Concatenate(name="merge_2")([total, right])
    g = L.GlobalAveragePooling2D(name="globalaveragepooling2d_1")(joined)
    p = L.GlobalMaxPooling1D(name="globalmaxpooling1d_1")(k(y))
    out = L.Concatenate(name="merge_3")([g, p])
    model = keras.Model([x, y], [out, total])

    def write(model, path):
        def entry(kind, name, inbound, **settings):
            nodes = [[[source, 0, 0] for source in inbound]] if inbound else []
            return {"class_name": kind, "name": name, "config": {"name": name, **settings}, "inbound_nodes": nodes}
        merge = lambda name, inbound, mode: entry("Merge", name, inbound, mode=mode, mode_type="raw", concat_axis=-1, dot_axes=-1)  # noqa: E731
        layers = [
            entry("InputLayer", "input_1", [], batch_input_shape=[None, 8, 8, 3], input_dtype="float32", sparse=False),
            entry("InputLayer", "input_2", [], batch_input_shape=[None, 9, 4], input_dtype="float32", sparse=False),
            entry("Convolution2D", c.name, ["input_1"], nb_filter=4, nb_row=1, nb_col=1, subsample=[1, 1], border_mode="valid",
                  dim_ordering="tf", bias=False, activation="linear"),
            entry("SeparableConvolution2D", s.name, ["input_1"], nb_filter=4, nb_row=3, nb_col=3, subsample=[1, 1], border_mode="same",
                  dim_ordering="tf", depth_multiplier=2, bias=True, activation="linear"),
            entry("Convolution1D", k.name, ["input_2"], nb_filter=4, filter_length=3, subsample_length=2, border_mode="valid",
                  bias=True, activation="hard_tanh"),
            merge("merge_1", [c.name, s.name], "sum"), merge("merge_2", ["merge_1", s.name], "concat"),
            entry("GlobalAveragePooling2D", "globalaveragepooling2d_1", ["merge_2"], dim_ordering="tf"),
            entry("GlobalMaxPooling1D", "globalmaxpooling1d_1", [k.name]),
            merge("merge_3", ["globalaveragepooling2d_1", "globalmaxpooling1d_1"], "concat")]
        order = [layer.name for layer in model.layers]
        layers.sort(key=lambda layer: order.index(layer["name"]))
        config = {"class_name": "Model", "config": {"name": "model_1", "layers": layers, "input_layers": [["input_1", 0, 0], ["input_2", 0, 0]],
                                                    "output_layers": [["merge_3", 0, 0], ["merge_1", 0, 0]]}}
        weights = {layer["name"]: [] for layer in layers}
        weights[c.name] = plain(c, "W")
        weights[s.name] = plain(s, "depthwise_kernel", "pointwise_kernel", "b")
        weights[k.name] = [(name, value[:, None] if value.ndim == 3 else value) for name, value in plain(k, "W", "b")]
        write_keras_1(path, config, weights)

    return model, write


@old
def keras_1_others():
    """What the other two lack: sequences, modes of Merge, and a model that is a layer."""
    x, y, v = keras.Input((9, 4), name="input_1"), keras.Input((9, 4), name="input_2"), keras.Input((6, 5, 2), name="input_3")
    a = L.Conv1D(3, 3, dilation_rate=2, name="atrousconvolution1d_1")
    s = L.SeparableConv1D(5, 3, name="separableconvolution1d_1")
    t = L.Conv2DTranspose(4, 3, strides=2, use_bias=False, name="convolution2dtranspose_1")
    inner_x = keras.Input((4,), name="input_4")
    d = L.Dense(3, activation="tanh", name="dense_1")
    inner = keras.Model(inner_x, d(inner_x), name="container_1")
    pool = L.MaxPooling1D(2, name="maxpooling1d_1")
    up = L.UpSampling1D(2, name="upsampling1d_1")
    merges = {"mul": L.Multiply(name="merge_1"), "ave": L.Average(name="merge_2"), "max": L.Maximum(name="merge_3")}
    outs = [a(x), s(x), t(v), *(merge([x, y]) for merge in merges.values()), up(pool(y))]
    outs.append(inner(L.GlobalAveragePooling1D(name="globalaveragepooling1d_1")(x)))
    model = keras.Model([x, y, v], outs)

    def write(model, path):
        def entry(kind, name, inbound, config=None, **settings):
            nodes = [[[source, 0, 0] for source in inbound]] if inbound else []
            return {"class_name": kind, "name": name, "config": config or {"name": name, **settings}, "inbound_nodes": nodes}
        source = lambda name, *shape: entry("InputLayer", name, [], batch_input_shape=[None, *shape], input_dtype="float32", sparse=False)  # noqa: E731
        inside = {"name": "container_1", "input_layers": [["input_4", 0, 0]], "output_layers": [["dense_1", 0, 0]],
                  "layers": [source("input_4", 4), entry("Dense", "dense_1", ["input_4"], output_dim=3, input_dim=4, bias=True,
                                                         activation="tanh")]}
        conv = dict(bias=True, activation="linear", border_mode="valid")
        layers = [
            source("input_1", 9, 4), source("input_2", 9, 4), source("input_3", 6, 5, 2),
            entry("AtrousConvolution1D", a.name, ["input_1"], nb_filter=3, filter_length=3, subsample_length=1, atrous_rate=2, **conv),
            entry("SeparableConvolution1D", s.name, ["input_1"], nb_filter=5, filter_length=3, subsample_length=1,
                  depth_multiplier=1, **conv),
            entry("Convolution2DTranspose", t.name, ["input_3"], nb_filter=4, nb_row=3, nb_col=3, subsample=[2, 2],
                  dim_ordering="tf", **{**conv, "bias": False}),
            *(entry("Merge", merge.name, ["input_1", "input_2"], mode=mode, mode_type="raw", concat_axis=-1, dot_axes=-1)
              for mode, merge in merges.items()),
            entry("MaxPooling1D", pool.name, ["input_2"], pool_length=2, stride=2, border_mode="valid"),
            entry("UpSampling1D", up.name, [pool.name], length=2),
            entry("GlobalAveragePooling1D", "globalaveragepooling1d_1", ["input_1"]),
            entry("Container", "container_1", ["globalaveragepooling1d_1"], config=inside)]
        order = [layer.name for layer in model.layers]
        layers.sort(key=lambda layer: order.index(layer["name"]))
        ends = [a.name, s.name, t.name, *(merge.name for merge in merges.values()), up.name, "container_1"]
        config = {"class_name": "Model", "config": {"name": "model_1", "layers": layers,
                                                    "input_layers": [[f"input_{i}", 0, 0] for i in (1, 2, 3)],
                                                    "output_layers": [[name, int(name == "container_1"), 0] for name in ends]}}
        weights = {layer["name"]: [] for layer in layers}
        weights[a.name] = [(name, value[:, None] if value.ndim == 3 else value) for name, value in plain(a, "W", "b")]
        weights[s.name] = plain(s, "depthwise_kernel", "pointwise_kernel", "b")
        weights[t.name] = [(name, kernel.transpose(0, 1, 3, 2)) for name, kernel in plain(t, "W")]
        weights["container_1"] = plain(d, "W", "b")
        write_keras_1(path, config, weights)

    return model, write


# ---------------------------------------------------------------- Keras 2

def settings_2(layer):
    """A layer's settings in the words of Keras 2."""
    config = layer.get_config()
    config["dtype"] = "float32"
    if isinstance(layer, L.InputLayer):
        config["batch_input_shape"] = list(config.pop("batch_shape"))
        config.pop("optional", None)
    if isinstance(layer, L.LeakyReLU):
        config["alpha"] = {"type": "ndarray", "value": config.pop("negative_slope")}
    if isinstance(layer, L.BatchNormalization):
        config["axis"] = [len(layer.input.shape) - 1 if config["axis"] == -1 else config["axis"]]
    if getattr(layer, "activation", None) is hard_sigmoid:
        config["activation"] = "hard_sigmoid"
    if class_2(layer) == "ThresholdedReLU":
        config = {"name": layer.name, "trainable": True, "dtype": "float32", "theta": config["threshold"]}
    return json.loads(json.dumps(config, default=lambda item: None))


def class_2(layer):
    return "ThresholdedReLU" if layer.name.startswith("thresholded") else type(layer).__name__


def kept(layer):
    """Calls of a functional model that is a layer count from 1."""
    return int(isinstance(layer, keras.Model))


def functional_2(model):
    layers = []
    for layer in model._operations:
        nodes = []
        for index, node in enumerate(layer._inbound_nodes):
            if make_node_key(layer, index) in model._nodes and node.input_tensors:
                history = [tensor._keras_history for tensor in node.input_tensors]
                nodes.append([[h.operation.name, relevant(model, h), h.tensor_index, {}] for h in history])
        layers.append({"class_name": class_2(layer), "name": layer.name, "inbound_nodes": nodes,
                       "config": model_2(layer) if isinstance(layer, keras.Model) else settings_2(layer)})
    ends = lambda tensors: [[h.operation.name, relevant(model, h), h.tensor_index] for h in (t._keras_history for t in tensors)]  # noqa: E731
    return {"name": model.name, "trainable": True, "layers": layers, "input_layers": ends(model.inputs), "output_layers": ends(model.outputs)}


def relevant(model, history):
    own = [make_node_key(history.operation, i) in model._nodes for i in range(history.node_index)]
    return sum(own) + kept(history.operation)


def sequential_2(model):
    layers = [{"class_name": type(layer).__name__, "config": model_2(layer) if isinstance(layer, keras.Model) else settings_2(layer)}
              for layer in model._layers]
    return {"name": model.name, "layers": layers}


def model_2(model):
    return sequential_2(model) if isinstance(model, keras.Sequential) else functional_2(model)


def write_keras_2(model, path, change=lambda config: config):
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"] = "2.15.0"
        file.attrs["backend"] = "tensorflow"
        file.attrs["model_config"] = json.dumps({"class_name": type(model).__name__, "config": change(model_2(model))})
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = [layer.name for layer in model.layers]
        for layer in sorted(model.layers, key=lambda item: item.name):
            inner = group.create_group(layer.name)
            weights = layer.trainable_weights + layer.non_trainable_weights
            names = [f"{w.path}:0" for w in weights]
            inner.attrs["weight_names"] = np.array(names, dtype="S" if names else "f8")
            for name, w in zip(names, weights):
                inner.create_dataset(name, data=np.asarray(w))


@old
def keras_2_functional():
    """With a slash in a layer's name, a shared model, a chain that the weights of a model follow by order alone."""
    x = keras.Input((9, 8, 3), name="input_1")
    a = keras.Input((10, 8, 4), name="input_2")
    inner = keras.Model(a, L.BatchNormalization()(L.Conv2D(4, 3, padding="same", activation="hard_silu")(a)), name="model")
    y = L.LeakyReLU(negative_slope=0.2)(L.Conv2D(4, 3, strides=2, padding="same", name="first.conv")(x))
    y = inner(inner(L.UpSampling2D(2)(y)))
    d = L.DepthwiseConv2D(3, name="expanded")(y)
    tail = keras.Sequential([keras.Input((4,)), L.Dense(6, activation="relu"), L.Dense(2)], name="sequential")
    return keras.Model(x, [tail(L.GlobalAveragePooling2D()(d)), y]), write_keras_2


@old
def keras_2_sequential():
    model = keras.Sequential([keras.Input((8, 8, 2), name="conv2d_input"), L.Conv2D(3, 3, activation="relu", name="conv2d"),
                              L.SeparableConv2D(4, 3, name="separable"), L.BatchNormalization(name="norm"), L.PReLU(shared_axes=[1, 2], name="p"),
                              L.AveragePooling2D(2, name="pool"), L.Flatten(name="flat"), L.Dense(4, activation="sigmoid", name="dense")])
    return model, write_keras_2


@old
def keras_2_thresholded():
    x = keras.Input((4, 5, 3), name="x")
    return keras.Model(x, L.ReLU(threshold=0.7, name="thresholded_re_lu")(L.Rescaling(3.0)(x))), write_keras_2


def hard_sigmoid(x):
    """As it was before Keras 3."""
    return keras.ops.clip(0.2 * x + 0.5, 0, 1)


@old
def keras_2_activations():
    x = keras.Input((3, 8), name="x")
    wide = L.Rescaling(3.0)(x)
    names = "linear relu relu6 softmax elu selu softplus softsign silu swish gelu tanh sigmoid exponential".split()
    return keras.Model(x, [L.Activation(name)(wide) for name in names] + [L.Activation(hard_sigmoid)(wide),
                                                                          L.Dense(3, activation=hard_sigmoid)(wide)]), write_keras_2


# functions of TensorFlow, which Keras 2 kept as layers, and what Keras 3 has for them
TWO = {"Add": "__operators__.add", "Subtract": "math.subtract", "Multiply": "math.multiply", "TrueDivide": "math.truediv",
       "Maximum": "math.maximum", "Minimum": "math.minimum"}
ONE = {"Relu": "nn.relu", "Relu6": "nn.relu6", "Selu": "nn.selu", "Silu": "nn.silu", "Softplus": "nn.softplus",
       "Tanh": "math.tanh", "Sigmoid": "math.sigmoid", "Exp": "math.exp"}


def functions_2(config):
    """Keras 2 has the second argument among those with names, and no list around a call."""
    for layer in config["layers"]:
        function = TWO.get(layer["class_name"]) or ONE.get(layer["class_name"])
        if function:
            (first, *second), = layer["inbound_nodes"]
            named = {"y": second[0][:3] if second else 2.0} if layer["class_name"] in TWO else {}
            layer.update(class_name="TFOpLambda", inbound_nodes=[[*first[:3], {**named, "name": None}]],
                         config={"name": layer["name"], "trainable": True, "dtype": "float32", "function": function})
    return config


@old
def keras_2_functions():
    x, y = keras.Input((4, 5, 3), name="x"), keras.Input((4, 5, 3), name="y")
    o = keras.ops
    outs = [x + y, x - y, x * y, x / 2.0, o.maximum(x, y), o.minimum(x, 2.0), o.relu(x), o.relu6(x), o.selu(x), o.silu(x),
            o.softplus(x), o.tanh(x), o.sigmoid(x), o.exp(x)]
    return keras.Model([x, y], outs), lambda model, path: write_keras_2(model, path, functions_2)


# the layers of keras_cases.py
for case in ("conv2d", "conv1d", "depthwise", "separable", "transposed", "pools", "dense", "batch_norm", "layer_norm", "preprocessing",
             "activation_classes", "merges", "shapes", "nothing_to_do", "brightness", "channels_first"):
    OLD[f"keras_2_{case}"] = lambda case=case: (CASES[case][0](), write_keras_2)

# what classes of today are called in these files
CALLED = {"keras_1_others": {"Functional": "Model"}, "keras_2_thresholded": {"ReLU": "ThresholdedReLU"},
          "keras_2_functions": {name: "TFOpLambda" for name in [*TWO, *ONE]}}
