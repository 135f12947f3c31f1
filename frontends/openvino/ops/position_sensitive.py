"""Pooling of regions in which each cell has channels of its own, and may be moved by what a network says."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from itertools import product
from typing import Literal

import numpy as np

from ....compiler.budget import reserve
from ....compiler.dims import static
from ....compiler.ir import Value
from ....compiler.ops import arith
from ....compiler.ops.activation import Clip
from ....compiler.ops.arith import Add, Ceil, Div, Floor, Mul, Sub
from ....compiler.ops.index import CumSum, Gather, GatherNd
from ....compiler.ops.logic import Equal, GreaterEqual, Less, LessEqual, LogicalAnd, Select
from ....compiler.ops.shape import Concat, Slice
from ....compiler.types import DType
from ...common.grid_sample import known_size
from ...common.regions import Images, column, for_all_samples, rounded
from ...emitter import BaseEmitter
from ..emitter import Emitter
from ..registry import openvino_op

LEAST = 0.1
"""The least size of a region in pixels."""


@dataclass(frozen=True)
class Regions:
    """Rows of image and corners: from which image each is taken, and which come before the first that ends the list."""

    rows: Value
    batch: Value
    counts: Value

    @staticmethod
    def of(emit: Emitter, rows: Value) -> Regions:
        """Read rows ``image, x, y, x, y``; the first one whose image is -1 ends the list."""
        count = rows.type.shape[0]
        images = emit.reshape(emit.cast(column(emit, rows, 0), DType.I64), (count,))
        ends = emit(CumSum(emit.cast(emit(Equal(images, emit.const(-1, DType.I64))), DType.I32), 0))
        batch = emit(arith.Max(images, emit.const(0, DType.I64)))
        return Regions(rows, batch, emit(Equal(ends, emit.const(0, DType.I32))))

    def finished(self, emit: Emitter, pooled: Value) -> Value:
        """Return what was pooled, with zeros for the regions after the end of the list."""
        counts = emit.reshape(self.counts, (self.rows.type.shape[0], *[1] * (pooled.type.rank - 1)))
        return emit(Select(counts, pooled, emit.number(0, pooled)))

    def ends(self, emit: Emitter, axis: int) -> tuple[Value, Value]:
        """Return where regions begin and end along an axis, ``[regions, 1]`` each."""
        return column(emit, self.rows, 2 - axis), column(emit, self.rows, 4 - axis)


@dataclass(frozen=True)
class Channels:
    """Images as ``[images, classes, rows, columns, height, width, channels]``, where rows and columns are of cells."""

    data: Value

    @staticmethod
    def of(emit: Emitter, x: Value, classes: int, cells: int, channels: int) -> Channels:
        """Split the channels of images.

        Raises:
            CompileError: T001, there are other ones.
        """
        n, own, h, w = x.type.shape
        if own != channels * cells * cells or channels % classes:
            text = f"pools {channels} channels of {classes} classes in {cells} x {cells} cells of {x.type}"
            raise emit.fail(text, code="T001")
        split = emit.reshape(x, (n, classes, channels // classes, cells, cells, h, w))
        return Channels(emit.transpose(split, (0, 1, 3, 4, 5, 6, 2)))

    def at(self, emit: BaseEmitter, batch: Value, y: Value, x: Value) -> Value:
        """Return ``[regions, classes, rows, columns, channels]`` at one pixel for each region and cell."""
        count, *inner = y.type.shape
        shape = (count, *inner, 1)
        columns = [emit.reshape(batch, (count, 1, 1, 1, 1))]
        for axis, size in enumerate(static(tuple(inner))):
            columns.append(
                emit.const(np.arange(size).reshape(1, *(-1 if a == axis else 1 for a in range(4))), DType.I64)
            )
        columns += [emit.reshape(v, shape) for v in (y, x)]
        return emit(GatherNd(self.data, emit(Concat(tuple(emit.expand(c, shape) for c in columns), 4))))


@openvino_op("PSROIPooling")
def psroi_pooling(
    emit: Emitter,
    x: Value,
    rois: Value,
    *,
    output_dim: int,
    group_size: int = 1,
    spatial_scale: float,
    spatial_bins_x: int = 1,
    spatial_bins_y: int = 1,
    mode: Literal["average", "bilinear"] = "average",
) -> Value:
    """The mean of pixels in cells of regions ``image, x1, y1, x2, y2``, or of samples in parts of these."""
    cells = emit.positive(group_size, "group_size")
    reserve(cells, cells, what="the cells of each region")
    regions = Regions.of(emit, rois)
    if mode == "average":
        return regions.finished(emit, _averaged(emit, x, regions, (output_dim, cells), spatial_scale))
    bins = (emit.positive(spatial_bins_y, "spatial_bins_y"), emit.positive(spatial_bins_x, "spatial_bins_x"))
    return regions.finished(emit, _sampled(emit, x, regions, (output_dim, cells), bins, spatial_scale))


def _averaged(emit: Emitter, x: Value, regions: Regions, sizes: tuple[int, int], scale: float) -> Value:
    """Sum the pixels of cells in a loop, one of each cell per iteration."""
    channels, cells = sizes
    split = Channels.of(emit, x, 1, cells, channels)
    images = [known_size(emit, d) for d in x.type.shape[2:]]
    ends = [_pixels(emit, regions.ends(emit, axis), cells, images[axis], scale) for axis in (0, 1)]
    count = regions.rows.type.shape[0]
    shape = (count, 1, cells, cells)

    def spread(inner: BaseEmitter, v: Value, axis: int) -> Value:
        narrow = (count, 1, cells, 1) if axis == 0 else (count, 1, 1, cells)
        return inner.expand(inner.reshape(v, narrow), shape)

    def turn(inner: BaseEmitter, steps: list[Value], total: Value) -> Value:
        at = [inner(Add(first, step)) for (first, _), step in zip(ends, steps, strict=True)]
        there = [inner(Less(a, last)) for a, (_, last) in zip(at, ends, strict=True)]
        inside = [inner.cast(inner(Clip(a, 0.0, n - 1.0)), DType.I64) for a, n in zip(at, images, strict=True)]
        found = split.at(inner, regions.batch, *(spread(inner, v, a) for a, v in enumerate(inside)))
        both = inner.reshape(inner(LogicalAnd(*(spread(inner, v, a) for a, v in enumerate(there)))), (*shape, 1))
        return inner(Add(total, inner(Select(both, found, inner.const(0, found.type.dtype)))))

    counts = [emit(Sub(last, first)) for first, last in ends]
    start = emit.expand(emit.number(0, x), (*shape, channels))
    total = for_all_samples(emit, counts, start, turn)
    height, width = (spread(emit, v, a) for a, v in enumerate(counts))
    area = emit(Mul(height, width))
    mean = emit(Div(total, emit.reshape(emit(arith.Max(area, emit.number(1, area))), (*shape, 1))))
    return emit.reshape(emit.transpose(mean, (0, 4, 1, 2, 3)), (count, channels, cells, cells))


def _pixels(emit: Emitter, ends: tuple[Value, Value], cells: int, size: int, scale: float) -> tuple[Value, Value]:
    """Return the first pixel of each cell, and the one after its last, ``[regions, cells]``; cells may share some."""
    low, high = ends
    first = emit(Mul(rounded(emit, low), emit.number(scale, low)))
    last = emit(Mul(rounded(emit, emit(Add(high, emit.number(1, high)))), emit.number(scale, low)))
    cell = emit(Div(emit(arith.Max(emit(Sub(last, first)), emit.number(LEAST, low))), emit.number(cells, low)))
    numbers = [emit.const(np.arange(cells) + n, low.type.dtype) for n in (0, 1)]
    begin, end = (emit(Add(emit(Mul(n, cell)), first)) for n in numbers)
    return emit(Clip(emit(Floor(begin)), 0.0, float(size))), emit(Clip(emit(Ceil(end)), 0.0, float(size)))


def _sampled(
    emit: Emitter, x: Value, regions: Regions, sizes: tuple[int, int], bins: tuple[int, int], scale: float
) -> Value:
    """Return the mean over parts of regions, each with channels of its own, of one sample in each cell."""
    channels, cells = sizes
    n, own, h, w = x.type.shape
    if own != channels * bins[0] * bins[1]:
        raise emit.fail(f"samples {channels} channels of {bins[0]} x {bins[1]} parts of {x.type}", code="T001")
    reserve(*bins, what="the parts of each region")
    split = emit.transpose(emit.reshape(x, (n, bins[0] * bins[1], channels, h, w)), (1, 0, 3, 4, 2))
    images = [known_size(emit, d) for d in (h, w)]
    ends = [regions.ends(emit, axis) for axis in (0, 1)]
    at = [
        [_places(emit, ends[axis], (part, bins[axis]), cells, (images[axis], scale)) for part in range(bins[axis])]
        for axis in (0, 1)
    ]
    parts: list[Value] = []
    for number, (row, across) in enumerate(product(range(bins[0]), range(bins[1]))):
        image = emit(Slice(split, (number, 0, 0, 0, 0), (1, n, h, w, channels), (1,) * 5))
        taken = Images(emit.reshape(image, (n, h, w, channels)), regions.batch)
        (y, in_y), (x_, in_x) = at[0][row], at[1][across]
        found = taken.sampled(emit, [y, x_], "avg")
        count = regions.rows.type.shape[0]
        inside = emit(LogicalAnd(emit.reshape(in_y, (count, cells, 1, 1)), emit.reshape(in_x, (count, 1, cells, 1))))
        parts.append(emit(Select(inside, found, emit.number(0, found))))
    total = reduce(lambda a, b: emit(Add(a, b)), parts)
    return emit.transpose(emit(Div(total, emit.number(len(parts), total))), (0, 3, 1, 2))


def _places(
    emit: Emitter, ends: tuple[Value, Value], part: tuple[int, int], cells: int, image: tuple[int, float]
) -> tuple[Value, Value]:
    """Return where cells of a part of regions are sampled, ``[regions, cells]``, and whether that is in the image."""
    (number, parts), (size, scale) = part, image
    low, high = (emit(Mul(v, emit.number(scale, v))) for v in ends)
    each = emit(Div(emit(Sub(high, low)), emit.number(parts, low)))
    begin, end = (emit(Add(low, emit(Mul(each, emit.number(number + n, low))))) for n in (0, 1))
    last = emit.number(size - 1, low)
    if cells > 1:
        step = emit(Div(emit(Mul(emit(Sub(end, begin)), last)), emit.number(cells - 1, low)))
        at = emit(Add(emit(Mul(emit.const(np.arange(cells), low.type.dtype), step)), emit(Mul(begin, last))))
    else:
        at = emit(Mul(emit(Mul(emit(Add(begin, end)), emit.number(0.5, low))), last))
    inside = emit(LogicalAnd(emit(GreaterEqual(at, emit.number(0, at))), emit(LessEqual(at, last))))
    return emit(Clip(at, 0.0, size - 1.0)), inside


@openvino_op("DeformablePSROIPooling")
def deformable_psroi_pooling(
    emit: Emitter,
    x: Value,
    rois: Value,
    moves: Value | None = None,
    *,
    output_dim: int,
    spatial_scale: float,
    group_size: int = 1,
    mode: Literal["bilinear_deformable"] = "bilinear_deformable",
    spatial_bins_x: int = 1,
    spatial_bins_y: int = 1,
    trans_std: float = 1.0,
    part_size: int = 1,
) -> Value:
    """The mean of samples in cells of regions ``image, x1, y1, x2, y2``, moved by parts of its size."""
    cells = emit.positive(group_size, "group_size")
    bins = (emit.positive(spatial_bins_y, "spatial_bins_y"), emit.positive(spatial_bins_x, "spatial_bins_x"))
    reserve(cells, cells, *bins, what="the samples of each region")
    regions = Regions.of(emit, rois)
    classes = 1 if moves is None else known_size(emit, moves.type.shape[1]) // 2
    split = Channels.of(emit, x, classes, cells, output_dim)
    shifts = None if moves is None else _moves(emit, moves, (classes, cells), (part_size, trans_std))
    at = [
        _samples(
            emit, regions.ends(emit, a), None if shifts is None else shifts[1 - a], (a, cells, bins[a]), spatial_scale
        )
        for a in (0, 1)
    ]
    total, number = _added(emit, split, regions.batch, at, [known_size(emit, d) for d in x.type.shape[2:]])
    mean = emit(Div(total, emit(arith.Max(number, emit.number(1, number)))))
    pooled = emit.reshape(emit.transpose(mean, (0, 1, 4, 2, 3)), (rois.type.shape[0], output_dim, cells, cells))
    return regions.finished(emit, pooled)


def _moves(emit: Emitter, moves: Value, sizes: tuple[int, int], how: tuple[int, float]) -> list[Value]:
    """Return by which part of a region's width and height its cells are moved, ``[regions, classes, cells, cells]``."""
    (classes, cells), (parts, factor) = sizes, how
    count = moves.type.shape[0]
    places = np.arange(cells) * parts // cells
    split = emit.reshape(moves, (count, classes, 2, parts, parts))
    for axis in (3, 4):
        split = emit(Gather(split, emit.const(places, DType.I64), axis))
    scaled = emit(Mul(split, emit.number(factor, split)))
    shape = (count, classes, cells, cells)
    return [
        emit.reshape(emit(Slice(scaled, (0, 0, n, 0, 0), (count, classes, 1, cells, cells), (1,) * 5)), shape)
        for n in (0, 1)
    ]


