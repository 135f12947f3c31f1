"""Rows for operations that move, cut and join data."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ....compiler.dims import Dim, Sym, at_least
from ....compiler.ops import shape as ir
from ....compiler.ops.dynamic import DynamicSlice
from ....compiler.types import DType, TensorType
from ....compiler.weights import Weight
from ..table import ANY, INTEGERS, Call, Dims, Nested, condition, emits, ints, scalar
from .common import elements, number

MOST, LEAST = 2**31 - 1, -(2**31)
"""What stands for "to the end" and "to the beginning"."""


@emits(ir.Transpose, "Transpose", dtypes=ANY)
def transpose(op: ir.Transpose) -> Call:
    """Any permutation."""
    return Call((op.x, ints(*op.perm)))


def _unknown(shape: Sequence[Dim]) -> int:
    return sum(isinstance(d, Sym) for d in shape)


@condition("several named sizes, and axes of size one that come or go")
def _only_units(op: ir.Reshape) -> str | None:
    before, after = op.x.type.shape, op.shape
    if _unknown(after) < 2 or [d for d in before if d != 1] != [d for d in after if d != 1]:
        return "other sizes than those of size one change"
    return None if len(before) != len(after) and (_added(before, after) or _added(after, before)) else "axes that move"


def _added(before: Sequence[Dim], after: Sequence[Dim]) -> tuple[int, ...]:
    """Axes of size one in ``after`` that ``before`` has not; nothing if that does not tell the difference."""
    places: list[int] = []
    rest = list(before)
    for axis, size in enumerate(after):
        if rest and rest[0] == size:
            rest.pop(0)
        elif size == 1:
            places.append(axis)
        else:
            return ()
    return () if rest else tuple(places)


@condition("axes of size one that come")
def _unsqueezes(op: ir.Reshape) -> str | None:
    return None if _added(op.x.type.shape, op.shape) else "no axes of size one are added"


@condition("no axes that remain")
def _to_number(op: ir.Reshape) -> str | None:
    return None if op.x.type.rank and not op.shape else "axes that remain"


@emits(ir.Reshape, "Squeeze", dtypes=ANY, when=(_to_number,))
def squeeze_all(op: ir.Reshape) -> Call:
    """A matrix product before a reshape to no axes ends the runtime's process."""
    return Call((op.x, ints(*range(op.x.type.rank))))


@emits(ir.Reshape, "Unsqueeze", dtypes=ANY, when=(_only_units, _unsqueezes))
def unsqueeze(op: ir.Reshape) -> Call:
    """No size has to be computed."""
    return Call((op.x, ints(*_added(op.x.type.shape, op.shape))))


@emits(ir.Reshape, "Squeeze", dtypes=ANY, when=(_only_units,))
def squeeze(op: ir.Reshape) -> Call:
    """No size has to be computed."""
    return Call((op.x, ints(*_added(op.shape, op.x.type.shape))))


@emits(ir.Reshape, "Reshape", dtypes=ANY)
def reshape(op: ir.Reshape) -> Call:
    """One size may be what remains, and named ones that stay at their place need not be computed."""
    if 0 in op.shape:
        return Call((op.x, Dims(op.shape)), {"special_zero": False})
    shape = list(op.shape)
    before = op.x.type.shape
    if _unknown(shape) > 1:
        shape = [0 if isinstance(d, Sym) and i < len(before) and before[i] == d else d for i, d in enumerate(shape)]
    open_ones = [i for i, d in enumerate(shape) if isinstance(d, Sym)]
    if len(open_ones) == 1:
        shape[open_ones[0]] = -1
    return Call((op.x, Dims(tuple(shape))), {"special_zero": 0 in shape})


@emits(ir.BroadcastTo, "Broadcast", dtypes=ANY)
def broadcast(op: ir.BroadcastTo) -> Call:
    """Sizes that the operand has already may stand as one."""
    given = (1,) * (len(op.shape) - op.x.type.rank) + op.x.type.shape
    pairs = zip(op.shape, given, strict=True)
    sizes = tuple(1 if isinstance(d, Sym) and d == e else d for d, e in pairs)
    return Call((op.x, Dims(sizes)), {"mode": "bidirectional"})


@emits(ir.Concat, "Concat", dtypes={"xs": ANY})
def concat(op: ir.Concat) -> Call:
    """Any number of parts."""
    return Call(op.operands, {"axis": op.axis})


@emits(ir.Split, "VariadicSplit", dtypes=ANY)
def split(op: ir.Split) -> Call:
    """Parts of the stated sizes."""
    return Call((op.x, scalar(op.axis, DType.I64), Dims(op.sizes)))


@emits(ir.Slice, "Slice", dtypes=ANY)
def slice_(op: ir.Slice) -> Call:
    """Only the axes that are cut; positions near the end count from there."""
    fields = zip(op.x.type.shape, op.starts, op.sizes, op.steps, strict=True)
    cuts = {a: _cut(*cut) for a, cut in enumerate(fields) if cut[0] != cut[2] or cut[3] != 1 or cut[1] != 0}
    axes = tuple(cuts) or (0,)
    starts, ends = (tuple(cuts[a][i] if cuts else (0, MOST)[i] for a in axes) for i in range(2))
    steps = tuple(op.steps[a] for a in axes)
    return Call((op.x, Dims(starts), Dims(ends), ints(*steps), ints(*axes)))


