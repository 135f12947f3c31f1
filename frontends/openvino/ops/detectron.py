"""The second half of networks that look twice, as Detectron has it: regions of several images, boxes of all classes."""

from __future__ import annotations

import numpy as np

from ....compiler.budget import reserve
from ....compiler.dims import at_least
from ....compiler.ir import Value
from ....compiler.ops import arith
from ....compiler.ops.arith import Add, Div, Floor, Log, Mul, Neg, Sqrt, Sub
from ....compiler.ops.detection import NonMaxSuppression
from ....compiler.ops.index import Gather, GatherNd, TopK
from ....compiler.ops.logic import Equal, Greater, LogicalAnd, Select
from ....compiler.ops.shape import Concat, Range, ShapeOf, Slice
from ....compiler.types import DType
from ...common.grid_sample import known_size
from ...common.regions import LOWEST, Grid, roi_align
from ..emitter import Emitter
from ..registry import openvino_op
from .proposals import GROWTH, corners_of, grown, moved

CANONICAL_SIZE = 224.0
CANONICAL_LEVEL = 2
"""Regions of that size are taken from the image of that level."""


@openvino_op("ExperimentalDetectronPriorGridGenerator", since=6)
def prior_grid(
    emit: Emitter,
    priors: Value,
    features: Value,
    image: Value,
    *,
    flatten: bool = True,
    h: int = 0,
    w: int = 0,
    stride_x: float = 0.0,
    stride_y: float = 0.0,
) -> Value:
    """The same boxes around the centre of each cell of a grid."""
    counts = [known_size(emit, d) for d in features.type.shape[2:]]
    if any(stated not in (0, count) for stated, count in zip((h, w), counts, strict=True)):
        raise emit.fail(f"lays {h} x {w} cells over an image of {counts[0]} x {counts[1]}")
    steps = [
        np.float32(s or known_size(emit, d) / n)
        for s, d, n in zip((stride_y, stride_x), image.type.shape[2:], counts, strict=True)
    ]
    reserve(*counts, 4, what="the centres of cells")
    y, x = ((np.arange(n, dtype=np.float32) + np.float32(0.5)) * s for n, s in zip(counts, steps, strict=True))
    centres = np.tile(np.stack(np.meshgrid(x, y), -1), 2)[:, :, None, :]
    laid = emit(Add(emit.const(centres, priors.type.dtype), priors))
    rows, columns, each, _ = laid.type.shape
    return emit.reshape(laid, (rows * columns * each, 4)) if flatten else laid


@openvino_op("ExperimentalDetectronTopKROIs", since=6)
def top_k_rois(emit: Emitter, rois: Value, scores: Value, *, max_rois: int = 0) -> Value:
    """The regions with the highest scores, the best first, then zeros."""
    most = emit.positive(max_rois, "max_rois")
    count = scores.type.shape[0]
    if not at_least(count, most):
        filler = emit.expand(emit.number(LOWEST, scores), (most,))
        scores = emit(Concat((scores, filler), 0))
        rois = emit(Concat((rois, emit.expand(emit.number(0, rois), (most, 4))), 0))
    _, order = emit.all(TopK(scores, most, 0))
    return emit(Gather(rois, order, 0))


@openvino_op("ExperimentalDetectronROIFeatureExtractor", since=6)
def roi_features(
    emit: Emitter,
    rois: Value,
    *images: Value,
    output_size: int,
    sampling_ratio: int,
    pyramid_scales: tuple[int, ...],
    aligned: bool = False,
) -> tuple[Value, Value]:
    """Pooled regions, each of one of several images by its size; zeros for those that are empty."""
    if len(pyramid_scales) < len(images):
        raise emit.fail(f"has {len(images)} images, but {len(pyramid_scales)} scales", code="F002")
    count = rois.type.shape[0]
    low, high = corners_of(emit, rois)
    width, height = (emit(Slice(emit(Sub(high, low)), (0, a), (count, 1), (1, 1))) for a in (0, 1))
    area = emit(Mul(width, height))
    is_filled = emit(Greater(area, emit.number(0, area)))
    size = emit(Sqrt(emit(Select(is_filled, area, emit.number(1, area)))))
    part = emit(Add(emit(Div(size, emit.number(CANONICAL_SIZE, size))), emit.number(1e-6, size)))
    level = emit(Add(emit(Div(emit(Log(part)), emit.number(np.log(2), part))), emit.number(CANONICAL_LEVEL, part)))
    level = emit(arith.Max(emit(Floor(level)), emit.number(0, level)))
    level = emit(arith.Min(level, emit.number(len(images) - 1, level)))
    batch = emit.expand(emit.const([0], DType.I64), (count,))
    found: Value | None = None
    for number, (image, scale) in enumerate(zip(images, pyramid_scales, strict=False)):
        grid = Grid((output_size, output_size), sampling_ratio, "avg", 1 / scale, aligned, "avg")
        pooled = _aligned(emit, (image, rois, batch), grid)
        belongs = emit(LogicalAnd(is_filled, emit(Equal(level, emit.number(number, level)))))
        rest = emit.number(0, pooled) if found is None else found
        found = emit(Select(emit.reshape(belongs, (count, 1, 1, 1)), pooled, rest))
    if found is None:
        raise emit.fail("has no images", code="F006")
    return found, rois


