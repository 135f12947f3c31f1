"""Largest elements of windows with their positions, in windows of different lengths, and put back where they were."""

from __future__ import annotations

import numpy as np

from ....compiler.budget import reserve
from ....compiler.dims import Dim, exact_div, product, static
from ....compiler.ir import Value
from ....compiler.ops import arith
from ....compiler.ops import index as ir
from ....compiler.ops.positions import MaxPoolPositions
from ....compiler.ops.reduce import Reduce
from ....compiler.ops.window import MaxPool
from ....compiler.types import DType, TensorType
from ..emitter import Emitter
from ..registry import aten
from .window import axes_of, batched, spread, unbatched


@aten("max_pool1d_with_indices", "max_pool2d_with_indices", "max_pool3d_with_indices")
def max_pool_with_indices(
    emit: Emitter,
    x: Value,
    kernel_size: tuple[int, ...],
    stride: tuple[int, ...] = (),
    padding: tuple[Dim, ...] = (0,),
    dilation: tuple[int, ...] = (1,),
    ceil_mode: bool = False,
) -> tuple[Value | None, ...]:
    """The largest elements, and their positions in the image of their channel."""
    rank = axes_of(emit)
    kernel, data = spread(kernel_size, rank), batched(emit, x, rank)
    pads = tuple((p, p) for p in spread(padding, rank))
    fields = (kernel, spread(stride, rank) or kernel, spread(dilation, rank), pads, ceil_mode)
    if 1 not in emit.needed:
        return unbatched(emit, emit(MaxPool(data, *fields)), x), None
    return _in_images(emit, x, emit.all(MaxPoolPositions(data, *fields)), data)


def _in_images(emit: Emitter, x: Value, found: tuple[Value, ...], data: Value) -> tuple[Value, ...]:
    """Count positions anew in the image of each channel."""
    values, places = found
    size = emit.value(product(data.type.shape[2:]), DType.I64)
    return unbatched(emit, values, x), unbatched(emit, emit(arith.Mod(places, size)), x)


@aten("adaptive_max_pool1d", "adaptive_max_pool2d", "adaptive_max_pool3d")
def adaptive_max_pool(emit: Emitter, x: Value, output_size: tuple[int, ...]) -> tuple[Value | None, ...]:
    """As many windows as the result has positions, and where the largest elements are."""
    rank = axes_of(emit)
    sizes, before = spread(output_size, rank), x.type.shape[-rank:]
    steps = [exact_div(d, n) if n else None for d, n in zip(before, sizes, strict=True)]
    kernel = tuple(s for s in steps if isinstance(s, int))
    data = batched(emit, x, rank)
    if len(kernel) < rank:
        return tuple(unbatched(emit, v, x) for v in _of_different_lengths(emit, data, sizes))
    fields = (kernel, kernel, (1,) * rank, ((0, 0),) * rank)
    if 1 not in emit.needed:
        return unbatched(emit, emit(MaxPool(data, *fields)), x), None
    return _in_images(emit, x, emit.all(MaxPoolPositions(data, *fields)), data)


def _of_different_lengths(emit: Emitter, x: Value, sizes: tuple[int, ...]) -> tuple[Value, Value]:
    """Gather the elements of every window side by side; shorter ones have their last element several times."""
    with emit.typed():
        before = static(x.type.shape[2:])
    places = np.zeros((1, 1), np.int64)
    for size, out in zip(before, sizes, strict=True):
        spans = [range(i * size // out, -(-(i + 1) * size // out)) for i in range(out)]
        longest = max((len(span) for span in spans), default=0)
        axis = np.asarray([[span[min(k, len(span) - 1)] for k in range(longest)] for span in spans], np.int64)
        axis = axis.reshape(out, longest)
        reserve(*places.shape, *axis.shape, what="the positions in all windows")
        joined = places[:, None, :, None] * size + axis[None, :, None, :]
        places = joined.reshape(len(places) * out, places.shape[1] * longest)
    flat = emit.reshape(x, (*x.type.shape[:2], product(before)))
    windows = emit(ir.Gather(flat, emit.const(places), 2))
    shape = (*x.type.shape[:2], *sizes)
    best = emit(ir.ArgMax(windows, 3, keepdims=False))
    starts = emit.const(np.arange(len(places)) * places.shape[1], DType.I64)
    where = emit(ir.Gather(emit.const(places.reshape(-1)), emit(arith.Add(best, starts)), 0))
    values = emit(Reduce(windows, "max", (3,), keepdims=False))
    return emit.reshape(values, shape), emit.reshape(where, shape)


@aten("max_unpool2d")
def max_unpool(emit: Emitter, x: Value, indices: Value, output_size: tuple[Dim, ...]) -> Value:
    """Put elements back where they were, zeros elsewhere; windows that overlap give an element several times."""
    return _unpooled(emit, x, indices, len(output_size))


@aten("max_unpool3d")
def max_unpool_volumes(
    emit: Emitter,
    x: Value,
    indices: Value,
    output_size: tuple[Dim, ...],
    stride: tuple[int, ...],
    padding: tuple[int, ...],
) -> Value:
    """Put elements back where they were, zeros elsewhere."""
    return _unpooled(emit, x, indices, len(output_size))


def _unpooled(emit: Emitter, x: Value, indices: Value, rank: int) -> Value:
    planes, shape = x.type.shape[:-rank], emit.shape
    rows = (product(planes), product(x.type.shape[-rank:]))
    type = TensorType(x.type.dtype, (rows[0], product(shape[-rank:])))
    places, values = emit.reshape(indices, rows), emit.reshape(x, rows)
    zeros = emit.full(0, type)
    total = emit(ir.ScatterElements(zeros, places, values, 1, "add"))
    counts = emit(ir.ScatterElements(zeros, places, emit.full(1, values.type), 1, "add"))
    mean = emit(arith.Div(total, emit(arith.Max(counts, emit.const(1, x.type.dtype)))))
    return emit.reshape(mean, shape)
