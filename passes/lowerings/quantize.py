"""Quantization by arithmetic, where scales are computed or no kernel fits; integers that are weights."""

from __future__ import annotations

from ...compiler.lowering import Build
from ...compiler.ops import arith
from ...compiler.ops.activation import Clip
from ...compiler.ops.quantize import Dequantize, Quantize
from ...compiler.types import DType
from .registry import lower


@lower(Quantize)
def quantize_by_arithmetic(op: Quantize, e: Build) -> None:
    """Divide, round, move and clamp."""
    (low, high), types = op.dtype.bounds, (op.x.type.dtype, op.scale.type.dtype)
    dtype = types[0] if len(set(types)) == 1 else DType.F64 if DType.F64 in types else DType.F32
    x, scale = (v if v.type.dtype is dtype else e(arith.Cast, v, to=dtype) for v in (op.x, op.scale))
    rounded = e(arith.Round, e(arith.Div, x, scale))
    moved = e(arith.Add, rounded, e(arith.Cast, op.zero, to=dtype))
    e.replace(e(arith.Cast, e(Clip, moved, float(low), float(high)), to=op.dtype))


@lower(Dequantize)
def dequantize_by_arithmetic(op: Dequantize, e: Build) -> None:
    """Move and scale."""
    dtype = op.scale.type.dtype
    moved = e(arith.Sub, e(arith.Cast, op.x, to=dtype), e(arith.Cast, op.zero, to=dtype))
    e.replace(e(arith.Mul, moved, op.scale))
