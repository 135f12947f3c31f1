"""Operators that pick elements by position, and put them there."""

from __future__ import annotations

import numpy as np

from ....compiler.dims import Dim, broadcast
from ....compiler.ir import Value
from ....compiler.ops import arith, logic
from ....compiler.ops import index as ir
from ....compiler.ops.shape import Concat
from ....compiler.types import DType
from ..emitter import Emitter
from ..registry import aten


@aten("embedding")
def embedding(
    emit: Emitter,
    weight: Value,
    indices: Value,
    padding_idx: Dim = -1,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Value:
    """``embedding``: rows of a table by their numbers; ``padding_idx`` and the flags only concern training."""
    return emit(ir.Gather(weight, indices, 0))


@aten("index_select")
def index_select(emit: Emitter, x: Value, dim: int, index: Value) -> Value:
    """``index_select``: slices at the positions of an axis that a vector lists."""
    if not x.type.rank:
        return x
    places = emit.reshape(index, index.type.shape or (1,))
    return emit(ir.Gather(x, places, emit.axis(dim, x.type.rank)))


@aten("gather")
def gather(emit: Emitter, x: Value, dim: int, index: Value, *, sparse_grad: bool = False) -> Value:
    """Elements at positions along an axis; of no positions, whatever their shape, nothing."""
    if index.type.size == 0:
        return emit.full(0, x.type.with_shape(index.type.shape))
    data, places = (emit.reshape(v, v.type.shape or (1,)) for v in (x, index))
    found = emit(ir.GatherElements(data, places, emit.axis(dim, x.type.rank)))
    return emit.reshape(found, index.type.shape)


@aten("take_along_dim")
def take_along_dim(emit: Emitter, x: Value, indices: Value, dim: int | None = None) -> Value:
    """Elements at positions along an axis, other axes repeated; without one, of the flattened data."""
    if dim is None:
        flat = emit.reshape(x, (x.type.size,))
        return gather(emit, flat, 0, emit.reshape(indices, (indices.type.size,)))
    axis = emit.axis(dim, x.type.rank)
    with emit.typed():
        shape = broadcast(
            tuple(1 if i == axis else d for i, d in enumerate(x.type.shape)),
            tuple(1 if i == axis else d for i, d in enumerate(indices.type.shape)),
        )
    data, places = (
        emit.expand(v, [v.type.shape[axis] if i == axis else d for i, d in enumerate(shape)]) for v in (x, indices)
    )
    return gather(emit, data, axis, places)


@aten("take")
def take(emit: Emitter, x: Value, index: Value) -> Value:
    """``take``: elements by their positions in the flattened tensor, in the shape of the positions."""
    return emit(ir.Gather(emit.reshape(x, (x.type.size,)), index, 0))


@aten("index.Tensor", "_unsafe_index.Tensor", sizes_by_data=True)
def index(emit: Emitter, x: Value, indices: tuple[Value | None, ...]) -> Value:
    """``index``: NumPy's indexing by tensors of positions, or by one mask, for which data decides how many remain."""
    axes = [a for a, i in enumerate(indices) if i is not None]
    mask = _only_mask(emit, indices)
    if mask is not None:
        return _selected(emit, x, axes[0], mask)
    places = _checked(emit, indices)
    if len(axes) == 1:
        return emit(ir.Gather(x, places[0], axes[0]))
    front = [*axes, *(a for a in range(x.type.rank) if a not in axes)]
    joined = _joined(emit, x, axes, places)
    found = emit(ir.GatherNd(emit.transpose(x, front), joined))
    if axes != list(range(axes[0], axes[0] + len(axes))):
        return found  # positions that don't stand together put their axes in front
    depth, before = joined.type.rank - 1, axes[0]
    rest = range(depth + before, found.type.rank)
    return emit.transpose(found, [*range(depth, depth + before), *range(depth), *rest])


def _only_mask(emit: Emitter, indices: tuple[Value | None, ...]) -> Value | None:
    """The mask, if that is all that picks, and it is computed."""
    given = [i for i in indices if i is not None]
    is_mask = len(given) == 1 and given[0].type.dtype in (DType.BOOL, DType.U8)
    return given[0] if is_mask and emit.known(given[0]) is None else None


def _selected(emit: Emitter, x: Value, axis: int, mask: Value) -> Value:
    """Slices where a mask over some axes holds; PyTorch names their number."""
    before, behind = x.type.shape[:axis], x.type.shape[axis + mask.type.rank :]
    count, size = emit.shape[axis], mask.type.size
    places = emit(ir.NonZero(emit.reshape(mask, (size,)), count))
    return emit(ir.Gather(emit.reshape(x, (*before, size, *behind)), emit.reshape(places, (count,)), axis))


def _checked(emit: Emitter, indices: tuple[Value | None, ...]) -> list[Value]:
    """The tensors of positions, those of masks that are known among them."""
    places = [i for i in indices if i is not None]
    for i, place in enumerate(places):
        if place.type.dtype in (DType.BOOL, DType.U8):
            known = emit.known(place)
            if known is None or len(places) > 1 or known.ndim != 1:
                help = "Replace it by torch.where, or the mask by positions: torch.nonzero(mask)."
                raise emit.fail("picks by a computed mask and other positions at once", code="F004", help=help)
            places[i] = emit.const(np.flatnonzero(known), DType.I64)
    return places


def _joined(emit: Emitter, x: Value, axes: list[int], places: list[Value]) -> Value:
    """Coordinates on a last axis, negative ones counted from the end."""
    with emit.typed():
        shape: tuple[Dim, ...] = ()
        for place in places:
            shape = broadcast(shape, place.type.shape)
    columns: list[Value] = []
    for axis, place in zip(axes, places, strict=True):
        whole = from_front(emit, emit.cast(place, DType.I64), x.type.shape[axis])
        columns.append(emit.reshape(emit.expand(whole, shape), (*shape, 1)))
    return emit(Concat(tuple(columns), len(shape))) if len(columns) > 1 else columns[0]


def from_front(emit: Emitter, place: Value, size: Dim) -> Value:
    """Return positions along an axis of so many, negative ones counted from its end."""
    known = emit.known(place)
    if known is not None and known.dtype != object and isinstance(size, int):
        return place if (known >= 0).all() else emit.const(np.where(known < 0, known + size, known))
    negative = emit(logic.Less(place, emit.const(0, DType.I64)))
    return emit(logic.Select(negative, emit(arith.Add(place, emit.value(size, DType.I64))), place))


@aten("index_put", "_unsafe_index_put")
def index_put(
    emit: Emitter, x: Value, indices: tuple[Value | None, ...], values: Value, accumulate: bool = False
) -> Value:
    """Put elements at positions, or add them there; a mask chooses between old and new ones."""
    axes = [a for a, i in enumerate(indices) if i is not None]
    mask = _only_mask(emit, indices)
    if mask is not None:
        return _put_by_mask(emit, x, axes[0], mask, emit.cast(values, x.type.dtype), accumulate)
    places = _checked(emit, indices)
    if len(axes) == 1 and places[0].type.rank == 1:
        (axis,), (place,) = axes, places
        rows = (*x.type.shape[:axis], place.type.size, *x.type.shape[axis + 1 :])
        updates = emit.expand(emit.cast(values, x.type.dtype), rows)
        whole = from_front(emit, emit.cast(place, DType.I64), x.type.shape[axis])
        return emit(ir.Scatter(x, whole, updates, axis, "add" if accumulate else "none"))
    joined = _joined(emit, x, axes, places)
    front = [*axes, *(a for a in range(x.type.rank) if a not in axes)]
    back = [front.index(a) for a in range(x.type.rank)]
    data = emit.transpose(x, front)
    rows = (*joined.type.shape[:-1], *data.type.shape[len(axes) :])
    together = axes == list(range(axes[0], axes[0] + len(axes)))
    updates = emit.cast(values, x.type.dtype)
    if together and axes[0] > 0:
        depth, before = joined.type.rank - 1, axes[0]
        natural = (*rows[depth : depth + before], *rows[:depth], *rows[depth + before :])
        moved = [*range(before, before + depth), *range(before), *range(before + depth, len(rows))]
        updates = emit.transpose(emit.expand(updates, natural), moved)
    found = emit(ir.ScatterNd(data, joined, emit.expand(updates, rows), "add" if accumulate else "none"))
    return emit.transpose(found, back)


def _put_by_mask(emit: Emitter, x: Value, axis: int, mask: Value, values: Value, accumulate: bool) -> Value:
    """Choose between old and new elements; of several slices, each goes to the next place where the mask holds."""
    behind = x.type.shape[axis + mask.type.rank :]
    if values.type.size == 1:
        new = emit.reshape(values, ())
    elif values.type.rank <= len(behind):
        new = values
    elif axis == 0:
        new = _in_turn(emit, mask, values, behind)
    else:
        raise emit.fail("puts several slices by a mask that does not begin with the first axis")
    where = emit.reshape(emit.cast(mask, DType.BOOL), (*mask.type.shape, *(1 for _ in behind)))
    return emit(logic.Select(where, emit(arith.Add(x, new)) if accumulate else new, x))


def _in_turn(emit: Emitter, mask: Value, values: Value, behind: tuple[Dim, ...]) -> Value:
    """Spread slices over the places where a mask holds; what stands elsewhere means nothing."""
    count = values.type.shape[0]
    if count == 1:
        return emit.reshape(values, values.type.shape[1:])
    rows = emit.expand(values, (count, *behind))
    if not isinstance(count, int):  # there may be none at all
        rows = emit(Concat((rows, emit.full(0, rows.type.with_shape((1, *behind)))), 0))
    size = mask.type.size
    hits = emit.cast(emit.cast(emit.reshape(mask, (size,)), DType.BOOL), DType.I64)
    number = emit(arith.Sub(emit(ir.CumSum(hits, 0)), emit.const(1, DType.I64)))
    first = emit(arith.Max(number, emit.const(0, DType.I64)))
    return emit.reshape(emit(ir.Gather(rows, first, 0)), (*mask.type.shape, *behind))


@aten("one_hot")
def one_hot(emit: Emitter, x: Value, num_classes: int = -1) -> Value:
    """``one_hot``: a new last axis with 1 at each position and 0 elsewhere; the number of classes has to be given."""
    if num_classes < 0:
        raise emit.fail("has as many classes as the data says", code="F004", help="Give num_classes.")
    return emit(ir.OneHot(x, emit.const([0, 1], DType.I64), num_classes, x.type.rank))
