"""Handlers of convolutions and poolings over signals, images and volumes, with channels on axis 1."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Literal

from ....compiler.dims import Dim, at_least, ceil_div, is_static, maximum, minimum, static
from ....compiler.ir import Value
from ....compiler.ops import window as ir
from ....compiler.ops.arith import Mod
from ....compiler.ops.positions import MaxPoolPositions
from ....compiler.types import DType
from ...common.padding import Pads, Window, cut_negative, halves, window
from ...common.schema import Since
from ..emitter import Emitter
from ..registry import openvino_op
from .weights import moved_weight

AutoPad = Literal["explicit", "notset", "same_upper", "same_lower", "valid"]
Rounding = Literal["floor", "ceil", "ceil_torch"]

RULES = {
    "explicit": "NOTSET",
    "notset": "NOTSET",
    "same_upper": "SAME_UPPER",
    "same_lower": "SAME_LOWER",
    "valid": "VALID",
}
"""How ``common.padding`` calls the rules for paddings."""

Sizes = tuple[int, ...]


def window_of(
    emit: Emitter,
    x: Value,
    kernel: Sequence[int],
    steps: tuple[Sizes, Sizes],
    pads: tuple[Sizes, Sizes],
    auto_pad: str,
) -> Window:
    """Return the window of a layer: ``steps`` are strides and dilations, ``pads`` those before and after."""
    return window(emit, x, kernel, *steps, RULES[auto_pad], (*pads[0], *pads[1]))


def reshaped_weight(emit: Emitter, w: Value, shape: Sequence[Dim]) -> Value:
    """Reshape a filter; of a constant now, of integers that stand for numbers before that."""
    if not is_static(tuple(shape)):
        return emit.reshape(w, shape)
    sizes = static(tuple(shape))
    return moved_weight(emit, w, sizes, lambda array: array.reshape(sizes)) or emit.reshape(w, shape)


def joined_groups(emit: Emitter, w: Value) -> tuple[Value, int]:
    """Return a filter ``[groups, n, ...]`` as ``[groups * n, ...]``, and the number of groups.

    Raises:
        CompileError: F004, the number is open.
    """
    groups, each, *rest = w.type.shape
    if not isinstance(groups, int):
        raise emit.fail(f"has an open number of groups in {w.type}", code="F004")
    return reshaped_weight(emit, w, (groups * each, *rest)), groups


def kernel_of(emit: Emitter, w: Value) -> Sizes:
    """Return the spatial sizes of a filter, which have to be known."""
    with emit.typed():
        return static(w.type.shape[2:])


@openvino_op("Convolution")
def convolution(
    emit: Emitter,
    x: Value,
    w: Value,
    *,
    strides: Sizes = (),
    dilations: Sizes = (),
    pads_begin: Sizes = (),
    pads_end: Sizes = (),
    auto_pad: AutoPad = "explicit",
) -> Value:
    """Convolution: cross-correlation with a filter ``[outputs, inputs, ...]``, by explicit paddings or ``auto_pad``."""
    found = window_of(emit, x, kernel_of(emit, w), (strides, dilations), (pads_begin, pads_end), auto_pad)
    return _convolved(emit, x, w, found, 1)


@openvino_op("GroupConvolution")
def group_convolution(
    emit: Emitter,
    x: Value,
    w: Value,
    *,
    strides: Sizes = (),
    dilations: Sizes = (),
    pads_begin: Sizes = (),
    pads_end: Sizes = (),
    auto_pad: AutoPad = "explicit",
) -> Value:
    """GroupConvolution: cross-correlation by ``[groups, outputs, inputs, ...]``, in the IR by joined groups."""
    filters, groups = joined_groups(emit, w)
    found = window_of(emit, x, kernel_of(emit, filters), (strides, dilations), (pads_begin, pads_end), auto_pad)
    return _convolved(emit, x, filters, found, groups)


def _convolved(emit: Emitter, x: Value, w: Value, found: Window, groups: int) -> Value:
    x, rest = cut_negative(emit, x, found.pads)
    return emit(ir.Conv(x, w, None, found.strides, found.dilations, rest, groups))


@openvino_op("ConvolutionBackpropData")
def convolution_backprop(
    emit: Emitter,
    x: Value,
    w: Value,
    output_shape: Value | None = None,
    *,
    strides: Sizes = (),
    dilations: Sizes = (),
    pads_begin: Sizes = (),
    pads_end: Sizes = (),
    auto_pad: AutoPad = "explicit",
    output_padding: Sizes = (),
) -> Value:
    """ConvolutionBackpropData: a transposed convolution by ``[inputs, outputs, ...]``; paddings cut the result."""
    wanted = None if output_shape is None else emit.dims(output_shape, "output_shape")
    sides = (pads_begin, pads_end)
    return _transposed(emit, (x, w), 1, (strides, dilations), (sides, auto_pad, output_padding, wanted))


@openvino_op("GroupConvolutionBackpropData")
def group_convolution_backprop(
    emit: Emitter,
    x: Value,
    w: Value,
    output_shape: Value | None = None,
    *,
    strides: Sizes = (),
    dilations: Sizes = (),
    pads_begin: Sizes = (),
    pads_end: Sizes = (),
    auto_pad: AutoPad = "explicit",
    output_padding: Sizes = (),
) -> Value:
    """A transposed convolution with a filter for each group of channels."""
    filters, groups = joined_groups(emit, w)
    wanted = None if output_shape is None else emit.dims(output_shape, "output_shape")
    sides = (pads_begin, pads_end)
    return _transposed(emit, (x, filters), groups, (strides, dilations), (sides, auto_pad, output_padding, wanted))


Edges = tuple[tuple[Sizes, Sizes], str, Sizes, "tuple[Dim, ...] | None"]
"""Paddings before and after, the rule for them, those of the output, and the stated sizes of the output."""


def _transposed(
    emit: Emitter, operands: tuple[Value, Value], groups: int, steps: tuple[Sizes, Sizes], edges: Edges
) -> Value:
    """Paddings cut the result; where its sizes are stated, the rule decides what is cut where.

    Of an odd number, "same_upper" cuts more before: as if the result were the data of a convolution with that rule.
    """
    (x, w), (sides, rule, extra, wanted) = operands, edges
    rank = x.type.rank - 2
    is_same = rule.startswith("same")
    found = window_of(emit, x, kernel_of(emit, w), steps, sides, "valid" if is_same else rule)
    more: tuple[Dim, ...] = extra or (0,) * rank
    cuts: Pads = found.pads
    if len(more) != rank or (wanted is not None and len(wanted) != rank):
        raise emit.fail(f"has paddings {list(more)} and sizes {wanted} for {x.type}", code="F002")
    if wanted is not None:
        natural = [
            (d - 1) * stride + span + e
            for d, stride, span, e in zip(x.type.shape[2:], found.strides, found.spans, more, strict=True)
        ]
        if is_same:
            cuts = tuple(
                halves(maximum(n - size, 0), upper=rule == "same_lower")
                for n, size in zip(natural, wanted, strict=True)
            )
        lacks = [size - n + a + b for size, n, (a, b) in zip(wanted, natural, cuts, strict=True)]
        cuts = tuple((a, b + maximum(-n, 0)) for (a, b), n in zip(cuts, lacks, strict=True))
        more = tuple(e + maximum(n, 0) for e, n in zip(more, lacks, strict=True))
    return emit(ir.ConvTranspose(x, w, None, found.strides, found.dilations, cuts, more, groups))


def _fitted(x: Value, found: Window, rounding: str) -> tuple[Pads, bool]:
    """Return paddings and whether the last window may hang over the end.

    With "ceil" it may also begin in the padding after the data, or beyond it: the padding is then as large as it is.
    """
    ends = list(zip(found.spans, found.strides, found.pads, strict=True))
    if rounding != "ceil" or all(at_least(span, stride + high) for span, stride, (_, high) in ends):
        return found.pads, rounding != "floor"  # the last window begins inside anyway
    return _enlarged(x, found, inside=False), False


def _enlarged(x: Value, found: Window, *, inside: bool) -> Pads:
    """Return paddings with which no window hangs over the end; ``inside``, the last one begins before the padding."""
    pads: list[tuple[Dim, Dim]] = []
    for d, span, stride, (low, high) in zip(x.type.shape[2:], found.spans, found.strides, found.pads, strict=True):
        count = ceil_div(d + low + high - span, stride)
        if inside and not at_least(span, stride + high):
            count = minimum(count, ceil_div(d + low, stride) - 1)
        pads.append((low, maximum(count * stride + span - d - low, 0)))
    return tuple(pads)


@openvino_op("MaxPool", until=7)
def max_pool(
    emit: Emitter,
    x: Value,
    *,
    kernel: Sizes,
    strides: Sizes = (),
    pads_begin: Sizes = (),
    pads_end: Sizes = (),
    rounding_type: Rounding = "floor",
    auto_pad: AutoPad = "explicit",
) -> Value:
    """MaxPool before operation set 8, without dilations and without the positions as a second result."""
    found = window_of(emit, x, kernel, (strides, ()), (pads_begin, pads_end), auto_pad)
    pads, ceil = _fitted(x, found, rounding_type)
    return emit(ir.MaxPool(x, found.kernel, found.strides, found.dilations, pads, ceil))


@openvino_op("MaxPool", since=8)
def max_pool_with_places(
    emit: Emitter,
    x: Value,
    *,
    kernel: Sizes,
    strides: Sizes = (),
    dilations: Sizes = (),
    pads_begin: Sizes = (),
    pads_end: Sizes = (),
    rounding_type: Rounding = "floor",
    auto_pad: AutoPad = "explicit",
    index_element_type: DType = DType.I64,
    axis: int = 0,
) -> tuple[Value, ...]:
    """The largest elements of windows, and their positions among all elements from an axis on, if somebody asks."""
    found = window_of(emit, x, kernel, (strides, dilations), (pads_begin, pads_end), auto_pad)
    pads, ceil = _fitted(x, found, rounding_type)
    if 1 not in emit.needed:
        return (emit(ir.MaxPool(x, found.kernel, found.strides, found.dilations, pads, ceil)),)
    values, places = emit.all(MaxPoolPositions(x, found.kernel, found.strides, found.dilations, pads, ceil))
    first = emit.axis(axis, x.type.rank)
    if first:
        with emit.typed():
            size = math.prod(static(x.type.shape[first:]))
        places = emit(Mod(places, emit.const(size, DType.I64)))
    return values, emit.cast(places, index_element_type)


@openvino_op("AvgPool")
def average_pool(
    emit: Emitter,
    x: Value,
    *,
    kernel: Sizes,
    exclude_pad: bool,
    strides: Sizes = (),
    dilations: Annotated[Sizes, Since(16)] = (),
    pads_begin: Sizes = (),
    pads_end: Sizes = (),
    rounding_type: Rounding = "floor",
    auto_pad: AutoPad = "explicit",
) -> Value:
    """The mean of every window; elements in paddings count unless ``exclude_pad``."""
    found = window_of(emit, x, kernel, (strides, dilations), (pads_begin, pads_end), auto_pad)
    return _average(emit, x, found, exclude_pad, rounding_type)


def _average(emit: Emitter, x: Value, found: Window, exclude_pad: bool, rounding: str) -> Value:
    """Return the mean; where paddings count, so does what hangs over the end."""
    pads, ceil = _fitted(x, found, rounding)
    if ceil and not exclude_pad:
        pads, ceil = _enlarged(x, found, inside=rounding == "ceil_torch"), False
    return emit(ir.AveragePool(x, found.kernel, found.strides, found.dilations, pads, ceil, not exclude_pad))
