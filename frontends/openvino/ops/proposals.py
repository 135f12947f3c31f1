"""What networks that look twice look at: anchors, moved as the network says, the best of them without overlaps."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ....compiler.budget import reserve
from ....compiler.ir import Value
from ....compiler.ops import arith
from ....compiler.ops.arith import Add, Div, Exp, Mul, Sub
from ....compiler.ops.detection import NonMaxSuppression, SelectBoxes
from ....compiler.ops.index import Gather, TopK
from ....compiler.ops.logic import Equal, GreaterEqual, LogicalAnd, Select
from ....compiler.ops.shape import Concat, ShapeOf, Slice
from ....compiler.types import Array, DType
from ...common.detection import counted_rows
from ...common.grid_sample import known_size
from ...common.regions import LOWEST
from ..emitter import Emitter
from ..registry import openvino_op

GROWTH = math.log(1000 / 16)
"""The logarithm of how much larger than its anchor a box may be."""

Floats = tuple[float, ...]


@dataclass(frozen=True)
class Image:
    """The size of an image as ``x, y``, and how much larger it is than it was, as one vector of two each."""

    size: Value
    scale: Value

    @staticmethod
    def of(emit: Emitter, info: Value) -> Image:
        """Read a vector with an image's height and width, and no, one or two factors of its size."""
        count = info.type.shape[0]
        if info.type.rank != 1 or count not in (2, 3, 4) or not isinstance(count, int):
            raise emit.fail(f"is told {info.type} of an image", code="T001")

        def numbers(*places: int) -> Value:
            return emit(Gather(info, emit.const(places, DType.I64), 0))

        scale = emit.const([1, 1], info.type.dtype) if count == 2 else numbers(count - 1, 2)
        return Image(numbers(1, 0), scale)


def corners_of(emit: Emitter, x: Value) -> tuple[Value, Value]:
    """Return the two corners of each box, from the four numbers of the last axis."""
    shape = x.type.shape[:-1]
    zeros, ones = (0,) * len(shape), (1,) * len(shape)
    low, high = (emit(Slice(x, (*zeros, start), (*shape, 2), (*ones, 1))) for start in (0, 2))
    return low, high


def moved(emit: Emitter, anchors: Value, deltas: Value, offset: float, end: float) -> Value:
    """Return the boxes ``[..., 4]`` that shifts make of anchors: of centres in parts of sizes, of sizes as logarithms.

    ``offset`` is what the size of a box is larger than the difference of its corners, ``end`` what is taken from the
    upper corners afterwards.
    """
    low, high = corners_of(emit, anchors)
    shift, growth = corners_of(emit, deltas)
    half = emit.number(0.5, deltas)
    size = emit(Add(emit(Sub(high, low)), emit.number(offset, deltas)))
    centre = emit(Add(emit(Mul(shift, size)), emit(Add(low, emit(Mul(half, size))))))
    reach = emit(Mul(half, emit(Mul(emit(Exp(growth)), size))))
    upper = emit(Sub(emit(Add(centre, reach)), emit.number(end, deltas)))
    return emit(Concat((emit(Sub(centre, reach)), upper), deltas.type.rank - 1))


def clipped(emit: Emitter, boxes: Value, size: Value, offset: float = 0.0) -> Value:
    """Clamp the corners of boxes to the bounds of an image."""
    last = emit(Sub(size, emit.number(offset, size)))
    inside = emit(arith.Min(boxes, emit(Concat((last, last), 0))))
    return emit(arith.Max(inside, emit.number(0, boxes)))


def are_large(emit: Emitter, boxes: Value, least: Value, offset: float) -> Value:
    """Say for each box whether both sides are at least so long."""
    low, high = corners_of(emit, boxes)
    size = emit(Add(emit(Sub(high, low)), emit.number(offset, boxes)))
    shape = boxes.type.shape[:-1]
    zeros, ones = (0,) * len(shape), (1,) * len(shape)
    reached = emit(GreaterEqual(size, least))
    sides = (emit(Slice(reached, (*zeros, axis), (*shape, 1), (*ones, 1))) for axis in (0, 1))
    return emit.reshape(emit(LogicalAnd(*sides)), shape)


