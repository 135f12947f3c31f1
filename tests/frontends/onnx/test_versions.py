"""Operators as earlier versions of the operator set had them, against onnxruntime."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
from onnx import ModelProto
from onnx_models import imported, model, node, results

X = {"x": (2, 3, 4, 5)}
IMAGE = {"x": (1, 4, 6, 6)}
ONE = np.asarray([1.0, 1.0, 2.0, 2.0], np.float32)

CASES: dict[str, ModelProto] = {
    "Softmax flattens": model([node("Softmax", "x", "y", axis=2)], X, ["y"], version=11),
    "LogSoftmax flattens": model([node("LogSoftmax", "x", "y", axis=1)], X, ["y"], version=7),
    "Hardmax flattens": model([node("Hardmax", "x", "y", axis=3)], X, ["y"], version=11),
    "Clip by attributes": model([node("Clip", "x", "y", min=-0.5, max=0.25)], X, ["y"], version=7),
    "Clip without bounds": model([node("Clip", "x", "y")], X, ["y"], version=8),
    "Pad by attributes": model(
        [node("Pad", "x", "y", pads=[0, 1, -1, 2, 0, 0, 1, -2], value=1.5)], X, ["y"], version=10
    ),
    "Pad mirrors": model([node("Pad", "x", "y", pads=[0, 0, 1, 2, 0, 0, 1, 2], mode="reflect")], X, ["y"], version=7),
    "Slice by attributes": model(
        [node("Slice", "x", "y", starts=[1, -4], ends=[1000, -1], axes=[1, 3])], X, ["y"], version=9
    ),
    "Squeeze by attribute": model([node("Squeeze", "x", "y", axes=[0, 2])], {"x": (1, 3, 1, 2)}, ["y"], version=11),
    "Squeeze everything": model([node("Squeeze", "x", "y")], {"x": (1, 3, 1, 2)}, ["y"], version=11),
    "Unsqueeze by attribute": model([node("Unsqueeze", "x", "y", axes=[0, 3])], {"x": (3, 2)}, ["y"], version=11),
    "ReduceSum by attribute": model([node("ReduceSum", "x", "y", axes=[1, -1], keepdims=0)], X, ["y"], version=12),
    "ReduceL2 of everything": model([node("ReduceL2", "x", "y")], X, ["y"], version=13),
    "Split by attribute": model([node("Split", "x", "a b", axis=3, split=[2, 3])], X, ["a", "b"], version=11),
    "Split evenly": model([node("Split", "x", "a b", axis=2)], X, ["a", "b"], version=11),
    "TopK by attribute": model([node("TopK", "x", "v i", k=2, axis=1)], X, ["v", "i"], version=9),
    "Upsample by attribute": model(
        [node("Upsample", "x", "y", scales=[1.0, 1.0, 2.0, 3.0])], IMAGE, ["y"], version=7
    ),
    "Upsample by input": model(
        [node("Upsample", "x s", "y", mode="linear")], IMAGE, ["y"], {"s": ONE}, version=9
    ),
    "Resize at version 10": model(
        [node("Resize", "x s", "y", mode="nearest")], IMAGE, ["y"], {"s": ONE}, version=10
    ),
    "Resize by half pixels": model(
        [node("Resize", "x _ s", "y", mode="linear", coordinate_transformation_mode="pytorch_half_pixel")],
        IMAGE, ["y"], {"s": ONE}, version=13,
    ),
    "Dropout with a ratio": model([node("Dropout", "x", "y", ratio=0.5)], X, ["y"], version=7),
    "Gemm needs its bias": model(
        [node("Gemm", "x w c", "y", transB=1, alpha=0.5, beta=2.0)], {"x": (2, 3)}, ["y"],
        {"w": np.arange(12, dtype=np.float32).reshape(4, 3), "c": np.ones(4, np.float32)}, version=7,
    ),
    "Scatter": model(
        [node("Scatter", "x i u", "y", axis=1)], {"x": (1, 5)}, ["y"],
        {"i": np.asarray([[1, 3]]), "u": np.asarray([[9, 8]], np.float32)}, version=9,
    ),
    "AveragePool counts pads": model(
        [node("AveragePool", "x", "y", kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1)],
        IMAGE, ["y"], version=7,
    ),
    "MaxPool rounds up": model(
        [node("MaxPool", "x", "y", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1)], IMAGE, ["y"], version=10
    ),
    "Conv with SAME_LOWER": model(
        [node("Conv", "x w", "y", auto_pad="SAME_LOWER", strides=[2, 2], group=2)], IMAGE, ["y"],
        {"w": np.linspace(-1, 1, 64).reshape(4, 2, 2, 4).astype(np.float32)}, version=7,
    ),
    "BatchNormalization of version 9": model(
        [node("BatchNormalization", "x s b m v", "y", epsilon=0.01)], X, ["y"],
        {n: np.asarray([0.5, 1.0, 2.0], np.float32) for n in "sbmv"}, version=9,
    ),
    "LRN": model([node("LRN", "x", "y", size=3, alpha=0.1)], X, ["y"], version=7),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_agrees_with_onnxruntime(name: str) -> None:
    proto = CASES[name]
    x = feed(proto)
    (*got,) = results(imported(proto), x=x)
    want = onnxruntime(proto, x)
    assert len(got) == len(want)
    for g, w in zip(got, want, strict=True):
        assert (g.dtype, g.shape) == (w.dtype, w.shape)
        np.testing.assert_allclose(g, w, rtol=1e-5, atol=1e-6)


def feed(proto: ModelProto) -> Any:
    shape = [d.dim_value for d in proto.graph.input[0].type.tensor_type.shape.dim]
    return np.random.default_rng(3).standard_normal(shape).astype(np.float32)


def onnxruntime(proto: ModelProto, x: Any) -> list[Any]:
    session: Any = ort.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": x})


def test_version_6_broadcasts_along_an_axis() -> None:
    nodes = [node("Add", "x b", "s", broadcast=1, axis=1), node("PRelu", "s slope", "y")]
    constants = {"b": np.asarray([1, 2, 3], np.float32), "slope": np.asarray([0.5, 0.25, 0.125], np.float32)}
    x = np.random.default_rng(0).standard_normal((2, 3, 2, 2)).astype(np.float32) * 3
    (got,) = results(imported(model(nodes, {"x": x.shape}, ["y"], constants, version=6)), x=x)
    total = x + constants["b"].reshape(3, 1, 1)
    np.testing.assert_array_equal(got, np.where(total > 0, total, total * constants["slope"].reshape(3, 1, 1)))
