"""Handlers of operators that move, cut and join data, and that compute with shapes."""

from __future__ import annotations

from typing import Literal

import numpy as np

from ....compiler.dims import UNBOUNDED, Dim, is_by_data, is_static, product, static
from ....compiler.ir import Value
from ....compiler.ops import shape as ir
from ....compiler.ops.dynamic import DynamicSlice
from ....compiler.types import Array, DType
from ...bound import Bounds
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
from ...common.rolling import rolled
from ...common.strided_slice import Masks, sliced
from ...slicing import cut
from ..emitter import Emitter
from ..registry import tf_op


@tf_op("Reshape")
def reshape(emit: Emitter, tensor: Value, shape: Value) -> Value:
    """Reshape: the same elements in row-major order under another shape, in which one size may be -1."""
    target = stated_shape(emit, tensor, shape, zero_copies=False)
    if sum(d == -1 for d in target) > 1:
        raise emit.fail(f"has the shape {list(target)}", code="F002")
    with emit.typed():
        return emit.reshape(tensor, ir.resolve_reshape(tensor.type.shape, target, zero_copies=False))


@tf_op("Squeeze")
def squeeze(emit: Emitter, input: Value, *, squeeze_dims: tuple[int, ...] = ()) -> Value:
    """Squeeze: the stated axes of size 1 removed, or all axes of size 1 if none is stated."""
    return squeezed(emit, input, squeeze_dims)


@tf_op("ExpandDims")
def expand_dims(emit: Emitter, input: Value, dim: Value) -> Value:
    """ExpandDims: one more axis of size 1, at a position of the result."""
    return unsqueezed(emit, input, dim)


@tf_op("Transpose")
def transpose(emit: Emitter, x: Value, perm: Value) -> Value:
    """Transpose: the axes in another order, which has to be a constant."""
    order = emit.axes(emit.ints(perm, "perm"), x.type.rank)
    return emit.transpose(x, order) if len(order) == x.type.rank else emit(ir.Transpose(x, order))


@tf_op("InvertPermutation")
def invert_permutation(emit: Emitter, x: Value) -> Value:
    """InvertPermutation: the permutation that undoes a constant one, computed while importing."""
    given = emit.ints(x, "x")
    order = emit.axes(given, len(given))
    return emit.const(sorted(range(len(order)), key=order.__getitem__), x.type.dtype)


@tf_op("ConcatV2")
def concat_v2(emit: Emitter, values: tuple[Value, ...], axis: Value) -> Value:
    """ConcatV2: tensors joined along a constant axis, which is the last operand; a single one is the result."""
    along = emit.axis(emit.int(axis, "axis"), values[0].type.rank)
    return emit(ir.Concat(values, along)) if len(values) != 1 else values[0]


@tf_op("Concat")
def concat(emit: Emitter, concat_dim: Value, values: tuple[Value, ...]) -> Value:
    """Concat: tensors joined along a constant axis, which is the first operand, unlike that of ConcatV2."""
    return concat_v2(emit, values, concat_dim)


@tf_op("Split")
def split(emit: Emitter, split_dim: Value, value: Value, *, num_split: int) -> tuple[Value, ...]:
    """Split: parts of equal size along a constant axis, whose size they have to divide."""
    return equal_parts(emit, value, emit.axis(emit.int(split_dim, "axis"), value.type.rank), num_split)


@tf_op("SplitV")
def split_v(emit: Emitter, value: Value, size_splits: Value, split_dim: Value, *, num_split: int) -> tuple[Value, ...]:
    """Parts of given sizes, one of which may be what is left."""
    return parts_of_sizes(emit, value, size_splits, split_dim)


@tf_op("Pack")
def pack(emit: Emitter, values: tuple[Value, ...], *, axis: int = 0) -> Value:
    """Pack: any number of tensors of one shape, joined along a new axis."""
    if not values:
        raise emit.fail("joins nothing", code="F006")
    return joined(emit, values, axis)


@tf_op("Unpack")
def unpack(emit: Emitter, value: Value, *, num: int, axis: int = 0) -> tuple[Value, ...]:
    """Unpack: one result for each position along an axis, which is removed; ``num`` has to be its size."""
    return pieces(emit, value, num, axis)


