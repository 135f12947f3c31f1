"""Reading images at positions that a grid gives."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from itertools import product as combinations

from ....compiler.ir import Value
from ....compiler.ops import arith, logic
from ....compiler.ops.arith import Add, Mul, Sub
from ....compiler.ops.shape import Slice
from ....compiler.types import DType
from ...sampling import Tap, neighbours, weighted
from ..emitter import Emitter
from ..registry import aten

MODES = ("linear", "nearest", "cubic")
PADDINGS = ("zeros", "border", "reflection")


@aten("grid_sampler", "grid_sampler_2d", "grid_sampler_3d")
def grid_sampler(
    emit: Emitter, x: Value, grid: Value, interpolation_mode: int, padding_mode: int, align_corners: bool
) -> Value:
    """Interpolate at the positions in ``grid``, whose last axis counts the spatial axes from the last one on."""
    rank, dtype = x.type.rank, grid.type.dtype
    along: list[list[Tap]] = []
    for axis, size in enumerate(x.type.shape[2:]):
        line = _Line(emit, emit.value(size, dtype), align_corners, PADDINGS[padding_mode])
        along.append(line.taps(line.position(grid, rank - 3 - axis), MODES[interpolation_mode]))
    images = emit.transpose(x, (0, *range(2, rank), 1))
    total = reduce(lambda a, b: emit(Add(a, b)), [weighted(emit, images, corner) for corner in combinations(*along)])
    return emit.transpose(total, (0, rank - 1, *range(1, rank - 1)))


@dataclass(frozen=True)
class _Line:
    """The ``size`` pixels along an axis of an image; with ``align_corners`` it ends at their centres, else at edges."""

    emit: Emitter
    size: Value
    align_corners: bool
    padding: str

    def number(self, value: float) -> Value:
        """A constant beside positions."""
        return self.emit.const(value, self.size.type.dtype)

    @property
    def last(self) -> Value:
        """The number of the last pixel."""
        return self.emit(Sub(self.size, self.number(1)))

    def position(self, grid: Value, axis: int) -> Value:
        """The place between pixels that a grid gives, whose -1 and 1 are the ends."""
        emit, shape = self.emit, grid.type.shape
        count = len(shape) - 1
        column = emit(Slice(grid, (*[0] * count, axis), (*shape[:count], 1), (1,) * (count + 1)))
        ends = self.last if self.align_corners else self.size
        half = emit(Mul(ends, self.number(0.5)))
        shift = half if self.align_corners else emit(Sub(half, self.number(0.5)))
        return emit(Add(emit(Mul(emit.reshape(column, shape[:count]), half)), shift))

    def taps(self, at: Value, mode: str) -> list[Tap]:
        """The pixels around places with their weights, and masks of those inside; cubic ones are padded one by one."""
        emit, is_cubic = self.emit, mode == "cubic"
        found: list[Tap] = []
        for place, weight in neighbours(emit, at if is_cubic else self._padded(at), mode):
            moved = self._padded(place) if is_cubic else place
            inside = self._clipped(moved)
            mask = emit.cast(emit(logic.Equal(inside, moved)), at.type.dtype) if self.padding == "zeros" else None
            found.append((emit.cast(inside, DType.I64), weight, mask))
        return found

    def _padded(self, at: Value) -> Value:
        if self.padding == "zeros":
            return at
        return self._clipped(self._reflected(at) if self.padding == "reflection" else at)

    def _clipped(self, at: Value) -> Value:
        return self.emit(arith.Min(self.emit(arith.Max(at, self.number(0))), self.last))

    def _reflected(self, at: Value) -> Value:
        """Mirrored at the ends until it is between them; of one pixel, that."""
        emit = self.emit
        low = self.number(0 if self.align_corners else -0.5)
        span = self.last if self.align_corners else self.size
        period = emit(arith.Max(emit(Mul(span, self.number(2))), self.number(1)))
        phase = emit(arith.Mod(emit(arith.Abs(emit(Sub(at, low)))), period))
        return emit(Add(emit(arith.Min(phase, emit(Sub(period, phase)))), low))
