"""Operators that pick elements by position, and order or accumulate them."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from ....compiler.dims import Dim
from ....compiler.ir import Value
from ....compiler.ops import index as ir
from ....compiler.ops.arith import Add, Cast, Mod, Sub
from ....compiler.ops.detection import NonMaxSuppression
from ....compiler.ops.logic import GreaterEqual, LessEqual, Select
from ....compiler.ops.shape import BroadcastTo, Range, Reshape
from ....compiler.types import DType
from ...common.axes_by_data import along_axis
from ...common.frames import windows_at
from ...common.operands import OperandEmitter
from ..emitter import Emitter
from ..registry import Since, onnx_op

REDUCTIONS = ("none", "add", "mul", "max", "min")
"""How a scatter combines elements; the IR calls them the same."""


@onnx_op("Gather", since=7)
def gather(emit: Emitter, data: Value, indices: Value, *, axis: int = 0) -> Value:
    """Slices at positions along an axis; known ones may be those of windows."""
    along, places = emit.axis(axis, data.type.rank), emit.known(indices)
    found = None if places is None or places.dtype == object else windows_at(emit, data, places, along)
    return emit(ir.Gather(data, indices, along)) if found is None else found


@onnx_op("GatherElements", since=11)
def gather_elements(emit: Emitter, data: Value, indices: Value, *, axis: int = 0) -> Value:
    """GatherElements: an element for each position along an axis."""
    return emit(ir.GatherElements(data, indices, emit.axis(axis, data.type.rank)))


@onnx_op("GatherND", since=11)
def gather_nd(emit: Emitter, data: Value, indices: Value, *, batch_dims: Annotated[int, Since(12)] = 0) -> Value:
    """GatherND: slices at coordinates along the first axes, after batch axes."""
    return emit(ir.GatherNd(data, indices, batch_dims))


@onnx_op("Scatter", since=9, until=10)
@onnx_op("ScatterElements", since=11)
def scatter_elements(
    emit: Emitter,
    data: Value,
    indices: Value,
    updates: Value,
    *,
    axis: int = 0,
    reduction: Annotated[str, Since(16)] = "none",
) -> Value:
    """ScatterElements: replaces or combines single elements along an axis."""
    _check_reduction(emit, reduction)
    return emit(ir.ScatterElements(data, indices, updates, emit.axis(axis, data.type.rank), reduction))


@onnx_op("ScatterND", since=11)
def scatter_nd(
    emit: Emitter, data: Value, indices: Value, updates: Value, *, reduction: Annotated[str, Since(16)] = "none"
) -> Value:
    """Replace or combine slices along the first axes."""
    _check_reduction(emit, reduction)
    return emit(ir.ScatterNd(data, indices, updates, reduction))


def _check_reduction(emit: Emitter, reduction: str) -> None:
    if reduction not in REDUCTIONS:
        raise emit.fail(f"has the reduction {reduction!r}, none of {', '.join(REDUCTIONS)}", code="F002")


@onnx_op("ArgMax", since=7)
def arg_max(
    emit: Emitter,
    data: Value,
    *,
    axis: int = 0,
    keepdims: int = 1,
    select_last_index: Annotated[int, Since(12)] = 0,
) -> Value:
    """ArgMax: the position of the largest element, the first or the last of equal ones."""
    return emit(ir.ArgMax(data, emit.axis(axis, data.type.rank), bool(keepdims), bool(select_last_index)))


@onnx_op("ArgMin", since=7)
def arg_min(
    emit: Emitter,
    data: Value,
    *,
    axis: int = 0,
    keepdims: int = 1,
    select_last_index: Annotated[int, Since(12)] = 0,
) -> Value:
    """ArgMin: the position of the smallest element, the first or the last of equal ones."""
    return emit(ir.ArgMin(data, emit.axis(axis, data.type.rank), bool(keepdims), bool(select_last_index)))


@onnx_op("TopK", since=7, until=9)
def top_k_attribute(emit: Emitter, x: Value, *, k: int, axis: int = -1) -> tuple[Value, ...]:
    """TopK before operator set 10: how many elements is an attribute."""
    return _top_k(emit, x, k, axis, largest=True)


@onnx_op("TopK", since=10)
def top_k(
    emit: Emitter,
    x: Value,
    k: Value,
    *,
    axis: int = -1,
    largest: Annotated[int, Since(11)] = 1,
    sorted: Annotated[int, Since(11)] = 1,
) -> tuple[Value, ...]:
    """The largest or smallest elements and their positions; sorted even where any order would do."""
    return _top_k(emit, x, emit.dim(k, "K"), axis, largest=bool(largest))


def _top_k(emit: Emitter, x: Value, k: Dim, axis: int, *, largest: bool) -> tuple[Value, ...]:
    return emit.all(ir.TopK(x, k, emit.axis(axis, x.type.rank), largest))


@onnx_op("CumSum", since=11)
def cum_sum(emit: Emitter, x: Value, axis: Value, *, exclusive: int = 0, reverse: int = 0) -> Value:
    """CumSum: running sums along an axis, from either end."""

    def build(inner: OperandEmitter, at: int) -> Value:
        return inner(ir.CumSum(x, at, bool(exclusive), bool(reverse)))

    return along_axis(emit, axis, x.type.rank, build)


@onnx_op("CumProd", since=26)
def cum_prod(emit: Emitter, x: Value, axis: Value, *, exclusive: int = 0, reverse: int = 0) -> Value:
    """CumProd: running products along an axis, from either end."""

    def build(inner: OperandEmitter, at: int) -> Value:
        return inner(ir.CumProd(x, at, bool(exclusive), bool(reverse)))

    return along_axis(emit, axis, x.type.rank, build)


@onnx_op("OneHot", since=9)
def one_hot(emit: Emitter, indices: Value, depth: Value, values: Value, *, axis: int = -1) -> Value:
    """A new axis that is hot at the index; exporters state the depth as a float, too."""
    along = emit.axis(axis, indices.type.rank + 1)
    known = emit.known(depth) if depth.type.dtype.is_float else None
    size = emit.dim(emit.cast(depth, DType.I64), "depth") if known is None else int(emit.scalar(depth, "depth"))
    if indices.type.dtype.is_float:
        indices = emit(Cast(indices, DType.I64))
    return emit(ir.OneHot(indices, values, size, along))


@onnx_op("ReverseSequence", since=10)
def reverse_sequence(
    emit: Emitter, input: Value, sequence_lens: Value, *, batch_axis: int = 1, time_axis: int = 0
) -> Value:
    """Turn around the first elements of every sequence."""
    along, batch = emit.axes((time_axis, batch_axis), input.type.rank)
    return emit(ir.ReverseSequence(input, sequence_lens, along, batch))


@onnx_op("NonZero", since=9)
def non_zero(emit: Emitter, x: Value) -> Value:
    """NonZero: positions of elements that are not zero, as many as there are."""
    return emit(ir.NonZero(x, emit.fresh()))


@onnx_op("Unique", since=11)
def unique(emit: Emitter, x: Value, *, axis: int | None = None, sorted: int = 1) -> tuple[Value, ...]:
    """Different elements, as many as the data has."""
    along = None if axis is None else emit.axis(axis, x.type.rank)
    return emit.all(ir.Unique(x, emit.fresh(), along, bool(sorted)))


@onnx_op("NonMaxSuppression", since=10)
def non_max_suppression(
    emit: Emitter,
    boxes: Value,
    scores: Value,
    max_output_boxes_per_class: Value | None = None,
    iou_threshold: Value | None = None,
    score_threshold: Value | None = None,
    *,
    center_point_box: int = 0,
) -> Value:
    """NonMaxSuppression: keeps the boxes that overlap no better one too much."""
    limit = int(emit.scalar(max_output_boxes_per_class, "max_output_boxes_per_class", 0))
    overlap = float(emit.scalar(iou_threshold, "iou_threshold", 0.0))
    threshold = None if score_threshold is None else float(emit.scalar(score_threshold, "score_threshold"))
    fields = (limit, overlap, emit.fresh(), threshold, bool(center_point_box))
    return emit(NonMaxSuppression(boxes, scores, *fields))


@onnx_op("TensorScatter", since=24)
def tensor_scatter(
    emit: Emitter,
    past_cache: Value,
    update: Value,
    write_indices: Value | None = None,
    *,
    axis: int = -2,
    mode: str = "linear",
) -> Value:
    """Write a piece of a sequence into every row of a cache, from the row's own position on."""
    along = emit.axis(axis, past_cache.type.rank)
    if mode not in ("linear", "circular") or along == 0:
        raise emit.fail(f"has the mode {mode!r} and axis {axis}", code="F002")
    if update.type.rank != past_cache.type.rank:
        raise emit.fail(f"writes {update.type} into {past_cache.type}", code="T001")
    shape = update.type.shape
    places = emit(Range(emit.const(0, DType.I64), emit.const(1, DType.I64), shape[along]))
    if write_indices is not None:
        places = emit(Add(emit.reshape(write_indices, (shape[0], 1)), places))
    if mode == "circular":
        size = past_cache.type.shape[along]
        if not isinstance(size, int):
            raise emit.fail(f"goes around in a cache of {size} positions", code="F004")
        places = emit(Mod(places, emit.const(size, DType.I64)))
    batch = 1 if write_indices is None else shape[0]
    spread = tuple(batch if i == 0 else d if i == along else 1 for i, d in enumerate(shape))
    wide = emit(BroadcastTo(emit.reshape(places, spread), shape))
    return emit(ir.ScatterElements(past_cache, wide, update, along))


