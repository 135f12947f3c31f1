"""Rows of the table for arithmetic and for conversions."""

from __future__ import annotations

from collections.abc import Callable

from ....compiler.broadcasting import broadcasts, shapes_of
from ....compiler.ir import Op
from ....compiler.ops import arith as ir
from ....compiler.scales import WIDE
from ....compiler.types import DType
from ....compiler.value_ranges import nonnegative
from ..broadcast import PORTABLE_RANK, fits, same_shapes
from ..table import Call, Quantizable, condition, emits, options
from .common import by_type, clamp_options, float_activation

_I8 = frozenset({DType.I8})
_LOOKED_UP = Quantizable(types=_I8, is_slow=True)


def _is_wide(op: Op) -> bool:
    """Broadcasting over more axes than the first kernels could."""
    shapes = shapes_of(op)
    return broadcasts(shapes) and max(map(len, shapes)) > PORTABLE_RANK


def _sum(table: str, version16: int) -> Quantizable:
    """Sums of integers of 16 bits take scales that are powers of two unless the options say something else."""
    general = table, {"potScaleInt16": False}
    return Quantizable(plain="f32 i32 i64", types=WIDE, version16=version16, options16=general)


@emits(ir.Add, "ADD", dtypes=_sum("AddOptions", 3), when=(fits, float_activation), kernel="add.cc")
def add(op: ir.Add) -> Call:
    """ADD: a sum with broadcasting; of floats with a fused activation."""
    return Call((op.a, op.b), clamp_options("AddOptions", op), by_type(op.a, i64=4))


@emits(ir.Sub, "SUB", dtypes=_sum("SubOptions", 5), when=(fits, float_activation), kernel="sub.cc")
def sub(op: ir.Sub) -> Call:
    """SUB: a difference with broadcasting; of floats with a fused activation."""
    return Call((op.a, op.b), clamp_options("SubOptions", op), by_type(op.a, i64=4, f32=3 if _is_wide(op) else 1))


@emits(
    ir.Mul,
    "MUL",
    dtypes=Quantizable(plain="f32 i32 i64 u32", is_product=True, types=WIDE, version16=4),
    when=(fits, float_activation),
    kernel="mul.cc",
)
def mul(op: ir.Mul) -> Call:
    """MUL: a product with broadcasting; of floats with a fused activation."""
    return Call((op.a, op.b), clamp_options("MulOptions", op), by_type(op.a, i64=5, u32=7))


@condition("no activation")
def _plain(op: Op) -> str | None:
    return None if op.attributes.get("activation", "none") == "none" else "the kernel ends in no activation"


for _op, _builtin in (
    (ir.Add, "STABLEHLO_ADD"),
    (ir.Mul, "STABLEHLO_MULTIPLY"),
    (ir.Max, "STABLEHLO_MAXIMUM"),
    (ir.Min, "STABLEHLO_MINIMUM"),
):
    emits(_op, _builtin, dtypes="f64", when=(same_shapes, _plain), kernel="stablehlo_elementwise.cc")(
        lambda op: Call(op.operands)
    )


@emits(ir.Div, "DIV", dtypes="f32 i32", when=(fits, float_activation), kernel="div.cc")
def div(op: ir.Div) -> Call:
    """DIV: a quotient; the kernel rounds integers towards zero."""
    return Call((op.a, op.b), clamp_options("DivOptions", op), 2 if _is_wide(op) else 1)


@emits(ir.FloorDiv, "FLOOR_DIV", dtypes="f32 i32", when=(fits,), kernel="floor_div.cc")
def floor_div(op: ir.FloorDiv) -> Call:
    """FLOOR_DIV: a quotient that is rounded towards minus infinity."""
    return Call((op.a, op.b), None, by_type(op.a, f32=2))


@condition("remainders with the sign of the divisor")
def _divisor_sign(op: ir.Mod) -> str | None:
    return "FLOOR_MOD gives remainders the sign of the divisor" if op.truncated else None


@emits(ir.Mod, "FLOOR_MOD", dtypes="f32 i32 i64", when=(fits, _divisor_sign), kernel="floor_mod.cc")
def mod(op: ir.Mod) -> Call:
    """FLOOR_MOD: a remainder that has the sign of the divisor."""
    return Call((op.a, op.b))


@condition("exponents of the same type")
def _same_types(op: ir.Pow) -> str | None:
    return None if op.a.type.dtype is op.b.type.dtype else "POW takes base and exponent of one element type"


@condition("exponents of integers that are not negative")
def _whole(op: ir.Pow) -> str | None:
    return None if op.a.type.dtype.is_float or nonnegative(op.b) else "POW takes no negative exponents of integers"


