"""Rows of the table for convolutions and poolings."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from ....compiler.fold import constant
from ....compiler.ir import Value
from ....compiler.ops import window as ir
from ....compiler.padding import is_same, is_valid
from ....compiler.types import DType, TensorType
from ...common.windows import (
    by_channel,
    depthwise_filters,
    equal_strides,
    fitting,
    is_cut_as_same,
    is_something,
    known_padding,
    no_cuts,
    none_or_same,
    pads_left_out,
    show_pads,
    undilated,
    ungrouped,
    within_reach,
)
from ..table import Attribute, Call, Condition, Dims, Nested, Operand, condition, emits, ints
from .common import channels_last, plain, precise

IMAGES, VOLUMES = range(4, 5), range(5, 6)


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


_CONV: tuple[Condition, ...] = (plain, precise, channels_last, is_something, known_padding, no_cuts)


@emits(
    ir.Conv,
    "DepthwiseConv2dNative",
    ranks=IMAGES,
    when=(*_CONV, none_or_same, depthwise_filters, undilated, equal_strides),
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
        return weight.derive(type, partial(by_channel, groups=op.groups))
    first = TensorType(op.w.type.dtype, (height, width, outputs))
    split = Dims((outputs, height, width), dtype=DType.I32)
    flat = Nested("Reshape", TensorType(first.dtype, (outputs, height, width)), (op.w, split))
    moved = Nested("Transpose", first, (flat, ints(1, 2, 0)))
    return Nested("Reshape", type, (moved, Dims((height, width, op.groups, each), dtype=DType.I32)))


@condition("no filters for every channel by itself that only lack explicit zeros")
def _is_not_depthwise(op: ir.Conv) -> str | None:
    """Explicit paddings are lost where TensorFlow fuses a bias into a depthwise convolution."""
    others = (depthwise_filters, undilated, equal_strides)
    return None if any(c(op) for c in others) else "a depthwise convolution with explicit paddings"


@emits(ir.Conv, "Conv2D", ranks=IMAGES, when=(*_CONV, _is_not_depthwise))
def conv(op: ir.Conv) -> Call:
    """Any number of groups, the filter as rows, columns, inputs, outputs; then the bias."""
    return _with_bias(op, "Conv2D", (op.x, _filter(op.w, (1, 2, 3, 0))))


@emits(ir.Conv, "Conv3D", ranks=VOLUMES, when=(*_CONV, none_or_same, ungrouped, undilated))
def conv_3d(op: ir.Conv) -> Call:
    """A convolution over depth, height and width, then an addition of the bias."""
    return _with_bias(op, "Conv3D", (op.x, _filter(op.w, (1, 2, 3, 4, 0))))


@condition("no paddings, or over images those by which SAME cuts the result")
def _cuts(op: ir.ConvTranspose) -> str | None:
    is_known = is_valid(op) or (op.x.type.rank in IMAGES and is_cut_as_same(op))
    return None if is_known else f"paddings {show_pads(op.pads)}, neither none nor those of SAME"


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


_TRANSPOSED = (plain, precise, channels_last, is_something, undilated, ungrouped, within_reach, _cuts)


@emits(ir.ConvTranspose, "Conv2DBackpropInput", ranks=IMAGES, when=_TRANSPOSED)
def conv_transpose(op: ir.ConvTranspose) -> Call:
    """The filter as rows, columns, outputs, inputs; then the bias."""
    return _transposed_call(op, "Conv2DBackpropInput", (1, 2, 0, 3))


@emits(ir.ConvTranspose, "Conv3DBackpropInputV2", ranks=VOLUMES, when=_TRANSPOSED)
def conv_transpose_3d(op: ir.ConvTranspose) -> Call:
    """A transposed convolution over depth, height and width, then an addition of the bias."""
    return _transposed_call(op, "Conv3DBackpropInputV2", (1, 2, 3, 0, 4))


def _pool(op: Any) -> Call:
    return Call((op.x,), {**_window(op), "ksize": (1, *op.kernel, 1)})


_POOL: tuple[Condition, ...] = (channels_last, undilated, fitting, no_cuts)


emits(ir.MaxPool, "MaxPool", ranks=IMAGES, when=(*_POOL, none_or_same))(_pool)
emits(ir.MaxPool, "MaxPool3D", ranks=VOLUMES, when=(*_POOL, none_or_same))(_pool)
emits(ir.AveragePool, "AvgPool", ranks=IMAGES, when=(*_POOL, none_or_same, pads_left_out, precise))(_pool)
emits(ir.AveragePool, "AvgPool3D", ranks=VOLUMES, when=(*_POOL, none_or_same, pads_left_out, precise))(_pool)
