"""Slices whose axes or steps are data: positions are counted when the network runs, and gathered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...compiler.ir import Value
from ...compiler.ops.arith import Add, Max, Min, Sub
from ...compiler.ops.index import Gather
from ...compiler.ops.logic import Equal, Less, LogicalOr, Select
from ...compiler.ops.shape import Slice
from ...compiler.types import DType
from ..spans import OPEN, size_of
from .operands import OperandEmitter
from .ranges import counted_range


@dataclass(frozen=True)
class Cut:
    """Where positions along an axis begin and end, and their step: scalars of 64 bits."""

    start: Value
    end: Value
    step: Value


def scalars(emit: OperandEmitter, x: Value) -> list[Value]:
    """Return the elements of a vector of integers as scalars of 64 bits."""
    count = x.type.size
    if not isinstance(count, int):
        raise emit.fail(f"has as many axes as data says: {x.type}", code="F004", help="Fix the size by shapes=...")
    parts = [emit(Slice(x, (i,), (1,), (1,))) for i in range(count)] if count > 1 else [x] * count
    return [emit.cast(emit.reshape(p, ()), DType.I64) for p in parts]


def cuts_along(emit: OperandEmitter, rank: int, axes: Sequence[Value], given: Sequence[Cut]) -> dict[int, Cut]:
    """Return what is cut along every axis where data says to which of them cuts belong; all of the others stays."""
    whole = Cut(*(emit.const(n, DType.I64) for n in (0, OPEN, 1)))
    found = dict.fromkeys(range(rank), whole)
    for axis in range(rank):
        names = [emit.const(n, DType.I64) for n in (axis, axis - rank)]
        for said, cut in zip(axes, given, strict=True):
            is_here = emit(LogicalOr(*(emit(Equal(said, name)) for name in names)))
            pairs = zip((cut.start, cut.end, cut.step), vars(found[axis]).values(), strict=True)
            found[axis] = Cut(*(emit(Select(is_here, own, other)) for own, other in pairs))
    return found


def gathered(emit: OperandEmitter, x: Value, axis: int, cut: Cut, is_open: tuple[bool, bool] = (False, False)) -> Value:
    """Gather the positions of a cut, which counts from the end where it is negative, and is clamped to the axis.

    An open start or end is that of the axis, in the direction of the step.
    """
    size, zero, one = size_of(emit, x, axis), emit.const(0, DType.I64), emit.const(1, DType.I64)
    goes_back = emit(Less(cut.step, zero))
    top = emit(Select(goes_back, emit(Sub(size, one)), size))
    bottom = emit(Select(goes_back, emit.const(-1, DType.I64), zero))

    def clamped(position: Value, low: Value) -> Value:
        from_front = emit(Select(emit(Less(position, zero)), emit(Add(position, size)), position))
        return emit(Min(emit(Max(from_front, low)), top))

    first = emit(Select(goes_back, top, zero)) if is_open[0] else clamped(cut.start, zero)
    last = emit(Select(goes_back, bottom, top)) if is_open[1] else clamped(cut.end, bottom)
    return emit(Gather(x, counted_range(emit, first, last, cut.step), axis))
