# SPDX-License-Identifier: Apache-2.0
"""Small Keras models, each for one kind of layer with all of its settings. A function gives a model; CASES lists them by
name, with the containers that each is saved in."""
import keras
import numpy as np
from keras import layers as L

CASES = {}


def case(*kinds):
    def register(function):
        CASES[function.__name__] = (function, kinds or ("keras", "h5"))
        return function
    return register


def image(h=9, w=11, c=4, name="x"):
    return keras.Input((h, w, c), name=name)


def model(inputs, *outputs):
    return keras.Model(inputs, list(outputs) if len(outputs) > 1 else outputs[0])


# ---------------------------------------------------------------- windows

@case()
def conv2d():
    x = image()
    return model(x, L.Conv2D(6, 3)(x), L.Conv2D(5, (3, 2), padding="same", activation="relu")(x),
                 L.Conv2D(6, (4, 3), strides=(3, 2), padding="same", use_bias=False)(x), L.Conv2D(3, 5, strides=2)(x),
                 L.Conv2D(8, 3, groups=2, padding="same")(x), L.Conv2D(4, 3, dilation_rate=(2, 3), padding="same")(x),
                 L.Conv2D(4, (1, 5), padding="same")(L.Conv2D(4, (5, 1), padding="same")(x)),
                 L.Conv2D(3, 2, strides=4, padding="same", activation="softmax")(x), L.Conv2D(7, 1)(x))


@case()
def conv1d():
    x = keras.Input((17, 6), name="x")
    return model(x, L.Conv1D(8, 3, strides=2, padding="same")(x), L.Conv1D(5, 4, padding="causal", dilation_rate=2)(x),
                 L.Conv1D(6, 3, groups=3, activation="tanh")(x), L.Conv1D(3, 1, use_bias=False)(x),
                 L.DepthwiseConv1D(5, padding="same", depth_multiplier=2)(x), L.DepthwiseConv1D(3, strides=2)(x),
                 L.SeparableConv1D(7, 3, padding="same")(x), L.SeparableConv1D(4, 4, strides=3, depth_multiplier=2)(x),
                 L.Conv1DTranspose(5, 3, strides=2, padding="same")(x), L.Conv1DTranspose(3, 4, strides=3)(x))


@case()
def depthwise():
    x = image(10, 13)
    return model(x, L.DepthwiseConv2D(3)(x), L.DepthwiseConv2D(3, strides=2, padding="same", use_bias=False)(x),
                 L.DepthwiseConv2D((5, 2), padding="same", depth_multiplier=3, activation="relu6")(x),
                 L.DepthwiseConv2D(3, dilation_rate=2, padding="same")(x))


@case()
def separable():
    x = image(10, 13)
    return model(x, L.SeparableConv2D(6, 3)(x), L.SeparableConv2D(5, 3, padding="same", use_bias=False)(x),
                 L.SeparableConv2D(7, 3, padding="same", strides=2, depth_multiplier=2, activation="elu")(x),
                 L.SeparableConv2D(8, (3, 5), dilation_rate=2)(x))


@case()
def transposed():
    x = image(5, 6)
    kinds = [dict(), dict(padding="same"), dict(strides=2), dict(strides=2, padding="same"), dict(strides=3, padding="same"),
             dict(strides=4), dict(strides=(2, 3), padding="same", activation="relu"),
             dict(strides=2, output_padding=1), dict(strides=2, padding="same", output_padding=1), dict(dilation_rate=2)]
    return model(x, *[L.Conv2DTranspose(3 + i, (3, 2), **k)(x) for i, k in enumerate(kinds)],
                 L.Conv2DTranspose(2, 4, strides=2, padding="same", use_bias=False)(x), L.Conv2DTranspose(2, 2, strides=2)(x))


