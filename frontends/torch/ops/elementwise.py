"""Handlers of elementwise functions, whose operands are tensors or numbers and are promoted to the result's type."""

from __future__ import annotations

import math
from collections.abc import Callable

from ....compiler.ir import Op, Value
from ....compiler.ops import arith, logic
from ....compiler.ops.special import Special
from ....compiler.types import DType
from ..emitter import Emitter
from ..promotion import Number, Operand
from ..registry import aten, unary

for _name, _op in {
    "acos": arith.Acos,
    "acosh": arith.Acosh,
    "asin": arith.Asin,
    "asinh": arith.Asinh,
    "atan": arith.Atan,
    "atanh": arith.Atanh,
    "cos": arith.Cos,
    "cosh": arith.Cosh,
    "erf": arith.Erf,
    "exp": arith.Exp,
    "expm1": arith.Expm1,
    "log": arith.Log,
    "log1p": arith.Log1p,
    "neg": arith.Neg,
    "reciprocal": arith.Reciprocal,
    "rsqrt": arith.Rsqrt,
    "sin": arith.Sin,
    "sinh": arith.Sinh,
    "sqrt": arith.Sqrt,
    "square": arith.Square,
    "tan": arith.Tan,
}.items():
    unary(_name, _op)


def _rounding(name: str, op: type[Op]) -> None:
    """Register a function that leaves integers as they are."""

    @aten(name)
    def handler(emit: Emitter, x: Value) -> Value:  # pyright: ignore[reportUnusedFunction] -- registered
        return emit(op(x)) if x.type.dtype.is_float else x


_rounding("floor", arith.Floor)
_rounding("ceil", arith.Ceil)
_rounding("round", arith.Round)


@aten("abs")
def absolute(emit: Emitter, x: Value) -> Value:
    """``abs``: the absolute value; booleans and unsigned integers stay as they are."""
    return emit(arith.Abs(x)) if x.type.dtype.value[0] in "fbi" and x.type.dtype is not DType.BOOL else x


@aten("sign", "sgn")
def sign(emit: Emitter, x: Value) -> Value:
    """``sign`` and ``sgn``: -1, 0 or 1; booleans are their own sign."""
    return x if x.type.dtype is DType.BOOL else emit(arith.Sign(x))


@aten("trunc", "fix")
def trunc(emit: Emitter, x: Value) -> Value:
    """``trunc`` and ``fix``: floats cut towards zero as ``sign(x) * floor(abs(x))``; integers as they are."""
    return emit(arith.Mul(emit(arith.Sign(x)), emit(arith.Floor(emit(arith.Abs(x)))))) if x.type.dtype.is_float else x


def _scaled_log(name: str, base: float) -> None:
    """Register a logarithm to another base."""

    @aten(name)
    def handler(emit: Emitter, x: Value) -> Value:  # pyright: ignore[reportUnusedFunction] -- registered
        natural = emit(arith.Log(emit.cast(x, emit.dtype)))
        return emit(arith.Mul(natural, emit.const(1 / math.log(base), emit.dtype)))


_scaled_log("log2", 2)
_scaled_log("log10", 10)


@aten("exp2")
def exp2(emit: Emitter, x: Value) -> Value:
    """``exp2``: ``2 ** x``, computed as ``exp(x * log(2))`` in the result's element type."""
    scaled = emit(arith.Mul(emit.cast(x, emit.dtype), emit.const(math.log(2), emit.dtype)))
    return emit(arith.Exp(scaled))


@aten("add.Tensor", "add.Scalar")
def add(emit: Emitter, x: Operand, other: Operand, alpha: Number = 1) -> Value:
    """Sum; the second operand times ``alpha``. Of booleans it is whether one holds."""
    if emit.dtype is DType.BOOL:
        return emit(logic.LogicalOr(emit.value(x, DType.BOOL), emit.value(other, DType.BOOL)))
    return _weighted(emit, arith.Add, x, other, alpha)


