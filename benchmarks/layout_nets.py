"""Small ONNX networks about layout, made from a seed: what a compiler that guesses layouts gets wrong.

Every network has 2 to 12 operations, in two versions: with distinct sizes, and with all sizes equal, so that comparing
shapes tells nothing.

    python benchmarks/layout_nets.py DIR        writes all hundred of them
"""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

COUNT = 50
"""Networks; each comes in two versions."""

OPSET = 17


class Network:
    """An ONNX graph that grows operation by operation; ``tensors`` are what later operations may read."""

    def __init__(self, seed: int, *, equal: bool) -> None:
        self.rng = random.Random(seed)
        self.arrays = np.random.default_rng(seed)
        rank = self.rng.choice([3, 4, 4, 4, 4, 5])
        batch = self.rng.choice([1, 1, 2])
        sizes = [8, 6, 10, 4][: rank - 1]
        self.rng.shuffle(sizes)
        self.input = (batch, *((8,) * (rank - 1) if equal else sizes))
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self.tensors: list[tuple[str, tuple[int, ...]]] = [("x", self.input)]

    def constant(self, array: NDArray[Any]) -> str:
        """Add an initializer; floats become float32."""
        name = f"c{len(self.constants)}"
        array = array.astype(np.float32) if array.dtype.kind == "f" else array
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def weights(self, *shape: int) -> str:
        """Add random weights."""
        return self.constant(self.arrays.standard_normal(shape) / math.sqrt(math.prod(shape[1:]) or 1))

    def add(self, op: str, inputs: list[str], shapes: list[tuple[int, ...]], **attributes: Any) -> None:
        """Add a node with results of these shapes."""
        names = [f"t{len(self.tensors) + i}" for i in range(len(shapes))]
        self.nodes.append(helper.make_node(op, inputs, names, name=f"{op}_{len(self.nodes)}", **attributes))
        self.tensors += zip(names, shapes, strict=True)

    def model(self) -> onnx.ModelProto:
        """Finish: what nobody reads are the outputs."""
        read = {i for n in self.nodes for i in n.input}
        leaves = [(n, s) for n, s in self.tensors[1:] if n not in read]
        graph = helper.make_graph(
            self.nodes,
            "layout",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, self.input)],
            [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in leaves],
            self.constants,
        )
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)


Kind = Callable[[Network, str, tuple[int, ...]], bool]
"""Adds one operation on a tensor; False if it does not fit."""


def _activation(net: Network, x: str, shape: tuple[int, ...]) -> bool:
    net.add(net.rng.choice(["Relu", "Sigmoid", "LeakyRelu", "HardSwish"]), [x], [shape])
    return True


