"""Rows of the table for comparisons, logic, bit operations and selection."""

from __future__ import annotations

from ....compiler.ir import Op
from ....compiler.ops import logic as ir
from ..broadcast import fits, same_shapes
from ..table import Call, emits


def _plain(op: Op) -> Call:
    return Call(op.operands)


for _op, _builtin in (
    (ir.Less, "LESS"),
    (ir.LessEqual, "LESS_EQUAL"),
    (ir.Greater, "GREATER"),
    (ir.GreaterEqual, "GREATER_EQUAL"),
):
    emits(_op, _builtin, dtypes="f32 i32 i64", when=(fits,), kernel="comparisons.cc")(_plain)
for _op, _builtin in ((ir.Equal, "EQUAL"), (ir.NotEqual, "NOT_EQUAL")):
    emits(_op, _builtin, dtypes="f32 i32 i64 bool", when=(fits,), kernel="comparisons.cc")(_plain)

emits(ir.LogicalAnd, "LOGICAL_AND", dtypes="bool", when=(fits,), kernel="logical.cc")(_plain)
emits(ir.LogicalOr, "LOGICAL_OR", dtypes="bool", when=(fits,), kernel="logical.cc")(_plain)
emits(ir.LogicalXor, "NOT_EQUAL", dtypes="bool", when=(fits,), kernel="comparisons.cc")(_plain)
emits(ir.LogicalNot, "LOGICAL_NOT", dtypes="bool", kernel="elementwise.cc")(_plain)

_BITS = "i8 i16 i32 u8 u16 u32"
emits(ir.BitwiseXor, "BITWISE_XOR", dtypes=_BITS, when=(fits,), kernel="bitwise_xor.cc")(_plain)
emits(ir.ShiftRight, "RIGHT_SHIFT", dtypes=_BITS, when=(fits,), kernel="right_shift.cc")(_plain)
emits(ir.BitwiseAnd, "STABLEHLO_AND", dtypes=f"{_BITS} i64", when=(same_shapes,), kernel="stablehlo_elementwise.cc")(
    _plain
)


@emits(
    ir.Select,
    "SELECT_V2",
    dtypes={"condition": "bool", "a": "bool i8 i16 i32 i64 u8 f32"},
    when=(fits,),
    kernel="select.cc",
)
def select(op: ir.Select) -> Call:
    """SELECT_V2: a choice between two tensors by element, with broadcasting."""
    return Call((op.condition, op.a, op.b))