@aten("sub.Tensor", "sub.Scalar")
def sub(emit: Emitter, x: Operand, other: Operand, alpha: Number = 1) -> Value:
    """``sub``: ``x - alpha * other``, both converted to the result's element type first."""
    return _weighted(emit, arith.Sub, x, other, alpha)


@aten("rsub.Tensor", "rsub.Scalar")
def rsub(emit: Emitter, x: Operand, other: Operand, alpha: Number = 1) -> Value:
    """``rsub``: ``other - alpha * x``, the difference with exchanged operands."""
    return _weighted(emit, arith.Sub, other, x, alpha)


def _weighted(emit: Emitter, op: type[Op], x: Operand, other: Operand, alpha: Number) -> Value:
    a, b = emit.value(x, emit.dtype), emit.value(other, emit.dtype)
    if alpha != 1:
        b = emit(arith.Mul(b, emit.value(alpha, emit.dtype)))
    return emit(op(a, b))


@aten("mul.Tensor", "mul.Scalar")
def mul(emit: Emitter, x: Operand, other: Operand) -> Value:
    """``mul``: the product in the result's element type; of booleans it is whether both hold."""
    op = logic.LogicalAnd if emit.dtype is DType.BOOL else arith.Mul
    return emit(op(emit.value(x, emit.dtype), emit.value(other, emit.dtype)))


@aten("div.Tensor", "div.Scalar", "true_divide.Tensor")
def div(emit: Emitter, x: Operand, other: Operand) -> Value:
    """``div`` without rounding: a quotient of floats, to which integers are converted first."""
    return emit(arith.Div(emit.value(x, emit.dtype), emit.value(other, emit.dtype)))


@aten("div.Tensor_mode", "div.Scalar_mode")
def div_mode(emit: Emitter, x: Operand, other: Operand, *, rounding_mode: str | None) -> Value:
    """Quotient that is rounded down, cut towards zero, or left as it is."""
    if rounding_mode is None:
        return div(emit, x, other)
    if rounding_mode == "floor":
        return floor_divide(emit, x, other)
    quotient = div(emit, x, other)
    return trunc(emit, quotient)


@aten("floor_divide", "floor_divide.Scalar")
def floor_divide(emit: Emitter, x: Operand, other: Operand) -> Value:
    """``floor_divide``: the quotient rounded down, also of floats and of negative numbers."""
    return emit(arith.FloorDiv(emit.value(x, emit.dtype), emit.value(other, emit.dtype)))


@aten("remainder.Tensor", "remainder.Scalar", "remainder.Scalar_Tensor")
def remainder(emit: Emitter, x: Operand, other: Operand) -> Value:
    """``remainder``: the remainder with the sign of the divisor, as Python's ``%`` has it."""
    return emit(arith.Mod(emit.value(x, emit.dtype), emit.value(other, emit.dtype)))


@aten("fmod.Tensor", "fmod.Scalar")
def fmod(emit: Emitter, x: Operand, other: Operand) -> Value:
    """``fmod``: the remainder with the sign of the dividend, as C's ``fmod`` has it."""
    return emit(arith.Mod(emit.value(x, emit.dtype), emit.value(other, emit.dtype), truncated=True))


@aten("pow.Tensor_Scalar", "pow.Tensor_Tensor", "pow.Scalar")
def power(emit: Emitter, x: Operand, exponent: Operand) -> Value:
    """``pow``: a tensor or number to the power of another one, in the element type of the result."""
    return emit(arith.Pow(emit.value(x, emit.dtype), emit.value(exponent, emit.dtype)))


@aten("atan2")
def atan2(emit: Emitter, x: Value, other: Value) -> Value:
    """``atan2``: the angle of the point ``(other, x)`` to the first axis, in all four quadrants."""
    return emit(arith.Atan2(emit.cast(x, emit.dtype), emit.cast(other, emit.dtype)))


