"""Graphs that PyTorch has quantized: integers with their scales between operators that compute in floats."""

from __future__ import annotations

from ....compiler.ir import Value
from ....compiler.ops.activation import Clip
from ....compiler.ops.quantize import Dequantize, Quantize
from ....compiler.types import DType
from ..emitter import Emitter
from ..registry import aten

_LIMITS = {DType.I8: (-128, 127), DType.U8: (0, 255), DType.I16: (-32768, 32767)}


@aten("quantized_decomposed::quantize_per_tensor", "quantized_decomposed::quantize_per_tensor.tensor")
def quantize(
    emit: Emitter,
    input: Value,
    scale: float | Value,
    zero_point: int | Value,
    quant_min: int,
    quant_max: int,
    dtype: DType,
) -> Value:
    """``quantize_per_tensor``: ``round(x / scale) + zero_point``, clipped to the range that is stated."""
    x = emit.cast(input, DType.F32)
    found = emit(Quantize(x, _scalar(emit, scale, DType.F32), _scalar(emit, zero_point, DType.I32), dtype))
    return _within(emit, found, quant_min, quant_max)


@aten("quantized_decomposed::dequantize_per_tensor", "quantized_decomposed::dequantize_per_tensor.tensor")
def dequantize(
    emit: Emitter,
    input: Value,
    scale: float | Value,
    zero_point: int | Value,
    quant_min: int,
    quant_max: int,
    dtype: DType,
    *,
    out_dtype: DType | None = None,
) -> Value:
    """``dequantize_per_tensor``: ``(x - zero_point) * scale``, as f32 unless another type is stated."""
    found = emit(Dequantize(input, _scalar(emit, scale, DType.F32), _scalar(emit, zero_point, DType.I32)))
    return emit.cast(found, out_dtype or DType.F32)


@aten("quantized_decomposed::quantize_per_channel")
def quantize_channels(
    emit: Emitter,
    input: Value,
    scales: Value,
    zero_points: Value,
    axis: int,
    quant_min: int,
    quant_max: int,
    dtype: DType,
) -> Value:
    """As above, with one scale for every position of an axis."""
    x = emit.cast(input, DType.F32)
    scale, zero = (_along(emit, p, input, axis) for p in (scales, zero_points))
    found = emit(Quantize(x, emit.cast(scale, DType.F32), emit.cast(zero, DType.I32), dtype))
    return _within(emit, found, quant_min, quant_max)


@aten("quantized_decomposed::dequantize_per_channel")
def dequantize_channels(
    emit: Emitter,
    input: Value,
    scales: Value,
    zero_points: Value | None,
    axis: int,
    quant_min: int,
    quant_max: int,
    dtype: DType,
    *,
    out_dtype: DType | None = None,
) -> Value:
    """As above, with one scale for every position of an axis."""
    scale = emit.cast(_along(emit, scales, input, axis), DType.F32)
    zero = emit.const(0, DType.I32) if zero_points is None else _along(emit, zero_points, input, axis)
    found = emit(Dequantize(input, scale, emit.cast(zero, DType.I32)))
    return emit.cast(found, out_dtype or DType.F32)


def _scalar(emit: Emitter, x: float | Value, dtype: DType) -> Value:
    value = emit.value(x, dtype)
    return emit.reshape(value, ()) if value.type.rank else value


def _along(emit: Emitter, p: Value, x: Value, axis: int) -> Value:
    """Shape one number per position of an axis to broadcast to ``x``."""
    at = emit.axis(axis, x.type.rank)
    return emit.reshape(p, [p.type.shape[0] if i == at else 1 for i in range(x.type.rank)])


def _within(emit: Emitter, x: Value, low: int, high: int) -> Value:
    """Clamp integers if the range that is asked for is narrower than their type."""
    limits = _LIMITS.get(x.type.dtype)
    if limits is None or (low <= limits[0] and high >= limits[1]):
        return x
    return emit(Clip(x, low, high))
