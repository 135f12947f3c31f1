"""The kinds of networks of ``small_nets`` once more in Keras, which TensorFlow's own converter is given."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray


def _keras() -> Any:
    return importlib.import_module("keras")


def _tensorflow() -> Any:
    return importlib.import_module("tensorflow")


def _unit(x: Any, given: int, kernel: int = 3, stride: int = 1) -> Any:
    """Return a convolution with a norm, without an activation."""
    layers = _keras().layers

    return layers.BatchNormalization()(layers.Conv2D(given, kernel, stride, padding="same", use_bias=False)(x))


def _deep(x: Any, kernel: int, stride: int = 1) -> Any:
    layers = _keras().layers

    return layers.BatchNormalization()(layers.DepthwiseConv2D(kernel, stride, padding="same", use_bias=False)(x))


def mobile(x: Any) -> Any:
    """Inverted residuals with squeeze-and-excitation."""
    layers = _keras().layers

    x = layers.Activation("hard_swish")(_unit(x, 16, stride=2))
    y = layers.Activation("hard_swish")(_deep(layers.Activation("hard_swish")(_unit(x, 64, 1)), 5))
    scale = layers.Conv2D(16, 1, activation="relu")(layers.GlobalAveragePooling2D(keepdims=True)(y))
    y = layers.Multiply()([y, layers.Conv2D(64, 1, activation="hard_sigmoid")(scale)])
    x = layers.Add()([x, _unit(y, 16, 1)])
    x = layers.ReLU(6.0)(_deep(layers.ReLU(6.0)(_unit(x, 48, 1)), 3, 2))
    return layers.Dense(10, "softmax")(layers.GlobalAveragePooling2D()(_unit(x, 24, 1)))


def residual(x: Any) -> Any:
    """Blocks of ResNet."""
    layers = _keras().layers

    x = layers.ReLU()(_unit(layers.ZeroPadding2D(3)(x), 16, 7, 2))
    x = layers.MaxPooling2D(3, 2, padding="same")(x)
    x = layers.ReLU()(layers.Add()([x, _unit(layers.ReLU()(_unit(x, 16)), 16)]))
    y = layers.Add()([_unit(x, 32, 1, 2), _unit(layers.ReLU()(_unit(x, 32, 3, 2)), 32)])
    return layers.Dense(10)(layers.GlobalAveragePooling2D()(layers.ReLU()(y)))


def transformer(x: Any) -> Any:
    """A small ViT without a class token."""
    layers = _keras().layers

    x = layers.Reshape((16, 32))(layers.Conv2D(32, 8, 8)(x))
    for _ in range(2):
        y = layers.LayerNormalization(epsilon=1e-5)(x)
        x = layers.Add()([x, layers.MultiHeadAttention(4, 8)(y, y)])
        y = layers.Dense(64, "gelu")(layers.LayerNormalization(epsilon=1e-5)(x))
        x = layers.Add()([x, layers.Dense(32)(y)])
    return layers.Dense(10)(layers.GlobalAveragePooling1D()(x))


def tagger(x: Any) -> Any:
    """Words to tags: an embedding, an LSTM in both directions, a GRU."""
    layers = _keras().layers

    x = layers.Bidirectional(layers.LSTM(16, return_sequences=True))(layers.Embedding(100, 24)(x))
    return layers.Dense(8, "softmax")(layers.GRU(16, return_sequences=True)(x))


def segmenter(x: Any) -> Any:
    """A U-Net: transposed convolution, resizing, pixel shuffle, concatenations."""
    layers, ops = _keras().layers, _keras().ops

    base: Any = layers.Layer

    class Shuffle(base):
        """Channels to pixels."""

        def call(self, x: Any) -> Any:
            """By TensorFlow's own operation."""
            return _tensorflow().nn.depth_to_space(x, 2)

    high = layers.LeakyReLU(0.1)(_unit(x, 16))
    middle = layers.ELU()(_unit(layers.MaxPooling2D(2)(high), 32))
    low = layers.ReLU()(_unit(layers.AveragePooling2D(2)(middle), 32))
    x = layers.Concatenate()([layers.Conv2DTranspose(16, 2, 2)(low), middle])
    x = layers.UpSampling2D(2, interpolation="bilinear")(layers.ReLU()(_unit(x, 32)))
    return ops.sigmoid(Shuffle()(layers.Conv2D(12, 3, padding="same")(layers.Concatenate()([x, high]))))


def detector(x: Any) -> Any:
    """Two scales, SiLU, boxes decoded by points of a grid, scores beside them."""
    layers, ops = _keras().layers, _keras().ops

    def silu(x: Any) -> Any:
        return layers.Activation("silu")(x)

    fine = silu(_unit(silu(_unit(x, 16, 3, 2)), 32, 3, 2))
    coarse = silu(_unit(fine, 32, 3, 2))
    fine = silu(_unit(layers.Concatenate()([layers.UpSampling2D(2)(coarse), fine]), 32))
    boxes: list[Any] = []
    scores: list[Any] = []
    for features, stride in ((fine, 4), (coarse, 8)):
        size = features.shape[1]
        y = layers.Reshape((size * size, 10))(layers.Conv2D(10, 1)(features))
        line = np.arange(size, dtype=np.float32)
        grid = np.stack(np.meshgrid(line, line), -1).reshape(1, size * size, 2)
        centers = (ops.sigmoid(y[:, :, :2]) * 2 - 0.5 + grid) * stride
        boxes.append(layers.Concatenate()([centers, ops.exp(y[:, :, 2:4]) * stride]))
        scores.append(ops.sigmoid(y[:, :, 4:]))
    return [layers.Concatenate(axis=1)(boxes), layers.Concatenate(axis=1)(scores)]


NETS: dict[str, tuple[Callable[[Any], Any], tuple[int, ...]]] = {
    "mobile": (mobile, (64, 64, 3)),
    "residual": (residual, (64, 64, 3)),
    "transformer": (transformer, (32, 32, 3)),
    "tagger": (tagger, (12,)),
    "segmenter": (segmenter, (32, 32, 3)),
    "detector": (detector, (64, 64, 3)),
}
"""The networks, and the shapes of their inputs without the batch."""


def build(name: str) -> tuple[Any, list[NDArray[Any]]]:
    """Make a network, and samples of its input."""
    keras = _keras()
    rng = np.random.default_rng(0)
    keras.utils.set_random_seed(0)
    make, shape = NETS[name]
    is_words = name == "tagger"
    x = keras.Input(shape, batch_size=1, dtype="int32" if is_words else "float32")
    model = keras.Model(x, make(x))
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            shapes = [w.shape for w in layer.get_weights()]
            layer.set_weights(
                [rng.uniform(low, low + 1, s) for low, s in zip((0.5, -0.5, -0.5, 0.5), shapes, strict=True)]
            )
    draw = rng.integers(0, 100, (8, 1, *shape)) if is_words else rng.standard_normal((8, 1, *shape))
    return model, list(draw.astype(np.int32 if is_words else np.float32))
