"""Operators whose results are as long as the data says: PyTorch names their sizes, and so does the IR."""

from __future__ import annotations

from ....compiler.dims import Dim, broadcast
from ....compiler.ir import Value
from ....compiler.ops import arith, logic
from ....compiler.ops import index as ir
from ....compiler.ops.detection import NonMaxSuppression
from ....compiler.ops.reduce import Reduce
from ....compiler.ops.shape import Concat, Range, Split
from ....compiler.types import DType
from ...slicing import cut
from ..emitter import Emitter
from ..registry import aten


@aten("nonzero", "argwhere", sizes_by_data=True)
def nonzero(emit: Emitter, x: Value) -> Value:
    """The positions of elements that are not zero, a row each."""
    return emit.transpose(emit(ir.NonZero(x, emit.shape[0])), (1, 0))


@aten("masked_select", sizes_by_data=True)
def masked_select(emit: Emitter, x: Value, mask: Value) -> Value:
    """``masked_select``: a vector of the elements where a mask holds, both broadcast; data decides how many."""
    with emit.typed():
        shape = broadcast(x.type.shape, mask.type.shape)
    data, hits = (emit.expand(v, shape) for v in (x, mask))
    places = emit(ir.NonZero(emit.reshape(hits, (hits.type.size,)), emit.shape[0]))
    return emit(ir.Gather(emit.reshape(data, (data.type.size,)), emit.reshape(places, emit.shape), 0))


@aten("_unique2", sizes_by_data=True)
def unique(
    emit: Emitter, x: Value, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False
) -> tuple[Value | None, ...]:
    """The different elements in order; which of them is where, and how often."""
    found, _, where, often = emit.all(ir.Unique(x, emit.shape[0]))
    empty = emit.const([], DType.I64)
    inverse = emit.reshape(where, x.type.shape) if return_inverse else empty
    return found, inverse, often if return_counts else empty


@aten("bincount", sizes_by_data=True)
def bincount(emit: Emitter, x: Value, weights: Value | None = None, minlength: int = 0) -> Value:
    """How often each number is there, or the sum of its weights: up to the largest number, or ``minlength``."""
    numbers, one = emit.cast(x, DType.I64), emit.const(1, DType.I64)
    if x.type.size == 0:
        return emit.full(0, emit.type.with_shape((minlength,)))
    largest = emit(Reduce(numbers, "max", (0,), keepdims=False))
    count = emit(arith.Max(emit(arith.Add(largest, one)), emit.const(minlength, DType.I64)))
    emit.bind(emit.shape[0], count)
    updates = emit.full(1, numbers.type) if weights is None else emit.cast(weights, emit.dtype)
    zeros = emit.expand(emit.const(0, updates.type.dtype), emit.shape)
    return emit(ir.Scatter(zeros, numbers, updates, 0, "add"))


@aten("repeat_interleave.Tensor", sizes_by_data=True)
def repeat_interleave(emit: Emitter, repeats: Value, output_size: Dim | None = None) -> Value:
    """Every number from zero on as often as it says there: how many sums end at or before each place."""
    count, (size,) = repeats.type.shape[0], emit.shape
    often = emit.cast(repeats, DType.I64)
    if output_size is None:
        emit.bind(size, emit(Reduce(often, "sum", (0,), keepdims=False)))
    places = emit(Range(emit.const(0, DType.I64), emit.const(1, DType.I64), size))
    ends = emit.reshape(emit(ir.CumSum(often, 0)), (1, count))
    is_before = emit(logic.LessEqual(ends, emit.reshape(places, (size, 1))))
    return emit.cast(emit(Reduce(emit.cast(is_before, DType.I64), "sum", (1,), keepdims=False)), emit.dtype)


MANY = 1 << 16
"""Of how many boxes some are selected if their number is not known: every pair of them may be compared."""


@aten("torchvision::nms", sizes_by_data=True)
def nms(emit: Emitter, dets: Value, scores: Value, iou_threshold: float) -> Value:
    """The numbers of the boxes that overlap no better one, the best first; those with exchanged corners are empty."""
    count, kept = dets.type.shape[0], emit.shape[0]
    low, high = emit.all(Split(emit.cast(dets, DType.F32), 1, (2, 2)))
    boxes = emit.reshape(emit(Concat((low, emit(arith.Max(low, high))), 1)), (1, count, 4))
    ranked = emit.reshape(emit.cast(scores, DType.F32), (1, 1, count))
    limit = count if isinstance(count, int) else MANY
    rows = emit(NonMaxSuppression(boxes, ranked, limit, iou_threshold, kept))
    return emit.reshape(cut(emit, rows, {1: (2, 3, 1)}), (kept,))


@aten("nonzero_static")
def nonzero_static(emit: Emitter, x: Value, *, size: Dim, fill_value: int = -1) -> Value:
    """The positions of the first so many elements that are not zero, a row each; then rows of another number."""
    zero, one = emit.const(0, DType.I64), emit.const(1, DType.I64)
    count = x.type.size
    flat = emit.cast(emit.cast(emit.reshape(x, (count,)), DType.BOOL), DType.I64)
    seen = emit.reshape(emit(ir.CumSum(flat, 0)), (1, count))
    numbers = emit.reshape(emit(Range(zero, one, size)), (size, 1))
    before = emit.cast(emit(logic.LessEqual(seen, numbers)), DType.I64)
    place = emit(Reduce(before, "sum", (1,)))
    missing = emit(logic.Equal(place, emit.value(count, DType.I64)))
    columns: list[Value] = []
    for axis in reversed(range(x.type.rank)):
        length = emit.value(x.type.shape[axis], DType.I64)
        columns.insert(0, emit(arith.Mod(place, length)))
        place = emit(arith.FloorDiv(place, length))
    if not columns:
        return emit.full(0, emit.type)
    rows = columns[0] if len(columns) == 1 else emit(Concat(tuple(columns), 1))
    return emit(logic.Select(missing, emit.const(fill_value, DType.I64), rows))
