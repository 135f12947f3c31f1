"""Arithmetic that kernels do faster in other forms."""

from __future__ import annotations

from typing import Any, cast

import ml_dtypes
import numpy as np

from ....compiler.constants import SMALL_CONSTANT, elements
from ....compiler.fold import constant
from ....compiler.ir import Value
from ....compiler.ops import arith as ir
from ....compiler.types import DType
from ..lowering import Build, improve


@improve(ir.Div)
def divide_by_constant(op: ir.Div, e: Build) -> None:
    """Multiply by the inverse, which takes half the time.

    A single number gains nothing, and may be the scale by which a whole tensor is rounded: it stays as it is.
    """
    weight = constant(op.b)
    is_worth_it = op.a.type.dtype.is_float and op.result.type.size != 1
    if weight is None or not is_worth_it or weight.nbytes > SMALL_CONSTANT:
        return
    with np.errstate(divide="ignore", over="ignore"):
        inverse = np.reciprocal(weight.array())
    least = cast(Any, ml_dtypes).finfo(inverse.dtype).tiny
    if np.isfinite(inverse).all() and (np.abs(inverse) >= least).all():
        e.replace(e(ir.Mul, op.a, e.constant(inverse), activation=op.activation))


MAX_POWER = 16
"""Larger whole exponents are left to POW."""


@improve(ir.Pow)
def constant_power(op: ir.Pow, e: Build) -> None:
    """Squares, roots and products are two to four times as fast as POW."""
    exponent = _repeated(op.b)
    if exponent is None or op.result.type.shape != op.a.type.shape:
        return
    if op.a.type.dtype.is_float and exponent in (0.5, -0.5):
        e.replace(e(ir.Sqrt if exponent > 0 else ir.Rsqrt, op.a))
    elif 1 <= abs(exponent) <= MAX_POWER and exponent == int(exponent):
        if exponent < 0 and not op.a.type.dtype.is_float:
            return
        product = _power(op.a, abs(int(exponent)), e)
        e.replace(product if exponent > 0 else e(ir.Reciprocal, product))


def _repeated(value: Value) -> float | None:
    """The one number of which a constant consists."""
    array = elements(value)
    return float(array.flat[0]) if array is not None and array.size and (array == array.flat[0]).all() else None


def _power(base: Value, exponent: int, e: Build) -> Value:
    """Square and multiply."""
    if exponent == 1:
        return base
    half = e(ir.Square, _power(base, exponent // 2, e))
    return e(ir.Mul, half, base) if exponent % 2 else half


@improve(ir.Add, ir.Sub, ir.Mul, ir.Div, ir.Max, ir.Min)
def shrink_splats(op: ir.Add | ir.Sub | ir.Mul | ir.Div | ir.Max | ir.Min, e: Build) -> None:
    """A constant of one repeated number is as good as that number, but for f64, whose kernels don't broadcast."""
    if op.result.type.dtype is DType.F64:
        return
    for slot, value in enumerate(op.operands):
        weight = constant(value)
        if weight is None or not weight.is_splat or weight.type.size == 1 or not weight.nbytes:
            continue
        other = op.operands[1 - slot]
        if other is not None and other.type.shape == op.result.type.shape:
            operands = list(op.operands)
            operands[slot] = e.constant(np.asarray(weight.array().flat[0]))
            e.replace(e.clone(op, *operands))
            return
