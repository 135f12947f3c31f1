"""Handlers of operators that move, cut and join data, and of shapes."""

from __future__ import annotations

from typing import Literal

from ....compiler.dims import Dim
from ....compiler.ir import Value
from ....compiler.ops import shape as ir
from ....compiler.ops.dynamic import DynamicSlice, DynamicUpdateSlice
from ....compiler.types import DType
from ...common.moves import (
    batch_to_space,
    common_shape,
    equal_parts,
    joined,
    pairs_of,
    parts_of_sizes,
    pieces,
    space_to_batch,
    squeezed,
    unsqueezed,
)
from ...common.ranges import counted_range
from ...common.reshaping import stated_shape
from ...slicing import cut
from ..emitter import Emitter
from ..handles import Piece
from ..registry import builtin
from .common import Activation, activated
from .pieces import piece_of, updated


@builtin("RESHAPE", "ReshapeOptions", integers="moved")
def reshape(emit: Emitter, x: Value, shape: Value | None = None, *, new_shape: tuple[int, ...] = ()) -> Value:
    """The shape is an operand, or an option of old files, where a zero alone stands for a scalar."""
    option = () if new_shape == (0,) else new_shape
    target: tuple[Dim, ...] = option if shape is None else stated_shape(emit, x, shape, zero_copies=False)
    if sum(d == -1 for d in target) > 1:
        raise emit.fail(f"has the shape {list(target)}", code="F002")
    with emit.typed():
        return emit.reshape(x, ir.resolve_reshape(x.type.shape, target, zero_copies=False))  # pyright: ignore[reportArgumentType]


@builtin("SQUEEZE", "SqueezeOptions", integers="moved")
def squeeze(emit: Emitter, x: Value, *, squeeze_dims: tuple[int, ...] = ()) -> Value:
    """Without some axes of size one, or without all."""
    return squeezed(emit, x, squeeze_dims)


@builtin("EXPAND_DIMS", "ExpandDimsOptions", integers="moved")
def expand_dims(emit: Emitter, x: Value, axis: Value) -> Value:
    """EXPAND_DIMS: one more axis of size one, at a place of the result."""
    return unsqueezed(emit, x, axis)


@builtin("TRANSPOSE", "TransposeOptions", integers="moved")
def transpose(emit: Emitter, x: Value, perm: Value) -> Value:
    """TRANSPOSE: axes in another order, which is a constant."""
    order = emit.axes(emit.ints(perm, "perm"), x.type.rank)
    return emit.transpose(x, order) if len(order) == x.type.rank else emit(ir.Transpose(x, order))


@builtin("CONCATENATION", "ConcatenationOptions", integers="moved")
def concatenation(
    emit: Emitter,
    first: Value | Piece,
    *others: Value | Piece,
    axis: int = 0,
    fused_activation_function: Activation = "NONE",
) -> Value:
    """CONCATENATION: joins tensors along one axis, with a fused activation."""
    values = (first, *others)
    if any(isinstance(v, Piece) for v in values):
        return updated(emit, values, axis)
    parts = tuple(v for v in values if isinstance(v, Value))
    whole = emit(ir.Concat(parts, emit.axis(axis, parts[0].type.rank)))
    return activated(emit, whole, fused_activation_function)


@builtin("SPLIT", "SplitOptions", integers="moved")
def split(emit: Emitter, axis: Value, x: Value, *, num_splits: int = 0) -> tuple[Value, ...]:
    """SPLIT: cuts an axis into parts of equal size."""
    return equal_parts(emit, x, emit.axis(emit.int(axis, "axis"), x.type.rank), num_splits)


@builtin("SPLIT_V", "SplitVOptions", integers="moved")
def split_v(emit: Emitter, x: Value, sizes: Value, axis: Value, *, num_splits: int = 0) -> tuple[Value, ...]:
    """Parts of given sizes, one of which may be what is left."""
    return parts_of_sizes(emit, x, sizes, axis)


@builtin("PACK", "PackOptions", integers="moved")
def pack(emit: Emitter, first: Value, *others: Value, values_count: int = 0, axis: int = 0) -> Value:
    """PACK: joins tensors of the same shape along a new axis."""
    return joined(emit, (first, *others), axis)


@builtin("UNPACK", "UnpackOptions", integers="moved")
def unpack(emit: Emitter, x: Value, *, num: int = 0, axis: int = 0) -> tuple[Value, ...]:
    """One result for each position along an axis, without it."""
    return pieces(emit, x, num, axis)


@builtin("SLICE", "SliceOptions", integers="moved")
def slice_(emit: Emitter, x: Value, begin: Value, size: Value) -> Value | Piece:
    """From a position on; a size of -1 is all that is left."""
    rank = x.type.rank
    starts, sizes = emit.known.dims(begin), emit.known.dims(size)
    if sizes is None or (starts is None and -1 in sizes):
        return piece_of(emit, x, begin, size)
    if len(sizes) != rank or (starts is not None and len(starts) != rank):
        raise emit.fail(f"has {len(sizes)} sizes for {x.type}", code="F006")
    if starts is None:
        return emit(DynamicSlice(x, begin, sizes))
    ends = [d if n == -1 else a + n for d, a, n in zip(x.type.shape, starts, sizes, strict=True)]
    return cut(emit, x, {i: (a, e, 1) for i, (a, e) in enumerate(zip(starts, ends, strict=True))})


