"""Images read at the positions that a grid gives."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from itertools import product as combinations

from ...compiler.dims import Dim
from ...compiler.ir import Value
from ...compiler.ops import arith, logic
from ...compiler.ops.activation import Clip
from ...compiler.ops.arith import Add, Cast
from ...compiler.ops.shape import Transpose
from ...compiler.types import DType
from ..emitter import BaseEmitter
from ..sampling import Line, Tap, neighbours, weighted

MODES = {"nearest": "nearest", "linear": "linear", "bilinear": "linear", "cubic": "cubic", "bicubic": "cubic"}
PADDINGS = ("zeros", "border", "reflection")


def known_size(emit: BaseEmitter, size: Dim) -> int:
    """Return the size of an image.

    Raises:
        CompileError: F004, it is open.
    """
    if not isinstance(size, int):
        raise emit.fail("samples an image of unknown size", code="F004", help="Fix it by shapes=...")
    return size


def grid_sample(
    emit: BaseEmitter, x: Value, grid: Value, mode: str, padding_mode: str, *, align_corners: bool
) -> Value:
    """Interpolate at the positions in ``grid``, whose last axis counts the spatial axes from the last one on.

    Raises:
        CompileError: F002, the mode or the grid is none; F004, the image has an open size.
    """
    chosen = MODES.get(mode)
    spatial = x.type.rank - 2
    if chosen is None or padding_mode not in PADDINGS or grid.type.shape[-1:] != (spatial,):
        raise emit.fail(f"has mode {mode!r}, padding {padding_mode!r} and a grid {grid.type} for {x.type}", code="F002")
    along: list[list[Tap]] = []
    for axis, size in enumerate(known_size(emit, d) for d in x.type.shape[2:]):
        line = Line(emit, emit.const(size, grid.type.dtype), align_corners)
        at = line.position(grid, spatial - 1 - axis)
        along.append(pixels(emit, at, size, (chosen, padding_mode), align_corners=align_corners))
    images = emit(Transpose(x, (0, *range(2, x.type.rank), 1)))
    total = reduce(lambda a, b: emit(Add(a, b)), [weighted(emit, images, corner) for corner in combinations(*along)])
    rank = total.type.rank
    return emit(Transpose(total, (0, rank - 1, *range(1, rank - 1))))


def pixels(emit: BaseEmitter, at: Value, size: int, rules: tuple[str, str], *, align_corners: bool) -> list[Tap]:
    """Return pixel numbers along one axis with their weights, and masks of those inside."""
    mode, padding = rules
    line = Line(emit, emit.const(size, at.type.dtype), align_corners)
    low, high = (0.0, size - 1.0) if align_corners else (-0.5, size - 0.5)
    if mode == "nearest":
        at = emit(arith.Round(at))
    if padding == "border":
        outside = emit(
            logic.LogicalOr(
                emit(logic.Less(at, emit.const(low, at.type.dtype))),
                emit(logic.Greater(at, emit.const(high, at.type.dtype))),
            )
        )
        at = emit(logic.Select(outside, emit(Clip(at, 0.0, size - 1.0)), at))
    if padding == "reflection":
        at = line.reflected(at)
    out: list[Tap] = []
    for place, weight in neighbours(emit, at, mode):
        if padding == "reflection":
            place = line.reflected(place)
        inside = emit(Clip(place, 0.0, size - 1.0))
        mask = emit(Cast(emit(logic.Equal(inside, place)), at.type.dtype)) if padding == "zeros" else None
        out.append((emit(Cast(inside, DType.I64)), weight, mask))
    return out


def grid_sample_padding_taps(
    emit: BaseEmitter, x: Value, grid: Value, sizes: Sequence[Value], rules: tuple[str, str], *, align_corners: bool
) -> Value:
    """Interpolate as PyTorch does: of a cubic interpolation, pixels outside are moved one by one, not positions.

    ``sizes`` are those of the images in the element type of the grid, ``rules`` the mode and the padding.
    """
    rank = x.type.rank
    along: list[list[Tap]] = []
    for axis, size in enumerate(sizes):
        line = Line(emit, size, align_corners)
        at = line.position(grid, rank - 3 - axis)
        along.append(_taps(emit, line, at, *rules))
    images = emit.transpose(x, (0, *range(2, rank), 1))
    total = reduce(lambda a, b: emit(Add(a, b)), [weighted(emit, images, corner) for corner in combinations(*along)])
    return emit.transpose(total, (0, rank - 1, *range(1, rank - 1)))


def _taps(emit: BaseEmitter, line: Line, at: Value, mode: str, padding: str) -> list[Tap]:
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
