"""Rows of the table for convolutions and poolings."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ....compiler.constants import is_weight
from ....compiler.dims import Dim
from ....compiler.fold import constant
from ....compiler.ir import Value
from ....compiler.ops import window as ir
from ....compiler.ops.quantize import Dequantize, RoundDynamic
from ....compiler.padding import geometry, is_same, is_valid
from ....compiler.scales import WIDE
from ....compiler.types import Array
from ....compiler.weights import Weight
from ..hybrid import by_samples, is_per_channel, rounding, samples
from ..quantization import integers_of, unfolding
from ..table import Call, Condition, Dims, Quantizable, Stored, Unfolded, condition, emits, options
from .common import activation, by_type


@condition("channels last")
def _channels_last(op: Any) -> str | None:
    return None if op.channels_last else "channels on axis 1; the kernel has them last"


@condition("no paddings, or those of SAME")
def _padding(op: Any) -> str | None:
    return None if is_valid(op) or is_same(op) else f"paddings {_show(op.pads)}, neither none nor those of SAME"


def _show(pads: ir.Pads) -> str:
    return ", ".join(f"{a}+{b}" for a, b in pads)


@condition("with a bias")
def _has_bias(op: ir.Conv) -> str | None:
    return None if op.bias is not None else "no bias, which the kernel needs"


def _word(op: Any) -> str:
    return "VALID" if is_valid(op) else "SAME"


_CONV: tuple[Condition, ...] = (_channels_last, _padding, _has_bias)
_WEIGHTED = Quantizable(version=3, weight="w", bias="bias", types=WIDE, version16=4)


@condition("constant filters of one channel each")
def _by_channel(op: ir.Conv) -> str | None:
    if not op.is_depthwise:
        return "filters of more than one channel"
    return None if is_weight(op.w) else "a filter that is computed"


def _conv_options(op: ir.Conv) -> dict[str, Any]:
    return {
        "padding": _word(op),
        "strideH": op.strides[0],
        "strideW": op.strides[1],
        "dilationHFactor": op.dilations[0],
        "dilationWFactor": op.dilations[1],
        "fusedActivationFunction": activation(op),
    }


@emits(
    ir.Conv,
    "DEPTHWISE_CONV_2D",
    dtypes="f32",
    ranks=range(4, 5),
    when=(*_CONV, _by_channel, by_samples),
    kernel="depthwise_conv.cc",
)
def depthwise_rounding(op: ir.Conv) -> Call:
    """Every sample is rounded by a scale and a zero point of its own."""
    x, w, given = op.x.owner, op.w.owner, depthwise(op)
    assert isinstance(x, RoundDynamic) and isinstance(w, Dequantize) and isinstance(given.inputs[1], Unfolded)
    return Call((x.x, given.inputs[1].stored, op.bias), given.options, 6 if is_per_channel(op.w) else 4)


@emits(
    ir.Conv,
    "DEPTHWISE_CONV_2D",
    dtypes=replace(_WEIGHTED, version16=5),
    ranks=range(4, 5),
    when=(*_CONV, _by_channel),
    kernel="depthwise_conv.cc",
)
def depthwise(op: ir.Conv) -> Call:
    """As many filters for every channel; XNNPACK runs them as it does groups of CONV_2D, which GPUs get wrong."""
    count = op.w.type.shape[0]
    assert isinstance(count, int)
    given = options("DepthwiseConv2DOptions", depthMultiplier=count // op.groups, **_conv_options(op))
    return Call((op.x, _depthwise_filter(op.w), op.bias), given, 2 if op.dilations != (1, 1) else 1)


def _depthwise_filter(w: Value) -> Weight | Unfolded:
    """Return a constant filter with its outputs last, as small as it was."""
    writer = w.owner
    filters = constant(writer.x if isinstance(writer, Dequantize) else w)
    assert filters is not None
    permuted = filters.derive(filters.type.with_shape(_front_last(w.type.shape)), _outputs_last)
    if not isinstance(writer, Dequantize):
        return permuted
    scales, version = unfolding(writer, 3)
    return Unfolded(Stored(permuted, scales), version)


def _front_last(shape: tuple[Dim, ...]) -> tuple[Dim, ...]:
    return (1, *shape[1:-1], shape[0])


def _outputs_last(filters: Array) -> Array:
    """From ``o h w 1`` to ``1 h w o``."""
    return np.transpose(filters, (3, 1, 2, 0))


@emits(ir.Conv, "CONV_2D", dtypes="f32", ranks=range(4, 5), when=(*_CONV, by_samples), kernel="conv.cc")
def conv_rounding(op: ir.Conv) -> Call:
    """Every sample is rounded by a scale and a zero point of its own."""
    given = Call((op.x, op.w, op.bias), options("Conv2DOptions", **_conv_options(op)))
    return rounding(op, given, 5 if is_per_channel(op.w) else 2, 7)


@emits(ir.Conv, "CONV_2D", dtypes=replace(_WEIGHTED, rounds=samples), ranks=range(4, 5), when=_CONV, kernel="conv.cc")
def conv(op: ir.Conv) -> Call:
    """CONV_2D: any number of groups, with a bias and a fused activation."""
    return Call((op.x, op.w, op.bias), options("Conv2DOptions", **_conv_options(op)), 6 if op.groups > 1 else 1)


@condition("one group")
def _ungrouped(op: ir.Conv | ir.ConvTranspose) -> str | None:
    return None if op.groups == 1 else "groups"


MAX_LAYERS = 8
"""Filters over volumes with at most as many layers are faster as a sum of CONV_2D."""


def is_deep(op: ir.Conv) -> bool:
    """Whether a filter over volumes has too many layers to be split."""
    return geometry(op)[0][1] > MAX_LAYERS


@condition("a constant filter of more than 8 layers")
def _deep_constant(op: ir.Conv) -> str | None:
    if not is_deep(op):
        return f"a filter of at most {MAX_LAYERS} layers, faster as a sum of CONV_2D"
    return None if constant(op.w) is not None else "a filter that is computed"


@emits(
    ir.Conv, "CONV_3D", dtypes="f32", ranks=range(5, 6), when=(*_CONV, _ungrouped, _deep_constant), kernel="conv3d.cc"
)
def conv_3d(op: ir.Conv) -> Call:
    """Volumes; the filter is ``d h w i o``."""
    filters = constant(op.w)
    assert filters is not None
    o, *kernel, i = op.w.type.shape
    permuted = filters.derive(op.w.type.with_shape((*kernel, i, o)), _outputs_back)
    return Call((op.x, permuted, op.bias), options("Conv3DOptions", **_conv_3d_options(op)))


def _outputs_back(filters: Array) -> Array:
    return np.moveaxis(filters, 0, -1)


def _conv_3d_options(op: ir.Conv | ir.ConvTranspose) -> dict[str, Any]:
    depth = {"strideD": op.strides[0], "dilationDFactor": op.dilations[0]}
    height = {"strideH": op.strides[1], "dilationHFactor": op.dilations[1]}
    width = {"strideW": op.strides[2], "dilationWFactor": op.dilations[2]}
    return {"padding": _word(op), "fusedActivationFunction": activation(op), **depth, **height, **width}


@condition("no dilations")
def _undilated(op: Any) -> str | None:
    return None if all(d == 1 for d in op.dilations) else f"dilations {list(op.dilations)}"


@condition("no paddings")
def _unpadded(op: ir.ConvTranspose) -> str | None:
    return None if is_valid(op) else f"paddings {_show(op.pads)}"


@condition("output paddings smaller than the stride, or those of SAME")
def _within_reach(op: ir.ConvTranspose) -> str | None:
    """Of what no filter reaches, XNNPACK leaves out as much as a stride."""
    wide = [o for o, s in zip(op.output_pads, op.strides, strict=True) if isinstance(o, int) and o >= s]
    return f"an output padding of {wide[0]}" if wide and is_valid(op) else None


@condition("a constant filter")
def _constant_filter(op: ir.ConvTranspose) -> str | None:
    return None if constant(op.w) is not None else "a filter that is computed"


@condition("no paddings, or those of SAME")
def _upsampling(op: ir.ConvTranspose) -> str | None:
    return None if is_valid(op) or _is_upsampling(op) else f"paddings {_show(op.pads)}, neither none nor those of SAME"


def _is_upsampling(op: ir.ConvTranspose) -> bool:
    """Whether each axis grows by its stride and the kernel is cut as SAME does: the larger half after the data."""
    fields = zip(geometry(op), op.pads, op.output_pads, strict=True)
    return all(k >= s and p[0] == (k - s) // 2 and k - s - p[0] == p[1] - o for (_, k, s, _), p, o in fields)


_UPSAMPLED: tuple[Condition, ...] = (_channels_last, _undilated, _ungrouped, _upsampling, _within_reach)


@emits(
    ir.ConvTranspose,
    "TRANSPOSE_CONV",
    dtypes="f32",
    ranks=range(4, 5),
    when=(*_UPSAMPLED, by_samples),
    kernel="transpose_conv.cc",
)
def transpose_conv_rounding(op: ir.ConvTranspose) -> Call:
    """Every sample is rounded by a scale and a zero point of its own."""
    x, w, given = op.x.owner, op.w.owner, transpose_conv(op)
    assert isinstance(x, RoundDynamic) and isinstance(w, Dequantize)
    shape, _, _, *bias = given.inputs
    return Call((shape, integers_of(w), x.x, *bias), given.options, max(given.version, 2))


@emits(
    ir.ConvTranspose,
    "TRANSPOSE_CONV",
    dtypes=replace(_WEIGHTED, version16=3),
    ranks=range(4, 5),
    when=_UPSAMPLED,
    kernel="transpose_conv.cc",
)
def transpose_conv(op: ir.ConvTranspose) -> Call:
    """TRANSPOSE_CONV: the shape of the result is an operand."""
    given = options(
        "TransposeConvOptions",
        padding=_word(op),
        strideH=op.strides[0],
        strideW=op.strides[1],
        fusedActivationFunction=activation(op),
    )
    shape = Dims(op.result.type.shape)
    inputs = (shape, op.w, op.x) if op.bias is None else (shape, op.w, op.x, op.bias)
    return Call(inputs, given, 4 if op.activation != "none" else 3 if op.bias is not None else 1)


@emits(
    ir.ConvTranspose,
    "CONV_3D_TRANSPOSE",
    dtypes="f32",
    ranks=range(5, 6),
    when=(_channels_last, _undilated, _ungrouped, _unpadded, _within_reach, _constant_filter),
    kernel="conv3d_transpose.cc",
)
def transpose_conv_3d(op: ir.ConvTranspose) -> Call:
    """Volumes; the filter is ``d h w o i``."""
    filters = constant(op.w)
    assert filters is not None
    o, *kernel, i = op.w.type.shape
    permuted = filters.derive(op.w.type.with_shape((*kernel, o, i)), _outputs_before_inputs)
    inputs = (Dims(op.result.type.shape), permuted, op.x)
    return Call(inputs if op.bias is None else (*inputs, op.bias), options("Conv3DOptions", **_conv_3d_options(op)))


def _outputs_before_inputs(filters: Array) -> Array:
    return np.moveaxis(filters, 0, -2)


@condition("windows within the data")
def _fitting(op: Any) -> str | None:
    """Windows that hang over the end only count where the result has more positions than whole windows give."""
    data = ir.Spatial.of(op.x.type.rank, op.channels_last)
    whole = [ir.whole_windows(n, k, s, d, p) for (n, k, s, d), p in zip(geometry(op), op.pads, strict=True)]
    return None if [op.result.type.shape[a] for a in data.axes] == whole else "windows that hang over the end"


def _pool_call(op: Any) -> Call:
    given = options(
        "Pool2DOptions",
        padding=_word(op),
        strideH=op.strides[0],
        strideW=op.strides[1],
        filterHeight=op.kernel[0],
        filterWidth=op.kernel[1],
    )
    return Call((op.x,), given)


_POOL: tuple[Condition, ...] = (_channels_last, _undilated, _fitting, _padding)


@condition("paddings that do not count")
def _pads_left_out(op: ir.AveragePool) -> str | None:
    return None if is_valid(op) or not op.count_pads else "paddings that count"


def _max_pool_call(op: ir.MaxPool) -> Call:
    return replace(_pool_call(op), version=by_type(op.x, i8=2, i16=3))


emits(ir.MaxPool, "MAX_POOL_2D", dtypes="f32 i8 u8 i16", ranks=range(4, 5), when=_POOL, kernel="pooling.cc")(
    _max_pool_call
)
emits(
    ir.AveragePool,
    "AVERAGE_POOL_2D",
    dtypes=Quantizable(keeps_scale=True, types=WIDE),
    ranks=range(4, 5),
    when=(*_POOL, _pads_left_out),
    kernel="pooling.cc",
)(_pool_call)
