"""Lowerings of arithmetic whose kernels lack element types or broadcasting."""

from __future__ import annotations

import math

import numpy as np

from ...compiler.fold import constant
from ...compiler.ir import Value
from ...compiler.lowering import Build
from ...compiler.ops import activation
from ...compiler.ops import arith as ir
from ...compiler.ops.linear import Linear
from ...compiler.ops.logic import Equal, Greater, Less, LogicalAnd, LogicalOr, NotEqual, Select
from ...compiler.ops.window import Conv, ConvTranspose
from ...compiler.types import DType
from ...compiler.value_ranges import EXACT_BITS, nonnegative
from ...compiler.weights import EAGER_BYTES
from .registry import lower

ACTIVATED = (ir.Add, ir.Sub, ir.Mul, ir.Div, Linear, Conv, ConvTranspose)


@lower(*ACTIVATED)
def split_activation(op: ir.Add | ir.Sub | ir.Mul | ir.Div | Linear | Conv | ConvTranspose, e: Build) -> None:
    """Integers have no fused activation; and computed in a wider type, what overflows would be clamped uncut."""
    if op.activation != "none" and not op.result.type.dtype.is_float:
        low, high = ir.ACTIVATIONS[op.activation]
        e.replace(e(activation.Clip, e.clone(op, *op.operands, activation="none"), min=low, max=high))


@lower(ir.Pow)
def power_of_other_type(op: ir.Pow, e: Build) -> None:
    """The exponent in the base's type, or both in f32 if only the exponent can be a fraction."""
    base, exponent = op.a.type.dtype, op.b.type.dtype
    if base is exponent:
        return
    if base.is_float or (exponent.is_int and _fits(op.b, base)):
        e.replace(e(ir.Pow, op.a, e(ir.Cast, op.b, to=base)))
        return
    if exponent.is_int:
        wide = DType.I32 if max(base.bits, exponent.bits) <= EXACT_BITS else DType.I64
        if exponent is DType.U64:
            e.warn("exponents of u64 are computed in i64: numbers beyond 2^63 would count as negative")
        e.replace(e(ir.Cast, e(ir.Pow, e(ir.Cast, op.a, to=wide), e(ir.Cast, op.b, to=wide)), to=base))
        return
    e.warn(f"an integer to the power of {exponent} is computed in f32: numbers beyond 2^24 would be rounded")
    a, b = (e(ir.Cast, v, to=DType.F32) for v in (op.a, op.b))
    e.replace(e(ir.Cast, e(ir.Pow, a, b), to=base))


def _fits(value: Value, dtype: DType) -> bool:
    """Whether a type of integers is known to hold all elements of another one."""
    weight, info = constant(value), np.iinfo(dtype.numpy)
    if weight is None or weight.nbytes > EAGER_BYTES:
        own = np.iinfo(value.type.dtype.numpy)
        return info.min <= own.min and own.max <= info.max
    array = weight.array()
    return not array.size or (info.min <= int(array.min()) and int(array.max()) <= info.max)


@lower(ir.Pow)
def negative_power_of_integers(op: ir.Pow, e: Build) -> None:
    """Nothing, unless the integer is one or minus one."""
    if op.a.type.dtype is not DType.I32 or op.b.type.dtype is not DType.I32 or nonnegative(op.b):
        return
    negative = e(Less, op.b, 0)
    raised = e(ir.Pow, op.a, e(Select, negative, e(ir.Mod, op.b, 2), op.b))
    fraction = e(LogicalAnd, negative, e(NotEqual, e(ir.Mul, op.a, op.a), 1))
    e.replace(e(Select, fraction, e.number(0, DType.I32), raised))


@lower(ir.Square)
def square_of_integers(op: ir.Square, e: Build) -> None:
    """SQUARE takes floats only: of integers, a product with itself."""
    if op.x.type.dtype.is_int:
        e.replace(e(ir.Mul, op.x, op.x))


@lower(ir.SquaredDifference)
def squared_difference(op: ir.SquaredDifference, e: Build) -> None:
    """Difference, then square, where the kernel lacks the type."""
    if op.a.type.dtype.is_int:
        e.replace(e(ir.Square, e(ir.Sub, op.a, op.b)))


@lower(ir.Abs)
def abs_of_integers(op: ir.Abs, e: Build) -> None:
    """ABS lacks these integers: the larger of ``x`` and ``-x``."""
    if op.x.type.dtype.value == "i64":
        e.replace(e(ir.Max, op.x, e(ir.Neg, op.x)))


@lower(ir.Sign)
def sign_of_integers(op: ir.Sign, e: Build) -> None:
    """Clamped: integers between -1 and 1 are signs."""
    if op.x.type.dtype.value == "i64":
        e.replace(e(ir.Max, e(ir.Min, op.x, 1), -1))


@lower(ir.Floor, ir.Ceil, ir.Round)
def round_integers(op: ir.Floor | ir.Ceil | ir.Round, e: Build) -> None:
    """Rounding an integer changes nothing, so the operation is dropped."""
    if op.x.type.dtype.is_int:
        e.replace(op.x)


