"""Handlers of convolutions and poolings over signals, images and volumes, with channels on axis 1."""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import prod
from typing import TypeVar

from ....compiler.dims import Dim, exact_div, maximum, static
from ....compiler.ir import Value
from ....compiler.ops import window as ir
from ....compiler.ops.arith import Mul
from ....compiler.ops.reduce import Reduce
from ...common.pooling import averages_of_bins
from ..emitter import Emitter
from ..registry import aten

T = TypeVar("T")


def spread(values: Sequence[T], rank: int) -> tuple[T, ...]:
    """Return a value for each spatial axis: PyTorch's lists of a single number hold for all of them."""
    return tuple(values) * rank if len(values) == 1 else tuple(values)


def axes_of(emit: Emitter) -> int:
    """Return the number of spatial axes, which an operator has in its name: 2 for ``max_pool2d``."""
    found = re.search(r"(\d)d", str(emit.node.target))
    assert found is not None
    return int(found[1])


def batched(emit: Emitter, x: Value, rank: int) -> Value:
    """Give data with ``rank`` spatial axes a batch axis if it has none."""
    return x if x.type.rank == rank + 2 else emit.reshape(x, (1, *x.type.shape))


def unbatched(emit: Emitter, y: Value, like: Value) -> Value:
    """Remove the batch axis that ``batched`` has added, if the operand had none."""
    return y if y.type.rank == like.type.rank else emit.reshape(y, y.type.shape[1:])


@aten("convolution")
def convolution(
    emit: Emitter,
    input: Value,
    weight: Value,
    bias: Value | None,
    stride: tuple[int, ...],
    padding: tuple[Dim, ...],
    dilation: tuple[int, ...],
    transposed: bool,
    output_padding: tuple[Dim, ...],
    groups: int,
) -> Value:
    """``convolution``, which all convolutions become by decomposition: any spatial axes, transposed or not."""
    rank = weight.type.rank - 2
    x = batched(emit, input, rank)
    strides, dilations = spread(stride, rank), spread(dilation, rank)
    pads = tuple((p, p) for p in spread(padding, rank))
    if transposed:
        extra = spread(output_padding, rank)
        y = emit(ir.ConvTranspose(x, weight, bias, strides, dilations, pads, extra, groups))
    else:
        y = emit(ir.Conv(x, weight, bias, strides, dilations, pads, groups))
    return unbatched(emit, y, input)


@aten("conv1d", "conv2d", "conv3d")
def conv(
    emit: Emitter,
    input: Value,
    weight: Value,
    bias: Value | None = None,
    stride: tuple[int, ...] = (1,),
    padding: tuple[Dim, ...] = (0,),
    dilation: tuple[int, ...] = (1,),
    groups: int = 1,
) -> Value:
    """``conv1d``, ``conv2d`` and ``conv3d`` with numbers as paddings, the same before and after each axis."""
    return convolution(emit, input, weight, bias, stride, padding, dilation, False, (0,), groups)


