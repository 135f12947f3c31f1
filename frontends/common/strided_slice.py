"""Slices with steps, and with entries that stand for new axes, for single positions, or for all axes that are left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ...compiler.dims import Dim, is_by_data
from ...compiler.ir import Value
from ...compiler.ops.arith import Add
from ..bound import Position
from ..slicing import cut
from ..spans import OPEN, position_value, single_by_data
from .operands import OperandEmitter
from .steps_by_data import Cut, gathered

Bounds = tuple[Dim | Position, Dim | Position, int]
"""Start, end and step."""


@dataclass(frozen=True)
class Masks:
    """What each bit says of the entry of its number."""

    begin: int
    end: int
    ellipsis: int
    new: int
    single: int

    def kind(self, entry: int) -> str:
        """Return what an entry stands for; an ellipsis goes before a new axis, and that before a position."""
        for kind, mask in (("ellipsis", self.ellipsis), ("new", self.new), ("single", self.single)):
            if mask >> entry & 1:
                return kind
        return "span"

    def bounds(self, entry: int, given: Bounds, size: Dim) -> Bounds:
        """Return the bounds of an entry, those that are left out at the ends of the axis."""
        start, end, step = given
        if self.kind(entry) == "single":
            if isinstance(start, Position):
                return start, end, 1
            first = start + size if isinstance(start, int) and start < 0 else start
            return first, first + 1, 1
        if self.begin >> entry & 1:
            start = 0 if step > 0 else OPEN
        if self.end >> entry & 1:
            end = OPEN if step > 0 else -OPEN
        return start, end, step


@dataclass
class Cuts:
    """What a slice does: bounds by axis, and the axes of the result: new ones of size one (None), or of the operand.

    ``entries`` says which entry belongs to an axis.
    """

    bounds: dict[int, Bounds] = field(default_factory=lambda: dict[int, Bounds]())
    axes: list[int | None] = field(default_factory=lambda: list[int | None]())
    entries: dict[int, int] = field(default_factory=lambda: dict[int, int]())


def cuts_of(shape: Sequence[Dim], entries: Sequence[Bounds], masks: Masks) -> Cuts | None:
    """Assign the entries to axes; None if there are more than axes, or two ellipses."""
    found, axis = Cuts(), 0
    kinds = [masks.kind(i) for i in range(len(entries))]
    named = kinds.count("single") + kinds.count("span")
    if named > len(shape) or kinds.count("ellipsis") > 1:
        return None
    for i, given in enumerate(entries):
        kind = masks.kind(i)
        if kind == "ellipsis":
            found.axes += range(axis, axis + len(shape) - named)
            axis += len(shape) - named
        elif kind == "new":
            found.axes.append(None)
        else:
            found.bounds[axis] = masks.bounds(i, given, shape[axis])
            found.entries[axis] = i
            found.axes += [] if kind == "single" else [axis]
            axis += 1
    found.axes += range(axis, len(shape))
    return found


def sliced(emit: OperandEmitter, x: Value, bounds: tuple[Value, Value, Value], masks: Masks, *, offset: bool) -> Value:
    """Cut as Python's slices do, by begin, end and strides as operands; with ``offset``, ends count from the starts.

    Raises:
        CompileError: F004, data decides how many entries there are; F006, the entries don't fit the operand.
    """
    begin, end, strides = bounds
    starts, steps = emit.positions(begin, "begin"), emit.positions(strides, "strides")
    ends = emit.positions(emit(Add(begin, end)) if offset else end, "end")
    if not len(starts) == len(ends) == len(steps):
        raise emit.fail("has begin, end and strides of different lengths", code="F006")
    numbers = [step.dim if isinstance(step.dim, int) else 1 for step in steps]
    entries = [(_known(a), _known(b), step) for a, b, step in zip(starts, ends, numbers, strict=True)]
    found = cuts_of(x.type.shape, entries, masks)
    if found is None:
        raise emit.fail(f"has {len(entries)} entries for {x.type}", code="F006")
    for axis, (start, _, _) in found.bounds.items():
        if axis not in found.axes and isinstance(start, Position):
            found.bounds[axis] = (*single_by_data(emit, x, axis, start), 1)
    open_ = {
        axis: entry
        for axis, entry in found.entries.items()
        if not isinstance(steps[entry].dim, int) and masks.kind(entry) == "span"
    }
    part = cut(emit, x, {axis: given for axis, given in found.bounds.items() if axis not in open_})
    for axis, entry in open_.items():
        along = Cut(*(position_value(emit, given[entry]) for given in (starts, ends, steps)))
        ends_open = (bool(masks.begin >> entry & 1), bool(masks.end >> entry & 1))
        part = gathered(emit, part, axis, along, ends_open)
    return emit.reshape(part, [1 if axis is None else part.type.shape[axis] for axis in found.axes])


def _known(position: Position) -> Dim | Position:
    """Return a position as a size where data does not decide about it."""
    return position if position.dim is None or is_by_data(position.dim) else position.dim
