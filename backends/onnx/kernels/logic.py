"""Rows of the table for comparisons, logic, bit operations and selection."""

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
    """BitShift to the left: the operator takes unsigned integers only."""
    return Call(op.operands, {"direction": "LEFT"})


@emits(ir.ShiftRight, "BitShift")
def shift_right(op: ir.ShiftRight) -> Call:
    """BitShift to the right: the operator takes unsigned integers only."""
    return Call(op.operands, {"direction": "RIGHT"})


@emits(ir.IsInf, "IsInf")
def is_inf(op: ir.IsInf) -> Call:
    """IsInf: attributes say whether positive or negative infinities are meant."""
    asked = {"detect_negative": op.negative, "detect_positive": op.positive}
    return Call(op.operands, {name: 0 for name, wanted in asked.items() if not wanted})
