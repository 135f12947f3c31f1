"""Positions of largest elements by TopK, and positions for updates that don't count from the end."""

from __future__ import annotations

from ....compiler.ops import arith
from ....compiler.ops import index as ir
from ....compiler.ops.shape import Reverse
from ....compiler.value_ranges import nonnegative
from ....passes.lowerings.index import wrapped
from .lowering import Build, lower


@lower(ir.ArgMax, ir.ArgMin)
def first_in_order(op: ir.ArgMax | ir.ArgMin, e: Build) -> None:
    """The position of the first one in order; the last of equal ones is the first one from the end."""
    x = e(Reverse, op.x, (op.axis,)) if op.last else op.x
    _, places = e.each(ir.TopK(x, 1, op.axis, isinstance(op, ir.ArgMax), op.dtype))
    if op.last:
        places = e(arith.Sub, e(arith.Sub, e.size(op.x.type.shape[op.axis], op.dtype), 1), places)
    e.replace(places)


@lower(ir.Scatter)
def count_up(op: ir.Scatter, e: Build) -> None:
    """Positions that count from the end are taken modulo the size."""
    if not nonnegative(op.indices):
        e.replace(e.clone(op, op.x, wrapped(op.indices, op.x, (op.axis,), e), op.updates))
