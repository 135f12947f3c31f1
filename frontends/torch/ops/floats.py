"""Functions of real numbers that tell apart what arithmetic does not: signs of zero, NaN and infinities."""

from __future__ import annotations

import math

import numpy as np

from ....compiler.ir import Op, Value
from ....compiler.ops import arith, logic
from ....compiler.types import DType
from ..emitter import Emitter
from ..promotion import Operand
from ..registry import aten
from .elementwise import trunc


@aten("signbit")
def signbit(emit: Emitter, x: Value) -> Value:
    """Whether a number is negative; minus zero is, by what it gives as a divisor."""
    if x.type.dtype is DType.BOOL:
        return emit.full(False, x.type)
    zero = emit.const(0, x.type.dtype)
    negative = emit(logic.Less(x, zero))
    if not x.type.dtype.is_float:
        return negative
    return emit(logic.LogicalOr(negative, emit(logic.Less(emit(arith.Reciprocal(x)), zero))))


@aten("copysign.Tensor", "copysign.Scalar")
def copysign(emit: Emitter, x: Value, other: Operand) -> Value:
    """``copysign``: the absolute value of one number with the sign bit of another, zeros and NaN included."""
    size = emit(arith.Abs(emit.cast(x, emit.dtype)))
    sign = signbit(emit, emit.own_type(other))
    return emit(logic.Select(sign, emit(arith.Neg(size)), size))


def _extreme(name: str, op: type[Op]) -> None:
    """Register the larger or smaller one of two numbers, where a number wins over NaN."""

    @aten(name)
    def handler(emit: Emitter, x: Value, other: Value) -> Value:  # pyright: ignore[reportUnusedFunction]
        a, b = emit.cast(x, emit.dtype), emit.cast(other, emit.dtype)
        if emit.dtype is DType.BOOL:
            return emit(logic.LogicalOr(a, b) if op is arith.Max else logic.LogicalAnd(a, b))
        if not emit.dtype.is_float:
            return emit(op(a, b))
        left = emit(logic.Select(emit(logic.IsNan(a)), b, a))
        right = emit(logic.Select(emit(logic.IsNan(b)), a, b))
        return emit(op(left, right))


_extreme("fmax", arith.Max)
_extreme("fmin", arith.Min)


@aten("hypot")
def hypot(emit: Emitter, x: Value, other: Value) -> Value:
    """The length of a vector of two numbers; they are divided by the larger one first, so that nothing overflows."""
    a, b = emit(arith.Abs(emit.cast(x, emit.dtype))), emit(arith.Abs(emit.cast(other, emit.dtype)))
    long, short = emit(arith.Max(a, b)), emit(arith.Min(a, b))
    tiny = emit.const(np.finfo(emit.dtype.numpy).tiny, emit.dtype)
    ratio = emit(arith.Div(short, emit(arith.Max(long, tiny))))
    length = emit(arith.Sqrt(emit(arith.Add(emit(arith.Square(ratio)), emit.const(1, emit.dtype)))))
    endless = emit(logic.IsInf(long))
    return emit(logic.Select(endless, long, emit(arith.Mul(long, length))))


def _log_of_sum(emit: Emitter, x: Value, other: Value, base: float) -> Value:
    """The logarithm of the sum of two powers of a base."""
    rate = math.log(base)
    a, b = emit.cast(x, emit.dtype), emit.cast(other, emit.dtype)
    top = emit(arith.Max(a, b))
    below = emit(arith.Neg(emit(arith.Abs(emit(arith.Sub(a, b))))))
    more = emit(arith.Log1p(emit(arith.Exp(_scaled(emit, below, rate)))))
    total = emit(arith.Add(top, _scaled(emit, more, 1 / rate)))
    endless = emit(logic.LogicalAnd(emit(logic.IsInf(a)), emit(logic.Equal(a, b))))
    return emit(logic.Select(endless, a, total))