@emits(ir.Pow, "POW", dtypes="f32 i32", when=(fits, _same_types, _whole), kernel="pow.cc")
def power(op: ir.Pow) -> Call:
    """POW: a power of two tensors that broadcast."""
    return Call((op.a, op.b))


def _extremum(op: ir.Max | ir.Min) -> Call:
    return Call((op.a, op.b), None, 3 if _is_wide(op) else 1)


_PICKS = Quantizable(plain="f32 i32 i64", keeps_scale=True, types=WIDE, is_slow=True)
emits(ir.Max, "MAXIMUM", dtypes=_PICKS, when=(fits,), kernel="maximum_minimum.cc")(_extremum)
emits(ir.Min, "MINIMUM", dtypes=_PICKS, when=(fits,), kernel="maximum_minimum.cc")(_extremum)


@emits(
    ir.SquaredDifference,
    "SQUARED_DIFFERENCE",
    dtypes=Quantizable(plain="f32 i32", types=_I8, is_slow=True),
    when=(fits,),
    kernel="squared_difference.cc",
)
def squared_difference(op: ir.SquaredDifference) -> Call:
    """SQUARED_DIFFERENCE: the square of a difference, with broadcasting."""
    return Call((op.a, op.b))


@emits(ir.Atan2, "ATAN2", dtypes="f32", when=(same_shapes,), kernel="atan2.cc")
def atan2(op: ir.Atan2) -> Call:
    """ATAN2: the angle of a point; both operands have the same shape."""
    return Call((op.a, op.b))


def _unary(**versions: int) -> Callable[[Op], Call]:
    """Call a builtin with one operand; versions other than 1 by element type."""

    def call(op: Op) -> Call:
        (x,) = op.operands
        assert x is not None
        return Call((x,), None, by_type(x, **versions))

    return call


emits(ir.Neg, "NEG", dtypes="f32 i32 i64", kernel="neg.cc")(_unary())
emits(ir.Abs, "ABS", dtypes=Quantizable(plain="f32 i32", types=_I8, is_slow=True), kernel="elementwise.cc")(
    _unary(i32=5)
)
emits(ir.Sign, "SIGN", dtypes="f32 i32", kernel="sign.cc")(_unary(i32=2))
emits(ir.Square, "SQUARE", dtypes="f32", kernel="elementwise.cc")(_unary())
emits(ir.Sqrt, "SQRT", dtypes="f32", kernel="elementwise.cc")(_unary())
emits(
    ir.Rsqrt,
    "RSQRT",
    dtypes=Quantizable(types=_I8, is_nonnegative=True, is_slow=True),
    kernel="elementwise.cc",
)(_unary())
emits(ir.Exp, "EXP", dtypes=_LOOKED_UP, kernel="exp.cc")(_unary())
emits(
    ir.Log,
    "LOG",
    dtypes=Quantizable(types=_I8, is_nonnegative=True, is_slow=True),
    kernel="elementwise.cc",
)(_unary())
emits(ir.Floor, "FLOOR", dtypes="f32", kernel="floor.cc")(_unary())
emits(ir.Ceil, "CEIL", dtypes="f32", kernel="ceil.cc")(_unary())
emits(ir.Round, "ROUND", dtypes="f32", kernel="round.cc")(_unary())
emits(ir.Sin, "SIN", dtypes="f32", kernel="elementwise.cc")(_unary())
emits(ir.Cos, "COS", dtypes="f32", kernel="elementwise.cc")(_unary())

_CAST = "bool i8 i16 i32 i64 u8 u16 u32 f16 f32 f64"
_CAST_VERSIONS = (({DType.F16, DType.F64}, 5), ({DType.U16}, 4), ({DType.I8}, 3), ({DType.U32}, 2))
"""The first set that holds one of the two element types decides."""


@emits(ir.Cast, "CAST", dtypes={"x": _CAST, "to": _CAST}, kernel="cast.cc")
def cast(op: ir.Cast) -> Call:
    """CAST: a conversion between the element types that the kernel knows."""
    ends = {op.x.type.dtype, op.to}
    version = next((v for types, v in _CAST_VERSIONS if types & ends), 1)
    return Call((op.x,), options("CastOptions", inDataType=op.x.type.dtype, outDataType=op.to), version)


_BITS = "bool i8 i16 i32 i64 u8 u16 u32 u64 f16 f32 f64"


@emits(ir.BitCast, "BITCAST", dtypes={"x": _BITS, "to": _BITS}, kernel="bitcast.cc")
def bit_cast(op: ir.BitCast) -> Call:
    """BITCAST: the same bits as another element type of the same size."""
    return Call((op.x,))
