"""Convolutions and products, fused with activations and transpositions."""

from __future__ import annotations

from .....compiler.ir import Value
from .....compiler.ops import activation as act
from .....compiler.ops.linear import MatMul
from .....compiler.ops.shape import Transpose
from ...emitter import Emitter
from ...registry import onnx_op
from ..linear import gemm, scaled
from ..window import conv, conv_transpose, max_pool
from .domain import MICROSOFT, plus


def activated(emit: Emitter, x: Value, name: str | None, parameters: tuple[float, ...]) -> Value:
    """Apply an activation by its operator's name; parameters follow its attributes.

    Raises:
        CompileError: F002, it is none of those that are fused, or lacks a parameter.
    """
    try:
        match name:
            case None | "":
                return x
            case "Relu":
                return emit(act.Relu(x))
            case "Sigmoid":
                return emit(act.Sigmoid(x))
            case "Tanh":
                return emit(act.Tanh(x))
            case "LeakyRelu":
                return emit(act.LeakyRelu(x, parameters[0]))
            case "HardSigmoid":
                return emit(act.HardSigmoid(x, parameters[0], parameters[1]))
            case "Clip":
                return emit(act.Clip(x, parameters[0], parameters[1]))
            case _:
                raise emit.fail(f"is fused with {name!r}, which is not an activation", code="F002")
    except IndexError as bad:
        raise emit.fail(f"lacks a parameter of its activation {name}: {list(parameters)}", code="F002") from bad


@onnx_op("FusedConv", since=1, domain=MICROSOFT)
def fused_conv(
    emit: Emitter,
    x: Value,
    w: Value,
    b: Value | None = None,
    z: Value | None = None,
    *,
    activation: str | None = None,
    activation_params: tuple[float, ...] = (),
    auto_pad: str = "NOTSET",
    dilations: tuple[int, ...] = (),
    group: int = 1,
    kernel_shape: tuple[int, ...] = (),
    pads: tuple[int, ...] = (),
    strides: tuple[int, ...] = (),
) -> Value:
    """FusedConv: a convolution, plus ``z`` if it is there, then an activation."""
    found = conv(
        emit,
        x,
        w,
        b,
        auto_pad=auto_pad,
        dilations=dilations,
        group=group,
        kernel_shape=kernel_shape,
        pads=pads,
        strides=strides,
    )
    return activated(emit, plus(emit, found, z), activation, activation_params)


@onnx_op("NhwcConv", since=1, domain=MICROSOFT)
def nhwc_conv(
    emit: Emitter,
    x: Value,
    w: Value,
    b: Value | None = None,
    *,
    auto_pad: str = "NOTSET",
    dilations: tuple[int, ...] = (),
    group: int = 1,
    kernel_shape: tuple[int, ...] = (),
    pads: tuple[int, ...] = (),
    strides: tuple[int, ...] = (),
) -> Value:
    """A convolution of data whose channels are last; so are those of the filter, ``o k... c``."""
    found = conv(
        emit,
        channels_first(emit, x),
        channels_first(emit, w),
        b,
        auto_pad=auto_pad,
        dilations=dilations,
        group=group,
        kernel_shape=kernel_shape,
        pads=pads,
        strides=strides,
    )
    return channels_last(emit, found)


@onnx_op("NhwcFusedConv", since=1, domain=MICROSOFT)
def nhwc_fused_conv(
    emit: Emitter,
    x: Value,
    w: Value,
    b: Value | None = None,
    z: Value | None = None,
    *,
    activation: str | None = None,
    activation_params: tuple[float, ...] = (),
    auto_pad: str = "NOTSET",
    dilations: tuple[int, ...] = (),
    group: int = 1,
    kernel_shape: tuple[int, ...] = (),
    pads: tuple[int, ...] = (),
    strides: tuple[int, ...] = (),
) -> Value:
    """A convolution of data whose channels are last, plus ``z``, then an activation; the filter is ``o c k...``."""
    found = conv(
        emit,
        channels_first(emit, x),
        w,
        b,
        auto_pad=auto_pad,
        dilations=dilations,
        group=group,
        kernel_shape=kernel_shape,
        pads=pads,
        strides=strides,
    )
    return activated(emit, plus(emit, channels_last(emit, found), z), activation, activation_params)


