"""Rows for what detection networks end in: the choice among boxes that overlap."""

from __future__ import annotations

import numpy as np

from ....compiler.ops.detection import NonMaxSuppression
from ....compiler.types import DType, TensorType
from ..table import FLOATS, Call, emits, scalar


@emits(NonMaxSuppression, "NonMaxSuppression", dtypes=FLOATS)
def non_max_suppression(op: NonMaxSuppression) -> Call:
    """Boxes of batches and classes, in their order; kernels drop what overlaps as much as is stated, too."""
    least = float(np.finfo(np.float32).min)
    numbers = (
        scalar(min(op.limit, DType.I32.bounds[1]), DType.I64),
        scalar(float(np.nextafter(np.float32(op.overlap), np.float32(np.inf))), DType.F32),
        scalar(least if op.threshold is None else op.threshold, DType.F32),
    )
    attributes = {
        "box_encoding": "center" if op.centred else "corner",
        "sort_result_descending": False,
        "output_type": DType.I64,
    }
    unread = (TensorType(DType.F32, (op.count, 3)), TensorType(DType.I64, (1,)))
    return Call((op.boxes, op.scores, *numbers), attributes, unread=unread)
