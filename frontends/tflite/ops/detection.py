"""Handlers of non-maximum suppression and of detection's postprocessing."""

from __future__ import annotations

import numpy as np

from ....compiler.ir import Value
from ....compiler.ops.arith import Add, Cast, Exp, Mul, Sub
from ....compiler.ops.index import ArgMax, Gather
from ....compiler.ops.reduce import Reduce
from ....compiler.ops.shape import Concat, Split
from ....compiler.types import DType
from ...common.detection import best_boxes, counted_rows
from ...slicing import cut
from ..emitter import Emitter
from ..registry import builtin


@builtin("NON_MAX_SUPPRESSION_V4", "NonMaxSuppressionV4Options")
def non_max_suppression_v4(
    emit: Emitter, boxes: Value, scores: Value, limit: Value, overlap: Value, threshold: Value
) -> tuple[Value, ...]:
    """A fixed number of boxes, and how many of them count; the kernel needs boxes that are not empty."""
    numbers = (emit.scalar(overlap, "iou_threshold"), emit.scalar(threshold, "score_threshold"))
    return best_boxes(emit, boxes, scores, emit.int(limit, "max_output_size"), numbers, filled=True)


@builtin("NON_MAX_SUPPRESSION_V5", "NonMaxSuppressionV5Options")
def non_max_suppression_v5(
    emit: Emitter, boxes: Value, scores: Value, limit: Value, overlap: Value, threshold: Value, sigma: Value
) -> tuple[Value, ...]:
    """The same with scores, which are not softened."""
    if emit.scalar(sigma, "soft_nms_sigma") != 0:
        raise emit.fail("softens scores")
    numbers = (emit.scalar(overlap, "iou_threshold"), emit.scalar(threshold, "score_threshold"))
    size = emit.int(limit, "max_output_size")
    chosen, count = best_boxes(emit, boxes, scores, size, numbers, filled=True)
    return chosen, counted_rows(emit, emit(Gather(scores, chosen, 0)), count, size), count


@builtin("TFLite_Detection_PostProcess")
def detection_post_process(
    emit: Emitter,
    encodings: Value,
    predictions: Value,
    anchors: Value,
    *,
    max_detections: int = 0,
    max_classes_per_detection: int = 1,
    detections_per_class: int = 100,
    use_regular_nms: bool = False,
    nms_score_threshold: float = 0.0,
    nms_iou_threshold: float = 0.0,
    num_classes: int = 0,
    y_scale: float = 1.0,
    x_scale: float = 1.0,
    h_scale: float = 1.0,
    w_scale: float = 1.0,
) -> tuple[Value, ...]:
    """Boxes relative to anchors, the best class of each, those that overlap no better one, and how many they are."""
    if use_regular_nms or max_classes_per_detection != 1:
        raise emit.fail("selects boxes class by class, or several classes of each box")
    if encodings.type.rank != 3 or encodings.type.shape[0] != 1 or predictions.type.rank != 3 or num_classes < 1:
        raise emit.fail(f"has the operands {encodings.type} and {predictions.type}", code="F006")
    boxes = _decoded(emit, encodings, anchors, (y_scale, x_scale, h_scale, w_scale))
    rows, classes = predictions.type.shape[1:]
    scores = cut(emit, emit.reshape(predictions, (rows, classes)), {1: (classes - num_classes, classes, 1)})
    best = emit(Reduce(scores, "max", (1,), False))
    kinds = emit(ArgMax(scores, 1, False, False, DType.I32))
    size = emit.positive(max_detections, "number of boxes")
    chosen, count = best_boxes(emit, boxes, best, size, (nms_iou_threshold, nms_score_threshold))
    found = [
        counted_rows(emit, emit(Gather(v, chosen, 0)), count, size) for v in (boxes, emit.cast(kinds, DType.F32), best)
    ]
    results = [emit.reshape(v, (1, *v.type.shape)) for v in found]
    return *results, emit.reshape(emit(Cast(count, DType.F32)), (1,))


def _decoded(emit: Emitter, encodings: Value, anchors: Value, scales: tuple[float, float, float, float]) -> Value:
    """Return the corners of boxes whose centre and size are relative to those of anchors."""
    rows = encodings.type.shape[1]
    given = cut(emit, emit.reshape(encodings, (rows, encodings.type.shape[2])), {1: (0, 4, 1)})
    scaled = emit(Mul(given, emit.const(1 / np.asarray(scales, np.float32))))
    moved, grown = emit.all(Split(scaled, 1, (2, 2)))
    centre, size = emit.all(Split(anchors, 1, (2, 2)))
    middle = emit(Add(emit(Mul(moved, size)), centre))
    half = emit(Mul(emit(Mul(emit(Exp(grown)), size)), emit.const(0.5, DType.F32)))
    return emit(Concat((emit(Sub(middle, half)), emit(Add(middle, half))), 1))