def _samples(
    emit: Emitter, ends: tuple[Value, Value], moves: Value | None, how: tuple[int, int, int], scale: float
) -> list[Value]:
    """Return coordinates along an axis, ``[regions, classes, rows, columns]``, of each sample of cells."""
    axis, cells, bins = how
    count = ends[0].type.shape[0]
    half, factor = emit.number(0.5, ends[0]), emit.number(scale, ends[0])
    low, high = (rounded(emit, v) for v in ends)
    first = emit(Sub(emit(Mul(low, factor)), half))
    last = emit(Sub(emit(Mul(emit(Add(high, emit.number(1, high))), factor)), half))
    size = emit.reshape(emit(arith.Max(emit(Sub(last, first)), emit.number(LEAST, first))), (count, 1, 1, 1))
    cell = emit(Div(size, emit.number(cells, size)))
    numbers = np.arange(cells).reshape((1, 1, cells, 1) if axis == 0 else (1, 1, 1, cells))
    begin = emit(Add(emit(Mul(emit.const(numbers, size.type.dtype), cell)), emit.reshape(first, (count, 1, 1, 1))))
    classes = 1 if moves is None else moves.type.shape[1]
    begin = begin if moves is None else emit(Add(begin, emit(Mul(moves, size))))
    step = emit(Div(cell, emit.number(bins, cell)))
    places = (emit(Add(begin, emit(Mul(emit.number(n, step), step)))) for n in range(bins))
    return [emit.expand(p, (count, classes, cells, cells)) for p in places]