def grown(emit: Emitter, boxes: Value, offset: float) -> Value:
    """Return boxes whose differences of corners are their sizes, which is what overlaps are measured by.

    Boxes that are less than one pixel apart touch then; these overlap little unless they are themselves that small.
    """
    return boxes if not offset else emit(Add(boxes, emit.const([0, 0, offset, offset], boxes.type.dtype)))


def by_place(emit: Emitter, x: Value, each: int) -> Value:
    """Return ``[n, rows * columns * anchors, each]`` of maps ``[n, anchors * each, rows, columns]``."""
    n, channels, h, w = x.type.shape
    rows, columns = known_size(emit, h), known_size(emit, w)
    anchors = known_size(emit, channels) // each
    split = emit.reshape(x, (n, anchors, each, rows, columns))
    return emit.reshape(emit.transpose(split, (0, 3, 4, 1, 2)), (n, rows * columns * anchors, each))


def image_of(emit: Emitter, x: Value, number: int) -> Value:
    """Return the elements that belong to one image of a batch, without the batch axis."""
    rest = x.type.shape[1:]
    zeros = (0,) * len(rest)
    return emit.reshape(emit(Slice(x, (number, *zeros), (1, *rest), (1,) * x.type.rank)), rest)


def best(emit: Emitter, boxes: Value, scores: Value, most: int) -> tuple[Value, Value, Value]:
    """Return the boxes of one image with the highest scores, in their order, these scores, and their numbers."""
    count = known_size(emit, scores.type.shape[0])
    values, order = emit.all(TopK(scores, min(most, count), 0))
    return emit(Gather(boxes, order, 0)), values, order


def _anchors(base: int, ratios: Floats, scales: Floats, *, is_tensorflow: bool) -> Array:
    """Return corners of boxes around the first cell; TensorFlow's are around its corner, and not rounded."""
    area = np.float32(base * base)
    offset, shift = (np.float32(0), np.float32(base * 0.5)) if is_tensorflow else (np.float32(1), np.float32(0))
    centre = np.float32(0.5) * (np.float32(base) - offset) - shift
    found: list[list[np.float32]] = []
    for ratio in np.asarray(ratios, np.float32):
        width = np.sqrt(area / ratio) if is_tensorflow else _rounded(np.sqrt(area / ratio))
        height = width * ratio if is_tensorflow else _rounded(width * ratio)
        for scale in np.asarray(scales, np.float32):
            w, h = (np.float32(0.5) * (side * scale - offset) for side in (width, height))
            found.append([centre - w, centre - h, centre + w, centre + h])
    return np.asarray(found, np.float32)


def _rounded(x: np.float32) -> np.float32:
    return np.floor(x + np.float32(0.5))


@dataclass(frozen=True)
class Cells:
    """How anchors are laid: the step from cell to cell, what shifts and growths are divided by, the least side.

    ``clips`` says that boxes are moved into the image, ``swaps`` that x counts rows, as in TensorFlow.
    """

    anchors: Array
    step: int
    divisors: tuple[float, float]
    least: int
    clips: bool
    swaps: bool


@dataclass(frozen=True)
class Settings:
    """How many boxes of an image are looked at, how many remain, what they may overlap, how they are finished."""

    before: int
    after: int
    overlap: float
    offset: float
    clips: bool = False
    normalizes: bool = False


def _proposed(emit: Emitter, given: tuple[Value, Value, Value], cells: Cells, last: Settings) -> tuple[Value, Value]:
    """Return rows of image and corners, and their scores; after the last one of an image a row of -1, then zeros."""
    probabilities, deltas, info = given
    n, channels, h, w = probabilities.type.shape
    rows, columns, images = (known_size(emit, d) for d in (h, w, n))
    half = known_size(emit, channels) // 2
    if half != len(cells.anchors):
        raise emit.fail(f"has {len(cells.anchors)} anchors in each cell, but {probabilities.type}", code="T001")
    image = Image.of(emit, info)
    size = emit(Gather(image.size, emit.const([1, 0], DType.I64), 0)) if cells.swaps else image.size
    laid = _laid_out(emit, (rows, columns), cells, size)
    scale = emit.const(np.repeat(cells.divisors, 2), deltas.type.dtype)
    boxes = moved(emit, laid, emit(Div(by_place(emit, deltas, 4), scale)), last.offset, 0.0)
    boxes = clipped(emit, boxes, size, last.offset) if cells.clips else boxes
    front = emit(Slice(probabilities, (0, half, 0, 0), (images, half, rows, columns), (1, 1, 1, 1)))
    scores = emit.reshape(by_place(emit, front, 1), (images, rows * columns * half))
    least = emit(Mul(image.scale, emit.number(cells.least, deltas)))
    large = are_large(emit, boxes, least, last.offset)
    scores = emit(Mul(scores, emit.cast(large, scores.type.dtype)))
    chosen = [
        _of_image(emit, (image_of(emit, boxes, i), image_of(emit, scores, i)), size, i, last) for i in range(images)
    ]
    return emit(Concat(tuple(r for r, _ in chosen), 0)), emit(Concat(tuple(s for _, s in chosen), 0))


