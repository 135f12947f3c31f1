"""Lowerings of reductions whose kinds or types ONNX does not have."""

from __future__ import annotations

from ....compiler.ops.arith import Cast
from ....compiler.ops.logic import Greater
from ....compiler.ops.reduce import Reduce
from ....compiler.types import DType
from .lowering import Build, lower


@lower(Reduce)
def truth_as_numbers(op: Reduce, e: Build) -> None:
    """Truth values as integers: before opset 20 they have no maximum."""
    if op.kind in ("any", "all") and op.x.type.dtype is DType.BOOL:
        kind = "max" if op.kind == "any" else "min"
        found = e(Reduce, e(Cast, op.x, to=DType.I32), kind, op.dims, keepdims=op.keepdims)
        e.replace(e(Greater, found, 0))  # the extreme of nothing is the least or the largest integer
