"""Handlers of running sums, products and extremes along an axis."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ....compiler.budget import reserve
from ....compiler.ir import Op, Value
from ....compiler.ops import index as ir
from ....compiler.ops import logic
from ....compiler.ops.shape import Concat, Slice
from ....compiler.types import DType
from ..emitter import Emitter
from ..registry import aten
from .floats import logaddexp

Combine = Callable[[Sequence[Value], Sequence[Value]], tuple[Value, ...]]
"""Joins what was found up to a position with what was found after it, each as several tensors."""


@aten("cumsum")
def cumsum(emit: Emitter, x: Value, dim: int, *, dtype: DType | None = None) -> Value:
    """``cumsum``: each element is the sum of those up to it along an axis, in the result's element type."""
    x = emit.cast(x, emit.dtype)
    return emit(ir.CumSum(x, emit.axis(dim, x.type.rank))) if x.type.rank else x


@aten("cumprod")
def cumprod(emit: Emitter, x: Value, dim: int, *, dtype: DType | None = None) -> Value:
    """``cumprod``: each element is the product of those up to it along an axis, in the result's element type."""
    x = emit.cast(x, emit.dtype)
    return emit(ir.CumProd(x, emit.axis(dim, x.type.rank))) if x.type.rank else x


@aten("logcumsumexp")
def logcumsumexp(emit: Emitter, x: Value, dim: int) -> Value:
    """``logcumsumexp``: ``log(cumsum(exp(x)))`` without overflow, in steps over distances that double."""
    return _scanned(emit, (x,), dim, lambda a, b: (logaddexp(emit, a[0], b[0]),))[0]


@aten("cummax")
def cummax(emit: Emitter, x: Value, dim: int) -> tuple[Value, ...]:
    """The largest elements so far, and the positions of the last ones as large."""
    return _extremes(emit, x, dim, logic.GreaterEqual)


@aten("cummin")
def cummin(emit: Emitter, x: Value, dim: int) -> tuple[Value, ...]:
    """The smallest elements so far, and the positions of the last ones as small."""
    return _extremes(emit, x, dim, logic.LessEqual)


def _extremes(emit: Emitter, x: Value, dim: int, reaches: type[Op]) -> tuple[Value, ...]:
    """Elements that nothing before exceeds, NaN above all, with their positions."""
    if not x.type.rank:
        return x, emit.const(0, DType.I64)
    axis = emit.axis(dim, x.type.rank)
    size = x.type.shape[axis]
    if not isinstance(size, int):
        raise emit.fail(f"runs over {size} positions, a number that is not known", code="F004")
    reserve(size, what="the positions")
    line = np.arange(size).reshape([-1 if i == axis else 1 for i in range(x.type.rank)])
    places = emit.expand(emit.const(line, DType.I64), x.type.shape)

    def later(a: Sequence[Value], b: Sequence[Value]) -> tuple[Value, ...]:
        wins = emit(reaches(b[0], a[0]))
        if x.type.dtype.is_float:
            wins = emit(logic.LogicalOr(wins, emit(logic.IsNan(b[0]))))
        return tuple(emit(logic.Select(wins, new, old)) for old, new in zip(a, b, strict=True))

    return _scanned(emit, (x, places), dim, later)


def _scanned(emit: Emitter, parts: tuple[Value, ...], dim: int, combine: Combine) -> tuple[Value, ...]:
    """Join every position with all before it, over distances that double."""
    rank = parts[0].type.rank
    if not rank:
        return parts
    axis = emit.axis(dim, rank)
    size = parts[0].type.shape[axis]
    if not isinstance(size, int):
        raise emit.fail(f"runs over {size} positions, a number that is not known", code="F004")
    step = 1
    while step < size:
        before = [_stretch(emit, p, axis, 0, size - step) for p in parts]
        behind = [_stretch(emit, p, axis, step, size - step) for p in parts]
        kept = [_stretch(emit, p, axis, 0, step) for p in parts]
        joined = combine(before, behind)
        parts = tuple(emit(Concat((a, b), axis)) for a, b in zip(kept, joined, strict=True))
        step *= 2
    return parts


def _stretch(emit: Emitter, x: Value, axis: int, start: int, size: int) -> Value:
    shape = [size if i == axis else d for i, d in enumerate(x.type.shape)]
    return emit(Slice(x, tuple(start if i == axis else 0 for i in range(len(shape))), tuple(shape), (1,) * len(shape)))
