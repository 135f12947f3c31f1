"""Boxes of all classes that overlap no better one of their class, the best ones of each image together."""

from __future__ import annotations

import math

from ....compiler.dims import Dim
from ....compiler.ir import Value
from ....compiler.ops.activation import Clip
from ....compiler.ops.arith import FloorDiv, Mod, Mul
from ....compiler.ops.detection import NonMaxSuppression
from ....compiler.ops.index import GatherNd, ScatterNd, TopK
from ....compiler.ops.logic import Greater, Select
from ....compiler.ops.reduce import Reduce
from ....compiler.ops.shape import Pad
from ....compiler.types import DType
from ...common.indexing import gathered
from ...common.rounds import count_of
from ..emitter import Emitter
from ..registry import tf_op

NOTHING = -math.inf
"""The score of boxes that are not chosen."""


@tf_op("CombinedNonMaxSuppression", outputs=("nmsed_boxes", "nmsed_scores", "nmsed_classes", "valid_detections"))
def combined_non_max_suppression(
    emit: Emitter,
    boxes: Value,
    scores: Value,
    max_output_size_per_class: Value,
    max_total_size: Value,
    iou_threshold: Value,
    score_threshold: Value,
    *,
    pad_per_class: bool = False,
    clip_boxes: bool = True,
) -> tuple[Value, ...]:
    """Boxes, scores and classes, filled up with zeros, and how many boxes of each image they are."""
    if boxes.type.rank != 4 or scores.type.rank != 3:
        raise emit.fail(f"has boxes {boxes.type} and scores {scores.type}", code="F006")
    batch, rows, classes = scores.type.shape
    if not isinstance(classes, int):
        raise emit.fail(f"has scores of {classes} classes", code="F004", help="Fix their number by shapes=...")
    limit = emit.positive(emit.int(max_output_size_per_class, "max_output_size_per_class"), "boxes of each class")
    total = emit.positive(emit.int(max_total_size, "max_total_size"), "boxes in all")
    size = min(total, limit * classes) if pad_per_class else total
    numbers = float(emit.scalar(iou_threshold, "iou_threshold")), float(emit.scalar(score_threshold, "score_threshold"))
    owners = boxes.type.shape[2]  # one, or each class has boxes of its own
    images, kinds = (batch, classes) if owners == 1 else (batch * classes, 1)
    corners = emit.reshape(emit.transpose(boxes, (0, 2, 1, 3)), (images, rows, 4))
    ranked = emit.reshape(emit.transpose(scores, (0, 2, 1)), (images, kinds, rows))
    kept = emit.reshape(_kept(emit, corners, ranked, limit, numbers), (batch, classes * rows))
    best, places = _best(emit, kept, size)
    count = emit.cast(count_of(emit, scores, 1), DType.I32)
    several = count if owners == 1 else emit(Mul(count, emit.const(classes, DType.I32)))
    chosen = gathered(emit, emit.reshape(corners, (batch, owners * rows, 4)), emit(Mod(places, several)), 1, 1)
    chosen = emit(Clip(chosen, 0.0, 1.0)) if clip_boxes else chosen
    class_numbers = emit.cast(emit(FloorDiv(places, count)), best.type.dtype)
    counts = emit(Greater(best, emit.const(NOTHING, best.type.dtype)))
    wide = emit.reshape(counts, (batch, size, 1))
    zero = emit.const(0, best.type.dtype)
    results = [emit(Select(mask, x, zero)) for mask, x in ((wide, chosen), (counts, best), (counts, class_numbers))]
    return *results, emit(Reduce(emit.cast(counts, DType.I32), "sum", (1,), keepdims=False))


def _kept(emit: Emitter, boxes: Value, scores: Value, limit: int, numbers: tuple[float, float]) -> Value:
    """Return scores, in which those of boxes that are not kept are as low as none else."""
    overlap, threshold = numbers
    rows = emit(NonMaxSuppression(boxes, scores, limit, overlap, emit.fresh(), threshold))
    lowest = emit.expand(emit.const(NOTHING, scores.type.dtype), scores.type.shape)
    return emit(ScatterNd(lowest, rows, emit(GatherNd(scores, rows, 0, wraps=False))))


def _best(emit: Emitter, scores: Value, size: int) -> tuple[Value, Value]:
    """Return the best scores of each image, and their places."""
    there: Dim = scores.type.shape[1]
    missing = max(size - there, 0) if isinstance(there, int) else size
    if missing:
        scores = emit(Pad(scores, (0, 0), (0, missing), value=NOTHING))
    best, places = emit.all(TopK(scores, size, 1, dtype=DType.I32))
    return best, places
