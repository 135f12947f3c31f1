"""Boxes of all classes that overlap no better one of their class, or whose scores fade by how much they do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Literal

import numpy as np

from ....compiler.dims import Dim
from ....compiler.ir import Op, Value
from ....compiler.ops import arith
from ....compiler.ops.arith import Add, Div, Exp, Mul, Neg, Sub
from ....compiler.ops.detection import NonMaxSuppression
from ....compiler.ops.index import CumSum, Gather, GatherNd, NonZero, TopK
from ....compiler.ops.logic import Greater, GreaterEqual, Less, LessEqual, LogicalAnd, Select
from ....compiler.ops.reduce import Reduce
from ....compiler.ops.shape import Concat, Range, ShapeOf, Slice
from ....compiler.types import DType
from ...common.detection import just_below
from ...common.grid_sample import known_size
from ...common.regions import LOWEST
from ..emitter import Emitter
from ..registry import openvino_op
from .proposals import corners_of, grown, image_of

Order = Literal["classid", "score", "none"]


@dataclass(frozen=True)
class Chosen:
    """Boxes that were chosen: classes, scores, corners, and their numbers among all boxes of all images."""

    classes: Value
    scores: Value
    boxes: Value
    numbers: Value

    @property
    def count(self) -> Dim:
        """How many boxes there are, which may be symbolic."""
        return self.scores.type.shape[0]

    def at(self, emit: Emitter, places: Value) -> Chosen:
        """Return the boxes at the positions of a vector, in its order."""
        return Chosen(*(emit(Gather(v, places, 0)) for v in (self.classes, self.scores, self.boxes, self.numbers)))

    def by_class(self, emit: Emitter) -> Chosen:
        """Return them class by class, those of one class in the order in which they are."""
        keys = emit(Neg(emit.cast(self.classes, DType.F32)))
        return self.at(emit, emit.all(TopK(keys, self.count, 0))[1])

    def best(self, emit: Emitter, most: int) -> Chosen:
        """Return the best of those that have a score, at most so many unless that is negative, the best first."""
        room, scores = self.count, self.scores
        if most >= 0 and isinstance(room, int):
            room = min(most, room)
        elif most >= 0:
            room = most
            scores = emit(Concat((scores, emit.expand(emit.number(LOWEST, scores), (most,))), 0))
        values, order = emit.all(TopK(scores, room, 0))
        found = emit(NonZero(emit(Greater(values, emit.number(LOWEST, values))), emit.fresh(), rows=True))
        return self.at(emit, emit(Gather(order, emit.reshape(found, found.type.shape[:1]), 0)))


@dataclass(frozen=True)
class Sorting:
    """How chosen boxes are sorted, whether across images, how many remain, and the type of their numbers."""

    order: Order
    ignores_images: bool
    keeps: int
    dtype: DType


def _finished(emit: Emitter, images: Sequence[Chosen], how: Sorting) -> tuple[Value, Value, Value]:
    """Return rows of class, score and corners, the boxes' numbers, and how many there are of each image."""
    best = [chosen.best(emit, how.keeps) for chosen in images]
    if how.order == "classid" and not how.ignores_images:
        best = [chosen.by_class(emit) for chosen in best]
    counts = emit(Concat(tuple(emit(ShapeOf(chosen.scores, (0,))) for chosen in best), 0))
    fields = zip(*((c.classes, c.scores, c.boxes, c.numbers) for c in best), strict=True)
    whole = Chosen(*(emit(Concat(parts, 0)) for parts in fields))
    if how.ignores_images and how.order == "classid":
        whole = whole.by_class(emit)
    elif how.ignores_images and how.order == "score":
        whole = whole.at(emit, emit.all(TopK(whole.scores, whole.count, 0))[1])
    columns = (emit.reshape(v, (whole.count, 1)) for v in (emit.cast(whole.classes, DType.F32), whole.scores))
    rows = emit(Concat((*columns, whole.boxes), 1))
    return rows, emit.reshape(emit.cast(whole.numbers, how.dtype), (whole.count, 1)), emit.cast(counts, how.dtype)


