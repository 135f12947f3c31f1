"""What is cut out of an axis where data decides: clamped and counted when the network runs."""

from __future__ import annotations

from ..compiler.dims import UNBOUNDED, Dim, ceil_div
from ..compiler.ir import Value
from ..compiler.ops.arith import Add, Max, Min, Neg, Sub
from ..compiler.ops.logic import Less, Select
from ..compiler.ops.shape import Concat, ShapeOf
from ..compiler.types import DType
from .bound import Bounds, Element, Position, bind, distance, scalar
from .emitter import BaseEmitter

OPEN = 2**31 - 1
"""Exporters write this, or more, for "up to the end"; no axis is as long."""


def span_by_data(
    emit: BaseEmitter, x: Value, axis: int, ends: tuple[Dim | Position, Dim | Position], step: int
) -> tuple[Dim, Dim]:
    """Return the first position and the number of positions, named after what is computed; without negative steps.

    Of two positions that are always as far apart, all between them must be there: the number is then known, and what
    reads the result may rely on it.  Both must count from the same end of the axis; else the runtime refuses the first
    one, which stays negative.  Other positions are clamped to the axis, which may leave nothing.
    """
    start, end = ends
    size = x.type.shape[axis]
    length = _length(start, end) if step == 1 else None
    whole = size_of(emit, x, axis)
    first, last = (position_value(emit, p) for p in (start, end))
    if length is not None:
        most = size - length if isinstance(size, int) else UNBOUNDED
        first = _wrapped(emit, first, last, whole)
        (name,) = bind(emit, [Element(first, 0)], [Bounds(0, most)])
        return name, length
    first, last = (_wrapped(emit, p, p, whole) for p in (first, last))
    zero, one = emit.const(0, DType.I64), emit.const(1, DType.I64)
    if step > 0:
        first, last = (emit(Min(emit(Max(p, zero)), whole)) for p in (first, last))
        count = emit(Max(emit(Sub(last, first)), zero))
    else:
        top = emit(Sub(whole, one))
        first, last = (
            emit(Min(emit(Max(p, low)), top)) for p, low in ((first, zero), (last, emit.const(-1, DType.I64)))
        )
        count = emit(Max(emit(Sub(first, last)), zero))
        first = emit(Min(emit(Add(last, one)), whole))
    both = emit(Concat((emit.reshape(first, (1,)), emit.reshape(count, (1,))), 0))
    most = size if isinstance(size, int) else UNBOUNDED
    place, number = bind(emit, [Element(both, 0), Element(both, 1)], [Bounds(0, most)] * 2)
    return place, ceil_div(number, step) if step > 0 else number


def single_by_data(emit: BaseEmitter, x: Value, axis: int, position: Position) -> tuple[Position, Position]:
    """Return a position, which may count from the end, from the front, and the one after it."""
    value = position_value(emit, position)
    first = _wrapped(emit, value, value, size_of(emit, x, axis))
    behind = emit(Add(first, emit.const(1, DType.I64)))
    return Position(None, Element(first, 0)), Position(None, Element(behind, 0))


def _length(start: Dim | Position, end: Dim | Position) -> int | None:
    """Return how far apart two positions always are, if the second one comes after the first one."""
    if isinstance(start, Position) and isinstance(end, Position):
        found = distance(start.source, end.source)
        return found if found is not None and found > 0 else None
    return None


def size_of(emit: BaseEmitter, x: Value, axis: int) -> Value:
    """Insert the size of ``x`` along an axis, as a scalar of 64 bits."""
    size = x.type.shape[axis]
    if isinstance(size, int):
        return emit.const(size, DType.I64)
    return emit.reshape(emit(ShapeOf(x, (axis,), DType.I64)), ())


def position_value(emit: BaseEmitter, position: Dim | Position) -> Value:
    """Insert a position as a scalar of 64 bits.

    Raises:
        CompileError: F004, it is a size that no tensor tells here.
    """
    dim = position.dim if isinstance(position, Position) else position
    if isinstance(dim, int):
        return emit.const(max(min(dim, OPEN), -OPEN), DType.I64)
    if isinstance(position, Position):
        return scalar(emit, position.source)
    raise emit.fail(f"counts from {dim} to what data decides about", code="F004")


def _wrapped(emit: BaseEmitter, position: Value, end: Value, size: Value) -> Value:
    """Let a position count from the end of the axis if ``end`` is negative."""
    is_negative = emit(Less(end, emit.const(0, DType.I64)))
    return emit(Select(is_negative, emit(Add(position, size)), position))


def parts_by_data(emit: BaseEmitter, padding: Dim | Position) -> tuple[Dim, Dim]:
    """Return how many positions are added and how many are cut where data decides which of these it is."""
    number, zero = position_value(emit, padding), emit.const(0, DType.I64)
    both = [emit.reshape(emit(Max(n, zero)), (1,)) for n in (number, emit(Neg(number)))]
    joined = emit(Concat(tuple(both), 0))
    more, less = bind(emit, [Element(joined, 0), Element(joined, 1)])
    return more, less
