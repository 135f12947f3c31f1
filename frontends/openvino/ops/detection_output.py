"""The end of SSD networks: boxes decoded from those that cells begin with, without overlaps, the best of each image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np

from ....compiler.dims import static
from ....compiler.ir import Value
from ....compiler.ops.activation import Clip
from ....compiler.ops.arith import Add, Div, Exp, Mul, Sub
from ....compiler.ops.detection import NonMaxSuppression
from ....compiler.ops.index import Gather, GatherNd, NonZero, TopK
from ....compiler.ops.logic import GreaterEqual, Select
from ....compiler.ops.shape import Concat, Slice
from ...common.schema import Until
from ..emitter import Emitter
from ..registry import openvino_op

LOWEST = float(np.finfo(np.float32).min)

CodeType = Literal["caffe.priorboxparameter.corner", "caffe.priorboxparameter.center_size"]


@dataclass(frozen=True)
class Settings:
    """Attributes of DetectionOutput: which boxes are chosen, and whether they are clipped to the image."""

    background: int
    top_k: int
    keep_top_k: int
    overlap: float
    confidence: float
    clips: bool


@openvino_op("DetectionOutput")
def detection_output(
    emit: Emitter,
    boxes: Value,
    scores: Value,
    priors: Value,
    aux_scores: Value | None = None,
    aux_boxes: Value | None = None,
    *,
    num_classes: Annotated[int, Until(7)] = 0,
    background_label_id: int = 0,
    top_k: int = -1,
    variance_encoded_in_target: bool = False,
    keep_top_k: tuple[int, ...],
    code_type: CodeType = "caffe.priorboxparameter.corner",
    share_location: bool = True,
    nms_threshold: float,
    confidence_threshold: float = 0.0,
    clip_after_nms: bool = False,
    clip_before_nms: bool = False,
    decrease_label_id: bool = False,
    normalized: bool = False,
    input_height: int = 1,
    input_width: int = 1,
    objectness_score: float = 0.0,
) -> Value:
    """Rows of image, class, score and corners; after the last one a row that begins with -1, then zeros."""
    _check(emit, share_location, decrease_label_id, aux_scores)
    scale = None if normalized else (input_width, input_height)
    moved = _decoded(emit, boxes, priors, (code_type, variance_encoded_in_target), scale)
    moved = emit(Clip(moved, 0.0, 1.0)) if clip_before_nms else moved
    how = Settings(background_label_id, top_k, keep_top_k[0], nms_threshold, confidence_threshold, clip_after_nms)
    return _chosen(emit, moved, scores, how)


def _check(emit: Emitter, share_location: bool, decrease_label_id: bool, aux: Value | None) -> None:
    for is_so, what in (
        (not share_location, "has boxes for each class"),
        (decrease_label_id, "chooses boxes of all classes together (decrease_label_id)"),
        (aux is not None, "refines boxes of another step"),
    ):
        if is_so:
            raise emit.fail(what)


def _decoded(emit: Emitter, boxes: Value, priors: Value, how: tuple[str, bool], scale: tuple[int, int] | None) -> Value:
    """Return corners ``[images, boxes, 4]``: shifts are multiplied by variances and by the sizes of prior boxes."""
    code, is_encoded = how
    n = boxes.type.shape[0]
    with emit.typed():
        (size,) = static(boxes.type.shape[1:])
        images, _, length = static(priors.type.shape)
    count, each = size // 4, 4 if scale is None else 5
    if count * each != length:
        raise emit.fail(f"has {count} boxes, but priors {priors.type}", code="T001")
    rows = emit.reshape(emit(Slice(priors, (0, 0, 0), (images, 1, length), (1, 1, 1))), (images, count, each))
    prior = emit(Slice(rows, (0, 0, each - 4), (images, count, 4), (1, 1, 1)))
    if scale is not None:
        prior = emit(Div(prior, emit.const([scale[0], scale[1]] * 2, prior.type.dtype)))
    shifts = emit.reshape(boxes, (n, count, 4))
    if not is_encoded:
        second = emit(Slice(priors, (0, 1, 0), (images, 1, 4 * count), (1, 1, 1)))
        shifts = emit(Mul(shifts, emit.reshape(second, (images, count, 4))))
    if code.endswith(".corner"):
        return emit(Add(prior, shifts))
    low, high = _halves(emit, prior)
    moved, grown = _halves(emit, shifts)
    sides = emit(Sub(high, low))
    half = emit.number(0.5, prior)
    centre = emit(Add(emit(Mul(moved, sides)), emit(Mul(emit(Add(low, high)), half))))
    reach = emit(Mul(emit(Mul(emit(Exp(grown)), sides)), half))
    return emit(Concat((emit(Sub(centre, reach)), emit(Add(centre, reach))), 2))


def _halves(emit: Emitter, x: Value) -> list[Value]:
    n, count, _ = x.type.shape
    return [emit(Slice(x, (0, 0, start), (n, count, 2), (1, 1, 1))) for start in (0, 2)]


def _chosen(emit: Emitter, boxes: Value, scores: Value, how: Settings) -> Value:
    """Return the rows of all images, and after them what fills the room that is left."""
    with emit.typed():
        images, count, _ = static(boxes.type.shape)
        (size,) = static(scores.type.shape[1:])
    classes = size // count
    room = images * (how.keep_top_k if how.keep_top_k > 0 else classes * (how.top_k if how.top_k > 0 else count))
    by_class = emit.transpose(emit.reshape(scores, (images, count, classes)), (0, 2, 1))
    foreground = np.arange(classes).reshape(1, -1, 1) != how.background
    by_class = emit(Select(emit.const(foreground), by_class, emit.number(LOWEST, scores)))
    if 0 < how.top_k < count:
        best, _ = emit.all(TopK(by_class, how.top_k, 2))
        least = emit(Slice(best, (0, 0, how.top_k - 1), (images, classes, 1), (1, 1, 1)))
        by_class = emit(Select(emit(GreaterEqual(by_class, least)), by_class, emit.number(LOWEST, scores)))
    rows = [_of_image(emit, (boxes, by_class), n, how) for n in range(images)]
    end = emit.const([[-1, 0, 0, 0, 0, 0, 0]], boxes.type.dtype)
    rest = emit.expand(emit.number(0, boxes), (room, 7))
    whole = emit(Concat((*rows, end, rest), 0))
    found = emit(Slice(whole, (0, 0), (room, 7), (1, 1)))
    return emit.reshape(found, (1, 1, room, 7))


def _of_image(emit: Emitter, given: tuple[Value, Value], image: int, how: Settings) -> Value:
    """Return the rows of one image, in the order of classes, the best of each first."""
    boxes, scores = (emit(Slice(v, (image, 0, 0), (1, *v.type.shape[1:]), (1, 1, 1))) for v in given)
    count = boxes.type.shape[1]
    limit = how.keep_top_k if how.keep_top_k > 0 else count
    assert isinstance(limit, int)
    fields = (limit, how.overlap, emit.fresh(), how.confidence)
    rows = emit(NonMaxSuppression(boxes, scores, *fields))
    values = emit(GatherNd(scores, rows))
    if how.keep_top_k > 0:
        rows, values = _best(emit, rows, values, how.keep_top_k)
    kept = rows.type.shape[0]
    labels = emit.cast(emit(Slice(rows, (0, 1), (kept, 1), (1, 1))), boxes.type.dtype)
    numbers = emit.reshape(emit(Slice(rows, (0, 2), (kept, 1), (1, 1))), (kept,))
    corners = emit(Gather(emit.reshape(boxes, (count, 4)), numbers, 0))
    corners = emit(Clip(corners, 0.0, 1.0)) if how.clips else corners
    first = emit.expand(emit.number(image, boxes), (kept, 1))
    columns: Sequence[Value] = (first, labels, emit.reshape(values, (kept, 1)), corners)
    return emit(Concat(tuple(columns), 1))


def _best(emit: Emitter, rows: Value, values: Value, number: int) -> tuple[Value, Value]:
    """Return the rows with the best scores, as they were ordered."""
    filled = emit(Concat((values, emit.expand(emit.number(LOWEST, values), (number,))), 0))
    best, _ = emit.all(TopK(filled, number, 0))
    least = emit(Slice(best, (number - 1,), (1,), (1,)))
    found = emit(NonZero(emit(GreaterEqual(values, least)), emit.fresh(), rows=True))
    places = emit.reshape(found, found.type.shape[:1])
    return emit(Gather(rows, places, 0)), emit(Gather(values, places, 0))
