"""What detection networks end in: boxes without overlaps, regions of images, and the grids of YOLO."""

from __future__ import annotations

from typing import Literal

from ....compiler.dims import product
from ....compiler.ir import Value
from ....compiler.ops.activation import Relu, Sigmoid, Softmax
from ....compiler.ops.arith import Add
from ....compiler.ops.detection import NonMaxSuppression
from ....compiler.ops.index import Gather, GatherNd, TopK
from ....compiler.ops.shape import Concat, ShapeOf, Slice
from ....compiler.types import DType
from ...common.regions import Grid, max_roi_pool, roi_align
from ..emitter import Emitter
from ..registry import openvino_op

Encoding = Literal["corner", "center"]


@openvino_op("NonMaxSuppression", until=2)
def nms_of_first(
    emit: Emitter,
    boxes: Value,
    scores: Value,
    limit: Value | None = None,
    overlap: Value | None = None,
    threshold: Value | None = None,
    *,
    box_encoding: Encoding = "corner",
    sort_result_descending: bool = True,
) -> Value:
    """Boxes that overlap no better one: rows of batch, class and box."""
    return _boxes(emit, (boxes, scores), (limit, overlap, threshold, None), (box_encoding, sort_result_descending))[0]


@openvino_op("NonMaxSuppression", since=3, until=4)
def nms_of_type(
    emit: Emitter,
    boxes: Value,
    scores: Value,
    limit: Value | None = None,
    overlap: Value | None = None,
    threshold: Value | None = None,
    *,
    box_encoding: Encoding = "corner",
    sort_result_descending: bool = True,
    output_type: DType = DType.I64,
) -> Value:
    """Boxes that overlap no better one: rows of batch, class and box."""
    how = (box_encoding, sort_result_descending)
    return emit.cast(_boxes(emit, (boxes, scores), (limit, overlap, threshold, None), how)[0], output_type)


@openvino_op("NonMaxSuppression", since=5)
def nms(
    emit: Emitter,
    boxes: Value,
    scores: Value,
    limit: Value | None = None,
    overlap: Value | None = None,
    threshold: Value | None = None,
    soft_sigma: Value | None = None,
    *,
    box_encoding: Encoding = "corner",
    sort_result_descending: bool = True,
    output_type: DType = DType.I64,
) -> tuple[Value, ...]:
    """Boxes that overlap no better one, their scores beside batch and class, and how many there are."""
    how = (box_encoding, sort_result_descending)
    rows, values = _boxes(emit, (boxes, scores), (limit, overlap, threshold, soft_sigma), how)
    found = [emit.cast(rows, output_type)]
    if 1 in emit.needed:
        count = rows.type.shape[0]
        first = emit.cast(emit(Slice(rows, (0, 0), (count, 2), (1, 1))), values.type.dtype)
        found.append(emit(Concat((first, emit.reshape(values, (count, 1))), 1)))
    elif 2 in emit.needed:
        found.append(values)
    if 2 in emit.needed:
        found.append(emit.cast(emit(ShapeOf(rows, (0,))), output_type))
    return tuple(found)


Limits = tuple[Value | None, Value | None, Value | None, Value | None]
"""How many boxes, the largest overlap, the least score, and how scores fade instead."""


def _boxes(emit: Emitter, given: tuple[Value, Value], limits: Limits, how: tuple[str, bool]) -> tuple[Value, Value]:
    """Return rows of batch, class and box, and their scores; the best first, of all classes and batches if asked to."""
    (boxes, scores), (limit, overlap, threshold, sigma) = given, limits
    if float(emit.scalar(sigma, "soft_nms_sigma", 0.0)):
        raise emit.fail("lets scores fade instead of leaving boxes out")
    number = int(emit.scalar(limit, "max_output_boxes_per_class", 0))
    largest = float(emit.scalar(overlap, "iou_threshold", 0.0))
    least = float(emit.scalar(threshold, "score_threshold", 0.0))
    fields = (max(number, 0), largest, emit.fresh(), least, how[0] == "center")
    rows = emit(NonMaxSuppression(boxes, scores, *fields))
    values = emit(GatherNd(scores, rows))
    if not how[1]:
        return rows, values
    values, order = emit.all(TopK(values, rows.type.shape[0], 0))
    return emit(Gather(rows, order, 0)), values


