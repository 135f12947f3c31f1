"""Operations that pick elements by position, and order or accumulate them."""

from __future__ import annotations

from typing import Literal

import numpy as np

from ....compiler.dims import Dim, product, static
from ....compiler.ir import Value
from ....compiler.ops import index as ir
from ....compiler.ops.arith import Add, Div, FloorDiv, Sub
from ....compiler.ops.logic import Equal, Less, LessEqual, Select
from ....compiler.ops.reduce import Reduce
from ....compiler.ops.shape import Concat
from ....compiler.types import DType
from ...bound import Position
from ..emitter import Emitter
from ..registry import openvino_op
from .shape import cuts_of

REDUCTIONS = {"none": "none", "sum": "add", "prod": "mul", "min": "min", "max": "max"}
"""The IR's names of ways in which scattered elements are combined."""


@openvino_op("Gather", until=6)
def gather(emit: Emitter, x: Value, indices: Value, axis: Value) -> Value:
    """Gather before operation set 7: slices along a constant axis, without batch axes."""
    return _gather(emit, x, indices, emit.int(axis, "axis"), 0)


@openvino_op("Gather", since=7, until=7)
def gather_batched(emit: Emitter, x: Value, indices: Value, axis: Value, *, batch_dims: int = 0) -> Value:
    """Slices at positions along an axis, for every element of leading axes its own."""
    return _gather(emit, x, indices, emit.int(axis, "axis"), batch_dims)


@openvino_op("Gather", since=8)
def gather_wrapping(emit: Emitter, x: Value, indices: Value, axis: Value, *, batch_dims: int = 0) -> Value:
    """Slices at positions along an axis, which may be counted from its end."""
    return _gather(emit, x, indices, emit.int(axis, "axis"), batch_dims)


def _gather(emit: Emitter, x: Value, indices: Value, axis: int, batch_dims: int) -> Value:
    along = emit.axis(axis, x.type.rank)
    batch = batch_dims + indices.type.rank if batch_dims < 0 else batch_dims
    if not 0 <= batch <= min(along, indices.type.rank):
        raise emit.fail(f"has {batch_dims} leading axes in common along axis {axis}", code="F002")
    if not batch:
        return emit(ir.Gather(x, indices, along))
    rank = x.type.rank
    between = list(range(batch, along))
    first = emit.transpose(x, [*range(batch), along, *between, *range(along + 1, rank)])
    places = emit.reshape(indices, (*indices.type.shape, 1))
    found = emit(ir.GatherNd(first, places, batch))
    picked = indices.type.rank - batch
    start = batch + picked
    moved = [*range(start, start + len(between)), *range(batch, start), *range(start + len(between), found.type.rank)]
    return emit.transpose(found, [*range(batch), *moved])


@openvino_op("GatherElements", since=6)
def gather_elements(emit: Emitter, x: Value, indices: Value, *, axis: int) -> Value:
    """GatherElements: each element by an index of its own along one axis."""
    return emit(ir.GatherElements(x, indices, emit.axis(axis, x.type.rank)))


@openvino_op("GatherND", since=5, until=7)
def gather_nd_joined(emit: Emitter, x: Value, indices: Value, *, batch_dims: int = 0) -> Value:
    """Slices at positions along the first axes; leading axes in common become one."""
    found = emit(ir.GatherNd(x, indices, batch_dims))
    shape = found.type.shape
    return emit.reshape(found, (product(shape[:batch_dims]), *shape[batch_dims:])) if batch_dims > 1 else found


@openvino_op("GatherND", since=8)
def gather_nd(emit: Emitter, x: Value, indices: Value, *, batch_dims: int = 0) -> Value:
    """GatherND: elements or slices at coordinates, with ``batch_dims`` leading axes in common."""
    return emit(ir.GatherNd(x, indices, batch_dims))


