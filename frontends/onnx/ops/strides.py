"""Slices whose axes or steps are data: positions are counted when the network runs, and gathered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ....compiler.ir import Value
from ....compiler.ops.arith import Add, Max, Min, Sub
from ....compiler.ops.index import Gather
from ....compiler.ops.logic import Equal, Less, LogicalOr, Select
from ....compiler.ops.shape import Slice
from ....compiler.types import DType
from ...common.ranges import counted_range
from ...spans import OPEN, size_of
from ..emitter import Emitter


@dataclass(frozen=True)
class Cut:
    """Where positions along an axis begin and end, and their step: scalars of 64 bits."""

    start: Value
    end: Value
    step: Value


def scalars(emit: Emitter, x: Value) -> list[Value]:
    """Return the elements of a vector of integers as scalars of 64 bits."""
    count = x.type.size
    if not isinstance(count, int):
        raise emit.fail(f"has as many axes as data says: {x.type}", code="F004", help="Fix the size by shapes=...")
    parts = [emit(Slice(x, (i,), (1,), (1,))) for i in range(count)] if count > 1 else [x] * count
    return [emit.cast(emit.reshape(p, ()), DType.I64) for p in parts]


def cuts_along(emit: Emitter, rank: int, axes: Sequence[Value], given: Sequence[Cut]) -> dict[int, Cut]:
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


def gathered(emit: Emitter, x: Value, axis: int, cut: Cut) -> Value:
    """Gather the positions of a cut, which counts from the end where it is negative, and is clamped to the axis."""
    size, zero, one = size_of(emit, x, axis), emit.const(0, DType.I64), emit.const(1, DType.I64)
    goes_back = emit(Less(cut.step, zero))
    top = emit(Select(goes_back, emit(Sub(size, one)), size))
    bottom = emit(Select(goes_back, emit.const(-1, DType.I64), zero))
    first, last = (
        emit(Min(emit(Max(emit(Select(emit(Less(p, zero)), emit(Add(p, size)), p)), low)), top))
        for p, low in ((cut.start, zero), (cut.end, bottom))
    )
    return emit(Gather(x, counted_range(emit, first, last, cut.step), axis))
