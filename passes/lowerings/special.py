"""Special functions by polynomials, asymptotic series and recurrences.

Sources: M. Giles, Approximating the erfinv function (2010); Numerical Recipes, 6.2 (erfc); Abramowitz and Stegun,
Handbook of Mathematical Functions, 6.1.41 and 6.3.18 (gamma functions), 9.8.1 to 9.8.4 (Bessel functions).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from ...compiler.ir import Value
from ...compiler.lowering import Build
from ...compiler.ops import arith, logic
from ...compiler.ops.special import Special
from ...compiler.types import DType
from .registry import lower


@lower(Special)
def special_functions(op: Special, e: Build) -> None:
    """Polynomials and series that are as exact as single precision is; Bessel functions of other kinds are left.

    Halves are computed in single precision: what a series is made of may be beyond their range.
    """
    formula, dtype = FORMULAS.get(op.function), op.x.type.dtype
    if formula is None:
        return
    if dtype in (DType.F16, DType.BF16):
        e.replace(e(arith.Cast, formula(e(arith.Cast, op.x, to=DType.F32), e), to=dtype))
    else:
        e.replace(formula(op.x, e))


CENTRE = (
    2.81022636e-08,
    3.43273939e-07,
    -3.5233877e-06,
    -4.39150654e-06,
    0.00021858087,
    -0.00125372503,
    -0.00417768164,
    0.246640727,
    1.50140941,
)
TAIL = (
    -0.000200214257,
    0.000100950558,
    0.00134934322,
    -0.00367342844,
    0.00573950773,
    -0.0076224613,
    0.00943887047,
    1.00167406,
    2.83297682,
)
FAR = (
    -1.88068668e-07,
    1.008661e-06,
    -2.30040723e-06,
    9.01926978e-06,
    -1.23666068e-05,
    -0.000506077311,
    1.00911045,
    6.36459208,
)
"""Factors of erfinv(x) / x: of powers of what -log(1 - x^2) exceeds 2.5, and of what its root exceeds 3, or 6.5.

