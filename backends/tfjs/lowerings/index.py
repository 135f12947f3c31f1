"""Lowerings of gathering whose positions are not of 32 bits."""

from __future__ import annotations

from typing import Any

from ....compiler.ops import arith
from ....compiler.ops.index import ArgMax, ArgMin, Gather, GatherElements, GatherNd, NonZero, OneHot, ReverseSequence
from ....compiler.types import DType
from ....passes.lowerings.by_position import compared_with_positions, rows_in_other_order
from .lowering import Build, lower

lower(OneHot)(compared_with_positions)
lower(ReverseSequence)(rows_in_other_order)


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
