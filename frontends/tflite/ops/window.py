"""Handlers of convolutions and poolings, with SAME or VALID paddings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ....compiler.dims import Dim
from ....compiler.ir import Op, Value
from ....compiler.ops.arith import Sqrt, Square
from ....compiler.ops.window import AveragePool, Conv, ConvTranspose, MaxPool
from ...common.filters import transposed_weight
from ...common.windows import Padding, padding_of, transposed_padding
from ..emitter import Emitter
from ..registry import builtin
from .common import Activation, activated, ending_in


def _checked(emit: Emitter, x: Value, w: Value, rank: int) -> None:
    if x.type.rank != rank or w.type.rank != rank or not all(isinstance(d, int) for d in w.type.shape):
        raise emit.fail(f"has the operands {x.type} and {w.type}, not of {rank} axes", code="F006")


def _convolution(
    emit: Emitter,
    operands: tuple[Value, Value, Value | None],
    padding: Padding,
    steps: tuple[tuple[int, ...], tuple[int, ...]],
    activation: Activation,
    groups: int | None = None,
) -> Value:
    """Insert a convolution; ``steps`` are strides and dilations, groups follow from the channels if none are given."""
    x, w, bias = operands
    strides, dilations = (tuple(emit.positive(n, "step") for n in numbers) for numbers in steps)
    channels, taken = x.type.shape[-1], w.type.shape[-1]
    if groups is None:
        groups = channels // taken if isinstance(channels, int) and isinstance(taken, int) and taken else 1
    pads = padding_of(padding, x.type.shape[1:-1], w.type.shape[1:-1], strides, dilations)
    x = emit.rounded(x, range(1, x.type.rank))

    def build(fused: str) -> Op:
        return Conv(x, w, bias, strides, dilations, pads, max(groups, 1), True, fused)

    return ending_in(emit, build, activation)


@builtin("CONV_2D", "Conv2DOptions", rounds=True)
def conv_2d(
    emit: Emitter,
    x: Value,
    w: Value,
    bias: Value | None = None,
    *,
    padding: Padding = "SAME",
    stride_w: int = 0,
    stride_h: int = 0,
    fused_activation_function: Activation = "NONE",
    dilation_w_factor: int = 1,
    dilation_h_factor: int = 1,
) -> Value:
    """Images; filters are ``o h w i``, and take a part of the channels where there are groups."""
    _checked(emit, x, w, 4)
    steps = ((stride_h, stride_w), (dilation_h_factor, dilation_w_factor))
    return _convolution(emit, (x, w, bias), padding, steps, fused_activation_function)


@builtin("DEPTHWISE_CONV_2D", "DepthwiseConv2DOptions", rounds=True)
def depthwise_conv_2d(
    emit: Emitter,
    x: Value,
    w: Value,
    bias: Value | None = None,
    *,
    padding: Padding = "SAME",
    stride_w: int = 0,
    stride_h: int = 0,
    depth_multiplier: int = 0,
    fused_activation_function: Activation = "NONE",
    dilation_w_factor: int = 1,
    dilation_h_factor: int = 1,
) -> Value:
    """Filters of one channel each, ``1 h w o``; how many there are per channel follows from the shapes."""
    _checked(emit, x, w, 4)
    channels = x.type.shape[3]
    if not isinstance(channels, int) or w.type.shape[0] != 1:
        raise emit.fail(f"has the operands {x.type} and {w.type}", code="F006")
    steps = ((stride_h, stride_w), (dilation_h_factor, dilation_w_factor))
    filters = transposed_weight(emit, w, (3, 1, 2, 0))
    return _convolution(emit, (x, filters, bias), padding, steps, fused_activation_function, channels)


@builtin("CONV_3D", "Conv3DOptions")
def conv_3d(
    emit: Emitter,
    x: Value,
    w: Value,
    bias: Value | None = None,
    *,
    padding: Padding = "SAME",
    stride_d: int = 0,
    stride_w: int = 0,
    stride_h: int = 0,
    fused_activation_function: Activation = "NONE",
    dilation_d_factor: int = 1,
    dilation_w_factor: int = 1,
    dilation_h_factor: int = 1,
) -> Value:
    """Volumes; filters are ``d h w i o``."""
    _checked(emit, x, w, 5)
    steps = ((stride_d, stride_h, stride_w), (dilation_d_factor, dilation_h_factor, dilation_w_factor))
    filters = transposed_weight(emit, w, (4, 0, 1, 2, 3))
    return _convolution(emit, (x, filters, bias), padding, steps, fused_activation_function)


def transposed_convolution(
    emit: Emitter,
    operands: tuple[Value, Value, Value | None],
    sizes: Sequence[Dim],
    padding: Padding,
    strides: tuple[int, ...],
    activation: Activation,
) -> Value:
    """Insert a transposed convolution whose result has given spatial sizes; the filter is ``o k... c``."""
    x, w, bias = operands
    x = emit.rounded(x, range(1, x.type.rank))
    for stride in strides:
        emit.positive(stride, "stride")
    ones = (1,) * len(strides)
    kernel = w.type.shape[1:-1]
    before = [p for p, _ in padding_of(padding, sizes, kernel, strides, ones)]
    pads, more = transposed_padding(x.type.shape[1:-1], kernel, strides, before, sizes)

    def build(fused: str) -> Op:
        return ConvTranspose(x, w, bias, strides, ones, pads, more, 1, True, fused)

    return ending_in(emit, build, activation)


@builtin("TRANSPOSE_CONV", "TransposeConvOptions", rounds=True)
def transpose_conv(
    emit: Emitter,
    output_shape: Value,
    w: Value,
    x: Value,
    bias: Value | None = None,
    *,
    padding: Padding = "SAME",
    stride_w: int = 0,
    stride_h: int = 0,
    fused_activation_function: Activation = "NONE",
) -> Value:
    """The result's shape is an operand; filters are ``o h w i``."""
    _checked(emit, x, w, 4)
    shape = emit.dims(output_shape, "output_shape")
    if len(shape) != 4:
        raise emit.fail(f"has {list(shape)} as the shape of its result", code="F006")
    strides = (stride_h, stride_w)
    return transposed_convolution(emit, (x, w, bias), shape[1:3], padding, strides, fused_activation_function)


