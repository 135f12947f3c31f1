"""How reshapes and slices are said where sizes are open: by what need not be computed."""

from __future__ import annotations

from collections.abc import Sequence

from ...compiler.dims import Dim, Sym, at_least, maximum
from ...compiler.ops import shape as ir
from .table import condition


def unknown(shape: Sequence[Dim]) -> int:
    """Count the sizes of a shape that are open."""
    return sum(isinstance(d, Sym) for d in shape)


@condition("several named sizes, and axes of size one that come or go")
def only_units(op: ir.Reshape) -> str | None:
    """Condition: only axes of size one are added or removed, so that no size has to be computed."""
    before, after = op.x.type.shape, op.shape
    if unknown(after) < 2 or [d for d in before if d != 1] != [d for d in after if d != 1]:
        return "other sizes than those of size one change"
    moves = len(before) == len(after) or not (added_units(before, after) or added_units(after, before))
    return "axes that move" if moves else None


def added_units(before: Sequence[Dim], after: Sequence[Dim]) -> tuple[int, ...]:
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
def unsqueezes(op: ir.Reshape) -> str | None:
    """Whether a reshape adds axes of size one; otherwise it removes them."""
    return None if added_units(op.x.type.shape, op.shape) else "no axes of size one are added"


def _cut(size: Dim, start: Dim, count: Dim, step: int, ends: tuple[int, int]) -> tuple[Dim, Dim]:
    """Return where a slice begins and ends along an axis."""
    least, most = ends
    if count == 0:
        return 0, 0
    end = start + count * step
    if step < 0:
        return _backwards(size, start, count, end, least)
    if end == size or at_least(end, size):
        return _place(start, size), most
    return _place(start, size), _place(end, size)


def _backwards(size: Dim, start: Dim, count: Dim, end: Dim, least: int) -> tuple[Dim, Dim]:
    """Return where a slice in negative steps begins and ends.

    Where it may be empty, or its end may lie before the axis or not, both count so that neither wraps around.
    """
    if at_least(end, 0):
        return _place(start, size), _place(end, size)
    if at_least(-1, end) and at_least(count, 1):
        return _place(start, size), least
    return maximum(start, 0), end + maximum(-start, 0) - size


def _place(position: Dim, size: Dim) -> Dim:
    """Return a position as a number if it is one from either end."""
    from_end = position - size
    return from_end if isinstance(position, Sym) and isinstance(from_end, int) and from_end < 0 else position


def remaining(op: ir.Reshape) -> tuple[Dim, ...]:
    """Return a shape with -1 for one open size, which is what remains, and 0 for others that stay at their place."""
    shape, before = list(op.shape), op.x.type.shape
    if unknown(shape) > 1:
        shape = [0 if isinstance(d, Sym) and i < len(before) and before[i] == d else d for i, d in enumerate(shape)]
    open_ones = [i for i, d in enumerate(shape) if isinstance(d, Sym)]
    if len(open_ones) == 1:
        shape[open_ones[0]] = -1
    return tuple(shape)


def new_sizes(op: ir.BroadcastTo) -> tuple[Dim, ...]:
    """Return a shape in which open sizes that the operand has already are one."""
    given = (1,) * (len(op.shape) - op.x.type.rank) + op.x.type.shape
    return tuple(1 if isinstance(d, Sym) and d == e else d for d, e in zip(op.shape, given, strict=True))


Cuts = tuple[tuple[Dim, ...], tuple[Dim, ...], tuple[int, ...], tuple[int, ...]]
"""Where slices begin and end, their steps, and their axes."""


def cuts_of(op: ir.Slice, ends: tuple[int, int]) -> Cuts:
    """Return the axes that are cut, and how; positions near the end count from there.

    ``ends`` are the numbers that stand for the beginning and the end of any axis.
    """
    fields = zip(op.x.type.shape, op.starts, op.sizes, op.steps, strict=True)
    cuts = {a: _cut(*cut, ends) for a, cut in enumerate(fields) if cut[0] != cut[2] or cut[3] != 1 or cut[1] != 0}
    axes = tuple(cuts) or (0,)
    starts, stops = (tuple(cuts[a][i] if cuts else (0, ends[1])[i] for a in axes) for i in range(2))
    return starts, stops, tuple(op.steps[a] for a in axes if op.steps), axes


@condition("mirrors and periods that show no more than the whole")
def within(op: ir.Pad) -> str | None:
    """Wider ones show data again and again, which few kernels do."""
    if op.mode in ("constant", "edge"):
        return None
    edge = 1 if op.mode == "reflect" else 0
    for size, low, high in zip(op.x.type.shape, op.low, op.high, strict=True):
        if any(w != 0 and not at_least(size - edge, w) for w in (low, high)):
            return f"paddings {low} and {high} that reach beyond {size} positions"
    return None


@condition("mirrors that are not known to show more than the whole, periods that show no more")
def within_where_known(op: ir.Pad) -> str | None:
    """Kernels refuse mirrors of what there is not, as those of the sources do, so that open sizes may have them."""
    if op.mode not in ("reflect", "symmetric"):
        return within(op)
    edge = 1 if op.mode == "reflect" else 0
    for size, low, high in zip(op.x.type.shape, op.low, op.high, strict=True):
        if any(w != 0 and at_least(w, size - edge + 1) for w in (low, high)):
            return f"paddings {low} and {high} that reach beyond {size} positions"
    return None
