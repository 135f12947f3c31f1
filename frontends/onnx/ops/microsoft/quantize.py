"""Arithmetic of quantized data: what it stands for is computed, and the result is quantized."""

from __future__ import annotations

from .....compiler.diagnostics import counted
from .....compiler.ir import Value
from .....compiler.ops import activation as act
from .....compiler.ops.arith import Add, Mul
from .....compiler.ops.logic import Select
from .....compiler.ops.reduce import Reduce
from .....compiler.ops.shape import Concat
from ...emitter import Emitter
from ...registry import onnx_op
from ..activation import softmax, softmax_flattening
from ..quantize import dequantize_linear, qlinear_conv, quantize_linear
from ..window import average_pool
from .domain import MICROSOFT
from .fused import channels_first, channels_last

ONE_AXIS = 13
"""The version of the standard from which on a softmax is over one axis."""


def dequantized(emit: Emitter, x: Value, scale: Value, zero: Value | None) -> Value:
    """Return what data of one scale stands for."""
    return dequantize_linear(emit, x, scale, zero)


def quantized(emit: Emitter, y: Value, scale: Value, zero: Value | None, like: Value) -> Value:
    """Quantize; without a zero point to the type of ``like``."""
    if zero is None:
        zero = emit.const(0, like.type.dtype)
    return quantize_linear(emit, y, scale, zero)


@onnx_op("QuantizeLinear", since=1, domain=MICROSOFT)
def quantize(
    emit: Emitter, x: Value, y_scale: Value, y_zero_point: Value | None = None, *, axis: int | None = None
) -> Value:
    """QuantizeLinear as in the standard, but to more element types."""
    return quantize_linear(emit, x, y_scale, y_zero_point, axis=1 if axis is None else axis)


@onnx_op("DequantizeLinear", since=1, domain=MICROSOFT)
def dequantize(
    emit: Emitter, x: Value, x_scale: Value, x_zero_point: Value | None = None, *, axis: int | None = None
) -> Value:
    """DequantizeLinear as in the standard, but from more element types."""
    return dequantize_linear(emit, x, x_scale, x_zero_point, axis=1 if axis is None else axis)


@onnx_op("QLinearAdd", since=1, domain=MICROSOFT)
def qlinear_add(
    emit: Emitter,
    a: Value,
    a_scale: Value,
    a_zero_point: Value | None,
    b: Value,
    b_scale: Value,
    b_zero_point: Value | None,
    c_scale: Value,
    c_zero_point: Value | None = None,
) -> Value:
    """QLinearAdd: a sum of quantized tensors, quantized again."""
    x, y = dequantized(emit, a, a_scale, a_zero_point), dequantized(emit, b, b_scale, b_zero_point)
    return quantized(emit, emit(Add(x, y)), c_scale, c_zero_point, a)


@onnx_op("QLinearMul", since=1, domain=MICROSOFT)
def qlinear_mul(
    emit: Emitter,
    a: Value,
    a_scale: Value,
    a_zero_point: Value | None,
    b: Value,
    b_scale: Value,
    b_zero_point: Value | None,
    c_scale: Value,
    c_zero_point: Value | None = None,
) -> Value:
    """QLinearMul: a product of quantized tensors, quantized again."""
    x, y = dequantized(emit, a, a_scale, a_zero_point), dequantized(emit, b, b_scale, b_zero_point)
    return quantized(emit, emit(Mul(x, y)), c_scale, c_zero_point, a)


@onnx_op("QLinearLeakyRelu", since=1, domain=MICROSOFT)
def qlinear_leaky_relu(
    emit: Emitter,
    x: Value,
    x_scale: Value,
    x_zero_point: Value | None,
    y_scale: Value,
    y_zero_point: Value | None = None,
    *,
    alpha: float = 0.01,
) -> Value:
    """QLinearLeakyRelu: a LeakyRelu of a quantized tensor, quantized again."""
    y = emit(act.LeakyRelu(dequantized(emit, x, x_scale, x_zero_point), alpha))
    return quantized(emit, y, y_scale, y_zero_point, x)


@onnx_op("QLinearSigmoid", since=1, domain=MICROSOFT)
def qlinear_sigmoid(
    emit: Emitter,
    x: Value,
    x_scale: Value,
    x_zero_point: Value | None,
    y_scale: Value,
    y_zero_point: Value | None = None,
) -> Value:
    """QLinearSigmoid: a sigmoid of a quantized tensor, quantized again."""
    y = emit(act.Sigmoid(dequantized(emit, x, x_scale, x_zero_point)))
    return quantized(emit, y, y_scale, y_zero_point, x)


@onnx_op("QLinearSoftmax", since=1, domain=MICROSOFT)
def qlinear_softmax(
    emit: Emitter,
    x: Value,
    x_scale: Value,
    x_zero_point: Value | None,
    y_scale: Value,
    y_zero_point: Value,
    *,
    axis: int = -1,
    opset: int,
) -> Value:
    """Over one axis, or over all after it as in versions of the standard before 13."""
    over = softmax if opset >= ONE_AXIS else softmax_flattening
    y = over(emit, dequantized(emit, x, x_scale, x_zero_point), axis=axis)
    return quantized(emit, y, y_scale, y_zero_point, x)