@tf_op("Slice")
def slice_(emit: Emitter, input: Value, begin: Value, size: Value) -> Value:
    """From a position on; a size of -1 is all that is left."""
    starts, sizes = emit.known.dims(begin), emit.dims(size, "size", _within(input))
    if len(sizes) != input.type.rank or (starts is not None and len(starts) != input.type.rank):
        raise emit.fail(f"has {len(sizes)} sizes for {input.type}", code="F006")
    if starts is None and -1 not in sizes and is_static(sizes):
        return emit(DynamicSlice(input, begin, sizes))
    starts = emit.dims(begin, "begin", _within(input))
    if any(map(is_by_data, (*starts, *sizes))):
        rest = zip(sizes, input.type.shape, starts, strict=True)
        sizes = tuple(d - a if n == -1 else n for n, d, a in rest)
        return emit(ir.Slice(input, starts, sizes, (1,) * len(sizes)))
    ends = [d if n == -1 else a + n for d, a, n in zip(input.type.shape, starts, sizes, strict=True)]
    return cut(emit, input, {i: (a, e, 1) for i, (a, e) in enumerate(zip(starts, ends, strict=True))})


def _within(x: Value) -> list[Bounds]:
    """Return the bounds of what has to be within each axis."""
    return [Bounds(0, d if isinstance(d, int) else UNBOUNDED) for d in x.type.shape]


@tf_op("StridedSlice")
def strided_slice(
    emit: Emitter,
    input: Value,
    begin: Value,
    end: Value,
    strides: Value,
    *,
    begin_mask: int = 0,
    end_mask: int = 0,
    ellipsis_mask: int = 0,
    new_axis_mask: int = 0,
    shrink_axis_mask: int = 0,
) -> Value:
    """As Python slices; positions that data decide about, one along each axis, are read."""
    masks = Masks(begin_mask, end_mask, ellipsis_mask, new_axis_mask, shrink_axis_mask)
    if emit.known.dims(begin) is None and _is_single(input, begin, masks):
        return _at_position(emit, input, begin)
    return sliced(emit, input, (begin, end, strides), masks, offset=False)


def _is_single(x: Value, begin: Value, masks: Masks) -> bool:
    """Whether a slice takes single positions along the first axes, and everything of the others."""
    count = begin.type.size
    return isinstance(count, int) and count <= x.type.rank and all(masks.kind(i) == "single" for i in range(count))


def _at_position(emit: Emitter, x: Value, begin: Value) -> Value:
    """Take one position along the first axes."""
    count = begin.type.size
    assert isinstance(count, int)
    rest = x.type.rank - count
    zeros = emit.const(np.zeros(rest), begin.type.dtype)
    starts = emit(ir.Concat((begin, zeros), 0)) if rest else begin
    shape = x.type.shape[count:]
    return emit.reshape(emit(DynamicSlice(x, starts, (*[1] * count, *shape))), shape)


@tf_op("Pad")
def pad(emit: Emitter, input: Value, paddings: Value) -> Value:
    """Pad: zeros before and after each axis, by widths that must not be negative."""
    low, high = pairs_of(emit, paddings, input.type.rank)
    return emit(ir.Pad(input, low, high, "constant"))


@tf_op("PadV2")
def pad_v2(emit: Emitter, input: Value, paddings: Value, constant_values: Value) -> Value:
    """PadV2: one constant number before and after each axis, by widths that must not be negative."""
    low, high = pairs_of(emit, paddings, input.type.rank)
    return emit(ir.Pad(input, low, high, "constant", float(emit.scalar(constant_values, "constant_values"))))


@tf_op("MirrorPad")
def mirror_pad(emit: Emitter, input: Value, paddings: Value, *, mode: Literal["REFLECT", "SYMMETRIC"]) -> Value:
    """MirrorPad: the tensor mirrored at its ends, without the edge (REFLECT) or with it (SYMMETRIC)."""
    low, high = pairs_of(emit, paddings, input.type.rank)
    return emit(ir.Pad(input, low, high, mode.lower()))


@tf_op("Tile")
def tile(emit: Emitter, input: Value, multiples: Value) -> Value:
    """Tile: the whole tensor repeated along each axis, by numbers that may be computed."""
    return emit(ir.Tile(input, emit.dims(multiples, "multiples")))


@tf_op("ReverseV2")
def reverse_v2(emit: Emitter, tensor: Value, axis: Value) -> Value:
    """ReverseV2: the order of elements reversed along a list of constant axes."""
    axes = emit.axes(emit.ints(axis, "axis"), tensor.type.rank)
    return emit(ir.Reverse(tensor, axes)) if axes else tensor


@tf_op("Reverse")
def reverse(emit: Emitter, tensor: Value, dims: Value) -> Value:
    """Reverse: the order of elements reversed along the axes that are true in a constant vector."""
    axes = tuple(i for i, is_reversed in enumerate(emit.numbers(dims, "dims").reshape(-1).tolist()) if is_reversed)
    return emit(ir.Reverse(tensor, axes)) if axes else tensor


@tf_op("Roll")
def roll(emit: Emitter, input: Value, shift: Value, axis: Value) -> Value:
    """Turn around along axes: what leaves at one end comes in at the other."""
    return rolled(emit, input, shift, [emit.axis(a, input.type.rank) for a in emit.ints(axis, "axis")])