@aten("conv1d.padding", "conv2d.padding", "conv3d.padding")
def conv_by_rule(
    emit: Emitter,
    input: Value,
    weight: Value,
    bias: Value | None = None,
    stride: tuple[int, ...] = (1,),
    padding: str = "valid",
    dilation: tuple[int, ...] = (1,),
    groups: int = 1,
) -> Value:
    """Padded by rule: ``same`` puts the odd position after the data."""
    rank = weight.type.rank - 2
    dilations = spread(dilation, rank)
    with emit.typed():
        kernel = static(weight.type.shape[2:])
    totals = [d * (k - 1) if padding == "same" else 0 for d, k in zip(dilations, kernel, strict=True)]
    pads = tuple((t // 2, t - t // 2) for t in totals)
    x = batched(emit, input, rank)
    y = emit(ir.Conv(x, weight, bias, spread(stride, rank), dilations, pads, groups))
    return unbatched(emit, y, input)


@aten("conv_transpose1d", "conv_transpose2d.input", "conv_transpose3d.input")
def conv_transpose(
    emit: Emitter,
    input: Value,
    weight: Value,
    bias: Value | None = None,
    stride: tuple[int, ...] = (1,),
    padding: tuple[Dim, ...] = (0,),
    output_padding: tuple[Dim, ...] = (0,),
    groups: int = 1,
    dilation: tuple[int, ...] = (1,),
) -> Value:
    """Transposed convolutions: paddings cut the result, ``output_padding`` lengthens its end."""
    return convolution(emit, input, weight, bias, stride, padding, dilation, True, output_padding, groups)


@aten("max_pool1d", "max_pool2d", "max_pool3d")
def max_pool(
    emit: Emitter,
    x: Value,
    kernel_size: tuple[int, ...],
    stride: tuple[int, ...] = (),
    padding: tuple[Dim, ...] = (0,),
    dilation: tuple[int, ...] = (1,),
    ceil_mode: bool = False,
) -> Value:
    """``max_pool``: paddings never win; the stride is the kernel's size by default, so that windows do not overlap."""
    rank = axes_of(emit)
    kernel = spread(kernel_size, rank)
    pads = tuple((p, p) for p in spread(padding, rank))
    data = batched(emit, x, rank)
    y = emit(ir.MaxPool(data, kernel, spread(stride, rank) or kernel, spread(dilation, rank), pads, ceil_mode))
    return unbatched(emit, y, x)


@aten("avg_pool1d")
def avg_pool1d(
    emit: Emitter,
    x: Value,
    kernel_size: tuple[int, ...],
    stride: tuple[int, ...] = (),
    padding: tuple[Dim, ...] = (0,),
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Value:
    """``avg_pool1d``: paddings count as zeros in the mean unless ``count_include_pad`` is false."""
    return avg_pool(emit, x, kernel_size, stride, padding, ceil_mode, count_include_pad)


@aten("avg_pool2d", "avg_pool3d")
def avg_pool(
    emit: Emitter,
    x: Value,
    kernel_size: tuple[int, ...],
    stride: tuple[int, ...] = (),
    padding: tuple[Dim, ...] = (0,),
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Value:
    """Paddings count as zeros unless told otherwise; a stated divisor takes the place of the count."""
    rank = axes_of(emit)
    kernel, data = spread(kernel_size, rank), batched(emit, x, rank)
    pads = tuple((p, p) for p in spread(padding, rank))
    strides, dense = spread(stride, rank) or kernel, (1,) * rank
    if divisor_override is None:
        y = emit(ir.AveragePool(data, kernel, strides, dense, pads, ceil_mode, count_include_pad))
        return unbatched(emit, y, x)
    if x.type.dtype.is_int:
        raise emit.fail("has a divisor of its own for integers, whose quotients are rounded")
    sizes = zip(x.type.shape[-rank:], emit.shape[-rank:], kernel, strides, pads, strict=True)
    whole = tuple((low, maximum(high, (out - 1) * s + k - n - low)) for n, out, k, s, (low, high) in sizes)
    mean = emit(ir.AveragePool(data, kernel, strides, dense, whole, False, True))
    return unbatched(emit, emit(Mul(mean, emit.const(prod(kernel) / divisor_override, mean.type.dtype))), x)


@aten("adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d")
@aten("_adaptive_avg_pool2d", "_adaptive_avg_pool3d")
def adaptive_avg_pool(emit: Emitter, x: Value, output_size: tuple[Dim, ...]) -> Value:
    """As many windows as the result has positions; where sizes don't divide, their lengths differ."""
    rank = axes_of(emit)
    sizes = spread(output_size, rank)
    before = x.type.shape[-rank:]
    if all(size == 1 for size in sizes):
        return emit(Reduce(x, "mean", tuple(range(x.type.rank - rank, x.type.rank))))
    steps = [exact_div(d, n) for d, n in zip(before, sizes, strict=True)]
    kernel = tuple(s for s in steps if isinstance(s, int))
    if len(kernel) == rank:
        data = batched(emit, x, rank)
        fields = (kernel, kernel, (1,) * rank, ((0, 0),) * rank)
        return unbatched(emit, emit(ir.AveragePool(data, *fields)), x)
    with emit.typed():
        pairs = zip(static(before), static(sizes), strict=True)
    for i, (size, out) in enumerate(pairs):
        x = averages_of_bins(emit, x, x.type.rank - rank + i, size, out)
    return x
