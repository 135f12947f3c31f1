"""Scales and zero points, as operations where files can state them, else as arithmetic; integer products."""

from __future__ import annotations

from typing import Annotated

from ....compiler.fold import constant
from ....compiler.ir import Value
from ....compiler.ops import arith
from ....compiler.ops.activation import Clip
from ....compiler.ops.arith import Cast
from ....compiler.ops.integer import ConvInteger, MatMulInteger
from ....compiler.ops.linear import MatMul
from ....compiler.ops.quantize import Dequantize, DynamicQuantize, Quantize
from ....compiler.ops.window import Conv
from ....compiler.types import DType
from ....formats.onnx.tensors import element_type
from ...common.padding import cut_negative, window
from ...common.quantize import spread
from ..emitter import Emitter
from ..registry import Since, onnx_op
from .elementwise import SATURATING, convert
from .window import conv

WEIGHTS = (DType.I4, DType.U4, DType.I8, DType.U8)
"""Integers of weights whose scales may be those of blocks."""


def _bounds(dtype: DType) -> tuple[float, float]:
    bits = dtype.bits
    return (0, (1 << bits) - 1) if dtype.value.startswith("u") else (-(1 << bits - 1), (1 << bits - 1) - 1)


def to_integers(emit: Emitter, x: Value, zero: Value | None, dtype: DType) -> Value:
    """Round to the nearest integer, ties to even, move by the zero point, and keep within the type."""
    rounded = emit(arith.Round(x))
    if zero is not None:
        rounded = emit(arith.Add(rounded, emit.cast(zero, x.type.dtype)))
    low, high = _bounds(dtype)
    return emit(Cast(emit(Clip(rounded, low, high)), dtype))


def _is_stated(integers: DType, scale: Value, zero: Value) -> bool:
    """Whether scales differ along one axis at most, so that operations can have them."""
    return (
        integers in (DType.I8, DType.U8, DType.I16)
        and scale.type.dtype is DType.F32
        and max(scale.type.rank, zero.type.rank) <= 1
        and zero.type.dtype is integers
    )


def _is_weight_in_blocks(x: Value, scale: Value, zero: Value) -> bool:
    """Whether scales are known, one per block along an axis of constant integers."""
    is_known = all(constant(v) is not None for v in (x, scale, zero))
    return is_known and x.type.dtype in WEIGHTS and scale.type.rank == x.type.rank > 1 and scale.type.dtype is DType.F32


def _zero(emit: Emitter, zero: Value, x: Value, axis: int) -> Value:
    """Return zero points as they stand beside data: in 32 bits if they are known, else of the data's type."""
    return spread(emit, zero if constant(zero) is None else emit.cast(zero, DType.I32), x, axis)


@onnx_op("QuantizeLinear", since=10)
def quantize_linear(
    emit: Emitter,
    x: Value,
    y_scale: Value,
    y_zero_point: Value | None = None,
    *,
    axis: Annotated[int, Since(13)] = 1,
    block_size: Annotated[int, Since(21)] = 0,
    output_dtype: Annotated[int, Since(21)] = 0,
    precision: Annotated[int, Since(23)] = 0,
    saturate: Annotated[int, Since(19)] = 1,
) -> Value:
    """``x / scale`` in integers, or in floats of few bits."""
    to = element_type(output_dtype) if output_dtype else y_zero_point.type.dtype if y_zero_point else DType.U8
    inner = element_type(precision) if precision else DType.F32
    zero = emit.const(0, to) if y_zero_point is None else y_zero_point
    if inner is x.type.dtype and _is_stated(to, y_scale, zero):
        return emit(Quantize(x, spread(emit, y_scale, x, axis), _zero(emit, zero, x, axis), to))
    scale = spread(emit, emit.cast(y_scale, inner), x, axis, block_size)
    scaled = emit(arith.Div(emit.cast(x, inner), scale))
    if not to.is_int:
        return convert(emit, scaled, to, saturate=bool(saturate))
    zero = None if y_zero_point is None else spread(emit, emit.cast(y_zero_point, inner), x, axis, block_size)
    return to_integers(emit, scaled, zero, to)


@onnx_op("DequantizeLinear", since=10)
def dequantize_linear(
    emit: Emitter,
    x: Value,
    x_scale: Value,
    x_zero_point: Value | None = None,
    *,
    axis: Annotated[int, Since(13)] = 1,
    block_size: Annotated[int, Since(21)] = 0,
    output_dtype: Annotated[int, Since(23)] = 0,
) -> Value:
    """DequantizeLinear: ``(x - zero_point) * scale``, per tensor, axis or block."""
    to = element_type(output_dtype) if output_dtype else x_scale.type.dtype
    zero = emit.const(0, x.type.dtype) if x_zero_point is None else x_zero_point
    if to is DType.F32 and _is_weight_in_blocks(x, x_scale, zero):
        spread_zero = spread(emit, emit.cast(zero, DType.I32), x, axis, block_size)
        return emit(Dequantize(x, spread(emit, x_scale, x, axis, block_size), spread_zero))
    if to is DType.F32 and _is_stated(x.type.dtype, x_scale, zero):
        return emit(Dequantize(x, spread(emit, x_scale, x, axis), _zero(emit, zero, x, axis)))
    plain = emit.cast(x, DType.F32)
    if x_zero_point is not None and x.type.dtype not in SATURATING:
        zero = spread(emit, emit.cast(x_zero_point, DType.F32), x, axis, block_size)
        plain = emit(arith.Sub(plain, zero))
    scale = spread(emit, emit.cast(x_scale, DType.F32), x, axis, block_size)
    return emit.cast(emit(arith.Mul(plain, scale)), to)


