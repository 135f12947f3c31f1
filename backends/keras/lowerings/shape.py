"""Data movement that functions of Keras do not know."""

from __future__ import annotations

from ....compiler.ops.index import CumProd, CumSum
from ....compiler.ops.shape import Pad, Reverse, Slice
from .lowering import Build, lower


@lower(CumSum, CumProd)
def running_from_the_end(op: CumSum | CumProd, e: Build) -> None:
    """Backwards: over the reversed data."""
    if op.reverse:
        turned = e(Reverse, op.x, dims=(op.axis,))
        e.replace(e(Reverse, e.clone(op, turned, reverse=False), dims=(op.axis,)))


@lower(CumSum, CumProd)
def running_before(op: CumSum | CumProd, e: Build) -> None:
    """Without the element itself: a neutral element comes first, and the last one is left out."""
    shape = op.x.type.shape
    if op.reverse or not op.exclusive:
        return
    edge = tuple(int(axis == op.axis) for axis in range(len(shape)))
    none = (0,) * len(shape)
    neutral = 1.0 if isinstance(op, CumProd) else 0.0
    padded = e(Pad, op.x, low=edge, high=none, value=neutral)
    whole = e(Slice, padded, starts=none, sizes=shape, steps=(1,) * len(shape))
    e.replace(e.clone(op, whole, exclusive=False))
