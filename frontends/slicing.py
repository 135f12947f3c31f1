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
        CompileError: F002 a step is zero, F004 the sign of an end depends on symbolic sizes.
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
            bounds[axis], sizes[axis] = _span(emit, shape[axis], first, last, step)
        steps[axis] = step
    if sizes == list(shape) and all(step == 1 for step in steps):
        return x
    part = emit(Slice(x, tuple(bounds), tuple(sizes), tuple(steps)))
    return _turned(emit, part, backwards) if backwards else part


def _turned(emit: BaseEmitter, x: Value, steps: Mapping[int, int]) -> Value:
    """Walk backwards along some axes, in steps: a slice in negative steps has no end where it may be empty."""
    x = emit(Reverse(x, tuple(steps)))
    return cut(emit, x, {axis: (0, OPEN, -step) for axis, step in steps.items()})


def _stays_as_long(start: Dim, end: Dim, step: int) -> bool:
    """Say whether data decides about two positions, but not about how far apart they are."""
    return step == 1 and is_by_data(start) and isinstance(length := end - start, int) and length > 0


def _span(emit: BaseEmitter, size: Dim, start: Dim, end: Dim, step: int) -> tuple[Dim, Dim]:
    """Return the first position and the number of positions."""
    if step > 0:
        first, last = _clamp(emit, start, size, 0, size), _clamp(emit, end, size, 0, size)
        count = ceil_div(last - first, step)
    else:
        first, last = _clamp(emit, start, size, 0, size - 1), _clamp(emit, end, size, -1, size - 1)
        count = ceil_div(first - last, -step)
    count = count if at_least(count, 0) else maximum(count, 0)
    return (0 if count == 0 else first), count


def _clamp(emit: BaseEmitter, position: Dim, size: Dim, low: Dim, high: Dim) -> Dim:
    """Count a negative position from the end, then clamp."""
    if isinstance(position, int) and abs(position) >= OPEN:
        return high if position > 0 else low
    if at_least(-1, position):
        position = position + size
    elif not at_least(position, 0):
        raise emit.fail(
            f"counts to {position}, and whether that is negative depends on the shapes of inputs",
            code="F004",
            help="Fix them by shapes=...",
        )
    if not at_least(position, low):
        position = maximum(position, low)
    return position if at_least(high, position) else high if at_least(position, high) else minimum(position, high)


def pad(
    emit: BaseEmitter,
    x: Value,
    low: Sequence[Dim | Position],
    high: Sequence[Dim | Position],
    mode: str,
    value: float = 0.0,
) -> Value:
    """Pad by numbers of positions; negative ones cut.

    Raises:
        CompileError: F004, the sign of a number depends on symbolic sizes.
    """
    sides = [[_parts(emit, p) for p in side] for side in (low, high)]
    (more_low, less_low), (more_high, less_high) = (tuple(zip(*side, strict=True)) or ((), ()) for side in sides)
    if mode in MIRRORS:
        return _trimmed(emit, _grown(emit, x, more_low, more_high, mode, value), less_low, less_high)
    return _grown(emit, _trimmed(emit, x, less_low, less_high), more_low, more_high, mode, value)


MIRRORS = ("edge", "reflect", "symmetric")
"""What these put outside is made of the whole, also of what the other side cuts."""


def _parts(emit: BaseEmitter, padding: Dim | Position) -> tuple[Dim, Dim]:
    """Return how many positions are added, and how many are cut: at least one of them is zero."""
    size = padding.decided if isinstance(padding, Position) else padding
    if size is None:
        return parts_by_data(emit, padding)
    if not (at_least(size, 0) or at_least(-1, size)):
        text = f"pads by {size}, and whether that is negative depends on the shapes of inputs"
        raise emit.fail(text, code="F004")
    return (size, 0) if at_least(size, 0) else (0, -size)


def _trimmed(emit: BaseEmitter, x: Value, low: Sequence[Dim], high: Sequence[Dim]) -> Value:
    if all(p == 0 for p in (*low, *high)):
        return x
    cuts = [d - a - b for d, a, b in zip(x.type.shape, low, high, strict=True)]
    sizes = tuple(max(n, 0) if isinstance(n, int) else n for n in cuts)
    starts = tuple(0 if n == 0 else a for a, n in zip(low, sizes, strict=True))
    return emit(Slice(x, starts, sizes, (1,) * len(sizes)))


def _grown(emit: BaseEmitter, x: Value, low: Sequence[Dim], high: Sequence[Dim], mode: str, value: float) -> Value:
    if all(p == 0 for p in (*low, *high)):
        return x
    return emit(Pad(x, tuple(low), tuple(high), mode, value))