@case()
def pools():
    x, z = image(10, 12), keras.Input((11, 3), name="z")
    parts = []
    for P in (L.MaxPooling2D, L.AveragePooling2D):
        parts += [P(2)(x), P((3, 2), strides=(2, 3), padding="same")(x), P(3, strides=1, padding="same")(x), P(3, strides=2)(x)]
    for P in (L.MaxPooling1D, L.AveragePooling1D):
        parts += [P(2)(z), P(3, strides=2, padding="same")(z)]
    for P in (L.GlobalMaxPooling2D, L.GlobalAveragePooling2D):
        parts += [P()(x), P(keepdims=True)(x)]
    for P in (L.GlobalMaxPooling1D, L.GlobalAveragePooling1D):
        parts += [P()(z), P(keepdims=True)(z)]
    return model([x, z], *parts)


# ---------------------------------------------------------------- dense, normalisation

@case()
def dense():
    x, y, z = keras.Input((10,), name="x"), keras.Input((5, 10), name="y"), image(3, 4, 10, name="z")
    return model([x, y, z], L.Dense(7)(x), L.Dense(3, activation="softmax")(x), L.Dense(4, use_bias=False)(y),
                 L.Dense(6, activation="gelu")(z))


@case()
def batch_norm():
    """Folded and not, along other axes, without its parts, not trained."""
    x, v, s = image(8, 9), keras.Input((5,), name="v"), keras.Input((7, 6), name="s")
    frozen = L.BatchNormalization()
    frozen.trainable = False
    c = L.Conv2D(6, 3, use_bias=False)(x)
    return model([x, v, s], L.ReLU()(L.BatchNormalization()(c)), L.Add()([c, L.BatchNormalization(scale=False)(c)]),
                 L.Conv2D(3, 3, padding="same")(L.BatchNormalization(center=False, epsilon=1e-2)(x)), frozen(x),
                 L.BatchNormalization(scale=False, center=False)(x), L.BatchNormalization(axis=1)(x),
                 L.BatchNormalization()(v), L.BatchNormalization()(s), L.BatchNormalization(axis=1)(s),
                 L.BatchNormalization()(L.Conv2DTranspose(3, 2, strides=2)(x)),
                 L.BatchNormalization()(L.DepthwiseConv2D(3)(x)))


@case()
def layer_norm():
    x, s = image(4, 5, 6), keras.Input((7, 6), name="s")
    return model([x, s], L.LayerNormalization()(x), L.LayerNormalization(axis=[1, 2, 3])(x), L.LayerNormalization(scale=False)(s),
                 L.LayerNormalization(center=False, epsilon=1e-2)(s), L.LayerNormalization(axis=[-2, -1], center=False, scale=False)(s))


@case()
def preprocessing():
    x, v = image(4, 5, 3), keras.Input((4,), name="v")
    given = L.Normalization(mean=[1.0, 2.0, 3.0], variance=[4.0, 0.25, 1.0])
    learned, inverse, whole = L.Normalization(), L.Normalization(invert=True), L.Normalization(axis=None)
    rng = np.random.default_rng(1)
    for layer in (learned, inverse, whole):
        layer.adapt(rng.standard_normal((50, 4)).astype("f4") * 3 + 7)
    return model([x, v], given(x), learned(v), inverse(v), whole(v), L.Rescaling(1 / 127.5, -1)(x), L.Rescaling(2.0)(v),
                 L.Rescaling([1.0, 2.0, 3.0], [0.5, 0.0, -1.0])(x))


# ---------------------------------------------------------------- activations

NAMES = ("linear relu relu6 leaky_relu softmax celu elu selu softplus softsign squareplus soft_shrink sparse_plus silu gelu "
         "tanh tanh_shrink sigmoid sparse_sigmoid exponential hard_sigmoid hard_silu hard_tanh hard_shrink mish log_softmax "
         "log_sigmoid swish").split()


@case()
def activation_layers():
    x = keras.Input((3, 8), name="x")
    wide = L.Rescaling(3.0)(x)
    return model(x, *[L.Activation(name)(wide) for name in NAMES])


@case()
def activation_arguments():
    x = keras.Input((6,), name="x")
    return model(x, *[L.Dense(4, activation=name)(x) for name in NAMES])


@case()
def gated():
    x = keras.Input((3, 8), name="x")
    return model(x, L.Activation("glu")(x), L.Dense(4, activation="glu")(x))


