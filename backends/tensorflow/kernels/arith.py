"""Rows of the table for arithmetic and conversions."""

from __future__ import annotations

from ....compiler.ops import arith as ir
from ....compiler.ops.special import Special
from ....compiler.types import DType
from ....compiler.value_ranges import nonnegative
from ..table import Call, Condition, condition, emits
from .common import broadcasting, plain, plainly, same

# no SquaredDifference: where it stands in the arithmetic of a layer normalisation, TensorFlow 2.21 puts a kernel of
# oneDNN in its place, and forgets the epsilon
plainly(
    {
        ir.Add: "AddV2",
        ir.Sub: "Sub",
        ir.FloorDiv: "FloorDiv",
        ir.Max: "Maximum",
        ir.Min: "Minimum",
        ir.Atan2: "Atan2",
        ir.Neg: "Neg",
        ir.Abs: "Abs",
        ir.Sign: "Sign",
        ir.Sqrt: "Sqrt",
        ir.Rsqrt: "Rsqrt",
        ir.Reciprocal: "Reciprocal",
        ir.Exp: "Exp",
        ir.Log: "Log",
        ir.Expm1: "Expm1",
        ir.Log1p: "Log1p",
        ir.Erf: "Erf",
        ir.Floor: "Floor",
        ir.Ceil: "Ceil",
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


SQUARED = frozenset({DType.I32, DType.I64})
"""Integers of which there are squares of differences: TensorFlow writes a difference times itself so."""


@condition("no square of integers of fewer bits, or without sign")
def _squares(op: ir.Mul | ir.Square) -> str | None:
    dtype = op.result.type.dtype
    is_square = isinstance(op, ir.Square) or op.a is op.b
    return f"a square of {dtype}" if is_square and dtype.is_int and dtype not in SQUARED else None


emits(ir.Mul, "Mul", when=(plain, broadcasting, _squares))(same)
emits(ir.Square, "Square", when=(_squares,))(same)


@condition("of floating-point numbers")
def _floats(op: ir.Div) -> str | None:
    return None if op.a.type.dtype.is_float or op.a.type.dtype.is_complex else "a quotient of integers"


emits(ir.Div, "RealDiv", when=(plain, _floats, broadcasting))(same)
emits(ir.Div, "TruncateDiv", when=(plain, broadcasting))(same)


@condition("of fractions")
def _fractions(op: ir.Round) -> str | None:
    """The kernel makes zeros of integers of 64 bits."""
    return None if op.x.type.dtype.is_float else "integers, which are round"


emits(ir.Round, "Round", when=(_fractions,))(same)


@condition("remainders with the sign of the divisor")
def _divisor_sign(op: ir.Mod) -> str | None:
    return "FloorMod gives remainders the sign of the divisor" if op.truncated else None


@condition("remainders with the sign of the dividend")
def _dividend_sign(op: ir.Mod) -> str | None:
    return None if op.truncated else "TruncateMod gives remainders the sign of the dividend"


emits(ir.Mod, "FloorMod", when=(_divisor_sign, broadcasting))(same)
emits(ir.Mod, "TruncateMod", when=(_dividend_sign, broadcasting))(same)


@condition("exponents of integers that are not negative")
def _whole(op: ir.Pow) -> str | None:
    return None if not op.a.type.dtype.is_int or nonnegative(op.b) else "negative exponents of integers"


emits(ir.Pow, "Pow", when=(broadcasting, _whole))(same)

CAST = frozenset(
    {
        *(DType.BOOL, DType.F16, DType.BF16, DType.F32, DType.F64),
        *(DType.I8, DType.I16, DType.I32, DType.I64, DType.U8, DType.U16, DType.U32, DType.U64),
    }
)


@condition("between types of at least 8 bits that are computed in")
def _known(op: ir.Cast) -> str | None:
    other = next((t for t in (op.x.type.dtype, op.to) if t not in CAST), None)
    return None if other is None else f"a conversion of {other}"


@emits(ir.Cast, "Cast", when=(_known,))
def cast(op: ir.Cast) -> Call:
    """Cast: a conversion that cuts floats towards zero on the way to integers."""
    return Call((op.x,), {"Truncate": False})


emits(ir.BitCast, "Bitcast")(same)

SPECIALS = {
    "bessel_i0": "BesselI0",
    "bessel_i0e": "BesselI0e",
    "bessel_i1": "BesselI1",
    "bessel_i1e": "BesselI1e",
    "bessel_j0": "BesselJ0",
    "bessel_j1": "BesselJ1",
    "bessel_k0": "BesselK0",
    "bessel_k0e": "BesselK0e",
    "bessel_k1": "BesselK1",
    "bessel_k1e": "BesselK1e",
    "bessel_y0": "BesselY0",
    "bessel_y1": "BesselY1",
    "digamma": "Digamma",
    "erfinv": "Erfinv",
    "lgamma": "Lgamma",
    "ndtri": "Ndtri",
}


def _function(name: str) -> Condition:
    return Condition(f"function {name}", lambda op: None if op.function == name else f"the function {op.function}")


for _name, _operator in SPECIALS.items():
    emits(Special, _operator, when=(_function(_name),))(same)
