"""Picking elements by computed positions, and ordering them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...compiler.budget import reserve
from ...compiler.constants import elements
from ...compiler.dims import Dim, is_static, static
from ...compiler.ir import Value
from ...compiler.lowering import Build
from ...compiler.ops import arith, logic
from ...compiler.ops.index import (
    ArgMax,
    ArgMin,
    Gather,
    GatherElements,
    GatherNd,
    NonZero,
    OneHot,
    ReverseSequence,
    TopK,
    Trilu,
)
from ...compiler.ops.reduce import Reduce
from ...compiler.ops.shape import Concat, Range, Reverse, ShapeOf, Slice, inverse
from ...compiler.types import DType
from ...compiler.value_ranges import nonnegative
from .registry import lower

INDEX = (DType.I32, DType.I64)

FAR = 1 << 62
"""A position that no axis has."""


@lower(Gather, GatherNd, GatherElements, OneHot, benefit=2)
def index_as_i32(op: Any, e: Build) -> None:
    """Indices are i32 or i64, those of u32 and u64 the latter; what that can't hold is beyond any axis anyway."""
    indices: Value = op.indices
    dtype = indices.type.dtype
    if dtype not in INDEX:
        held = e(arith.Min, indices, e.number(FAR, dtype)) if dtype is DType.U64 else indices
        found = e(arith.Cast, held, to=DType.I64 if dtype in (DType.U32, DType.U64) else DType.I32)
        e.replace(e.clone(op, *(found if v is indices else v for v in op.operands)))


@lower(ReverseSequence)
def lengths_as_i32(op: ReverseSequence, e: Build) -> None:
    """The kernel takes lengths as i32 or i64: convert others to i32."""
    if op.lengths.type.dtype not in INDEX:
        e.replace(e.clone(op, op.x, e(arith.Cast, op.lengths, to=DType.I32)))


@lower(NonZero)
def positions_in_rows(op: NonZero, e: Build) -> None:
    """Search what is not zero in booleans, one row for each, then transpose."""
    e.require(op.x.type.rank > 0, "the position of a single number, which has no axes")
    x = op.x
    if x.type.dtype is not DType.BOOL:
        x = e(logic.NotEqual, x, e.number(0, x.type.dtype))
    rows = e(NonZero, x, op.count, rows=True)
    found = rows if op.rows else e.transpose(rows, (1, 0))
    e.replace(found if op.dtype is DType.I64 else e(arith.Cast, found, to=op.dtype))


@lower(Gather)
def count_up(op: Gather, e: Build) -> None:
    """Indices that count back from the end are taken modulo the size."""
    if op.wraps and not nonnegative(op.indices):
        e.replace(e.clone(op, op.x, wrapped(op.indices, op.x, (op.axis,), e), wraps=False))


@lower(GatherNd)
def count_coordinates_up(op: GatherNd, e: Build) -> None:
    """Coordinates are taken modulo the sizes of their axes."""
    depth = op.indices.type.shape[-1]
    assert isinstance(depth, int)
    if op.wraps and not nonnegative(op.indices):
        axes = tuple(range(op.batch_dims, op.batch_dims + depth))
        e.replace(e.clone(op, op.x, wrapped(op.indices, op.x, axes, e), wraps=False))


def wrapped(indices: Value, x: Value, axes: tuple[int, ...], e: Build) -> Value:
    """Indices modulo the sizes of axes (one for all, or one per coordinate), unless none counts back."""
    if nonnegative(indices):
        return indices
    sizes = _sizes(x, axes, indices.type.dtype, e)
    return e(arith.Mod, indices, sizes if indices.type.rank else e.reshape(sizes, ()))


def _sizes(x: Value, axes: tuple[int, ...], dtype: DType, e: Build) -> Value:
    shape = [x.type.shape[a] for a in axes]
    if is_static(tuple(shape)):
        return e.constant(np.asarray(shape, dtype.numpy))
    return e(ShapeOf, x, axes, dtype=dtype)


@lower(GatherNd)
def gather_nd_in_batches(op: GatherNd, e: Build) -> None:
    """The kernel has no batch axes: add their positions to the coordinates."""
    if op.batch_dims == 0:
        return
    e.require(is_static(op.indices.type.shape), "batches whose number is not known")
    *places, _ = static(op.indices.type.shape)
    reserve(*places, len(places), what="the coordinates of all elements")
    grids = np.indices(places, dtype=op.indices.type.dtype.numpy)[: op.batch_dims]
    batch = tuple(e.constant(np.expand_dims(g, -1)) for g in grids)
    joined = e.rw.emit(Concat((*batch, op.indices), op.indices.type.rank - 1))
    e.replace(e(GatherNd, op.x, joined))


@lower(GatherElements)
def gather_elements(op: GatherElements, e: Build) -> None:
    """One gather from the flattened data: other coordinates add a constant to each position."""
    flat = flat_positions(op.x, op.indices, op.axis, e)
    data = e.reshape(op.x, (e.product(op.x.type.shape),))
    e.replace(e(Gather, data, flat, axis=0))


