"""Rows of the table for non-maximum suppression of boxes."""

from __future__ import annotations

from ....compiler.ops.detection import NonMaxSuppression
from ....compiler.types import DType
from ..table import Call, emits, scalar


@emits(NonMaxSuppression, "NonMaxSuppression")
def non_max_suppression(op: NonMaxSuppression) -> Call:
    """NonMaxSuppression: boxes of several batches and classes at once."""
    numbers = (scalar(op.limit, DType.I64), scalar(op.overlap, DType.F32))
    threshold = () if op.threshold is None else (scalar(op.threshold, DType.F32),)
    return Call((op.boxes, op.scores, *numbers, *threshold), {"center_point_box": 1} if op.centred else {})