def _conv(net: Network, x: str, shape: tuple[int, ...]) -> bool:
    spatial = len(shape) - 2
    if spatial not in (1, 2, 3) or math.prod(shape) > 20_000:
        return False
    groups = net.rng.choice([1, 1, 1, shape[1]]) if spatial < 3 else 1
    outputs = net.rng.choice([4, 8]) if groups == 1 else shape[1]
    kernel = [net.rng.choice([1, 3]) for _ in range(spatial)]
    inputs = [x, net.weights(outputs, shape[1] // groups, *kernel), net.weights(outputs)]
    pads = [k // 2 for k in kernel] * 2
    net.add("Conv", inputs, [(shape[0], outputs, *shape[2:])], pads=pads, group=groups, kernel_shape=kernel)
    return True


def _pool(net: Network, x: str, shape: tuple[int, ...]) -> bool:
    if len(shape) != 4 or min(shape[2:]) < 4:
        return False
    sizes = tuple((d - 2) // 2 + 1 for d in shape[2:])
    net.add(
        net.rng.choice(["MaxPool", "AveragePool"]), [x], [(*shape[:2], *sizes)], kernel_shape=[2, 2], strides=[2, 2]
    )
    return True


def _along(net: Network, x: str, shape: tuple[int, ...]) -> bool:
    """A constant along one axis only, or a mask over the last two."""
    axis = net.rng.randrange(1, len(shape))
    extent = tuple(d if i == axis else 1 for i, d in enumerate(shape))
    extent = (*[1] * (len(shape) - 2), *shape[-2:]) if net.rng.random() < 0.3 else extent
    net.add(net.rng.choice(["Mul", "Add"]), [x, net.weights(*extent[net.rng.choice([0, 1]) :])], [shape])
    return True


def _merge(net: Network, x: str, shape: tuple[int, ...]) -> bool:
    same = [n for n, s in net.tensors if s == shape and n != x]
    if not same:
        return False
    net.add(net.rng.choice(["Add", "Mul"]), [x, net.rng.choice(same)], [shape])
    return True


def _permute(net: Network, x: str, shape: tuple[int, ...]) -> bool:
    perm = list(range(len(shape)))
    while perm == sorted(perm):
        net.rng.shuffle(perm)
    net.add("Transpose", [x], [tuple(shape[p] for p in perm)], perm=perm)
    return True


def _join_axes(net: Network, x: str, shape: tuple[int, ...]) -> bool:
    if len(shape) < 4:
        return False
    i = net.rng.randrange(1, len(shape) - 1)
    merged = (*shape[:i], shape[i] * shape[i + 1], *shape[i + 2 :])
    net.add("Reshape", [x, net.constant(np.asarray(merged, np.int64))], [merged])
    return True


def _split_axis(net: Network, x: str, shape: tuple[int, ...]) -> bool:
    even = [i for i in range(1, len(shape)) if shape[i] % 2 == 0 and shape[i] > 2]
    if len(shape) > 4 or not even:
        return False
    i = net.rng.choice(even)
    parts = (*shape[:i], 2, shape[i] // 2, *shape[i + 1 :])
    net.add("Reshape", [x, net.constant(np.asarray(parts, np.int64))], [parts])
    return True


def _concat(net: Network, x: str, shape: tuple[int, ...]) -> bool:
    axis = net.rng.randrange(1, len(shape))

    def fits(s: tuple[int, ...]) -> bool:
        return len(s) == len(shape) and all(i == axis or a == b for i, (a, b) in enumerate(zip(s, shape, strict=True)))

    name, other = net.rng.choice([(n, s) for n, s in net.tensors if fits(s)])
    joined = tuple(d + other[i] if i == axis else d for i, d in enumerate(shape))
    net.add("Concat", [x, name], [joined], axis=axis)
    return math.prod(joined) < 50_000


def _split(net: Network, x: str, shape: tuple[int, ...]) -> bool:
    wide = [i for i in range(1, len(shape)) if shape[i] > 2]
    if not wide:
        return False
    axis = net.rng.choice(wide)
    first = net.rng.randint(1, shape[axis] - 1)
    pieces = [tuple(n if i == axis else d for i, d in enumerate(shape)) for n in (first, shape[axis] - first)]
    net.add("Split", [x, net.constant(np.asarray([first, shape[axis] - first], np.int64))], pieces, axis=axis)
    return True


def _pad(net: Network, x: str, shape: tuple[int, ...]) -> bool:
    axis = net.rng.randrange(1, len(shape))
    pads = [int(i == axis) for i in range(len(shape))] + [2 * int(i == axis) for i in range(len(shape))]
    padded = tuple(d + 3 * int(i == axis) for i, d in enumerate(shape))
    net.add("Pad", [x, net.constant(np.asarray(pads, np.int64))], [padded])
    return True


def _slice(net: Network, x: str, shape: tuple[int, ...]) -> bool:
    wide = [i for i in range(1, len(shape)) if shape[i] > 2]
    if not wide:
        return False
    axis = net.rng.choice(wide)
    inputs = [net.constant(np.asarray([v], np.int64)) for v in (1, shape[axis], axis)]
    net.add("Slice", [x, *inputs], [tuple(d - int(i == axis) for i, d in enumerate(shape))])
    return True


def _reduce(net: Network, x: str, shape: tuple[int, ...]) -> bool:
    keep = len(shape) < 4 or net.rng.random() < 0.6
    axis = net.rng.randrange(1, len(shape))
    reduced = tuple(1 if i == axis else d for i, d in enumerate(shape) if keep or i != axis)
    net.add(net.rng.choice(["ReduceMean", "ReduceMax"]), [x], [reduced], axes=[axis], keepdims=int(keep))
    return True


def _softmax(net: Network, x: str, shape: tuple[int, ...]) -> bool:
    net.add("Softmax", [x], [shape], axis=net.rng.randrange(1, len(shape)))
    return True


def _matmul(net: Network, x: str, shape: tuple[int, ...]) -> bool:
    net.add("MatMul", [x, net.weights(shape[-1], 8)], [(*shape[:-1], 8)])
    return True


def _attend(net: Network, x: str, shape: tuple[int, ...]) -> bool:
    """A tensor times its own transpose."""
    perm = (*range(len(shape) - 2), len(shape) - 1, len(shape) - 2)
    net.add("Transpose", [x], [tuple(shape[p] for p in perm)], perm=perm)
    net.add("MatMul", [x, net.tensors[-1][0]], [(*shape[:-1], shape[-2])])
    return True


def _norm(net: Network, x: str, shape: tuple[int, ...]) -> bool:
    c = shape[1]
    positive = net.constant(np.abs(net.arrays.standard_normal(c)) + 0.5)
    net.add("BatchNormalization", [x, net.weights(c), net.weights(c), net.weights(c), positive], [shape])
    return True


def _flatten(net: Network, x: str, shape: tuple[int, ...]) -> bool:
    features = math.prod(shape[1:])
    if features > 2_000:
        return False
    net.add("Flatten", [x], [(shape[0], features)])
    net.add("Gemm", [net.tensors[-1][0], net.weights(8, features), net.weights(8)], [(shape[0], 8)], transB=1)
    return True


KINDS: tuple[Kind, ...] = (
    *(_conv, _conv, _conv, _pool, _activation, _along, _along, _merge, _permute, _permute, _join_axes, _split_axis),
    *(_concat, _split, _pad, _slice, _reduce, _softmax, _matmul, _attend, _norm, _flatten),
)


def network(seed: int, *, equal: bool) -> onnx.ModelProto:
    """Return the network of a seed, with distinct or with equal sizes."""
    net = Network(seed, equal=equal)
    count = net.rng.randint(2, 12)
    for _ in range(20 * count):
        if len(net.nodes) >= count:
            break
        name, shape = net.rng.choice(net.tensors[-3:])
        if len(shape) > 2:
            net.rng.choice(KINDS)(net, name, shape)
    return net.model()


def main() -> None:
    """Write all networks into a folder."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for seed in range(COUNT):
        for equal in (False, True):
            path = folder / f"net{seed:02d}-{'equal' if equal else 'distinct'}.onnx"
            path.write_bytes(network(seed, equal=equal).SerializeToString())


if __name__ == "__main__":
    main()