def _laid_out(emit: Emitter, sizes: tuple[int, int], cells: Cells, size: Value) -> Value:
    """Return the anchors of all cells, ``[1, rows * columns * anchors, 4]``; TensorFlow's end with the image."""
    rows, columns = sizes
    reserve(rows, columns, len(cells.anchors), 4, what="the anchors")
    places = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), -1) * cells.step
    moves = np.tile(places[..., ::-1] if cells.swaps else places, 2)[:, :, None, :]
    laid = emit.const((moves + cells.anchors).reshape(1, -1, 4), size.type.dtype)
    return clipped(emit, laid, size) if cells.swaps else laid


def _of_image(
    emit: Emitter, given: tuple[Value, Value], size: Value, number: int, how: Settings
) -> tuple[Value, Value]:
    """Return the rows of one image and their scores."""
    boxes, scores, _ = best(emit, *given, how.before)
    overlapping = grown(emit, boxes, how.offset)
    chosen, count = emit.all(SelectBoxes(overlapping, scores, how.after, how.overlap, LOWEST))
    corners = emit(Gather(boxes, chosen, 0))
    corners = clipped(emit, corners, size) if how.clips else corners
    corners = emit(Div(corners, emit(Concat((size, size), 0)))) if how.normalizes else corners
    first = counted_rows(emit, emit.expand(emit.number(number, boxes), (how.after, 1)), count, how.after)
    numbers = emit.const(np.arange(how.after).reshape(-1, 1), DType.I32)
    first = emit(Select(emit(Equal(numbers, count)), emit.number(-1, boxes), first))
    rows = emit(Concat((first, counted_rows(emit, corners, count, how.after)), 1))
    return rows, counted_rows(emit, emit(Gather(scores, chosen, 0)), count, how.after)


@openvino_op("Proposal")
def proposal(
    emit: Emitter,
    probabilities: Value,
    deltas: Value,
    image: Value,
    *,
    base_size: int,
    pre_nms_topn: int,
    post_nms_topn: int,
    nms_thresh: float,
    feat_stride: int,
    min_size: int,
    ratio: Floats,
    scale: Floats,
    clip_before_nms: bool = True,
    clip_after_nms: bool = False,
    normalize: bool = False,
    box_size_scale: float = 1.0,
    box_coordinate_scale: float = 1.0,
    framework: str = "",
    infer_probs: bool = False,
) -> tuple[Value, Value]:
    """Boxes of all images, without overlaps, the best first; their scores are given since operator set 4."""
    if framework not in ("", "tensorflow"):
        raise emit.fail(f"lays anchors as {framework!r} does")
    is_tensorflow = framework == "tensorflow"
    anchors = _anchors(base_size, ratio, scale, is_tensorflow=is_tensorflow)
    divisors = (box_coordinate_scale, box_size_scale)
    cells = Cells(anchors, feat_stride, divisors, min_size, clip_before_nms, is_tensorflow)
    last = Settings(
        emit.positive(pre_nms_topn, "pre_nms_topn"),
        emit.positive(post_nms_topn, "post_nms_topn"),
        nms_thresh,
        0.0 if is_tensorflow else 1.0,
        clip_after_nms,
        normalize,
    )
    return _proposed(emit, (probabilities, deltas, image), cells, last)