def flat_positions(x: Value, indices: Value, axis: int, e: Build) -> Value:
    """Row-major positions of ``indices`` along an axis, the other coordinates counting through."""
    dtype = indices.type.dtype
    places = wrapped(indices, x, (axis,), e)
    total = e(arith.Mul, places, _stride(x, axis, dtype, e))
    for other, size in enumerate(indices.type.shape):
        if other == axis or size == 1:
            continue
        count = e(Range, e.number(0, dtype), e.number(1, dtype), size)
        along = e(arith.Mul, count, _stride(x, other, dtype, e))
        total = e(arith.Add, total, e.reshape(along, (size, *[1] * (x.type.rank - 1 - other))))
    return total


def _stride(x: Value, axis: int, dtype: DType, e: Build) -> Value:
    """How far apart neighbours along an axis lie: a scalar."""
    behind = tuple(range(axis + 1, x.type.rank))
    size = e.product([x.type.shape[a] for a in behind])
    if isinstance(size, int):
        return e.number(size, dtype)
    return e(Reduce, e(ShapeOf, x, behind, dtype=dtype), "prod", (0,), keepdims=False)


@lower(OneHot)
def one_hot(op: OneHot, e: Build) -> None:
    """Count up what counts back, put what is before the first position after the last; choose computed values."""
    if op.wraps and not nonnegative(op.indices):
        depth = e.size(op.depth, op.indices.type.dtype)
        up = e(arith.Add, op.indices, depth)
        within = e(logic.Select, e(logic.Less, up, 0), depth, up)
        counted = e(logic.Select, e(logic.Less, op.indices, 0), within, op.indices)
        e.replace(e.clone(op, counted, op.values, wraps=False))
        return
    if elements(op.values) is None:
        hit = e(OneHot, op.indices, e.constant(np.asarray([False, True])), depth=op.depth, axis=op.axis, wraps=op.wraps)
        off, on = (e.reshape(e(Slice, op.values, (i,), (1,), (1,)), ()) for i in range(2))
        e.replace(e(logic.Select, hit, on, off))


@lower(ArgMax, ArgMin)
def keep_axis(op: ArgMax | ArgMin, e: Build) -> None:
    """The kernel drops the axis: a reshape brings it back with size one."""
    if op.keepdims:
        e.replace(e.clone(op, op.x, keepdims=False))


@lower(ArgMax, ArgMin)
def last_of_equal(op: ArgMax | ArgMin, e: Build) -> None:
    """Of equal elements take the last: search the reversed data for the first one."""
    if op.last and not op.keepdims:
        found = e.clone(op, e(Reverse, op.x, (op.axis,)), last=False)
        end = e(arith.Sub, e.reshape(_sizes(op.x, (op.axis,), op.dtype, e), ()), 1)
        e.replace(e(arith.Sub, end, found))


@lower(TopK)
def smallest(op: TopK, e: Build) -> None:
    """The largest of the negated elements; integers by their complement, which always exists."""
    if op.largest:
        return
    turn = arith.Neg if op.x.type.dtype.is_float else logic.BitwiseNot
    values, places = e.each(op.clone((e(turn, op.x),), largest=True))
    e.replace(e(turn, values), places)


@lower(TopK)
def along_last_axis(op: TopK, e: Build) -> None:
    """The kernel works along the last axis: transpose before and after."""
    rank = op.x.type.rank
    if op.axis == rank - 1:
        return
    last = (*(a for a in range(rank) if a != op.axis), op.axis)
    values, places = e.each(op.clone((e.transpose(op.x, last),), axis=rank - 1))
    e.replace(*(e.transpose(v, inverse(last)) for v in (values, places)))


@lower(TopK)
def positions_as_i32(op: TopK, e: Build) -> None:
    """The kernel gives positions as i32: convert them to the type that is asked for."""
    if op.dtype is not DType.I32:
        values, places = e.each(op.clone((op.x,), dtype=DType.I32))
        e.replace(values, e(arith.Cast, places, to=op.dtype))


@lower(Trilu)
def triangle(op: Trilu, e: Build) -> None:
    """Select by a mask; a product would make NaN of infinities."""
    rows, columns = op.x.type.shape[-2:]
    row, column = (_count(n, e) for n in (rows, columns))
    offset = e(arith.Sub, e.reshape(column, (1, columns)), e.reshape(row, (rows, 1)))
    keep = e(logic.GreaterEqual if op.upper else logic.LessEqual, offset, op.k)
    e.replace(e(logic.Select, keep, op.x, e.number(0, op.x.type.dtype)))


def _count(size: Dim, e: Build) -> Value:
    zero, one = (e.number(n, DType.I32) for n in (0, 1))
    return e(Range, zero, one, size)
