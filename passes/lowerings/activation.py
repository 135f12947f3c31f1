"""Lowerings of activation functions and of normalised exponentials."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, cast

import ml_dtypes
import numpy as np

from ...compiler.fold import constant
from ...compiler.ir import Value
from ...compiler.lowering import Build
from ...compiler.ops import activation as ir
from ...compiler.ops import arith
from ...compiler.ops.logic import Greater, Less, Select
from ...compiler.ops.reduce import Reduce
from ...compiler.rules import load_rules
from ...compiler.types import DType
from ...compiler.value_ranges import EXACT_BITS
from .registry import LOWERINGS, lower

LOWERINGS.rules(load_rules(Path(__file__).with_name("elementwise.rules")), "A formula of elementwise functions.")


@lower(ir.Relu)
def relu_of_integers(op: ir.Relu, e: Build) -> None:
    """RELU takes floats only: of integers, it is a maximum with zero."""
    if op.x.type.dtype.is_int:
        e.replace(e(arith.Max, op.x, 0))


@lower(ir.Clip)
def clip(op: ir.Clip, e: Build) -> None:
    """Minimum and maximum, as far as there are numbers beyond the bounds."""
    out = op.x
    low, high = ir.binding(op.min, op.max, op.x.type.dtype)
    for kind, bound in ((arith.Max, low), (arith.Min, high)):
        if bound is not None:
            out = e(kind, out, bound)
    e.replace(out)


@lower(ir.LeakyRelu)
def leaky_relu_of_integers(op: ir.LeakyRelu, e: Build) -> None:
    """LEAKY_RELU takes floats only: of integers, choose by sign."""
    if op.x.type.dtype.is_int:
        e.replace(e(Select, e(Greater, op.x, 0), op.x, e(arith.Mul, op.x, op.alpha)))


@lower(ir.PRelu)
def prelu(op: ir.PRelu, e: Build) -> None:
    """Slopes up to one: the larger of ``x`` and ``slope x``; others by parts of ``x``, infinite ones by its sign."""
    slope = constant(op.slope)
    if slope is not None and not np.isfinite(slope.array()).all():
        e.replace(e(Select, e(Greater, op.x, 0), op.x, e(arith.Mul, op.x, op.slope)))
    elif slope is not None and slope.type.size == 1:
        e.replace(e(ir.LeakyRelu, op.x, alpha=float(slope.array().reshape(()))))
    elif slope is not None and bool((slope.array() <= 1).all()):
        e.replace(e(arith.Max, op.x, e(arith.Mul, op.x, op.slope)))
    else:
        e.replace(e(arith.Add, e(ir.Relu, op.x), e(arith.Mul, e(arith.Min, op.x, 0.0), op.slope)))


@lower(ir.Elu)
def elu(op: ir.Elu, e: Build) -> None:
    """The positive part plus alpha times an ELU, or an exponential less one, of the negative part."""
    below = e(arith.Min, op.x, 0.0)
    if op.alpha == 1:
        e.replace(e(arith.Add, e(ir.Relu, op.x), e(arith.Expm1, below)))
    else:
        e.replace(e(arith.Add, e(ir.Relu, op.x), e(arith.Mul, e(ir.Elu, below), op.alpha)))


@lower(ir.Selu)
def selu(op: ir.Selu, e: Build) -> None:
    """A product: ``gamma`` times the ELU with the same ``alpha``."""
    e.replace(e(arith.Mul, e(ir.Elu, op.x, alpha=op.alpha), op.gamma))


@lower(ir.Celu)
def celu(op: ir.Celu, e: Build) -> None:
    """An ELU of ``x / alpha`` below zero."""
    e.require(op.alpha > 0, "an alpha that is not positive")
    below = e(ir.Elu, e(arith.Mul, e(arith.Min, op.x, 0.0), 1 / op.alpha))
    e.replace(e(arith.Add, e(ir.Relu, op.x), e(arith.Mul, below, op.alpha)))


@lower(ir.ThresholdedRelu)
def thresholded_relu(op: ir.ThresholdedRelu, e: Build) -> None:
    """Compare with the threshold, and choose ``x`` or zero."""
    e.replace(e(Select, e(Greater, op.x, op.alpha), op.x, e.number(0, op.x.type.dtype)))


@lower(ir.Shrink)
def shrink(op: ir.Shrink, e: Build) -> None:
    """By two comparisons; integers as floats, since neither number need be whole."""
    dtype = op.x.type.dtype
    if dtype.is_int:
        if dtype.bits > EXACT_BITS:
            e.warn(f"shrink of {dtype} is computed in f32: numbers beyond 2^24 would be rounded")
        e.replace(e(arith.Cast, e.clone(op, e(arith.Cast, op.x, to=DType.F32)), to=dtype))
        return
    above = e(Select, e(Greater, op.x, op.threshold), e(arith.Sub, op.x, op.bias), e.number(0, op.x.type.dtype))
    e.replace(e(Select, e(Less, op.x, -op.threshold), e(arith.Add, op.x, op.bias), above))


@lower(ir.HardSigmoid)
def hard_sigmoid(op: ir.HardSigmoid, e: Build) -> None:
    """A sixth of RELU6, which an addition ends in at no cost."""
    slope = 6 * op.alpha
    scaled = op.x if math.isclose(slope, 1, rel_tol=1e-6) else e(arith.Mul, op.x, slope)
    e.replace(e(arith.Mul, e(arith.Add, scaled, 6 * op.beta, activation="relu6"), 1 / 6))


MISH_LIMITS = {DType.F16: 5.0}
MISH_LIMIT = 20.0
"""Beyond, mish(x) is x, in half precision or in that of all other types; exp(x)^2 must not overflow."""


@lower(ir.Mish)
def mish(op: ir.Mish, e: Build) -> None:
    """``x n / (n + 2)`` with ``n = exp(x) (exp(x) + 2)``, which is tanh(softplus(x)) without a logarithm."""
    grown = e(arith.Exp, e(arith.Min, op.x, MISH_LIMITS.get(op.x.type.dtype, MISH_LIMIT)))
    n = e(arith.Mul, grown, e(arith.Add, grown, 2.0))
    e.replace(e(arith.Mul, op.x, e(arith.Div, n, e(arith.Add, n, 2.0))))


@lower(ir.Softmax)
def softmax(op: ir.Softmax, e: Build) -> None:
    """Along another axis than the last: maximum, exponentials, sum; a fifth of the time of two transposes."""
    if op.x.type.rank > e.target.limits.rank:
        return
    grown = e(arith.Exp, e(arith.Sub, op.x, e(Reduce, op.x, "max", (op.axis,))))
    e.replace(e(arith.Div, grown, e(Reduce, grown, "sum", (op.axis,))))


@lower(ir.LogSoftmax)
def log_softmax(op: ir.LogSoftmax, e: Build) -> None:
    """Along another axis than the last: subtract the logarithm of the sum."""
    if op.x.type.rank > e.target.limits.rank:
        return
    shifted = e(arith.Sub, op.x, e(Reduce, op.x, "max", (op.axis,)))
    total = e(arith.Log, e(Reduce, e(arith.Exp, shifted), "sum", (op.axis,)))
    e.replace(e(arith.Sub, shifted, total))


@lower(ir.HardSwish)
def hard_swish(op: ir.HardSwish, e: Build) -> None:
    """A product of ``x`` with its hard sigmoid."""
    e.replace(e(arith.Mul, op.x, e(ir.HardSigmoid, op.x, alpha=1 / 6, beta=0.5)))


@lower(ir.Gelu)
def gelu(op: ir.Gelu, e: Build) -> None:
    """Compute GELU by its definition, exact with ERF or by TANH."""
    x = op.x
    if op.approximate:
        cube = e(arith.Mul, e(arith.Mul, e(arith.Mul, x, x), x), 0.044715)
        inner = e(ir.Tanh, e(arith.Mul, e(arith.Add, x, cube), math.sqrt(2 / math.pi)))
    else:
        inner = e(arith.Erf, e(arith.Mul, x, math.sqrt(0.5)))
    e.replace(e(arith.Mul, e(arith.Mul, x, 0.5), e(arith.Add, inner, 1.0)))


@lower(ir.Softmax, ir.LogSoftmax)
def fold_around_axis(op: ir.Softmax | ir.LogSoftmax, e: Build) -> None:
    """More axes than XNNPACK takes: those before and after the axis fold into one each."""
    shape, axis = op.x.type.shape, op.axis
    if op.x.type.rank <= e.target.limits.rank:
        return
    before, behind = e.product(shape[:axis]), e.product(shape[axis + 1 :])
    folded = e.reshape(op.x, (before, shape[axis], behind) if axis < len(shape) - 1 else (before, shape[axis]))
    e.replace(e.reshape(e(type(op), folded, axis=1), shape))


ERF_LIMIT = 4.0
"""Beyond, erf is one in single precision."""

ERF_SLOPES = (
    1.1283792378777865,
    0.6366157965645063,
    0.10281890374666652,
    -0.019333956811572753,
    0.00022219349832546635,
    0.0012402940821964604,
    -0.0003770842949351282,
    4.018935349330714e-05,
)
"""Minimax polynomial of ``-log(1 - erf(x)) / x`` for ``x`` from 0 to 4, so that erf is right to 2e-7."""


@lower(arith.Erf)
def erf(op: arith.Erf, e: Build) -> None:
    """``1 - exp(-x S(x))`` for positive ``x``, by ELU, which loses nothing near zero; with the sign of ``x``."""
    dtype = op.x.type.dtype
    x = e(arith.Max, e(arith.Min, op.x, ERF_LIMIT), -ERF_LIMIT)
    down = e(arith.Neg, e(arith.Abs, x))
    slope: Value | None = None
    for power, coefficient in reversed(list(enumerate(ERF_SLOPES))):
        signed = coefficient * (-1) ** power
        slope = e.number(signed, dtype) if slope is None else e(arith.Add, e(arith.Mul, slope, down), signed)
    assert slope is not None
    sign = e(arith.Div, x, e(arith.Min, down, -float(cast(Any, ml_dtypes).finfo(dtype.numpy).tiny)))
    e.replace(e(arith.Mul, e(ir.Elu, e(arith.Mul, down, slope)), sign))
