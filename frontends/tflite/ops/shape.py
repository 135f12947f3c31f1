"""Moving, cutting and joining data; shapes."""

from __future__ import annotations

from typing import Literal

import numpy as np

from ....compiler.dims import Dim, is_static, product
from ....compiler.ir import Value
from ....compiler.opdef import broadcast_shapes
from ....compiler.ops import shape as ir
from ....compiler.ops.dynamic import DynamicSlice, DynamicUpdateSlice
from ....compiler.types import DType
from ...common.ranges import counted_range
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
    target: tuple[Dim, ...] = option if shape is None else emit.dims(shape, "shape")
    if sum(d == -1 for d in target) > 1:
        raise emit.fail(f"has the shape {list(target)}", code="F002")
    with emit.typed():
        return emit.reshape(x, ir.resolve_reshape(x.type.shape, target, zero_copies=False))  # pyright: ignore[reportArgumentType]


@builtin("SQUEEZE", "SqueezeOptions", integers="moved")
def squeeze(emit: Emitter, x: Value, *, squeeze_dims: tuple[int, ...] = ()) -> Value:
    """Without some axes of size one, or without all."""
    shape = x.type.shape
    dims = emit.axes(squeeze_dims, len(shape)) or tuple(i for i, d in enumerate(shape) if d == 1)
    if any(isinstance(shape[a], int) and shape[a] != 1 for a in dims):
        raise emit.fail(f"drops axes {list(dims)} of {x.type}", code="F002")
    return emit.reshape(x, [d for i, d in enumerate(shape) if i not in dims])


@builtin("EXPAND_DIMS", "ExpandDimsOptions", integers="moved")
def expand_dims(emit: Emitter, x: Value, axis: Value) -> Value:
    """One more axis of size one."""
    at = emit.axis(emit.int(axis, "axis"), x.type.rank + 1)
    return emit.reshape(x, (*x.type.shape[:at], 1, *x.type.shape[at:]))


@builtin("TRANSPOSE", "TransposeOptions", integers="moved")
def transpose(emit: Emitter, x: Value, perm: Value) -> Value:
    """Axes in another order."""
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
    """Join along an axis."""
    values = (first, *others)
    if any(isinstance(v, Piece) for v in values):
        return updated(emit, values, axis)
    parts = tuple(v for v in values if isinstance(v, Value))
    joined = emit(ir.Concat(parts, emit.axis(axis, parts[0].type.rank)))
    return activated(emit, joined, fused_activation_function)