@case()
def activation_classes():
    x = image(4, 5)
    wide = L.Rescaling(3.0)(x)
    relus = [dict(), dict(max_value=2.0), dict(negative_slope=0.2), dict(negative_slope=0.2, max_value=1.5), dict(threshold=0.7),
             dict(threshold=0.7, max_value=2.0), dict(threshold=0.7, negative_slope=0.3),
             dict(threshold=0.7, negative_slope=0.3, max_value=1.5)]
    return model(x, *[L.ReLU(**k)(wide) for k in relus], L.LeakyReLU()(wide), L.LeakyReLU(negative_slope=0.1)(wide),
                 L.ELU()(wide), L.ELU(alpha=0.4)(wide), L.Softmax()(wide), L.Softmax(axis=1)(wide), L.PReLU()(wide),
                 L.PReLU(shared_axes=[1, 2])(wide), L.Conv2D(3, 3, activation=L.LeakyReLU(negative_slope=0.25))(wide))


# ---------------------------------------------------------------- merging, shapes

@case()
def merges():
    x, y, v = image(4, 5), image(4, 5, name="y"), keras.Input((4,), name="v")
    pair = [x, y]
    gate = L.Reshape((1, 1, 4))(v)
    return model([x, y, v], L.Add()([x, y, x]), L.Subtract()(pair), L.Multiply()(pair), L.Average()([x, y, y]), L.Maximum()(pair),
                 L.Minimum()(pair), L.Concatenate()(pair), L.Concatenate(axis=1)([x, y, x]), L.Multiply()([x, gate]),
                 L.Add()([x, v]), L.Multiply()([v, v]))


@case()
def shapes():
    x, s, v = image(4, 6), keras.Input((6, 5), name="s"), keras.Input((5,), name="v")
    return model([x, s, v], L.Flatten()(x), L.Flatten()(s), L.Flatten()(v), L.Reshape((6, 4, 4))(x), L.Reshape((-1, 8))(x),
                 L.Permute((2, 1))(s), L.Permute((3, 1, 2))(x), L.RepeatVector(3)(v), L.ZeroPadding2D(2)(x),
                 L.ZeroPadding2D((1, 2))(x), L.ZeroPadding2D(((1, 0), (2, 3)))(x), L.ZeroPadding1D(2)(s), L.ZeroPadding1D((0, 3))(s),
                 L.Cropping2D(1)(x), L.Cropping2D((1, 2))(x), L.Cropping2D(((1, 0), (0, 2)))(x), L.Cropping1D(1)(s),
                 L.Cropping1D((2, 1))(s), L.UpSampling2D()(x), L.UpSampling2D((3, 1))(x),
                 L.UpSampling2D((2, 3), interpolation="bilinear")(x), L.UpSampling1D(3)(s),
                 L.Dense(3)(L.Flatten()(L.Conv2D(5, 3)(x))))


@case()
def nothing_to_do():
    x, s = image(4, 5), keras.Input((6, 5), name="s")
    y = x
    for layer in (L.Dropout(0.5), L.SpatialDropout2D(0.5), L.GaussianNoise(1.0), L.GaussianDropout(0.5), L.AlphaDropout(0.5),
                  L.ActivityRegularization(0.1), L.Identity(), L.RandomFlip(), L.RandomRotation(0.1), L.RandomZoom(0.1),
                  L.RandomTranslation(0.1, 0.1), L.RandomContrast(0.1)):
        y = layer(y)
    return model([x, s], L.Conv2D(3, 3)(y), L.Dropout(0.3)(L.SpatialDropout1D(0.5)(s)))


@case("keras")
def brightness():
    """Keras cannot save this one in .h5."""
    x = image(4, 5)
    return model(x, L.Conv2D(3, 3)(L.RandomBrightness(0.1)(x)))


@case("keras")
def functions():
    x, y = image(4, 5), image(4, 5, name="y")
    o = keras.ops
    return model([x, y], x + 3.0, 2.0 * x, x - y, 1.0 - x, x / 2.0, o.maximum(x, y), o.minimum(x, 0.5), -x, o.abs(x), o.exp(x),
                 o.relu(x), o.relu6(x), o.sigmoid(x), o.tanh(x), o.silu(x), o.hard_sigmoid(x), o.hard_silu(x), o.selu(x), o.softplus(x), o.softsign(x), o.divide(x, 2.0),
                 o.sqrt(o.abs(x)), o.log(o.exp(x)), o.power(o.exp(x), 1.5))


