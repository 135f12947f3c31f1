"""Lowerings of operations that move and pad data."""

from __future__ import annotations

from ....compiler.ops import arith
from ....compiler.ops.shape import Pad
from ....compiler.types import DType
from .lowering import Build, lower


@lower(Pad)
def pad_in_wider_type(op: Pad, e: Build) -> None:
    """Truth values as integers: before opset 13 only numbers were padded."""
    if op.x.type.dtype is DType.BOOL and op.mode in ("constant", "edge", "reflect"):
        padded = e.clone(op, e(arith.Cast, op.x, to=DType.I32), value=float(bool(op.value)))
        e.replace(e(arith.Cast, padded, to=DType.BOOL))