@onnx_op("FusedGemm", since=1, domain=MICROSOFT)
def fused_gemm(
    emit: Emitter,
    a: Value,
    b: Value,
    c: Value | None = None,
    *,
    activation: str | None = None,
    activation_alpha: float | None = None,
    activation_beta: float | None = None,
    activation_gamma: float | None = None,
    alpha: float = 1.0,
    beta: float = 1.0,
    transA: int = 0,
    transB: int = 0,
) -> Value:
    """``alpha * a @ b + beta * c``, then an activation."""
    product = gemm(emit, a, b, c, alpha=alpha, beta=beta, transA=transA, transB=transB)
    parameters = tuple(p for p in (activation_alpha, activation_beta, activation_gamma) if p is not None)
    return activated(emit, product, activation, parameters)


@onnx_op("TransposeMatMul", since=1, domain=MICROSOFT)
def transpose_matmul(
    emit: Emitter, a: Value, b: Value, *, alpha: float = 1.0, transA: int = 0, transB: int = 0
) -> Value:
    """Product of matrices that may be given transposed."""
    return fused_matmul(emit, a, b, alpha=alpha, transA=transA, transB=transB)


@onnx_op("FusedMatMul", since=1, domain=MICROSOFT)
def fused_matmul(
    emit: Emitter,
    a: Value,
    b: Value,
    *,
    alpha: float = 1.0,
    transA: int = 0,
    transB: int = 0,
    transBatchA: int = 0,
    transBatchB: int = 0,
) -> Value:
    """Product of matrices that may be given transposed, or with the batch after the rows."""
    if min(a.type.rank, b.type.rank) < 2:
        raise emit.fail(f"multiplies {a.type} by {b.type}", code="T001")
    left, right = _batch_first(emit, a, transBatchA), _batch_first(emit, b, transBatchB)
    return scaled(emit, emit(MatMul(left, right, bool(transA), bool(transB))), alpha)


def _batch_first(emit: Emitter, x: Value, moved: int) -> Value:
    """Move the first axis after the batch."""
    rank = x.type.rank
    if not moved or rank < 3:
        return x
    return emit(Transpose(x, (*range(1, rank - 1), 0, rank - 1)))


@onnx_op("ConvTransposeWithDynamicPads", since=1, domain=MICROSOFT)
def conv_transpose_with_pads(
    emit: Emitter,
    x: Value,
    w: Value,
    pads: Value | None = None,
    b: Value | None = None,
    *,
    auto_pad: str = "NOTSET",
    dilations: tuple[int, ...] = (),
    group: int = 1,
    kernel_shape: tuple[int, ...] = (),
    output_padding: tuple[int, ...] = (),
    strides: tuple[int, ...] = (),
) -> Value:
    """A transposed convolution whose paddings are an input, which must be known."""
    return conv_transpose(
        emit,
        x,
        w,
        b,
        auto_pad=auto_pad,
        dilations=dilations,
        group=group,
        kernel_shape=kernel_shape,
        output_padding=output_padding,
        pads=() if pads is None else emit.ints(pads, "Pads"),
        strides=strides,
    )


@onnx_op("NhwcMaxPool", since=1, domain=MICROSOFT)
def nhwc_max_pool(
    emit: Emitter,
    x: Value,
    *,
    auto_pad: str = "NOTSET",
    ceil_mode: int = 0,
    dilations: tuple[int, ...] = (),
    kernel_shape: tuple[int, ...],
    pads: tuple[int, ...] = (),
    strides: tuple[int, ...] = (),
) -> Value:
    """NhwcMaxPool: the largest element of each window, of data with channels last."""
    largest, *_ = max_pool(
        emit,
        channels_first(emit, x),
        auto_pad=auto_pad,
        ceil_mode=ceil_mode,
        dilations=dilations,
        kernel_shape=kernel_shape,
        pads=pads,
        strides=strides,
    )
    return channels_last(emit, largest)


def channels_first(emit: Emitter, x: Value) -> Value:
    """Move the last axis, which has the channels, after the batch."""
    return emit(Transpose(x, (0, x.type.rank - 1, *range(1, x.type.rank - 1))))


def channels_last(emit: Emitter, x: Value) -> Value:
    """Move the axis after the batch to the end."""
    return emit(Transpose(x, (0, *range(2, x.type.rank), 1)))
