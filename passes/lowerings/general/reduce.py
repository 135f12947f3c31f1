"""Lowerings of reductions that ONNX and OpenVINO share."""

from __future__ import annotations

from ....compiler.lowering import Build
from ....compiler.ops.reduce import Reduce
from ....compiler.ops.shape import BroadcastTo
from ....compiler.types import DType
from .registry import lower


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
