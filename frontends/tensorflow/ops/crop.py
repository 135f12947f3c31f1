"""Boxes that are cut out of images and resized to one size: gathers and linear interpolation, without a loop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ....compiler.dims import Dim
from ....compiler.ir import Value
from ....compiler.ops.arith import Add, Ceil, Div, Floor, Max, Min, Mul, Sub
from ....compiler.ops.index import Gather
from ....compiler.ops.logic import GreaterEqual, LessEqual, LogicalAnd, Select
from ....compiler.ops.shape import ShapeOf, Split
from ....compiler.types import DType
from ..emitter import Emitter
from ..registry import tf_op


@tf_op("CropAndResize")
def crop_and_resize(
    emit: Emitter,
    image: Value,
    boxes: Value,
    box_ind: Value,
    crop_size: Value,
    *,
    method: Literal["bilinear", "nearest"] = "bilinear",
    extrapolation_value: float = 0.0,
) -> Value:
    """Boxes are two corners as shares of the distance between the first and the last pixel, in any order.

    What lies outside of the image has the value ``extrapolation_value``.
    """
    sizes = emit.ints(crop_size, "crop_size")
    if image.type.rank != 4 or boxes.type.rank != 2 or boxes.type.shape[1] != 4 or len(sizes) != 2:
        raise emit.fail(f"cuts {boxes.type} of {image.type} to {list(sizes)}", code="F006")
    count = boxes.type.shape[0]
    corners = emit.all(Split(boxes, 1, (1, 1, 1, 1)))
    rows = _Line(emit, image, 1).at(corners[0], corners[2], emit.positive(sizes[0], "crop size"))
    columns = _Line(emit, image, 2).at(corners[1], corners[3], emit.positive(sizes[1], "crop size"))
    first = _first_rows(emit, image, box_ind, count)
    if method == "nearest":
        found = _pixels(emit, image, first, rows.nearest, columns.nearest)
    else:
        found = _blended(emit, image, first, (rows, columns))
    inside = emit(LogicalAnd(rows.inside(2), columns.inside(1)))
    mask = emit.reshape(inside, (count, *sizes, 1))
    return emit(Select(mask, found, emit.const(extrapolation_value, DType.F32)))


@dataclass(frozen=True)
class _Positions:
    """Places between the pixels along one axis, one row for each box: ``[boxes, positions]``."""

    emit: Emitter
    at: Value
    last: Value

    def _pixel(self, place: Value) -> Value:
        """Return the numbers of pixels; what is outside is moved to the edge, where it is read but not used."""
        emit = self.emit
        clipped = emit(Min(emit(Max(place, emit.const(0, DType.F32))), self.last))
        return emit.cast(clipped, DType.I32)

    @property
    def low(self) -> Value:
        """The pixel before each place."""
        return self._pixel(self.emit(Floor(self.at)))

    @property
    def high(self) -> Value:
        """The pixel after it, or at it."""
        return self._pixel(self.emit(Ceil(self.at)))

    @property
    def share(self) -> Value:
        """How far each place is from the pixel before it."""
        return self.emit(Sub(self.at, self.emit(Floor(self.at))))

    @property
    def nearest(self) -> Value:
        """The nearest pixel, of two that are equally near the second one."""
        emit = self.emit
        floor = emit(Floor(self.at))
        is_past = emit(GreaterEqual(self.share, emit.const(0.5, DType.F32)))
        return self._pixel(emit(Select(is_past, emit(Add(floor, emit.const(1, DType.F32))), floor)))

    def inside(self, axis: int) -> Value:
        """Return which places are inside, with one more axis of size one."""
        emit = self.emit
        after = emit(GreaterEqual(self.at, emit.const(0, DType.F32)))
        found = emit(LogicalAnd(after, emit(LessEqual(self.at, self.last))))
        return _with_axis(emit, found, axis)


@dataclass(frozen=True)
class _Line:
    """An axis of the images."""

    emit: Emitter
    image: Value
    axis: int

    @property
    def last(self) -> Value:
        """The number of the last pixel."""
        emit, size = self.emit, self.image.type.shape[self.axis]
        if isinstance(size, int):
            return emit.const(size - 1, DType.F32)
        found = emit.cast(emit.reshape(emit(ShapeOf(self.image, (self.axis,), DType.I32)), ()), DType.F32)
        return emit(Sub(found, emit.const(1, DType.F32)))

    def at(self, start: Value, end: Value, count: int) -> _Positions:
        """Return ``count`` positions from one corner to the other; a single one is between them."""
        emit, last = self.emit, self.last
        if count == 1:
            middle = emit(Mul(emit.const(0.5, DType.F32), emit(Add(start, end))))
            return _Positions(emit, emit(Mul(middle, last)), last)
        step = emit(Div(emit(Mul(emit(Sub(end, start)), last)), emit.const(count - 1, DType.F32)))
        numbers = emit.const(np.arange(count, dtype=np.float32).reshape(1, count))
        return _Positions(emit, emit(Add(emit(Mul(start, last)), emit(Mul(numbers, step)))), last)


def _with_axis(emit: Emitter, x: Value, axis: int) -> Value:
    """Insert an axis of size one."""
    shape = x.type.shape
    return emit.reshape(x, (*shape[:axis], 1, *shape[axis:]))


def _size(emit: Emitter, image: Value, axis: int) -> Value:
    """Return a size of the images as a number of pixels."""
    size = image.type.shape[axis]
    if isinstance(size, int):
        return emit.const(size, DType.I32)
    return emit.reshape(emit(ShapeOf(image, (axis,), DType.I32)), ())


def _first_rows(emit: Emitter, image: Value, numbers: Value, count: Dim) -> Value:
    """Return how many rows of pixels lie before the image of each box."""
    rows = emit(Mul(emit.cast(numbers, DType.I32), _size(emit, image, 1)))
    return emit.reshape(rows, (count, 1))


def _pixels(emit: Emitter, image: Value, first: Value, rows: Value, columns: Value) -> Value:
    """Read ``[boxes, rows, columns, channels]`` where rows and columns meet; images count as one line of pixels."""
    n, h, w, c = image.type.shape
    line = emit.reshape(image, (n * h * w, c))
    starts = emit(Mul(emit(Add(rows, first)), _size(emit, image, 2)))
    places = emit(Add(_with_axis(emit, starts, 2), _with_axis(emit, columns, 1)))
    return emit.cast(emit(Gather(line, places, 0, wraps=False)), DType.F32)


def _blended(emit: Emitter, image: Value, first: Value, lines: Sequence[_Positions]) -> Value:
    """Interpolate between the four pixels around each place."""
    rows, columns = lines
    across = emit.reshape(columns.share, (columns.at.type.shape[0], 1, columns.at.type.shape[1], 1))
    down = emit.reshape(rows.share, (*rows.at.type.shape, 1, 1))
    low, high = columns.low, columns.high
    edges = [
        _mixed(emit, _pixels(emit, image, first, row, low), _pixels(emit, image, first, row, high), across)
        for row in (rows.low, rows.high)
    ]
    return _mixed(emit, edges[0], edges[1], down)


def _mixed(emit: Emitter, a: Value, b: Value, share: Value) -> Value:
    """Return ``a`` and a share of the way to ``b``."""
    return emit(Add(a, emit(Mul(emit(Sub(b, a)), share))))
