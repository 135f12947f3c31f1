"""Reading and writing the items of lists, whichever operators do so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ...compiler.dims import Dim, at_least, is_static
from ...compiler.ir import Value
from ...compiler.ops.arith import Add, Max
from ...compiler.ops.dynamic import DynamicUpdateSlice
from ...compiler.ops.index import Gather, ScatterNd
from ...compiler.ops.shape import Concat, Range, ShapeOf
from ...compiler.types import DType
from .emitter import Emitter
from .handles import TensorList


def all_items(emit: Emitter, items: TensorList) -> Value:
    """Return the items as one tensor.

    Raises:
        CompileError: F004, none was written, and their sizes are open.
    """
    if items.value is not None:
        return items.value
    if items.dims is None or any(d is None for d in items.dims):
        raise emit.fail("reads a list of items whose sizes are not known", code="F004")
    return zeros(emit, items, [d for d in items.dims if d is not None])


def zeros(emit: Emitter, items: TensorList, shape: Sequence[Dim]) -> Value:
    """Return zeros as the items of a list that was never written to, once their shape is known."""
    return emit.expand(emit.const(0, items.dtype), (items.count, *shape))


def item(emit: Emitter, items: TensorList, index: Value) -> Value:
    """Return the item at a position, which may be computed at run time."""
    return emit(Gather(all_items(emit, items), emit.reshape(index, ()), 0, wraps=False))


def with_item(emit: Emitter, items: TensorList, index: Value, item: Value, *, grows: bool = False) -> TensorList:
    """Return a list with another item in one place; one that ``grows`` has that place then."""
    stored = zeros(emit, items, item.type.shape) if items.value is None else items.value
    if grows:
        stored = _grown(emit, stored, index)
    update = emit.reshape(item, (1, *item.type.shape))
    first = emit.reshape(index, (1,))
    rest = emit.const([0] * item.type.rank, index.type.dtype)
    starts = emit(Concat((first, rest), 0)) if item.type.rank else first
    return holding(items, emit(DynamicUpdateSlice(stored, update, starts)))


def _grown(emit: Emitter, stored: Value, index: Value) -> Value:
    """Put zeros behind items, so that there is one at ``index``."""
    size = stored.type.shape[0]
    known = emit.known.dim(index)
    if isinstance(known, int) and at_least(size, known + 1):
        return stored
    end = emit(Add(emit.reshape(index, ()), emit.const(1, index.type.dtype)))
    present = emit.reshape(emit(ShapeOf(stored, (0,), index.type.dtype)), ())
    needed = emit.dim(emit(Max(end, present)), "index")
    more = emit.expand(emit.const(0, stored.type.dtype), (needed - size, *stored.type.shape[1:]))
    return emit(Concat((stored, more), 0))


def holding(items: TensorList, value: Value) -> TensorList:
    """Return a list of the same kind that holds other items."""
    return replace(items, value=value, count=value.type.shape[0])


def picked(emit: Emitter, items: TensorList, indices: Value) -> Value:
    """Stack the items at the positions of a vector along a new first axis."""
    stored = all_items(emit, items)
    return stored if _is_all(emit, indices, stored) else emit(Gather(stored, indices, 0, wraps=False))


def with_items(emit: Emitter, items: TensorList, indices: Value, rows: Value, *, grows: bool = False) -> TensorList:
    """Return a list with other items in some places.

    Raises:
        CompileError: F005, a list grows by items in places that are computed.
    """
    stored = zeros(emit, items, rows.type.shape[1:]) if items.value is None else items.value
    if _is_all(emit, indices, stored) or (grows and stored.type.shape[0] == 0 and _is_all(emit, indices, rows)):
        return holding(items, rows)
    if grows:
        raise emit.fail("puts items into places of a list that grows, which are not all of it")
    places = emit.reshape(indices, (*indices.type.shape, 1))
    return holding(items, emit(ScatterNd(stored, places, rows)))


def _is_all(emit: Emitter, indices: Value, items: Value) -> bool:
    """Whether places are those of all items, in order."""
    if indices.type.shape != items.type.shape[:1]:
        return False
    owner = indices.owner
    if isinstance(owner, Range):
        return [emit.known.dim(v) for v in (owner.start, owner.step)] == [0, 1]
    found = emit.known(indices)
    return found is not None and is_static(indices.type.shape) and list(found) == list(range(found.size))


def count_of(emit: Emitter, items: TensorList) -> Value:
    """Return how many items there are.

    Raises:
        CompileError: F004, there are no items yet, and their number is not known.
    """
    if items.value is not None:
        return emit.reshape(emit(ShapeOf(items.value, (0,), DType.I32)), ())
    if not isinstance(items.count, int):
        raise emit.fail(f"counts {items.count} items, which depends on the shapes of inputs", code="F004")
    return emit.const(items.count, DType.I32)


def joined(emit: Emitter, items: TensorList) -> tuple[Value, Value]:
    """Return the items one after the other along their first axis, and how long each is.

    Raises:
        CompileError: F006, they have no axis.
    """
    stored = all_items(emit, items)
    if stored.type.rank < 2:
        raise emit.fail("joins scalars", code="F006")
    count, length, *rest = stored.type.shape
    lengths = emit.cast(emit(ShapeOf(stored, (1,), DType.I64)), DType.I64)
    return emit.reshape(stored, (count * length, *rest)), emit.expand(lengths, (count,))


def split(emit: Emitter, items: TensorList, value: Value, lengths: Value) -> TensorList:
    """Return a list of parts of a tensor, all of one length.

    Raises:
        CompileError: F005, the parts differ in length; F004, their lengths are computed.
    """
    found = set(emit.dims(lengths, "lengths"))
    if len(found) != 1:
        raise emit.fail(f"splits into parts of the lengths {', '.join(map(str, sorted(found, key=str)))}")
    return holding(items, emit.reshape(value, (lengths.type.shape[0], found.pop(), *value.type.shape[1:])))
