"""Picking elements by computed positions, for targets with plainer kernels."""

from __future__ import annotations

import math

import numpy as np

from ...compiler.constants import elements
from ...compiler.dims import is_static, static
from ...compiler.lowering import Build
from ...compiler.ops import arith, logic
from ...compiler.ops.index import Gather, GatherNd, OneHot
from ...compiler.ops.reduce import Reduce
from ...compiler.types import DType
from ...compiler.value_ranges import nonnegative
from .index import wrapped

INDEX = (DType.I32, DType.I64)


def rows_by_position(op: GatherNd, e: Build) -> None:
    """Coordinates become one position in the flattened axes, by which rows are taken."""
    indices, depth = op.indices, op.indices.type.shape[-1]
    if op.batch_dims or not isinstance(depth, int) or not depth:
        return
    counted = op.x.type.shape[:depth]
    e.require(is_static(counted), "coordinates along axes whose sizes are open")
    if op.wraps and not nonnegative(indices):
        indices = wrapped(indices, op.x, tuple(range(depth)), e)
    if indices.type.dtype not in INDEX:
        indices = e(arith.Cast, indices, to=DType.I64)
    sizes = static(counted)
    steps = [math.prod(sizes[axis + 1 :]) for axis in range(depth)]
    scaled = e(arith.Mul, indices, e.constant(np.asarray(steps, indices.type.dtype.numpy)))
    last = indices.type.rank - 1
    places = e(Reduce, scaled, "sum", (last,), keepdims=False)
    rows = e.reshape(op.x, (math.prod(sizes), *op.x.type.shape[depth:]))
    e.replace(e(Gather, rows, places, axis=0, wraps=False))


def compared_with_positions(op: OneHot, e: Build) -> None:
    """One of two values wherever a position is the index."""
    values = elements(op.values)
    e.require(values is not None and isinstance(op.depth, int), "values or a depth that are computed")
    assert values is not None and isinstance(op.depth, int)
    shape = op.indices.type.shape
    axis = op.axis if op.axis >= 0 else op.axis + len(shape) + 1
    indices, dtype = op.indices, op.indices.type.dtype
    if op.wraps and not nonnegative(indices):
        from_end = e(arith.Add, indices, e.number(op.depth, dtype))
        indices = e(logic.Select, e(logic.Less, indices, e.number(0, dtype)), from_end, indices)
    spread = e.reshape(indices, (*shape[:axis], 1, *shape[axis:]))
    places = np.arange(op.depth, dtype=dtype.numpy).reshape(-1, *(1,) * (len(shape) - axis))
    off, on = (e.constant(np.asarray(v)) for v in values)
    e.replace(e(logic.Select, e(logic.Equal, spread, e.constant(places)), on, off))
