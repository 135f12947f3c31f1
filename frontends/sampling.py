"""Reading images at computed positions: where these lie, the pixels around each, and their weights."""

from __future__ import annotations

from dataclasses import dataclass

from ..compiler.ir import Value
from ..compiler.ops import arith
from ..compiler.ops.arith import Add, Mul, Sub
from ..compiler.ops.index import GatherNd
from ..compiler.ops.shape import Concat, Range, Slice
from ..compiler.types import DType
from .emitter import BaseEmitter

Tap = tuple[Value, Value | None, Value | None]
"""A pixel's number along one axis, its weight, and whether it is inside."""

CUBIC = -0.75
"""The parameter of Keys' kernel."""


@dataclass(frozen=True)
class Line:
    """The ``size`` pixels along an axis of an image; with ``align_corners`` it ends at their centres, else at edges.

    ``size`` is one number in the positions' element type.
    """

    emit: BaseEmitter
    size: Value
    align_corners: bool

    def number(self, value: float) -> Value:
        """Insert a constant in the element type in which positions are computed."""
        return self.emit.const(value, self.size.type.dtype)

    @property
    def last(self) -> Value:
        """The number of the last pixel, ``size - 1``, which is the largest position on the image."""
        return self.emit(Sub(self.size, self.number(1)))

    def position(self, grid: Value, axis: int) -> Value:
        """Return the places between pixels that a grid gives, whose -1 and 1 are the ends."""
        emit, shape = self.emit, grid.type.shape
        count = len(shape) - 1
        column = emit(Slice(grid, (*[0] * count, axis), (*shape[:count], 1), (1,) * (count + 1)))
        ends = self.last if self.align_corners else self.size
        half = emit(Mul(ends, self.number(0.5)))
        shift = half if self.align_corners else emit(Sub(half, self.number(0.5)))
        return emit(Add(emit(Mul(emit.reshape(column, shape[:count]), half)), shift))

    def clipped(self, at: Value) -> Value:
        """Return the nearest places from the first to the last pixel."""
        return self.emit(arith.Min(self.emit(arith.Max(at, self.number(0))), self.last))

    def reflected(self, at: Value) -> Value:
        """Mirror places at the ends until they are between them; where these are one, a place near it."""
        emit = self.emit
        low = self.number(0 if self.align_corners else -0.5)
        span = self.last if self.align_corners else self.size
        period = emit(arith.Max(emit(Mul(span, self.number(2))), self.number(1)))
        phase = emit(arith.Mod(emit(arith.Abs(emit(Sub(at, low)))), period))
        return emit(Add(emit(arith.Min(phase, emit(Sub(period, phase)))), low))


def neighbours(emit: BaseEmitter, x: Value, mode: str) -> list[tuple[Value, Value | None]]:
    """Return the pixels around a position, as floats, with their weights."""
    dtype = x.type.dtype
    if mode == "nearest":
        return [(emit(arith.Round(x)), None)]
    base = emit(arith.Floor(x))
    t = emit(Sub(x, base))
    one = emit.const(1, dtype)
    if mode == "linear":
        return [(base, emit(Sub(one, t))), (emit(Add(base, one)), t)]
    return [
        (emit(Add(base, emit.const(k, dtype))), _keys(emit, emit(arith.Abs(emit(Sub(t, emit.const(k, dtype))))), k))
        for k in (-1, 0, 1, 2)
    ]


def _keys(emit: BaseEmitter, d: Value, tap: int) -> Value:
    """Weight of a pixel at a distance: a cubic for the two nearest ones, another for those further away."""
    a = CUBIC
    factors = (a + 2, -(a + 3), 0.0, 1.0) if tap in (0, 1) else (a, -5 * a, 8 * a, -4 * a)
    out = emit.const(factors[0], d.type.dtype)
    for factor in factors[1:]:
        out = emit(Add(emit(Mul(out, d)), emit.const(factor, d.type.dtype)))
    return out


def weighted(
    emit: BaseEmitter,
    images: Value,
    corner: tuple[Tap, ...],
    batch: Value | None = None,
) -> Value:
    """Gather one neighbour of every position, times its weight; ``batch`` says from which image."""
    places = [place for place, _, _ in corner]
    shape = places[0].type.shape
    taken = gather_pixels(emit, images, places, batch)
    for factor in (f for _, weight, mask in corner for f in (weight, mask) if f is not None):
        wide = emit.cast(factor, taken.type.dtype)
        taken = emit(Mul(taken, emit.reshape(wide, (*shape, 1))))
    return taken


def gather_pixels(emit: BaseEmitter, images: Value, places: list[Value], batch: Value | None = None) -> Value:
    """Return ``[n, ..., c]`` from channels-last images at one number per axis, ``[n, ...]`` each.

    They are taken from the images ``batch``, ``[n]``, by default from one after the other.
    """
    shape = places[0].type.shape
    zero, one = emit.const(0, DType.I64), emit.const(1, DType.I64)
    numbers = emit(Range(zero, one, shape[0])) if batch is None else batch
    spread = emit.reshape(numbers, (shape[0], *[1] * (len(shape) - 1)))
    first = emit(Add(emit(Mul(places[0], zero)), spread))
    columns = [emit.reshape(p, (*shape, 1)) for p in (first, *places)]
    return emit(GatherNd(images, emit(Concat(tuple(columns), len(shape)))))
