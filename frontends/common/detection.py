"""Boxes that overlap no better one, as TensorFlow's kernels choose them."""

from __future__ import annotations

import numpy as np

from ...compiler.ir import Value
from ...compiler.ops.detection import SelectBoxes
from ...compiler.ops.logic import Less, Select
from ...compiler.types import DType
from .operands import OperandEmitter


def just_below(limit: float) -> float:
    """The kernels drop boxes that reach a limit, the IR those beyond it."""
    return float(np.nextafter(np.float32(limit), np.float32(-np.inf)))


def best_boxes(
    emit: OperandEmitter, boxes: Value, scores: Value, limit: int, numbers: tuple[float, float], *, filled: bool = False
) -> tuple[Value, Value]:
    """Return the numbers of at most ``limit`` boxes, then zeros, and how many they are.

    ``numbers`` are the overlap from which on boxes are dropped and the score that they must exceed; the source knows
    whether all are ``filled``.
    """
    overlap, threshold = numbers
    chosen, count = emit.all(SelectBoxes(boxes, scores, limit, just_below(overlap), threshold, filled))
    return chosen, count


def counted_rows(emit: OperandEmitter, x: Value, count: Value, size: int) -> Value:
    """Put zeros in the rows after those that count."""
    counts = emit(Less(emit.const(np.arange(size), DType.I32), count))
    mask = emit.reshape(counts, (size, *[1] * (x.type.rank - 1)))
    return emit(Select(mask, x, emit.const(0, x.type.dtype)))