@builtin("CONV_3D_TRANSPOSE", "Conv3DOptions")
def conv_3d_transpose(
    emit: Emitter,
    output_shape: Value,
    w: Value,
    x: Value,
    bias: Value | None = None,
    *,
    padding: Padding = "SAME",
    stride_d: int = 0,
    stride_w: int = 0,
    stride_h: int = 0,
    fused_activation_function: Activation = "NONE",
    dilation_d_factor: int = 1,
    dilation_w_factor: int = 1,
    dilation_h_factor: int = 1,
) -> Value:
    """Volumes; filters are ``d h w o i``."""
    _checked(emit, x, w, 5)
    shape = emit.dims(output_shape, "output_shape")
    if len(shape) != 5 or (dilation_d_factor, dilation_h_factor, dilation_w_factor) != (1, 1, 1):
        raise emit.fail(f"has dilations, or {list(shape)} as the shape of its result")
    strides = (stride_d, stride_h, stride_w)
    filters = transposed_weight(emit, w, (3, 0, 1, 2, 4))
    return transposed_convolution(emit, (x, filters, bias), shape[1:4], padding, strides, fused_activation_function)


def _largest(emit: Emitter, x: Value, window: Mapping[str, Any]) -> Value:
    return emit(MaxPool(x, **window))


def _mean(emit: Emitter, x: Value, window: Mapping[str, Any]) -> Value:
    return emit(AveragePool(x, **window))


def _root_mean_square(emit: Emitter, x: Value, window: Mapping[str, Any]) -> Value:
    return emit(Sqrt(_mean(emit, emit(Square(x)), window)))


POOLINGS = {"MAX_POOL_2D": _largest, "AVERAGE_POOL_2D": _mean, "L2_POOL_2D": _root_mean_square}
"""What each builtin computes of every window; paddings are no part of it."""


def _register(name: str, pool: Callable[[Emitter, Value, Mapping[str, Any]], Value]) -> None:
    """Register the handler of a pooling of images."""

    @builtin(name, "Pool2DOptions")
    def handler(  # pyright: ignore[reportUnusedFunction] -- registered
        emit: Emitter,
        x: Value,
        *,
        padding: Padding = "SAME",
        stride_w: int = 0,
        stride_h: int = 0,
        filter_width: int = 0,
        filter_height: int = 0,
        fused_activation_function: Activation = "NONE",
    ) -> Value:
        if x.type.rank != 4:
            raise emit.fail(f"has the operand {x.type}, not of 4 axes", code="F006")
        strides, kernel = (stride_h, stride_w), (filter_height, filter_width)
        for number in (*strides, *kernel):
            emit.positive(number, "stride or window")
        pads = padding_of(padding, x.type.shape[1:3], kernel, strides, (1, 1))
        window = {"kernel": kernel, "strides": strides, "dilations": (1, 1), "pads": pads, "channels_last": True}
        return activated(emit, pool(emit, x, window), fused_activation_function)


for _name, _compute in POOLINGS.items():
    _register(_name, _compute)
