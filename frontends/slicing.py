"""Slices as Python counts them, with negative, clamped and open ends, over sizes that may be symbolic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..compiler.dims import Dim, at_least, ceil_div, is_by_data, maximum, minimum
from ..compiler.ir import Value
from ..compiler.ops.shape import Pad, Reverse, Slice
from .bound import Position
from .emitter import BaseEmitter
from .spans import OPEN, parts_by_data, span_by_data


def cut(emit: BaseEmitter, x: Value, cuts: Mapping[int, tuple[Dim | Position, Dim | Position, int]]) -> Value:
    """Cut ``x`` from start to end in steps, per axis.

    Raises:
        CompileError: F002, a step is zero.
    """
    shape = x.type.shape
    starts, sizes, steps = [0] * len(shape), list(shape), [1] * len(shape)
    bounds: list[Dim] = list(starts)
    backwards: dict[int, int] = {}
    for axis, (start, end, step) in cuts.items():
        if step == 0:
            raise emit.fail("has a step of zero", code="F002")
        first, last = (p.decided if isinstance(p, Position) else p for p in (start, end))
        if first is None or last is None or (isinstance(start, Position) and _stays_as_long(first, last, step)):
            bounds[axis], sizes[axis] = span_by_data(emit, x, axis, (start, end), step)
            if step < 0:
                backwards[axis], step = step, 1
        else:
            bounds[axis], sizes[axis] = _span(shape[axis], first, last, step)
        steps[axis] = step
    if sizes == list(shape) and all(step == 1 for step in steps):
        return x
    part = emit(Slice(x, tuple(bounds), tuple(sizes), tuple(steps)))
    return _walked_back(emit, part, backwards) if backwards else part


def _walked_back(emit: BaseEmitter, x: Value, steps: Mapping[int, int]) -> Value:
    """Walk backwards along some axes, in steps: a slice in negative steps has no end where it may be empty."""
    x = emit(Reverse(x, tuple(steps)))
    return cut(emit, x, {axis: (0, OPEN, -step) for axis, step in steps.items()})


def _stays_as_long(start: Dim, end: Dim, step: int) -> bool:
    """Say whether data decides about two positions, but not about how far apart they are."""
    return step == 1 and is_by_data(start) and isinstance(length := end - start, int) and length > 0


def _span(size: Dim, start: Dim, end: Dim, step: int) -> tuple[Dim, Dim]:
    """Return the first position and the number of positions."""
    if step > 0:
        first, last = _clamp(start, size, 0, size), _clamp(end, size, 0, size)
        count = ceil_div(last - first, step)
    else:
        first, last = _clamp(start, size, 0, size - 1), _clamp(end, size, -1, size - 1)
        count = ceil_div(first - last, -step)
    count = maximum(count, 0)
    return (0 if count == 0 else first), count


def _clamp(position: Dim, size: Dim, low: Dim, high: Dim) -> Dim:
    """Count a negative position from the end, then clamp."""
    if isinstance(position, int) and abs(position) >= OPEN:
        return high if position > 0 else low
    if at_least(-1, position):
        position = position + size
    elif not at_least(position, 0):
        position = position + size * minimum(maximum(-position, 0), 1)  # one size more if it is negative
    return minimum(maximum(position, low), high)


def pad(
    emit: BaseEmitter,
    x: Value,
    low: Sequence[Dim | Position],
    high: Sequence[Dim | Position],
    mode: str,
    value: float = 0.0,
) -> Value:
    """Pad by numbers of positions; negative ones cut. Where the sign is open, both are done, one of them by nothing."""
    before, after = ([_parts(emit, p) for p in side] for side in (low, high))
    more = [tuple(p for p, _ in side) for side in (before, after)]
    less = [tuple(p for _, p in side) for side in (before, after)]
    if mode in MIRRORS:
        return _trimmed(emit, _grown(emit, x, more, mode, value), less)
    return _grown(emit, _trimmed(emit, x, less), more, mode, value)


MIRRORS = ("edge", "reflect", "symmetric")
"""What these put outside is made of the whole, also of what the other side cuts."""


def _parts(emit: BaseEmitter, padding: Dim | Position) -> tuple[Dim, Dim]:
    """Return how many positions are added, and how many are cut: at least one of them is zero."""
    size = padding.decided if isinstance(padding, Position) else padding
    return parts_by_data(emit, padding) if size is None else (maximum(size, 0), maximum(-size, 0))


def _trimmed(emit: BaseEmitter, x: Value, less: Sequence[tuple[Dim, ...]]) -> Value:
    low, high = less
    if all(p == 0 for p in (*low, *high)):
        return x
    sizes = tuple(maximum(d - a - b, 0) for d, a, b in zip(x.type.shape, low, high, strict=True))
    return emit(Slice(x, low, sizes, (1,) * len(sizes)))


def _grown(emit: BaseEmitter, x: Value, more: Sequence[tuple[Dim, ...]], mode: str, value: float) -> Value:
    low, high = more
    return x if all(p == 0 for p in (*low, *high)) else emit(Pad(x, low, high, mode, value))
