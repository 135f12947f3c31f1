"""Arithmetic, comparisons, logic and selection, element by element."""

from __future__ import annotations

from functools import reduce
from typing import Literal

from ....compiler.ir import Op, Value
from ....compiler.ops import arith, logic
from ....compiler.ops.special import Special
from ....formats.tensorflow.model import StoredShape
from ..emitter import Emitter
from ..registry import binary, tf_op, unary

binary("Add AddV2", arith.Add)
binary("Sub", arith.Sub)
binary("Mul", arith.Mul)
binary("Div RealDiv TruncateDiv", arith.Div)
binary("FloorDiv", arith.FloorDiv)
binary("FloorMod", arith.Mod)
binary("Pow", arith.Pow)
binary("Maximum", arith.Max)
binary("Minimum", arith.Min)
binary("SquaredDifference", arith.SquaredDifference)
binary("Atan2", arith.Atan2)

unary("Neg", arith.Neg)
unary("Abs", arith.Abs)
unary("Sign", arith.Sign)
unary("Square", arith.Square)
unary("Sqrt", arith.Sqrt)
unary("Rsqrt", arith.Rsqrt)
unary("Inv Reciprocal", arith.Reciprocal)
unary("Exp", arith.Exp)
unary("Expm1", arith.Expm1)
unary("Log", arith.Log)
unary("Log1p", arith.Log1p)
unary("Erf", arith.Erf)
unary("Floor", arith.Floor)
unary("Ceil", arith.Ceil)
unary("Round Rint", arith.Round)
unary("Sin", arith.Sin)
unary("Cos", arith.Cos)
unary("Tan", arith.Tan)
unary("Asin", arith.Asin)
unary("Acos", arith.Acos)
unary("Atan", arith.Atan)
unary("Sinh", arith.Sinh)
unary("Cosh", arith.Cosh)
unary("Asinh", arith.Asinh)
unary("Acosh", arith.Acosh)
unary("Atanh", arith.Atanh)

binary("Less", logic.Less)
binary("LessEqual", logic.LessEqual)
binary("Greater", logic.Greater)
binary("GreaterEqual", logic.GreaterEqual)
binary("LogicalAnd", logic.LogicalAnd)
binary("LogicalOr", logic.LogicalOr)
unary("LogicalNot", logic.LogicalNot)
binary("BitwiseAnd", logic.BitwiseAnd)
binary("BitwiseOr", logic.BitwiseOr)
binary("BitwiseXor", logic.BitwiseXor)
unary("Invert", logic.BitwiseNot)
binary("LeftShift", logic.ShiftLeft)
binary("RightShift", logic.ShiftRight)
unary("IsNan", logic.IsNan)
unary("IsInf", logic.IsInf)

SPECIAL = {
    "BesselI0": "bessel_i0",
    "BesselI0e": "bessel_i0e",
    "BesselI1": "bessel_i1",
    "BesselI1e": "bessel_i1e",
    "BesselJ0": "bessel_j0",
    "BesselJ1": "bessel_j1",
    "BesselK0": "bessel_k0",
    "BesselK0e": "bessel_k0e",
    "BesselK1": "bessel_k1",
    "BesselK1e": "bessel_k1e",
    "BesselY0": "bessel_y0",
    "BesselY1": "bessel_y1",
    "Digamma": "digamma",
    "Erfc": "erfc",
    "Erfinv": "erfinv",
    "Lgamma": "lgamma",
    "Ndtri": "ndtri",
}
"""The IR's names of special functions."""


def _special(name: str, function: str) -> None:
    @tf_op(name)
    def handler(emit: Emitter, x: Value) -> Value:  # pyright: ignore[reportUnusedFunction] -- registered
        return emit(Special(x, function))


for _name, _function in SPECIAL.items():
    _special(_name, _function)


def _comparison(name: str, op: type[Op]) -> None:
    @tf_op(name)
    def handler(emit: Emitter, x: Value, y: Value, *, incompatible_shape_error: bool = True) -> Value:  # pyright: ignore[reportUnusedFunction] -- registered
        return emit(op(x, y))


_comparison("Equal", logic.Equal)
_comparison("NotEqual", logic.NotEqual)


@tf_op("Mod", "TruncateMod")
def truncate_mod(emit: Emitter, x: Value, y: Value) -> Value:
    """Mod and TruncateMod: the remainder with the sign of the dividend, as C's ``%`` has it."""
    return emit(arith.Mod(x, y, truncated=True))