def _cut(size: Dim, start: Dim, count: Dim, step: int) -> tuple[Dim, Dim]:
    """Return where a slice begins and ends along an axis."""
    if count == 0:
        return 0, 0
    end = start + count * step
    if step < 0:
        return _place(start, size), LEAST if not at_least(end, 0) else _place(end, size)
    if end == size or at_least(end, size):
        return _place(start, size), MOST
    return _place(start, size), _place(end, size)


def _place(position: Dim, size: Dim) -> Dim:
    """Return a position as a number if it is one from either end."""
    from_end = position - size
    return from_end if isinstance(position, Sym) and isinstance(from_end, int) and from_end < 0 else position


@condition("some axes")
def _some(op: ir.Reverse) -> str | None:
    return None if op.dims else "no axes"


@emits(ir.Reverse, "Slice", dtypes=ANY, when=(_some,))
def reverse(op: ir.Reverse) -> Call:
    """Slices with negative steps."""
    count = len(op.dims)
    return Call((op.x, ints(*[-1] * count), ints(*[LEAST] * count), ints(*[-1] * count), ints(*op.dims)))


MODES = ("constant", "reflect", "edge", "symmetric")


@condition("mode constant, reflect, edge or symmetric")
def _known_mode(op: ir.Pad) -> str | None:
    return None if op.mode in MODES else f"mode {op.mode}"


@condition("mirrors that show no more than the whole")
def _within(op: ir.Pad) -> str | None:
    if op.mode in ("constant", "edge"):
        return None
    edge = 1 if op.mode == "reflect" else 0
    for size, low, high in zip(op.x.type.shape, op.low, op.high, strict=True):
        if any(w != 0 and not at_least(size - edge, w) for w in (low, high)):
            return f"paddings {low} and {high} that reach beyond {size} positions"
    return None


@emits(ir.Pad, "Pad", dtypes=ANY, when=(_known_mode, _within))
def pad(op: ir.Pad) -> Call:
    """Filled with a number, or with what is there."""
    widths = Dims(op.low), Dims(op.high)
    filling = (number(op.value, op.x),) if op.mode == "constant" else ()
    return Call((op.x, *widths, *filling), {"pad_mode": op.mode})


@emits(ir.Tile, "Tile", dtypes=ANY)
def tile(op: ir.Tile) -> Call:
    """Repetition of the whole."""
    return Call((op.x, Dims(op.repeats)))


@condition("all axes")
def _whole(op: ir.ShapeOf) -> str | None:
    return None if op.dims == tuple(range(op.x.type.rank)) else "some sizes"


@emits(ir.ShapeOf, "ShapeOf", dtypes={"x": ANY, "dtype": INTEGERS}, when=(_whole,))
def shape_of(op: ir.ShapeOf) -> Call:
    """The whole shape."""
    return Call((op.x,), {"output_type": op.dtype})


@emits(ir.ShapeOf, "Gather", dtypes={"x": ANY, "dtype": INTEGERS})
def sizes_of(op: ir.ShapeOf) -> Call:
    """Picked from the whole shape."""
    type = TensorType(op.dtype, (op.x.type.rank,))
    whole = Nested("ShapeOf", type, (op.x,), {"output_type": op.dtype})
    return Call((whole, ints(*op.dims), scalar(0, DType.I64)), {"batch_dims": 0})


@condition("constant start and step")
def _known_steps(op: ir.Range) -> str | None:
    known = elements(op.start) is not None and elements(op.step) is not None
    return None if known else "ends that are computed"


@emits(ir.Range, "Range", dtypes=INTEGERS, when=(_known_steps,))
def range_(op: ir.Range) -> Call:
    """A size that is known only when the network runs."""
    start, step = elements(op.start), elements(op.step)
    assert start is not None and step is not None
    dtype = op.start.type.dtype
    limit = op.size * int(step) + int(start)
    inputs = (Weight.of(np.asarray(start)), Dims((limit,), (), dtype), Weight.of(np.asarray(step)))
    return Call(inputs, {"output_type": dtype})


@emits(DynamicSlice, "Slice", dtypes={"x": ANY, "starts": INTEGERS})
def dynamic_slice(op: DynamicSlice) -> Call:
    """From computed starts to as many positions after them."""
    starts = op.starts.type
    ends = Nested("Add", starts, (op.starts, Dims(op.sizes, None, starts.dtype)))
    steps, axes = ([1] * len(op.sizes), range(len(op.sizes)))
    return Call((op.x, op.starts, ends, _counts(steps, starts.dtype), _counts(axes, starts.dtype)))


def _counts(values: Sequence[int], dtype: DType) -> Weight:
    return Weight.of(np.asarray(values, dtype.numpy))