def _refined(
    emit: Emitter, given: tuple[Value, Value, Value], image: Image, least: float, offset: float
) -> tuple[Value, Value, Value]:
    """Return the boxes of one image and their scores, cell by cell, and whether they are large enough."""
    anchors, deltas, scores = given
    moves = by_place(emit, deltas, 4)
    laid = emit.reshape(anchors, moves.type.shape)
    shift, growth = corners_of(emit, moves)
    bounded = emit(Concat((shift, emit(arith.Min(growth, emit.number(GROWTH, growth)))), 2))
    boxes = clipped(emit, moved(emit, laid, bounded, offset, offset), image.size, offset)
    large = are_large(emit, boxes, emit(Mul(image.scale, emit.number(least, boxes))), offset)
    count = boxes.type.shape[1]
    flat = emit.reshape(by_place(emit, scores, 1), (count,))
    return emit.reshape(boxes, (count, 4)), flat, emit.reshape(large, (count,))


@openvino_op("ExperimentalDetectronGenerateProposalsSingleImage", since=6)
def generate_proposals_of_one(
    emit: Emitter,
    image: Value,
    anchors: Value,
    deltas: Value,
    scores: Value,
    *,
    min_size: float,
    nms_threshold: float,
    post_nms_count: int,
    pre_nms_count: int,
) -> tuple[Value, Value]:
    """Boxes of one image without overlaps, the best first, those that are small last with scores of zero."""
    size = Image.of(emit, emit(Slice(image, (0,), (2,), (1,))))
    maps = [emit.reshape(v, (1, *v.type.shape)) for v in (deltas, scores)]
    boxes, flat, large = _refined(emit, (anchors, maps[0], maps[1]), size, min_size, 1.0)
    after = emit.positive(post_nms_count, "post_nms_count")
    flat = emit(Mul(flat, emit.cast(large, flat.type.dtype)))
    boxes, flat, _ = best(emit, boxes, flat, emit.positive(pre_nms_count, "pre_nms_count"))
    chosen, count = emit.all(SelectBoxes(boxes, flat, after, nms_threshold, LOWEST))
    found = (emit(Gather(boxes, chosen, 0)), emit(Gather(flat, chosen, 0)))
    rows, values = (counted_rows(emit, v, count, after) for v in found)
    return rows, values


@openvino_op("GenerateProposals", since=9)
def generate_proposals(
    emit: Emitter,
    image: Value,
    anchors: Value,
    deltas: Value,
    scores: Value,
    *,
    min_size: float,
    nms_threshold: float,
    pre_nms_count: int,
    post_nms_count: int,
    normalized: bool = True,
    nms_eta: float = 1.0,
    roi_num_type: DType = DType.I64,
) -> tuple[Value, Value, Value]:
    """Boxes of all images without overlaps, the best first, their scores, and how many each image has."""
    if nms_eta != 1.0:
        raise emit.fail("lets the allowed overlap change (nms_eta)")
    offset = 0.0 if normalized else 1.0
    numbers = (emit.positive(pre_nms_count, "pre_nms_count"), emit.positive(post_nms_count, "post_nms_count"))
    rows: list[tuple[Value, Value, Value]] = []
    for i in range(known_size(emit, scores.type.shape[0])):
        one = [emit.reshape(image_of(emit, v, i), (1, *v.type.shape[1:])) for v in (deltas, scores)]
        size = Image.of(emit, image_of(emit, image, i))
        boxes, flat, large = _refined(emit, (anchors, one[0], one[1]), size, min_size, offset)
        boxes, flat, order = best(emit, boxes, flat, numbers[0])
        able = emit(Select(emit(Gather(large, order, 0)), flat, emit.number(LOWEST, flat)))
        rows.append(_kept(emit, (boxes, flat, able), (numbers[1], nms_threshold), offset))
    whole = [emit(Concat(parts, 0)) for parts in zip(*rows, strict=True)]
    return whole[0], whole[1], emit.cast(whole[2], roi_num_type)


def _kept(
    emit: Emitter, given: tuple[Value, Value, Value], how: tuple[int, float], offset: float
) -> tuple[Value, Value, Value]:
    """Return as many boxes of one image as remain, their scores, and how many they are."""
    boxes, scores, able = given
    count = boxes.type.shape[0]
    batched = (emit.reshape(grown(emit, boxes, offset), (1, count, 4)), emit.reshape(able, (1, 1, count)))
    rows = emit(NonMaxSuppression(*batched, *how, emit.fresh(), LOWEST))
    found = rows.type.shape[0]
    chosen = emit.reshape(emit(Slice(rows, (0, 2), (found, 1), (1, 1))), (found,))
    number = emit(ShapeOf(rows, (0,)))
    return emit(Gather(boxes, chosen, 0)), emit(Gather(scores, chosen, 0)), number