def _scaled(emit: Emitter, x: Value, factor: float) -> Value:
    return x if factor == 1 else emit(arith.Mul(x, emit.const(factor, x.type.dtype)))


@aten("logaddexp")
def logaddexp(emit: Emitter, x: Value, other: Value) -> Value:
    """``logaddexp``: ``log(exp(x) + exp(other))``, computed without overflow of either."""
    return _log_of_sum(emit, x, other, math.e)


@aten("logaddexp2")
def logaddexp2(emit: Emitter, x: Value, other: Value) -> Value:
    """``logaddexp2``: ``log2(2 ** x + 2 ** other)``, computed without overflow."""
    return _log_of_sum(emit, x, other, 2)


@aten("round.decimals")
def round_decimals(emit: Emitter, x: Value, *, decimals: int) -> Value:
    """Round to decimal places, or to tens, hundreds and so on."""
    if not x.type.dtype.is_float:
        if decimals < 0:
            raise emit.fail("rounds integers to tens or more")
        return x
    factor = emit.const(10.0 ** abs(decimals), x.type.dtype)
    if decimals == 0:
        return emit(arith.Round(x))
    if decimals > 0:
        return emit(arith.Div(emit(arith.Round(emit(arith.Mul(x, factor)))), factor))
    return emit(arith.Mul(emit(arith.Round(emit(arith.Div(x, factor)))), factor))


@aten("frac")
def frac(emit: Emitter, x: Value) -> Value:
    """``frac``: ``x - trunc(x)``, which has the sign of ``x``."""
    return emit(arith.Sub(x, trunc(emit, x)))


@aten("angle")
def angle(emit: Emitter, x: Value) -> Value:
    """The angle of a real number: pi if it is negative."""
    if x.type.dtype.value.startswith("c"):
        raise emit.fail("takes the angle of complex numbers")
    y = emit.cast(x, emit.dtype)
    negative = emit(logic.Less(y, emit.const(0, emit.dtype)))
    found = emit(logic.Select(negative, emit.const(math.pi, emit.dtype), emit.const(0, emit.dtype)))
    return emit(logic.Select(emit(logic.IsNan(y)), y, found))


@aten("real")
def real(emit: Emitter, x: Value) -> Value:
    """``real`` of real numbers, which are their own real parts; complex ones have another handler."""
    if x.type.dtype.value.startswith("c"):
        raise emit.fail("takes the real part of complex numbers")
    return x


@aten("nextafter")
def nextafter(emit: Emitter, x: Value, other: Value) -> Value:
    """The neighbouring number in the direction of another: numbers of one sign are ordered like their bits."""
    integer = {DType.F32: DType.I32, DType.F64: DType.I64}.get(emit.dtype)
    if integer is None:
        raise emit.fail(f"looks for neighbours among {emit.dtype}")
    a, b = emit.cast(x, emit.dtype), emit.cast(other, emit.dtype)
    zero = emit.const(0, emit.dtype)
    bits = emit(arith.BitCast(a, integer))
    outwards = emit(logic.Equal(emit(logic.Greater(b, a)), emit(logic.Greater(a, zero))))
    step = emit(logic.Select(outwards, emit.const(1, integer), emit.const(-1, integer)))
    moved = emit(arith.BitCast(emit(arith.Add(bits, step)), emit.dtype))
    smallest = emit.const(np.finfo(emit.dtype.numpy).smallest_subnormal, emit.dtype)
    first = emit(logic.Select(emit(logic.Greater(b, zero)), smallest, emit(arith.Neg(smallest))))
    found = emit(logic.Select(emit(logic.Equal(a, zero)), first, moved))
    same = emit(logic.Select(emit(logic.Equal(a, b)), b, found))
    strange = emit(logic.LogicalOr(emit(logic.IsNan(a)), emit(logic.IsNan(b))))
    return emit(logic.Select(strange, emit(arith.Add(a, b)), same))
