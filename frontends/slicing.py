"""Slices as Python counts them, with negative, clamped and open ends, over sizes that may be symbolic."""

from __future__ import annotations

from collections.abc import Sequence

from ..compiler.dims import Dim, at_least, ceil_div, maximum, minimum
from ..compiler.ir import Value
from ..compiler.ops.shape import Pad, Slice
from .emitter import BaseEmitter

OPEN = 2**31 - 1
"""Exporters write this, or more, for "up to the end"; no axis is as long."""


def cut(emit: BaseEmitter, x: Value, cuts: dict[int, tuple[Dim, Dim, int]]) -> Value:
    """Cut ``x`` from start to end in steps, per axis.

    Raises:
        CompileError: F002, a step is zero.
    """
    shape = x.type.shape
    starts, sizes, steps = [0] * len(shape), list(shape), [1] * len(shape)
    bounds: list[Dim] = list(starts)
    for axis, (start, end, step) in cuts.items():
        bounds[axis], sizes[axis] = _span(emit, shape[axis], start, end, step)
        steps[axis] = step
    if sizes == list(shape) and all(step == 1 for step in steps):
        return x
    return emit(Slice(x, tuple(bounds), tuple(sizes), tuple(steps)))


def _span(emit: BaseEmitter, size: Dim, start: Dim, end: Dim, step: int) -> tuple[Dim, Dim]:
    """Return the first position and the number of positions."""
    if step == 0:
        raise emit.fail("has a step of zero", code="F002")
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


def pad(emit: BaseEmitter, x: Value, low: Sequence[Dim], high: Sequence[Dim], mode: str, value: float = 0.0) -> Value:
    """Pad by numbers of positions; negative ones cut. Where the sign is open, both are done, one of them by nothing."""
    if mode in MIRRORS:
        return _trimmed(emit, _grown(emit, x, low, high, mode, value), low, high)
    return _grown(emit, _trimmed(emit, x, low, high), low, high, mode, value)


MIRRORS = ("edge", "reflect", "symmetric")
"""What these put outside is made of the whole, also of what the other side cuts."""


def _trimmed(emit: BaseEmitter, x: Value, low: Sequence[Dim], high: Sequence[Dim]) -> Value:
    shape = x.type.shape
    before, after = ([minimum(p, 0) for p in side] for side in (low, high))
    if all(p == 0 for p in (*before, *after)):
        return x
    sizes = (maximum(d + a + b, 0) for d, a, b in zip(shape, before, after, strict=True))
    return emit(Slice(x, tuple(-a for a in before), tuple(sizes), (1,) * len(shape)))


def _grown(emit: BaseEmitter, x: Value, low: Sequence[Dim], high: Sequence[Dim], mode: str, value: float) -> Value:
    more = [tuple(maximum(p, 0) for p in side) for side in (low, high)]
    if all(p == 0 for side in more for p in side):
        return x
    return emit(Pad(x, more[0], more[1], mode, value))