def _aligned(emit: Emitter, operands: tuple[Value, Value, Value], grid: Grid) -> Value:
    """Pool; regions are at least one pixel large, whichever way coordinates count."""
    if not grid.half:
        return roi_align(emit, *operands, grid)
    image, rois, batch = operands
    low, high = corners_of(emit, rois)
    shift = emit.number(0.5 / grid.scale, rois)
    least = emit(arith.Max(high, emit(Add(low, emit.number(1 / grid.scale, rois)))))
    corners = emit(Concat((emit(Sub(low, shift)), emit(Sub(least, shift))), 1))
    return roi_align(emit, image, corners, batch, Grid(grid.counts, grid.samples, "avg", grid.scale, False, "avg"))


@openvino_op("ExperimentalDetectronDetectionOutput", since=6)
def detections(
    emit: Emitter,
    rois: Value,
    deltas: Value,
    scores: Value,
    image: Value,
    *,
    score_threshold: float,
    nms_threshold: float,
    max_delta_log_wh: float = GROWTH,
    num_classes: int,
    post_nms_count: int,
    max_detections_per_image: int,
    class_agnostic_box_regression: bool = False,
    deltas_weights: tuple[float, ...],
) -> tuple[Value, Value, Value]:
    """Boxes of all classes but the first one, which is the background, their classes and scores, then zeros."""
    if class_agnostic_box_regression or len(deltas_weights) != 4:
        raise emit.fail("has the same boxes for all classes, or other weights than four")
    most = emit.positive(max_detections_per_image, "max_detections_per_image")
    count, classes = rois.type.shape[0], num_classes - 1
    boxes = _boxes_of_classes(emit, rois, deltas, (num_classes, max_delta_log_wh, deltas_weights))
    low, high = corners_of(emit, rois)
    filled = emit(Greater(emit(Sub(high, low)), emit.number(0, rois)))
    sides = (emit(Slice(filled, (0, axis), (count, 1), (1, 1))) for axis in (0, 1))
    is_filled = emit.reshape(emit(LogicalAnd(*sides)), (1, count))
    front = emit(Slice(scores, (0, 1), (count, classes), (1, 1)))
    able = emit(Select(is_filled, emit.transpose(front, (1, 0)), emit.number(0, scores)))
    boxes = emit(Select(emit.reshape(is_filled, (1, count, 1)), boxes, emit.number(0, boxes)))
    limit = post_nms_count if post_nms_count >= 0 else known_size(emit, count)
    batched = (grown(emit, boxes, 1.0), emit.reshape(able, (classes, 1, count)))
    rows = emit(NonMaxSuppression(*batched, limit, nms_threshold, emit.fresh(), score_threshold))
    return _most(emit, boxes, able, rows, most)


def _boxes_of_classes(emit: Emitter, rois: Value, deltas: Value, how: tuple[int, float, tuple[float, ...]]) -> Value:
    """Return the boxes of all classes but the first one, ``[classes, boxes, 4]``, not below zero."""
    classes, growth, weights = how
    count = rois.type.shape[0]
    split = emit.transpose(emit.reshape(deltas, (count, classes, 4)), (1, 0, 2))
    front = emit(Slice(split, (1, 0, 0), (classes - 1, count, 4), (1, 1, 1)))
    weighed = emit(Div(front, emit.const(weights, deltas.type.dtype)))
    shift, grows = corners_of(emit, weighed)
    bounded = emit(Concat((shift, emit(arith.Min(grows, emit.number(growth, grows)))), 2))
    found = moved(emit, emit.reshape(rois, (1, count, 4)), bounded, 1.0, 1.0)
    return emit(arith.Max(found, emit.number(0, found)))


def _most(emit: Emitter, boxes: Value, scores: Value, rows: Value, most: int) -> tuple[Value, Value, Value]:
    """Return boxes, classes and scores: class by class if there is room for all, else the best ones, the best first."""
    count = rows.type.shape[0]
    one, zero = emit.const(1, DType.I64), emit.const(0, DType.I64)
    places = emit(
        Concat((emit(Slice(rows, (0, 0), (count, 1), (1, 1))), emit(Slice(rows, (0, 2), (count, 1), (1, 1)))), 1)
    )
    found = emit(GatherNd(scores, places))
    filler = emit.expand(emit.number(LOWEST, scores), (most,))
    numbers = emit.cast(emit(Range(zero, one, count + most)), scores.type.dtype)
    is_crowded = emit(Greater(emit.reshape(emit(ShapeOf(rows, (0,))), ()), emit.const(most, DType.I64)))
    keys = emit(Select(is_crowded, emit(Concat((found, filler), 0)), emit(Neg(numbers))))
    _, order = emit.all(TopK(keys, most, 0))

    def chosen(values: Value) -> Value:
        rest = emit.expand(emit.number(0, values), (most, *values.type.shape[1:]))
        return emit(Gather(emit(Concat((values, rest), 0)), order, 0))

    labels = emit.reshape(emit(Slice(places, (0, 0), (count, 1), (1, 1))), (count,))
    classes = emit(Add(emit.cast(labels, DType.I32), emit.const(1, DType.I32)))
    return chosen(emit(GatherNd(boxes, places))), chosen(classes), chosen(found)
