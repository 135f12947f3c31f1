"""Rows for comparisons, logic, operations on bits, tests for NaN and infinity, and selection by a mask."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....compiler.dims import is_static
from ....compiler.fold import constant
from ....compiler.ir import Value
from ....compiler.ops import logic as ir
from ....compiler.types import DType
from ..table import FLOATS, Call, Nested, Operand, condition, emits, kernels
from .common import broadcasting, same

for _op, _function, _operator in (
    (ir.Less, "less", "Less"),
    (ir.LessEqual, "less_equal", "LessEqual"),
    (ir.Greater, "greater", "Greater"),
    (ir.GreaterEqual, "greater_equal", "GreaterEqual"),
    (ir.Equal, "equal", "Equal"),
    (ir.NotEqual, "not_equal", "NotEqual"),
):
    emits(_op, f"ops.{_function}", dtypes=kernels(_operator), when=(broadcasting,))(same)


@condition("a first operand with the result's shape, or a known shape")
def _first_is_whole(op: Any) -> str | None:
    """Of bits Keras takes the first operand's shape for the result's."""
    shape = op.result.type.shape
    return None if op.a.type.shape == shape or is_static(shape) else "a first operand that broadcasts to open sizes"


def _of_bits(op: Any) -> Call:
    shape = op.result.type.shape
    a = op.a
    if a.type.shape != shape:
        a = Nested("ops.broadcast_to", a.type.with_shape(shape), (a,), {"shape": shape})
    return Call((a, _with_axis(op.b) if shape else op.b))


def _with_axis(value: Value) -> Operand:
    """Return a constant number as a vector of one: files hold numbers without their type, which bits are counted by."""
    weight = constant(value)
    if weight is None or value.type.rank:
        return value
    return weight.derive(value.type.with_shape((1,)), np.atleast_1d)


for _op, _function, _operator in (
    (ir.BitwiseAnd, "bitwise_and", "BitwiseAnd"),
    (ir.BitwiseOr, "bitwise_or", "BitwiseOr"),
    (ir.BitwiseXor, "bitwise_xor", "BitwiseXor"),
    (ir.ShiftLeft, "left_shift", "LeftShift"),
    (ir.ShiftRight, "right_shift", "RightShift"),
):
    emits(_op, f"ops.{_function}", dtypes=kernels(_operator), when=(broadcasting, _first_is_whole))(_of_bits)

for _op, _function in ((ir.LogicalAnd, "logical_and"), (ir.LogicalOr, "logical_or"), (ir.LogicalXor, "logical_xor")):
    emits(_op, f"ops.{_function}", dtypes="bool", when=(broadcasting,))(same)
emits(ir.LogicalNot, "ops.logical_not", dtypes="bool")(same)
emits(ir.BitwiseNot, "ops.bitwise_not", dtypes=kernels("Invert"))(same)
emits(ir.IsNan, "ops.isnan", dtypes=FLOATS)(same)


@condition("infinity of either sign")
def _either(op: ir.IsInf) -> str | None:
    return None if op.negative and op.positive else "infinity of one sign"


emits(ir.IsInf, "ops.isinf", dtypes=FLOATS, when=(_either,))(same)


@condition("no numbers of 64 bits without sign")
def _kept(op: ir.Select) -> str | None:
    """Of two of them Keras makes one of 32 bits."""
    return "elements of u64" if op.a.type.dtype is DType.U64 else None


emits(ir.Select, "ops.where", dtypes="bool", when=(broadcasting, _kept))(same)