def _foreground(emit: Emitter, scores: Value, background: int) -> Value:
    """Return scores ``[classes, boxes]``, the lowest that can be for the background."""
    classes = known_size(emit, scores.type.shape[0])
    if not 0 <= background < classes:
        return scores
    mask = emit.const(np.arange(classes).reshape(-1, 1) != background)
    return emit(Select(mask, scores, emit.number(LOWEST, scores)))


def _column(emit: Emitter, rows: Value, place: int) -> Value:
    count = rows.type.shape[0]
    return emit.reshape(emit(Slice(rows, (0, place), (count, 1), (1, 1))), (count,))


def _of_classes(emit: Emitter, boxes: Value, order: Value) -> Value:
    """Return boxes ``[classes, k, 4]`` by numbers ``[classes, k]``, of one list for all classes or one for each."""
    if boxes.type.rank == 2:
        return emit(Gather(boxes, order, 0))
    zero, one = emit.const(0, DType.I64), emit.const(1, DType.I64)
    shape = (*order.type.shape, 1)
    numbers = emit.reshape(emit(Range(zero, one, order.type.shape[0])), (order.type.shape[0], 1, 1))
    return emit(GatherNd(boxes, emit(Concat((emit.expand(numbers, shape), emit.reshape(order, shape)), 2))))


@dataclass(frozen=True)
class Suppression:
    """Which boxes are looked at, and how much they may overlap."""

    most: int
    overlap: float
    threshold: float
    offset: float

    def chosen(self, emit: Emitter, boxes: Value, scores: Value, number: Callable[[Value, Value], Value]) -> Chosen:
        """Return the boxes of an image that overlap no better one; ``number`` numbers them by class and place."""
        classes, count = scores.type.shape
        order = None
        if self.most >= 0 and not (isinstance(count, int) and count <= self.most):
            scores, order = emit.all(TopK(scores, self.most, 1))
            boxes, count = _of_classes(emit, boxes, order), self.most
        limit = known_size(emit, count)
        numbers = (limit, just_below(self.overlap), emit.fresh(), just_below(self.threshold))
        measured = grown(emit, boxes, self.offset)
        if boxes.type.rank == 2:
            batched = (emit.reshape(measured, (1, count, 4)), emit.reshape(scores, (1, classes, count)))
            rows = emit(NonMaxSuppression(*batched, *numbers))
            kind, place = _column(emit, rows, 1), _column(emit, rows, 2)
            found = (emit(GatherNd(scores, _pairs(emit, kind, place))), emit(Gather(boxes, place, 0)))
        else:
            rows = emit(NonMaxSuppression(measured, emit.reshape(scores, (classes, 1, count)), *numbers))
            kind, place = _column(emit, rows, 0), _column(emit, rows, 2)
            pairs = _pairs(emit, kind, place)
            found = (emit(GatherNd(scores, pairs)), emit(GatherNd(boxes, pairs)))
            place = place if order is None else emit(GatherNd(order, pairs))
        return Chosen(kind, *found, number(kind, place))


def _pairs(emit: Emitter, a: Value, b: Value) -> Value:
    count = a.type.shape[0]
    return emit(Concat((emit.reshape(a, (count, 1)), emit.reshape(b, (count, 1))), 1))


