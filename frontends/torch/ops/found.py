"""Operators whose results are as long as the data says: PyTorch names their sizes, and so does the IR."""

from __future__ import annotations

from ....compiler.dims import Dim, broadcast
from ....compiler.ir import Value
from ....compiler.ops import arith, logic
from ....compiler.ops import index as ir
from ....compiler.ops.reduce import Reduce
from ....compiler.ops.shape import Concat, Range
from ....compiler.types import DType
from ..emitter import Emitter
from ..registry import aten


@aten("nonzero", "argwhere", sizes_by_data=True)
def nonzero(emit: Emitter, x: Value) -> Value:
    """The positions of elements that are not zero, a row each."""
    return emit.transpose(emit(ir.NonZero(x, emit.shape[0])), (1, 0))


@aten("masked_select", sizes_by_data=True)
def masked_select(emit: Emitter, x: Value, mask: Value) -> Value:
    """The elements where a mask holds."""
    with emit.typed():
        shape = broadcast(x.type.shape, mask.type.shape)
    data, hits = (emit.expand(v, shape) for v in (x, mask))
    places = emit(ir.NonZero(emit.reshape(hits, (hits.type.size,)), emit.shape[0]))
    return emit(ir.Gather(emit.reshape(data, (data.type.size,)), emit.reshape(places, emit.shape), 0))


@aten("_unique2", sizes_by_data=True)
def unique(
    emit: Emitter, x: Value, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False
) -> tuple[Value | None, ...]:
    """The different elements in order; which of them stands where, and how often."""
    found, _, where, often = emit.all(ir.Unique(x, emit.shape[0]))
    empty = emit.const([], DType.I64)
    inverse = emit.reshape(where, x.type.shape) if return_inverse else empty
    return found, inverse, often if return_counts else empty


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
