"""Lowerings of arithmetic that ONNX has no operators for."""

from __future__ import annotations

from ....compiler.ops import arith as ir
from ....compiler.ops.logic import Greater, Less, LogicalAnd, NotEqual, Select
from ....compiler.types import DType
from .lowering import Build, lower


@lower(ir.Square)
def square(op: ir.Square, e: Build) -> None:
    """ONNX has no square: it is a product with itself."""
    e.replace(e(ir.Mul, op.x, op.x))


@lower(ir.SquaredDifference)
def squared_difference(op: ir.SquaredDifference, e: Build) -> None:
    """ONNX has no squared difference: it is the square of a difference."""
    difference = e(ir.Sub, op.a, op.b)
    e.replace(e(ir.Mul, difference, difference))


@lower(ir.Rsqrt)
def rsqrt(op: ir.Rsqrt, e: Build) -> None:
    """ONNX has no inverse root: it is the reciprocal of the root."""
    e.replace(e(ir.Reciprocal, e(ir.Sqrt, op.x)))


@lower(ir.FloorDiv)
def floor_div(op: ir.FloorDiv, e: Build) -> None:
    """Of integers, what is left without the remainder is divided; of floating-point numbers the quotient is rounded."""
    if op.a.type.dtype.is_int:
        e.replace(e(ir.Div, e(ir.Sub, op.a, e(ir.Mod, op.a, op.b)), op.b))
    else:
        e.replace(e(ir.Floor, e(ir.Div, op.a, op.b)))


@lower(ir.Mod)
def remainder_of_divisor(op: ir.Mod, e: Build) -> None:
    """The dividend's remainder, moved by the divisor where their signs differ."""
    if op.truncated or not op.a.type.dtype.is_float:
        return
    zero = e.number(0, op.a.type.dtype)
    rest = e(ir.Mod, op.a, op.b, truncated=True)
    differs = e(NotEqual, e(Less, rest, zero), e(Less, op.b, zero))
    moves = e(LogicalAnd, e(NotEqual, rest, zero), differs)
    e.replace(e(Select, moves, e(ir.Add, rest, op.b), rest))


@lower(ir.Max, ir.Min)
def larger_of_integers(op: ir.Max | ir.Min, e: Build) -> None:
    """By comparison, where the operator takes only floating-point numbers."""
    if op.a.type.dtype.is_int and op.a.type.dtype.bits >= 32:
        is_first = e(Greater if isinstance(op, ir.Max) else Less, op.a, op.b)
        e.replace(e(Select, is_first, op.a, op.b))


@lower(ir.Neg)
def subtract_from_zero(op: ir.Neg, e: Build) -> None:
    """Integers without a sign have no negative, but differences that wrap."""
    if op.x.type.dtype.is_int:
        e.replace(e(ir.Sub, e.number(0, op.x.type.dtype), op.x))


@lower(ir.Pow)
def power_by_sign(op: ir.Pow, e: Build) -> None:
    """Powers wrap the same way with and without a sign."""
    if op.a.type.dtype is DType.U64 and op.b.type.dtype.is_int:
        e.replace(e(ir.Cast, e(ir.Pow, e(ir.Cast, op.a, to=DType.I64), op.b), to=DType.U64))