@openvino_op("MulticlassNms", since=8)
def multiclass_nms(
    emit: Emitter,
    boxes: Value,
    scores: Value,
    counts: Value | None = None,
    *,
    sort_result_type: Order = "none",
    sort_result_across_batch: bool = False,
    output_type: DType = DType.I64,
    iou_threshold: float = 0.0,
    score_threshold: float = 0.0,
    nms_top_k: int = -1,
    keep_top_k: int = -1,
    background_class: int = -1,
    nms_eta: float = 1.0,
    normalized: bool = True,
) -> tuple[Value, ...]:
    """Boxes that overlap no better one of their class; ``counts`` says how many of those of each class an image has."""
    if 0 <= nms_eta < 1:
        raise emit.fail("lets the allowed overlap change (nms_eta)")
    how = Suppression(nms_top_k, iou_threshold, score_threshold, 0.0 if normalized else 1.0)
    if scores.type.rank == 3:
        images = _images_of(emit, boxes, scores, how, background_class)
    elif counts is not None:
        images = _images_by_count(emit, (boxes, scores, counts), how, background_class)
    else:
        raise emit.fail("has boxes of each class, but not how many each image has", code="F006")
    return _finished(emit, images, Sorting(sort_result_type, sort_result_across_batch, keep_top_k, output_type))


def _images_of(emit: Emitter, boxes: Value, scores: Value, how: Suppression, background: int) -> list[Chosen]:
    """Choose from boxes ``[images, boxes, 4]``, which all classes share."""
    count = known_size(emit, boxes.type.shape[1])
    found: list[Chosen] = []
    for i in range(known_size(emit, boxes.type.shape[0])):
        front = _foreground(emit, image_of(emit, scores, i), background)
        first = emit.const(i * count, DType.I64)
        found.append(how.chosen(emit, image_of(emit, boxes, i), front, lambda _, b, n=first: emit(Add(b, n))))
    return found


def _images_by_count(
    emit: Emitter, given: tuple[Value, Value, Value], how: Suppression, background: int
) -> list[Chosen]:
    """Choose from boxes ``[classes, boxes, 4]`` of all images, one after the other."""
    boxes, scores, counts = given
    classes, count = (known_size(emit, d) for d in scores.type.shape)
    sizes = emit.cast(counts, DType.I64)
    ends = emit(CumSum(sizes, 0))
    starts = emit(Sub(ends, sizes))
    places = emit.const(np.arange(count), DType.I64)
    front = _foreground(emit, scores, background)
    each = emit.const(classes, DType.I64)
    found: list[Chosen] = []
    for i in range(known_size(emit, counts.type.shape[0])):
        first, end = (emit(Slice(v, (i,), (1,), (1,))) for v in (starts, ends))
        own = emit(LogicalAnd(emit(GreaterEqual(places, first)), emit(Less(places, end))))
        own_scores = emit(Select(emit.reshape(own, (1, count)), front, emit.number(LOWEST, front)))
        found.append(how.chosen(emit, boxes, own_scores, lambda c, b: emit(Add(emit(Mul(b, each)), c))))
    return found


@dataclass(frozen=True)
class Fading:
    """How scores fade by overlaps (MatrixNms), from which score on boxes count, and how many remain."""

    most: int
    threshold: float
    after: float
    sigma: float | None
    offset: float

    def chosen(self, emit: Emitter, boxes: Value, scores: Value, first: Value) -> Chosen:
        """Return the boxes of an image with their scores; ``first`` is the number of its first one."""
        classes, count = (known_size(emit, d) for d in scores.type.shape)
        room = count if self.most < 0 else min(self.most, count)
        values, order = emit.all(TopK(scores, room, 1))
        taken = emit(Gather(boxes, order, 0))
        faded = emit(Mul(values, self._factors(emit, taken)))
        is_kept = emit(
            LogicalAnd(
                emit(Greater(values, emit.number(self.threshold, values))),
                emit(Greater(faded, emit.number(self.after, faded))),
            )
        )
        flat = emit.reshape(emit(Select(is_kept, faded, emit.number(LOWEST, faded))), (classes * room,))
        kinds = emit.const(np.repeat(np.arange(classes), room), DType.I64)
        numbers = emit(Add(emit.reshape(order, (classes * room,)), first))
        return Chosen(kinds, flat, emit.reshape(taken, (classes * room, 4)), numbers)

    def _factors(self, emit: Emitter, boxes: Value) -> Value:
        """Return by what scores ``[classes, k]`` are multiplied: the least for any better box of the class."""
        overlap = _overlaps(emit, boxes, self.offset)
        classes, count, _ = overlap.type.shape
        is_better = emit.const(np.tri(known_size(emit, count), k=-1, dtype=bool))
        overlap = emit(Select(is_better, overlap, emit.number(0, overlap)))
        largest = emit.reshape(emit(Reduce(overlap, "max", (2,), keepdims=False)), (classes, 1, count))
        one = emit.number(1, overlap)
        if self.sigma is None:
            rest = emit(Add(emit(Sub(one, largest)), emit.number(1e-10, overlap)))
            decay = emit(Div(emit(Sub(one, overlap)), rest))
        else:
            squares = emit(Sub(emit(Mul(largest, largest)), emit(Mul(overlap, overlap))))
            decay = emit(Exp(emit(Mul(squares, emit.number(self.sigma, overlap)))))
        return emit(Reduce(emit(Select(is_better, decay, one)), "min", (2,), keepdims=False))


