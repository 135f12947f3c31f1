"""Rows of the table for elementwise arithmetic, comparisons of types, and conversions."""

from __future__ import annotations

from ....compiler.ops import arith as ir
from ....compiler.types import DType
from ....compiler.value_ranges import nonnegative
from ....formats.coreml.program import STORED
from ...common.operands import scalar
from ..table import ANY, FLOATS, NUMBERS, SMALL, Call, Nested, Operand, condition, emits, number
from .common import binary, plainly, unary

plainly({ir.Add: "add", ir.Sub: "sub", ir.Mul: "mul", ir.Max: "maximum", ir.Min: "minimum"}, NUMBERS)
plainly({ir.Div: "real_div"}, FLOATS)
plainly({ir.FloorDiv: "floor_div", ir.Abs: "abs", ir.Sign: "sign", ir.Square: "square"}, NUMBERS)
plainly(
    {
        ir.Sqrt: "sqrt",
        ir.Exp: "exp",
        ir.Erf: "erf",
        ir.Floor: "floor",
        ir.Ceil: "ceil",
        ir.Round: "round",
        ir.Sin: "sin",
        ir.Cos: "cos",
        ir.Tan: "tan",
        ir.Asin: "asin",
        ir.Acos: "acos",
        ir.Atan: "atan",
        ir.Sinh: "sinh",
        ir.Cosh: "cosh",
        ir.Atanh: "atanh",
    },
    FLOATS,
)


@emits(ir.Log, "log")
def log(op: ir.Log) -> Call:
    """Nothing is added to the operand, which is the default."""
    return Call({"x": op.x, "epsilon": number(0, op.x)})


@emits(ir.Neg, "mul", dtypes=NUMBERS)
def negative(op: ir.Neg) -> Call:
    """A product with -1, since MIL has no negation."""
    return Call({"x": op.x, "y": number(-1, op.x)})


@emits(ir.SquaredDifference, "square", dtypes=NUMBERS)
def squared_difference(op: ir.SquaredDifference) -> Call:
    """The square of the difference, in two operations of MIL."""
    return Call({"x": Nested("sub", op.result.type, {"x": op.a, "y": op.b})})


@emits(ir.Reciprocal, "real_div")
def reciprocal(op: ir.Reciprocal) -> Call:
    """One divided by it, to which nothing is added."""
    return Call({"x": number(1, op.x), "y": op.x})


@emits(ir.Rsqrt, "real_div")
def rsqrt(op: ir.Rsqrt) -> Call:
    """One divided by the root, to which nothing is added."""
    return Call({"x": number(1, op.x), "y": Nested("sqrt", op.x.type, {"x": op.x})})


@condition("base and exponent of one type")
def _same_types(op: ir.Pow) -> str | None:
    a, b = op.a.type.dtype, op.b.type.dtype
    return None if a is b else f"a power of {a} by {b}"


@condition("exponents of integers that are not negative")
def _not_negative(op: ir.Pow) -> str | None:
    return None if not op.a.type.dtype.is_int or nonnegative(op.b) else "negative exponents of integers"


emits(ir.Pow, "pow", dtypes=NUMBERS, when=(_same_types, _not_negative))(binary)


@condition("the sign of the divisor")
def _rounded_down(op: ir.Mod) -> str | None:
    return "the sign of the dividend" if op.truncated else None


emits(ir.Mod, "mod", dtypes=NUMBERS, when=(_rounded_down,))(binary)

CASTS = {DType.F16: "fp16", DType.F32: "fp32", DType.I32: "int32", DType.BOOL: "bool"}
"""Types as conversions call them."""

STORED_TYPES = f"{ANY} i64"
"""Those that conversions meet; integers of 64 bits are positions in between."""

FEW_BITS = tuple(DType(name) for name in SMALL.split())


@condition("to integers that are the same in a file, and hold all numbers")
def _keeps(op: ir.Cast) -> str | None:
    source, to = op.x.type.dtype, op.to
    is_kept = source.is_int and to.is_int and STORED.get(source) is STORED.get(to)
    return None if is_kept and (to not in FEW_BITS or to.holds(source)) else f"a conversion of {source} to {to}"


emits(ir.Cast, "identity", dtypes=STORED_TYPES, when=(_keeps,))(unary)


@condition("to few bits")
def _cuts(op: ir.Cast) -> str | None:
    return None if op.to in FEW_BITS else f"a conversion to {op.to}"


def _whole(op: ir.Cast) -> Operand:
    """Return the operand as integers of 32 bits."""
    if op.x.type.dtype.is_int:
        return op.x
    return Nested("cast", op.x.type.with_dtype(DType.I32), {"x": op.x, "dtype": "int32"})


@condition("with a sign")
def _signed(op: ir.Cast) -> str | None:
    return None if op.to.value.startswith("i") else "integers without a sign"


@emits(ir.Cast, "add", dtypes=STORED_TYPES, when=(_cuts, _signed))
def cut_signed(op: ir.Cast) -> Call:
    """What is left of a division by the number of different values, counted from the least one."""
    low, high = op.to.bounds
    whole = op.x.type.with_dtype(DType.I32)
    above = Nested("sub", whole, {"x": _whole(op), "y": scalar(low, DType.I32)})
    rest = Nested("mod", whole, {"x": above, "y": scalar(high - low + 1, DType.I32)})
    return Call({"x": rest, "y": scalar(low, DType.I32)})


@emits(ir.Cast, "mod", dtypes=STORED_TYPES, when=(_cuts,))
def cut(op: ir.Cast) -> Call:
    """What is left of a division by the number of different values."""
    return Call({"x": _whole(op), "y": scalar(op.to.bounds[1] + 1, DType.I32)})


@condition("to a type that Core ML has")
def _known(op: ir.Cast) -> str | None:
    return None if op.to in CASTS else f"a conversion to {op.to}"


@emits(ir.Cast, "cast", dtypes=STORED_TYPES, when=(_known,))
def cast(op: ir.Cast) -> Call:
    """Conversion of element types; from floats to integers it rounds towards zero."""
    return Call({"x": op.x, "dtype": CASTS[op.to]})
