"""Rows for arithmetic."""

from __future__ import annotations

from typing import Any

from ....compiler.constants import elements
from ....compiler.ir import Value
from ....compiler.ops import arith as ir
from ....compiler.ops.special import Special
from ....compiler.value_ranges import nonnegative
from ....formats.keras.build import NAMES
from ..table import ANY, FLOATS, Call, condition, emits, kernels
from .common import broadcasting, computed, dtype_of, merged, merging, plain, same

for _op, _layer in (
    (ir.Add, "Add"),
    (ir.Sub, "Subtract"),
    (ir.Mul, "Multiply"),
    (ir.Max, "Maximum"),
    (ir.Min, "Minimum"),
):
    emits(
        _op, f"layers.{_layer}", when=(*((plain,) if _op in (ir.Add, ir.Sub, ir.Mul) else ()), broadcasting, merging)
    )(merged)

for _op, _function, _operator in (
    (ir.Add, "add", "AddV2"),
    (ir.Sub, "subtract", "Sub"),
    (ir.Mul, "multiply", "Mul"),
    (ir.FloorDiv, "floor_divide", "FloorDiv"),
    (ir.Max, "maximum", "Maximum"),
    (ir.Min, "minimum", "Minimum"),
):
    _plain = (plain,) if "activation" in _op.spec.attributes else ()
    emits(_op, f"ops.{_function}", dtypes=kernels(_operator), when=(*_plain, broadcasting))(same)
emits(ir.Atan2, "ops.arctan2", dtypes="f32 f64", when=(broadcasting,))(same)
emits(ir.Div, "ops.divide", when=(plain, broadcasting))(same)


@condition("a single constant number as the other operand")
def _by_number(op: Any) -> str | None:
    return None if computed(op) is None and _number(op.b) is not None else "another operand than a number"


def _number(value: Value) -> float | None:
    array = elements(value)
    is_number = array is not None and array.size == 1 and array.dtype.kind == "f" and value.type.rank <= 1
    return float(array.reshape(-1)[0]) if array is not None and is_number else None


@emits(ir.Mul, "layers.Rescaling", dtypes="f32", when=(plain, _by_number))
def scaled(op: ir.Mul) -> Call:
    """Times a number."""
    return Call((op.a,), {"scale": _number(op.b), **dtype_of(op)})


@emits(ir.Add, "layers.Rescaling", dtypes="f32", when=(plain, _by_number))
def shifted(op: ir.Add) -> Call:
    """Plus a number."""
    return Call((op.a,), {"scale": 1.0, "offset": _number(op.b), **dtype_of(op)})


for _op, _function, _operator in (
    (ir.Neg, "negative", "Neg"),
    (ir.Abs, "absolute", "Abs"),
    (ir.Sign, "sign", "Sign"),
    (ir.Square, "square", "Square"),
):
    emits(_op, f"ops.{_function}", dtypes=kernels(_operator))(same)

for _op, _function in (
    (ir.Sqrt, "sqrt"),
    (ir.Rsqrt, "rsqrt"),
    (ir.Reciprocal, "reciprocal"),
    (ir.Exp, "exp"),
    (ir.Log, "log"),
    (ir.Expm1, "expm1"),
    (ir.Log1p, "log1p"),
    (ir.Erf, "erf"),
    (ir.Floor, "floor"),
    (ir.Ceil, "ceil"),
    (ir.Round, "round"),
    (ir.Sin, "sin"),
    (ir.Cos, "cos"),
    (ir.Tan, "tan"),
    (ir.Asin, "arcsin"),
    (ir.Acos, "arccos"),
    (ir.Atan, "arctan"),
    (ir.Sinh, "sinh"),
    (ir.Cosh, "cosh"),
    (ir.Asinh, "arcsinh"),
    (ir.Acosh, "arccosh"),
    (ir.Atanh, "arctanh"),
):
    emits(_op, f"ops.{_function}", dtypes=FLOATS)(same)


@condition("remainders with the sign of the divisor")
def _divisor_sign(op: ir.Mod) -> str | None:
    return "mod gives remainders the sign of the divisor" if op.truncated else None


emits(ir.Mod, "ops.mod", dtypes=kernels("FloorMod"), when=(_divisor_sign, broadcasting))(same)


@condition("exponents of integers that are not negative")
def _whole(op: ir.Pow) -> str | None:
    return None if not op.a.type.dtype.is_int or nonnegative(op.b) else "negative exponents of integers"


@condition("base and exponent of one type")
def _alike(op: ir.Pow) -> str | None:
    return None if op.a.type.dtype is op.b.type.dtype else "an exponent of another type"


emits(ir.Pow, "ops.power", dtypes=kernels("Pow"), when=(broadcasting, _whole, _alike))(same)


@condition("to a type that Keras has, cut where it is one of integers")
def _known(op: ir.Cast) -> str | None:
    return None if op.to in NAMES else f"a conversion to {op.to}"


@emits(ir.Cast, "ops.cast", dtypes=ANY, when=(_known,))
def cast(op: ir.Cast) -> Call:
    """Conversion; floats are cut."""
    return Call((op.x,), {"dtype": NAMES[op.to]})


@condition("the inverse error function")
def _erfinv(op: Special) -> str | None:
    return None if op.function == "erfinv" else f"the function {op.function}"


emits(Special, "ops.erfinv", dtypes="f32 f64", when=(_erfinv,))(same)
