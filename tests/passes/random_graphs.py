"""Seeded random graphs of operations that care about layout, for tests against brute force."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import numpy as np
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.dims import static
from nhwcc.compiler.ir import Func, Module, Op, Port, Region, Value
from nhwcc.compiler.ops.activation import Relu, Softmax
from nhwcc.compiler.ops.arith import Add, Mul, Sub
from nhwcc.compiler.ops.core import Const, Return
from nhwcc.compiler.ops.index import CumSum, Gather
from nhwcc.compiler.ops.linear import Linear, MatMul
from nhwcc.compiler.ops.norm import BatchNorm
from nhwcc.compiler.ops.reduce import Reduce
from nhwcc.compiler.ops.shape import Concat, Pad, Reshape, Slice, Split, Tile, Transpose
from nhwcc.compiler.ops.spatial import DepthToSpace, Resize, SpaceToDepth
from nhwcc.compiler.ops.window import Conv, MaxPool
from nhwcc.compiler.types import DType, TensorType
from nhwcc.compiler.weights import Weight

MAX_ELEMENTS = 4096


class Builder:
    """Grows one graph; ``values`` are what later operations may read."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.arrays = np.random.default_rng(seed)
        self.region = Region()
        self.values: list[Value] = []
        for i in range(self.rng.randint(1, 2)):
            sizes = [1, 2, 3, 4] if i == 0 else [2, 4]
            shape = tuple(self.rng.choice(sizes) for _ in range(self.rng.choice([2, 3, 4, 4, 4, 5])))
            arg = Value(TensorType(DType.F32, shape), None, f"x{i}")
            self.region.args.append(arg)
            self.values.append(arg)

    def constant(self, shape: tuple[int, ...], *, positive: bool = False) -> Value:
        array = self.arrays.standard_normal(shape)
        array = np.abs(array) + 0.5 if positive else array
        return self.region.insert(Const(Weight.of(array.astype(np.float32)))).results[0]

    def integers(self, values: object) -> Value:
        return self.region.insert(Const(Weight.of(np.asarray(values, np.int64)))).results[0]

    def insert(self, op: Op) -> None:
        self.region.insert(op)
        self.values += op.results

    def grow(self, count: int) -> None:
        """Insert up to ``count`` operations; a kind that does not fit the chosen value is passed over."""
        for _ in range(20 * count):
            x = self.rng.choice(self.values[-4:])
            kind = self.rng.choice(KINDS)
            try:
                kind(self, x, static(x.type.shape))
            except (CompileError, ValueError, IndexError):
                continue
            count -= 1
            if not count or math.prod(static(self.values[-1].type.shape)) > MAX_ELEMENTS:
                return

    def module(self) -> Module:
        leaves = [v for v in self.values if not v.uses][-3:] or [self.values[-1]]
        self.region.insert(Return(tuple(leaves)))
        inputs = [Port(a.name or "") for a in self.region.args]
        return Module(Func("main", self.region, inputs, [Port(f"y{i}") for i in range(len(leaves))]))


Kind = Callable[[Builder, Value, tuple[int, ...]], None]


def relu(b: Builder, x: Value, shape: tuple[int, ...]) -> None:
    b.insert(Relu(x))


def transpose(b: Builder, x: Value, shape: tuple[int, ...]) -> None:
    perm = list(range(len(shape)))
    b.rng.shuffle(perm)
    b.insert(Transpose(x, tuple(perm)))


def split_axes(b: Builder, x: Value, shape: tuple[int, ...]) -> None:
    rest, factors = math.prod(shape), list[int]()
    for d in (2, 2, 3, 2, 2):
        if rest % d == 0 and len(factors) < 4 and b.rng.random() < 0.7:
            factors.append(d)
            rest //= d
    factors.append(rest)
    b.rng.shuffle(factors)
    b.insert(Reshape(x, tuple(factors)))


def merge_axes(b: Builder, x: Value, shape: tuple[int, ...]) -> None:
    i = b.rng.randrange(len(shape) - 1)
    b.insert(Reshape(x, (*shape[:i], shape[i] * shape[i + 1], *shape[i + 2 :])))


def flatten(b: Builder, x: Value, shape: tuple[int, ...]) -> None:
    b.insert(Reshape(x, (shape[0], math.prod(shape[1:]))))


def add(b: Builder, x: Value, shape: tuple[int, ...]) -> None:
    b.insert(Add(x, b.rng.choice([v for v in b.values if v.type == x.type])))


def broadcast(b: Builder, x: Value, shape: tuple[int, ...]) -> None:
    kept = shape[len(shape) - b.rng.randint(0, len(shape)) :]
    y = b.constant(tuple(d if b.rng.random() < 0.6 else 1 for d in kept))
    b.insert(Mul(x, y) if b.rng.random() < 0.5 else Sub(y, x))


def reduce(b: Builder, x: Value, shape: tuple[int, ...]) -> None:
    dims = tuple(sorted(b.rng.sample(range(len(shape)), b.rng.randint(1, len(shape) - 1))))
    b.insert(Reduce(x, b.rng.choice(["sum", "max"]), dims, keepdims=b.rng.random() < 0.5))


def concat(b: Builder, x: Value, shape: tuple[int, ...]) -> None:
    axis = b.rng.randrange(len(shape))

    def fits(v: Value) -> bool:
        other = v.type.shape
        return len(other) == len(shape) and all(
            i == axis or d == e for i, (d, e) in enumerate(zip(other, shape, strict=True))
        )

    b.insert(Concat((x, b.rng.choice([v for v in b.values if fits(v)])), axis))


