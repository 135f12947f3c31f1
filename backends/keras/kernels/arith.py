"""Rows for elementwise arithmetic: layers that merge tensors, and functions of ``keras.ops`` for all other operands."""

from __future__ import annotations

from typing import Any

from ....compiler.constants import elements
from ....compiler.ir import Value
from ....compiler.ops import arith as ir
from ....compiler.ops.special import Special
from ....compiler.types import DType
from ....compiler.value_ranges import nonnegative
from ....formats.keras.build import NAMES
from ..table import ANY, FLOATS, NUMBERS, Call, Nested, condition, emits, kernels, scalar
from .bias import mistaken_bias
from .common import broadcasting, computed, dtype_of, merged, merging, plain, same


@condition("an operand that Keras does not take for a bias along another axis")
def _no_mistaken_bias(op: ir.Add) -> str | None:
    return None if _in_order(op) is not None else "an operand that Keras takes for a bias along another axis"


def _in_order(op: ir.Add) -> tuple[Value, Value] | None:
    """Return the operands so that their sum is what it should be; None if it is in no order."""
    return next((pair for pair in ((op.a, op.b), (op.b, op.a)) if not mistaken_bias(*pair)), None)


def _added(op: ir.Add) -> tuple[Value, Value]:
    pair = _in_order(op)
    assert pair is not None
    return pair


@emits(ir.Add, "layers.Add", when=(plain, broadcasting, merging, _no_mistaken_bias))
def add_layer(op: ir.Add) -> Call:
    """Two tensors, in the order in which the sum is right."""
    return Call((_added(op),), dtype_of(op))


@emits(ir.Add, "ops.add", dtypes=kernels("AddV2"), when=(plain, broadcasting, _no_mistaken_bias))
def add(op: ir.Add) -> Call:
    """``ops.add``, for constant operands and integers, which ``layers.Add`` does not take."""
    return Call(_added(op))


@emits(ir.Add, "ops.subtract", dtypes=FLOATS, when=(plain, broadcasting))
def minus_the_negative(op: ir.Add) -> Call:
    """The same number, which Keras does not take for a bias."""
    return Call((op.a, Nested("ops.negative", op.b.type, (op.b,))))


for _op, _layer in ((ir.Sub, "Subtract"), (ir.Mul, "Multiply")):
    emits(_op, f"layers.{_layer}", when=(plain, broadcasting, merging))(merged)
for _op, _layer in ((ir.Max, "Maximum"), (ir.Min, "Minimum")):
    emits(_op, f"layers.{_layer}", when=(broadcasting, merging))(merged)

for _op, _function, _operator in (
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
    is_number = computed(op) is None and _number(op.b) is not None and op.result.type == op.a.type
    return None if is_number else "another operand than a number"


def _number(value: Value) -> float | None:
    array = elements(value)
    is_number = array is not None and array.size == 1 and array.dtype.kind == "f" and value.type.rank <= 1
    return float(array.reshape(-1)[0]) if array is not None and is_number else None


@emits(ir.Mul, "layers.Rescaling", dtypes="f32", when=(plain, _by_number))
def scaled(op: ir.Mul) -> Call:
    """``layers.Rescaling`` with a scale: a product with one constant number."""
    return Call((op.a,), {"scale": _number(op.b), **dtype_of(op)})


@emits(ir.Add, "layers.Rescaling", dtypes="f32", when=(plain, _by_number))
def shifted(op: ir.Add) -> Call:
    """``layers.Rescaling`` with an offset and a scale of 1: a sum with one constant number."""
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


emits(ir.Reciprocal, "ops.reciprocal", dtypes="f32")(same)


@emits(ir.Reciprocal, "ops.divide")
def one_divided(op: ir.Reciprocal) -> Call:
    """Also of other floats, of which Keras takes the type of a reciprocal for f32."""
    return Call((scalar(1, op.x.type.dtype), op.x))


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
    """``ops.cast`` to any element type that Keras has; floats are cut towards zero on the way to integers."""
    return Call((op.x,), {"dtype": NAMES[op.to]})


@condition("to a type that Keras has, of as many bits")
def _as_many_bits(op: ir.BitCast) -> str | None:
    return None if op.to in NAMES and DType.BOOL not in (op.to, op.x.type.dtype) else f"the bits as {op.to}"


@emits(ir.BitCast, "ops.view", dtypes=NUMBERS, when=(_as_many_bits,))
def bit_cast(op: ir.BitCast) -> Call:
    """``ops.view``: the same bits as another element type of the same size."""
    return Call((op.x,), {"dtype": NAMES[op.to]})


@condition("the inverse error function")
def _erfinv(op: Special) -> str | None:
    return None if op.function == "erfinv" else f"the function {op.function}"


emits(Special, "ops.erfinv", dtypes="f32 f64", when=(_erfinv,))(same)
