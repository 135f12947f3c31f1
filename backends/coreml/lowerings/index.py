"""Positions: those that count from the end, the last of equal elements, and one among others."""

from __future__ import annotations

import numpy as np

from ....compiler.constants import elements
from ....compiler.ops import arith, logic
from ....compiler.ops import index as ir
from ....compiler.ops.shape import Reverse
from ....compiler.value_ranges import nonnegative
from ....passes.lowerings.index import wrapped
from .lowering import Build, lower


@lower(ir.ArgMax, ir.ArgMin)
def first_from_the_end(op: ir.ArgMax | ir.ArgMin, e: Build) -> None:
    """The last of equal elements is the first one of the reversed order."""
    if op.last:
        found = e(type(op), e(Reverse, op.x, (op.axis,)), op.axis, op.keepdims, dtype=op.dtype)
        last = e(arith.Sub, e.size(op.x.type.shape[op.axis], op.dtype), 1)
        e.replace(e(arith.Sub, last, found))


@lower(ir.GatherElements, ir.Scatter, ir.ScatterElements)
def count_up(op: ir.GatherElements | ir.Scatter | ir.ScatterElements, e: Build) -> None:
    """Positions that count from the end are taken modulo the size."""
    if not nonnegative(op.indices):
        x, _, *rest = op.operands
        e.replace(e.clone(op, x, wrapped(op.indices, op.x, (op.axis,), e), *rest))


@lower(ir.OneHot)
def compare_with_positions(op: ir.OneHot, e: Build) -> None:
    """Where a position is the index, one value, else the other."""
    values = elements(op.values)
    if values is None or (op.wraps and not nonnegative(op.indices)) or not isinstance(op.depth, int):
        return
    rank, axis = op.result.type.rank, op.axis % op.result.type.rank
    places = e.constant(np.arange(op.depth, dtype=op.indices.type.dtype.numpy).reshape([-1] + [1] * (rank - 1 - axis)))
    shape = list(op.indices.type.shape)
    shape.insert(axis, 1)
    hit = e(logic.Equal, e.reshape(op.indices, shape), places)
    e.replace(e(logic.Select, hit, *(e.constant(values[i].reshape(())) for i in (1, 0))))