def joined_features(b: Builder, x: Value, shape: tuple[int, ...]) -> None:
    """Flatten, concat: what follows reads each stretch in its own order."""
    others = [v for v in b.values[-6:] if v.type.rank and v.type.shape[0] == shape[0]]
    flat = [
        b.region.insert(Reshape(v, (shape[0], math.prod(static(v.type.shape)[1:])))).results[0]
        for v in (x, b.rng.choice(others))
    ]
    b.insert(Concat(tuple(flat), 1))


def cut(b: Builder, x: Value, shape: tuple[int, ...]) -> None:
    axis = b.rng.choice([i for i, d in enumerate(shape) if d > 1])
    starts = tuple(int(i == axis) for i in range(len(shape)))
    b.insert(Slice(x, starts, tuple(d - s for d, s in zip(shape, starts, strict=True)), (1,) * len(shape)))


def pad(b: Builder, x: Value, shape: tuple[int, ...]) -> None:
    axis = b.rng.randrange(len(shape))
    low = tuple(int(i == axis) for i in range(len(shape)))
    b.insert(Pad(x, low, tuple(2 * p for p in low)))


def softmax(b: Builder, x: Value, shape: tuple[int, ...]) -> None:
    b.insert(Softmax(x, b.rng.randrange(len(shape))))


def conv(b: Builder, x: Value, shape: tuple[int, ...]) -> None:
    spatial = len(shape) - 2
    groups = b.rng.choice([1, 1, shape[1]])
    outputs = b.rng.choice([2, 4]) if groups == 1 else shape[1] * b.rng.choice([1, 1, 2])
    w = b.constant((outputs, shape[1] // groups, b.rng.choice([1, 3]), *[1] * (spatial - 1)))
    bias = b.constant((outputs,)) if b.rng.random() < 0.5 else None
    ones, pads = (1,) * spatial, ((1, 1), *[(0, 0)] * (spatial - 1))
    b.insert(Conv(x, w, bias, strides=ones, dilations=ones, pads=pads, groups=groups))


def pool(b: Builder, x: Value, shape: tuple[int, ...]) -> None:
    ones = (1,) * (len(shape) - 2)
    b.insert(MaxPool(x, tuple(2 * i for i in ones), ones, ones, tuple((0, 1) for _ in ones)))


def matmul(b: Builder, x: Value, shape: tuple[int, ...]) -> None:
    y = b.rng.choice([v for v in b.values if v.type == x.type])
    flip = b.rng.random() < 0.5
    b.insert(MatMul(x, y, transpose_a=not flip, transpose_b=flip))


def split(b: Builder, x: Value, shape: tuple[int, ...]) -> None:
    axis = b.rng.choice([i for i, d in enumerate(shape) if d > 1])
    b.insert(Split(x, axis, (1, shape[axis] - 1)))


def linear(b: Builder, x: Value, shape: tuple[int, ...]) -> None:
    axis = b.rng.choice([-1, -1, *range(len(shape))])
    outputs = b.rng.choice([1, 2, 3, 4])
    bias = b.constant((outputs,)) if b.rng.random() < 0.5 else None
    b.insert(Linear(x, b.constant((outputs, shape[axis])), bias, axis=axis))


def batch_norm(b: Builder, x: Value, shape: tuple[int, ...]) -> None:
    c = (shape[1],)
    b.insert(BatchNorm(x, b.constant(c), b.constant(c), b.constant(c), b.constant(c, positive=True)))


def gather(b: Builder, x: Value, shape: tuple[int, ...]) -> None:
    axis = b.rng.randrange(len(shape))
    b.insert(Gather(x, b.integers([[0, shape[axis] - 1]] if b.rng.random() < 0.5 else 0), axis))


def cumulate(b: Builder, x: Value, shape: tuple[int, ...]) -> None:
    b.insert(CumSum(x, b.rng.randrange(len(shape))))


def tile(b: Builder, x: Value, shape: tuple[int, ...]) -> None:
    b.insert(Tile(x, tuple(b.rng.choice([1, 2]) for _ in shape)))


def pixel_shuffle(b: Builder, x: Value, shape: tuple[int, ...]) -> None:
    if len(shape) != 4 or shape[1] % 4:
        raise ValueError("no blocks")
    b.insert(DepthToSpace(x, 2, b.rng.choice(["dcr", "crd"])))


def pixel_unshuffle(b: Builder, x: Value, shape: tuple[int, ...]) -> None:
    if len(shape) != 4 or shape[2] % 2 or shape[3] % 2:
        raise ValueError("no blocks")
    b.insert(SpaceToDepth(x, 2))


def channel_shuffle(b: Builder, x: Value, shape: tuple[int, ...]) -> None:
    n, c, *rest = shape
    split_channels = b.region.insert(Reshape(x, (n, 2, c // 2, *rest))).results[0]
    turned = b.region.insert(Transpose(split_channels, (0, 2, 1, *range(3, len(shape) + 1)))).results[0]
    b.insert(Reshape(turned, shape))


def resize(b: Builder, x: Value, shape: tuple[int, ...]) -> None:
    b.insert(Resize(x, (2, 3), (shape[2] * 2, shape[3] * 2)))


KINDS: tuple[Kind, ...] = (
    *(relu, transpose, transpose, split_axes, merge_axes, flatten, add, broadcast, reduce, concat, cut, pad, softmax),
    *(
        conv,
        conv,
        pool,
        matmul,
        split,
        linear,
        batch_norm,
        gather,
        cumulate,
        tile,
        pixel_shuffle,
        pixel_unshuffle,
        channel_shuffle,
        resize,
        joined_features,
        joined_features,
        linear,
    ),
)


def random_module(seed: int, most: int = 12) -> Module:
    """Return the graph of a seed: 2 to ``most`` operations, one to three outputs."""
    builder = Builder(seed)
    builder.grow(builder.rng.randint(2, most))
    return builder.module()
