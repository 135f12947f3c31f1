"""Lowerings of comparisons and bit operations that ONNX does not have."""

from __future__ import annotations

from ....compiler.ops import arith
from ....compiler.ops import logic as ir
from ....compiler.types import DType
from .lowering import Build, lower


@lower(ir.NotEqual)
def not_equal(op: ir.NotEqual, e: Build) -> None:
    """ONNX has no such comparison: it is the negation of Equal."""
    e.replace(e(ir.LogicalNot, e(ir.Equal, op.a, op.b)))


@lower(ir.GreaterEqual, ir.LessEqual)
def or_equal(op: ir.GreaterEqual | ir.LessEqual, e: Build) -> None:
    """Without the operator: ``a < b`` or ``a == b``; NaN makes both false."""
    strict = ir.Greater if isinstance(op, ir.GreaterEqual) else ir.Less
    e.replace(e(ir.LogicalOr, e(strict, op.a, op.b), e(ir.Equal, op.a, op.b)))


UNSIGNED = {DType.I8: DType.U8, DType.I16: DType.U16, DType.I32: DType.U32, DType.I64: DType.U64}


@lower(ir.ShiftRight)
def shift_signed(op: ir.ShiftRight, e: Build) -> None:
    """What is not negative is shifted without a sign; what is, as its complement."""
    dtype = op.a.type.dtype
    if dtype not in UNSIGNED:
        return
    last = e.number(-1, dtype)
    is_negative = e(ir.Less, op.a, e.number(0, dtype))
    bits = e(ir.Select, is_negative, e(arith.Sub, last, op.a), op.a)
    places = e(arith.Cast, op.b, to=UNSIGNED[dtype])
    moved = e(arith.Cast, e(ir.ShiftRight, e(arith.Cast, bits, to=UNSIGNED[dtype]), places), to=dtype)
    e.replace(e(ir.Select, is_negative, e(arith.Sub, last, moved), moved))