@openvino_op("ScatterElementsUpdate", since=3, until=11)
def scatter_elements(emit: Emitter, x: Value, indices: Value, updates: Value, axis: Value) -> Value:
    """ScatterElementsUpdate before operation set 12: elements at positions along a constant axis are replaced."""
    return emit(ir.ScatterElements(x, indices, updates, emit.axis(emit.int(axis, "axis"), x.type.rank)))


@openvino_op("ScatterElementsUpdate", since=12)
def scatter_elements_reducing(
    emit: Emitter,
    x: Value,
    indices: Value,
    updates: Value,
    axis: Value,
    *,
    reduction: Literal["none", "sum", "prod", "min", "max", "mean"] = "none",
    use_init_val: bool = True,
) -> Value:
    """ScatterElementsUpdate: elements at positions along a constant axis are replaced, or combined with updates.

    Without ``use_init_val`` the updates of a position are combined with each other alone.  Means of integers are
    rounded down.
    """
    along = emit.axis(emit.int(axis, "axis"), x.type.rank)
    if reduction == "none":
        return emit(ir.ScatterElements(x, indices, updates, along))
    if reduction == "mean" or not use_init_val:
        return _scatter_anew(emit, x, (indices, updates), along, (reduction, use_init_val))
    return emit(ir.ScatterElements(x, indices, updates, along, REDUCTIONS[reduction]))


def _scatter_anew(emit: Emitter, x: Value, given: tuple[Value, Value], axis: int, how: tuple[str, bool]) -> Value:
    """Combine updates with each other alone, or take their mean: elements without an update stay as they are."""
    (indices, updates), (reduction, counts_first) = given, how
    neutral = {"sum": 0, "mean": 0, "prod": 1}
    ones = emit.expand(emit.number(1, x), updates.type.shape)
    zeros = emit.expand(emit.number(0, x), x.type.shape)
    count = emit(ir.ScatterElements(zeros, indices, ones, axis, "add"))
    untouched = emit(Equal(count, emit.number(0, x)))
    start = x
    if not counts_first:
        limits = np.finfo if x.type.dtype.is_float else np.iinfo
        info = limits(x.type.dtype.numpy)
        first = neutral.get(reduction, info.max if reduction == "min" else info.min)
        start = emit.expand(emit.const(np.asarray(first, x.type.dtype.numpy)), x.type.shape)
    kind = "add" if reduction == "mean" else REDUCTIONS[reduction]
    total = emit(ir.ScatterElements(start, indices, updates, axis, kind))
    if reduction == "mean":
        number = emit(Add(count, emit.number(1, x))) if counts_first else count
        safe = emit(Select(untouched, emit.number(1, x), number))
        total = emit((Div if x.type.dtype.is_float else FloorDiv)(total, safe))
    return emit(Select(untouched, x, total))


@openvino_op("ScatterNDUpdate", since=3, until=14)
def scatter_nd(emit: Emitter, x: Value, indices: Value, updates: Value) -> Value:
    """ScatterNDUpdate before operation set 15: slices at coordinates of the leading axes are replaced."""
    return emit(ir.ScatterNd(x, indices, updates))


@openvino_op("ScatterNDUpdate", since=15)
def scatter_nd_reducing(
    emit: Emitter,
    x: Value,
    indices: Value,
    updates: Value,
    *,
    reduction: Literal["none", "sum", "sub", "prod", "min", "max"] = "none",
) -> Value:
    """ScatterNDUpdate: slices at coordinates replaced or combined; ``sub`` adds the negated updates."""
    if reduction == "sub":
        zero = emit.number(0, updates)
        return emit(ir.ScatterNd(x, indices, emit(Sub(zero, updates)), "add"))
    return emit(ir.ScatterNd(x, indices, updates, REDUCTIONS[reduction]))


@openvino_op("ScatterUpdate", since=3)
def scatter_update(emit: Emitter, x: Value, indices: Value, updates: Value, axis: Value) -> Value:
    """ScatterUpdate: slices at positions along a constant axis are replaced; indices of any rank become a vector."""
    along, shape = emit.axis(emit.int(axis, "axis"), x.type.rank), x.type.shape
    flat = emit.reshape(indices, (indices.type.size,))
    slices = emit.reshape(updates, (*shape[:along], indices.type.size, *shape[along + 1 :]))
    return emit(ir.Scatter(x, flat, slices, along))


