"""The shape that a reshape states, which may be known, named, or computed when the network runs."""

from __future__ import annotations

from ...compiler.dims import UNBOUNDED, Dim, is_static, static
from ...compiler.ir import Value
from ...compiler.ops.arith import FloorDiv, Max
from ...compiler.ops.logic import Equal, Select
from ...compiler.ops.reduce import Reduce
from ...compiler.ops.shape import Concat, ShapeOf, Slice
from ...compiler.types import DType
from ..bound import Bounds, Element, bind
from .operands import OperandEmitter


def stated_shape(emit: OperandEmitter, x: Value, shape: Value, *, zero_copies: bool) -> tuple[Dim, ...]:
    """Return the elements of ``shape``, in which -1 stands for what is left of ``x``, and 0 maybe for its own size.

    Elements that data decides about are sizes with names: beside a -1 they can't be that. A single one follows from
    the number of elements. Of others, what they stand for is computed in the network.
    """
    places = emit.positions(shape, "shape")
    dims = {place: found for place, p in enumerate(places) if (found := p.decided) is not None}
    open_ = [place for place in range(len(places)) if place not in dims]
    if len(open_) == 1 and -1 not in dims.values():
        return tuple(dims.get(place, -1) for place in range(len(places)))
    if not open_ or -1 in dims.values():
        return emit.dims(shape, "shape")
    meant = _resolved(emit, x, shape, zero_copies=zero_copies)
    most = x.type.size if isinstance(x.type.size, int) and x.type.size else UNBOUNDED
    named = bind(emit, [Element(meant, place) for place in open_], [Bounds(0, most)] * len(open_))
    return tuple((dims | dict(zip(open_, named, strict=True)))[place] for place in range(len(places)))


def _resolved(emit: OperandEmitter, x: Value, shape: Value, *, zero_copies: bool) -> Value:
    """Insert the sizes that a computed shape stands for."""
    wanted = emit.cast(shape, DType.I64)
    zero, one, rest = (emit.const([n], DType.I64) for n in (0, 1, -1))
    count = len(emit.positions(shape, "shape"))
    if zero_copies:
        before = emit(Slice(_sizes(emit, x, count), (0,), (count,), (1,)))
        wanted = emit(Select(emit(Equal(wanted, zero)), before, wanted))
    is_rest = emit(Equal(wanted, rest))
    others = emit(Reduce(emit(Select(is_rest, one, wanted)), "prod", (0,)))
    left = emit(FloorDiv(emit(Reduce(_sizes(emit, x, 0), "prod", (0,))), emit(Max(others, one))))
    return emit(Select(is_rest, left, wanted))


def _sizes(emit: OperandEmitter, x: Value, least: int) -> Value:
    """Insert the shape of ``x``, with zeros behind it if it has fewer axes than ``least``."""
    missing = max(least - x.type.rank, 0)
    if is_static(x.type.shape):
        return emit.const([*static(x.type.shape), *[0] * missing], DType.I64)
    found = emit(ShapeOf(x, tuple(range(x.type.rank)), DType.I64))
    return emit(Concat((found, emit.const([0] * missing, DType.I64)), 0)) if missing else found
