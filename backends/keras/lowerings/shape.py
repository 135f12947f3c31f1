"""Data movement that functions of Keras do not know."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ....compiler.dims import Dim, Sym, is_by_data, is_static, product
from ....compiler.ir import Op, Region, Value
from ....compiler.ops.arith import Cast
from ....compiler.ops.bound import BindSizes
from ....compiler.ops.dynamic import DynamicSlice
from ....compiler.ops.index import CumProd, CumSum
from ....compiler.ops.shape import Concat, Pad, Reshape, Slice
from ....compiler.types import DType
from ....passes.lowerings.running import running_from_the_end
from .lowering import Build, lower

lower(CumSum, CumProd)(running_from_the_end)


@lower(CumSum, CumProd)
def running_before(op: CumSum | CumProd, e: Build) -> None:
    """Without the element itself: a neutral element comes first, and the last one is left out."""
    shape = op.x.type.shape
    if op.reverse or not op.exclusive:
        return
    edge = tuple(int(axis == op.axis) for axis in range(len(shape)))
    none = (0,) * len(shape)
    neutral = 1.0 if isinstance(op, CumProd) else 0.0
    padded = e(Pad, op.x, low=edge, high=none, value=neutral)
    whole = e(Slice, padded, starts=none, sizes=shape, steps=(1,) * len(shape))
    e.replace(e.clone(op, whole, exclusive=False))


@lower(Slice)
def slice_from_data(op: Slice, e: Build) -> None:
    """Known sizes from places on that an input tells: its elements are the starts."""
    if not (is_static(op.sizes) and all(step == 1 for step in op.steps) and any(map(is_by_data, op.starts))):
        return
    named = dict(_named(e.rw.region))
    if all(isinstance(start, int) or str(start) in named for start in op.starts):
        starts = [named[str(start)] if isinstance(start, Sym) else start for start in op.starts]
        e.replace(e(DynamicSlice, op.x, e(Concat, [_element(start, e) for start in starts], 0), op.sizes))


def _element(start: int | tuple[Value, int], e: Build) -> Value:
    """Build a vector of one index."""
    if isinstance(start, int):
        return e.constant(np.array([start], np.int64))
    vector, place = start
    one = e(Slice, vector, starts=(place,), sizes=(1,), steps=(1,))
    return one if one.type.dtype is DType.I64 else e(Cast, one, DType.I64)


def _named(region: Region | None) -> Iterator[tuple[str, tuple[Value, int]]]:
    """Yield the names that elements of vectors have in a region and in those around it."""
    while region is not None:
        for bind in region.ops:
            if isinstance(bind, BindSizes):
                yield from ((str(d), (bind.x, i)) for i, d in enumerate(bind.sizes) if isinstance(d, Sym))
        region = region.owner.parent if isinstance(region.owner, Op) else None


@lower(Reshape)
def reshape_beside_open_axis(op: Reshape, e: Build) -> None:
    """Several open sizes, of which one stays what it is: its axis comes first, where a layer leaves it alone."""
    before, after = op.x.type.shape, op.shape
    if sum(isinstance(d, Sym) for d in after) < 2 or _stays(before, after, 0, 0):
        return
    pairs = ((i, j) for i in range(len(before)) for j in range(len(after)))
    found = next(((i, j) for i, j in pairs if isinstance(before[i], Sym) and _stays(before, after, i, j)), None)
    if found is None:
        return
    i, j = found
    first = e.transpose(op.x, (i, *(axis for axis in range(len(before)) if axis != i)))
    whole = e(Reshape, first, shape=(after[j], *after[:j], *after[j + 1 :]))
    e.replace(e.transpose(whole, (*range(1, j + 1), 0, *range(j + 1, len(after)))))


def _stays(before: tuple[Dim, ...], after: tuple[Dim, ...], i: int, j: int) -> bool:
    """Whether an axis is the same before and after, and so are the elements on both sides of it."""
    return before[i] == after[j] and product(before[:i]) == product(after[:j])
