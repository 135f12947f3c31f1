"""Elements by their rank among others, and where numbers would be inserted among them."""

from __future__ import annotations

from ....compiler.dims import Dim
from ....compiler.ir import Value
from ....compiler.ops import arith, logic
from ....compiler.ops import index as ir
from ....compiler.ops.reduce import Reduce
from ....compiler.types import DType
from ..emitter import Emitter
from ..promotion import Operand
from ..registry import aten

Found = tuple[Value | None, ...]
"""Elements and their positions."""


@aten("topk")
def topk(emit: Emitter, x: Value, k: Dim, dim: int = -1, largest: bool = True, sorted: bool = True) -> Found:
    """``topk``: the ``k`` largest or smallest elements along an axis and their positions, always in order."""
    if not x.type.rank:
        return x, emit.const(0, DType.I64)
    return emit.all(ir.TopK(x, k, emit.axis(dim, x.type.rank), largest))


@aten("sort")
def sort(emit: Emitter, x: Value, dim: int = -1, descending: bool = False) -> Found:
    """``sort``: all elements of an axis in order and their positions, as a TopK of all of them."""
    if not x.type.rank:
        return x, emit.const(0, DType.I64)
    axis = emit.axis(dim, x.type.rank)
    return emit.all(ir.TopK(x, x.type.shape[axis], axis, descending))


@aten("sort.stable")
def sort_stable(emit: Emitter, x: Value, *, stable: bool | None, dim: int = -1, descending: bool = False) -> Found:
    """``sort`` with the flag ``stable``, which changes nothing: the IR's TopK is stable anyway."""
    return sort(emit, x, dim, descending)


@aten("argsort")
def argsort(emit: Emitter, x: Value, dim: int = -1, descending: bool = False) -> Value:
    """``argsort``: the positions that ``sort`` gives, without the elements themselves."""
    found = sort(emit, x, dim, descending)[1]
    assert found is not None
    return found


@aten("kthvalue")
def kthvalue(emit: Emitter, x: Value, k: int, dim: int = -1, keepdim: bool = False) -> Found:
    """``kthvalue``: the ``k``-th smallest element along an axis, counted from 1, and its position."""
    return _ranked(emit, x, emit.const(k - 1, DType.I64), dim, keepdim)


