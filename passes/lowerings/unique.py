"""Lowerings of finding the different elements, and where they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...compiler.dims import Dim, static
from ...compiler.ir import Value
from ...compiler.lowering import Build
from ...compiler.ops import arith, logic
from ...compiler.ops.index import ArgMax, CumSum, Gather, NonZero, OneHot, ScatterElements, TopK, Unique
from ...compiler.ops.reduce import Reduce
from ...compiler.ops.shape import BroadcastTo, Concat, Range, Slice
from ...compiler.types import DType
from .registry import lower

MAX_COMPARED = 1 << 24
"""Elements of the table that compares all slices; more would take more memory than is reasonable."""


@dataclass(frozen=True)
class _Found:
    """What there is of each different element: where it first stands, how often; and which one is where."""

    first: Value
    often: Value
    where: Value


@lower(Unique)
def sort_and_compare_neighbours(op: Unique, e: Build) -> None:
    """Sort, so that equal elements are neighbours; each run of them is one different element."""
    if op.axis is not None and op.x.type.rank > 1:
        return
    size = e.product(op.x.type.shape)
    x = e.reshape(op.x, (size,))
    e.require(size != 0, "different elements of nothing")
    ordered, places = e.each(TopK(x, size, 0, largest=False, dtype=DType.I32))
    begins = _begins(ordered, size, e)
    starts = e(arith.Cast, e.reshape(e(NonZero, begins, op.count, rows=True), (op.count,)), to=DType.I32)
    ends = e.rw.emit(Concat((_tail(starts, e), e.reshape(e.size(size, DType.I32), (1,))), 0))
    number = e(arith.Sub, e(CumSum, e(arith.Cast, begins, to=DType.I32), axis=0), 1)
    where = _scattered(places, number, size, e)
    found = _Found(e(Gather, places, starts, axis=0), e(arith.Sub, ends, starts), where)
    _replace(op, x, found if op.sorted else _in_order_of_places(found, op.count, e), e)


def _begins(ordered: Value, size: Dim, e: Build) -> Value:
    """Where sorted elements differ from the one before; the first one always does."""
    yes = e.constant(np.ones(1, np.bool_))
    if size == 1:
        return yes
    before = e(Slice, ordered, (0,), (size - 1,), (1,))
    return e.rw.emit(Concat((yes, e(logic.NotEqual, _tail(ordered, e), before)), 0))


def _tail(x: Value, e: Build) -> Value:
    return e(Slice, x, (1,), (x.type.shape[0] - 1,), (1,))


def _scattered(places: Value, values: Value, size: Dim, e: Build) -> Value:
    zeros = e(BroadcastTo, e.number(0, DType.I32), (size,))
    return e(ScatterElements, zeros, places, values, axis=0)


def _in_order_of_places(found: _Found, count: Dim, e: Build) -> _Found:
    """Number the elements by where they first stand instead of by size."""
    first, order = e.each(TopK(found.first, count, 0, largest=False, dtype=DType.I32))
    ranks = _scattered(order, _count(count, e), count, e)
    return _Found(first, e(Gather, found.often, order, axis=0), e(Gather, ranks, found.where, axis=0))


def _count(size: Dim, e: Build) -> Value:
    return e(Range, e.number(0, DType.I32), e.number(1, DType.I32), size)


def _replace(op: Unique, x: Value, found: _Found, e: Build) -> None:
    values = e(Gather, x, found.first, axis=op.axis or 0)
    e.replace(values, *(e(arith.Cast, v, to=DType.I64) for v in (found.first, found.where, found.often)))


@lower(Unique)
def compare_all_slices(op: Unique, e: Build) -> None:
    """A table of all pairs says which slices are equal and which are less at the first element that differs."""
    if op.axis is None or op.x.type.rank == 1:
        return
    size = op.x.type.shape[op.axis]
    rest = (
        e.product(op.x.type.shape)
        if size == 0
        else e.product([d for i, d in enumerate(op.x.type.shape) if i != op.axis])
    )
    elements = size * size * rest
    e.require(
        isinstance(elements, int) and 0 < elements <= MAX_COMPARED,
        f"different slices among {size} of {rest} elements, which are compared in pairs",
    )
    perm = (op.axis, *(i for i in range(op.x.type.rank) if i != op.axis))
    x = e.reshape(e.transpose(op.x, perm), (size, rest))
    a, b = e.reshape(x, (size, 1, rest)), e.reshape(x, (1, size, rest))
    differ = e(logic.NotEqual, a, b)
    equal = e(logic.LogicalNot, e(Reduce, differ, "any", (2,), keepdims=False))
    if op.x.type.dtype.is_float:  # NaN differs from itself
        equal = e(logic.LogicalOr, equal, e.constant(np.eye(*static((size,)), dtype=np.bool_)))
    first = e(ArgMax, equal, axis=1, keepdims=False, dtype=DType.I32)
    is_first = e(logic.Equal, first, _count(size, e))
    positions = e(arith.Cast, e.reshape(e(NonZero, is_first, op.count, rows=True), (op.count,)), to=DType.I32)
    often = e(Gather, _sum(equal, 1, e), positions, axis=0)
    number = e(arith.Sub, e(CumSum, e(arith.Cast, is_first, to=DType.I32), axis=0), 1)
    found = _Found(positions, often, e(Gather, number, first, axis=0))
    if op.sorted:
        found = _by_size(found, _less(a, b, differ, e), is_first, op.count, e)
    _replace(op, op.x, found, e)


def _less(a: Value, b: Value, differ: Value, e: Build) -> Value:
    """Whether a slice comes before another: at the first element in which they differ."""
    rest = differ.type.shape[2]
    at = e(ArgMax, differ, axis=2, keepdims=False, dtype=DType.I32)
    here = e(OneHot, at, e.constant(np.asarray([False, True])), depth=rest, axis=2)
    return e(Reduce, e(logic.LogicalAnd, here, e(logic.Less, a, b)), "any", (2,), keepdims=False)


def _sum(table: Value, axis: int, e: Build) -> Value:
    return e(Reduce, e(arith.Cast, table, to=DType.I32), "sum", (axis,), keepdims=False)


def _by_size(found: _Found, less: Value, is_first: Value, count: Dim, e: Build) -> _Found:
    """Number slices by how many different ones are less."""
    size = is_first.type.shape[0]
    counted = e(logic.LogicalAnd, less, e.reshape(is_first, (size, 1)))
    rank = _sum(counted, 0, e)
    ranks = e(Gather, rank, found.first, axis=0)
    first, often = (_scattered(ranks, v, count, e) for v in (found.first, found.often))
    return _Found(first, often, rank)
