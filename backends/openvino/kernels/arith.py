"""Rows for elementwise arithmetic, rounding, remainders and conversions between element types."""

from __future__ import annotations

import numpy as np

from ....compiler.ir import Value
from ....compiler.opdef import Elementwise
from ....compiler.ops import arith as ir
from ....compiler.ops.reduce import Reduce
from ....compiler.ops.shape import Reshape
from ....compiler.types import DType, TensorType
from ..table import ANY, FLOATS, INTEGERS, NUMBERS, Call, Condition, Nested, condition, emits
from .common import elements, number, plain, plainly

plainly(
    {
        ir.Add: "Add",
        ir.Sub: "Subtract",
        ir.Mul: "Multiply",
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


@condition("base and exponent of one type")
def _same_types(op: ir.Pow) -> str | None:
    a, b = op.a.type.dtype, op.b.type.dtype
    return None if a is b else f"a power of {a} by {b}"


@emits(ir.Pow, "Power", dtypes=NUMBERS, when=(_same_types,))
def power(op: ir.Pow) -> Call:
    """Power: a base to an exponent of the same element type, floats or integers."""
    return Call(op.operands)


@emits(ir.Div, "Divide", dtypes=NUMBERS, when=(plain,))
def divide(op: ir.Div) -> Call:
    """Of integers, cut towards zero; but rounded where kernels divide in the step that reduces, so rests go first."""
    type, attributes = op.result.type, {"m_pythondiv": False}
    if type.dtype.is_float or not (_is_reduced(op.a) or _is_reduced(op.b)):
        return Call(op.operands, attributes)
    rest = Nested("Mod", type, op.operands)
    return Call((Nested("Subtract", type, (op.a, rest)), op.b), attributes)


def _is_reduced(value: Value) -> bool:
    """Whether a value is a reduction, or elements of one that are computed with: that may become one step."""
    work, seen = [value], {value}
    while work:
        writer = work.pop().owner
        if isinstance(writer, Reduce):
            return True
        if writer is not None and (writer.spec.has(Elementwise) or isinstance(writer, Reshape)):
            more = {v for v in writer.operands if v is not None} - seen
            seen |= more
            work += more
    return False


@emits(ir.Round, "Round", dtypes=FLOATS)
def round_(op: ir.Round) -> Call:
    """Round: numbers halfway between two integers go to the even one."""
    return Call((op.x,), {"mode": "half_to_even"})


@condition("of floating-point numbers, a constant divisor that is finite")
def _finite_divisor(op: ir.Mod) -> str | None:
    if not op.a.type.dtype.is_float:
        return None
    known = elements(op.b)
    return None if known is not None and np.isfinite(known).all() else "a divisor that may be infinite"


def _remainder(truncated: bool) -> tuple[str, Condition]:
    name = "Mod" if truncated else "FloorMod"
    text = f"the sign of the {'dividend' if truncated else 'divisor'}"
    return name, Condition(text, lambda op: None if op.truncated is truncated else "the sign of the other operand")


for _name, _sign in map(_remainder, (True, False)):
    emits(ir.Mod, _name, dtypes=NUMBERS, when=(_sign, _finite_divisor))(lambda op: Call(op.operands))


@emits(ir.Mod, "Select", dtypes=FLOATS)
def remainder(op: ir.Mod) -> Call:
    """Kernels give NaN for infinite divisors, of which the remainder is the dividend, or beyond it the divisor."""
    type: TensorType = op.result.type
    truth, of_a, of_b = (t.with_dtype(DType.BOOL) for t in (type, op.a.type, op.b.type))
    finite = Nested("LogicalNot", of_a, (Nested("IsInf", of_a, (op.a,)),))
    is_infinite = Nested("LogicalAnd", truth, (Nested("IsInf", of_b, (op.b,)), finite))
    if op.truncated:
        return Call((is_infinite, op.a, Nested("Mod", type, op.operands)))
    differs = Nested("Less", truth, (Nested("Multiply", type, op.operands), number(0, op.a)))
    return Call((is_infinite, Nested("Select", type, (differs, op.b, op.a)), Nested("FloorMod", type, op.operands)))


@emits(ir.FloorDiv, "Floor", dtypes=FLOATS)
def floor_of_quotient(op: ir.FloorDiv) -> Call:
    """Floor of Divide: OpenVINO has no quotient of floats that is rounded down."""
    return Call((Nested("Divide", op.result.type, op.operands),))


@emits(ir.FloorDiv, "Divide", dtypes=INTEGERS)
def whole_quotient(op: ir.FloorDiv) -> Call:
    """Divide without the remainder, ``(a - FloorMod(a, b)) / b``: a quotient of integers that is rounded down."""
    type: TensorType = op.result.type
    rest = Nested("FloorMod", type, op.operands)
    return Call((Nested("Subtract", type, (op.a, rest)), op.b), {"m_pythondiv": False})


@emits(ir.Square, "Multiply", dtypes=NUMBERS)
def square(op: ir.Square) -> Call:
    """Multiply of a tensor with itself; OpenVINO has no operation for squares."""
    return Call((op.x, op.x))


@emits(ir.Reciprocal, "Divide", dtypes=FLOATS)
def reciprocal(op: ir.Reciprocal) -> Call:
    """Divide of 1 by the tensor; OpenVINO has no operation for reciprocals."""
    return Call((number(1, op.x), op.x))


@emits(ir.Rsqrt, "Divide", dtypes=FLOATS)
def rsqrt(op: ir.Rsqrt) -> Call:
    """Divide of 1 by Sqrt; OpenVINO has no operation for reciprocal square roots."""
    return Call((number(1, op.x), Nested("Sqrt", op.x.type, (op.x,))))


HALF_WORDS = (DType.I16, DType.U16)
"""Types that kernels hold in 32 bits, so that nothing is cut."""


@condition("numbers that the type has, or types that kernels have")
def _fits(op: ir.Cast) -> str | None:
    is_cut = op.to in HALF_WORDS and op.x.type.dtype.is_int and not op.to.holds(op.x.type.dtype)
    return f"{op.x.type.dtype} cut to {op.to}" if is_cut else None


FEW_BITS = "i4 u4 u2"
"""Types of constants that are few bits; others of eight bits or fewer are cut and rounded otherwise."""

CONVERTED = {"x": f"{ANY} {FEW_BITS} f8e4m3fn f8e5m2 f4e2m1", "to": f"{ANY} {FEW_BITS}"}


@emits(ir.Cast, "Convert", dtypes=CONVERTED, when=(_fits,))
def cast(op: ir.Cast) -> Call:
    """Convert between any two element types; narrower integers of 16 bits have a row of their own."""
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