def _unless_zero(emit: Emitter, by: Value, result: Value) -> Value:
    """Put zero where a number is zero, whatever the other one is."""
    zero = emit.const(0, by.type.dtype)
    return emit(logic.Select(emit(logic.Equal(by, zero)), emit.const(0, result.type.dtype), result))


@tf_op("DivNoNan")
def div_no_nan(emit: Emitter, x: Value, y: Value) -> Value:
    """DivNoNan: ``x / y``, but 0 where ``y`` is 0."""
    return _unless_zero(emit, y, emit(arith.Div(x, y)))


@tf_op("MulNoNan")
def mul_no_nan(emit: Emitter, x: Value, y: Value) -> Value:
    """Zero where the second factor is zero, even if the first one is infinite."""
    return _unless_zero(emit, y, emit(arith.Mul(x, y)))


@tf_op("Xdivy")
def xdivy(emit: Emitter, x: Value, y: Value) -> Value:
    """Xdivy: ``x / y``, but 0 where ``x`` is 0, even if ``y`` is 0 too."""
    return _unless_zero(emit, x, emit(arith.Div(x, y)))


@tf_op("Xlogy")
def xlogy(emit: Emitter, x: Value, y: Value) -> Value:
    """``x log y``, zero where ``x`` is zero."""
    return _unless_zero(emit, x, emit(arith.Mul(x, emit(arith.Log(y)))))


@tf_op("Xlog1py")
def xlog1py(emit: Emitter, x: Value, y: Value) -> Value:
    """``x log(1 + y)``, zero where ``x`` is zero."""
    return _unless_zero(emit, x, emit(arith.Mul(x, emit(arith.Log1p(y)))))


@tf_op("IsFinite")
def is_finite(emit: Emitter, x: Value) -> Value:
    """IsFinite: whether an element is neither infinite nor NaN, by the IR's tests for both."""
    return emit(logic.LogicalNot(emit(logic.LogicalOr(emit(logic.IsNan(x)), emit(logic.IsInf(x))))))


@tf_op("ClipByValue")
def clip_by_value(emit: Emitter, t: Value, clip_value_min: Value, clip_value_max: Value) -> Value:
    """ClipByValue: a minimum with the upper bound, then a maximum with the lower one; both are operands."""
    return emit(arith.Max(emit(arith.Min(t, clip_value_max)), clip_value_min))


@tf_op("ApproximateEqual")
def approximate_equal(emit: Emitter, x: Value, y: Value, *, tolerance: float = 1e-5) -> Value:
    """ApproximateEqual: ``abs(x - y) < tolerance``, where the tolerance is an attribute."""
    distance = emit(arith.Abs(emit(arith.Sub(x, y))))
    return emit(logic.Less(distance, emit.const(tolerance, x.type.dtype)))


@tf_op("AddN")
def add_n(emit: Emitter, inputs: tuple[Value, ...]) -> Value:
    """AddN: the sum of any number of tensors, added from left to right."""
    return reduce(lambda a, b: emit(arith.Add(a, b)), inputs)


@tf_op("AccumulateNV2")
def accumulate(emit: Emitter, inputs: tuple[Value, ...], *, shape: StoredShape) -> Value:
    """Sum of any number of tensors, whose shape is stated, too, and follows from them."""
    return add_n(emit, inputs)


@tf_op("BiasAdd")
def bias_add(emit: Emitter, value: Value, bias: Value, *, data_format: Literal["NHWC", "NCHW"] = "NHWC") -> Value:
    """One number for each channel; with ``NCHW`` these lie on the second axis."""
    if data_format == "NCHW" and value.type.rank > 2:
        bias = emit.reshape(bias, (*bias.type.shape, *[1] * (value.type.rank - 2)))
    return emit(arith.Add(value, bias))


@tf_op("BiasAddV1")
def bias_add_v1(emit: Emitter, value: Value, bias: Value) -> Value:
    """BiasAddV1: a vector added along the last axis, one number for each channel."""
    return emit(arith.Add(value, bias))


@tf_op("SelectV2")
def select_v2(emit: Emitter, condition: Value, t: Value, e: Value) -> Value:
    """SelectV2: elements of ``t`` where the condition holds, else of ``e``; all three are broadcast."""
    return emit(logic.Select(condition, t, e))


@tf_op("Select")
def select(emit: Emitter, condition: Value, t: Value, e: Value) -> Value:
    """Choice by element, or, where the condition is a vector, by position along the first axis."""
    if condition.type.rank == 1 and t.type.rank > 1:
        condition = emit.reshape(condition, (*condition.type.shape, *[1] * (t.type.rank - 1)))
    return emit(logic.Select(condition, t, e))
