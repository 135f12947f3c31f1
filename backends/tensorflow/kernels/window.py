"""Rows for convolutions and poolings."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from ....compiler.dims import is_static
from ....compiler.fold import constant
from ....compiler.ir import Value
from ....compiler.ops import window as ir
from ....compiler.padding import geometry, is_same, is_valid
from ....compiler.types import Array, DType, TensorType
from ..table import Attribute, Call, Condition, Dims, Nested, Operand, condition, emits, ints
from .common import channels_last, plain, precise

IMAGES, VOLUMES = range(4, 5), range(5, 6)


@condition("paddings that are known, or those of SAME")
def _known_padding(op: Any) -> str | None:
    return (
        None if is_same(op) or is_static(tuple(n for pair in op.pads for n in pair)) else "paddings that are not known"
    )


@condition("no paddings, or those of SAME")
def _padding(op: Any) -> str | None:
    return None if is_valid(op) or is_same(op) else f"paddings {_show(op.pads)}, neither none nor those of SAME"


@condition("no negative paddings")
def _no_cuts(op: Any) -> str | None:
    is_cut = any(isinstance(n, int) and n < 0 for pair in op.pads for n in pair)
    return f"paddings {_show(op.pads)}, of which some cut" if is_cut else None


def _show(pads: ir.Pads) -> str:
    return ", ".join(f"{a}+{b}" for a, b in pads)


@condition("no dilations")
def _undilated(op: Any) -> str | None:
    return None if all(d == 1 for d in op.dilations) else f"dilations {list(op.dilations)}"


@condition("one group")
def _ungrouped(op: ir.Conv | ir.ConvTranspose) -> str | None:
    return None if op.groups == 1 else "groups"


@condition("equal strides")
def _equal_strides(op: ir.Conv) -> str | None:
    return None if len(set(op.strides)) == 1 else "strides that differ"


@condition("filters for every channel by itself")
def _depthwise(op: ir.Conv) -> str | None:
    return None if op.is_depthwise else "other than filters for every channel by itself"


@condition("filters and channels that are there")
def _is_something(op: ir.Conv | ir.ConvTranspose) -> str | None:
    return "no filters, channels or elements" if 0 in (*op.w.type.shape, *op.x.type.shape[1:]) else None


def _window(op: Any) -> dict[str, Attribute]:
    """Strides and paddings."""
    strides: dict[str, Attribute] = {"strides": (1, *op.strides, 1)}
    if is_valid(op):
        return {**strides, "padding": "VALID"}
    if is_same(op):
        return {**strides, "padding": "SAME"}
    widths = (0, 0, *(int(n) for pair in op.pads for n in pair), 0, 0)
    return {**strides, "padding": "EXPLICIT", "explicit_paddings": widths}


def _convolution(op: ir.Conv | ir.ConvTranspose) -> dict[str, Attribute]:
    return {**_window(op), "dilations": (1, *op.dilations, 1)}


def _filter(w: Value, perm: tuple[int, ...]) -> Operand:
    """Return a filter whose axes are permuted: one that is constant when it is written."""
    type = w.type.with_shape(tuple(w.type.shape[p] for p in perm))
    weight = constant(w)
    if weight is None:
        return Nested("Transpose", type, (w, ints(*perm)))
    return weight.derive(type, partial(np.transpose, axes=perm))


def _with_bias(op: ir.Conv | ir.ConvTranspose, operator: str, inputs: tuple[Operand, ...]) -> Call:
    attributes = _convolution(op)
    if op.bias is None:
        return Call(inputs, attributes)
    return Call((Nested(operator, op.result.type, inputs, attributes), op.bias), operator="BiasAdd")


_CONV: tuple[Condition, ...] = (plain, precise, channels_last, _is_something, _known_padding, _no_cuts)


@emits(
    ir.Conv,
    "DepthwiseConv2dNative",
    ranks=IMAGES,
    when=(*_CONV, _padding, _depthwise, _undilated, _equal_strides),
)
def depthwise(op: ir.Conv) -> Call:
    """One filter or several for each channel, as rows, columns, channels, filters; then the bias."""
    return _with_bias(op, "DepthwiseConv2dNative", (op.x, _depthwise_filter(op)))


def _depthwise_filter(op: ir.Conv) -> Operand:
    outputs, height, width, _ = op.w.type.shape
    each = outputs // op.groups
    type = op.w.type.with_shape((height, width, op.groups, each))
    weight = constant(op.w)
    if weight is not None:
        return weight.derive(type, partial(_by_channel, groups=op.groups))
    first = TensorType(op.w.type.dtype, (height, width, outputs))
    split = Dims((outputs, height, width), dtype=DType.I32)
    flat = Nested("Reshape", TensorType(first.dtype, (outputs, height, width)), (op.w, split))
    moved = Nested("Transpose", first, (flat, ints(1, 2, 0)))
    return Nested("Reshape", type, (moved, Dims((height, width, op.groups, each), dtype=DType.I32)))


def _by_channel(filters: Array, groups: int) -> Array:
    """From ``(g m) h w 1`` to ``h w g m``."""
    outputs, height, width, _ = filters.shape
    return np.moveaxis(filters.reshape(groups, outputs // groups, height, width), (0, 1), (2, 3))


@condition("no filters for every channel by itself that only lack explicit zeros")
def _is_not_depthwise(op: ir.Conv) -> str | None:
    """Explicit paddings are lost where TensorFlow fuses a bias into a depthwise convolution."""
    others = (_depthwise, _undilated, _equal_strides)
    return None if any(c(op) for c in others) else "a depthwise convolution with explicit paddings"


@emits(ir.Conv, "Conv2D", ranks=IMAGES, when=(*_CONV, _is_not_depthwise))
def conv(op: ir.Conv) -> Call:
    """Any number of groups, the filter as rows, columns, inputs, outputs; then the bias."""
    return _with_bias(op, "Conv2D", (op.x, _filter(op.w, (1, 2, 3, 0))))


@emits(ir.Conv, "Conv3D", ranks=VOLUMES, when=(*_CONV, _padding, _ungrouped, _undilated))
def conv_3d(op: ir.Conv) -> Call:
    """A convolution over depth, height and width, then an addition of the bias."""
    return _with_bias(op, "Conv3D", (op.x, _filter(op.w, (1, 2, 3, 4, 0))))


@condition("output paddings smaller than the stride")
def _within_reach(op: ir.ConvTranspose) -> str | None:
    wide = [o for o, s in zip(op.output_pads, op.strides, strict=True) if not isinstance(o, int) or o >= s]
    return f"an output padding of {wide[0]}" if wide else None


@condition("no paddings, or over images those by which SAME cuts the result")
def _cuts(op: ir.ConvTranspose) -> str | None:
    is_known = is_valid(op) or (op.x.type.rank in IMAGES and _is_cut_as_same(op))
    return None if is_known else f"paddings {_show(op.pads)}, neither none nor those of SAME"


def _transposed_call(op: ir.ConvTranspose, operator: str, perm: tuple[int, ...]) -> Call:
    """The result's shape is an operand; the word for paddings is that of the convolution that goes the other way."""
    shape = Dims(op.result.type.shape, dtype=DType.I32)
    given = _filter(op.w, perm)
    attributes: dict[str, Attribute] = {"strides": (1, *op.strides, 1), "dilations": (1, *op.dilations, 1)}
    attributes["padding"] = "VALID" if is_valid(op) else "SAME"
    if op.bias is None:
        return Call((shape, given, op.x), attributes)
    nested = Nested(operator, op.result.type, (shape, given, op.x), attributes)
    return Call((nested, op.bias), operator="BiasAdd")


