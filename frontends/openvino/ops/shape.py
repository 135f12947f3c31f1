"""Operations that move, cut and join data, and that speak of shapes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from ....compiler.diagnostics import counted
from ....compiler.dims import Dim, broadcast, exact_div, product
from ....compiler.ir import Value
from ....compiler.ops import shape as ir
from ....compiler.types import DType
from ...bound import Position
from ...common.moves import axes_of_one, parts_of_sizes
from ...common.ranges import counted_range
from ...common.reshaping import stated_shape
from ...common.rolling import rolled
from ...common.schema import Since
from ...common.strided_slice import Masks, sliced
from ...slicing import cut, pad
from ..emitter import Emitter
from ..registry import openvino_op


@openvino_op("Identity", since=16)
def identity(emit: Emitter, x: Value) -> Value:
    """Identity: its operand, so that nothing is left of it in the IR."""
    return x


@openvino_op("Assign", since=3)
def assign(emit: Emitter, x: Value, *, variable_id: str = "") -> Value:
    """Assign: its operand; the reader collects what variables hold at the end of a call."""
    return x


@openvino_op("ReadValue", since=3)
def read_value(
    emit: Emitter,
    x: Value | None = None,
    *,
    variable_id: str,
    variable_shape: str = "",
    variable_type: DType = DType.F32,
) -> Value:
    """What the last call has stored; before the first one the operand, or zeros."""
    if x is None:
        dims = [part.strip() for part in variable_shape.strip("[]").split(",") if part.strip()]
        if not all(d.isdecimal() and len(d) < 10 for d in dims):
            raise emit.fail(f"begins with zeros of the open shape {variable_shape}", code="F004")
        zero = emit.convert(emit.const(0, variable_type), variable_type)
        x = emit.expand(zero, [int(d) for d in dims])
    return emit.around.read(variable_id, x)


@openvino_op("Reshape")
def reshape(emit: Emitter, x: Value, shape: Value, *, special_zero: bool = False) -> Value:
    """-1 stands for what remains, and 0 for the size at the same place if ``special_zero``."""
    before, target = x.type.shape, stated_shape(emit, x, shape, zero_copies=special_zero)
    numbers = [d for d in target if isinstance(d, int)]
    if numbers.count(-1) > 1 or min(numbers, default=0) < -1:
        raise emit.fail(f"can't mean the shape {list(target)}", code="F002")
    if special_zero and any(d == 0 for d in target[len(before) :]):
        raise emit.fail(f"copies a size that {x.type} does not have: {list(target)}", code="F002")
    with emit.typed():
        return emit.reshape(x, ir.resolve_reshape(before, target, zero_copies=special_zero))


@openvino_op("Squeeze", until=14)
def squeeze(emit: Emitter, x: Value, axes: Value | None = None) -> Value:
    """Drop axes of size one; of the stated axes, those that are."""
    return _squeeze(emit, x, axes)


@openvino_op("Squeeze", since=15)
def squeeze_some(emit: Emitter, x: Value, axes: Value | None = None, *, allow_axis_skip: bool = False) -> Value:
    """Drop axes of size one; of the stated axes, those that are."""
    return _squeeze(emit, x, axes)


def _squeeze(emit: Emitter, x: Value, axes: Value | None) -> Value:
    shape = x.type.shape
    stated = () if axes is None else emit.ints(axes, "axes")
    asked = {emit.axis(a, len(shape)) for a in stated} if stated else axes_of_one(emit, x)
    dropped = [i for i in asked if shape[i] == 1 or not isinstance(shape[i], int)]
    return emit.reshape(x, [d for i, d in enumerate(shape) if i not in dropped])


@openvino_op("Unsqueeze")
def unsqueeze(emit: Emitter, x: Value, axes: Value) -> Value:
    """Unsqueeze: axes of size 1, which are counted in the result; duplicates count once."""
    stated = dict.fromkeys(emit.ints(axes, "axes"))
    rank = x.type.rank + len(stated)
    inserted = emit.axes(list(stated), rank)
    rest = iter(x.type.shape)
    return emit.reshape(x, [1 if i in inserted else next(rest) for i in range(rank)])


@openvino_op("Transpose")
def transpose(emit: Emitter, x: Value, order: Value) -> Value:
    """Transpose: the axes in a constant order, or reversed if the order is empty."""
    rank = x.type.rank
    perm = emit.ints(order, "order") or tuple(reversed(range(rank)))
    return emit.transpose(x, emit.axes(perm, rank))


@openvino_op("Concat")
def concat(emit: Emitter, *xs: Value, axis: int) -> Value:
    """Joined along an axis that the attribute names; one operand alone is the result."""
    return xs[0] if len(xs) == 1 else emit(ir.Concat(xs, emit.axis(axis, xs[0].type.rank)))


@openvino_op("Split")
def split(emit: Emitter, x: Value, axis: Value, *, num_splits: int) -> tuple[Value, ...]:
    """Split: parts of equal size along a constant axis, whose size they have to divide."""
    along = emit.axis(emit.int(axis, "axis"), x.type.rank)
    size = exact_div(x.type.shape[along], num_splits) if num_splits > 0 else None
    if size is None:
        raise emit.fail(f"cuts {x.type} into {num_splits} equal parts along axis {along}", code="T001")
    return emit.all(ir.Split(x, along, (size,) * num_splits))


@openvino_op("VariadicSplit")
def variadic_split(emit: Emitter, x: Value, axis: Value, lengths: Value) -> tuple[Value, ...]:
    """Cut into pieces of stated sizes; -1 stands for what remains."""
    return parts_of_sizes(emit, x, lengths, axis)


def _bits(mask: tuple[int, ...]) -> int:
    return sum(1 << i for i, bit in enumerate(mask) if bit)


@openvino_op("StridedSlice")
def strided_slice(
    emit: Emitter,
    x: Value,
    begin: Value,
    end: Value,
    strides: Value | None = None,
    *,
    begin_mask: tuple[int, ...],
    end_mask: tuple[int, ...],
    new_axis_mask: tuple[int, ...] = (),
    shrink_axis_mask: tuple[int, ...] = (),
    ellipsis_mask: tuple[int, ...] = (),
) -> Value:
    """As Python slices; masks have an entry for each bound, and are 1 where the bound at the end of the axis counts."""
    steps = emit.const([1] * len(emit.dims(begin, "begin"))) if strides is None else strides
    masks = Masks(*map(_bits, (begin_mask, end_mask, ellipsis_mask, new_axis_mask, shrink_axis_mask)))
    return sliced(emit, x, (begin, end, steps), masks, offset=False)


@openvino_op("Slice", since=8)
def slice_(emit: Emitter, x: Value, start: Value, stop: Value, step: Value, axes: Value | None = None) -> Value:
    """Slice: starts, stops and steps along all axes or stated ones; with negative steps from the end backward."""
    cuts = cuts_of(emit, x, (start, stop, step), axes)
    return cut(emit, x, cuts)


def cuts_of(
    emit: Emitter, x: Value, bounds: tuple[Value, Value, Value], axes: Value | None
) -> dict[int, tuple[Position, Position, int]]:
    """Return starts, stops and steps by axis.

    Raises:
        CompileError: F004 or F006, they are not known, or not equally many.
    """
    start, stop, step = bounds
    first, last, steps = emit.positions(start, "start"), emit.positions(stop, "stop"), emit.ints(step, "step")
    along = range(len(first)) if axes is None else emit.axes(emit.ints(axes, "axes"), x.type.rank)
    if not len(first) == len(last) == len(steps) == len(along) or len(first) > x.type.rank:
        raise emit.fail("has another number of starts than of stops, steps or axes", code="F006")
    return dict(zip(along, zip(first, last, steps, strict=True), strict=True))


@openvino_op("Tile")
def tile(emit: Emitter, x: Value, repeats: Value) -> Value:
    """Tile: the whole tensor repeated along each axis; where numbers or axes are missing, leading ones are added."""
    times = emit.dims(repeats, "repeats")
    rank = max(len(times), x.type.rank)
    x = emit.reshape(x, (*[1] * (rank - x.type.rank), *x.type.shape))
    return emit(ir.Tile(x, (*[1] * (rank - len(times)), *times)))


PadMode = Literal["constant", "reflect", "edge", "symmetric"]


@openvino_op("Pad")
def pad_(
    emit: Emitter, x: Value, begin: Value, end: Value, value: Value | None = None, *, pad_mode: PadMode = "constant"
) -> Value:
    """Pad on all axes, with a constant, the edge, or a mirrored tensor; negative paddings cut."""
    low, high = emit.positions(begin, "pads_begin"), emit.positions(end, "pads_end")
    if not len(low) == len(high) == x.type.rank:
        raise emit.fail(f"pads {x.type} by {counted(len(low), 'number')} before and {len(high)} after", code="F006")
    filled = float(emit.scalar(value, "pad_value")) if pad_mode == "constant" else 0.0
    return pad(emit, x, low, high, pad_mode, filled)


@openvino_op("Broadcast", until=2)
def broadcast_to(
    emit: Emitter,
    x: Value,
    shape: Value,
    axes: Value | None = None,
    *,
    mode: Literal["numpy", "explicit", "none", "pdpd"] = "numpy",
) -> Value:
    """Repeat up to a shape; its axes that the operand has are the last ones, or stated."""
    return _broadcast(emit, x, emit.dims(shape, "shape"), axes, "explicit" if mode == "none" else mode)


@openvino_op("Broadcast", since=3)
def broadcast_both(
    emit: Emitter,
    x: Value,
    shape: Value,
    axes: Value | None = None,
    *,
    mode: Literal["numpy", "explicit", "bidirectional", "pdpd"] = "numpy",
) -> Value:
    """Repeat up to a shape, or to what both shapes broadcast to."""
    return _broadcast(emit, x, emit.dims(shape, "shape"), axes, mode)


def _broadcast(emit: Emitter, x: Value, target: Sequence[Dim], axes: Value | None, mode: str) -> Value:
    if mode == "pdpd" and x.type.rank != len(target):
        raise emit.fail(f"broadcasts {x.type} as PaddlePaddle does")
    if mode == "bidirectional":
        with emit.typed():
            return emit.expand(x, broadcast(x.type.shape, tuple(target)))
    if mode == "explicit":
        places = () if axes is None else emit.axes(emit.ints(axes, "axes_mapping"), len(target))
        if len(places) != x.type.rank or list(places) != sorted(places):
            raise emit.fail(f"puts the axes of {x.type} to {list(places)}", code="F002")
        sizes = iter(x.type.shape)
        x = emit.reshape(x, [next(sizes) if i in places else 1 for i in range(len(target))])
    return emit.expand(x, target)


@openvino_op("ShapeOf")
def shape_of(emit: Emitter, x: Value, *, output_type: Annotated[DType, Since(3)] = DType.I64) -> Value:
    """ShapeOf: the sizes of all axes as a vector; it folds to a constant if they are known."""
    return emit(ir.ShapeOf(x, tuple(range(x.type.rank)), output_type))


@openvino_op("Range", until=3)
def range_same(emit: Emitter, start: Value, stop: Value, step: Value) -> Value:
    """Range before operation set 4: numbers from ``start`` up to, not including, ``stop``, in their own type."""
    return counted_range(emit, start, stop, step)


@openvino_op("Range", since=4)
def range_(emit: Emitter, start: Value, stop: Value, step: Value, *, output_type: DType) -> Value:
    """Numbers from ``start`` up to, not including, ``stop``, of a stated type."""
    return counted_range(emit, *(emit.convert(v, output_type) for v in (start, stop, step)))


@openvino_op("Reverse", until=3)
def reverse(emit: Emitter, x: Value, axes: Value, *, mode: Literal["index", "mask"] = "index") -> Value:
    """Reverse: the order of elements reversed along axes, which are listed or have a 1 in a mask."""
    stated = emit.numbers(axes, "axes").reshape(-1).tolist()
    dims = tuple(map(int, stated)) if mode == "index" else tuple(i for i, bit in enumerate(stated) if bit)
    return emit(ir.Reverse(x, emit.axes(dims, x.type.rank)))


@openvino_op("Roll", since=7)
def roll(emit: Emitter, x: Value, shift: Value, axes: Value) -> Value:
    """Roll: elements moved along axes; those that leave at the end come in at the beginning."""
    along = [emit.axis(axis, x.type.rank) for axis in emit.ints(axes, "axes")]
    shifts = emit.expand(emit.reshape(shift, (1,)), (len(along),)) if shift.type.size == 1 else shift
    if shifts.type.size != len(along):
        raise emit.fail(
            f"shifts {counted(len(along), 'axis', 'axes')} by {counted(shifts.type.size, 'number')}", code="F006"
        )
    return rolled(emit, x, shifts, along)


@openvino_op("ShuffleChannels")
def shuffle_channels(emit: Emitter, x: Value, *, axis: int = 1, group: int = 1) -> Value:
    """ShuffleChannels: an axis split into groups, these exchanged with what is in one, and merged again."""
    along, shape = emit.axis(axis, x.type.rank), x.type.shape
    each = exact_div(shape[along], group) if group > 0 else None
    if each is None:
        raise emit.fail(f"shuffles {x.type} in {group} groups along axis {along}", code="T001")
    split_shape = (*shape[:along], group, each, *shape[along + 1 :])
    perm = list(range(len(split_shape)))
    perm[along], perm[along + 1] = along + 1, along
    return emit.reshape(emit.transpose(emit.reshape(x, split_shape), perm), shape)


@openvino_op("SpaceToBatch", since=2)
def space_to_batch(emit: Emitter, x: Value, block_shape: Value, begin: Value, end: Value) -> Value:
    """Put the positions of blocks into the batch, which counts them outermost."""
    x = pad(emit, x, emit.dims(begin, "pads_begin"), emit.dims(end, "pads_end"), "constant")
    blocks = emit.ints(block_shape, "block_shape")
    split_shape: list[Dim] = []
    for d, block in zip(x.type.shape, blocks, strict=True):
        size = exact_div(d, block) if block > 0 else None
        if size is None:
            raise emit.fail(f"cuts {x.type} into blocks of {list(blocks)}", code="T001")
        split_shape += [size, block]
    rank = len(blocks)
    perm = [*(2 * i + 1 for i in range(rank)), *(2 * i for i in range(rank))]
    moved = emit.transpose(emit.reshape(x, split_shape), perm)
    sizes = split_shape[::2]
    return emit.reshape(moved, (product(blocks) * sizes[0], *sizes[1:]))


@openvino_op("BatchToSpace", since=2)
def batch_to_space(emit: Emitter, x: Value, block_shape: Value, begin: Value, end: Value) -> Value:
    """BatchToSpace: the batch is split into blocks of positions, which interleave; then crops cut the edges."""
    blocks, shape = emit.ints(block_shape, "block_shape"), x.type.shape
    batch = exact_div(shape[0], product(blocks))
    if batch is None or len(blocks) != len(shape):
        raise emit.fail(f"puts {x.type} into blocks of {list(blocks)}", code="T001")
    rank, sizes = len(blocks), (batch, *shape[1:])
    split_shape = (*blocks, *sizes)
    perm = [axis for i in range(rank) for axis in (rank + i, i)]
    moved = emit.transpose(emit.reshape(x, split_shape), perm)
    whole = emit.reshape(moved, [d * b for d, b in zip(sizes, blocks, strict=True)])
    low, high = emit.dims(begin, "crops_begin"), emit.dims(end, "crops_end")
    return pad(emit, whole, [-p for p in low], [-p for p in high], "constant")