@openvino_op("ROIAlign", since=3, until=8)
def roi_align_from_corners(
    emit: Emitter,
    x: Value,
    rois: Value,
    batch: Value,
    *,
    pooled_h: int,
    pooled_w: int,
    sampling_ratio: int,
    spatial_scale: float,
    mode: Literal["avg", "max"],
) -> Value:
    """Mean or maximum of interpolated samples in each cell of a grid that is laid over each region."""
    return _pooled(
        emit, (x, rois, batch), Grid((pooled_h, pooled_w), sampling_ratio, mode, spatial_scale, False, "avg")
    )


@openvino_op("ROIAlign", since=9)
def roi_align_of_mode(
    emit: Emitter,
    x: Value,
    rois: Value,
    batch: Value,
    *,
    pooled_h: int,
    pooled_w: int,
    sampling_ratio: int,
    spatial_scale: float,
    mode: Literal["avg", "max"],
    aligned_mode: Literal["asymmetric", "half_pixel_for_nn", "half_pixel"] = "asymmetric",
) -> Value:
    """Mean or maximum of samples, at coordinates that count corners or centres of pixels."""
    if aligned_mode == "half_pixel":  # coordinates in the image count centres, too
        rois = emit(Add(rois, emit.number(0.5, rois)))
    grid = Grid((pooled_h, pooled_w), sampling_ratio, mode, spatial_scale, aligned_mode != "asymmetric", "avg")
    return _pooled(emit, (x, rois, batch), grid)


def _pooled(emit: Emitter, operands: tuple[Value, Value, Value], grid: Grid) -> Value:
    """Pool; the largest sample of a cell is that of those which are not negative."""
    found = roi_align(emit, *operands, grid)
    return found if grid.mode == "avg" else emit(Relu(found))


@openvino_op("ROIPooling", since=2)
def roi_pooling(
    emit: Emitter,
    x: Value,
    rois: Value,
    *,
    spatial_scale: float,
    method: Literal["max", "bilinear"] = "max",
    output_size: tuple[int, ...] = (),
    output_roi: tuple[int, ...] = (),
    pooled_h: int = 0,
    pooled_w: int = 0,
) -> Value:
    """The largest pixels in cells of regions ``image, x1, y1, x2, y2``."""
    if method != "max":
        raise emit.fail("interpolates one pixel in each cell")
    sizes = output_size or output_roi or (pooled_h, pooled_w)
    return max_roi_pool(emit, x, rois, sizes, spatial_scale)


@openvino_op("RegionYolo")
def region_yolo(
    emit: Emitter,
    x: Value,
    *,
    coords: int,
    classes: int,
    num: int,
    do_softmax: bool = True,
    mask: tuple[int, ...] = (),
    axis: int = 1,
    end_axis: int = 1,
    anchors: tuple[float, ...] = (),
) -> Value:
    """Centres and probabilities of a grid of boxes through sigmoids, classes through a sigmoid each, or a softmax."""
    n, channels, h, w = x.type.shape
    boxes = num if do_softmax else len(mask)
    each = coords + classes + 1
    if boxes * each != channels:
        raise emit.fail(f"has {boxes} boxes of {each} numbers in {x.type}", code="T001")
    split = emit.reshape(x, (n, boxes, each, h, w))
    parts = [_part(emit, split, 0, 2), _part(emit, split, 2, coords), _part(emit, split, coords, coords + 1)]
    kinds = _part(emit, split, coords + 1, each)
    last = emit(Softmax(kinds, 2)) if do_softmax else emit(Sigmoid(kinds))
    joined = emit(Concat((emit(Sigmoid(parts[0])), parts[1], emit(Sigmoid(parts[2])), last), 2))
    whole = emit.reshape(joined, (n, channels, h, w))
    if not do_softmax:
        return whole
    first, final = emit.axis(axis, 4), emit.axis(end_axis, 4)
    shape = x.type.shape
    return emit.reshape(whole, (*shape[:first], product(shape[first : final + 1]), *shape[final + 1 :]))


def _part(emit: Emitter, x: Value, start: int, end: int) -> Value:
    n, boxes, _, h, w = x.type.shape
    return emit(Slice(x, (0, 0, start, 0, 0), (n, boxes, end - start, h, w), (1,) * 5))