The last ones were fitted here: 6e-7 off at most.
"""


def _erfinv(x: Value, e: Build) -> Value:
    """The inverse error function by one polynomial near zero and one near the ends."""
    size = e(arith.Abs, x)
    left = e(arith.Sub, e.number(1, x.type.dtype), size)
    inside = e(arith.Mul, x, _inverse_by(e(arith.Mul, left, e(arith.Add, size, 1.0)), e))
    return e(logic.Select, e(logic.Equal, left, 0.0), e(arith.Div, x, left), inside)


def _inverse_by(left: Value, e: Build, *, far: bool = False) -> Value:
    """erfinv(x) / x by ``1 - x^2``, which may be ``far`` below what 1 less a number can be."""
    w = e(arith.Neg, e(arith.Log, left))
    root = e(arith.Sqrt, w)
    centre = _polynomial(e(arith.Sub, w, 2.5), CENTRE, e)
    tail = _polynomial(e(arith.Sub, root, 3.0), TAIL, e)
    if far:
        beyond = _polynomial(e(arith.Sub, root, 6.5), FAR, e)
        tail = e(logic.Select, e(logic.Less, root, 3.9), tail, beyond)
    return e(logic.Select, e(logic.Less, w, 5.0), centre, tail)


def _ndtri(p: Value, e: Build) -> Value:
    """The quantile of the normal distribution; ``1 - x^2`` is taken from p, which loses nothing next to zero."""
    more = e(arith.Sub, e(arith.Mul, p, 2.0), 1.0)
    rest = e(arith.Mul, p, e(arith.Sub, e.number(1, p.type.dtype), p))
    inside = e(arith.Mul, e(arith.Mul, more, math.sqrt(2)), _inverse_by(e(arith.Mul, rest, 4.0), e, far=True))
    return e(logic.Select, e(logic.Equal, rest, 0.0), e(arith.Div, more, rest), inside)


EXPONENT = (
    0.17087277,
    -0.82215223,
    1.48851587,
    -1.13520398,
    0.27886807,
    -0.18628806,
    0.09678418,
    0.37409196,
    1.00002368,
    -1.26551223,
)
"""Factors of powers of ``t = 1 / (1 + x / 2)`` in the logarithm of ``erfcx(x) / t`` for x that are not negative."""


def _scaled_erfc(size: Value, e: Build, square: Value | None = None) -> Value:
    """``erfc(x) exp(x^2)`` for x that are not negative, or with the square of x given, ``erfc(x)``."""
    t = e(arith.Reciprocal, e(arith.Add, e(arith.Mul, size, 0.5), 1.0))
    power = _polynomial(t, EXPONENT, e)
    return e(arith.Mul, t, e(arith.Exp, power if square is None else e(arith.Sub, power, square)))


def _erfc(x: Value, e: Build) -> Value:
    """The complementary error function, which is 2 less that of the opposite."""
    size = e(arith.Abs, x)
    found = _scaled_erfc(size, e, e(arith.Square, size))
    return e(logic.Select, e(logic.Less, x, 0.0), e(arith.Sub, e.number(2, x.type.dtype), found), found)


def _erfcx(x: Value, e: Build) -> Value:
    """The scaled complementary error function."""
    found = _scaled_erfc(e(arith.Abs, x), e)
    grown = e(arith.Mul, e(arith.Exp, e(arith.Square, x)), 2.0)
    return e(logic.Select, e(logic.Less, x, 0.0), e(arith.Sub, grown, found), found)


def _log_ndtr(x: Value, e: Build) -> Value:
    """The logarithm of the normal distribution: of what is scaled where it is small, of the rest elsewhere."""
    size = e(arith.Mul, e(arith.Abs, x), math.sqrt(0.5))
    square = e(arith.Square, size)
    below = e(arith.Sub, e(arith.Log, e(arith.Mul, _scaled_erfc(size, e), 0.5)), square)
    above = e(arith.Log1p, e(arith.Mul, _scaled_erfc(size, e, square), -0.5))
    return e(logic.Select, e(logic.Less, x, 0.0), below, above)


STEPS = 8
"""By how much arguments of gamma functions are raised: from there on, their series are exact."""

STIRLING = (-1 / 1680, 1 / 1260, -1 / 360, 1 / 12)
DIGAMMA = (1 / 240, -1 / 252, 1 / 120, -1 / 12)
"""Factors of powers of ``1 / x^2`` in the series for large x."""


def _raised(x: Value, e: Build) -> tuple[Value, Value, Value]:
    """Return where a number is below 1/2, what is mirrored there, so that all are above it, and that raised."""
    is_below = e(logic.Less, x, 0.5)
    mirrored = e(logic.Select, is_below, e(arith.Sub, e.number(1, x.type.dtype), x), x)
    return is_below, mirrored, e(arith.Add, mirrored, float(STEPS))


def _lgamma(x: Value, e: Build) -> Value:
    """Stirling's series for the raised argument, less the logarithm of what raising multiplied; mirrored below 1/2."""
    is_below, z, y = _raised(x, e)
    inverse = e(arith.Reciprocal, y)
    series = e(arith.Mul, _polynomial(e(arith.Square, inverse), STIRLING, e), inverse)
    main = e(arith.Sub, e(arith.Mul, e(arith.Sub, y, 0.5), e(arith.Log, y)), y)
    raised = e(arith.Add, e(arith.Add, main, 0.5 * math.log(2 * math.pi)), series)
    product = z
    for step in range(1, STEPS):
        product = e(arith.Mul, product, e(arith.Add, z, float(step)))
    above = e(arith.Sub, raised, e(arith.Log, product))
    large = e(arith.Mul, z, e(arith.Sub, e(arith.Log, z), 1.0))
    above = e(logic.Select, e(logic.Less, z, LARGE), above, e(arith.Sub, large, e(arith.Mul, e(arith.Log, z), 0.5)))
    sine = e(arith.Abs, e(arith.Sin, e(arith.Mul, _to_whole(x, e), math.pi)))
    mirror = e(arith.Sub, e(arith.Sub, e.number(math.log(math.pi), x.type.dtype), e(arith.Log, sine)), above)
    return e(logic.Select, is_below, mirror, above)


LARGE = 1e4
"""Beyond, the product of the steps overflows; of the series only the first terms are left."""


