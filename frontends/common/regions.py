"""Pooling regions of images, whose corners are data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import reduce
from itertools import product

import numpy as np

from ...compiler.budget import reserve
from ...compiler.dims import Dim
from ...compiler.ir import Region, Value
from ...compiler.ops import arith, logic
from ...compiler.ops.activation import Clip
from ...compiler.ops.arith import Add, Cast, Ceil, Div, Floor, Mul, Sub
from ...compiler.ops.control import While
from ...compiler.ops.core import Return
from ...compiler.ops.logic import Less, Select
from ...compiler.ops.reduce import Reduce
from ...compiler.ops.shape import BroadcastTo, Slice, Transpose
from ...compiler.types import DType
from ..emitter import BaseEmitter
from ..sampling import Tap, gather_pixels, weighted
from .grid_sample import known_size, pixels

LOWEST = float(np.finfo(np.float32).min)
"""What every element is larger than, or equal to."""


@dataclass(frozen=True)
class Cells:
    """How regions are divided along an axis: where each begins, and the size of its cells, ``[regions, 1]``."""

    low: Value
    size: Value
    count: int

    def at(self, emit: BaseEmitter, places: Value) -> Value:
        """Return coordinates ``[regions, places]`` of places that count in cells."""
        return emit(Add(self.low, emit(Mul(self.size, places))))


@dataclass(frozen=True)
class Grid:
    """How regions are pooled: the cells along both axes, the samples in each (0: about one per pixel), the mode.

    ``half`` says that coordinates are those of corners of pixels, and that regions may be smaller than one.
    ``joins`` is the mode by which a sample is made of pixels, if that is another one.
    """

    counts: tuple[int, int]
    samples: int
    mode: str
    scale: float
    half: bool
    joins: str = ""

    @property
    def sampling(self) -> str:
        """How the pixels around a sample are joined: as the samples of a cell, unless something else is said."""
        return self.joins or self.mode


def roi_align(emit: BaseEmitter, x: Value, rois: Value, batch_indices: Value, how: Grid) -> Value:
    """Mean or maximum of interpolated samples in each cell of a grid that is laid over each region.

    Raises:
        CompileError: F002, the operands are no images and regions.
    """
    if how.mode not in ("avg", "max") or x.type.rank != 4 or rois.type.rank != 2:
        raise emit.fail(f"pools {x.type} over {rois.type} by {how.mode!r}", code="F002")
    counts, mode, sampling_ratio = how.counts, how.mode, how.samples
    grid = [_cells(emit, rois, axis, counts[axis], how.scale, half=how.half) for axis in (0, 1)]
    images = Images(emit(Transpose(x, (0, 2, 3, 1))), emit.cast(batch_indices, DType.I64))
    if sampling_ratio < 1:
        pooled = _by_size(emit, images, grid, how)
    else:
        reserve(max(counts), sampling_ratio, what="the samples of each region")
        steps = [np.arange(n)[:, None] + (np.arange(sampling_ratio) + 0.5) / sampling_ratio for n in counts]
        places = [emit.const(s.reshape(-1), rois.type.dtype) for s in steps]
        samples = images.sampled(emit, [g.at(emit, p) for g, p in zip(grid, places, strict=True)], how.sampling)
        split = (rois.type.shape[0], counts[0], sampling_ratio, counts[1], sampling_ratio, x.type.shape[1])
        kind = "mean" if mode == "avg" else "max"
        pooled = emit(Reduce(emit.reshape(samples, split), kind, (2, 4), keepdims=False))
    return emit(Transpose(pooled, (0, 3, 1, 2)))


def _cells(emit: BaseEmitter, rois: Value, axis: int, count: int, scale: float, *, half: bool) -> Cells:
    """Divide regions ``x1, y1, x2, y2`` along an axis; without ``half`` they are at least one pixel large."""
    dtype = rois.type.dtype
    low, high = (
        emit(Sub(emit(Mul(v, emit.const(scale, dtype))), emit.const(0.5 if half else 0.0, dtype)))
        for v in (column(emit, rois, 1 - axis), column(emit, rois, 3 - axis))
    )
    size = emit(Sub(high, low))
    if not half:
        size = emit(arith.Max(size, emit.const(1, dtype)))
    return Cells(low, emit(Div(size, emit.const(count, dtype))), count)


def column(emit: BaseEmitter, rois: Value, index: int) -> Value:
    """Return one number of every region, ``[regions, 1]``."""
    return emit(Slice(rois, (0, index), (rois.type.shape[0], 1), (1, 1)))


@dataclass(frozen=True)
class Images:
    """Images with channels last, and from which one each region is taken."""

    data: Value
    batch: Value

    def sampled(self, emit: BaseEmitter, at: list[Value], mode: str) -> Value:
        """Interpolate at all pairs of coordinates along the axes; the result is ``[regions, rows, columns, c]``.

        The mode "max" takes the largest of the four weighted pixels instead of their sum.
        """
        shape = (at[0].type.shape[0], *(a.type.shape[1] for a in at))
        taps = [_taps(emit, a, self.data.type.shape[1 + axis], axis, shape) for axis, a in enumerate(at)]
        parts = [weighted(emit, self.data, corner, self.batch) for corner in product(*taps)]
        join = Add if mode == "avg" else arith.Max
        return reduce(lambda a, b: emit(join(a, b)), parts)


def _taps(emit: BaseEmitter, at: Value, size: Dim, axis: int, shape: tuple[Dim, ...]) -> list[Tap]:
    """Return the pixels around coordinates, spread over the grid; what is far outside counts nothing."""
    dtype = at.type.dtype
    known = known_size(emit, size)
    near = emit(
        logic.LogicalAnd(
            emit(logic.GreaterEqual(at, emit.const(-1, dtype))), emit(logic.LessEqual(at, emit.const(known, dtype)))
        )
    )
    inside = emit(Clip(at, 0.0, known - 1.0))
    mask = spread(emit, emit(Cast(near, dtype)), axis, shape)
    return [
        (spread(emit, place, axis, shape), None if weight is None else spread(emit, weight, axis, shape), mask)
        for place, weight, _ in pixels(emit, inside, known, ("linear", "border"), align_corners=True)
    ]


def spread(emit: BaseEmitter, v: Value, axis: int, shape: tuple[Dim, ...]) -> Value:
    """Repeat what belongs to an axis of a grid, ``[regions, n]``, along the other one."""
    narrow = (shape[0], *(shape[1 + a] if a == axis else 1 for a in (0, 1)))
    return emit(BroadcastTo(emit.reshape(v, narrow), shape))


def _by_size(emit: BaseEmitter, images: Images, grid: list[Cells], how: Grid) -> Value:
    """Take as many samples per cell as it has pixels, rounded up: in a loop, one sample of each cell per turn."""
    dtype, mode = grid[0].low.type.dtype, how.mode
    zero, one = emit.const(0, dtype), emit.const(1, dtype)
    counts = [emit(Ceil(g.size)) for g in grid]
    divisors = [emit(arith.Max(c, one)) for c in counts]
    reserve(max(g.count for g in grid), what="the cells of each region")
    cells = [emit.const(np.arange(g.count), dtype) for g in grid]
    rows = (grid[0].low.type.shape[0], grid[0].count, grid[1].count, images.data.type.shape[3])

    def turn(inner: BaseEmitter, steps: list[Value], total: Value) -> Value:
        at: list[Value] = []
        for g, places, divisor, step in zip(grid, cells, divisors, steps, strict=True):
            middle = inner(Div(inner(Add(step, inner.const(0.5, dtype))), divisor))
            at.append(g.at(inner, inner(Add(places, middle))))
        found = images.sampled(inner, at, how.sampling)
        there = [inner(Less(step, count)) for step, count in zip(steps, counts, strict=True)]
        both = inner.reshape(inner(logic.LogicalAnd(*there)), (rows[0], 1, 1, 1))
        if mode == "avg":
            return inner(Add(total, inner(Select(both, found, inner.const(0, dtype)))))
        return inner(Select(both, inner(arith.Max(total, found)), total))

    start = emit(BroadcastTo(emit.const(0 if mode == "avg" else LOWEST, dtype), rows))
    total = for_all_samples(emit, counts, start, turn)
    number = emit.reshape(emit(Mul(divisors[0], divisors[1])), (rows[0], 1, 1, 1))
    if mode == "avg":
        return emit(Div(total, number))
    some = emit(logic.Greater(emit.reshape(emit(Mul(counts[0], counts[1])), (rows[0], 1, 1, 1)), zero))
    return emit(Select(some, total, zero))


def for_all_samples(
    emit: BaseEmitter, counts: list[Value], start: Value, turn: Callable[[BaseEmitter, list[Value], Value], Value]
) -> Value:
    """Carry a value through a loop over all pairs of numbers below the largest ``counts`` of the two axes."""
    dtype = counts[0].type.dtype
    zero, one = emit.const(0, dtype), emit.const(1, dtype)
    rows, columns = (emit(Reduce(c, "max", tuple(range(c.type.rank)), keepdims=False)) for c in counts)
    carried = (zero, zero, start)
    test = Region([Value(v.type) for v in carried])
    test.insert(Return((replace(emit, region=test)(Less(test.args[0], rows)),)))
    body = Region([Value(v.type) for v in carried])
    inner = replace(emit, region=body)
    row, across, total = body.args
    after = turn(inner, [row, across], total)
    moved = inner(Add(across, one))
    is_last = inner(logic.GreaterEqual(moved, columns))
    body.insert(Return((inner(Select(is_last, inner(Add(row, one)), row)), inner(Select(is_last, zero, moved)), after)))
    return emit.all(While(carried, test, body))[2]


def max_roi_pool(
    emit: BaseEmitter, x: Value, rois: Value, pooled_shape: tuple[int, ...], spatial_scale: float
) -> Value:
    """The largest pixel in each cell of a grid that is laid over each region ``image, x1, y1, x2, y2``; 0 if none is.

    A loop takes one pixel of each cell per iteration.

    Raises:
        CompileError: T001, the operands are no images and regions.
    """
    if x.type.rank != 4 or rois.type.rank != 2 or len(pooled_shape) != 2:
        raise emit.fail(f"pools {x.type} over {rois.type} into cells {list(pooled_shape)}", code="T001")
    sizes = [known_size(emit, d) for d in x.type.shape[2:]]
    ends = [_pixels_of_cells(emit, rois, axis, pooled_shape[axis], (sizes[axis], spatial_scale)) for axis in (0, 1)]
    images = emit(Transpose(x, (0, 2, 3, 1)))
    batch = emit.reshape(emit.cast(column(emit, rois, 0), DType.I64), rois.type.shape[:1])
    shape = (rois.type.shape[0], *pooled_shape)

    def turn(inner: BaseEmitter, steps: list[Value], total: Value) -> Value:
        at = [inner(Add(first, step)) for (first, _), step in zip(ends, steps, strict=True)]
        there = [inner(Less(a, last)) for a, (_, last) in zip(at, ends, strict=True)]
        inside = [inner(Cast(inner(Clip(a, 0.0, n - 1.0)), DType.I64)) for a, n in zip(at, sizes, strict=True)]
        found = gather_pixels(inner, images, [spread(inner, v, a, shape) for a, v in enumerate(inside)], batch)
        both = inner(logic.LogicalAnd(*(spread(inner, v, a, shape) for a, v in enumerate(there))))
        return inner(Select(inner.reshape(both, (*shape, 1)), inner(arith.Max(total, found)), total))

    dtype = x.type.dtype
    lowest = emit.const(LOWEST, dtype)
    start = emit(BroadcastTo(lowest, (*shape, x.type.shape[1])))
    counts = [emit(Sub(last, first)) for first, last in ends]
    total = for_all_samples(emit, counts, start, turn)
    empty = [spread(emit, emit(logic.LessEqual(c, emit.const(0, dtype))), a, shape) for a, c in enumerate(counts)]
    none = emit.reshape(emit(logic.LogicalOr(*empty)), (*shape, 1))
    return emit(Transpose(emit(Select(none, emit.const(0, dtype), total)), (0, 3, 1, 2)))


def _pixels_of_cells(
    emit: BaseEmitter, rois: Value, axis: int, count: int, image: tuple[int, float]
) -> tuple[Value, Value]:
    """Return the first pixel of each cell, and the one after its last, ``[regions, cells]``; cells may share some."""
    (size, scale), dtype = image, rois.type.dtype
    first, last = (
        rounded(emit, emit(Mul(v, emit.const(scale, dtype))))
        for v in (column(emit, rois, 2 - axis), column(emit, rois, 4 - axis))
    )
    one = emit.const(1, dtype)
    span = emit(arith.Max(emit(Add(emit(Sub(last, first)), one)), one))
    cell = emit(Div(span, emit.const(count, dtype)))
    reserve(count, what="the cells of each region")
    cells = emit.const(np.arange(count), dtype)
    low, high = emit(Floor(emit(Mul(cells, cell)))), emit(Ceil(emit(Mul(emit(Add(cells, one)), cell))))
    inside = (emit(Clip(emit(Add(first, v)), 0.0, float(size))) for v in (low, high))
    return next(inside), next(inside)


def rounded(emit: BaseEmitter, x: Value) -> Value:
    """Round to the nearest integer; ties are rounded away from zero."""
    away = emit(Floor(emit(Add(emit(arith.Abs(x)), emit.const(0.5, x.type.dtype)))))
    return emit(Mul(emit(arith.Sign(x)), away))
