"""What operations mean over the real numbers, in terms of z3.

Transcendental functions are uninterpreted: z3 knows of them what :class:`Meaning` states next to their use, no more.
tests/proofs/test_reals.py compares every method, and every such statement, with the numpy semantics.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from importlib import import_module
from typing import Any, TypeAlias

from nhwcc.compiler.ops.arith import ACTIVATIONS

z3: Any = import_module("z3")
"""The solver; its package has no types."""

Real: TypeAlias = Any
Truth: TypeAlias = Any

_UNARY = ("EXP", "LOG", "SQRT", "ERF", "TANH", "ATAN", "ASIN", "ACOS")
UNARY: dict[str, Any] = {name: z3.Function(name, z3.RealSort(), z3.RealSort()) for name in _UNARY}
ATAN2 = z3.Function("ATAN2", z3.RealSort(), z3.RealSort(), z3.RealSort())
MEAN = z3.Function("MEAN", z3.RealSort(), z3.IntSort(), z3.RealSort())
ROOT_2, ROOT_2_OVER_PI = z3.Reals("root_2 root_2_over_pi")

IRRATIONAL = ((ROOT_2, math.sqrt(2)), (1 / ROOT_2, 1 / math.sqrt(2)), (ROOT_2_OVER_PI, math.sqrt(2 / math.pi)))
CONSTANTS = (
    ROOT_2 > 0,
    ROOT_2 * ROOT_2 == 2,
    z3.RealVal("0.79") < ROOT_2_OVER_PI,
    z3.RealVal("0.80") > ROOT_2_OVER_PI,
)
"""What is known of irrational numbers."""

CLOSE = 1e-6
"""How far a rounded literal may be from the number that it stands for; rules match as closely."""


class Unsupported(Exception):
    """There is no statement about real numbers to prove."""


@dataclass(frozen=True)
class Extended:
    """A real number, or an infinity where ``sign`` is 1 or -1 instead of 0."""

    sign: Any
    number: Real

    @staticmethod
    def of(value: Any) -> Extended:
        """A Python number, or a real expression."""
        if isinstance(value, Extended):
            return value
        if isinstance(value, int | float):
            if math.isinf(value):
                return Extended(z3.IntVal(1 if value > 0 else -1), z3.RealVal(0))
            return Extended(z3.IntVal(0), exact(float(value)))
        return Extended(z3.IntVal(0), value)

    def at_most(self, other: Extended) -> Truth:
        """Compare."""
        finite = z3.And(self.sign == other.sign, z3.Or(self.sign != 0, self.number <= other.number))
        return z3.Or(self.sign < other.sign, finite)

    def equals(self, other: Extended) -> Truth:
        """Compare."""
        return z3.And(self.sign == other.sign, z3.Or(self.sign != 0, self.number == other.number))


def exact(x: float) -> Real:
    """The number that a rounded literal stands for: 0.16666667 is one sixth."""
    for number, value in IRRATIONAL:
        if abs(x / value - 1) < CLOSE:
            return number
    simple = Fraction(x).limit_denominator(12)
    return z3.RealVal(str(simple if abs(x - simple) <= CLOSE * abs(x) else Fraction(str(x))))


def choose(condition: Truth, a: Extended, b: Extended) -> Extended:
    """If, then, else."""
    return Extended(z3.If(condition, a.sign, b.sign), z3.If(condition, a.number, b.number))


def larger(a: Extended, b: Extended) -> Extended:
    """The larger one."""
    return choose(a.at_most(b), b, a)


def smaller(a: Extended, b: Extended) -> Extended:
    """The smaller one."""
    return choose(a.at_most(b), a, b)


@dataclass(frozen=True)
class Word:
    """An open attribute that is one of a few words: ``number`` counts them."""

    number: Any
    options: tuple[str, ...]

    def select(self, meant: Callable[[str], Extended]) -> Extended:
        """What depends on the word."""
        result = meant(self.options[0])
        for i, option in enumerate(self.options[1:], 1):
            result = choose(self.number == i, meant(option), result)
        return result


class Meaning:
    """The operations, one method each, with the signature of their ``evaluate``.

    ``facts`` collects what is known of the functions that were applied, ``domain`` where everything has a value.
    """

    def __init__(self) -> None:
        self.facts: list[Truth] = []
        self.domain: list[Truth] = []

    def apply(self, name: str, operands: Sequence[Extended | None], attributes: dict[str, Any]) -> Extended:
        """Apply an operation.

        Raises:
            Unsupported: it is no function of real numbers, or not described here.
        """
        if name in EXTENDED:
            return EXTENDED[name](self, *operands, **attributes)
        method = getattr(self, f"op_{name}", None)
        if method is None:
            raise Unsupported(f"no meaning of {name} over the reals")
        result = method(*(None if v is None else self.finite(v) for v in operands), **attributes)
        return Extended.of(result)

    def finite(self, value: Extended) -> Real:
        """The real number that a value is; where it is none the operation has no value."""
        if not (z3.is_int_value(value.sign) and value.sign.as_long() == 0):
            self.domain.append(value.sign == 0)
        return value.number

    # functions, with what is known of them

    def exp(self, t: Real) -> Real:
        e, back = UNARY["EXP"](t), UNARY["EXP"](z3.simplify(-t))
        self.facts += [e > 0, back > 0, e * back == 1, UNARY["LOG"](e) == t]
        self.facts += [z3.Implies(t >= 0, e >= 1), z3.Implies(t <= 0, e <= 1)]
        return e

    def root(self, t: Real) -> Real:
        root = UNARY["SQRT"](t)
        self.facts.append(z3.Implies(t >= 0, z3.And(root >= 0, root * root == t)))
        return root

    def sqrt(self, t: Real) -> Real:
        self.domain.append(t >= 0)
        return self.root(t)

    def divide(self, a: Real, b: Real) -> Real:
        self.domain.append(b != 0)
        return a / b

    def tanh(self, t: Real) -> Real:
        e, result = self.exp(t), UNARY["TANH"](t)
        self.facts.append(result * (e * e + 1) == e * e - 1)
        return result

    def sigmoid(self, t: Real) -> Real:
        e = self.exp(t)
        return e / (1 + e)

    def activate(self, x: Real, activation: Any) -> Extended:
        """One of the clamps in which other operations end."""
        if isinstance(activation, Word):
            return activation.select(lambda option: self.activate(x, option))
        low, high = ACTIVATIONS[activation]
        return self.clamp(Extended.of(x), low, high)

    def clamp(self, x: Extended, low: Any, high: Any) -> Extended:
        """The upper bound wins."""
        return smaller(larger(x, Extended.of(low)), Extended.of(high))

    def mean(self, x: Real, dims: Any) -> Real:
        """A mean is a function of the polynomial that is averaged, in its normal form."""
        return MEAN(z3.simplify(x, som=True), dims)

    # arithmetic

    def op_add(self, a: Real, b: Real, *, activation: Any) -> Extended:
        return self.activate(a + b, activation)

    def op_sub(self, a: Real, b: Real, *, activation: Any) -> Extended:
        return self.activate(a - b, activation)

    def op_mul(self, a: Real, b: Real, *, activation: Any) -> Extended:
        return self.activate(a * b, activation)

    def op_div(self, a: Real, b: Real, *, activation: Any) -> Extended:
        return self.activate(self.divide(a, b), activation)

    def op_max(self, a: Real, b: Real) -> Real:
        return z3.If(a > b, a, b)

    def op_min(self, a: Real, b: Real) -> Real:
        return z3.If(a < b, a, b)

    def op_squared_difference(self, a: Real, b: Real) -> Real:
        return (a - b) * (a - b)

    def op_neg(self, x: Real) -> Real:
        return -x

    def op_abs(self, x: Real) -> Real:
        return z3.If(x < 0, -x, x)

    def op_sign(self, x: Real) -> Real:
        return z3.If(x < 0, z3.RealVal(-1), z3.If(x > 0, z3.RealVal(1), z3.RealVal(0)))

    def op_square(self, x: Real) -> Real:
        return x * x

    def op_sqrt(self, x: Real) -> Real:
        return self.sqrt(x)

    def op_rsqrt(self, x: Real) -> Real:
        return self.divide(z3.RealVal(1), self.sqrt(x))

    def op_reciprocal(self, x: Real) -> Real:
        return self.divide(z3.RealVal(1), x)

    def op_pow(self, a: Real, b: Real) -> Real:
        """Constant exponents that are small integers, or halves of one."""
        if not z3.is_rational_value(b) or b.as_fraction().denominator > 2 or abs(b.as_fraction()) > 4:
            raise Unsupported("powers whose exponent is open, large or a fraction")
        twice = int(2 * b.as_fraction())
        result = z3.RealVal(1) if twice % 2 == 0 else self.sqrt(a)
        for _ in range(abs(twice) // 2):
            result = result * a
        return self.divide(z3.RealVal(1), result) if twice < 0 else result

    def op_exp(self, x: Real) -> Real:
        return self.exp(x)

    def op_log(self, x: Real) -> Real:
        self.domain.append(x > 0)
        return UNARY["LOG"](x)

    def op_erf(self, x: Real) -> Real:
        return UNARY["ERF"](x)

    def op_tanh(self, x: Real) -> Real:
        return self.tanh(x)

    def op_sinh(self, x: Real) -> Real:
        e = self.exp(x)
        return (e - 1 / e) / 2

    def op_cosh(self, x: Real) -> Real:
        e = self.exp(x)
        return (e + 1 / e) / 2

    def op_atan2(self, a: Real, b: Real) -> Real:
        return ATAN2(a, b)

    def op_atan(self, x: Real) -> Real:
        self.facts.append(ATAN2(x, z3.RealVal(1)) == UNARY["ATAN"](x))
        return UNARY["ATAN"](x)

    def op_asin(self, x: Real) -> Real:
        self.domain += [x >= -1, x <= 1]
        angle = ATAN2(x, self.root(1 - x * x))
        self.facts.append(z3.Implies(z3.And(x >= -1, x <= 1), UNARY["ASIN"](x) == angle))
        return UNARY["ASIN"](x)

    def op_acos(self, x: Real) -> Real:
        self.domain += [x >= -1, x <= 1]
        angle = ATAN2(self.root(1 - x * x), x)
        self.facts.append(z3.Implies(z3.And(x >= -1, x <= 1), UNARY["ACOS"](x) == angle))
        return UNARY["ACOS"](x)

    # activation functions

    def op_sigmoid(self, x: Real) -> Real:
        return self.sigmoid(x)

    def op_silu(self, x: Real) -> Real:
        return x * self.sigmoid(x)

    def op_softplus(self, x: Real) -> Real:
        """With the laws of logarithms for |x|: log(1 + e^x) = x + log(1 + e^-x), log(1 / u) = -log(u)."""
        size = z3.If(x < 0, -x, x)
        e, m = self.exp(x), self.exp(size)
        inverse = UNARY["LOG"](1 + 1 / m)
        self.facts += [UNARY["LOG"](m / (1 + m)) == -inverse, UNARY["LOG"](1 + m) == size + inverse]
        return UNARY["LOG"](1 + e)

    def op_mish(self, x: Real) -> Real:
        return x * self.tanh(self.op_softplus(x))

    def op_softsign(self, x: Real) -> Real:
        return x / (1 + self.op_abs(x))

    def op_gelu(self, x: Real, *, approximate: Any) -> Real:
        half = x / 2
        by_erf = half * (1 + UNARY["ERF"](x / ROOT_2))
        by_tanh = half * (1 + self.tanh(ROOT_2_OVER_PI * (x + exact(0.044715) * x * x * x)))
        return z3.If(approximate, by_tanh, by_erf)

    def op_hard_sigmoid(self, x: Real, *, alpha: Any, beta: Any) -> Extended:
        line = self.finite(Extended.of(alpha)) * x + self.finite(Extended.of(beta))
        return self.clamp(Extended.of(line), 0.0, 1.0)

    def op_hard_swish(self, x: Real) -> Real:
        return x * self.clamp(Extended.of(x + 3), 0.0, 6.0).number / 6

    def op_prelu(self, x: Real, slope: Real) -> Real:
        return z3.If(x > 0, x, x * slope)

    def op_leaky_relu(self, x: Real, *, alpha: Any) -> Real:
        return z3.If(x > 0, x, x * self.finite(Extended.of(alpha)))

    # norms, at one element: a mean is the same at all elements that are averaged

    def op_reduce(self, x: Real, *, kind: Any, dims: Any, keepdims: Any) -> Real:
        if kind != "mean" or keepdims is not True:
            raise Unsupported("reductions other than means that keep axes")
        return self.mean(x, dims)

    def op_layer_norm(self, x: Real, scale: Real, bias: Real, *, dims: Any, epsilon: Any) -> Real:
        return self._scaled(x - self.mean(x, dims), scale, bias, (dims, epsilon))

    def op_rms_norm(self, x: Real, scale: Real, *, dims: Any, epsilon: Any) -> Real:
        return self._scaled(x, scale, None, (dims, epsilon))

    def _scaled(self, x: Real, scale: Real, bias: Real, how: tuple[Any, Any]) -> Real:
        """Divide by the root of the mean square, then scale and shift."""
        dims, epsilon = how
        result = self.divide(x, self.sqrt(self.mean(x * x, dims) + self.finite(Extended.of(epsilon))))
        result = result if scale is None else result * scale
        return result if bias is None else result + bias


def _clip(meaning: Meaning, x: Extended, *, min: Any, max: Any) -> Extended:
    return meaning.clamp(x, min, max)


def _relu(meaning: Meaning, x: Extended) -> Extended:
    return meaning.clamp(x, 0.0, math.inf)


EXTENDED: dict[str, Callable[..., Extended]] = {"clip": _clip, "relu": _relu}
"""Operations that take infinite operands, too: a clamp between infinite bounds makes them."""
