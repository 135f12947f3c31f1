"""Lowerings of gathering whose positions are not of 32 bits."""

from __future__ import annotations

from typing import Any

from ....compiler.ops import arith, logic
from ....compiler.ops.index import ArgMax, ArgMin, Gather, GatherElements, GatherNd, NonZero, OneHot, ReverseSequence
from ....compiler.ops.shape import Range
from ....compiler.types import DType
from ....passes.lowerings.by_position import compared_with_positions
from .lowering import Build, lower

lower(OneHot)(compared_with_positions)


@lower(ArgMax, ArgMin)
def search_along_the_middle(op: Any, e: Build) -> None:
    """Axes that are too many are merged, but for the one that is searched along."""
    shape, axis = op.x.type.shape, op.axis
    if len(shape) > e.target.limits.rank and not op.last and not op.keepdims:
        folded = e.reshape(op.x, (e.product(shape[:axis]), shape[axis], e.product(shape[axis + 1 :])))
        e.replace(e.reshape(e.clone(op, folded, axis=1), op.result.type.shape))


@lower(NonZero, benefit=2)
def row_for_each(op: NonZero, e: Build) -> None:
    """Positions are of 32 bits, and there is a row for each."""
    if op.dtype is not DType.I32:
        e.replace(e(arith.Cast, e.clone(op, op.x, dtype=DType.I32), to=op.dtype))
    elif not op.rows and op.x.type.rank:
        e.replace(e.transpose(e.clone(op, op.x, rows=True), (1, 0)))


@lower(Gather, GatherNd, GatherElements, benefit=2)
def pick_by_i32(op: Gather | GatherNd | GatherElements, e: Build) -> None:
    """TensorFlow.js takes positions as i32: convert others to that."""
    if op.indices.type.dtype is not DType.I32:
        e.replace(e.clone(op, op.x, e(arith.Cast, op.indices, to=DType.I32)))


@lower(ReverseSequence)
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


def _counted(size: Any, e: Build) -> Any:
    """Return the numbers from zero up to a size."""
    return e(Range, e.number(0, DType.I32), e.number(1, DType.I32), size)