def _is_cut_as_same(op: ir.ConvTranspose) -> bool:
    """Whether each axis grows by its stride and the kernel is cut as SAME does: the larger half after the data."""
    fields = zip(geometry(op), op.pads, op.output_pads, strict=True)
    return all(k >= s and p[0] == (k - s) // 2 and k - s - p[0] == p[1] - o for (_, k, s, _), p, o in fields)


_TRANSPOSED = (plain, precise, channels_last, _is_something, _undilated, _ungrouped, _within_reach, _cuts)


@emits(ir.ConvTranspose, "Conv2DBackpropInput", ranks=IMAGES, when=_TRANSPOSED)
def conv_transpose(op: ir.ConvTranspose) -> Call:
    """The filter as rows, columns, outputs, inputs; then the bias."""
    return _transposed_call(op, "Conv2DBackpropInput", (1, 2, 0, 3))


@emits(ir.ConvTranspose, "Conv3DBackpropInputV2", ranks=VOLUMES, when=_TRANSPOSED)
def conv_transpose_3d(op: ir.ConvTranspose) -> Call:
    """A transposed convolution over depth, height and width, then an addition of the bias."""
    return _transposed_call(op, "Conv3DBackpropInputV2", (1, 2, 3, 0, 4))


@condition("windows within the data")
def _fitting(op: Any) -> str | None:
    """Windows that hang over the end only count where the result has more positions than whole windows give."""
    data = ir.Spatial.of(op.x.type.rank, op.channels_last)
    whole = [ir.whole_windows(n, k, s, d, p) for (n, k, s, d), p in zip(geometry(op), op.pads, strict=True)]
    return None if [op.result.type.shape[a] for a in data.axes] == whole else "windows that hang over the end"


def _pool(op: Any) -> Call:
    return Call((op.x,), {**_window(op), "ksize": (1, *op.kernel, 1)})


_POOL: tuple[Condition, ...] = (channels_last, _undilated, _fitting, _no_cuts)


@condition("paddings that do not count")
def _pads_left_out(op: ir.AveragePool) -> str | None:
    return None if is_valid(op) or not op.count_pads else "paddings that count"


emits(ir.MaxPool, "MaxPool", ranks=IMAGES, when=(*_POOL, _padding))(_pool)
emits(ir.MaxPool, "MaxPool3D", ranks=VOLUMES, when=(*_POOL, _padding))(_pool)
emits(ir.AveragePool, "AvgPool", ranks=IMAGES, when=(*_POOL, _padding, _pads_left_out, precise))(_pool)
emits(ir.AveragePool, "AvgPool3D", ranks=VOLUMES, when=(*_POOL, _padding, _pads_left_out, precise))(_pool)