TopKMode = Literal["max", "min"]
Sort = Literal["value", "index", "none"]


@openvino_op("TopK", until=10)
def top_k(
    emit: Emitter, x: Value, k: Value, *, axis: int, mode: TopKMode, sort: Sort, index_element_type: DType = DType.I32
) -> tuple[Value, ...]:
    """TopK before operation set 11: sorted by value, or by position if ``sort`` says so; equal ones in any order."""
    return _top_k(emit, x, emit.dim(k, "k"), (axis, mode, sort), index_element_type)


@openvino_op("TopK", since=11)
def top_k_stable(
    emit: Emitter,
    x: Value,
    k: Value,
    *,
    axis: int,
    mode: TopKMode,
    sort: Sort,
    index_element_type: DType = DType.I32,
    stable: bool = False,
) -> tuple[Value, ...]:
    """The largest or smallest elements and their positions; equal ones stay in order anyway."""
    return _top_k(emit, x, emit.dim(k, "k"), (axis, mode, sort), index_element_type)


def _top_k(emit: Emitter, x: Value, k: Dim, how: tuple[int, str, str], dtype: DType) -> tuple[Value, ...]:
    """Sort by value, even where any order would do, or by position."""
    axis, mode, sort = how
    along = emit.axis(axis, x.type.rank)
    values, places = emit.all(ir.TopK(x, k, along, mode == "max"))
    if sort == "index":
        places, order = emit.all(ir.TopK(places, k, along, False))
        values = emit(ir.GatherElements(values, order, along))
    return values, emit.cast(places, dtype)


@openvino_op("CumSum", since=3)
def cum_sum(
    emit: Emitter, x: Value, axis: Value | None = None, *, exclusive: bool = False, reverse: bool = False
) -> Value:
    """CumSum along a constant axis, by default the first one, with or without the element itself."""
    along = emit.axis(0 if axis is None else emit.int(axis, "axis"), x.type.rank)
    return emit(ir.CumSum(x, along, exclusive, reverse))


@openvino_op("OneHot", until=15)
def one_hot(emit: Emitter, indices: Value, depth: Value, on: Value, off: Value, *, axis: int) -> Value:
    """A new axis that is hot at the index; negative indices are none."""
    return _one_hot(emit, (indices, depth, on, off), axis, wraps=False)


@openvino_op("OneHot", since=16)
def one_hot_wrapping(
    emit: Emitter,
    indices: Value,
    depth: Value,
    on: Value,
    off: Value,
    *,
    axis: int,
    negative_indices_mode: Literal["ignore_negative", "normalize"] = "ignore_negative",
) -> Value:
    """A new axis that is hot at the index, which may be counted from the end."""
    return _one_hot(emit, (indices, depth, on, off), axis, wraps=negative_indices_mode == "normalize")


def _one_hot(emit: Emitter, given: tuple[Value, Value, Value, Value], axis: int, *, wraps: bool) -> Value:
    indices, depth, on, off = given
    along = emit.axis(axis, indices.type.rank + 1)
    values = emit(Concat((emit.reshape(off, (1,)), emit.reshape(on, (1,))), 0))
    return emit(ir.OneHot(indices, values, emit.dim(depth, "depth"), along, wraps))


@openvino_op("ReverseSequence")
def reverse_sequence(emit: Emitter, x: Value, lengths: Value, *, batch_axis: int = 0, seq_axis: int = 1) -> Value:
    """ReverseSequence: in each batch entry as many leading elements reversed as its length says."""
    along, batch = emit.axes((seq_axis, batch_axis), x.type.rank)
    places = lengths if lengths.type.dtype.is_int else emit.cast(lengths, DType.I32)
    return emit(ir.ReverseSequence(x, places, along, batch))


