"""Functions that keep their digits where the LOG of the runtime does not: it is exact to the last bit of 1 only.

Near 1, where it is next to 0, that may be half of the result.  So what takes logarithms of numbers near 1 is computed
by ``log(1 + x) = 2 atanh(x / (2 + x))``, whose series is short.
"""

from __future__ import annotations

from ....compiler.ir import Value
from ....compiler.ops import activation, arith, logic
from ....compiler.types import DType
from ..lowering import Build, lower

ATANH = (0.1408732831478119, 0.1398070901632309, 0.20012426376342773, 0.3333315849304199, 1.0)
"""Factors of powers of ``z^2`` in ``atanh(z) / z`` for z^2 up to 1/9, the highest first: 4e-9 off at most."""

NEAR = 1 / 9
"""The largest ``z^2``: x from -1/2 to 1."""


@lower(arith.Log1p)
def log1p_by_series(op: arith.Log1p, e: Build) -> None:
    """A series near zero, and the logarithm elsewhere: no digits are lost."""
    if op.x.type.dtype is not DType.F32:
        return
    ratio = e(arith.Div, op.x, e(arith.Add, op.x, 2.0))
    square = e(arith.Square, ratio)
    far = e(arith.Log, e(arith.Add, op.x, 1.0))
    e.replace(e(logic.Select, e(logic.LessEqual, square, NEAR), _series(ratio, square, e), far))


@lower(activation.Softplus)
def softplus_by_series(op: activation.Softplus, e: Build) -> None:
    """The positive part, and the series of ``log(1 + exp(-|x|))``, which is always near enough."""
    if op.x.type.dtype is not DType.F32:
        return
    power = e(arith.Exp, e(arith.Neg, e(arith.Abs, op.x)))
    ratio = e(arith.Div, power, e(arith.Add, power, 2.0))
    more = _series(ratio, e(arith.Square, ratio), e)
    e.replace(e(arith.Add, e(activation.Relu, op.x), more))


def _series(ratio: Value, square: Value, e: Build) -> Value:
    """``2 atanh(z)`` by ``z`` and its square."""
    total = e.number(2 * ATANH[0], ratio.type.dtype)
    for factor in ATANH[1:]:
        total = e(arith.Add, e(arith.Mul, total, square), 2 * factor)
    return e(arith.Mul, total, ratio)


@lower(arith.Expm1)
def expm1_by_elu(op: arith.Expm1, e: Build) -> None:
    """ELU, which loses nothing below zero; above, ``exp(x) - 1 = -exp(x) (exp(-x) - 1)``, far above as it is."""
    if op.x.type.dtype is not DType.F32:
        return
    power = e(arith.Exp, op.x)
    below = e(activation.Elu, e(arith.Neg, e(arith.Abs, op.x)))
    near = e(arith.Neg, e(arith.Mul, power, below))
    above = e(logic.Select, e(logic.Greater, op.x, 1.0), e(arith.Sub, power, 1.0), near)
    e.replace(e(logic.Select, e(logic.Less, op.x, 0.0), below, above))
