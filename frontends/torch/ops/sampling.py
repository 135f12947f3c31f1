"""Reading images at positions that a grid gives."""

from __future__ import annotations

from functools import reduce
from itertools import product as combinations

from ....compiler.ir import Value
from ....compiler.ops import logic
from ....compiler.ops.arith import Add
from ....compiler.types import DType
from ...sampling import Line, Tap, neighbours, weighted
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
        line = Line(emit, emit.value(size, dtype), align_corners)
        at = line.position(grid, rank - 3 - axis)
        along.append(_taps(emit, line, at, MODES[interpolation_mode], PADDINGS[padding_mode]))
    images = emit.transpose(x, (0, *range(2, rank), 1))
    total = reduce(lambda a, b: emit(Add(a, b)), [weighted(emit, images, corner) for corner in combinations(*along)])
    return emit.transpose(total, (0, rank - 1, *range(1, rank - 1)))


def _taps(emit: Emitter, line: Line, at: Value, mode: str, padding: str) -> list[Tap]:
    """The pixels around places with their weights, and masks of those inside; cubic ones are padded one by one."""
    is_cubic = mode == "cubic"
    found: list[Tap] = []
    for place, weight in neighbours(emit, at if is_cubic else _padded(line, at, padding), mode):
        moved = _padded(line, place, padding) if is_cubic else place
        inside = line.clipped(moved)
        mask = emit.cast(emit(logic.Equal(inside, moved)), at.type.dtype) if padding == "zeros" else None
        found.append((emit.cast(inside, DType.I64), weight, mask))
    return found


def _padded(line: Line, at: Value, padding: str) -> Value:
    if padding == "zeros":
        return at
    return line.clipped(line.reflected(at) if padding == "reflection" else at)
