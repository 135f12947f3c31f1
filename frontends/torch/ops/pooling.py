"""Largest elements of windows with their positions, in windows of different lengths, and put back where they were."""

from __future__ import annotations

from ....compiler.dims import Dim, exact_div, product
from ....compiler.ir import Value
from ....compiler.ops import arith
from ....compiler.ops import index as ir
from ....compiler.ops.positions import MaxPoolPositions
from ....compiler.ops.window import MaxPool
from ....compiler.types import DType, TensorType
from ...common.pooling import largest_of_bins
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
        return tuple(unbatched(emit, v, x) for v in largest_of_bins(emit, data, sizes))
    fields = (kernel, kernel, (1,) * rank, ((0, 0),) * rank)
    if 1 not in emit.needed:
        return unbatched(emit, emit(MaxPool(data, *fields)), x), None
    return _in_images(emit, x, emit.all(MaxPoolPositions(data, *fields)), data)


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
    """``max_unpool3d``: elements put back at the positions that a pooling has given, zeros elsewhere."""
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
