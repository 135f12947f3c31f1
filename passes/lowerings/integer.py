"""Integer products and their operands by arithmetic, for targets without such kernels."""

from __future__ import annotations

import numpy as np

from ...compiler.fold import constant
from ...compiler.ir import Value
from ...compiler.lowering import Build
from ...compiler.ops import arith
from ...compiler.ops.activation import Clip
from ...compiler.ops.integer import ConvInteger, MatMulInteger
from ...compiler.ops.linear import MatMul
from ...compiler.ops.logic import Equal, Select
from ...compiler.ops.quantize import DynamicQuantize
from ...compiler.ops.reduce import Reduce
from ...compiler.types import DType
from ..fold_constants import FoldConstants
from .registry import lower

EXACT = 1 << 24
"""Up to here, floats of 32 bits hold every integer."""


@lower(DynamicQuantize)
def quantize_to_range(op: DynamicQuantize, e: Build) -> None:
    """Find the range, divide by its 255th part, round, add the zero point, clamp."""
    dims, (none, one) = tuple(range(op.x.type.rank)), (e.number(n, op.x.type.dtype) for n in (0, 1))
    low = e(arith.Min, e(Reduce, op.x, "min", dims, keepdims=False), none)
    high = e(arith.Max, e(Reduce, op.x, "max", dims, keepdims=False), none)
    steps = e(arith.Div, e(arith.Sub, high, low), e.number(255, op.x.type.dtype))
    scale = e(Select, e(Equal, steps, none), one, steps)
    zero = e(arith.Round, e(Clip, e(arith.Div, e(arith.Neg, low), scale), 0.0, 255.0))
    moved = e(arith.Add, e(arith.Round, e(arith.Div, op.x, scale)), zero)
    whole = e(arith.Cast, e(Clip, moved, 0.0, 255.0), to=DType.U8)
    e.replace(whole, scale, e(arith.Cast, zero, to=DType.U8))


@lower(ConvInteger)
def subtract_then_convolve(op: ConvInteger, e: Build) -> None:
    """Subtract the zero points; convolve in f32 where sums are exact there, else in i32."""
    dtype = DType.F32 if _is_exact(op.x, op.w, op.w_zero, tuple(range(1, op.w.type.rank))) else DType.I32
    x, w = _centred(op.x, op.x_zero, dtype, e), _centred(op.w, op.w_zero, dtype, e)
    _replace(e.rw.emit(op.windows(x, w)), e)


@lower(MatMulInteger)
def subtract_then_multiply(op: MatMulInteger, e: Build) -> None:
    """Subtract the zero points; multiply in f32 where sums are exact there, else in i32."""
    dtype = DType.F32 if _is_exact(op.a, op.b, op.b_zero, (-2,)) else DType.I32
    a, b = _centred(op.a, op.a_zero, dtype, e), _centred(op.b, op.b_zero, dtype, e)
    _replace(e(MatMul, a, b), e)


def _replace(total: Value, e: Build) -> None:
    e.replace(total if total.type.dtype is DType.I32 else e(arith.Cast, total, to=DType.I32))


def _centred(x: Value, zero: Value, dtype: DType, e: Build) -> Value:
    """Return numbers less their zero point; large weights stay as small as they are, and are widened in the file."""
    point, weight = e(arith.Cast, zero, to=dtype), constant(x)
    if weight is None or weight.nbytes // x.type.dtype.numpy.itemsize * dtype.numpy.itemsize <= FoldConstants.max_bytes:
        return e(arith.Sub, e(arith.Cast, x, to=dtype), point)
    (wide,) = e.each(arith.Cast(x, dtype))
    (moved,) = e.each(arith.Sub(wide, point))
    return moved


def _is_exact(x: Value, w: Value, zero: Value, dims: tuple[int, ...]) -> bool:
    """Whether no sum of products with constant weights, along dims, is beyond what f32 counts exactly."""
    weight, point = constant(w), constant(zero)
    if weight is None or point is None:
        return False
    low, high = x.type.dtype.bounds
    sizes = np.abs(weight.array().astype(np.float32) - point.array().astype(np.float32))
    return bool((sizes.sum(dims, dtype=np.float64) * (high - low) < EXACT).all())
