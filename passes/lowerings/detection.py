"""Lowerings of non-maximum suppression and of selecting boxes."""

from __future__ import annotations

import math

import numpy as np

from ...compiler.dims import minimum
from ...compiler.ir import Value
from ...compiler.lowering import Build
from ...compiler.ops import arith, logic
from ...compiler.ops.detection import NonMaxSuppression, SelectBoxes
from ...compiler.ops.index import GatherNd, NonZero, TopK
from ...compiler.ops.reduce import Reduce
from ...compiler.ops.shape import Concat, Pad, Range, Slice
from ...compiler.types import DType
from .registry import lower

MAX_SELECTIONS = 1024
"""Classes times batches: each takes an operation of its own."""


@lower(NonMaxSuppression)
def select_by_class(op: NonMaxSuppression, e: Build) -> None:
    """One selection per batch and class, each of a fixed number of boxes; then those that count are picked."""
    batches, classes, boxes = op.scores.type.shape
    e.require(
        isinstance(batches, int) and isinstance(classes, int) and batches * classes <= MAX_SELECTIONS,
        f"boxes of {batches} batches and {classes} classes; at most {MAX_SELECTIONS} in all, known when compiling",
    )
    assert isinstance(batches, int) and isinstance(classes, int)
    limit = minimum(op.limit, boxes)
    limit = limit if isinstance(limit, int) else op.limit
    rows: list[Value] = []
    valid: list[Value] = []
    places = e.constant(np.arange(limit, dtype=np.int32))
    for batch in range(batches):
        corners = _corners(e.reshape(_part(op.boxes, (batch,), e), op.boxes.type.shape[1:]), e, centred=op.centred)
        for kind in range(classes):
            scores = e.reshape(_part(op.scores, (batch, kind), e), (boxes,))
            chosen, count = _selected(corners, scores, limit, op, e)
            names = e.constant(np.broadcast_to(np.asarray([batch, kind], np.int32), (limit, 2)))
            rows.append(e.rw.emit(Concat((names, e.reshape(chosen, (limit, 1))), 1)))
            valid.append(e(logic.Less, places, count))
    rows_of_all, counts = (e.rw.emit(Concat(tuple(parts), 0)) for parts in (rows, valid))
    found = e(NonZero, counts, op.count, rows=True)
    e.replace(e(arith.Cast, e(GatherNd, rows_of_all, found), to=DType.I64))


def _selected(corners: Value, scores: Value, limit: int, op: NonMaxSuppression, e: Build) -> tuple[Value, ...]:
    """Select among boxes of one class; where every overlap is allowed, the best ones without looking at boxes."""
    threshold = -math.inf if op.threshold is None else op.threshold
    if op.overlap < 1:
        return e.each(SelectBoxes(corners, scores, limit, op.overlap, threshold))
    if not isinstance(scores.type.shape[0], int):  # there may be fewer than the limit
        scores = e(Pad, scores, (0,), (limit,), value=-math.inf)
    _, best = e.each(TopK(scores, limit, 0, dtype=DType.I32))
    good = e(arith.Cast, e(logic.Greater, scores, threshold), to=DType.I32)
    return best, e(arith.Min, e(Reduce, good, "sum", (0,), keepdims=False), limit)


def _part(x: Value, places: tuple[int, ...], e: Build) -> Value:
    """Return what lies at some places of the first axes, which stay with size one."""
    rank, count = x.type.rank, len(places)
    sizes = (*[1] * count, *x.type.shape[count:])
    return e(Slice, x, (*places, *[0] * (rank - count)), sizes, (1,) * rank)


def _corners(boxes: Value, e: Build, *, centred: bool) -> Value:
    """Return lower and upper corners."""
    a, b = (e(Slice, boxes, (0, start), (boxes.type.shape[0], 2), (1, 1)) for start in (0, 2))
    if centred:
        half = e(arith.Mul, b, 0.5)
        return e.rw.emit(Concat((e(arith.Sub, a, half), e(arith.Add, a, half)), 1))
    return e.rw.emit(Concat((e(arith.Min, a, b), e(arith.Max, a, b)), 1))


@lower(SelectBoxes)
def empty_boxes_elsewhere(op: SelectBoxes, e: Build) -> None:
    """Empty boxes overlap nothing, and neither do boxes far away from all others and from each other."""
    if op.filled:
        return
    count = op.boxes.type.shape[0]
    low, high = (e(Slice, op.boxes, (0, start), (count, 2), (1, 1)) for start in (0, 2))
    width = e(Reduce, e(arith.Sub, high, low), "min", (1,))
    farthest = e(arith.Max, e(Reduce, e(arith.Abs, op.boxes), "max", (0, 1)), 1.0)
    numbers = e(arith.Cast, e(Range, e.number(1, DType.I32), e.number(1, DType.I32), count), to=op.boxes.type.dtype)
    away = e(arith.Mul, e(arith.Mul, e.reshape(numbers, (count, 1)), 2.0), farthest)
    is_empty = e(logic.LessEqual, width, 0.0)
    corners = (e(logic.Select, is_empty, away, low), e(logic.Select, is_empty, e(arith.Add, away, farthest), high))
    e.replace(*e.each(op.clone((e.rw.emit(Concat(corners, 1)), op.scores), filled=True)))
