"""Lowerings of running products, by doubling the distance."""

from __future__ import annotations

from ...compiler.dims import Dim
from ...compiler.ir import Value
from ...compiler.lowering import Build
from ...compiler.ops.arith import Mul
from ...compiler.ops.index import CumProd
from ...compiler.ops.shape import BroadcastTo, Concat, Reverse, Slice
from .registry import lower


@lower(CumProd)
def double_the_reach(op: CumProd, e: Build) -> None:
    """Every position times the one before, then two, four, ... before: as many products as the length has bits."""
    size = op.x.type.shape[op.axis]
    e.require(isinstance(size, int), f"running products along an axis of {size} positions")
    assert isinstance(size, int)
    x = e(Reverse, op.x, (op.axis,)) if op.reverse else op.x
    if op.exclusive and size:
        x = _shifted(x, op.axis, 1, e)
    reach = 1
    while reach < size:
        x = e(Mul, x, _shifted(x, op.axis, reach, e))
        reach *= 2
    e.replace(e(Reverse, x, (op.axis,)) if op.reverse else x)


def _shifted(x: Value, axis: int, by: int, e: Build) -> Value:
    """Move along an axis, filling with ones."""
    shape: list[Dim] = list(x.type.shape)
    starts, steps = (0,) * len(shape), (1,) * len(shape)
    front, rest = ((*shape[:axis], n, *shape[axis + 1 :]) for n in (by, shape[axis] - by))
    ones = e(BroadcastTo, e.number(1, x.type.dtype), front)
    return e.rw.emit(Concat((ones, e(Slice, x, starts, rest, steps)), axis))