@case()
def channels_first():
    x = keras.Input((4, 9, 8), name="x")
    last = dict(data_format="channels_first")
    c = L.Conv2D(6, 3, strides=2, padding="same", **last)(x)
    n = L.ReLU()(L.BatchNormalization(axis=1)(c))
    d = L.DepthwiseConv2D(3, padding="same", **last)(n)
    p = L.MaxPooling2D(2, **last)(L.ZeroPadding2D(1, **last)(d))
    return model(x, n, p, L.UpSampling2D(2, **last)(d), L.GlobalAveragePooling2D(**last)(d), L.Dense(3)(L.Flatten(**last)(p)))


# ---------------------------------------------------------------- models

def inner_model(name):
    a = image(6, 6, name=f"{name}_in")
    b = L.BatchNormalization(name=f"{name}_bn")(L.Conv2D(4, 3, padding="same", name=f"{name}_conv")(a))
    return keras.Model(a, [b, L.GlobalAveragePooling2D(name=f"{name}_pool")(b)], name=name)


@case()
def nested():
    """Models in models, one of them called twice, layers that share their weights, several inputs and outputs."""
    x, y = image(6, 6), image(6, 6, name="y")
    inner, other = inner_model("inner"), inner_model("other")
    tail = keras.Sequential([L.Dense(5, activation="relu"), keras.Sequential([L.Dense(3)], name="last")], name="tail")
    u, v = inner(x)
    w, z = inner(u)
    shared = L.Dense(7, name="shared")
    return keras.Model([x, y], [shared(v), shared(z), w, tail(u), other(y)[1], L.Dropout(0.5)(u)])


@case()
def partly_trained():
    """A model in a model with layers that are not trained: the order of its weights in an .h5 changes."""
    body = keras.Sequential([image(6, 6), L.Conv2D(4, 3), L.BatchNormalization(), L.Conv2D(4, 3), L.BatchNormalization()], name="body")
    body.layers[0].trainable = False
    body.layers[3].trainable = False
    inner = inner_model("whole")
    inner.trainable = False
    x = image(6, 6)
    return model(x, body(x), inner(x)[0])


@case()
def named_outputs():
    x = image(6, 6)
    c = L.Conv2D(4, 3)(x)
    return keras.Model({"picture": x}, {"sum": L.GlobalAveragePooling2D()(c), "map": L.Activation("sigmoid")(c)})


@case()
def sequential():
    return keras.Sequential([keras.Input((8, 8, 2), name="in"), L.Conv2D(3, 3), L.BatchNormalization(), L.ReLU(), L.MaxPooling2D(),
                             L.Flatten(), L.Dropout(0.5), L.Dense(4, activation="softmax")])


@case()
def sequential_of_models():
    inner = inner_model("features")
    return keras.Sequential([image(6, 6), keras.Model(inner.input, inner.outputs[0], name="head"), L.Flatten(), L.Dense(3)])


@case()
def many_layers():
    """More entries in a group than one node of its index has."""
    x = y = keras.Input((4,), name="x")
    for i in range(70):
        y = L.Dense(4, activation="tanh", name=f"layer_{i}")(y)
    return model(x, y)


@case("keras")
def free_extents():
    x = keras.Input((None, None, 3), name="x")
    y = L.Conv2D(4, 3, strides=2, padding="same")(x)
    return model(x, L.GlobalMaxPooling2D()(y), L.UpSampling2D(2, interpolation="bilinear")(y))


@case("keras")
def half_weights():
    keras.config.set_dtype_policy("float16")
    try:
        x = keras.Input((8, 8, 3), dtype="float32", name="x")
        return model(x, L.Dense(3)(L.GlobalAveragePooling2D()(L.Conv2D(4, 3)(x))))
    finally:
        keras.config.set_dtype_policy("float32")
