"""Rows of the table for non-maximum suppression and selecting boxes."""

from __future__ import annotations

import numpy as np

from ....compiler.ops import detection as ir
from ....compiler.weights import Weight
from ..table import Call, condition, emits, int_scalar
from .common import float_scalar


@condition("boxes that are not empty")
def _filled(op: ir.SelectBoxes) -> str | None:
    """Behind an empty box the kernel selects the same one again and again."""
    return None if op.filled else "boxes that may be empty"


@emits(
    ir.SelectBoxes,
    "NON_MAX_SUPPRESSION_V4",
    dtypes="f32",
    ranks=range(2, 3),
    when=(_filled,),
    kernel="non_max_suppression.cc",
)
def select_boxes(op: ir.SelectBoxes) -> Call:
    """A fixed number of boxes, and how many of them count."""
    just_above = np.nextafter(np.float32(op.overlap), np.float32(np.inf))  # the kernel drops what reaches the limit
    limits = (Weight.of(float_scalar(float(value))) for value in (just_above, op.threshold))
    return Call((op.boxes, op.scores, int_scalar(op.limit), *limits))
