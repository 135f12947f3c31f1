"""Picking elements by computed positions, for targets with plainer kernels."""

from __future__ import annotations

import math

import numpy as np

from ...compiler.constants import elements
from ...compiler.dims import Dim, is_static, static
from ...compiler.ir import Value
from ...compiler.lowering import Build
from ...compiler.ops import arith, logic
from ...compiler.ops.index import Gather, GatherNd, OneHot, ReverseSequence
from ...compiler.ops.reduce import Reduce
from ...compiler.ops.shape import Range
from ...compiler.types import DType
from ...compiler.value_ranges import nonnegative
from .index import wrapped

INDEX = (DType.I32, DType.I64)


def rows_by_position(op: GatherNd, e: Build) -> None:
    """Coordinates become one position in the flattened axes, by which rows are taken."""
    indices, depth = op.indices, op.indices.type.shape[-1]
    if op.batch_dims or not isinstance(depth, int) or not depth:
        return
    counted = op.x.type.shape[:depth]
    e.require(is_static(counted), "coordinates along axes whose sizes are open")
    if op.wraps and not nonnegative(indices):
        indices = wrapped(indices, op.x, tuple(range(depth)), e)
    if indices.type.dtype not in INDEX:
        indices = e(arith.Cast, indices, to=DType.I64)
    sizes = static(counted)
    steps = [math.prod(sizes[axis + 1 :]) for axis in range(depth)]
    scaled = e(arith.Mul, indices, e.constant(np.asarray(steps, indices.type.dtype.numpy)))
    last = indices.type.rank - 1
    places = e(Reduce, scaled, "sum", (last,), keepdims=False)
    rows = e.reshape(op.x, (math.prod(sizes), *op.x.type.shape[depth:]))
    e.replace(e(Gather, rows, places, axis=0, wraps=False))


def compared_with_positions(op: OneHot, e: Build) -> None:
    """One of two values wherever a position is the index."""
    values = elements(op.values)
    e.require(values is not None and isinstance(op.depth, int), "values or a depth that are computed")
    assert values is not None and isinstance(op.depth, int)
    shape = op.indices.type.shape
    axis = op.axis if op.axis >= 0 else op.axis + len(shape) + 1
    indices, dtype = op.indices, op.indices.type.dtype
    if op.wraps and not nonnegative(indices):
        from_end = e(arith.Add, indices, e.number(op.depth, dtype))
        indices = e(logic.Select, e(logic.Less, indices, e.number(0, dtype)), from_end, indices)
    spread = e.reshape(indices, (*shape[:axis], 1, *shape[axis:]))
    places = np.arange(op.depth, dtype=dtype.numpy).reshape(-1, *(1,) * (len(shape) - axis))
    off, on = (e.constant(np.asarray(v)) for v in values)
    e.replace(e(logic.Select, e(logic.Equal, spread, e.constant(places)), on, off))


def rows_in_other_order(op: ReverseSequence, e: Build) -> None:
    """Rows of every position along the batch, taken by their number in all of them."""
    shape = op.x.type.shape
    front = (op.batch, op.axis, *(a for a in range(len(shape)) if a not in (op.batch, op.axis)))
    moved = e.transpose(op.x, front)
    count, steps, *rest = moved.type.shape
    places = e.reshape(_counted(steps, e), (1, steps))
    ends = e.reshape(e(arith.Cast, op.lengths, to=DType.I32), (count, 1))
    mirrored = e(arith.Sub, e(arith.Sub, ends, 1), places)
    chosen = e(logic.Select, e(logic.Less, places, ends), mirrored, places)
    first = e(arith.Mul, e.reshape(_counted(count, e), (count, 1)), e.size(steps, DType.I32))
    rows = e.reshape(moved, (e.product((count, steps)), *rest))
    taken = e(Gather, rows, e(arith.Add, first, chosen), axis=0, wraps=False)
    e.replace(e.transpose(taken, tuple(front.index(axis) for axis in range(len(shape)))))


def _counted(size: Dim, e: Build) -> Value:
    """Return the numbers from zero up to a size."""
    return e(Range, e.number(0, DType.I32), e.number(1, DType.I32), size)
