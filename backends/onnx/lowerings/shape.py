"""Moving and padding data."""

from __future__ import annotations

from ....compiler.ops import arith
from ....compiler.ops.shape import Pad, Range
from ....compiler.types import DType
from .lowering import Build, lower


@lower(Range)
def count_whole_numbers(op: Range, e: Build) -> None:
    """Fractions, and ends that are computed: positions times the step, plus the start."""
    count = e(Range, e.number(0, DType.I64), e.number(1, DType.I64), op.size)
    places = e(arith.Cast, count, to=op.start.type.dtype) if op.start.type.dtype is not DType.I64 else count
    e.replace(e(arith.Add, e(arith.Mul, places, op.step), op.start))


@lower(Pad)
def pad_in_wider_type(op: Pad, e: Build) -> None:
    """Truth values as integers: before opset 13 only numbers were padded."""
    if op.x.type.dtype is DType.BOOL and op.mode in ("constant", "edge", "reflect"):
        padded = e.clone(op, e(arith.Cast, op.x, to=DType.I32), value=float(bool(op.value)))
        e.replace(e(arith.Cast, padded, to=DType.BOOL))
