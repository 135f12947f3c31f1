"""merge-linear-branches on random sums of random branches: the same numbers, and no more arithmetic."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator

import numpy as np
import pytest
from nhwcc.compiler.dims import static
from nhwcc.compiler.ir import Func, Module, Op, Port, Region, Value
from nhwcc.compiler.ops.activation import Relu
from nhwcc.compiler.ops.arith import Add, Div, Mul, Sub
from nhwcc.compiler.ops.core import Const, Return
from nhwcc.compiler.ops.linear import Linear
from nhwcc.compiler.ops.shape import Concat
from nhwcc.compiler.ops.window import AveragePool, Conv
from nhwcc.compiler.parser import parse_module
from nhwcc.compiler.types import DType, TensorType
from nhwcc.compiler.verify import verify
from nhwcc.compiler.weights import Weight
from nhwcc.passes.merge_linear_branches import MergeLinearBranches

from nhwcc.testing import compare

SEEDS = range(150)


class Branches:
    """A sum, or a concat, of branches of one value; all give as many channels, of the same size."""

    def __init__(self, seed: int) -> None:
        self.rng, self.arrays = random.Random(seed), np.random.default_rng(seed)
        self.spatial = self.rng.choice([0, 1, 2, 2])
        self.last = self.rng.random() < 0.5
        self.channels = self.rng.choice([2, 4, 6])
        self.stride = self.rng.choice([1, 1, 2]) if self.spatial else 1
        self.slack = self.rng.choice([0, 0, 1])
        self.dtype = DType.F64 if self.rng.random() < 0.8 else DType.F32
        sizes = [self.rng.randint(7, 9) for _ in range(self.spatial or 1)]
        shape = (2, *sizes, self.channels) if self.last or not self.spatial else (2, self.channels, *sizes)
        self.region = Region()
        self.x = Value(TensorType(self.dtype, shape), None, "x")
        self.region.args.append(self.x)

    @property
    def axis(self) -> int:
        return self.x.type.rank - 1 if self.last or not self.spatial else 1

    def constant(self, *shape: int) -> Value:
        values = self.arrays.integers(-8, 9, shape) / 4
        return self.insert(Const(Weight.of(np.asarray(np.where(values == 0, 3, values), self.dtype.numpy))))

    def insert(self, op: Op) -> Value:
        return self.region.insert(op).results[0]

    def filters(self, inputs: int, outputs: int, kernel: tuple[int, ...]) -> Value:
        return self.constant(outputs, *kernel, inputs) if self.last else self.constant(outputs, inputs, *kernel)

    def conv(self, x: Value, outputs: int, *, stride: int, slack: int, largest: int = 3) -> Value:
        """A convolution whose windows begin anywhere before the first element or at it."""
        inputs = static(x.type.shape)[self.axis]
        bias = self.constant(outputs) if self.rng.random() < 0.5 else None
        if not self.spatial:
            return self.insert(Linear(x, self.constant(outputs, inputs), bias))
        groups = self.rng.choice([g for g in (1, 1, 2, inputs) if inputs % g == 0 and outputs % g == 0])
        kernel = tuple(self.rng.randint(1, largest) for _ in range(self.spatial))
        dilations = tuple(self.rng.choice([1, 1, 2]) for _ in kernel)
        reach = [d * (k - 1) for k, d in zip(kernel, dilations, strict=True)]
        before = [self.rng.randint(0, r) for r in reach]
        pads = tuple((b, slack + r - b) for b, r in zip(before, reach, strict=True))
        w = self.filters(inputs // groups, outputs, kernel)
        strides = (stride,) * self.spatial
        return self.insert(Conv(x, w, bias, strides, dilations, pads, groups, self.last))

    def branch(self, outputs: int) -> Value:
        kind = self.rng.choice(["conv", "conv", "conv", "chain", "average", "factor", "itself", "curved"])
        plain = outputs == self.channels and self.stride == 1 and (not self.slack or not self.spatial)
        if kind == "chain":
            first = self.conv(
                self.x, self.rng.choice([1, 2, 8, 24]), stride=1, slack=0, largest=self.rng.choice([1, 2])
            )
            return self.conv(first, outputs, stride=self.stride, slack=self.slack if self.spatial else 0)
        if kind == "average" and self.spatial and outputs == self.channels:
            pads = ((0, self.slack + 1),) * self.spatial
            ones = (1,) * self.spatial
            strides = (self.stride,) * self.spatial
            kernel = (2,) * self.spatial
            return self.insert(AveragePool(self.x, kernel, strides, ones, pads, False, True, self.last))
        if kind == "factor" and plain:
            shape = [1] * self.x.type.rank
            shape[self.axis] = self.channels
            factor = self.constant(*shape)
            return self.insert(self.rng.choice([Mul(self.x, factor), Mul(factor, self.x), Div(self.x, factor)]))
        if kind == "itself" and plain:
            return self.x
        y = self.conv(self.x, outputs, stride=self.stride, slack=self.slack)
        return self.insert(Relu(y)) if kind == "curved" else y

    def total(self) -> Value:
        outputs = self.rng.choice([self.channels, self.channels, 4])
        branches = [self.branch(outputs) for _ in range(self.rng.randint(2, 5))]
        if self.rng.random() < 0.2:
            return self.insert(Concat(tuple(branches), self.axis))
        while len(branches) > 1:
            a = branches.pop(self.rng.randrange(len(branches)))
            b = branches.pop(self.rng.randrange(len(branches)))
            branches.append(self.insert(self.rng.choice([Add, Add, Sub])(a, b)))
        return branches[0]

    def module(self) -> Module:
        y = self.total()
        self.region.insert(Return((y,)))
        return Module(Func("main", self.region, [Port("x")], [Port("y")]))


def cost(module: Module) -> int:
    """Multiplications, and sums and products of whole values."""
    counted = (op for op in module.walk() if isinstance(op, Conv | Linear | Add | Sub | Mul | Div | AveragePool))
    return sum(static((op.macs() if isinstance(op, Conv | Linear) else op.results[0].type.size,))[0] for op in counted)


def merged(seeds: range) -> Iterator[tuple[Module, Module, int]]:
    for seed in seeds:
        module, original = Branches(seed).module(), Branches(seed).module()
        MergeLinearBranches().run(module)
        yield module, original, seed


@pytest.mark.parametrize("first", SEEDS[::10])
def test_same_numbers_and_no_more_arithmetic(first: int) -> None:
    for module, original, seed in merged(range(first, first + 10)):
        verify(module)
        compare(module, original, f"seed {seed}")
        assert cost(module) <= cost(original), seed


def test_most_of_them_are_merged() -> None:
    fewer = Counter(len(list(m.walk())) < len(list(o.walk())) for m, o, _ in merged(SEEDS))
    assert fewer[True] > fewer[False]


def test_nothing_to_multiply_stays() -> None:
    module, original = (parse_module(NOTHING) for _ in range(2))
    MergeLinearBranches().run(module)
    verify(module)
    compare(module, original, "products over no features")


NOTHING = """func @main(%x: f32[2,0]) -> (f32[2,0]) {
  %w = const() {value = dense<[]> : f32[0,0]} : f32[0,0]
  %a = linear(%x, %w, none) : f32[2,0]
  %y = linear(%a, %w, none) : f32[2,0]
  return(%y)
}"""
