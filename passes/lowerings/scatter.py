"""Putting elements at computed positions.

The kernel only adds updates to zeros. With constant positions a scatter is a gather from data and updates together.
"""

from __future__ import annotations

import math

import numpy as np

from ...compiler.budget import reserve
from ...compiler.constants import elements
from ...compiler.dims import Dim, is_static, static
from ...compiler.ir import Op, Value
from ...compiler.lowering import Build
from ...compiler.ops import arith, logic
from ...compiler.ops.core import Const
from ...compiler.ops.index import Gather, GatherNd, Scatter, ScatterElements, ScatterNd
from ...compiler.ops.reduce import Reduce
from ...compiler.ops.shape import (
    BroadcastTo,
    Concat,
    Range,
    Reshape,
    Reverse,
    ShapeOf,
    Slice,
    Tile,
    Transpose,
    inverse,
)
from ...compiler.types import Array, DType
from ...compiler.weights import Weight
from .index import flat_positions, wrapped
from .registry import lower

COMBINE: dict[str, type[Op]] = {"add": arith.Add, "mul": arith.Mul, "max": arith.Max, "min": arith.Min}

ADDED_AS = {DType.BOOL: DType.U8, DType.I16: DType.I32, DType.U16: DType.I32, DType.U32: DType.I64}


@lower(ScatterNd, ScatterElements, benefit=2)
def index_as_i32(op: ScatterNd | ScatterElements, e: Build) -> None:
    """The kernel takes indices as i32: convert others to that."""
    if op.indices.type.dtype is not DType.I32:
        e.replace(e.clone(op, op.x, e(arith.Cast, op.indices, to=DType.I32), op.updates))


@lower(Scatter)
def slices_along_an_axis(op: Scatter, e: Build) -> None:
    """Rows of what lies after the axis, at positions that count through what is before it."""
    shape, axis, count = op.x.type.shape, op.axis, op.indices.type.size
    before, size, behind = e.product(shape[:axis]), shape[axis], shape[axis + 1 :]
    places = op.indices if op.indices.type.dtype is DType.I32 else e(arith.Cast, op.indices, to=DType.I32)
    if before != 1:
        if not is_static((before, size)) or op.reduction not in ("none", "add"):
            e.replace(_axis_in_front(op, e))
            return
        starts = np.arange(*static((before,)), dtype=np.int32)[:, None] * static((size,))[0]
        places = e(arith.Add, wrapped(places, op.x, (axis,), e), e.constant(starts))
    flat = e.reshape(places, (before * count, 1))
    rows = e.reshape(op.updates, (before * count, *behind))
    out = e(ScatterNd, e.reshape(op.x, (before * size, *behind)), flat, rows, reduction=op.reduction)
    e.replace(e.reshape(out, shape))


def _axis_in_front(op: Scatter, e: Build) -> Value:
    """The same along the first axis, between transposes."""
    front = (op.axis, *(a for a in range(op.x.type.rank) if a != op.axis))
    moved = e.clone(op, e.transpose(op.x, front), op.indices, e.transpose(op.updates, front), axis=0)
    return e.transpose(moved, inverse(front))


@lower(ScatterElements)
def scatter_elements(op: ScatterElements, e: Build) -> None:
    """Scatter single elements into the flattened data, at computed positions."""
    size = e.product(op.x.type.shape)
    count = e.product(op.indices.type.shape)
    flat = e.reshape(flat_positions(op.x, op.indices, op.axis, e), (count, 1))
    out = e(ScatterNd, e.reshape(op.x, (size,)), flat, e.reshape(op.updates, (count,)), reduction=op.reduction)
    e.replace(e.reshape(out, op.x.type.shape))


@lower(ScatterNd)
def at_constant_places(op: ScatterNd, e: Build) -> None:
    """Gather rows from data and updates, one after the other: which one is known."""
    indices = elements(op.indices)
    depth = op.indices.type.shape[-1]
    if indices is None or not isinstance(depth, int) or not is_static(op.x.type.shape[:depth]):
        return
    places = _flat(indices, static(op.x.type.shape[:depth]))
    if op.reduction != "none":
        if len(np.unique(places)) < places.size:
            return
        old = e(GatherNd, op.x, e.constant(indices))
        e.replace(e.clone(op, op.x, op.indices, e(COMBINE[op.reduction], old, op.updates), reduction="none"))
        return
    rows, rest = math.prod(static(op.x.type.shape[:depth])), op.x.type.shape[depth:]
    reserve(rows, bits=32, what="the positions of all rows")
    chosen = np.arange(rows, dtype=np.int32)
    chosen[places] = rows + np.arange(places.size, dtype=np.int32)
    data = e.rw.emit(Concat((_rows(op.x, rows, rest, e), _rows(op.updates, places.size, rest, e)), 0))
    e.replace(e.reshape(e(Gather, data, e.constant(chosen), axis=0), op.x.type.shape))


def _flat(indices: Array, shape: tuple[int, ...]) -> Array:
    """Row-major positions of coordinates; negative ones count back."""
    up = np.where(indices < 0, indices + np.asarray(shape), indices).astype(np.int64)
    return np.ravel_multi_index(tuple(np.moveaxis(up, -1, 0)), shape).reshape(-1)


def _rows(x: Value, count: int, rest: tuple[Dim, ...], e: Build) -> Value:
    return e.reshape(x, (count, *rest))