@aten("maximum", "max.other")
def maximum(emit: Emitter, x: Value, other: Value) -> Value:
    """``maximum``: the larger of two elements; of booleans whether one of both is true."""
    return _extreme(emit, arith.Max, logic.LogicalOr, x, other)


@aten("minimum", "min.other")
def minimum(emit: Emitter, x: Value, other: Value) -> Value:
    """``minimum``: the smaller of two elements; of booleans whether both are true."""
    return _extreme(emit, arith.Min, logic.LogicalAnd, x, other)


def _extreme(emit: Emitter, op: type[Op], of_bool: type[Op], x: Operand, other: Operand) -> Value:
    kind = of_bool if emit.dtype is DType.BOOL else op
    return emit(kind(emit.value(x, emit.dtype), emit.value(other, emit.dtype)))


@aten("clamp.Tensor")
def clamp_tensor(emit: Emitter, x: Value, min: Operand | None = None, max: Operand | None = None) -> Value:
    """``clamp`` with tensors as bounds, which broadcast; where they cross, the upper one counts."""
    x = emit.cast(x, emit.dtype)
    if min is not None:
        x = _extreme(emit, arith.Max, logic.LogicalOr, x, min)
    return x if max is None else _extreme(emit, arith.Min, logic.LogicalAnd, x, max)


@aten("clamp_min", "clamp_min.Tensor")
def clamp_min(emit: Emitter, x: Value, min: Operand) -> Value:
    """``clamp_min``: the maximum with a lower bound, a number or a tensor."""
    return clamp_tensor(emit, x, min)


@aten("clamp_max", "clamp_max.Tensor")
def clamp_max(emit: Emitter, x: Value, max: Operand) -> Value:
    """``clamp_max``: the minimum with an upper bound, a number or a tensor."""
    return clamp_tensor(emit, x, None, max)


def _comparison(name: str, op: type[Op]) -> None:
    """Register a comparison, which is made in the element type that both operands have in common."""

    @aten(f"{name}.Tensor", f"{name}.Scalar")
    def handler(emit: Emitter, x: Operand, other: Operand) -> Value:  # pyright: ignore[reportUnusedFunction]
        return emit(op(*emit.promoted(x, other)))


_comparison("eq", logic.Equal)
_comparison("ne", logic.NotEqual)
_comparison("lt", logic.Less)
_comparison("le", logic.LessEqual)
_comparison("gt", logic.Greater)
_comparison("ge", logic.GreaterEqual)


def _logical(name: str, op: type[Op]) -> None:
    """Register a connection of truth values; what is not zero is true."""

    @aten(f"logical_{name}")
    def handler(emit: Emitter, x: Value, other: Value) -> Value:  # pyright: ignore[reportUnusedFunction]
        return emit(op(emit.cast(x, DType.BOOL), emit.cast(other, DType.BOOL)))


_logical("and", logic.LogicalAnd)
_logical("or", logic.LogicalOr)
_logical("xor", logic.LogicalXor)


def _bitwise(name: str, op: type[Op], of_bool: type[Op]) -> None:
    """Register a connection of bits, which for booleans is one of truth values."""

    @aten(f"bitwise_{name}.Tensor", f"bitwise_{name}.Scalar", f"__{name}__.Tensor", f"__{name}__.Scalar")
    def handler(emit: Emitter, x: Operand, other: Operand) -> Value:  # pyright: ignore[reportUnusedFunction]
        kind = of_bool if emit.dtype is DType.BOOL else op
        return emit(kind(emit.value(x, emit.dtype), emit.value(other, emit.dtype)))


_bitwise("and", logic.BitwiseAnd, logic.LogicalAnd)
_bitwise("or", logic.BitwiseOr, logic.LogicalOr)
_bitwise("xor", logic.BitwiseXor, logic.LogicalXor)


def _shift(name: str, op: type[Op]) -> None:
    short = f"__{name[0]}shift__"
    kinds = ("Tensor", "Tensor_Scalar", "Scalar_Tensor")

    @aten(*(f"bitwise_{name}_shift.{kind}" for kind in kinds), f"{short}.Tensor", f"{short}.Scalar")
    def handler(emit: Emitter, x: Operand, other: Operand) -> Value:  # pyright: ignore[reportUnusedFunction]
        return emit(op(emit.value(x, emit.dtype), emit.value(other, emit.dtype)))


