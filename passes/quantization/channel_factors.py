"""Which channels of which values can be multiplied by one factor without changing what a network computes.

Sums of products divide their weights by the factors of what they read and multiply them by those of what they compute;
between them, maxima, means, sums and moves let factors through.  Everything else needs the numbers as they are.
Channels lie along the last axis; each has a number, and channels with one number have one factor.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import singledispatchmethod

import numpy as np

from ...compiler.fold import constant
from ...compiler.ir import Func, Op, Value
from ...compiler.ops.activation import Clip, LeakyRelu, PRelu, Relu
from ...compiler.ops.arith import Add, Max, Min, Mul, Sub
from ...compiler.ops.linear import Linear
from ...compiler.ops.reduce import Reduce
from ...compiler.ops.shape import Concat, Pad, Reshape, Slice, Split
from ...compiler.ops.spatial import Resize
from ...compiler.ops.window import AveragePool, Conv, MaxPool
from ...compiler.types import Array, DType

Weighted = Linear | Conv

LINEAR = ("none", "relu")
"""Activations that a positive factor goes through."""

CEILINGS = {"relu6": 6.0}
"""Activations that it goes through below a bound."""


@dataclass
class ChannelFactors:
    """The numbers of the channels of each value of ``func``.

    ``fixed`` are numbers of channels without a factor, ``ceilings`` bounds above which values are clipped, by the
    value; ``weighted`` are the sums of products whose weights take factors.
    """

    func: Func
    channels: dict[Value, Array] = field(default_factory=lambda: dict[Value, Array]())
    fixed: set[int] = field(default_factory=lambda: set[int]())
    ceilings: dict[Value, float] = field(default_factory=lambda: dict[Value, float]())
    weighted: list[Weighted] = field(default_factory=lambda: list[Weighted]())
    _parents: list[int] = field(default_factory=lambda: list[int]())

    @staticmethod
    def of(func: Func) -> ChannelFactors:
        """Find the channels of a function whose factors can differ."""
        found = ChannelFactors(func)
        for op in func.ops:
            found._visit(op)
            for region in op.regions:
                for inner in region.walk():
                    found._fix(*inner.operands)
        found._fix(*func.args, *func.returns)
        found.fixed = {found._root(number) for number in found.fixed}
        return found

    def numbers(self, value: Value) -> Array:
        """Return the number of each channel of a value, the same one for channels that have one factor."""
        return np.array([self._root(int(n)) for n in self._channels(value)], np.int64)

    def _channels(self, value: Value) -> Array:
        if value not in self.channels:
            size = value.type.shape[-1] if value.type.rank else 1
            count = size if isinstance(size, int) else 1
            first = len(self._parents)
            self._parents += range(first, first + count)
            self.channels[value] = np.arange(first, first + count)
            if not isinstance(size, int) or value.type.dtype is not DType.F32 or constant(value) is not None:
                self._fix(value)
        return self.channels[value]

    def _root(self, number: int) -> int:
        parents = self._parents
        while parents[number] != number:
            parents[number] = parents[parents[number]]
            number = parents[number]
        return number

    def _fix(self, *values: Value | None) -> None:
        for value in values:
            if value is not None:
                self.fixed.update(int(n) for n in self._channels(value))

    def _join(self, a: Array, b: Array) -> None:
        """Let channels have one factor, one by one."""
        for first, second in zip(a, b, strict=True):
            self._parents[self._root(int(first))] = self._root(int(second))

    def _same(self, *values: Value) -> None:
        """Let the channels of values have one factor each, or none if they are not as many."""
        found = [self._channels(v) for v in values]
        if len({len(numbers) for numbers in found}) > 1:
            self._fix(*values)
            return
        for numbers in found[1:]:
            self._join(found[0], numbers)

    @singledispatchmethod
    def _visit(self, op: Op) -> None:
        """Operations of which nothing is known need numbers as they are."""
        self._fix(*op.operands, *op.results)

    @_visit.register
    def _(self, op: Linear) -> None:
        self._weighted(op, is_known=op.is_along_last)

    @_visit.register
    def _(self, op: Conv) -> None:
        self._weighted(op, is_known=op.channels_last)

    def _weighted(self, op: Weighted, *, is_known: bool) -> None:
        weight, bias = constant(op.w), op.bias
        has_weights = weight is not None and (bias is None or constant(bias) is not None)
        if not (is_known and has_weights and self._passes(op.activation, op.result)):
            self._fix(op.x, op.result)
            return
        self._channels(op.x)
        self._channels(op.result)
        self.weighted.append(op)

    def _passes(self, activation: str, result: Value) -> bool:
        """Say whether factors go through an activation; note up to where."""
        if activation in CEILINGS:
            self.ceilings[result] = CEILINGS[activation]
        return activation in LINEAR or activation in CEILINGS

    @_visit.register(Add | Sub | Max | Min)
    def _(self, op: Add | Sub | Max | Min) -> None:
        activation = getattr(op, "activation", "none")
        if op.a.type.shape == op.b.type.shape and self._passes(activation, op.result):
            self._same(op.a, op.b, op.result)
        else:
            self._fix(op.a, op.b, op.result)

    @_visit.register
    def _(self, op: Mul) -> None:
        """Of a product, one side may have factors: the one that is not spread over the other."""
        if op.activation not in LINEAR:
            self._fix(op.a, op.b, op.result)
            return
        whole, other = (op.a, op.b) if op.a.type.shape == op.result.type.shape else (op.b, op.a)
        self._fix(other)
        self._same(whole, op.result)

    @_visit.register(Relu | LeakyRelu)
    def _(self, op: Relu | LeakyRelu) -> None:
        self._same(op.x, op.result)

    @_visit.register
    def _(self, op: PRelu) -> None:
        self._fix(op.slope)
        self._same(op.x, op.result)

    @_visit.register
    def _(self, op: Clip) -> None:
        if op.min == 0 and op.max > 0:
            if not math.isinf(op.max):
                self.ceilings[op.result] = op.max
            self._same(op.x, op.result)
        else:
            self._fix(op.x, op.result)

    @_visit.register(MaxPool | AveragePool)
    def _(self, op: MaxPool | AveragePool) -> None:
        self._if(op.channels_last and len(op.results) == 1, op.x, *op.results)

    @_visit.register
    def _(self, op: Resize) -> None:
        self._if(op.x.type.rank - 1 not in op.dims, op.x, op.result)

    @_visit.register
    def _(self, op: Reduce) -> None:
        is_linear = op.kind in ("mean", "sum", "max", "min")
        self._if(is_linear and op.x.type.rank - 1 not in op.dims, op.x, op.result)

    @_visit.register
    def _(self, op: Pad) -> None:
        self._if(op.low[-1] == op.high[-1] == 0 and (op.mode != "constant" or op.value == 0), op.x, op.result)

    def _if(self, condition: bool, *values: Value) -> None:
        if condition:
            self._same(*values)
        else:
            self._fix(*values)

    @_visit.register
    def _(self, op: Reshape) -> None:
        """Axes after which channels come may be merged into these: each position has the channels then."""
        before, after = self._channels(op.x), self._channels(op.result)
        if len(before) and len(after) % len(before) == 0 and op.x.type.shape[-1:] == (len(before),):
            self._join(np.tile(before, len(after) // len(before)), after)
        else:
            self._fix(op.x, op.result)

    @_visit.register
    def _(self, op: Concat) -> None:
        if op.axis % op.result.type.rank == op.result.type.rank - 1:
            self._pieces(op.result, op.xs)
        else:
            self._same(op.result, *op.xs)

    @_visit.register
    def _(self, op: Split) -> None:
        if op.axis % op.x.type.rank == op.x.type.rank - 1:
            self._pieces(op.x, op.results)
        else:
            self._same(op.x, *op.results)

    def _pieces(self, whole: Value, pieces: Sequence[Value]) -> None:
        parts = np.concatenate([self._channels(piece) for piece in pieces])
        if len(parts) == len(self._channels(whole)):
            self._join(parts, self._channels(whole))
        else:
            self._fix(whole, *pieces)

    @_visit.register
    def _(self, op: Slice) -> None:
        start, size, step = op.starts[-1], op.sizes[-1], op.steps[-1]
        if isinstance(start, int) and isinstance(size, int):
            channels = self._channels(op.x)
            places = start + step * np.arange(size)
            if (places < len(channels)).all():
                self._join(channels[places], self._channels(op.result))
                return
        self._fix(op.x, op.result)


def scale_weights(op: Weighted, weight: Array, read: Array, made: Array) -> Array:
    """Return a weight that reads numbers multiplied by the factors ``read``, and makes ones multiplied by ``made``."""
    outputs, inputs = weight.shape[0], weight.shape[-1]
    groups = op.groups if isinstance(op, Conv) else 1
    own = read.reshape(groups, inputs).repeat(outputs // groups, 0)
    middle = (1,) * (weight.ndim - 2)
    return weight * made.reshape(outputs, *middle, 1) / own.reshape(outputs, *middle, inputs)
