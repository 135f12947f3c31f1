"""Picking elements by computed positions, and putting them there."""

from __future__ import annotations

import math

import numpy as np

from ....compiler.dims import Dim, is_static
from ....compiler.ir import Value
from ....compiler.ops import index as ir
from ....compiler.ops.arith import Cast, Mul
from ....compiler.ops.logic import Equal, GreaterEqual, Less, Select
from ....compiler.ops.reduce import Reduce
from ....compiler.ops.shape import Range
from ....compiler.types import DType
from ...slicing import cut
from ..emitter import Emitter
from ..registry import builtin
from .common import known


def not_negative(value: Value) -> bool:
    """Say whether integers are known not to be negative: constants, positions of elements, unsigned ones."""
    if value.type.dtype.value[0] == "u" or isinstance(value.owner, ir.ArgMax | ir.ArgMin | ir.TopK):
        return True
    found = known(value)
    return found is not None and (found.size == 0 or int(found.min()) >= 0)


def counted_up(emit: Emitter, size: Dim, dtype: DType) -> Value:
    """Insert the numbers from 0 up to, not including, ``size``."""
    if isinstance(size, int):
        return emit.const(np.arange(size), dtype)
    return emit(Range(emit.const(0, dtype), emit.const(1, dtype), size))


@builtin("GATHER", "GatherOptions", integers="moved")
def gather(emit: Emitter, x: Value, indices: Value, *, axis: int = 0, batch_dims: int = 0) -> Value:
    """Along an axis; leading axes may be common to data and positions."""
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


@builtin("GATHER_ND", "GatherNdOptions", integers="moved")
def gather_nd(emit: Emitter, x: Value, indices: Value) -> Value:
    """By coordinates."""
    return emit(ir.GatherNd(x, indices, wraps=False))


@builtin("EMBEDDING_LOOKUP")
def embedding_lookup(emit: Emitter, ids: Value, table: Value) -> Value:
    """Rows of a table."""
    return emit(ir.Gather(table, ids, 0, wraps=False))


@builtin("HASHTABLE_LOOKUP")
def hashtable_lookup(emit: Emitter, lookup: Value, keys: Value, values: Value) -> tuple[Value, Value]:
    """Rows of the keys that are equal, zeros where there is none; and which were found."""
    if lookup.type.rank != 1 or keys.type.rank != 1:
        raise emit.fail(f"looks {lookup.type} up in {keys.type}", code="F006")
    equal = emit(Equal(emit.reshape(lookup, (*lookup.type.shape, 1)), keys))
    hit = emit(Reduce(equal, "any", (1,), False))
    place = emit(ir.ArgMax(emit.cast(equal, DType.I32), 1, False, False, DType.I32))
    rows = emit(ir.Gather(values, place, 0))
    mask = emit.reshape(emit.cast(hit, values.type.dtype), (*lookup.type.shape, *[1] * (values.type.rank - 1)))
    return emit(Mul(rows, mask)), emit.cast(hit, DType.U8)


@builtin("SCATTER_ND", "ScatterNdOptions", integers="moved")
def scatter_nd(emit: Emitter, indices: Value, updates: Value, shape: Value) -> Value:
    """Sums of updates in zeros."""
    zeros = _filled(emit, 0, updates.type.dtype, emit.dims(shape, "shape"))
    return emit(ir.ScatterNd(zeros, indices, updates, "add"))


def _filled(emit: Emitter, value: object, dtype: DType, shape: tuple[Dim, ...]) -> Value:
    return emit.expand(emit.const(np.asarray(value, dtype.numpy)), shape)


@builtin("SPARSE_TO_DENSE", "SparseToDenseOptions", integers="moved")
def sparse_to_dense(
    emit: Emitter, indices: Value, shape: Value, values: Value, default: Value, *, validate_indices: bool = False
) -> Value:
    """Values at positions, a default elsewhere."""
    sizes = emit.dims(shape, "output_shape")
    places = indices
    if indices.type.rank < 2:
        places = emit.reshape(indices, (*(indices.type.shape or (1,)), 1))
    put = emit.expand(values, places.type.shape[:1])
    return emit(ir.ScatterNd(emit.expand(emit.reshape(default, ()), sizes), places, put, "none"))


@builtin("ONE_HOT", "OneHotOptions", integers="moved")
def one_hot(emit: Emitter, indices: Value, depth: Value, on: Value, off: Value, *, axis: int = 0) -> Value:
    """Two values, by position."""
    count = emit.dim(depth, "depth")
    at = emit.axis(axis, indices.type.rank + 1)
    pair = np.asarray([emit.scalar(off, "off_value"), emit.scalar(on, "on_value")])
    return emit(ir.OneHot(indices, emit.const(pair, on.type.dtype), count, at, wraps=False))


@builtin("WHERE", "WhereOptions", integers="raw")
def where(emit: Emitter, x: Value) -> Value:
    """Positions of what is not zero, one in each row."""
    return emit(ir.NonZero(x, emit.around.fresh(), emit.result_type(0), True))


