"""Poolings by uneven windows, deformed convolutions, and what cuts images into windows and back."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from ....compiler.dims import Dim, exact_div, product, static
from ....compiler.ir import Value
from ....compiler.ops import window as ir
from ....compiler.ops.index import Gather
from ....compiler.types import DType
from ...common.col2im import col2im as summed_columns
from ...common.deform import deform_conv
from ...common.pooling import averages_of_bins, largest_of_bins
from ...common.schema import Since
from ...slicing import pad
from ..emitter import Emitter
from ..registry import openvino_op
from .window import AutoPad, Sizes, kernel_of, window_of


def _even(x: Value, sizes: tuple[Dim, ...]) -> Sizes | None:
    """Return the lengths of windows, if all are equal."""
    found = [exact_div(d, n) if n else None for d, n in zip(x.type.shape[2:], sizes, strict=True)]
    whole = tuple(n for n in found if isinstance(n, int))
    return whole if len(whole) == len(found) else None


def _sizes_of(emit: Emitter, x: Value, shape: Value) -> tuple[Dim, ...]:
    sizes = emit.dims(shape, "output_shape")
    if len(sizes) != x.type.rank - 2:
        raise emit.fail(f"pools {x.type} to {list(sizes)}", code="F002")
    return sizes


@openvino_op("AdaptiveAvgPool", since=8)
def adaptive_average_pool(emit: Emitter, x: Value, output_shape: Value) -> Value:
    """The mean of as many windows as the result has positions."""
    sizes = _sizes_of(emit, x, output_shape)
    kernel = _even(x, sizes)
    if kernel is not None:
        ones = (1,) * len(kernel)
        return emit(ir.AveragePool(x, kernel, kernel, ones, ((0, 0),) * len(kernel)))
    with emit.typed():
        before, after = static(x.type.shape[2:]), static(sizes)
    for axis, (size, out) in enumerate(zip(before, after, strict=True)):
        x = averages_of_bins(emit, x, axis + 2, size, out)
    return x


@openvino_op("AdaptiveMaxPool", since=8)
def adaptive_max_pool(
    emit: Emitter, x: Value, output_shape: Value, *, index_element_type: DType = DType.I64
) -> tuple[Value, ...]:
    """The largest elements of as many windows as the result has positions, and where they are in their image."""
    sizes = _sizes_of(emit, x, output_shape)
    kernel = _even(x, sizes)
    if kernel is not None and 1 not in emit.needed:
        ones = (1,) * len(kernel)
        return (emit(ir.MaxPool(x, kernel, kernel, ones, ((0, 0),) * len(kernel))),)
    with emit.typed():
        values, places = largest_of_bins(emit, x, static(sizes))
    return values, emit.cast(places, index_element_type)


@openvino_op("DeformableConvolution")
def deformable_convolution(
    emit: Emitter,
    x: Value,
    offsets: Value,
    w: Value,
    mask: Annotated[Value | None, Since(8)] = None,
    *,
    strides: Sizes = (),
    dilations: Sizes = (),
    pads_begin: Sizes = (),
    pads_end: Sizes = (),
    auto_pad: AutoPad = "explicit",
    group: int = 1,
    deformable_group: int = 1,
    bilinear_interpolation_pad: Annotated[bool, Since(8)] = False,
) -> Value:
    """A deformed convolution, whose elements may be masked; samples beyond the edge fade to zero if that is said."""
    found = window_of(emit, x, kernel_of(emit, w), (strides, dilations), (pads_begin, pads_end), auto_pad)
    groups = (group, deformable_group)
    return deform_conv(emit, x, w, offsets, (None, mask), found, groups, fades=bilinear_interpolation_pad)


@openvino_op("Col2Im", since=15)
def col2im(
    emit: Emitter,
    x: Value,
    output_size: Value,
    kernel_size: Value,
    *,
    strides: Sizes = (),
    dilations: Sizes = (),
    pads_begin: Sizes = (),
    pads_end: Sizes = (),
) -> Value:
    """Every window's elements go where they would have been cut from; what meets there is added."""
    shapes = (emit.ints(output_size, "output_size"), emit.ints(kernel_size, "kernel_size"))
    batched = x if x.type.rank == 3 else emit.reshape(x, (1, *x.type.shape))
    found = summed_columns(emit, batched, shapes, (strides, dilations), (*pads_begin, *pads_end))
    return found if batched is x else emit.reshape(found, found.type.shape[1:])


@openvino_op("ExtractImagePatches", since=3)
def extract_image_patches(
    emit: Emitter, x: Value, *, sizes: Sizes, strides: Sizes, rates: Sizes, auto_pad: AutoPad
) -> Value:
    """Every window's elements as channels, which count positions in the window first."""
    found = window_of(emit, x, sizes, (strides, rates), ((), ()), auto_pad)
    low, high = zip(*found.pads, strict=True)
    data = pad(emit, x, (0, 0, *low), (0, 0, *high), "constant")
    with emit.typed():
        height, width = static(data.type.shape[2:])
    rows, columns = (
        np.arange((size - span) // stride + 1)[:, None] * stride + np.arange(k)[None, :] * rate
        for size, span, stride, k, rate in zip(
            (height, width), found.spans, found.strides, found.kernel, found.dilations, strict=True
        )
    )
    places = rows[:, None, :, None] * width + columns[None, :, None, :]
    n, c = data.type.shape[:2]
    windows = emit(Gather(emit.reshape(data, (n, c, height * width)), emit.const(places), 2))
    moved = emit.transpose(windows, (0, 4, 5, 1, 2, 3))
    return emit.reshape(moved, (n, product(places.shape[2:]) * c, *places.shape[:2]))