@onnx_op("QLinearAveragePool", since=1, domain=MICROSOFT)
def qlinear_average_pool(
    emit: Emitter,
    x: Value,
    x_scale: Value,
    x_zero_point: Value | None,
    y_scale: Value,
    y_zero_point: Value | None = None,
    *,
    auto_pad: str = "NOTSET",
    ceil_mode: int = 0,
    channels_last: int = 0,
    count_include_pad: int = 0,
    kernel_shape: tuple[int, ...],
    pads: tuple[int, ...] = (),
    strides: tuple[int, ...] = (),
) -> Value:
    """QLinearAveragePool: means over windows; paddings count as the number zero."""
    data = dequantized(emit, x, x_scale, x_zero_point)
    means = average_pool(
        emit,
        channels_first(emit, data) if channels_last else data,
        auto_pad=auto_pad,
        ceil_mode=ceil_mode,
        count_include_pad=count_include_pad,
        kernel_shape=kernel_shape,
        pads=pads,
        strides=strides,
    )
    return quantized(emit, last_again(emit, means, channels_last), y_scale, y_zero_point, x)


def last_again(emit: Emitter, x: Value, wanted: int) -> Value:
    """Move channels back to the last axis, if they were there."""
    return channels_last(emit, x) if wanted else x


@onnx_op("QLinearGlobalAveragePool", since=1, domain=MICROSOFT)
def qlinear_global_average_pool(
    emit: Emitter,
    x: Value,
    x_scale: Value,
    x_zero_point: Value,
    y_scale: Value,
    y_zero_point: Value,
    *,
    channels_last: int = 0,
) -> Value:
    """QLinearGlobalAveragePool: means over all positions of an image, quantized again."""
    first = 1 if channels_last else 2
    dims = tuple(range(first, first + x.type.rank - 2))
    means = emit(Reduce(dequantized(emit, x, x_scale, x_zero_point), "mean", dims))
    return quantized(emit, means, y_scale, y_zero_point, x)


@onnx_op("QLinearReduceMean", since=1, domain=MICROSOFT)
def qlinear_reduce_mean(
    emit: Emitter,
    data: Value,
    data_scale: Value,
    data_zero_point: Value | None,
    reduced_scale: Value,
    reduced_zero_point: Value | None = None,
    *,
    axes: tuple[int, ...],
    keepdims: int,
) -> Value:
    """QLinearReduceMean: means along axes of a quantized tensor, quantized again."""
    plain = dequantized(emit, data, data_scale, data_zero_point)
    means = emit(Reduce(plain, "mean", emit.axes(axes, data.type.rank), bool(keepdims)))
    return quantized(emit, means, reduced_scale, reduced_zero_point, data)


@onnx_op("QLinearConcat", since=1, domain=MICROSOFT)
def qlinear_concat(emit: Emitter, y_scale: Value, y_zero_point: Value, *inputs: Value, axis: int) -> Value:
    """Join; each input comes with its scale and zero point."""
    if not inputs or len(inputs) % 3:
        raise emit.fail(
            f"has {counted(len(inputs), 'value')} for inputs with a scale and a zero point each", code="F006"
        )
    triples = zip(inputs[::3], inputs[1::3], inputs[2::3], strict=True)
    parts = tuple(dequantized(emit, x, scale, zero) for x, scale, zero in triples)
    joined = emit(Concat(parts, emit.axis(axis, parts[0].type.rank)))
    return quantized(emit, joined, y_scale, y_zero_point, inputs[0])


@onnx_op("QLinearWhere", since=1, domain=MICROSOFT)
def qlinear_where(
    emit: Emitter,
    condition: Value,
    x: Value,
    x_scale: Value,
    x_zero_point: Value,
    y: Value,
    y_scale: Value,
    y_zero_point: Value,
    z_scale: Value,
    z_zero_point: Value,
) -> Value:
    """QLinearWhere: a choice between quantized tensors, quantized again."""
    a, b = dequantized(emit, x, x_scale, x_zero_point), dequantized(emit, y, y_scale, y_zero_point)
    return quantized(emit, emit(Select(condition, a, b)), z_scale, z_zero_point, x)


@onnx_op("QLinearConv", since=1, domain=MICROSOFT)
def qlinear_conv_of_microsoft(
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
    channels_last: int = 0,
    dilations: tuple[int, ...] = (),
    group: int = 1,
    kernel_shape: tuple[int, ...] = (),
    pads: tuple[int, ...] = (),
    strides: tuple[int, ...] = (),
) -> Value:
    """As in the standard, or with channels last."""
    y = qlinear_conv(
        emit,
        channels_first(emit, x) if channels_last else x,
        x_scale,
        x_zero_point,
        w,
        w_scale,
        w_zero_point,
        y_scale,
        y_zero_point,
        b,
        auto_pad=auto_pad,
        dilations=dilations,
        group=group,
        kernel_shape=kernel_shape,
        pads=pads,
        strides=strides,
    )
    return last_again(emit, y, channels_last)
