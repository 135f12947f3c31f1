"""Handlers of pooling in rotated regions of interest, as detectors of oriented objects have it."""

from __future__ import annotations

from itertools import product

import numpy as np

from ....compiler.budget import reserve
from ....compiler.ir import Value
from ....compiler.ops.activation import Clip
from ....compiler.ops.arith import Add, Cos, Mul, Neg, Sin, Sub
from ....compiler.ops.logic import GreaterEqual, LessEqual, LogicalAnd
from ....compiler.ops.reduce import Reduce
from ....compiler.ops.shape import Transpose
from ....compiler.types import DType
from ...common.grid_sample import known_size, pixels
from ...common.regions import column
from ...sampling import Tap, weighted
from ..emitter import Emitter
from ..registry import openvino_op


@openvino_op("ROIAlignRotated", since=15)
def roi_align_rotated(
    emit: Emitter,
    x: Value,
    rois: Value,
    batch: Value,
    *,
    pooled_h: int,
    pooled_w: int,
    sampling_ratio: int,
    spatial_scale: float,
    clockwise_mode: bool,
) -> Value:
    """The mean of samples in the cells of regions ``x, y, width, height, angle`` around their centres."""
    if sampling_ratio < 1:
        raise emit.fail("takes as many samples as a region is large (sampling_ratio=0)")
    cells, samples = (pooled_h, pooled_w), sampling_ratio
    reserve(pooled_h, pooled_w, samples, samples, what="the samples of each region")
    images = emit(Transpose(x, (0, 2, 3, 1)))
    places = _places(emit, rois, (pooled_h * samples, pooled_w * samples), spatial_scale, clockwise=clockwise_mode)
    sizes = [known_size(emit, d) for d in x.type.shape[2:]]
    taps = [_taps(emit, at, size) for at, size in zip(places, sizes, strict=True)]
    parts = [weighted(emit, images, corner, emit.cast(batch, DType.I64)) for corner in product(*taps)]
    total = parts[0]
    for part in parts[1:]:
        total = emit(Add(total, part))
    split = (rois.type.shape[0], cells[0], samples, cells[1], samples, x.type.shape[1])
    mean = emit(Reduce(emit.reshape(total, split), "mean", (2, 4), keepdims=False))
    return emit(Transpose(mean, (0, 3, 1, 2)))


def _places(
    emit: Emitter, rois: Value, counts: tuple[int, int], scale: float, *, clockwise: bool
) -> tuple[Value, Value]:
    """Return where samples lie along both axes of images, ``[regions, rows, columns]``."""
    count, factor, half = rois.type.shape[0], emit.number(scale, rois), emit.number(0.5, rois)

    def told(place: int) -> Value:
        return emit.reshape(column(emit, rois, place), (count, 1, 1))

    angle = emit(Neg(told(4))) if clockwise else told(4)
    cos, sin = emit(Cos(angle)), emit(Sin(angle))
    across, down = (
        emit(Mul(emit(Mul(told(place), factor)), emit.const(parts.reshape(shape), rois.type.dtype)))
        for place, parts, shape in (
            (2, (np.arange(counts[1]) + 0.5) / counts[1] - 0.5, (1, 1, -1)),
            (3, (np.arange(counts[0]) + 0.5) / counts[0] - 0.5, (1, -1, 1)),
        )
    )
    x, y = (emit(Sub(emit(Mul(told(place), factor)), half)) for place in (0, 1))
    rows = emit(Add(emit(Sub(emit(Mul(down, cos)), emit(Mul(across, sin)))), y))
    columns = emit(Add(emit(Add(emit(Mul(down, sin)), emit(Mul(across, cos)))), x))
    return rows, columns


def _taps(emit: Emitter, at: Value, size: int) -> list[Tap]:
    """Return the two pixels around places with their weights; what is more than a pixel outside counts nothing."""
    low, high = emit.number(-1, at), emit.number(size, at)
    near = emit.cast(emit(LogicalAnd(emit(GreaterEqual(at, low)), emit(LessEqual(at, high)))), at.type.dtype)
    inside = emit(Clip(at, 0.0, size - 1.0))
    found = pixels(emit, inside, size, ("linear", "border"), align_corners=True)
    return [(place, weight, near) for place, weight, _ in found]
