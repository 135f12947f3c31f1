"""Special functions as polynomials."""

from __future__ import annotations

from collections.abc import Sequence

from ...compiler.ir import Value
from ...compiler.lowering import Build
from ...compiler.ops import arith, logic
from ...compiler.ops.special import Special
from .registry import lower

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
"""Giles' approximations (2010) of erfinv(x) / x, in what -log(1 - x^2) exceeds 2.5, and in what its root exceeds 3."""


@lower(Special)
def erfinv(op: Special, e: Build) -> None:
    """The inverse error function by one polynomial near zero and one near the ends."""
    if op.function != "erfinv":
        return
    x = op.x
    size = e(arith.Abs, x)
    one = e.number(1, x.type.dtype)
    left = e(arith.Sub, one, size)
    w = e(arith.Neg, e(arith.Log, e(arith.Mul, left, e(arith.Add, size, one))))
    centre = _polynomial(e(arith.Sub, w, 2.5), CENTRE, e)
    tail = _polynomial(e(arith.Sub, e(arith.Sqrt, w), 3.0), TAIL, e)
    inside = e(arith.Mul, x, e(logic.Select, e(logic.Less, w, 5.0), centre, tail))
    at_end = e(logic.Equal, left, 0.0)
    e.replace(e(logic.Select, at_end, e(arith.Div, x, left), inside))


def _polynomial(x: Value, factors: Sequence[float], e: Build) -> Value:
    """Horner's scheme, the factor of the highest power first."""
    total = e.number(factors[0], x.type.dtype)
    for factor in factors[1:]:
        total = e(arith.Add, e(arith.Mul, total, x), factor)
    return total
