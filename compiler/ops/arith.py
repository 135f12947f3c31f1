"""Elementwise arithmetic. All operations broadcast like numpy; both operands have the same element type."""

from __future__ import annotations

import math
from typing import Annotated, TypeAlias

import numpy as np

from ..attributes import OneOf
from ..dims import maximum, minimum
from ..ir import Op, Value
from ..opdef import Commutative, Elementwise, Symbolic, broadcast_type, op
from ..operands import Floats, Numbers, Reals
from ..traits import Grows, KeepsSign, NonNegative, Ordered, SameBits
from ..types import Array, DType, TensorType

ACTIVATIONS = {
    "none": (-math.inf, math.inf),
    "relu": (0.0, math.inf),
    "relu6": (0.0, 6.0),
    "relu_n1_to_1": (-1.0, 1.0),
}
"""Activations that other operations can end in: all are clamps."""

Activation: TypeAlias = Annotated[str, OneOf(*ACTIVATIONS)]

_LARGER, _SMALLER = np.frompyfunc(maximum, 2, 1), np.frompyfunc(minimum, 2, 1)


def _divide(a: Array, b: Array) -> Array:
    """Quotient; of integers rounded towards zero, as C and ONNX do."""
    if a.dtype.kind in "iu":
        quotient = np.floor_divide(a, b)
        return quotient + ((quotient < 0) & (quotient * b != a))
    return np.divide(a, b)


class _Clamped(Elementwise):
    """May end in an activation, which booleans have none of."""

    @staticmethod
    def infer(op: Op) -> TensorType:
        """Broadcast all operand shapes; all operands have the same element type."""
        activation, (first, *_) = op.attributes["activation"], op.operands
        if activation != "none" and first is not None and first.type.dtype is DType.BOOL:
            raise ValueError(f"booleans that end in {activation}")
        return Elementwise.infer(op)


@op("add", _Clamped, Commutative, Symbolic, SameBits, Grows, KeepsSign)
class Add(Op):
    """``a + b`` with broadcasting; ``activation`` is applied to the sum."""

    a: Value
    b: Value
    activation: Activation = "none"

    @staticmethod
    def evaluate(a: Array, b: Array, *, activation: str) -> Array:
        """Add, then activate."""
        return activate(np.add(a, b), activation)


@op("sub", Elementwise, Symbolic, SameBits, Grows)
class Sub(Op):
    """``a - b`` with broadcasting; ``activation`` is applied to the difference."""

    a: Numbers
    b: Numbers
    activation: Activation = "none"

    @staticmethod
    def evaluate(a: Array, b: Array, *, activation: str) -> Array:
        """Subtract, then activate."""
        return activate(np.subtract(a, b), activation)


@op("mul", _Clamped, Commutative, Symbolic, SameBits, Grows, KeepsSign)
class Mul(Op):
    """``a * b`` with broadcasting; ``activation`` is applied to the product."""

    a: Value
    b: Value
    activation: Activation = "none"

    @staticmethod
    def evaluate(a: Array, b: Array, *, activation: str) -> Array:
        """Multiply, then activate."""
        return activate(np.multiply(a, b), activation)


@op("div", Elementwise, Symbolic, KeepsSign)
class Div(Op):
    """Quotient, of integers rounded towards zero; may end in an activation."""

    a: Numbers
    b: Numbers
    activation: Activation = "none"

    @staticmethod
    def evaluate(a: Array, b: Array, *, activation: str) -> Array:
        """Divide, then activate."""
        return activate(_divide(a, b), activation)

    def symbolic(self, a: Array, b: Array) -> Array:
        """Divide sizes; between floating-point numbers the quotient keeps its fraction."""
        divide = np.true_divide if self.a.type.dtype.is_float else np.floor_divide
        return np.asarray(divide(a, b), dtype=object)


@op("floor_div", Elementwise, Symbolic, KeepsSign)
class FloorDiv(Op):
    """``a / b`` rounded towards minus infinity, with broadcasting."""

    a: Reals
    b: Reals
    evaluate = np.floor_divide


@op("mod", Elementwise, Symbolic)
class Mod(Op):
    """Remainder with the sign of the divisor, or with ``truncated`` that of the dividend (C's fmod)."""

    a: Reals
    b: Reals
    truncated: bool = False

    @staticmethod
    def evaluate(a: Array, b: Array, *, truncated: bool) -> Array:
        """Remainder."""
        return np.fmod(a, b) if truncated else np.mod(a, b)