@onnx_op("Trilu", since=14)
def trilu(emit: Emitter, input: Value, k: Value | None = None, *, upper: int = 1) -> Value:
    """Trilu: the upper or lower triangle of matrices, zeros elsewhere."""
    if k is not None and emit.known(k) is None:
        return _triangle(emit, input, k, upper=bool(upper))
    return emit(ir.Trilu(input, 0 if k is None else emit.int(k, "k"), bool(upper)))


def _triangle(emit: Emitter, x: Value, k: Value, *, upper: bool) -> Value:
    """Keep what is above or below a diagonal that data decides about."""
    if x.type.rank < 2:
        raise emit.fail(f"takes a triangle of {x.type}", code="T001")
    zero, one = emit.const(0, DType.I64), emit.const(1, DType.I64)
    height, width = x.type.shape[-2:]
    rows, columns = (emit(Range(zero, one, size)) for size in (height, width))
    diagonals = emit(Sub(columns, emit.reshape(rows, (height, 1))))
    wanted = emit.reshape(emit.cast(k, DType.I64), ())
    is_kept = emit((GreaterEqual if upper else LessEqual)(diagonals, wanted))
    return emit(Select(is_kept, x, emit.const(0, x.type.dtype)))


@onnx_op("Compress", since=9)
def compress(emit: Emitter, input: Value, condition: Value, *, axis: int | None = None) -> Value:
    """Keep the positions where a condition holds, as many as there are."""
    x = emit.reshape(input, (input.type.size,)) if axis is None else input
    along = emit.axis(axis or 0, x.type.rank)
    known = emit.known(condition)
    if known is not None and known.dtype != object:
        return emit(ir.Gather(x, emit.const(np.flatnonzero(known)), along))
    found = emit(ir.NonZero(condition, emit.fresh(), rows=True))
    return emit(ir.Gather(x, emit(Reshape(found, found.type.shape[:1])), along))
