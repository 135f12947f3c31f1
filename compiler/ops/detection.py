"""What detection networks end in: selecting boxes by score and overlap."""

from __future__ import annotations

import numpy as np

from ..attributes import Count, Finite
from ..dims import Dim, may_equal
from ..ir import Op
from ..opdef import Pure, op
from ..operands import Floats
from ..types import Array, DType, TensorType


@op("non_max_suppression", Pure)
class NonMaxSuppression(Op):
    """Boxes that overlap no better one of their class: rows of batch, class and box number; ``count`` names how many.

    Boxes ``[batch, n, 4]`` are two corners, or centre and size with ``centred``; scores are ``[batch, classes, n]``.
    At most ``limit`` boxes are kept per batch and class, those whose overlap (intersection over union) with a kept one
    exceeds ``overlap`` are not, nor those whose score does not exceed ``threshold``, or minus infinity without one.
    """

    boxes: Floats
    scores: Floats
    limit: Count
    overlap: Finite
    count: Dim
    threshold: float | None = None
    centred: bool = False

    def infer(self) -> TensorType:
        """Three numbers per box that is kept."""
        boxes, scores = self.boxes.type.shape, self.scores.type.shape
        if len(boxes) != 3 or len(scores) != 3 or boxes[2] != 4:
            raise ValueError(f"{self.boxes.type} are not boxes, or {self.scores.type} are not scores of classes")
        if 0 in scores:
            raise ValueError(f"there is nothing to choose from in {self.scores.type}")
        if not may_equal((boxes[0], boxes[1]), (scores[0], scores[2])):
            raise ValueError(f"{self.scores.type} are not scores of {self.boxes.type}")
        return TensorType(DType.I64, (self.count, 3))

    @staticmethod
    def evaluate(
        boxes: Array,
        scores: Array,
        *,
        limit: int,
        overlap: float,
        count: Dim,
        threshold: float | None,
        centred: bool,
    ) -> Array:
        """Greedily, the best first."""
        rows: list[tuple[int, int, int]] = []
        for batch, corners in enumerate(_corners(boxes, centred)):
            for kind, score in enumerate(scores[batch]):
                order = np.argsort(-score, kind="stable")
                least = -np.inf if threshold is None else threshold
                order = order[score[order] > np.asarray(least, score.dtype)]
                rows += [(batch, kind, int(box)) for box in _greedy(corners, order, limit, overlap)]
        return np.asarray(rows, np.int64).reshape(-1, 3)


@op("select_boxes", Pure)
class SelectBoxes(Op):
    """The numbers of at most ``limit`` boxes that overlap no better one, the best first, then zeros; and how many.

    Boxes ``[n, 4]`` are lower and upper corners, not exchanged, ``scores`` one number for each; ``overlap`` and
    ``threshold`` as in ``non_max_suppression``.  ``filled`` says that no box is empty.
    """

    boxes: Floats
    scores: Floats
    limit: Count
    overlap: Finite
    threshold: float
    filled: bool = False

    def infer(self) -> tuple[TensorType, TensorType]:
        """Always the same number."""
        boxes, scores = self.boxes.type.shape, self.scores.type.shape
        if len(boxes) != 2 or boxes[1] != 4 or not may_equal(scores, boxes[:1]):
            raise ValueError(f"{self.boxes.type} are no boxes, or {self.scores.type} not their scores")
        return TensorType(DType.I32, (self.limit,)), TensorType(DType.I32, ())

    @staticmethod
    def evaluate(
        boxes: Array, scores: Array, *, limit: int, overlap: float, threshold: float, filled: bool
    ) -> tuple[Array, Array]:
        """Greedily, the best first."""
        order = np.argsort(-scores, kind="stable")
        kept = _greedy(boxes, order[scores[order] > threshold], limit, overlap)
        return np.asarray(kept + [0] * (limit - len(kept)), np.int32), np.asarray(len(kept), np.int32)


def _corners(boxes: Array, centred: bool) -> Array:
    """Return lower and upper corners."""
    if centred:
        centre, half = boxes[..., :2], boxes[..., 2:] / 2
        return np.concatenate([centre - half, centre + half], -1)
    a, b = boxes[..., :2], boxes[..., 2:]
    return np.concatenate([np.minimum(a, b), np.maximum(a, b)], -1)


def _greedy(boxes: Array, order: Array, limit: int, overlap: float) -> list[int]:
    kept: list[int] = []
    for box in order:
        if len(kept) >= limit:
            break
        if all(_intersection_over_union(boxes[box], boxes[other]) <= overlap for other in kept):
            kept.append(int(box))
    return kept


def _intersection_over_union(a: Array, b: Array) -> float:
    common = np.prod(np.maximum(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0))
    union = np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2]) - common
    return float(common / union) if union > 0 else 0.0
