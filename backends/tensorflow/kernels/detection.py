"""Rows of the table for non-maximum suppression of boxes."""

from __future__ import annotations

from ....compiler.ops import detection as ir
from ....compiler.types import DType
from ..table import Call, emits, scalar


@emits(ir.SelectBoxes, "NonMaxSuppressionV4")
def select_boxes(op: ir.SelectBoxes) -> Call:
    """A fixed number of boxes, and how many of them count."""
    overlap, threshold = (scalar(value, op.boxes.type.dtype) for value in (op.overlap, op.threshold))
    inputs = (op.boxes, op.scores, scalar(op.limit, DType.I32), overlap, threshold)
    return Call(inputs, {"pad_to_max_output_size": True})