def _overlaps(emit: Emitter, boxes: Value, offset: float) -> Value:
    """Return the overlap of all pairs of boxes of a class, ``[classes, k, k]``; boxes that are inside out have none."""
    classes, count, _ = boxes.type.shape

    def pairs(op: type[Op], low: Value, high: Value) -> Value:
        rows = emit.reshape(low, (classes, count, 1, 2))
        return emit(op(rows, emit.reshape(high, (classes, 1, count, 2))))

    def both(op: type[Op], v: Value) -> Value:
        shape = v.type.shape[:-1]
        zeros, ones = (0,) * len(shape), (1,) * len(shape)
        sides = (emit(Slice(v, (*zeros, a), (*shape, 1), (*ones, 1))) for a in (0, 1))
        return emit.reshape(reduce(lambda a, b: emit(op(a, b)), sides), shape)

    def area(size: Value) -> Value:
        return both(Mul, emit(Add(size, emit.number(offset, size))))

    low, high = corners_of(emit, boxes)
    none = emit.number(0, boxes)
    own = emit(Select(both(LogicalAnd, emit(LessEqual(low, high))), area(emit(Sub(high, low))), none))
    meet = both(LogicalAnd, emit(LogicalAnd(pairs(LessEqual, low, high), pairs(GreaterEqual, high, low))))
    common = area(emit(Sub(pairs(arith.Min, high, high), pairs(arith.Max, low, low))))
    sums = emit(Add(emit.reshape(own, (classes, count, 1)), emit.reshape(own, (classes, 1, count))))
    return emit(Select(meet, emit(Div(common, emit(Sub(sums, common)))), none))


@openvino_op("MatrixNms", since=8)
def matrix_nms(
    emit: Emitter,
    boxes: Value,
    scores: Value,
    *,
    sort_result_type: Order = "none",
    sort_result_across_batch: bool = False,
    output_type: DType = DType.I64,
    score_threshold: float = 0.0,
    nms_top_k: int = -1,
    keep_top_k: int = -1,
    background_class: int = -1,
    decay_function: Literal["gaussian", "linear"] = "linear",
    gaussian_sigma: float = 2.0,
    post_threshold: float = 0.0,
    normalized: bool = True,
) -> tuple[Value, ...]:
    """Boxes whose scores, made smaller by the overlaps with better ones of their class, exceed a limit."""
    sigma = gaussian_sigma if decay_function == "gaussian" else None
    how = Fading(nms_top_k, score_threshold, post_threshold, sigma, 0.0 if normalized else 1.0)
    count = known_size(emit, boxes.type.shape[1])
    images: list[Chosen] = []
    for i in range(known_size(emit, boxes.type.shape[0])):
        front = _foreground(emit, image_of(emit, scores, i), background_class)
        images.append(how.chosen(emit, image_of(emit, boxes, i), front, emit.const(i * count, DType.I64)))
    order: Order = sort_result_type if sort_result_across_batch else "score"  # images are never sorted by class
    return _finished(emit, images, Sorting(order, sort_result_across_batch, keep_top_k, output_type))