@aten("median.dim")
def median_along(emit: Emitter, x: Value, dim: int, keepdim: bool = False) -> Found:
    """The middle element along an axis, the lower one of two, and its position; NaN if there is one."""
    if not x.type.rank:
        return x, emit.const(0, DType.I64)
    axis = emit.axis(dim, x.type.rank)
    size = x.type.shape[axis]
    middle = emit.value((size - 1) // 2, DType.I64)
    if not x.type.dtype.is_float:
        return _ranked(emit, x, middle, dim, keepdim)
    spoilt = emit(Reduce(emit(logic.IsNan(x)), "any", (axis,), keepdims=True))
    last = emit.value(size - 1, DType.I64)  # NaN stands after all numbers
    return _ranked(emit, x, emit(logic.Select(spoilt, last, middle)), dim, keepdim)


@aten("nanmedian.dim")
def nanmedian_along(emit: Emitter, x: Value, dim: int, keepdim: bool = False) -> Found:
    """The middle one of the elements that are numbers, and its position."""
    if not x.type.rank or not x.type.dtype.is_float:
        return median_along(emit, x, dim, keepdim)
    axis = emit.axis(dim, x.type.rank)
    numbers = emit.cast(emit(logic.LogicalNot(emit(logic.IsNan(x)))), DType.I64)
    less = emit(arith.Sub(emit(Reduce(numbers, "sum", (axis,), keepdims=True)), emit.const(1, DType.I64)))
    middle = emit(arith.Div(emit(arith.Max(less, emit.const(0, DType.I64))), emit.const(2, DType.I64)))
    return _ranked(emit, x, middle, dim, keepdim)


@aten("median")
def median(emit: Emitter, x: Value) -> Value:
    """``median`` of all elements: the middle one, of an even number the lower of both."""
    found = median_along(emit, emit.reshape(x, (x.type.size,)), 0)[0]
    assert found is not None
    return found


@aten("nanmedian")
def nanmedian(emit: Emitter, x: Value) -> Value:
    """``nanmedian``: the middle one of all elements that are not NaN, of an even number the lower of both."""
    found = nanmedian_along(emit, emit.reshape(x, (x.type.size,)), 0)[0]
    assert found is not None
    return found


def _ranked(emit: Emitter, x: Value, rank: Value, dim: int, keepdim: bool) -> Found:
    """The element at a place of the ascending order along an axis, and its position; ``rank`` has size one there."""
    if not x.type.rank:
        return x, emit.const(0, DType.I64)
    axis = emit.axis(dim, x.type.rank)
    shape = [1 if i == axis else d for i, d in enumerate(x.type.shape)]
    places = emit.expand(emit.reshape(rank, rank.type.shape or (1,) * x.type.rank), shape)
    found = [emit(ir.GatherElements(v, places, axis)) for v in emit.all(ir.TopK(x, x.type.shape[axis], axis, False))]
    kept = shape if keepdim else [d for i, d in enumerate(shape) if i != axis]
    return tuple(emit.reshape(v, kept) for v in found)


@aten("mode")
def mode(emit: Emitter, x: Value, dim: int = -1, keepdim: bool = False) -> Found:
    """The most frequent element along an axis, the smallest of several, and the last position at which it occurs."""
    if not x.type.rank:
        return x, emit.const(0, DType.I64)
    axis = emit.axis(dim, x.type.rank)
    size = x.type.shape[axis]
    values, places = emit.all(ir.TopK(x, size, axis, False))
    shape = x.type.shape
    column, row = ((*shape[: axis + i], 1, *shape[axis + i :]) for i in (1, 0))
    same = emit(logic.Equal(emit.reshape(values, column), emit.reshape(values, row)))
    counts = emit(Reduce(emit.cast(same, DType.I32), "sum", (axis + 1,), keepdims=False))
    best = emit(ir.ArgMax(counts, axis))
    many = emit(ir.GatherElements(counts, best, axis))
    last = emit(arith.Add(best, emit.cast(emit(arith.Sub(many, emit.const(1, DType.I32))), DType.I64)))
    found = [emit(ir.GatherElements(v, at, axis)) for v, at in ((values, best), (places, last))]
    kept = [1 if i == axis else d for i, d in enumerate(shape) if keepdim or i != axis]
    return tuple(emit.reshape(v, kept) for v in found)


@aten("searchsorted.Tensor", "searchsorted.Scalar")
def searchsorted(
    emit: Emitter,
    sorted_sequence: Value,
    x: Operand,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
    sorter: Value | None = None,
) -> Value:
    """How many elements of an ordered row are smaller than each number, or not larger with ``right``."""
    row = sorted_sequence
    if sorter is not None:
        row = emit(ir.GatherElements(row, sorter, row.type.rank - 1))
    return _counted(emit, row, emit.own_type(x), right or side == "right")


@aten("bucketize.Tensor", "bucketize.Scalar")
def bucketize(emit: Emitter, x: Operand, boundaries: Value, *, out_int32: bool = False, right: bool = False) -> Value:
    """How many boundaries are smaller than each number, or not larger with ``right``."""
    return _counted(emit, boundaries, emit.own_type(x), right)


def _counted(emit: Emitter, row: Value, x: Value, right: bool) -> Value:
    a, b = emit.promoted(row, x)
    batch, size = a.type.shape[:-1], a.type.shape[-1]
    rank = b.type.rank
    across = emit.reshape(a, (*batch, 1, size)) if len(batch) else emit.reshape(a, (*[1] * rank, size))
    number = emit.reshape(b, (*b.type.shape, 1))
    below = emit(logic.LessEqual(across, number) if right else logic.Less(across, number))
    return emit.cast(emit(Reduce(emit.cast(below, DType.I32), "sum", (rank,), keepdims=False)), emit.dtype)


@aten("histc")
def histc(emit: Emitter, x: Value, bins: int = 100, min: float = 0, max: float = 0) -> Value:
    """How many elements fall into each of several ranges of one width; the last one has both ends."""
    dtype = x.type.dtype
    flat = emit.reshape(x, (x.type.size,))
    low, high = emit.const(min, dtype), emit.const(max, dtype)
    if min == max:
        low, high = (emit(Reduce(flat, kind, (0,), keepdims=False)) for kind in ("min", "max"))
        alone = emit(logic.Equal(low, high))
        one = emit.const(1, dtype)
        low, high = (
            emit(logic.Select(alone, emit(kind(v, one)), v)) for kind, v in ((arith.Sub, low), (arith.Add, high))
        )
    span = emit(arith.Sub(high, low))
    count = emit.const(bins, dtype)
    place = emit(arith.Floor(emit(arith.Div(emit(arith.Mul(emit(arith.Sub(flat, low)), count)), span))))
    last = emit(logic.Equal(flat, high))
    place = emit(logic.Select(last, emit.const(bins - 1, dtype), place))
    columns = emit.const([[float(i)] for i in range(bins)], dtype)
    hits = emit(logic.Equal(emit.reshape(place, (1, x.type.size)), columns))
    return emit.cast(emit(Reduce(emit.cast(hits, DType.I32), "sum", (1,), keepdims=False)), emit.dtype)
