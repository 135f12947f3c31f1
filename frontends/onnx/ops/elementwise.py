"""Handlers of elementwise arithmetic and of conversions of types."""

from __future__ import annotations

from functools import reduce
from typing import Annotated

import numpy as np

from ....compiler.ir import Op, Value
from ....compiler.ops import arith
from ....compiler.ops.activation import Clip
from ....compiler.types import DType
from ....formats.onnx.tensors import element_type
from ..emitter import Emitter
from ..registry import Since, binary, onnx_op, unary

for _name, _op in {
    "Abs": arith.Abs,
    "Acos": arith.Acos,
    "Asin": arith.Asin,
    "Atan": arith.Atan,
    "Ceil": arith.Ceil,
    "Cos": arith.Cos,
    "Exp": arith.Exp,
    "Floor": arith.Floor,
    "Log": arith.Log,
    "Neg": arith.Neg,
    "Reciprocal": arith.Reciprocal,
    "Sin": arith.Sin,
    "Sqrt": arith.Sqrt,
    "Tan": arith.Tan,
}.items():
    unary(_name, _op)

for _name, _op in {
    "Acosh": arith.Acosh,
    "Asinh": arith.Asinh,
    "Atanh": arith.Atanh,
    "Cosh": arith.Cosh,
    "Erf": arith.Erf,
    "Sign": arith.Sign,
    "Sinh": arith.Sinh,
}.items():
    unary(_name, _op, since=9)

unary("Round", arith.Round, since=11)

for _name, _op in {
    "Add": arith.Add,
    "Div": arith.Div,
    "Mul": arith.Mul,
    "Pow": arith.Pow,
    "Sub": arith.Sub,
}.items():
    binary(_name, _op)


@onnx_op("Mod", since=10)
def mod(emit: Emitter, a: Value, b: Value, *, fmod: int = 0) -> Value:
    """Remainder with the sign of the divisor, or of the dividend."""
    return emit(arith.Mod(a, b, bool(fmod)))


def _chain(emit: Emitter, op: type[Op], xs: tuple[Value, ...]) -> Value:
    return reduce(lambda a, b: emit(op(a, b)), xs)


@onnx_op("Sum", since=7)
def sum_(emit: Emitter, *data_0: Value) -> Value:
    """Sum: the sum of any number of tensors, which broadcast."""
    return _chain(emit, arith.Add, data_0)


@onnx_op("Max", since=7)
def max_(emit: Emitter, *data_0: Value) -> Value:
    """Max: the largest elements of any number of tensors, which broadcast."""
    return _chain(emit, arith.Max, data_0)


@onnx_op("Min", since=7)
def min_(emit: Emitter, *data_0: Value) -> Value:
    """Min: the smallest elements of any number of tensors, which broadcast."""
    return _chain(emit, arith.Min, data_0)


@onnx_op("Mean", since=7)
def mean(emit: Emitter, *data_0: Value) -> Value:
    """Mean: the sum of any number of tensors divided by their number."""
    total = _chain(emit, arith.Add, data_0)
    return total if len(data_0) == 1 else emit(arith.Div(total, emit.const(len(data_0), total.type.dtype)))


@onnx_op("Clip", since=7, until=10)
def clip_attributes(
    emit: Emitter,
    x: Value,
    *,
    min: float = float(np.finfo(np.float32).min),
    max: float = float(np.finfo(np.float32).max),
) -> Value:
    """Bounds as attributes; the defaults do not bind."""
    limit = float(np.finfo(np.float32).max)
    return emit(Clip(x, -np.inf if min <= -limit else min, np.inf if max >= limit else max))


@onnx_op("Clip", since=11)
def clip(emit: Emitter, x: Value, min: Value | None = None, max: Value | None = None) -> Value:
    """Bounds as operands; those that a float can hold exactly become attributes.

    The default of the upper bound is the largest number: it binds where the lower one lies beyond.
    """
    low = _bound(emit, min, -np.inf)
    high = _bound(emit, max, largest(x.type.dtype) if low == np.inf else np.inf)
    if low is not None and high is not None:
        return emit(Clip(x, low, high))
    if min is not None:
        x = emit(arith.Max(x, min))
    return x if max is None else emit(arith.Min(x, max))


def largest(dtype: DType) -> float:
    """The largest finite number of a floating-point type."""
    return float(np.finfo(dtype.numpy).max) if dtype.numpy.kind == "f" else np.inf


def _bound(emit: Emitter, value: Value | None, default: float) -> float | None:
    known = np.asarray(default) if value is None else emit.known(value)
    if known is None or known.dtype == object or known.size != 1:
        return None
    item = known.reshape(-1).tolist()[0]
    return float(item) if float(item) == item else None


SATURATING = {
    DType.F8E4M3FN: 448.0,
    DType.F8E4M3FNUZ: 240.0,
    DType.F8E5M2: 57344.0,
    DType.F8E5M2FNUZ: 57344.0,
}
"""The largest numbers of types that conversions don't leave unless they are asked to."""


@onnx_op("Cast", since=7)
def cast(
    emit: Emitter,
    input: Value,
    *,
    to: int,
    saturate: Annotated[int, Since(19)] = 1,
    round_mode: Annotated[str, Since(24)] = "up",
) -> Value:
    """Cast: converts the element type; ``saturate`` and ``round_mode`` are for floats of 8 bits."""
    return convert(emit, input, element_type(to), saturate=bool(saturate), rounding=round_mode)


@onnx_op("CastLike", since=15)
def cast_like(
    emit: Emitter,
    input: Value,
    target_type: Value,
    *,
    saturate: Annotated[int, Since(19)] = 1,
    round_mode: Annotated[str, Since(24)] = "up",
) -> Value:
    """Convert to the element type of another tensor."""
    return convert(emit, input, target_type.type.dtype, saturate=bool(saturate), rounding=round_mode)


def convert(emit: Emitter, x: Value, to: DType, *, saturate: bool = True, rounding: str = "up") -> Value:
    """Convert unless the type is the same; ``saturate`` keeps numbers within types of eight bits."""
    if rounding not in ("nearest", "up", "down"):
        raise emit.fail(f"rounds {rounding!r}, neither nearest, up nor down", code="F002")
    if x.type.dtype is to:
        return x
    limit = SATURATING.get(to)
    if limit is not None and saturate:
        x = emit(Clip(x, -limit, limit))
    return emit(arith.Cast(x, to, rounding if to is DType.F8E8M0 else "nearest"))


@onnx_op("BitCast", since=26)
def bit_cast(emit: Emitter, input: Value, *, to: int) -> Value:
    """BitCast: the same bits as another element type of the same size."""
    return emit(arith.BitCast(input, element_type(to)))