@builtin("PAD", "PadOptions", integers="moved")
def pad(emit: Emitter, x: Value, paddings: Value) -> Value:
    """PAD: zeros before and after the data along each axis."""
    low, high = pairs_of(emit, paddings, x.type.rank)
    return emit(ir.Pad(x, low, high, "constant"))


@builtin("PADV2", "PadV2Options", integers="moved")
def padv2(emit: Emitter, x: Value, paddings: Value, value: Value) -> Value:
    """PADV2: a constant of any value before and after the data."""
    low, high = pairs_of(emit, paddings, x.type.rank)
    return emit(ir.Pad(x, low, high, "constant", float(emit.scalar(value, "value"))))


@builtin("MIRROR_PAD", "MirrorPadOptions", integers="moved")
def mirror_pad(emit: Emitter, x: Value, paddings: Value, *, mode: Literal["REFLECT", "SYMMETRIC"] = "REFLECT") -> Value:
    """MIRROR_PAD: mirrors the data, with its edge or without it."""
    low, high = pairs_of(emit, paddings, x.type.rank)
    return emit(ir.Pad(x, low, high, mode.lower()))


@builtin("TILE", "TileOptions", integers="moved")
def tile(emit: Emitter, x: Value, repeats: Value) -> Value:
    """TILE: repeats the whole tensor along each axis."""
    return emit(ir.Tile(x, emit.dims(repeats, "multiples")))


@builtin("REVERSE_V2", "ReverseV2Options", integers="moved")
def reverse_v2(emit: Emitter, x: Value, axes: Value) -> Value:
    """REVERSE_V2: reverses the order of elements along some axes."""
    return emit(ir.Reverse(x, emit.axes(emit.ints(axes, "axes"), x.type.rank)))


@builtin("BROADCAST_TO", "BroadcastToOptions", integers="moved")
def broadcast_to(emit: Emitter, x: Value, shape: Value) -> Value:
    """BROADCAST_TO: repeats axes of size one up to a shape."""
    return emit.expand(x, emit.dims(shape, "shape"))


@builtin("BROADCAST_ARGS", integers="raw")
def broadcast_args(emit: Emitter, a: Value, b: Value) -> Value:
    """BROADCAST_ARGS: the shape to which two shapes broadcast, as a vector."""
    return common_shape(emit, a, b)


@builtin("SHAPE", "ShapeOptions", integers="raw")
def shape(emit: Emitter, x: Value, *, out_type: DType = DType.F32) -> Value:
    """SHAPE: all sizes of the operand, as a vector."""
    return emit(ir.ShapeOf(x, tuple(range(x.type.rank)), emit.result_type(0)))


@builtin("RANK", "RankOptions", integers="raw")
def rank(emit: Emitter, x: Value) -> Value:
    """RANK: the number of axes of the operand, as a scalar."""
    return emit.const(x.type.rank, DType.I32)


@builtin("ZEROS_LIKE", "ZerosLikeOptions", integers="raw")
def zeros_like(emit: Emitter, x: Value) -> Value:
    """ZEROS_LIKE: zeros in the shape and the type of the operand."""
    return emit.expand(emit.const(0, x.type.dtype), x.type.shape)


@builtin("FILL", "FillOptions", integers="moved")
def fill(emit: Emitter, dims: Value, value: Value) -> Value:
    """FILL: a tensor of a given shape, all of one value."""
    return emit.expand(emit.reshape(value, ()), emit.dims(dims, "dims"))


@builtin("RANGE", "RangeOptions", integers="raw")
def range_(emit: Emitter, start: Value, limit: Value, delta: Value) -> Value:
    """Numbers from ``start`` up to, not including, ``limit``."""
    return counted_range(emit, start, limit, delta)


@builtin("SPACE_TO_BATCH_ND", "SpaceToBatchNDOptions", integers="moved")
def space_to_batch_nd(emit: Emitter, x: Value, block_shape: Value, paddings: Value) -> Value:
    """Positions within blocks of the spatial axes become batches."""
    return space_to_batch(emit, x, block_shape, paddings)


@builtin("BATCH_TO_SPACE_ND", "BatchToSpaceNDOptions", integers="moved")
def batch_to_space_nd(emit: Emitter, x: Value, block_shape: Value, crops: Value) -> Value:
    """Batches become positions within blocks of the spatial axes."""
    return batch_to_space(emit, x, block_shape, crops)


@builtin("DYNAMIC_UPDATE_SLICE", "DynamicUpdateSliceOptions", integers="moved")
def dynamic_update_slice(emit: Emitter, x: Value, update: Value, starts: Value) -> Value:
    """DYNAMIC_UPDATE_SLICE: overwrites a part of the data at a computed position."""
    return emit(DynamicUpdateSlice(x, update, starts))
