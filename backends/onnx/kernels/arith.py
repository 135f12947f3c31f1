"""Rows of the table for elementwise arithmetic and conversions."""

from __future__ import annotations

from ....compiler.ops import arith as ir
from ....compiler.types import DType
from ....formats.onnx.tensors import number_of
from ..standard import TYPE_NAMES
from ..table import Call, condition, emits
from .common import plainly

plainly(
    {
        ir.Add: "Add",
        ir.Sub: "Sub",
        ir.Mul: "Mul",
        ir.Div: "Div",
        ir.Pow: "Pow",
        ir.Max: "Max",
        ir.Min: "Min",
        ir.Neg: "Neg",
        ir.Abs: "Abs",
        ir.Sign: "Sign",
        ir.Sqrt: "Sqrt",
        ir.Reciprocal: "Reciprocal",
        ir.Exp: "Exp",
        ir.Log: "Log",
        ir.Erf: "Erf",
        ir.Floor: "Floor",
        ir.Ceil: "Ceil",
        ir.Round: "Round",
        ir.Sin: "Sin",
        ir.Cos: "Cos",
        ir.Tan: "Tan",
        ir.Asin: "Asin",
        ir.Acos: "Acos",
        ir.Atan: "Atan",
        ir.Sinh: "Sinh",
        ir.Cosh: "Cosh",
        ir.Asinh: "Asinh",
        ir.Acosh: "Acosh",
        ir.Atanh: "Atanh",
    }
)


@condition("of floating-point numbers the remainder with the dividend's sign")
def _as_fmod(op: ir.Mod) -> str | None:
    is_whole = not op.a.type.dtype.is_float
    return None if op.truncated or is_whole else "a remainder of floating-point numbers with the divisor's sign"


@emits(ir.Mod, "Mod", when=(_as_fmod,))
def mod(op: ir.Mod) -> Call:
    """Integers of either kind, floating-point numbers as in C."""
    return Call(op.operands, {"fmod": 1} if op.truncated else {})


FLOAT8 = tuple(d for d in TYPE_NAMES if d.value.startswith("f8"))
"""Types of which numbers beyond the largest one may become it: the IR says that by a clip."""


@emits(ir.Cast, "Cast")
def cast(op: ir.Cast) -> Call:
    """Cast: from any element type to any other, with saturation or without."""
    attributes: dict[str, int | str] = {"to": number_of(op.to)}
    if op.to is DType.F8E8M0:
        attributes |= {"saturate": 0, "round_mode": op.rounding}
    elif op.to in FLOAT8:
        attributes["saturate"] = 0
    return Call((op.x,), attributes)


@emits(ir.BitCast, "BitCast")
def bit_cast(op: ir.BitCast) -> Call:
    """BitCast: the same bits as another element type of the same size."""
    return Call((op.x,), {"to": number_of(op.to)})
