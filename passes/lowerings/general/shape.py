"""Lowerings of operations that move data, which ONNX and OpenVINO share."""

from __future__ import annotations

from ....compiler.lowering import Build
from ....compiler.ops import arith
from ....compiler.ops.shape import Range
from ....compiler.types import DType
from .registry import lower


@lower(Range)
def count_whole_numbers(op: Range, e: Build) -> None:
    """Fractions, and ends that are computed: positions times the step, plus the start."""
    count = e(Range, e.number(0, DType.I64), e.number(1, DType.I64), op.size)
    places = e(arith.Cast, count, to=op.start.type.dtype) if op.start.type.dtype is not DType.I64 else count
    e.replace(e(arith.Add, e(arith.Mul, places, op.step), op.start))