def _centred(emit: Emitter, x: Value, zero: Value | None, axis: int) -> Value:
    """Return ``x - zero`` in 32 bits."""
    wide = emit.cast(x, DType.I32)
    if zero is None:
        return wide
    return emit(arith.Sub(wide, spread(emit, emit.cast(zero, DType.I32), x, axis)))


def _number(emit: Emitter, x: Value, zero: Value | None) -> Value | None:
    """Return a zero point as a number of the type of ``x``, None if there are several."""
    if zero is None:
        return emit.const(0, x.type.dtype)
    return emit.reshape(zero, ()) if zero.type.size == 1 else None


@onnx_op("DynamicQuantizeLinear", since=11)
def dynamic_quantize_linear(emit: Emitter, x: Value) -> tuple[Value, ...]:
    """The range of all numbers in 255 steps: integers, scale and zero point; of zeros, the scale is 1."""
    return emit.all(DynamicQuantize(x))


@onnx_op("MatMulInteger", since=10)
def matmul_integer(
    emit: Emitter, a: Value, b: Value, a_zero_point: Value | None = None, b_zero_point: Value | None = None
) -> Value:
    """Product of integers in 32 bits; zero points per row of ``a`` and per column of ``b``."""
    a_zero, b_zero = _number(emit, a, a_zero_point), _number(emit, b, b_zero_point)
    if b_zero is None and b.type.rank == 2 and b_zero_point is not None and b_zero_point.type.rank == 1:
        b_zero = b_zero_point
    if a_zero is not None and b_zero is not None:
        return emit(MatMulInteger(a, b, a_zero, b_zero))
    return emit(MatMul(_centred(emit, a, a_zero_point, -2), _centred(emit, b, b_zero_point, -1)))


@onnx_op("QLinearMatMul", since=10)
def qlinear_matmul(
    emit: Emitter,
    a: Value,
    a_scale: Value,
    a_zero_point: Value,
    b: Value,
    b_scale: Value,
    b_zero_point: Value,
    y_scale: Value,
    y_zero_point: Value,
) -> Value:
    """QLinearMatMul: the product of quantized matrices, quantized again."""
    left = dequantize_linear(emit, a, a_scale, a_zero_point, axis=-2)
    right = dequantize_linear(emit, b, b_scale, b_zero_point, axis=-1)
    return quantize_linear(emit, emit(MatMul(left, right)), y_scale, y_zero_point, axis=-2)


@onnx_op("ConvInteger", since=10)
def conv_integer(
    emit: Emitter,
    x: Value,
    w: Value,
    x_zero_point: Value | None = None,
    w_zero_point: Value | None = None,
    *,
    auto_pad: str = "NOTSET",
    dilations: tuple[int, ...] = (),
    group: int = 1,
    kernel_shape: tuple[int, ...] = (),
    pads: tuple[int, ...] = (),
    strides: tuple[int, ...] = (),
) -> Value:
    """Convolution of integers in 32 bits; padding stands for the zero point."""
    kernel = tuple(d for d in w.type.shape[2:] if isinstance(d, int))
    found = window(emit, x, kernel, strides, dilations, auto_pad, pads)
    data, rest = cut_negative(emit, x, found.pads)
    x_zero, w_zero = _number(emit, x, x_zero_point), _number(emit, w, w_zero_point)
    if x_zero is not None and w_zero is not None:
        return emit(ConvInteger(data, w, x_zero, w_zero, found.strides, found.dilations, rest, group))
    data, weights = _centred(emit, data, x_zero_point, 1), _centred(emit, w, w_zero_point, 0)
    return emit(Conv(data, weights, None, found.strides, found.dilations, rest, group))


@onnx_op("QLinearConv", since=10)
def qlinear_conv(
    emit: Emitter,
    x: Value,
    x_scale: Value,
    x_zero_point: Value,
    w: Value,
    w_scale: Value,
    w_zero_point: Value,
    y_scale: Value,
    y_zero_point: Value,
    b: Value | None = None,
    *,
    auto_pad: str = "NOTSET",
    dilations: tuple[int, ...] = (),
    group: int = 1,
    kernel_shape: tuple[int, ...] = (),
    pads: tuple[int, ...] = (),
    strides: tuple[int, ...] = (),
) -> Value:
    """Convolution of quantized data; the bias has the scale of the products."""
    data = dequantize_linear(emit, x, x_scale, x_zero_point)
    weights = dequantize_linear(emit, w, w_scale, w_zero_point, axis=0)
    bias = None
    if b is not None:
        bias = emit(arith.Mul(emit.cast(b, DType.F32), emit(arith.Mul(x_scale, w_scale))))
    total = conv(
        emit,
        data,
        weights,
        bias,
        auto_pad=auto_pad,
        dilations=dilations,
        group=group,
        kernel_shape=kernel_shape,
        pads=pads,
        strides=strides,
    )
    return quantize_linear(emit, total, y_scale, y_zero_point)
