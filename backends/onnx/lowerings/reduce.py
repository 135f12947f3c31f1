"""Reductions."""

from __future__ import annotations

from ....compiler.ops.arith import Cast
from ....compiler.ops.logic import Greater
from ....compiler.ops.reduce import Reduce
from ....compiler.ops.shape import BroadcastTo
from ....compiler.types import DType
from .lowering import Build, lower


@lower(Reduce, benefit=3)
def reduce_nothing(op: Reduce, e: Build) -> None:
    """Without axes only the kind's function of single elements is left: along an axis of size one."""
    if op.dims:
        return
    if op.kind in ("sum", "mean", "max", "min", "prod") or op.x.type.dtype is op.result.type.dtype is DType.BOOL:
        e.replace(op.x)
        return
    longer = e.reshape(op.x, (*op.x.type.shape, 1))
    e.replace(e(Reduce, longer, op.kind, (op.x.type.rank,), keepdims=False))


@lower(Reduce, benefit=3)
def truth_of_nothing(op: Reduce, e: Build) -> None:
    """Nothing is true of any element that there is not, and everything of all."""
    if op.kind in ("any", "all") and any(op.x.type.shape[a] == 0 for a in op.dims):
        e.replace(e(BroadcastTo, e.number(op.kind == "all", DType.BOOL), op.result.type.shape))


@lower(Reduce)
def truth_as_numbers(op: Reduce, e: Build) -> None:
    """Truth values as integers: before opset 20 they have no maximum."""
    if op.kind in ("any", "all") and op.x.type.dtype is DType.BOOL:
        kind = "max" if op.kind == "any" else "min"
        found = e(Reduce, e(Cast, op.x, to=DType.I32), kind, op.dims, keepdims=op.keepdims)
        e.replace(e(Greater, found, 0))  # the extreme of nothing is the least or the largest integer