@openvino_op("NonZero", since=3)
def non_zero(emit: Emitter, x: Value, *, output_type: DType = DType.I64) -> Value:
    """NonZero: one column of coordinates for each element that is not zero; how many is a new symbolic size."""
    return emit.cast(emit(ir.NonZero(x, emit.fresh())), output_type)


@openvino_op("Unique", since=10)
def unique(
    emit: Emitter,
    x: Value,
    axis: Value | None = None,
    *,
    sorted: bool = True,
    index_element_type: DType = DType.I64,
    count_element_type: DType = DType.I64,
) -> tuple[Value, ...]:
    """Unique: the different elements, or slices along an axis; their number becomes a new symbolic size.

    The other results are where each one occurs first, which one each element is, and how often each one occurs.
    """
    along = None if axis is None else emit.axis(emit.int(axis, "axis"), x.type.rank)
    values, first, inverse, counts = emit.all(ir.Unique(x, emit.fresh(), along, sorted))
    places = (emit.cast(v, index_element_type) for v in (first, inverse))
    return values, *places, emit.cast(counts, count_element_type)


@openvino_op("Bucketize", since=3)
def bucketize(
    emit: Emitter, x: Value, buckets: Value, *, output_type: DType = DType.I64, with_right_bound: bool = True
) -> Value:
    """How many bounds lie below an element, those that are equal to it included or not."""
    return emit.cast(_bounds_below(emit, x, buckets, strictly=with_right_bound), output_type)


def _bounds_below(emit: Emitter, x: Value, bounds: Value, *, strictly: bool) -> Value:
    """Count the bounds, along their last axis, that lie below each element."""
    wide = emit.reshape(x, (*x.type.shape, 1))
    if bounds.type.dtype is not x.type.dtype:
        dtype = DType.F32 if x.type.dtype.is_float or bounds.type.dtype.is_float else DType.I64
        wide, bounds = emit.cast(wide, dtype), emit.cast(bounds, dtype)
    below = emit((Less if strictly else LessEqual)(bounds, wide))
    return emit(Reduce(emit.cast(below, DType.I64), "sum", (wide.type.rank - 1,), False))


@openvino_op("SearchSorted", since=15)
def search_sorted(
    emit: Emitter, sequence: Value, values: Value, *, right_mode: bool = False, output_type: DType = DType.I64
) -> Value:
    """Where values would be inserted into sorted rows, before or after equal elements."""
    shape = sequence.type.shape
    if sequence.type.rank > 1:
        sequence = emit.reshape(sequence, (*shape[:-1], 1, shape[-1]))
    return emit.cast(_bounds_below(emit, values, sequence, strictly=not right_mode), output_type)


@openvino_op("SliceScatter", since=15)
def slice_scatter(
    emit: Emitter, x: Value, updates: Value, start: Value, stop: Value, step: Value, axes: Value | None = None
) -> Value:
    """Replace what a slice cuts out: a scatter for each axis would do, one of positions does it at once."""
    with emit.typed():
        shape = static(x.type.shape)
    bounds = [emit.const(emit.ints(v, name)) for v, name in ((start, "start"), (stop, "stop"))]
    cuts = cuts_of(emit, x, (bounds[0], bounds[1], step), axes)
    numbers = np.arange(int(np.prod(shape))).reshape(shape)
    index: list[slice] = []
    for axis in range(len(shape)):
        first, last, stride = cuts.get(axis, (0, shape[axis], 1))
        start_at, stop_at = (p.dim if isinstance(p, Position) else p for p in (first, last))
        assert isinstance(start_at, int)
        assert isinstance(stop_at, int)
        index.append(slice(start_at, None if stop_at < -shape[axis] else stop_at, stride))
    places = numbers[tuple(index)].reshape(-1)
    flat = emit.reshape(x, (numbers.size,))
    found = emit(ir.Scatter(flat, emit.const(places), emit.reshape(updates, (places.size,)), 0))
    return emit.reshape(found, shape)
