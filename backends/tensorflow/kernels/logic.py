"""Rows of the table for comparisons, logic, bit operations and selection."""

from __future__ import annotations

from ....compiler.ops import logic as ir
from ..table import condition, emits
from .common import broadcasting, plainly, same

plainly(
    {
        ir.Less: "Less",
        ir.LessEqual: "LessEqual",
        ir.Greater: "Greater",
        ir.GreaterEqual: "GreaterEqual",
        ir.Equal: "Equal",
        ir.NotEqual: "NotEqual",
        ir.LogicalAnd: "LogicalAnd",
        ir.LogicalOr: "LogicalOr",
        ir.LogicalXor: "NotEqual",
        ir.LogicalNot: "LogicalNot",
        ir.BitwiseAnd: "BitwiseAnd",
        ir.BitwiseOr: "BitwiseOr",
        ir.BitwiseXor: "BitwiseXor",
        ir.BitwiseNot: "Invert",
        ir.ShiftLeft: "LeftShift",
        ir.ShiftRight: "RightShift",
        ir.IsNan: "IsNan",
    }
)


@condition("infinity of either sign")
def _either(op: ir.IsInf) -> str | None:
    return None if op.negative and op.positive else "infinity of one sign"


emits(ir.IsInf, "IsInf", when=(_either,))(same)
emits(ir.Select, "SelectV2", when=(broadcasting,))(same)