def _digamma(x: Value, e: Build) -> Value:
    """The asymptotic series for the raised argument, less what the steps add; mirrored below 1/2.

    At zero it is infinite, by the sign of that; at negative whole numbers it has no value.
    """
    is_below, z, y = _raised(x, e)
    inverse = e(arith.Reciprocal, y)
    square = e(arith.Square, inverse)
    series = e(arith.Mul, _polynomial(square, DIGAMMA, e), square)
    above = e(arith.Add, e(arith.Sub, e(arith.Log, y), e(arith.Mul, inverse, 0.5)), series)
    for step in range(STEPS):
        above = e(arith.Sub, above, e(arith.Reciprocal, e(arith.Add, z, float(step)) if step else z))
    rest = _to_whole(x, e)
    angle = e(arith.Mul, rest, math.pi)
    mirror = e(arith.Sub, above, e(arith.Mul, e(arith.Div, e(arith.Cos, angle), e(arith.Sin, angle)), math.pi))
    minus, plus, none = (e.number(number, x.type.dtype) for number in (-math.inf, math.inf, math.nan))
    at_zero = e(logic.Select, e(logic.Less, e(arith.Reciprocal, x), 0.0), plus, minus)
    at_pole = e(logic.Select, e(logic.Equal, x, 0.0), at_zero, none)
    return e(logic.Select, is_below, e(logic.Select, e(logic.Equal, rest, 0.0), at_pole, mirror), above)


def _to_whole(x: Value, e: Build) -> Value:
    """What x is more than the nearest whole number: sines of it times pi are exact for large x, too."""
    return e(arith.Sub, x, e(arith.Round, x))


MIDDLE = 3.75
"""Where the series of the modified Bessel functions change."""

I0 = (0.0045813, 0.0360768, 0.2659732, 1.2067492, 3.0899424, 3.5156229, 1.0)
I0_FAR = (0.00392377, -0.01647633, 0.02635537, -0.02057706, 0.00916281, -0.00157565, 0.00225319, 0.01328592, 0.39894228)
I1 = (0.00032411, 0.00301532, 0.02658733, 0.15084934, 0.51498869, 0.87890594, 0.5)
I1_FAR = (
    *(-0.00420059, 0.01787654, -0.02895312, 0.02282967, -0.01031555),
    *(0.00163801, -0.00362018, -0.03988024, 0.39894228),
)
"""Factors of powers of ``(x / 3.75)^2``, and of ``3.75 / x`` in what ``exp(x) / sqrt(x)`` is multiplied by."""


def _bessel(near: Sequence[float], far: Sequence[float], *, odd: bool, scaled: bool) -> Callable[[Value, Build], Value]:
    """A modified Bessel function of the first kind, of order 1 if it is odd; scaled by ``exp(-|x|)`` or not."""

    def formula(x: Value, e: Build) -> Value:
        size = e(arith.Abs, x)
        small = e(arith.Min, size, MIDDLE)
        inside = _polynomial(e(arith.Square, e(arith.Mul, small, 1 / MIDDLE)), near, e)
        inside = e(arith.Mul, inside, small) if odd else inside
        large = e(arith.Max, size, MIDDLE)
        outside = _polynomial(e(arith.Div, e.number(MIDDLE, x.type.dtype), large), far, e)
        outside = e(arith.Mul, outside, e(arith.Rsqrt, large))
        if scaled:
            inside = e(arith.Mul, inside, e(arith.Exp, e(arith.Neg, small)))
        else:
            outside = e(arith.Mul, outside, e(arith.Exp, large))
        found = e(logic.Select, e(logic.Less, size, MIDDLE), inside, outside)
        return e(arith.Mul, found, e(arith.Sign, x)) if odd else found

    return formula


def _polynomial(x: Value, factors: Sequence[float], e: Build) -> Value:
    """Horner's scheme, the factor of the highest power first."""
    total = e.number(factors[0], x.type.dtype)
    for factor in factors[1:]:
        total = e(arith.Add, e(arith.Mul, total, x), factor)
    return total


FORMULAS: dict[str, Callable[[Value, Build], Value]] = {
    "bessel_i0": _bessel(I0, I0_FAR, odd=False, scaled=False),
    "bessel_i0e": _bessel(I0, I0_FAR, odd=False, scaled=True),
    "bessel_i1": _bessel(I1, I1_FAR, odd=True, scaled=False),
    "bessel_i1e": _bessel(I1, I1_FAR, odd=True, scaled=True),
    "digamma": _digamma,
    "erfc": _erfc,
    "erfcx": _erfcx,
    "erfinv": _erfinv,
    "lgamma": _lgamma,
    "log_ndtr": _log_ndtr,
    "ndtri": _ndtri,
}
"""How each function is computed, by its name."""