@tf_op("BroadcastTo")
def broadcast_to(emit: Emitter, input: Value, shape: Value) -> Value:
    """BroadcastTo: repetition along axes of size 1 and new leading ones, up to a shape that may be computed."""
    return emit.expand(input, emit.dims(shape, "shape"))


@tf_op("BroadcastArgs")
def broadcast_args(emit: Emitter, s0: Value, s1: Value) -> Value:
    """BroadcastArgs: the shape that tensors of two given shapes broadcast to together."""
    return common_shape(emit, s0, s1)


@tf_op("Shape")
def shape(emit: Emitter, input: Value, *, out_type: DType = DType.I32) -> Value:
    """Shape: the sizes of all axes as a vector; it folds to a constant if they are known."""
    return emit(ir.ShapeOf(input, tuple(range(input.type.rank)), out_type))


@tf_op("ShapeN")
def shape_n(emit: Emitter, input: tuple[Value, ...], *, out_type: DType = DType.I32) -> tuple[Value, ...]:
    """ShapeN: the shapes of several tensors, each of them a vector of its own."""
    return tuple(shape(emit, x, out_type=out_type) for x in input)


@tf_op("Size")
def size(emit: Emitter, input: Value, *, out_type: DType = DType.I32) -> Value:
    """Size: the number of elements, a constant if all sizes are known, else their product at run time."""
    count = product(input.type.shape)
    if isinstance(count, int):
        return emit.const(count, out_type)
    from ....compiler.ops.reduce import Reduce

    return emit(Reduce(shape(emit, input, out_type=out_type), "prod", (0,), keepdims=False))


@tf_op("Rank")
def rank(emit: Emitter, input: Value) -> Value:
    """Rank: the number of axes, always a constant, since ranks are known in the IR."""
    return emit.const(input.type.rank, DType.I32)


@tf_op("Range")
def range_(emit: Emitter, start: Value, limit: Value, delta: Value) -> Value:
    """Range: numbers from ``start`` up to, not including, ``limit``, in steps of ``delta``."""
    return counted_range(emit, start, limit, delta)


@tf_op("LinSpace")
def lin_space(emit: Emitter, start: Value, stop: Value, num: Value) -> Value:
    """LinSpace: a constant of ``num`` numbers from ``start`` to ``stop``, both of them included."""
    first, last = float(emit.scalar(start, "start")), float(emit.scalar(stop, "stop"))
    count = emit.positive(emit.int(num, "num"), "number")
    return emit.const(np.linspace(first, last, count), start.type.dtype)


@tf_op("SpaceToBatchND")
def space_to_batch_nd(emit: Emitter, input: Value, block_shape: Value, paddings: Value) -> Value:
    """SpaceToBatchND: after a padding, positions within blocks of the spatial axes move into the batch."""
    return space_to_batch(emit, input, block_shape, paddings)


@tf_op("BatchToSpaceND")
def batch_to_space_nd(emit: Emitter, input: Value, block_shape: Value, crops: Value) -> Value:
    """BatchToSpaceND: parts of the batch become positions within blocks; then crops cut the edges."""
    return batch_to_space(emit, input, block_shape, crops)


@tf_op("SpaceToBatch")
def space_to_batch_of_images(emit: Emitter, input: Value, paddings: Value, *, block_size: int) -> Value:
    """SpaceToBatch: SpaceToBatchND for images with channels last, and square blocks that an attribute states."""
    return space_to_batch(emit, input, emit.const((block_size, block_size), DType.I32), paddings)


@tf_op("BatchToSpace")
def batch_to_space_of_images(emit: Emitter, input: Value, crops: Value, *, block_size: int) -> Value:
    """BatchToSpace: BatchToSpaceND for images with channels last, and square blocks that an attribute states."""
    return batch_to_space(emit, input, emit.const((block_size, block_size), DType.I32), crops)


@tf_op("MatrixBandPart")
def matrix_band_part(emit: Emitter, input: Value, num_lower: Value, num_upper: Value) -> Value:
    """Zeros beyond so many diagonals below and above the main one; a negative number keeps all."""
    from ....compiler.ops.logic import Select

    below, above = emit.int(num_lower, "num_lower"), emit.int(num_upper, "num_upper")
    sizes: tuple[Dim, ...] = input.type.shape[-2:]
    if len(sizes) < 2 or not all(isinstance(d, int) for d in sizes):
        raise emit.fail(f"keeps diagonals of {input.type}", code="F004")
    rows, columns = static(sizes)
    distance: Array = np.arange(rows)[:, None] - np.arange(columns)[None, :]
    least, most = (-columns if above < 0 else -above), (rows if below < 0 else below)
    kept = (distance >= least) & (distance <= most)
    return emit(Select(emit.const(kept), input, emit.const(0, input.type.dtype)))
