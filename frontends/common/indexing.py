"""Picking and putting elements by positions that may be computed: gathers, segments, diagonals."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ...compiler.dims import Dim, is_static
from ...compiler.ir import Value
from ...compiler.ops import index as ir
from ...compiler.ops.arith import Cast
from ...compiler.ops.logic import Equal, GreaterEqual, Less, Select
from ...compiler.ops.reduce import Reduce
from ...compiler.ops.shape import Range
from ...compiler.types import DType
from ..slicing import cut
from .filters import known
from .operands import OperandEmitter


def not_negative(value: Value) -> bool:
    """Say whether integers are known not to be negative: constants, positions of elements, unsigned ones."""
    if value.type.dtype.value[0] == "u" or isinstance(value.owner, ir.ArgMax | ir.ArgMin | ir.TopK):
        return True
    found = known(value)
    return found is not None and (found.size == 0 or int(found.min()) >= 0)


def counted_up(emit: OperandEmitter, size: Dim, dtype: DType) -> Value:
    """Insert the numbers from 0 up to, not including, ``size``."""
    if isinstance(size, int):
        return emit.const(np.arange(size), dtype)
    return emit(Range(emit.const(0, dtype), emit.const(1, dtype), size))


def gathered(emit: OperandEmitter, x: Value, indices: Value, axis: int, batch_dims: int) -> Value:
    """Pick along an axis; leading axes may be common to data and positions.

    Raises:
        CompileError: F002, there are no such common axes.
    """
    rank = x.type.rank
    along = emit.axis(axis, rank)
    batch = batch_dims + indices.type.rank if batch_dims < 0 else batch_dims
    if not 0 <= batch <= min(indices.type.rank, along):
        raise emit.fail(f"has {batch_dims} common axes of {x.type} and {indices.type}", code="F002")
    if batch == 0:
        return emit(ir.Gather(x, indices, along, wraps=False))
    if batch == along == rank - 1 == indices.type.rank - 1:
        return emit(ir.GatherElements(x, indices, along, wraps=False))
    moved = emit.transpose(x, (*range(batch), along, *range(batch, along), *range(along + 1, rank)))
    places = emit.reshape(indices, (*indices.type.shape, 1))
    found = emit(ir.GatherNd(moved, places, batch, wraps=False))
    picked = indices.type.rank - batch
    between = range(batch + picked, batch + picked + along - batch)
    rest = range(batch + picked + along - batch, found.type.rank)
    return emit.transpose(found, (*range(batch), *between, *range(batch, batch + picked), *rest))


def filled(emit: OperandEmitter, value: object, dtype: DType, shape: tuple[Dim, ...]) -> Value:
    """Repeat a number until it has a given shape."""
    return emit.expand(emit.const(np.asarray(value, dtype.numpy)), shape)


def dense(emit: OperandEmitter, indices: Value, sizes: tuple[Dim, ...], values: Value, default: Value) -> Value:
    """Put values at positions of a tensor that has a default elsewhere."""
    places = indices
    if indices.type.rank < 2:
        places = emit.reshape(indices, (*(indices.type.shape or (1,)), 1))
    put = emit.expand(values, places.type.shape[:1])
    return emit(ir.ScatterNd(emit.expand(emit.reshape(default, ()), sizes), places, put, "none"))


def hot(emit: OperandEmitter, indices: Value, depth: Value, values: tuple[Value, Value], axis: int) -> Value:
    """Return a new axis that holds the first value at each index, the second one elsewhere."""
    on, off = values
    count = emit.dim(depth, "depth")
    at = emit.axis(axis, indices.type.rank + 1)
    pair = np.asarray([emit.scalar(off, "off_value"), emit.scalar(on, "on_value")])
    return emit(ir.OneHot(indices, emit.const(pair, on.type.dtype), count, at, wraps=False))


def on_diagonal(emit: OperandEmitter, x: Value) -> Value:
    """Put vectors on the diagonals of matrices of zeros."""
    size = x.type.shape[emit.axis(-1, x.type.rank)]
    rows = emit.reshape(x, (*x.type.shape, 1))
    zero = emit.const(0, x.type.dtype)
    return emit(Select(diagonal_mask(emit, size, size), rows, zero))


def with_diagonal(emit: OperandEmitter, x: Value, diagonal: Value) -> Value:
    """Replace the diagonals of matrices.

    Raises:
        CompileError: F004, their sizes are open; F006, the operand is no matrix.
    """
    if x.type.rank < 2:
        raise emit.fail(f"has the operand {x.type}, which is not a matrix", code="F006")
    rows, columns = x.type.shape[-2:]
    if not isinstance(rows, int) or not isinstance(columns, int):
        raise emit.fail(f"has matrices {x.type} of open sizes", code="F004")
    short = min(rows, columns) - 1
    places = emit.const(np.minimum(np.arange(rows), short), DType.I32)
    spread = emit(ir.Gather(diagonal, places, diagonal.type.rank - 1))
    return emit(Select(diagonal_mask(emit, rows, columns), emit.reshape(spread, (*x.type.shape[:-1], 1)), x))


def diagonal_mask(emit: OperandEmitter, rows: Dim, columns: Dim) -> Value:
    """Return which elements of a matrix are on its diagonal."""
    if is_static((rows, columns)):
        return emit.const(np.eye(int(str(rows)), int(str(columns)), dtype=bool))
    down = emit.reshape(counted_up(emit, rows, DType.I32), (rows, 1))
    return emit(Equal(down, counted_up(emit, columns, DType.I32)))


def _neutral(kind: str, dtype: DType) -> object:
    """Return what changes nothing when it is combined with a number."""
    if kind in ("add", "mul"):
        return int(kind == "mul")
    info = np.iinfo(dtype.numpy) if dtype.is_int else np.finfo(dtype.numpy)
    return info.min if kind == "max" else info.max


def segments(emit: OperandEmitter, data: Value, ids: Value, count: Dim, kind: str) -> Value:
    """Combine rows of the same number; what has a negative number is left out.

    ``kind`` is a reduction of scattered elements.

    Raises:
        CompileError: F004, there may be negative numbers, and how many segments there are is open.
    """
    shape, rest = ids.type.shape, data.type.shape[ids.type.rank :]
    rows = count
    if not not_negative(ids):
        is_below = emit(Less(ids, emit.const(0, ids.type.dtype)))
        if not isinstance(count, int):
            raise emit.fail(f"has {count} segments", code="F004")
        ids, rows = emit(Select(is_below, emit.const(count, ids.type.dtype), ids)), count + 1
    start = filled(emit, _neutral(kind, data.type.dtype), data.type.dtype, (rows, *rest))
    found = emit(ir.ScatterNd(start, emit.reshape(ids, (*shape, 1)), data, kind))
    return found if rows is count else cut(emit, found, {0: (0, count, 1)})


def buckets(emit: OperandEmitter, x: Value, boundaries: Sequence[float]) -> Value:
    """Count the boundaries that are not above each element.

    Raises:
        CompileError: F002, one is no number.
    """
    if not all(map(math.isfinite, boundaries)):
        raise emit.fail("has boundaries that are no numbers", code="F002")
    limits = emit.const(np.asarray(boundaries, np.float32))
    wide = emit.reshape(emit.cast(x, DType.F32), (*x.type.shape, 1))
    reached = emit(Cast(emit(GreaterEqual(wide, limits)), DType.I32))
    return emit(Reduce(reached, "sum", (x.type.rank,), False))
