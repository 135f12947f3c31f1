"""Rows of the table for comparisons, truth values and selection."""

from __future__ import annotations

from ....compiler.dims import broadcast
from ....compiler.ops import logic as ir
from ..table import ANY, FLOATS, NUMBERS, Call, Nested, Operand, emits
from .common import binary, plainly, repeated

plainly(
    {
        ir.Equal: "equal",
        ir.NotEqual: "not_equal",
        ir.Less: "less",
        ir.LessEqual: "less_equal",
        ir.Greater: "greater",
        ir.GreaterEqual: "greater_equal",
    },
    NUMBERS,
)
plainly(
    {
        ir.LogicalAnd: "logical_and",
        ir.LogicalOr: "logical_or",
        ir.LogicalXor: "logical_xor",
        ir.LogicalNot: "logical_not",
        ir.NotEqual: "logical_xor",
    },
    "bool",
)


@emits(ir.Equal, "logical_not", dtypes="bool")
def same_truth(op: ir.Equal) -> Call:
    """Equality of truth values: the negation of their exclusive or."""
    return Call({"x": Nested("logical_xor", op.result.type, binary(op).arguments)})


@emits(ir.IsNan, "not_equal", dtypes=FLOATS)
def is_nan(op: ir.IsNan) -> Call:
    """NaN is the only number that differs from itself."""
    return Call({"x": op.x, "y": op.x})


@emits(ir.Select, "select", dtypes={"a": ANY})
def select(op: ir.Select) -> Call:
    """By a truth value for each element; coremltools infers the shape of the two values, not of the truth values."""
    a: Operand = op.a
    if broadcast(op.a.type.shape, op.b.type.shape) != op.result.type.shape:
        a = repeated(op.a, op.result.type.shape)
    return Call({"cond": op.condition, "a": a, "b": op.b})
