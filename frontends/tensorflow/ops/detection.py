"""Handlers of non-maximum suppression: from boxes that overlap only the best one is kept."""

from __future__ import annotations

from ....compiler.dims import Dim, minimum
from ....compiler.ir import Value
from ....compiler.ops.detection import NonMaxSuppression, SelectBoxes
from ....compiler.ops.index import Gather
from ....compiler.types import DType
from ...common.detection import counted_rows
from ...slicing import cut
from ..emitter import Emitter
from ..registry import tf_op

NO_THRESHOLD = float("-inf")
"""The score that all boxes exceed."""


UNLIMITED = 2**31 - 1
"""The limit for all boxes: no tensor has as many, since kernels count elements in 32 bits."""


def _limit(emit: Emitter, limit: Value, count: Dim) -> int:
    """Return how many of ``count`` boxes may be kept at most.

    Graphs ask for the smaller one of a number and of ``count``: no more are kept anyway, be ``count`` known or not.

    Raises:
        CompileError: F004 or F006, the limit is open in another way.
    """
    asked = emit.dim(limit, "max_output_size")
    if isinstance(asked, int):
        return asked
    numbers = [UNLIMITED, *(int(n) for n in asked.expr.atoms() if n.is_Integer and 0 <= n < UNLIMITED)]
    effect = minimum(asked, count)
    found = next((n for n in numbers if minimum(n, count) == effect), None)
    return emit.int(limit, "max_output_size") if found is None else found


def _found(emit: Emitter, boxes: Value, scores: Value, limit: Value, numbers: tuple[float, float]) -> Value:
    """Return the numbers of boxes, as many as are left."""
    overlap, threshold = numbers
    count = boxes.type.shape[0]
    wide = emit.reshape(emit.cast(boxes, DType.F32), (1, count, 4))
    ranked = emit.reshape(emit.cast(scores, DType.F32), (1, 1, count))
    size = _limit(emit, limit, count)
    kept = emit.fresh()
    least = None if threshold == NO_THRESHOLD else threshold
    rows = emit(NonMaxSuppression(wide, ranked, size, overlap, kept, least))
    cuts: dict[int, tuple[Dim, Dim, int]] = {1: (2, 3, 1)}
    return emit.cast(emit.reshape(cut(emit, rows, cuts), (kept,)), DType.I32)


@tf_op("NonMaxSuppression")
def non_max_suppression(
    emit: Emitter, boxes: Value, scores: Value, max_output_size: Value, *, iou_threshold: float = 0.5
) -> Value:
    """The numbers of the boxes that are kept, the best one first."""
    return _found(emit, boxes, scores, max_output_size, (iou_threshold, NO_THRESHOLD))


@tf_op("NonMaxSuppressionV2")
def non_max_suppression_v2(
    emit: Emitter, boxes: Value, scores: Value, max_output_size: Value, iou_threshold: Value
) -> Value:
    """The numbers of the boxes that are kept; the overlap from which boxes are dropped is a constant operand."""
    overlap = float(emit.scalar(iou_threshold, "iou_threshold"))
    return _found(emit, boxes, scores, max_output_size, (overlap, NO_THRESHOLD))


@tf_op("NonMaxSuppressionV3")
def non_max_suppression_v3(
    emit: Emitter,
    boxes: Value,
    scores: Value,
    max_output_size: Value,
    iou_threshold: Value,
    score_threshold: Value,
) -> Value:
    """The numbers of the boxes that are kept, of those whose scores are above a threshold."""
    return _found(emit, boxes, scores, max_output_size, _thresholds(emit, iou_threshold, score_threshold))


def _thresholds(emit: Emitter, overlap: Value, score: Value) -> tuple[float, float]:
    return float(emit.scalar(overlap, "iou_threshold")), float(emit.scalar(score, "score_threshold"))


def _padded(
    emit: Emitter, boxes: Value, scores: Value, limit: Value, numbers: tuple[float, float]
) -> tuple[Value, Value]:
    """Return as many numbers as are allowed at most, and how many of them count."""
    corners = emit.cast(boxes, DType.F32)
    size = emit.int(limit, "max_output_size")
    chosen, count = emit.all(SelectBoxes(corners, emit.cast(scores, DType.F32), size, *numbers))
    return chosen, count


@tf_op("NonMaxSuppressionV4", outputs=("selected_indices", "valid_outputs"))
def non_max_suppression_v4(
    emit: Emitter,
    boxes: Value,
    scores: Value,
    max_output_size: Value,
    iou_threshold: Value,
    score_threshold: Value,
    *,
    pad_to_max_output_size: bool = False,
) -> tuple[Value, ...]:
    """The numbers of boxes, filled up with zeros on request, and how many they are."""
    numbers = _thresholds(emit, iou_threshold, score_threshold)
    chosen, count = _padded(emit, boxes, scores, max_output_size, numbers)
    if not pad_to_max_output_size:
        chosen = _found(emit, boxes, scores, max_output_size, numbers)
    return chosen, count


@tf_op("NonMaxSuppressionV5", outputs=("selected_indices", "selected_scores", "valid_outputs"))
def non_max_suppression_v5(
    emit: Emitter,
    boxes: Value,
    scores: Value,
    max_output_size: Value,
    iou_threshold: Value,
    score_threshold: Value,
    soft_nms_sigma: Value,
    *,
    pad_to_max_output_size: bool = False,
) -> tuple[Value, ...]:
    """Numbers and scores of the boxes that are kept, and how many; softened scores are refused."""
    if emit.scalar(soft_nms_sigma, "soft_nms_sigma") != 0:
        raise emit.fail("softens scores")
    numbers = _thresholds(emit, iou_threshold, score_threshold)
    chosen, count = _padded(emit, boxes, scores, max_output_size, numbers)
    if pad_to_max_output_size:
        picked = counted_rows(emit, emit(Gather(scores, chosen, 0)), count, emit.int(max_output_size, "limit"))
        return chosen, picked, count
    chosen = _found(emit, boxes, scores, max_output_size, numbers)
    return chosen, emit(Gather(scores, chosen, 0)), count
