"""Inverses of matrices by Gauss and Jordan's elimination: in step k, the k-th column becomes one of the identity."""

from __future__ import annotations

import numpy as np

from ...compiler.budget import reserve
from ...compiler.dims import static
from ...compiler.ir import Value
from ...compiler.lowering import Build
from ...compiler.ops import arith, logic
from ...compiler.ops.control import While
from ...compiler.ops.dynamic import DynamicSlice
from ...compiler.ops.index import ArgMax
from ...compiler.ops.linear import Inverse, MatMul
from ...compiler.ops.shape import BroadcastTo, Concat, Slice
from ...compiler.types import DType
from .registry import lower

MAX_UNROLLED = 4
"""Larger matrices take a loop of as many turns as they have rows."""


@lower(Inverse)
def eliminate(op: Inverse, e: Build) -> None:
    """Elimination beside an identity, with the largest element of each column as its pivot; a loop beyond 4 rows."""
    size = op.x.type.shape[-1]
    e.require(isinstance(size, int), f"inverses of matrices of {size} rows, which is not known")
    assert isinstance(size, int)
    if size == 0:
        e.replace(op.x)
        return
    count = e.product(op.x.type.shape[:-2])
    reserve(size, size, bits=32, what="the identity")
    identity = e(BroadcastTo, e.constant(np.eye(size)[None].astype(op.x.type.dtype.numpy)), (count, size, size))
    found = e(Concat, (e.reshape(op.x, (count, size, size)), identity), axis=2)
    if size <= MAX_UNROLLED:
        for k in range(size):
            found = _step(e, e.number(k, DType.I32), found)
    else:
        carried = (e.number(0, DType.I32), found)
        condition = e.region(carried, lambda f, values: (f(logic.Less, values[0], f.number(size, DType.I32)),))
        body = e.region(carried, lambda f, values: (f(arith.Add, values[0], 1), _step(f, *values)))
        _, found = e.each(While(carried, condition, body))
    right = e(Slice, found, (0, 0, size), (count, size, size), (1, 1, 1))
    e.replace(e.reshape(right, op.x.type.shape))


def _step(e: Build, k: Value, rows: Value) -> Value:
    """Exchange row k and the one with the pivot, make the pivot one, and the rest of its column zero."""
    count, size, width = rows.type.shape
    numbers = e.constant(np.arange(*static((size,)), dtype=np.int32)[None])
    across, down = _place(e, k, 2), _place(e, k, 1)
    column = e.reshape(e(DynamicSlice, rows, across, (count, size, 1)), (count, size))
    open_rows = e(logic.GreaterEqual, numbers, k)
    sizes = e(logic.Select, open_rows, e(arith.Abs, column), e.number(-1, rows.type.dtype))
    is_chosen = e(logic.Equal, numbers, e(ArgMax, sizes, axis=1, dtype=DType.I32))
    chosen = e.reshape(e(arith.Cast, is_chosen, to=rows.type.dtype), (count, 1, size))
    pivot = e(MatMul, chosen, rows)
    own = e(DynamicSlice, rows, down, (count, 1, width))
    exchanged = e(logic.Select, e.reshape(is_chosen, (count, size, 1)), own, rows)
    unit = e(arith.Div, pivot, e(DynamicSlice, pivot, across, (count, 1, 1)))
    factors = e(DynamicSlice, exchanged, across, (count, size, 1))
    reduced = e(arith.Sub, exchanged, e(arith.Mul, factors, unit))
    return e(logic.Select, e.reshape(e(logic.Equal, numbers, k), (1, size, 1)), unit, reduced)


def _place(e: Build, k: Value, axis: int) -> Value:
    """Return where a row or column begins: a number for every axis."""
    parts = [e.reshape(k, (1,)) if i == axis else e.constant(np.zeros(1, np.int32)) for i in range(3)]
    return e(Concat, tuple(parts), axis=0)
