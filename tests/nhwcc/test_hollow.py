"""Wrong networks that look right where one looks badly: none of them passes as proven."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from nhwcc.compiler.types import Array
from onnx import ModelProto, TensorProto
from onnx_models import model, node

from nhwcc.comparison import compare_models
from nhwcc.sources import source_of
from nhwcc.verification import Settings, Verification

RNG = np.random.default_rng(7)
Make = Callable[[Any], ModelProto]


def normal(*shape: int, scale: float = 1.0) -> Array:
    return (RNG.standard_normal(shape) * scale).astype(np.float32)


IMAGE = {"x": (1, 3, 16, 16)}
FILTER, BOXES, CLASSES = normal(8, 3, 3, 3, scale=0.2), normal(4, 8, 1, 1, scale=120), normal(6, 8, 1, 1, scale=0.3)


def detector(flat: bool, bias: float) -> Make:
    """Boxes in pixels beside scores of a few thousandths."""

    def make(classes: Array) -> ModelProto:
        nodes = [
            *(node("Conv", "x w", "c"), node("Relu", "c", "r"), node("Conv", "r boxes", "b")),
            *(node("Conv", "r classes bias", "l"), node("Sigmoid", "l", "s"), node("Concat", "b s", "y0", axis=1)),
            node("Flatten", "y0", "y") if flat else node("Identity", "y0", "y"),
        ]
        given = {"w": FILTER, "boxes": BOXES, "classes": classes, "bias": np.full(6, bias, np.float32)}
        return model(nodes, IMAGE, ["y"], given)

    return make


def vector(scores: Array) -> ModelProto:
    """Four coordinates and six scores for the whole picture."""
    nodes = [
        *(node("MatMul", "x b", "p"), node("MatMul", "x s", "q"), node("Softmax", "q", "r"), node("Mul", "r k", "t")),
        node("Concat", "p t", "y", axis=1),
    ]
    given = {"b": RECTANGLE, "s": scores, "k": np.asarray(1e-3, np.float32)}
    return model(nodes, {"x": (1, 16)}, ["y"], given)


RECTANGLE, SCORES = normal(16, 4, scale=200), normal(16, 6)


def clipped(high: float) -> ModelProto:
    given = {"w": FILTER, "lo": np.float32(0), "hi": np.float32(high)}
    return model([node("Conv", "x w", "c"), node("Clip", "c lo hi", "y")], IMAGE, ["y"], given)


def thresholded(limit: float) -> ModelProto:
    nodes = [node("Greater", "x k", "g"), node("Where", "g x z", "y")]
    return model(nodes, {"x": (4, 64)}, ["y"], {"k": np.float32(limit), "z": np.float32(0)})


def embedding(element: int) -> Make:
    def make(rows: Array) -> ModelProto:
        nodes = [node("Cast", "i", "j", to=TensorProto.INT64), node("Gather", "t j", "y")]
        return model(nodes, {"i": (1, 64)}, ["y"], {"t": rows}, element=element)

    return make


ROWS = normal(256, 8)


def cut(rows: Array, start: int) -> Array:
    return np.where(np.arange(len(rows))[:, None] < start, rows, 0).astype(np.float32)


def wrapping(lowest: int) -> ModelProto:
    """Positions that count from the end, and what takes them for the first one."""
    nodes = [node("Max", "i k", "j"), node("Gather", "t j", "y")]
    return model(nodes, {"i": (1, 64)}, ["y"], {"t": ROWS, "k": np.int64(lowest)}, element=TensorProto.INT64)


def brightness(high: int) -> ModelProto:
    nodes = [node("Cast", "x", "f", to=TensorProto.FLOAT), node("Clip", "f lo hi", "y")]
    given = {"lo": np.float32(0), "hi": np.float32(high)}
    return model(nodes, {"x": (1, 8, 8, 3)}, ["y"], given, element=TensorProto.UINT8)


def chaotic(k: float) -> ModelProto:
    return model([node("Mul", "x k", "m"), node("Sin", "m", "y")], {"x": (1, 64)}, ["y"], {"k": np.float32(k)})


def squashed(function: str, bias: float) -> Make:
    """A function that is saturated wherever it is looked at."""

    def make(weight: Array) -> ModelProto:
        nodes = [node("MatMul", "x w", "m"), node("Tanh", "m", "t"), node("Add", "t b", "a"), node(function, "a", "y")]
        return model(nodes, {"x": (4, 16)}, ["y"], {"w": weight, "b": np.float32(bias)})

    return make


WEIGHT, OTHER = normal(16, 16), normal(16, 16)


def nothing(function: str) -> ModelProto:
    """Numbers that are none."""
    return model([node("Abs", "x", "a"), node("Sub", "k a", "m"), node(function, "m", "y")], {"x": (2, 8)}, ["y"],
                 {"k": np.float32(-1)})  # fmt: skip


def shifted(sign: float) -> ModelProto:
    return model([node("Mul", "x s", "m"), node("Add", "m k", "y")], {"x": (4, 64)}, ["y"],
                 {"s": np.float32(sign), "k": np.float32(1e6)})  # fmt: skip


def improbable(order: slice) -> ModelProto:
    """Probabilities of which only the first is not next to 0."""
    logits = np.concatenate([[12.0], np.linspace(0, -3, 63)[order]]).astype(np.float32)
    return model([node("Mul", "x e", "m"), node("Add", "m b", "l"), node("Softmax", "l", "y")], {"x": (1, 64)}, ["y"],
                 {"e": np.float32(1e-2), "b": logits})  # fmt: skip


def channels(gains: Array) -> ModelProto:
    return model([node("Conv", "x w", "c"), node("Mul", "c g", "y")], IMAGE, ["y"],
                 {"w": FILTER, "g": gains.reshape(1, 8, 1, 1)})  # fmt: skip


GAINS = np.asarray([1e3, 1, 1, 1, 1, 1, 1e-3, 1e-3], np.float32)
LOST = np.asarray([1e3, 1, 1, 1, 1, 1, 1e-3, 0], np.float32)


def winner(weight: Array) -> ModelProto:
    """The class of a network that always says the same."""
    bias = np.where(np.arange(16) == 3, 1e4, 0).astype(np.float32)
    nodes = [node("MatMul", "x w", "m"), node("Add", "m b", "a"), node("ArgMax", "a", "y", axis=1)]
    return model(nodes, {"x": (4, 16)}, ["y"], {"w": weight, "b": bias})


def alarm(limit: float) -> ModelProto:
    return model([node("Greater", "x k", "y")], {"x": (4, 64)}, ["y"], {"k": np.float32(limit)})


def found(limit: float) -> ModelProto:
    return model([node("Greater", "x k", "g"), node("NonZero", "g", "y")], {"x": (4, 64)}, ["y"],
                 {"k": np.float32(limit)})  # fmt: skip


def centred(axis: int) -> ModelProto:
    """Over the batch or over the channels: where both have one element, the same."""
    nodes = [node("ReduceMean", "x a", "m", keepdims=1), node("Sub", "x m", "y")]
    return model(nodes, {"x": ("batch", 1, 5)}, ["y"], {"a": np.asarray([axis], np.int64)})


def scored(weight: Array) -> ModelProto:
    """One number for a picture, squashed."""
    nodes = [node("MatMul", "x w", "m"), node("Sub", "m k", "s"), node("Sigmoid", "s", "y")]
    return model(nodes, {"x": (1, 16)}, ["y"], {"w": weight, "k": np.float32(1e5)})


VALUES = normal(1, 32)


def written(rows: int) -> ModelProto:
    """Rows of a cache; what is written beyond some of them is lost."""
    nodes = [node("Cast", "x", "i", to=TensorProto.INT64), node("Mod", "i r", "j"),
             node("ScatterElements", "z j v", "y", axis=1, reduction="add")]  # fmt: skip
    given = {"r": np.int64(rows), "z": np.zeros((1, 256), np.float32), "v": VALUES}
    return model(nodes, {"x": (1, 32)}, ["y"], given, element=TensorProto.UINT8)


def normalized(epsilon: float) -> ModelProto:
    """Numbers over their spread; the epsilon beside it counts where that is tiny."""
    nodes = [node("LayerNormalization", "x s", "y", epsilon=epsilon)]
    return model(nodes, {"x": (4, 32)}, ["y"], {"s": np.ones(32, np.float32)})


def attending(future: int) -> ModelProto:
    """Attention to what is not more than so far in the future."""
    nodes = [
        *(node("Transpose", "x", "k", perm=[0, 2, 1]), node("MatMul", "x k", "s"), node("Mul", "s d", "t")),
        *(node("Add", "t m", "u"), node("Softmax", "u", "p"), node("MatMul", "p x", "y")),
    ]
    mask = np.triu(np.full((8, 8), -1e9, np.float32), future)
    return model(nodes, {"x": (1, 8, 16)}, ["y"], {"m": mask, "d": np.float32(0.1)})


def stepped(scale: float) -> ModelProto:
    nodes = [node("QuantizeLinear", "x s z", "q"), node("DequantizeLinear", "q s z", "y")]
    return model(nodes, {"x": (4, 64)}, ["y"], {"s": np.float32(scale), "z": np.int8(0)})


def bytes_out(high: float) -> ModelProto:
    """A picture of bytes, of which some are beyond a limit."""
    nodes = [node("Conv", "x w", "c"), node("Clip", "c lo hi", "d"), node("Cast", "d", "y", to=TensorProto.UINT8)]
    return model(nodes, IMAGE, ["y"], {"w": FILTER, "lo": np.float32(0), "hi": np.float32(high)})


def decided(operator: str) -> ModelProto:
    """The same but where a number is exactly 0."""
    return model([node(operator, "x z", "g"), node("Where", "g x k", "y")], {"x": (4, 64)}, ["y"],
                 {"z": np.float32(0), "k": np.float32(1)})  # fmt: skip


def first_of(last: int) -> ModelProto:
    nodes = [node("ArgMax", "x", "y", axis=1, select_last_index=last)]
    return model(nodes, {"x": (64, 4)}, ["y"])


def absolute(operator: str) -> ModelProto:
    """Integers that are numbers, and may be negative."""
    nodes = [node(operator, "i", "j"), node("Mul", "j t", "k"), node("Add", "k t", "y")]
    return model(nodes, {"i": (4, 16)}, ["y"], {"t": np.int64(3)}, element=TensorProto.INT64)


def counted_down(floor: int) -> ModelProto:
    nodes = [node("Sub", "i k", "j"), node("Max", "j m", "y")]
    return model(nodes, {"i": (4, 16)}, ["y"], {"k": np.int64(2), "m": np.int64(floor)}, element=TensorProto.INT64)


def signs(at_zero: float) -> ModelProto:
    nodes = [node("Equal", "x z", "e"), node("Sign", "x", "s"), node("Where", "e k s", "y")]
    return model(nodes, {"x": (4, 16)}, ["y"], {"z": np.float32(0), "k": np.float32(at_zero)})


def inside(limit: float) -> ModelProto:
    """A limit far inside of a network."""
    nodes = [node("Conv", "x w", "c"), node("Relu", "c", "r"), node("Min", "r k", "y")]
    return model(nodes, IMAGE, ["y"], {"w": FILTER, "k": np.float32(limit)})


PAIRS: dict[str, tuple[Make, Any, Any]] = {
    "class scores reversed beside boxes": (detector(False, -8), CLASSES, CLASSES[::-1].copy()),
    "class scores of which none is left": (detector(False, -8), CLASSES, CLASSES * 0 - 20),
    "the same, flattened": (detector(True, -8), CLASSES, CLASSES[::-1].copy()),
    "scores of a millionth": (detector(False, -12), CLASSES, CLASSES[::-1].copy()),
    "six scores beside four coordinates": (vector, SCORES, SCORES[:, ::-1].copy()),
    "a clip at 6 that is none": (clipped, 6.0, 1e9),
    "a clip at 20 that is none": (clipped, 20.0, 1e9),
    "a threshold that is rarely reached": (thresholded, 9.0, 1e9),
    "an embedding that ends": (embedding(TensorProto.INT64), ROWS, cut(ROWS, 4)),
    "an embedding whose upper half is missing": (embedding(TensorProto.UINT8), ROWS, cut(ROWS, 128)),
    "an embedding without its last row": (embedding(TensorProto.INT32), ROWS, cut(ROWS, 255)),
    "positions from the end": (wrapping, -256, 0),
    "a picture whose bright half is lost": (brightness, 255, 127),
    "a chaotic function beside another one": (chaotic, 1e8, 3e7),
    "scores that are all 1": (squashed("Sigmoid", 50), WEIGHT, OTHER),
    "scores that are nearly 1": (squashed("Sigmoid", 12), WEIGHT, OTHER),
    "numbers that are nearly 1": (squashed("Tanh", 7), WEIGHT, OTHER),
    "zeros behind a ReLU": (squashed("Relu", -5), WEIGHT, OTHER),
    "numbers that are none": (nothing, "Log", "Sqrt"),
    "what varies beside a large offset": (shifted, 1.0, -1.0),
    "the improbable classes reversed": (improbable, slice(None), slice(None, None, -1)),
    "a channel of a thousandth that is lost": (channels, GAINS, LOST),
    "a class that is always the same": (winner, WEIGHT, OTHER),
    "a decision that never falls": (alarm, 200.0, 300.0),
    "nothing that is found": (found, 200.0, 300.0),
    "a mean over another axis of one element": (centred, 0, 1),
    "one score that is always 0": (scored, WEIGHT[:, :1], OTHER[:, :1]),
    "a cache whose end is never written": (written, 256, 32),
    "an epsilon beside a tiny variance": (normalized, 1e-12, 1e-5),
    "a causal mask that is one off": (attending, 1, 2),
    "a step of quantization that is nearly right": (stepped, 0.05, 0.0501),
    "bytes that end early": (bytes_out, 255.0, 250.0),
    "greater, or equal": (decided, "Greater", "GreaterOrEqual"),
    "the first of equals, or the last": (first_of, 0, 1),
    "integers without their sign": (absolute, "Abs", "Identity"),
    "integers that end at 0": (counted_down, -100, 0),
    "the sign of 0": (signs, 0.0, 1.0),
    "a threshold that is a little higher": (thresholded, 0.5, 0.503),
    "a limit inside that is never reached": (inside, 300.0, 1e9),
}


def compared(first: ModelProto, second: ModelProto) -> Verification:
    return compare_models(source_of(first), source_of(second), Settings(), 10.0).numbers


@pytest.mark.parametrize("name", PAIRS)
def test_a_wrong_network_is_not_proven(name: str) -> None:
    make, right, wrong = PAIRS[name]
    assert not compared(make(right), make(wrong)).proven


SAY_NOTHING = {
    *("scores that are all 1", "zeros behind a ReLU", "numbers that are none", "a class that is always the same"),
    "one score that is always 0",
}
"""Networks whose results prove nothing of themselves either."""


@pytest.mark.parametrize("name", PAIRS)
def test_a_network_is_proven_to_be_itself_unless_it_says_nothing(name: str) -> None:
    make, right, _ = PAIRS[name]
    found = compared(make(right), make(right))
    assert found.ok and found.proven is (name not in SAY_NOTHING)
