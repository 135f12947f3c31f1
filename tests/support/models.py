"""Small networks for tests of the product, as IR and as ONNX."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from nhwcc.compiler.ir import Module
from nhwcc.compiler.types import Array
from nhwcc.source import load
from onnx import ModelProto, TensorProto, helper, numpy_helper, save_model

CONV = """func @main(%image: f32[1,3,8,6]) -> (f32[1,4,4,3] {name = "map"}, f32[1,4] {name = "scores"}) {
  %w = const() {value = @W : f32[4,3,3,3]} : f32[4,3,3,3]
  %c = conv(%image, %w, none) {strides = [2, 2], dilations = [1, 1], pads = [[1, 1], [1, 1]]} : f32[1,4,4,3] loc("conv1")
  %r = relu(%c) : f32[1,4,4,3] loc("relu1")
  %m = reduce(%r) {kind = "mean", dims = [2, 3], keepdims = false} : f32[1,4] loc("mean1")
  return(%r, %m)
}
"""
"""A convolution with an image and a vector as outputs; its filter is put in by :func:`conv_module`."""

SMALL = """func @main(%x: f32[1,3,4,2]) -> (f32[1,3,4,2] {name = "y"}) {
  %a = add(%x, %x) : f32[1,3,4,2] loc("twice")
  %y = relu(%a) : f32[1,3,4,2] loc("act")
  return(%y)
}
"""


def conv_text() -> str:
    """Return the text of a small convolutional network; its weights are in the text, so that it is one file."""
    values = np.random.default_rng(7).standard_normal((4, 3, 3, 3)).astype(np.float32).round(3)
    return _unfolded(CONV, values)


def _unfolded(text: str, weights: Array) -> str:
    """Build the filter from slices of 9 elements: longer constants would need a side file."""
    lines: list[str] = []
    for o in range(4):
        for i in range(3):
            numbers = ", ".join(map(str, weights[o, i].reshape(-1).tolist()))
            lines.append(f"  %w{o}{i} = const() {{value = dense<[{numbers}]> : f32[9]}} : f32[9]")
    names = ", ".join(f"%w{o}{i}" for o in range(4) for i in range(3))
    lines.append(f"  %flat = concat({names}) {{axis = 0}} : f32[108]")
    lines.append("  %w = reshape(%flat) {shape = [4, 3, 3, 3]} : f32[4,3,3,3]")
    head, _, tail = text.partition("\n")
    return "\n".join([head, *lines, *tail.splitlines()[1:]]) + "\n"


def write(path: Path, text: str) -> Path:
    """Write a text and return its path."""
    path.write_text(text, encoding="utf-8")
    return path


def conv_module(folder: Path) -> Module:
    """Return the convolutional network as IR."""
    return load(write(folder / "conv.ir", conv_text()))


def onnx_model(*, batch: str | int = 1) -> ModelProto:
    """Return an ONNX model: a convolution, a relu, a mean; inputs ``image``, outputs ``map`` and ``scores``."""
    w = np.random.default_rng(7).standard_normal((4, 3, 3, 3)).astype(np.float32)
    nodes = [
        helper.make_node("Conv", ["image", "w"], ["c"], "conv1", kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[2, 2]),
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
        [numpy_helper.from_array(w, "w"), numpy_helper.from_array(np.asarray([2, 3]), "axes")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def write_onnx(path: Path, model: ModelProto | None = None) -> Path:
    """Write an ONNX model and return its path."""
    save_model(model or onnx_model(), str(path))
    return path