@op("pow", Elementwise, Grows)
class Pow(Op):
    """``a`` to the power of ``b``; the exponent may have another element type.

    A power that integers can't hold is not defined where the exponent is a float.
    """

    a: Numbers
    b: Numbers

    def infer(self) -> TensorType:
        """Broadcast; the base's element type."""
        return broadcast_type(self)

    @staticmethod
    def evaluate(a: Array, b: Array) -> Array:
        """Power in the base's type; of integers, negative ones are zero but for those of one and minus one."""
        if a.dtype.kind in "iu" and b.dtype.kind in "iu":  # by their bits, of which numpy makes floats if signs differ
            whole = np.power(a.astype(np.uint64), np.where(b < 0, b % 2, b).astype(np.uint64)).astype(a.dtype)
            return np.where((b < 0) & (a != 1) & (a != -1), 0, whole).astype(a.dtype)
        return np.power(a, b).astype(a.dtype)


@op("max", Elementwise, Commutative, Symbolic, Ordered, KeepsSign)
class Max(Op):
    """The larger of ``a`` and ``b``; NaN if either is NaN."""

    a: Value
    b: Value

    @staticmethod
    def evaluate(a: Array, b: Array) -> Array:
        """Compare."""
        return np.asarray(_LARGER(a, b)) if object in (a.dtype, b.dtype) else np.maximum(a, b)


@op("min", Elementwise, Commutative, Symbolic, Ordered, KeepsSign)
class Min(Op):
    """The smaller of ``a`` and ``b``; NaN if either is NaN."""

    a: Value
    b: Value

    @staticmethod
    def evaluate(a: Array, b: Array) -> Array:
        """Compare."""
        return np.asarray(_SMALLER(a, b)) if object in (a.dtype, b.dtype) else np.minimum(a, b)


@op("squared_difference", Elementwise, Commutative, Grows, NonNegative)
class SquaredDifference(Op):
    """``(a - b) * (a - b)`` of every pair of elements, with broadcasting."""

    a: Numbers
    b: Numbers

    @staticmethod
    def evaluate(a: Array, b: Array) -> Array:
        """Compute the formula of the class in numpy."""
        return np.square(np.subtract(a, b))


@op("atan2", Elementwise)
class Atan2(Op):
    """Angle in radians of the point with ordinate ``a`` and abscissa ``b``."""

    a: Floats
    b: Floats
    evaluate = np.arctan2


@op("neg", Elementwise, Symbolic, SameBits, Grows)
class Neg(Op):
    """``-x`` of every element; the smallest integer stays itself."""

    x: Numbers
    evaluate = np.negative


@op("abs", Elementwise, Grows, NonNegative)
class Abs(Op):
    """Absolute value of every element; the smallest integer stays itself."""

    x: Numbers
    evaluate = np.abs


@op("sign", Elementwise)
class Sign(Op):
    """-1 for negative elements, 1 for positive ones, 0 for zeros."""

    x: Numbers
    evaluate = np.sign


@op("square", Elementwise, SameBits, Grows, NonNegative)
class Square(Op):
    """``x * x`` of every element; integers wrap on overflow."""

    x: Numbers
    evaluate = np.square


@op("sqrt", Elementwise, NonNegative)
class Sqrt(Op):
    """Square root of every element; NaN for negative ones."""

    x: Floats
    evaluate = np.sqrt


@op("rsqrt", Elementwise)
class Rsqrt(Op):
    """``1 / sqrt(x)`` of every element; infinity for 0, NaN for negative ones."""

    x: Floats

    @staticmethod
    def evaluate(x: Array) -> Array:
        """Compute the formula of the class in numpy."""
        return np.reciprocal(np.sqrt(x))


@op("reciprocal", Elementwise)
class Reciprocal(Op):
    """``1 / x`` of every element; infinity for a zero."""

    x: Floats
    evaluate = np.reciprocal


@op("exp", Elementwise, NonNegative)
class Exp(Op):
    """``e`` to the power of every element; infinity on overflow."""

    x: Floats
    evaluate = np.exp


@op("log", Elementwise)
class Log(Op):
    """Natural logarithm of every element; minus infinity for 0, NaN for negative ones."""

    x: Floats
    evaluate = np.log


@op("expm1", Elementwise)
class Expm1(Op):
    """One less than the exponential, exact near zero."""

    x: Floats
    evaluate = np.expm1


@op("log1p", Elementwise)
class Log1p(Op):
    """``log(1 + x)`` of every element, exact near zero."""

    x: Floats
    evaluate = np.log1p


@op("erf", Elementwise)
class Erf(Op):
    """Gauss error function of every element, between -1 and 1."""

    x: Floats

    @staticmethod
    def evaluate(x: Array) -> Array:
        """Elementwise ``math.erf`` in double precision."""
        return erf(x)


@op("floor", Elementwise, Symbolic)
class Floor(Op):
    """The largest integer that is not above the element; the element type stays."""

    x: Reals
    evaluate = np.floor


@op("ceil", Elementwise, Symbolic)
class Ceil(Op):
    """The smallest integer that is not below the element; the element type stays."""

    x: Reals
    evaluate = np.ceil