@builtin("UNIQUE", "UniqueOptions", integers="raw")
def unique(emit: Emitter, x: Value, *, idx_out_type: DType = DType.I32) -> tuple[Value, Value]:
    """Different elements in the order of their first places, and which one is where."""
    found, _, places, _ = emit.all(ir.Unique(x, emit.around.fresh(), None, False))
    return found, emit.cast(places, emit.result_type(1))


@builtin("REVERSE_SEQUENCE", "ReverseSequenceOptions", integers="moved")
def reverse_sequence(emit: Emitter, x: Value, lengths: Value, *, seq_dim: int = 0, batch_dim: int = 0) -> Value:
    """Each sequence reversed."""
    axis, batch = (emit.axis(a, x.type.rank) for a in (seq_dim, batch_dim))
    return emit(ir.ReverseSequence(x, lengths, axis, batch))


@builtin("MATRIX_DIAG", "MatrixDiagOptions", integers="raw")
def matrix_diag(emit: Emitter, x: Value) -> Value:
    """Vectors on the diagonals of matrices of zeros."""
    size = x.type.shape[emit.axis(-1, x.type.rank)]
    rows = emit.reshape(x, (*x.type.shape, 1))
    zero = emit.const(0, x.type.dtype)
    return emit(Select(_diagonal(emit, size, size), rows, zero))


@builtin("MATRIX_SET_DIAG", "MatrixSetDiagOptions", integers="moved")
def matrix_set_diag(emit: Emitter, x: Value, diagonal: Value) -> Value:
    """Matrices with other diagonals."""
    if x.type.rank < 2:
        raise emit.fail(f"has the operand {x.type}, which is no matrix", code="F006")
    rows, columns = x.type.shape[-2:]
    if not isinstance(rows, int) or not isinstance(columns, int):
        raise emit.fail(f"has matrices {x.type} of open sizes", code="F004")
    short = min(rows, columns) - 1
    places = emit.const(np.minimum(np.arange(rows), short), DType.I32)
    spread = emit(ir.Gather(diagonal, places, diagonal.type.rank - 1))
    return emit(Select(_diagonal(emit, rows, columns), emit.reshape(spread, (*x.type.shape[:-1], 1)), x))


def _diagonal(emit: Emitter, rows: Dim, columns: Dim) -> Value:
    if is_static((rows, columns)):
        return emit.const(np.eye(int(str(rows)), int(str(columns)), dtype=bool))
    down = emit.reshape(counted_up(emit, rows, DType.I32), (rows, 1))
    return emit(Equal(down, counted_up(emit, columns, DType.I32)))


SEGMENTS = {"SUM": "add", "PROD": "mul", "MAX": "max", "MIN": "min"}


def _neutral(kind: str, dtype: DType) -> object:
    """Return what changes nothing when it is combined with a number."""
    if kind in ("add", "mul"):
        return int(kind == "mul")
    info = np.iinfo(dtype.numpy) if dtype.is_int else np.finfo(dtype.numpy)
    return info.min if kind == "max" else info.max


def _combined(emit: Emitter, data: Value, ids: Value, count: Dim, kind: str) -> Value:
    """Combine rows of the same number; what has a negative number is left out."""
    shape, rest = ids.type.shape, data.type.shape[ids.type.rank :]
    rows = count
    if not not_negative(ids):
        is_below = emit(Less(ids, emit.const(0, ids.type.dtype)))
        if not isinstance(count, int):
            raise emit.fail(f"has {count} segments", code="F004")
        ids, rows = emit(Select(is_below, emit.const(count, ids.type.dtype), ids)), count + 1
    start = _filled(emit, _neutral(kind, data.type.dtype), data.type.dtype, (rows, *rest))
    found = emit(ir.ScatterNd(start, emit.reshape(ids, (*shape, 1)), data, kind))
    return found if rows is count else cut(emit, found, {0: (0, count, 1)})


def _segments(name: str, table: str, kind: str) -> None:
    @builtin(name, table)
    def handler(emit: Emitter, data: Value, ids: Value, count: Value) -> Value:  # pyright: ignore[reportUnusedFunction] -- registered
        return _combined(emit, data, ids, emit.dim(count, "num_segments"), kind)


for _name, _kind in SEGMENTS.items():
    _segments(f"UNSORTED_SEGMENT_{_name}", f"UnsortedSegment{_name.capitalize()}Options", _kind)


@builtin("SEGMENT_SUM", "SegmentSumOptions")
def segment_sum(emit: Emitter, data: Value, ids: Value) -> Value:
    """Sums of rows of the same number, which must be known: the last one says how many there are."""
    numbers = emit.ints(ids, "segment_ids")
    return _combined(emit, data, ids, max(numbers, default=-1) + 1, "add")


@builtin("BUCKETIZE", "BucketizeOptions")
def bucketize(emit: Emitter, x: Value, *, boundaries: tuple[float, ...] = ()) -> Value:
    """How many boundaries are not above each element."""
    if not all(map(math.isfinite, boundaries)):
        raise emit.fail("has boundaries that are no numbers", code="F002")
    limits = emit.const(np.asarray(boundaries, np.float32))
    wide = emit.reshape(emit.cast(x, DType.F32), (*x.type.shape, 1))
    reached = emit(Cast(emit(GreaterEqual(wide, limits)), DType.I32))
    return emit(Reduce(reached, "sum", (x.type.rank,), False))
