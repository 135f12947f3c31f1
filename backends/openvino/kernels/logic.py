"""Rows for comparisons, logic, operations on bits, tests for NaN and infinity, and selection by a mask."""

from __future__ import annotations

from ....compiler.ops import logic as ir
from ..table import ANY, FLOATS, INTEGERS, NUMBERS, SMALL, Call, emits
from .common import plainly

COMPARED = f"bool {SMALL} {NUMBERS}"

plainly(
    {
        ir.Equal: "Equal",
        ir.NotEqual: "NotEqual",
        ir.Less: "Less",
        ir.LessEqual: "LessEqual",
    },
    COMPARED,
)
plainly(
    {
        ir.LogicalAnd: "LogicalAnd",
        ir.LogicalOr: "LogicalOr",
        ir.LogicalXor: "LogicalXor",
        ir.LogicalNot: "LogicalNot",
    },
    "bool",
)
plainly(
    {
        ir.BitwiseAnd: "BitwiseAnd",
        ir.BitwiseOr: "BitwiseOr",
        ir.BitwiseXor: "BitwiseXor",
        ir.BitwiseNot: "BitwiseNot",
    },
    f"{SMALL} {INTEGERS}",
)
plainly({ir.ShiftLeft: "BitwiseLeftShift", ir.ShiftRight: "BitwiseRightShift"}, INTEGERS)
plainly({ir.IsNan: "IsNaN"}, FLOATS)


@emits(ir.IsInf, "IsInf", dtypes=FLOATS)
def is_inf(op: ir.IsInf) -> Call:
    """IsInf: whether elements are infinite, of either sign or of one, as attributes say."""
    return Call(op.operands, {"detect_negative": op.negative, "detect_positive": op.positive})


def _exchanged(op: ir.Greater | ir.GreaterEqual) -> Call:
    """The operands the other way round: kernels take what is not less for greater, NaN included."""
    return Call((op.b, op.a))


emits(ir.Greater, "Less", dtypes=COMPARED)(_exchanged)
emits(ir.GreaterEqual, "LessEqual", dtypes=COMPARED)(_exchanged)
emits(ir.Select, "Select", dtypes={"a": ANY})(lambda op: Call(op.operands))
