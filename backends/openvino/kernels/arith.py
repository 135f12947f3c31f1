"""Rows for elementwise arithmetic."""

from __future__ import annotations

from ....compiler.ops import arith as ir
from ....compiler.types import DType, TensorType
from ..table import ANY, FLOATS, INTEGERS, NUMBERS, Call, Nested, condition, emits
from .common import number, plain, plainly

plainly(
    {
        ir.Add: "Add",
        ir.Sub: "Subtract",
        ir.Mul: "Multiply",
        ir.Pow: "Power",
        ir.Max: "Maximum",
        ir.Min: "Minimum",
        ir.SquaredDifference: "SquaredDifference",
        ir.Neg: "Negative",
        ir.Abs: "Abs",
        ir.Sign: "Sign",
    },
    NUMBERS,
)
plainly(
    {
        ir.Sqrt: "Sqrt",
        ir.Exp: "Exp",
        ir.Log: "Log",
        ir.Erf: "Erf",
        ir.Floor: "Floor",
        ir.Ceil: "Ceiling",
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
    },
    FLOATS,
)


@emits(ir.Div, "Divide", dtypes=NUMBERS, when=(plain,))
def divide(op: ir.Div) -> Call:
    """Of integers, cut towards zero."""
    return Call(op.operands, {"m_pythondiv": False})


@emits(ir.Round, "Round", dtypes=FLOATS)
def round_(op: ir.Round) -> Call:
    """Halves to the even one."""
    return Call((op.x,), {"mode": "half_to_even"})


@condition("a remainder with the dividend's sign")
def _as_fmod(op: ir.Mod) -> str | None:
    return None if op.truncated else "a remainder with the divisor's sign"


emits(ir.Mod, "Mod", dtypes=NUMBERS, when=(_as_fmod,))(lambda op: Call(op.operands))
emits(ir.Mod, "FloorMod", dtypes=NUMBERS)(lambda op: Call(op.operands))


@emits(ir.FloorDiv, "Floor", dtypes=FLOATS)
def floor_of_quotient(op: ir.FloorDiv) -> Call:
    """The quotient rounded down."""
    return Call((Nested("Divide", op.result.type, op.operands),))


@emits(ir.FloorDiv, "Divide", dtypes=INTEGERS)
def whole_quotient(op: ir.FloorDiv) -> Call:
    """What is left without the remainder is divided."""
    type: TensorType = op.result.type
    rest = Nested("FloorMod", type, op.operands)
    return Call((Nested("Subtract", type, (op.a, rest)), op.b), {"m_pythondiv": False})


@emits(ir.Square, "Multiply", dtypes=NUMBERS)
def square(op: ir.Square) -> Call:
    """A product with itself."""
    return Call((op.x, op.x))


@emits(ir.Reciprocal, "Divide", dtypes=FLOATS)
def reciprocal(op: ir.Reciprocal) -> Call:
    """One divided by it."""
    return Call((number(1, op.x), op.x))


@emits(ir.Rsqrt, "Divide", dtypes=FLOATS)
def rsqrt(op: ir.Rsqrt) -> Call:
    """One divided by the root."""
    return Call((number(1, op.x), Nested("Sqrt", op.x.type, (op.x,))))


HALF_WORDS = (DType.I16, DType.U16)
"""Types that kernels hold in 32 bits, so that nothing is cut."""


@condition("numbers that the type has, or types that kernels have")
def _fits(op: ir.Cast) -> str | None:
    is_cut = op.to in HALF_WORDS and op.x.type.dtype.is_int and not op.to.holds(op.x.type.dtype)
    return f"{op.x.type.dtype} cut to {op.to}" if is_cut else None


@emits(ir.Cast, "Convert", dtypes=ANY, when=(_fits,))
def cast(op: ir.Cast) -> Call:
    """Any type to any other."""
    return Call((op.x,), {"destination_type": op.to})


@emits(ir.Cast, "Convert", dtypes=INTEGERS)
def cut(op: ir.Cast) -> Call:
    """The last 16 bits, as kernels have no integers of that size; with a sign, counted from the least one."""
    mask, first = number(0xFFFF, op.x), number(op.to.bounds[0], op.x)
    type: TensorType = op.x.type
    if op.to is DType.U16:
        return Call((Nested("BitwiseAnd", type, (op.x, mask)),), {"destination_type": op.to})
    bits = Nested("BitwiseAnd", type, (Nested("Subtract", type, (op.x, first)), mask))
    return Call((Nested("Add", type, (bits, first)),), {"destination_type": op.to})