_shift("left", logic.ShiftLeft)
_shift("right", logic.ShiftRight)


@aten("logical_not")
def logical_not(emit: Emitter, x: Value) -> Value:
    """``logical_not``: whether an element is zero, for any element type."""
    return emit(logic.LogicalNot(emit.cast(x, DType.BOOL)))


@aten("bitwise_not")
def bitwise_not(emit: Emitter, x: Value) -> Value:
    """``bitwise_not``: all bits inverted, which for booleans is the logical operation."""
    return emit(logic.LogicalNot(x) if x.type.dtype is DType.BOOL else logic.BitwiseNot(x))


def _test(name: str, op: Callable[[Value], Op]) -> None:
    """Register a question about real numbers, to which the answer for integers is no."""

    @aten(name)
    def handler(emit: Emitter, x: Value) -> Value:  # pyright: ignore[reportUnusedFunction] -- registered
        return emit(op(x)) if x.type.dtype.is_float else emit.full(False, emit.type)


_test("isnan", logic.IsNan)
_test("isinf", logic.IsInf)
_test("isposinf", lambda x: logic.IsInf(x, negative=False))
_test("isneginf", lambda x: logic.IsInf(x, positive=False))


@aten("where.self", "where.ScalarSelf", "where.ScalarOther", "where.Scalar")
def where(emit: Emitter, condition: Value, x: Operand, other: Operand) -> Value:
    """``where``: elements of ``x`` where the condition is not zero, else of ``other``; all are broadcast."""
    mask = emit.cast(condition, DType.BOOL)
    return emit(logic.Select(mask, emit.value(x, emit.dtype), emit.value(other, emit.dtype)))


@aten("masked_fill.Scalar", "masked_fill.Tensor")
def masked_fill(emit: Emitter, x: Value, mask: Value, value: Operand) -> Value:
    """``masked_fill``: a number, or a tensor without axes, in the place of elements where the mask holds."""
    return emit(logic.Select(emit.cast(mask, DType.BOOL), emit.value(value, x.type.dtype), x))


@aten("addcmul")
def addcmul(emit: Emitter, x: Value, tensor1: Value, tensor2: Value, *, value: Number = 1) -> Value:
    """``addcmul``: ``x + value * tensor1 * tensor2``, in the result's element type."""
    product = emit(arith.Mul(emit.cast(tensor1, emit.dtype), emit.cast(tensor2, emit.dtype)))
    return _weighted(emit, arith.Add, x, product, value)


@aten("addcdiv")
def addcdiv(emit: Emitter, x: Value, tensor1: Value, tensor2: Value, *, value: Number = 1) -> Value:
    """``addcdiv``: ``x + value * tensor1 / tensor2``, in the result's element type."""
    quotient = emit(arith.Div(emit.cast(tensor1, emit.dtype), emit.cast(tensor2, emit.dtype)))
    return _weighted(emit, arith.Add, x, quotient, value)


@aten("lerp.Scalar", "lerp.Tensor")
def lerp(emit: Emitter, x: Value, end: Value, weight: Operand) -> Value:
    """``lerp``: ``x + weight * (end - x)``, where the weight is a number or a tensor."""
    way = emit(arith.Sub(emit.cast(end, emit.dtype), emit.cast(x, emit.dtype)))
    step = emit(arith.Mul(way, emit.value(weight, emit.dtype)))
    return emit(arith.Add(emit.cast(x, emit.dtype), step))


@aten("erfc")
def erfc(emit: Emitter, x: Value) -> Value:
    """``erfc``: ``1 - erf(x)``, by an operation of its own that keeps its digits for large ``x``."""
    return emit(Special(emit.cast(x, emit.dtype), "erfc"))
