"""Slices as Python counts them, with negative, clamped and open ends, over sizes that may be symbolic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..compiler.dims import Dim, at_least, ceil_div, is_by_data, maximum, minimum
from ..compiler.ir import Value
from ..compiler.ops.shape import Pad, Slice
from .bound import Position
from .emitter import BaseEmitter
from .spans import OPEN, span_by_data

def cut(emit: BaseEmitter, x: Value, cuts: Mapping[int, tuple[Dim | Position, Dim | Position, int]]) -> Value:
    """Cut ``x`` from start to end in steps, per axis.

    Raises:
        CompileError: F002 a step is zero, F004 the sign of an end depends on symbolic sizes.
    """
    shape = x.type.shape
    starts, sizes, steps = [0] * len(shape), list(shape), [1] * len(shape)
    bounds: list[Dim] = list(starts)
    for axis, (start, end, step) in cuts.items():
        if step == 0:
            raise emit.fail("has a step of zero", code="F002")
        first, last = _decided(start), _decided(end)
        if first is None or last is None or (isinstance(start, Position) and _stays_as_long(first, last, step)):
            bounds[axis], sizes[axis] = span_by_data(emit, x, axis, (start, end), step)
        else:
            bounds[axis], sizes[axis] = _span(emit, shape[axis], first, last, step)
        steps[axis] = step
    if sizes == list(shape) and all(step == 1 for step in steps):
        return x
    return emit(Slice(x, tuple(bounds), tuple(sizes), tuple(steps)))


def _decided(position: Dim | Position) -> Dim | None:
    """Return a position if it is known whether it counts from the end, or if nothing but that is known of it."""
    if not isinstance(position, Position):
        return position
    dim = position.dim
    return dim if dim is not None and (not is_by_data(dim) or at_least(dim, 0) or at_least(-1, dim)) else None


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


def pad(emit: BaseEmitter, x: Value, low: Sequence[Dim], high: Sequence[Dim], mode: str, value: float = 0.0) -> Value:
    """Pad by numbers of positions; negative ones cut.

    Raises:
        CompileError: F004, the sign of a number depends on symbolic sizes.
    """
    for p in (*low, *high):
        if not (at_least(p, 0) or at_least(-1, p)):
            raise emit.fail(f"pads by {p}, and whether that is negative depends on the shapes of inputs", code="F004")
    if mode in MIRRORS:
        return _trimmed(emit, _grown(emit, x, low, high, mode, value), low, high)
    return _grown(emit, _trimmed(emit, x, low, high), low, high, mode, value)


MIRRORS = ("edge", "reflect", "symmetric")
"""What these put outside is made of the whole, also of what the other side cuts."""


def _trimmed(emit: BaseEmitter, x: Value, low: Sequence[Dim], high: Sequence[Dim]) -> Value:
    cuts = {
        axis: (-minimum(a, 0), d + minimum(b, 0), 1)
        for axis, (d, a, b) in enumerate(zip(x.type.shape, low, high, strict=True))
        if not (at_least(a, 0) and at_least(b, 0))
    }
    return cut(emit, x, cuts)


def _grown(emit: BaseEmitter, x: Value, low: Sequence[Dim], high: Sequence[Dim], mode: str, value: float) -> Value:
    more = [tuple(p if at_least(p, 0) else 0 for p in side) for side in (low, high)]
    if all(p == 0 for side in more for p in side):
        return x
    return emit(Pad(x, more[0], more[1], mode, value))
