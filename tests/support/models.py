"""Small networks for tests of the product, as IR and as ONNX."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
from onnx import ModelProto, TensorProto, helper, numpy_helper

T = TypeVar("T")

CONV = """func @main(%image: f32[1,3,8,6]) -> (f32[1,4,4,3] {name = "map"}, f32[1,4] {name = "scores"}) {
  %w = const() {value = dense<[
    [[[0.3]], [[-0.7]], [[0.9]]], [[[-1.1]], [[0.2]], [[0.5]]],
    [[[0.8]], [[1.3]], [[-0.4]]], [[[-0.6]], [[0.1]], [[1.2]]]
  ]> : f32[4,3,1,1]} : f32[4,3,1,1]
  %c = conv(%image, %w, none) {strides = [2, 2], dilations = [1, 1], pads = [[0, 0], [0, 0]]} : f32[1,4,4,3] loc("conv")
  %r = relu(%c) : f32[1,4,4,3] loc("relu1")
  %m = reduce(%r) {kind = "mean", dims = [2, 3], keepdims = false} : f32[1,4] loc("mean1")
  return(%r, %m)
}
"""
"""A convolution with an image and a vector as outputs."""

SMALL = """func @main(%x: f32[1,3,4,2]) -> (f32[1,3,4,2] {name = "y"}) {
  %a = add(%x, %x) : f32[1,3,4,2] loc("twice")
  %y = relu(%a) : f32[1,3,4,2] loc("act")
  return(%y)
}
"""


def answering(value: T) -> Callable[..., T]:
    """Return a function that returns ``value`` whatever it is asked, for putting in the place of another."""

    def answer(*_args: object, **_kwargs: object) -> T:
        return value

    return answer


def write(path: Path, text: str) -> Path:
    """Write a text and return its path."""
    path.write_text(text, encoding="utf-8")
    return path


def onnx_model(*, batch: str | int = 1) -> ModelProto:
    """Return the same network as :data:`CONV`, as ONNX."""
    w = np.asarray([[0.3, -0.7, 0.9], [-1.1, 0.2, 0.5], [0.8, 1.3, -0.4], [-0.6, 0.1, 1.2]], np.float32)
    nodes = [
        helper.make_node("Conv", ["image", "w"], ["c"], "conv1", strides=[2, 2]),
        helper.make_node("Relu", ["c"], ["map"], "relu1"),
        helper.make_node("ReduceMean", ["map", "axes"], ["scores"], "mean1", keepdims=0),
    ]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [batch, 3, 8, 6])],
        [
            helper.make_tensor_value_info("map", TensorProto.FLOAT, [batch, 4, 4, 3]),
            helper.make_tensor_value_info("scores", TensorProto.FLOAT, [batch, 4]),
        ],
        [numpy_helper.from_array(w.reshape(4, 3, 1, 1), "w"), numpy_helper.from_array(np.asarray([2, 3]), "axes")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def write_onnx(path: Path, model: ModelProto | None = None) -> Path:
    """Write an ONNX model and return its path."""
    path.write_bytes((model or onnx_model()).SerializeToString())
    return path