@op("round", Elementwise)
class Round(Op):
    """The nearest integer, the even one of two that are as near; the element type stays."""

    x: Numbers

    @staticmethod
    def evaluate(x: Array) -> Array:
        """Integers are what they are."""
        return x if x.dtype.kind in "iu" else np.rint(x)


@op("sin", Elementwise)
class Sin(Op):
    """Sine of every element, which is an angle in radians."""

    x: Floats
    evaluate = np.sin


@op("cos", Elementwise)
class Cos(Op):
    """Cosine of every element, which is an angle in radians."""

    x: Floats
    evaluate = np.cos


@op("tan", Elementwise)
class Tan(Op):
    """Tangent of every element, which is an angle in radians."""

    x: Floats
    evaluate = np.tan


@op("asin", Elementwise)
class Asin(Op):
    """Inverse sine in radians; NaN beyond -1 and 1."""

    x: Floats
    evaluate = np.arcsin


@op("acos", Elementwise)
class Acos(Op):
    """Inverse cosine in radians; NaN beyond -1 and 1."""

    x: Floats
    evaluate = np.arccos


@op("atan", Elementwise)
class Atan(Op):
    """Inverse tangent in radians, between minus and plus pi / 2."""

    x: Floats
    evaluate = np.arctan


@op("sinh", Elementwise)
class Sinh(Op):
    """Hyperbolic sine, ``(exp(x) - exp(-x)) / 2``, of every element."""

    x: Floats
    evaluate = np.sinh


@op("cosh", Elementwise)
class Cosh(Op):
    """Hyperbolic cosine, ``(exp(x) + exp(-x)) / 2``, of every element."""

    x: Floats
    evaluate = np.cosh


@op("asinh", Elementwise)
class Asinh(Op):
    """Inverse hyperbolic sine of every element, of any sign."""

    x: Floats
    evaluate = np.arcsinh


@op("acosh", Elementwise)
class Acosh(Op):
    """Inverse hyperbolic cosine of every element; NaN below 1."""

    x: Floats
    evaluate = np.arccosh


@op("atanh", Elementwise)
class Atanh(Op):
    """Inverse hyperbolic tangent; infinite at -1 and 1, NaN beyond."""

    x: Floats
    evaluate = np.arctanh


@op("cast", Elementwise, Symbolic)
class Cast(Op):
    """Convert the element type; floats are cut towards zero on the way to integers.

    What becomes of a float that the integers can't hold is not defined.

    ``rounding`` says which power of two stands for a number between two of them ("nearest", "up" or "down") on the
    way to ``f8e8m0``, which has nothing but powers of two.
    """

    x: Value
    to: DType
    rounding: Annotated[str, OneOf("nearest", "up", "down")] = "nearest"

    def infer(self) -> TensorType:
        """Same shape."""
        return self.x.type.with_dtype(self.to)

    def copies(self) -> bool:
        """The same element type."""
        return True

    @staticmethod
    def evaluate(x: Array, *, to: DType, rounding: str) -> Array:
        """Convert; symbolic sizes stay what they are."""
        if x.dtype == object:
            return np.trunc(x) if to.is_int else x
        if to is DType.F8E8M0 and rounding != "nearest":
            x = _power_of_two(x, up=rounding == "up")
        return x.astype(to.numpy)


@op("bit_cast", Elementwise)
class BitCast(Op):
    """The same bits read as another element type of as many bits."""

    x: Value
    to: DType

    def infer(self) -> TensorType:
        """Same shape."""
        if self.x.type.dtype.bits != self.to.bits:
            raise ValueError(f"{self.x.type.dtype} has {self.x.type.dtype.bits} bits, {self.to} has {self.to.bits}")
        return self.x.type.with_dtype(self.to)

    def copies(self) -> bool:
        """The same element type."""
        return True

    @staticmethod
    def evaluate(x: Array, *, to: DType) -> Array:
        """View."""
        return np.ascontiguousarray(x).view(to.numpy).reshape(x.shape)


def _power_of_two(x: Array, *, up: bool) -> Array:
    """Round to a power of two, at least the smallest one that ``f8e8m0`` has; infinity stays, which it has not."""
    mantissa, exponent = np.frexp(np.maximum(x.astype(np.float64), 2.0**-127))
    power = np.ldexp(1.0, exponent - (0 if up else 1) - (mantissa == 0.5) * (1 if up else 0))
    return np.where(np.isfinite(x), power, x)


def activate(x: Array, activation: str) -> Array:
    """Apply one of :data:`ACTIVATIONS`, by name, to an array in numpy."""
    if activation == "none":
        return x
    low, high = ACTIVATIONS[activation]
    return np.clip(x, np.asarray(low, x.dtype), None if math.isinf(high) else np.asarray(high, x.dtype))


def erf(x: Array) -> Array:
    """Gauss error function of every element, in numpy and scipy."""
    from scipy.special import erf as special_erf

    return special_erf(x.astype(np.float64)).astype(x.dtype)
