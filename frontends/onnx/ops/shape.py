"""Operators that move, cut and join data, and that speak of shapes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from ....compiler.diagnostics import CompileError, counted
from ....compiler.dims import Dim, broadcast, ceil_div, exact_div, product
from ....compiler.ir import Value
from ....compiler.ops import shape as ir
from ....compiler.ops.logic import Equal, Select
from ....compiler.ops.reduce import Reduce
from ....compiler.types import DType
from ...bound import Position
from ...common.axes_by_data import known_axes, spread, squeezed, unsqueezed
from ...common.moves import axes_of_one, may_be_one
from ...common.reshaping import stated_shape
from ...common.steps_by_data import Cut, cuts_along, gathered, scalars
from ...slicing import cut, pad
from ..emitter import Emitter
from ..lists import Imported, Nothing, ValueList
from ..registry import Since, onnx_op


@onnx_op("Identity", since=7)
def identity(emit: Emitter, input: Value | ValueList | Nothing) -> Imported:
    """Identity: the same tensor, sequence or optional value."""
    return input


@onnx_op("Reshape", since=7)
def reshape(emit: Emitter, data: Value, shape: Value, *, allowzero: Annotated[int, Since(14)] = 0) -> Value:
    """-1 stands for what remains, and 0 for the size at the same place unless ``allowzero``."""
    before, target = data.type.shape, stated_shape(emit, data, shape, zero_copies=not allowzero)
    numbers = [d for d in target if isinstance(d, int)]
    if numbers.count(-1) > 1 or min(numbers, default=0) < -1 or (allowzero and {0, -1} <= set(numbers)):
        raise emit.fail(f"can't mean the shape {list(target)}", code="F002")
    if not allowzero and any(d == 0 for d in target[len(before) :]):
        raise emit.fail(f"copies a size that {data.type} does not have: {list(target)}", code="F002")
    with emit.typed():
        return emit.reshape(data, ir.resolve_reshape(before, target, zero_copies=not allowzero))


@onnx_op("Flatten", since=7)
def flatten(emit: Emitter, input: Value, *, axis: int = 1) -> Value:
    """Make a matrix: the axes before ``axis``, and the others."""
    shape = input.type.shape
    first = len(shape) if axis == len(shape) else emit.axis(axis, len(shape))
    return emit.reshape(input, (product(shape[:first]), product(shape[first:])))


@onnx_op("Squeeze", since=7, until=12)
def squeeze_attribute(emit: Emitter, data: Value, *, axes: tuple[int, ...] = ()) -> Value:
    """Squeeze before operator set 13: removes axes of size one, given by an attribute."""
    return _squeeze(emit, data, axes)


@onnx_op("Squeeze", since=13)
def squeeze(emit: Emitter, data: Value, axes: Value | None = None) -> Value:
    """Squeeze: removes axes of size one, all or those that are given."""
    found = () if axes is None else known_axes(emit, axes, data.type.rank)
    return squeezed(emit, data, axes) if found is None and axes is not None else _squeeze(emit, data, found or ())


def _squeeze(emit: Emitter, x: Value, axes: Sequence[int]) -> Value:
    shape = x.type.shape
    dropped = emit.axes(axes, len(shape)) if axes else _axes_of_one(emit, x)
    if any(isinstance(shape[i], int) and shape[i] != 1 for i in dropped):
        raise emit.fail(f"drops axes {list(dropped)} of {x.type}, which have not size one", code="T001")
    return emit.reshape(x, [d for i, d in enumerate(shape) if i not in dropped])


def _axes_of_one(emit: Emitter, x: Value) -> Sequence[int]:
    """Return the axes of size one; where a size may be one, what the rest of the network is possible with."""
    taken = emit.graphs.assumed()
    if taken is not None:
        return [i for i, d in enumerate(x.type.shape) if (taken and may_be_one(d)) or d == 1]
    try:
        return axes_of_one(emit, x)
    except CompileError:
        emit.graphs.leave_undecided()
        raise


@onnx_op("Unsqueeze", since=7, until=12)
def unsqueeze_attribute(emit: Emitter, data: Value, *, axes: tuple[int, ...]) -> Value:
    """Unsqueeze before operator set 13: inserts axes of size one, given by an attribute."""
    return _unsqueeze(emit, data, axes)


@onnx_op("Unsqueeze", since=13)
def unsqueeze(emit: Emitter, data: Value, axes: Value) -> Value:
    """Unsqueeze: inserts axes of size one, at places of the result."""
    rank = data.type.rank + (axes.type.size if isinstance(axes.type.size, int) else 0)
    found = known_axes(emit, axes, rank)
    return unsqueezed(emit, data, axes) if found is None else _unsqueeze(emit, data, found)


def _unsqueeze(emit: Emitter, x: Value, axes: Sequence[int]) -> Value:
    inserted = emit.axes(axes, x.type.rank + len(axes))
    rest = iter(x.type.shape)
    return emit.reshape(x, [1 if i in inserted else next(rest) for i in range(x.type.rank + len(axes))])


@onnx_op("Transpose", since=7)
def transpose(emit: Emitter, data: Value, *, perm: tuple[int, ...] | None = None) -> Value:
    """Transpose: permutes the axes; without ``perm`` it reverses them."""
    rank = data.type.rank
    order = tuple(reversed(range(rank))) if perm is None else emit.axes(perm, rank)
    return data if order == tuple(range(rank)) else emit(ir.Transpose(data, order))


@onnx_op("Concat", since=7)
def concat(emit: Emitter, *inputs: Value, axis: int) -> Value:
    """Concat: joins any number of tensors along an axis."""
    return emit(ir.Concat(inputs, emit.axis(axis, inputs[0].type.rank)))


@onnx_op("Split", since=7, until=12)
def split_attribute(emit: Emitter, input: Value, *, axis: int = 0, split: tuple[int, ...] = ()) -> tuple[Value, ...]:
    """Cut into pieces of stated or of equal sizes."""
    return _split(emit, input, axis, split or None, even=True)


@onnx_op("Split", since=13)
def split(
    emit: Emitter,
    input: Value,
    split: Value | None = None,
    *,
    axis: int = 0,
    num_outputs: Annotated[int | None, Since(18)] = None,
) -> tuple[Value, ...]:
    """Cut into pieces of stated or of equal sizes; the last of ``num_outputs`` may be smaller."""
    if num_outputs is not None and num_outputs != len(emit.node.outputs):
        raise emit.fail(
            f"has {counted(len(emit.node.outputs), 'output')}, but num_outputs is {num_outputs}", code="F002"
        )
    sizes = None if split is None else emit.dims(split, "split")
    return _split(emit, input, axis, sizes, even=num_outputs is None)


def _split(emit: Emitter, x: Value, axis: int, sizes: Sequence[Dim] | None, *, even: bool) -> tuple[Value, ...]:
    axis, parts = emit.axis(axis, x.type.rank), len(emit.node.outputs)
    if sizes is None:
        total = x.type.shape[axis]
        size = exact_div(total, parts)
        if size is None:
            if even and isinstance(total, int):
                raise emit.fail(f"cuts an axis of size {total} into {parts} equal parts", code="T001")
            size = total // parts if even else ceil_div(total, parts)
        sizes = [size] * parts if even else [*[size] * (parts - 1), total - size * (parts - 1)]
    if len(sizes) != parts:
        raise emit.fail(f"has {counted(parts, 'output')}, but {counted(len(sizes), 'size')}", code="F002")
    return emit.all(ir.Split(x, axis, tuple(sizes)))


@onnx_op("Slice", since=7, until=9)
def slice_attributes(
    emit: Emitter, data: Value, *, starts: tuple[int, ...], ends: tuple[int, ...], axes: tuple[int, ...] = ()
) -> Value:
    """Slice before operator set 10: bounds are attributes, steps are one."""
    return _slice(emit, data, starts, ends, axes, [1] * len(starts))


@onnx_op("Slice", since=10)
def slice_(
    emit: Emitter, data: Value, starts: Value, ends: Value, axes: Value | None = None, steps: Value | None = None
) -> Value:
    """Slice: from starts to ends; negative steps go backwards."""
    if any(v is not None and emit.known.dims(v) is None for v in (axes, steps)):
        return _by_data(emit, data, (starts, ends, steps), axes)
    first = emit.positions(starts, "starts")
    along = () if axes is None else emit.ints(axes, "axes")
    strides = [1] * len(first) if steps is None else emit.ints(steps, "steps")
    return _slice(emit, data, first, emit.positions(ends, "ends"), along, strides)


def _by_data(emit: Emitter, x: Value, given: tuple[Value, Value, Value | None], axes: Value | None) -> Value:
    """Slice along axes or in steps that data decides about."""
    starts, ends = (scalars(emit, v) for v in given[:2])
    steps = [emit.const(1, DType.I64)] * len(starts) if given[2] is None else scalars(emit, given[2])
    if not len(starts) == len(ends) == len(steps):
        raise emit.fail("has another number of starts than of ends or steps", code="F002")
    cuts = [Cut(*parts) for parts in zip(starts, ends, steps, strict=True)]
    if axes is not None and emit.known.dims(axes) is None:
        found = cuts_along(emit, x.type.rank, scalars(emit, axes), cuts)
    else:
        along = emit.axes(range(len(cuts)) if axes is None else emit.ints(axes, "axes"), x.type.rank)
        found = dict(zip(along, cuts, strict=True))
    for axis, part in found.items():
        x = gathered(emit, x, axis, part)
    return x


def _slice(
    emit: Emitter,
    x: Value,
    starts: Sequence[Dim | Position],
    ends: Sequence[Dim | Position],
    axes: Sequence[int],
    steps: Sequence[int],
) -> Value:
    along = emit.axes(axes or range(len(starts)), x.type.rank)
    if not len(starts) == len(ends) == len(along) == len(steps):
        raise emit.fail("has another number of starts than of ends, axes or steps", code="F002")
    return cut(emit, x, dict(zip(along, zip(starts, ends, steps, strict=True), strict=True)))


@onnx_op("Expand", since=8)
def expand(emit: Emitter, input: Value, shape: Value) -> Value:
    """Expand: broadcasts the data and a shape with each other."""
    with emit.typed():
        target = broadcast(input.type.shape, emit.dims(shape, "shape"))
        return input if target == input.type.shape else emit(ir.BroadcastTo(input, target))


@onnx_op("Tile", since=7)
def tile(emit: Emitter, input: Value, repeats: Value) -> Value:
    """Tile: repeats the whole tensor along every axis."""
    return emit(ir.Tile(input, emit.dims(repeats, "repeats")))


@onnx_op("Shape", since=7)
def shape(
    emit: Emitter, data: Value, *, start: Annotated[int, Since(15)] = 0, end: Annotated[int | None, Since(15)] = None
) -> Value:
    """Shape: the sizes as a vector, all or those from ``start`` to ``end``."""
    return emit(ir.ShapeOf(data, tuple(range(data.type.rank)[start:end])))


@onnx_op("Size", since=7)
def size(emit: Emitter, data: Value) -> Value:
    """Size: the number of elements, as a scalar of i64."""
    sizes = emit(ir.ShapeOf(data, tuple(range(data.type.rank))))
    return emit(Reduce(sizes, "prod", (0,), keepdims=False))


PAD_MODES = ("constant", "reflect", "edge", "wrap")
"""Modes of padding; the IR calls them the same."""


@onnx_op("Pad", since=7, until=10)
def pad_attributes(
    emit: Emitter, data: Value, *, pads: tuple[int, ...], mode: str = "constant", value: float = 0.0
) -> Value:
    """Pad before operator set 11: paddings and their value are attributes."""
    return _pad(emit, data, pads, tuple(range(data.type.rank)), mode, value)


@onnx_op("Pad", since=11)
def pad_(
    emit: Emitter,
    data: Value,
    pads: Value,
    constant_value: Value | None = None,
    axes: Annotated[Value | None, Since(18)] = None,
    *,
    mode: str = "constant",
) -> Value:
    """Pad: pads all axes, or those that are given, by one of four modes."""
    along: tuple[int, ...] = tuple(range(data.type.rank))
    if axes is not None:
        known = known_axes(emit, axes, data.type.rank, ordered=True)
        along, pads = (known, pads) if known is not None else (along, _pads_of_all(emit, pads, axes, len(along)))
    widths = emit.positions(pads, "pads")
    if mode == "constant" and constant_value is not None and emit.known(constant_value) is None:
        is_inside = emit(Equal(_pad(emit, _ones(emit, data), widths, along, mode, 0.0), emit.const(1, DType.I32)))
        padded = _pad(emit, data, widths, along, mode, 0.0)
        return emit(Select(is_inside, padded, emit.reshape(constant_value, ())))
    value = emit.scalar(constant_value, "constant_value") if mode == "constant" else 0.0
    return _pad(emit, data, widths, along, mode, value)


def _pads_of_all(emit: Emitter, pads: Value, axes: Value, rank: int) -> Value:
    """Return the paddings of all axes, where those are given of axes that data names."""
    count = axes.type.size
    if not isinstance(count, int) or pads.type.size != 2 * count:
        raise emit.fail(f"has paddings {pads.type} for axes {axes.type}", code="F002")
    sides = (emit(ir.Slice(pads, (start,), (count,), (1,))) for start in (0, count))
    return emit(ir.Concat(tuple(spread(emit, side, axes, rank) for side in sides), 0))


def _ones(emit: Emitter, like: Value) -> Value:
    return emit.expand(emit.const(1, DType.I32), like.type.shape)


def _pad(
    emit: Emitter, x: Value, pads: Sequence[Dim | Position], axes: tuple[int, ...], mode: str, value: float
) -> Value:
    if mode not in PAD_MODES:
        raise emit.fail(f"has the mode {mode!r}, none of {', '.join(PAD_MODES)}", code="F002")
    if len(pads) != 2 * len(axes):
        raise emit.fail(f"has {counted(len(pads), 'padding')} for {counted(len(axes), 'axis', 'axes')}", code="F002")
    low: list[Dim | Position] = [0] * x.type.rank
    high = list(low)
    for i, axis in enumerate(axes):
        low[axis], high[axis] = pads[i], pads[i + len(axes)]
    return pad(emit, x, low, high, mode, value)