def _added(
    emit: Emitter, images: Channels, batch: Value, at: list[list[Value]], sizes: list[int]
) -> tuple[Value, Value]:
    """Add up interpolated samples, and count those that lie in the image, or less than half a pixel outside."""
    axes = [[_taps(emit, place, size) for place in places] for places, size in zip(at, sizes, strict=True)]
    sums: list[Value] = []
    counts: list[Value] = []
    for (rows, in_rows), (columns, in_columns) in product(*axes):
        inside = emit(LogicalAnd(in_rows, in_columns))
        counts.append(emit.cast(inside, rows[0][1].type.dtype))
        for (y, wy), (x, wx) in product(rows, columns):
            weight = emit(Mul(emit(Mul(wy, wx)), counts[-1]))
            found = images.at(emit, batch, y, x)
            sums.append(emit(Mul(found, emit.reshape(weight, (*weight.type.shape, 1)))))
    total, number = (reduce(lambda a, b: emit(Add(a, b)), parts) for parts in (sums, counts))
    return total, emit.reshape(number, (*number.type.shape, 1))


def _taps(emit: Emitter, at: Value, size: int) -> tuple[list[tuple[Value, Value]], Value]:
    """Return the two pixels around places with their weights, and whether these count."""
    least, most = emit.number(-0.5, at), emit.number(size - 0.5, at)
    inside = emit(LogicalAnd(emit(GreaterEqual(at, least)), emit(LessEqual(at, most))))
    near = emit(Clip(at, 0.0, size - 1.0))
    low = emit(Floor(near))
    part = emit(Sub(near, low))
    rest = emit(Sub(emit.number(1, part), part))
    return [(emit.cast(low, DType.I64), rest), (emit.cast(emit(Ceil(near)), DType.I64), part)], inside