def _parts(emit: Emitter, x: Value, axis: int, count: int) -> tuple[Value, ...]:
    """Cut into equal parts."""
    size = x.type.shape[axis]
    if count < 1 or (isinstance(size, int) and size % count):
        raise emit.fail(f"cuts {x.type} into {count} equal parts along axis {axis}", code="F002")
    return emit.all(ir.Split(x, axis, (size // count,) * count))


@builtin("SPLIT", "SplitOptions", integers="moved")
def split(emit: Emitter, axis: Value, x: Value, *, num_splits: int = 0) -> tuple[Value, ...]:
    """Equal parts."""
    return _parts(emit, x, emit.axis(emit.int(axis, "axis"), x.type.rank), num_splits)


@builtin("SPLIT_V", "SplitVOptions", integers="moved")
def split_v(emit: Emitter, x: Value, sizes: Value, axis: Value, *, num_splits: int = 0) -> tuple[Value, ...]:
    """Parts of given sizes, one of which may be what is left."""
    along = emit.axis(emit.int(axis, "axis"), x.type.rank)
    given = list(emit.dims(sizes, "sizes"))
    if -1 in given:
        given[given.index(-1)] = x.type.shape[along] - sum((d for d in given if d != -1), start=0)  # pyright: ignore[reportArgumentType, reportCallIssue]
    return emit.all(ir.Split(x, along, tuple(given)))


@builtin("PACK", "PackOptions", integers="moved")
def pack(emit: Emitter, first: Value, *others: Value, values_count: int = 0, axis: int = 0) -> Value:
    """Join along a new axis."""
    at = emit.axis(axis, first.type.rank + 1)
    pieces = [emit.reshape(x, (*x.type.shape[:at], 1, *x.type.shape[at:])) for x in (first, *others)]
    return emit(ir.Concat(tuple(pieces), at)) if others else pieces[0]


@builtin("UNPACK", "UnpackOptions", integers="moved")
def unpack(emit: Emitter, x: Value, *, num: int = 0, axis: int = 0) -> tuple[Value, ...]:
    """One result for each position along an axis, without it."""
    at = emit.axis(axis, x.type.rank)
    parts = _parts(emit, x, at, num)
    return tuple(emit.reshape(p, (*p.type.shape[:at], *p.type.shape[at + 1 :])) for p in parts)


@builtin("SLICE", "SliceOptions", integers="moved")
def slice_(emit: Emitter, x: Value, begin: Value, size: Value) -> Value | Piece:
    """From a position on; a size of -1 is all that is left.  Where positions are computed, sizes must be known."""
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


def _pairs(emit: Emitter, paddings: Value, rank: int) -> tuple[tuple[Dim, ...], tuple[Dim, ...]]:
    given = emit.dims(paddings, "paddings")
    if len(given) != 2 * rank or any(isinstance(p, int) and p < 0 for p in given):
        raise emit.fail(f"has the paddings {list(given)} for {rank} axes", code="F006")
    return given[::2], given[1::2]


@builtin("PAD", "PadOptions", integers="moved")
def pad(emit: Emitter, x: Value, paddings: Value) -> Value:
    """Zeros around."""
    low, high = _pairs(emit, paddings, x.type.rank)
    return emit(ir.Pad(x, low, high, "constant"))


@builtin("PADV2", "PadV2Options", integers="moved")
def padv2(emit: Emitter, x: Value, paddings: Value, value: Value) -> Value:
    """A constant around."""
    low, high = _pairs(emit, paddings, x.type.rank)
    return emit(ir.Pad(x, low, high, "constant", float(emit.scalar(value, "value"))))


@builtin("MIRROR_PAD", "MirrorPadOptions", integers="moved")
def mirror_pad(emit: Emitter, x: Value, paddings: Value, *, mode: Literal["REFLECT", "SYMMETRIC"] = "REFLECT") -> Value:
    """Mirrored without or with the edge."""
    low, high = _pairs(emit, paddings, x.type.rank)
    return emit(ir.Pad(x, low, high, mode.lower()))


@builtin("TILE", "TileOptions", integers="moved")
def tile(emit: Emitter, x: Value, repeats: Value) -> Value:
    """Repetition of the whole."""
    return emit(ir.Tile(x, emit.dims(repeats, "multiples")))


@builtin("REVERSE_V2", "ReverseV2Options", integers="moved")
def reverse_v2(emit: Emitter, x: Value, axes: Value) -> Value:
    """Along some axes."""
    return emit(ir.Reverse(x, emit.axes(emit.ints(axes, "axes"), x.type.rank)))


@builtin("BROADCAST_TO", "BroadcastToOptions", integers="moved")
def broadcast_to(emit: Emitter, x: Value, shape: Value) -> Value:
    """Repeat up to a shape."""
    return emit.expand(x, emit.dims(shape, "shape"))


@builtin("BROADCAST_ARGS", integers="raw")
def broadcast_args(emit: Emitter, a: Value, b: Value) -> Value:
    """The shape to which two shapes broadcast."""
    with emit.typed():
        shape = broadcast_shapes((emit.dims(a, "shape1"), emit.dims(b, "shape2")))
    if not is_static(shape):
        raise emit.fail(f"gives the shape {list(shape)}, whose sizes are open", code="F004")
    return emit.const(np.asarray(shape), a.type.dtype)


@builtin("SHAPE", "ShapeOptions", integers="raw")
def shape(emit: Emitter, x: Value, *, out_type: DType = DType.F32) -> Value:
    """All sizes."""
    return emit(ir.ShapeOf(x, tuple(range(x.type.rank)), emit.result_type(0)))


@builtin("RANK", "RankOptions", integers="raw")
def rank(emit: Emitter, x: Value) -> Value:
    """The number of axes."""
    return emit.const(x.type.rank, DType.I32)


@builtin("ZEROS_LIKE", "ZerosLikeOptions", integers="raw")
def zeros_like(emit: Emitter, x: Value) -> Value:
    """Zeros in the operand's shape."""
    return emit.expand(emit.const(0, x.type.dtype), x.type.shape)


@builtin("FILL", "FillOptions", integers="moved")
def fill(emit: Emitter, dims: Value, value: Value) -> Value:
    """One value in a shape."""
    return emit.expand(emit.reshape(value, ()), emit.dims(dims, "dims"))


@builtin("RANGE", "RangeOptions", integers="raw")
def range_(emit: Emitter, start: Value, limit: Value, delta: Value) -> Value:
    """Numbers from ``start`` up to, not including, ``limit``."""
    return counted_range(emit, start, limit, delta)


def _blocks(
    emit: Emitter, x: Value, block: Value, pairs: Value
) -> tuple[tuple[int, ...], tuple[Dim, ...], tuple[Dim, ...]]:
    sizes = emit.ints(block, "block_shape")
    low, high = _pairs(emit, pairs, len(sizes))
    if x.type.rank <= len(sizes) or any(n < 1 for n in sizes):
        raise emit.fail(f"has blocks {list(sizes)} for {x.type}", code="F006")
    return sizes, low, high


@builtin("SPACE_TO_BATCH_ND", "SpaceToBatchNDOptions", integers="moved")
def space_to_batch_nd(emit: Emitter, x: Value, block_shape: Value, paddings: Value) -> Value:
    """Positions within blocks of the spatial axes become batches."""
    sizes, low, high = _blocks(emit, x, block_shape, paddings)
    rest = (0,) * (x.type.rank - 1 - len(sizes))
    if any(p != 0 for p in (*low, *high)):
        x = emit(ir.Pad(x, (0, *low, *rest), (0, *high, *rest), "constant"))
    batch, *spatial = x.type.shape
    counts = [d // b for d, b in zip(spatial, sizes, strict=False)]
    if any(isinstance(d, int) and d % b for d, b in zip(spatial, sizes, strict=False)):
        raise emit.fail(f"cuts {x.type} into blocks {list(sizes)}", code="F002")
    m, tail = len(sizes), tuple(spatial[len(sizes) :])
    pairs = [n for pair in zip(counts, sizes, strict=True) for n in pair]
    split = emit.reshape(x, (batch, *pairs, *tail))
    perm = (*range(2, 2 * m + 1, 2), 0, *range(1, 2 * m, 2), *range(2 * m + 1, split.type.rank))
    return emit.reshape(emit.transpose(split, perm), (batch * product(sizes), *counts, *tail))


@builtin("BATCH_TO_SPACE_ND", "BatchToSpaceNDOptions", integers="moved")
def batch_to_space_nd(emit: Emitter, x: Value, block_shape: Value, crops: Value) -> Value:
    """Batches become positions within blocks of the spatial axes."""
    sizes, low, high = _blocks(emit, x, block_shape, crops)
    m = len(sizes)
    batch, spatial, tail = x.type.shape[0], x.type.shape[1 : m + 1], x.type.shape[m + 1 :]
    split = emit.reshape(x, (*sizes, batch // product(sizes), *spatial, *tail))
    pairs = [n for i in range(m) for n in (m + 1 + i, i)]
    moved = emit.transpose(split, (m, *pairs, *range(2 * m + 1, split.type.rank)))
    whole = [d * b for d, b in zip(spatial, sizes, strict=True)]
    joined = emit.reshape(moved, (batch // product(sizes), *whole, *tail))
    ends = [d - h for d, h in zip(whole, high, strict=True)]
    return cut(emit, joined, {1 + i: (a, e, 1) for i, (a, e) in enumerate(zip(low, ends, strict=True))})


@builtin("DYNAMIC_UPDATE_SLICE", "DynamicUpdateSliceOptions", integers="moved")
def dynamic_update_slice(emit: Emitter, x: Value, update: Value, starts: Value) -> Value:
    """Overwrite a part."""
    return emit(DynamicUpdateSlice(x, update, starts))