@lower(ir.Mod)
def truncated_remainder(op: ir.Mod, e: Build) -> None:
    """The remainder of absolute values, with the sign of the dividend."""
    if not op.truncated:
        return
    rest = e(ir.Mod, e(ir.Abs, op.a), e(ir.Abs, op.b))
    e.replace(e(Select, e(Less, op.a, 0), e(ir.Neg, rest), rest))


LARGE = 1e4
"""Beyond, ``x^2 + 1`` is ``x^2`` in single precision."""


@lower(ir.Asinh)
def asinh(op: ir.Asinh, e: Build) -> None:
    """``log(|x| + sqrt(x^2 + 1))`` by what it is more than one, with the sign; large numbers add that of the excess."""
    size = e(ir.Abs, op.x)
    bounded = e(ir.Min, size, LARGE)
    square = e(ir.Square, bounded)
    root = e(ir.Sqrt, e(ir.Add, square, 1.0))
    more = e(ir.Add, bounded, e(ir.Div, square, e(ir.Add, root, 1.0)))
    e.replace(e(ir.Mul, e(ir.Sign, op.x), e(ir.Add, e(ir.Log1p, more), _excess(size, e))))


@lower(ir.Acosh)
def acosh(op: ir.Acosh, e: Build) -> None:
    """``log(x + sqrt((x - 1) (x + 1)))`` by what it is more than one; large numbers add the logarithm of the excess."""
    bounded = e(ir.Min, op.x, LARGE)
    more = e(ir.Sub, bounded, 1.0)
    root = e(ir.Sqrt, e(ir.Mul, more, e(ir.Add, bounded, 1.0)))
    e.replace(e(ir.Add, e(ir.Log1p, e(ir.Add, more, root)), _excess(op.x, e)))


def _excess(size: Value, e: Build) -> Value:
    return e(ir.Log, e(ir.Max, e(ir.Mul, size, 1 / LARGE), 1.0))


@lower(ir.Log1p)
def log1p(op: ir.Log1p, e: Build) -> None:
    """Kahan's way: what ``1 + x`` loses of x is lost by ``(1 + x) - 1``, too; large x lose nothing."""
    x, one = op.x, e.number(1, op.x.type.dtype)
    more = e(ir.Add, x, one)
    log = e(ir.Log, more)
    corrected = e(ir.Mul, log, e(ir.Div, x, e(ir.Sub, more, one)))
    near = e(Select, e(Equal, more, one), x, corrected)
    is_log = e(LogicalOr, e(Equal, more, x), e(Equal, more, 0.0))  # products of infinity are the largest number
    e.replace(e(Select, is_log, log, near))


@lower(ir.Atanh)
def atanh(op: ir.Atanh, e: Build) -> None:
    """Half of ``log((1 + x) / (1 - x))`` by what that is more than one, which loses nothing near zero, with the sign.

    Quotients and products of infinity are the largest number in some kernels.
    """
    size = e(ir.Abs, op.x)
    more = e(ir.Div, e(ir.Mul, size, 2.0), e(ir.Sub, e.number(1.0, op.x.type.dtype), size))
    inside = e(ir.Mul, e(ir.Sign, op.x), e(ir.Mul, e(ir.Log1p, more), 0.5))
    ends = (e.number(limit, op.x.type.dtype) for limit in (-math.inf, math.inf))
    is_end = e(Equal, size, 1.0)
    e.replace(e(Select, is_end, e(Select, e(Less, op.x, 0.0), *ends), inside))


@lower(ir.Expm1)
def expm1(op: ir.Expm1, e: Build) -> None:
    """Kahan's way: what the exponential loses of x is lost by its logarithm, too."""
    x, one = op.x, e.number(1, op.x.type.dtype)
    power = e(ir.Exp, x)
    less = e(ir.Sub, power, one)
    corrected = e(ir.Mul, less, e(ir.Div, x, e(ir.Log, power)))
    near = e(Select, e(Equal, power, one), x, corrected)
    far = e(Greater, e(ir.Abs, x), one)
    e.replace(e(Select, far, less, near))


@lower(ir.Tan)
def tan(op: ir.Tan, e: Build) -> None:
    """Sine by cosine of what remains after whole multiples of pi, the cosine as a sine: exact near poles, too."""
    turns = e(ir.Round, e(ir.Mul, op.x, 1 / np.pi))
    rest = op.x
    for part in PI:
        rest = e(ir.Sub, rest, e(ir.Mul, turns, part))
    to_pole = e(ir.Sub, PI[0] / 2, e(ir.Abs, rest))
    for part in PI[1:]:
        to_pole = e(ir.Add, to_pole, part / 2)
    e.replace(e(ir.Div, e(ir.Sin, rest), e(ir.Sin, to_pole)))


PI = (3.140625, 0.000967502593994140625, 1.509957990978376432e-7)
"""Pi in parts with few digits, so that whole multiples of the first ones are exact."""