@lower(ScatterNd)
def in_a_type_that_is_added(op: ScatterNd, e: Build) -> None:
    """The kernel adds up few types; what else there is fits one of them."""
    dtype = op.x.type.dtype
    if dtype in ADDED_AS:
        given = (e(arith.Cast, op.x, to=ADDED_AS[dtype]), op.indices, e(arith.Cast, op.updates, to=ADDED_AS[dtype]))
        e.replace(e(arith.Cast, e.clone(op, *given), to=dtype))


@lower(ScatterNd)
def count_up(op: ScatterNd, e: Build) -> None:
    """Coordinates that count back are taken modulo the sizes."""
    depth = op.indices.type.shape[-1]
    assert isinstance(depth, int)
    up = wrapped(op.indices, op.x, tuple(range(depth)), e)
    if up is not op.indices:
        e.replace(e.clone(op, op.x, up, op.updates))


@lower(ScatterNd)
def add_to_data(op: ScatterNd, e: Build) -> None:
    """Sum the updates in zeros, then add that to the data."""
    if op.reduction == "add":
        e.replace(e(arith.Add, op.x, _in_zeros(op, op.updates, e)))


@lower(ScatterNd)
def replace_in_data(op: ScatterNd, e: Build) -> None:
    """Updates in zeros, chosen wherever ones were put in zeros likewise.

    Positions must differ, as they have to, unless all updates are one number.
    """
    if op.reduction != "none":
        return
    ones = e(BroadcastTo, e.number(1, DType.F32), op.updates.type.shape)
    hit = e(logic.Greater, _in_zeros(op, ones, e), 0.0)
    number = _repeated(op.updates, e)
    e.replace(e(logic.Select, hit, _in_zeros(op, op.updates, e) if number is None else number, op.x))


def _repeated(value: Value, e: Build) -> Value | None:
    """The number that stands everywhere in a tensor; None if there may be several."""
    while value.type.size != 1 and isinstance(value.owner, BroadcastTo | Reshape | Tile | Transpose):
        value = value.owner.x
    if value.type.size == 1:
        return e.reshape(value, ())
    owner = value.owner
    if not isinstance(owner, Const):
        return None
    array = owner.value.array() if owner.value.is_splat else elements(value)
    if array is None or array.size == 0 or not (array == array.flat[0]).all():
        return None
    return e.constant(array.reshape(-1)[0])


def _in_zeros(op: ScatterNd, updates: Value, e: Build) -> Value:
    shape, dtype = op.x.type.shape, updates.type.dtype
    if is_static(shape):
        zeros = e.constant(Weight.splat(0, dtype, static(shape)))
    else:
        zeros = e.rw.insert(BroadcastTo(e.number(0, dtype), shape)).result
    return e.rw.insert(ScatterNd(zeros, op.indices, updates, reduction="add")).result


MAX_COMPARED = 1 << 24
"""Elements of the table of all updates at all places; more would take more memory than is reasonable."""


@lower(ScatterNd)
def combine_at_computed_places(op: ScatterNd, e: Build) -> None:
    """A table of all updates at all places, what does not belong there being neutral, combined along the updates."""
    depth = op.indices.type.shape[-1]
    if op.reduction not in ("mul", "max", "min") or not isinstance(depth, int):
        return
    shape = op.x.type.shape
    rows, rest = e.product(shape[:depth]), e.product(shape[depth:])
    count = e.product(op.indices.type.shape[:-1])
    size = count * rows * rest
    e.require(
        not isinstance(size, int) or size <= MAX_COMPARED,
        f"{count} updates combined by {op.reduction} at computed positions among {rows}",
    )
    places = e.reshape(_row_major(op, depth, e), (count, 1))
    numbers = e(Range, e.number(0, DType.I32), e.number(1, DType.I32), rows)
    hit = e.reshape(e(logic.Equal, places, numbers), (count, rows, 1))
    table = e(logic.Select, hit, e.reshape(op.updates, (count, 1, rest)), _what_changes_nothing(op, rows, rest, e))
    combined = e.reshape(e(Reduce, table, op.reduction.replace("mul", "prod"), (0,), keepdims=False), shape)
    e.replace(e(COMBINE[op.reduction], op.x, combined))


def _row_major(op: ScatterNd, depth: int, e: Build) -> Value:
    """The positions as single numbers."""
    indices = wrapped(op.indices, op.x, tuple(range(depth)), e)
    indices = indices if indices.type.dtype is DType.I32 else e(arith.Cast, indices, to=DType.I32)
    strides = e.constant(np.ones(1, np.int32))
    if depth > 1:
        sizes = e(ShapeOf, op.x, tuple(range(1, depth)), dtype=DType.I32)
        behind = e(Reverse, _running_product(e(Reverse, sizes, (0,)), depth - 1, e), (0,))
        strides = e.rw.emit(Concat((behind, strides), 0))
    return e(Reduce, e(arith.Mul, indices, strides), "sum", (indices.type.rank - 1,), keepdims=False)


def _running_product(sizes: Value, count: int, e: Build) -> Value:
    parts = [e(Slice, sizes, (0,), (1,), (1,))]
    for i in range(1, count):
        parts.append(e(arith.Mul, parts[-1], e(Slice, sizes, (i,), (1,), (1,))))
    return e.rw.emit(Concat(tuple(parts), 0)) if count > 1 else parts[0]


def _what_changes_nothing(op: ScatterNd, rows: Dim, rest: Dim, e: Build) -> Value:
    """The data itself where the larger or the smaller number stays: the bounds of a type may not survive a conversion.

    A kernel on f32 rounds the largest i32 to 2^31, which is none.
    """
    return e.number(1, op.x.type.dtype) if op.reduction == "mul" else e.reshape(op.x, (1, rows, rest))
