"""Lowerings of arithmetic that ONNX and OpenVINO share."""

from __future__ import annotations

import math

from ....compiler.ir import Value
from ....compiler.lowering import Build
from ....compiler.ops import arith as ir
from ....compiler.ops.logic import Equal, Less, LogicalOr, Select
from ..activated import ENDING, split_activation
from .registry import lower

lower(*ENDING, benefit=5)(split_activation)


@lower(ir.Atan2)
def atan2(op: ir.Atan2, e: Build) -> None:
    """The angle of the quotient, rotated by half a circle left of the origin; zeros have signs."""
    dtype = op.a.type.dtype
    half = e(Select, _is_negative(op.a, e), e.number(-math.pi, dtype), e.number(math.pi, dtype))
    angle = e(Select, e(Equal, op.a, e.number(0, dtype)), op.a, e(ir.Atan, e(ir.Div, op.a, op.b)))
    e.replace(e(Select, _is_negative(op.b, e), e(ir.Add, angle, half), angle))


def _is_negative(x: Value, e: Build) -> Value:
    """Whether a number has a sign: of minus zero the inverse tells."""
    zero = e.number(0, x.type.dtype)
    return e(LogicalOr, e(Less, x, zero), e(Less, e(ir.Reciprocal, x), zero))
