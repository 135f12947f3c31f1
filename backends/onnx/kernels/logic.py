"""Rows for comparison, logic, bits and selection."""

from __future__ import annotations

from ....compiler.ops import logic as ir
from ..table import Call, emits
from .common import plainly

plainly(
    {
        ir.Equal: "Equal",
        ir.Less: "Less",
        ir.LessEqual: "LessOrEqual",
        ir.Greater: "Greater",
        ir.GreaterEqual: "GreaterOrEqual",
        ir.LogicalAnd: "And",
        ir.LogicalOr: "Or",
        ir.LogicalXor: "Xor",
        ir.LogicalNot: "Not",
        ir.BitwiseAnd: "BitwiseAnd",
        ir.BitwiseOr: "BitwiseOr",
        ir.BitwiseXor: "BitwiseXor",
        ir.BitwiseNot: "BitwiseNot",
        ir.IsNan: "IsNaN",
        ir.Select: "Where",
    }
)


@emits(ir.ShiftLeft, "BitShift")
def shift_left(op: ir.ShiftLeft) -> Call:
    """Integers without a sign."""
    return Call(op.operands, {"direction": "LEFT"})


@emits(ir.ShiftRight, "BitShift")
def shift_right(op: ir.ShiftRight) -> Call:
    """Integers without a sign."""
    return Call(op.operands, {"direction": "RIGHT"})


@emits(ir.IsInf, "IsInf")
def is_inf(op: ir.IsInf) -> Call:
    """Of the signs that are asked for."""
    asked = {"detect_negative": op.negative, "detect_positive": op.positive}
    return Call(op.operands, {name: 0 for name, wanted in asked.items() if not wanted})
