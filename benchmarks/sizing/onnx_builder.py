"""Random networks as ONNX models, with sizes computed the way exporters write them."""

# ruff: noqa: D102 -- methods are called like the kinds of steps, which say what they are

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from .network import Network, Size, Step

OPSET = 17

FUNCTIONS = {"relu": "Relu", "sigmoid": "Sigmoid", "tanh": "Tanh", "add": "Add", "mul": "Mul"}


class OnnxBuilder:
    """Appends nodes; methods are called like the kinds of steps."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self.tensors: list[str] = []

    def node(self, kind: str, *inputs: str, outputs: int = 1, take: int = 0, **attributes: Any) -> str:
        """Append a node; return the name of one of its outputs."""
        names = [f"v{len(self.nodes)}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(kind, inputs, names, **attributes))
        return names[take]

    def const(self, value: object, dtype: type[np.generic] = np.int64) -> str:
        """Return a constant."""
        name = f"c{len(self.constants)}"
        array: NDArray[Any] = np.asarray(value).astype(dtype)
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def weight(self, *shape: int) -> str:
        """Return a random constant."""
        return self.const(self.rng.standard_normal(shape) * 0.5, np.float32)

    def axis(self, tensor: str, axis: int) -> str:
        """Return the size of a tensor along an axis, as a tensor of shape [1]."""
        return self.node("Gather", self.node("Shape", tensor), self.const([axis]))

    def size(self, size: Size) -> str:
        """Return a size, a product of sizes of tensors and a number, as a tensor of shape [1]."""
        if not size.reads:
            return self.const([size.factor])
        read = [self.axis(self.tensors[v], a) for v, a in size.reads]
        out = read[0]
        for other in read[1:]:
            out = self.node("Mul", out, other)
        if size.factor != 1:
            out = self.node("Mul", out, self.const([size.factor]))
        return out if size.divisor == 1 else self.node("Div", out, self.const([size.divisor]))

    def sizes(self, sizes: Sequence[Size]) -> str:
        """Return a vector of sizes."""
        return self.node("Concat", *map(self.size, sizes), axis=0)

    def unary(self, x: str, *, function: str) -> str:
        return self.node(FUNCTIONS[function], x)

    def binary(self, x: str, y: str, *, function: str) -> str:
        return self.node(FUNCTIONS[function], x, y)

    def affine(self, x: str, *, size: int) -> str:
        return self.node("Add", self.node("Mul", x, self.weight(size)), self.weight(size))

    def transpose(self, x: str, *, perm: tuple[int, ...]) -> str:
        return self.node("Transpose", x, perm=perm)

    def reshape(self, x: str, *, target: tuple[Size, ...]) -> str:
        return self.node("Reshape", x, self.sizes(target))

    def unsqueeze(self, x: str, *, axis: int) -> str:
        return self.node("Unsqueeze", x, self.const([axis]))

    def squeeze(self, x: str, *, axis: int) -> str:
        return self.node("Squeeze", x, self.const([axis]))

    def conv(self, x: str, *, weights: tuple[int, int], kernel: int, stride: int, pad: int, rank: int) -> str:
        weight = self.weight(*weights, *[kernel] * rank)
        return self.node("Conv", x, weight, self.weight(weights[0]), strides=[stride] * rank, pads=[pad] * 2 * rank)

    def pool(self, x: str, *, kernel: int, stride: int, mean: bool) -> str:
        kind = "AveragePool" if mean else "MaxPool"
        return self.node(kind, x, kernel_shape=[kernel] * 2, strides=[stride] * 2)

    def upsample(self, x: str) -> str:
        return self.node("Resize", x, "", self.const([1, 1, 2, 2], np.float32), **_nearest())

    def resize_like(self, x: str, y: str) -> str:
        wanted = [
            self.node("Slice", self.node("Shape", v), self.const([a]), self.const([b]))
            for v, a, b in ((x, 0, 2), (y, 2, 4))
        ]
        return self.node("Resize", x, "", "", self.node("Concat", *wanted, axis=0), mode="linear")

    def halve(self, x: str, *, axis: int) -> str:
        half = self.node("Div", self.axis(x, axis), self.const([2]))
        return self.node("Slice", x, self.const([0]), half, self.const([axis]))

    def crop(self, x: str, *, axis: int, low: int, high: int) -> str:
        end = self.const([-high if high else 2**62])
        return self.node("Slice", x, self.const([low]), end, self.const([axis]))

    def every_second(self, x: str, *, axis: int, first: int) -> str:
        return self.node("Slice", x, self.const([first]), self.const([2**62]), self.const([axis]), self.const([2]))

    def concat(self, x: str, y: str, *, axis: int) -> str:
        return self.node("Concat", x, y, axis=axis)

    def linear(self, x: str, *, size: int, out: int) -> str:
        return self.node("Add", self.node("MatMul", x, self.weight(size, out)), self.weight(out))

    def scores(self, x: str, y: str) -> str:
        rank = len(self.shapes[y])
        perm = (*range(rank - 2), rank - 1, rank - 2)
        return self.node("MatMul", x, self.node("Transpose", y, perm=perm))

    def softmax(self, x: str, *, axis: int) -> str:
        return self.node("Softmax", x, axis=axis)

    def reduce(self, x: str, *, function: str, axis: int, keep: bool) -> str:
        if function == "sum":
            return self.node("ReduceSum", x, self.const([axis]), keepdims=int(keep))
        return self.node({"mean": "ReduceMean", "max": "ReduceMax"}[function], x, axes=[axis], keepdims=int(keep))

    def expand(self, x: str, *, target: tuple[Size, ...]) -> str:
        return self.node("Expand", x, self.sizes(target))

    def tile(self, x: str, *, axis: int, rank: int) -> str:
        return self.node("Tile", x, self.const([2 if i == axis else 1 for i in range(rank)]))

    def positions(self, x: str, *, floats: bool) -> str:
        size = self.node("Squeeze", self.axis(x, len(self.shapes[x]) - 1))
        if floats:
            size = self.node("Cast", size, to=1)
            count = self.node("Range", self.const(0, np.float32), size, self.const(1, np.float32))
        else:
            count = self.node("Cast", self.node("Range", self.const(0), size, self.const(1)), to=1)
        return self.node("Add", x, count)

    def pad_to_multiple(self, x: str, *, axis: int, unit: int, rank: int) -> str:
        size, number = self.axis(x, axis), self.const([unit])
        whole = self.node("Mul", self.node("Div", self.node("Add", size, self.const([unit - 1])), number), number)
        lack = self.node("Sub", whole, size)
        pads = [
            self.const([0] * (rank + axis)),
            lack,
            *([self.const([0] * (rank - axis - 1))] if axis < rank - 1 else []),
        ]
        return self.node("Pad", x, self.node("Concat", *pads, axis=0))

    def norm(self, x: str, *, size: int) -> str:
        return self.node("LayerNormalization", x, self.weight(size), self.weight(size), axis=-1)

    def recurrent(self, x: str, *, size: int) -> str:
        weights = self.weight(1, 9, size), self.weight(1, 9, 3), self.weight(1, 18)
        out = self.node("GRU", x, *weights, outputs=2, hidden_size=3, linear_before_reset=1)
        return self.node("Squeeze", out, self.const([1]))

    def cumsum(self, x: str, *, axis: int) -> str:
        return self.node("CumSum", x, self.const(axis))

    def flip(self, x: str, *, axis: int) -> str:
        ends = self.const([-1]), self.const([-(2**62)]), self.const([axis]), self.const([-1])
        return self.node("Slice", x, *ends)

    def pyramid(self, x: str) -> str:
        means = self.node("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2])
        return self.node("Add", x, self.upsample(means))

    def rescale(self, x: str, *, ratio: float) -> str:
        scales = self.const([1, 1, ratio, ratio], np.float32)
        return self.node("Resize", x, "", scales, mode="linear", coordinate_transformation_mode="asymmetric")

    def fix_length(self, x: str, *, axis: int, size: int, rank: int) -> str:
        lack = self.node("Sub", self.const([size]), self.axis(x, axis))
        return self.padded(x, axis, rank, lack)

    def padded(self, x: str, axis: int, rank: int, lack: str) -> str:
        """Pad behind an axis."""
        rest = [self.const([0] * (rank - axis - 1))] if axis < rank - 1 else []
        return self.node("Pad", x, self.node("Concat", self.const([0] * (rank + axis)), lack, *rest, axis=0))

    def tail(self, x: str, *, axis: int, back: int) -> str:
        start = self.node("Sub", self.node("Div", self.axis(x, axis), self.const([2])), self.const([back]))
        return self.node("Slice", x, start, self.const([2**62]), self.const([axis]))

    def swap_halves(self, x: str, *, axis: int) -> str:
        parts = [f"v{len(self.nodes)}_{i}" for i in range(2)]
        self.nodes.append(helper.make_node("Split", [x], parts, axis=axis))
        return self.node("Concat", *parts[::-1], axis=axis)

    def causal(self, x: str) -> str:
        return self.node("Trilu", x, upper=0)

    def shuffle(self, x: str) -> str:
        return self.node("DepthToSpace", x, blocksize=2, mode="CRD")

    def roll(self, x: str, *, axis: int) -> str:
        half = self.node("Div", self.axis(x, axis), self.const([2]))
        back = self.node("Slice", x, half, self.const([2**62]), self.const([axis]))
        return self.node("Concat", back, self.node("Slice", x, self.const([0]), half, self.const([axis])), axis=axis)

    def stateful(self, x: str, *, size: int, batch: Size) -> str:
        zeros = self.node("ConstantOfShape", self.sizes((Size(factor=1), batch, Size(factor=3))))
        weights = self.weight(1, 9, size), self.weight(1, 9, 3), self.weight(1, 18)
        out = self.node("GRU", x, *weights, "", zeros, outputs=2, hidden_size=3, linear_before_reset=1)
        return self.node("Squeeze", out, self.const([1]))

    shapes: Mapping[str, Any]


def _nearest() -> dict[str, Any]:
    return {"mode": "nearest", "nearest_mode": "floor", "coordinate_transformation_mode": "asymmetric"}


def onnx_model(network: Network, seed: int) -> onnx.ModelProto:
    """Return a network as a model; what it gives has no declared shape."""
    b = OnnxBuilder(seed)
    b.tensors = [i.name for i in network.inputs]
    b.shapes = dict(zip(b.tensors, network.shapes, strict=False))
    for number, step in enumerate(network.steps, len(network.inputs)):
        b.tensors.append(_append(b, step))
        b.shapes = {**b.shapes, b.tensors[-1]: network.shapes[number]}
    inputs = [helper.make_tensor_value_info(i.name, 1, i.declared) for i in network.inputs]
    outputs = [helper.make_tensor_value_info(b.tensors[v], 1, None) for v in network.outputs]
    graph = helper.make_graph(b.nodes, "random", inputs, outputs, b.constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9)


def _append(b: OnnxBuilder, step: Step) -> str:
    method: Callable[..., str] = getattr(b, step.kind)
    return method(*(b.tensors[v] for v in step.operands), **step.given)
