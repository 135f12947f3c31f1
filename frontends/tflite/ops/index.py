"""Picking elements by computed positions, and putting them there."""

from __future__ import annotations

from ....compiler.ir import Value
from ....compiler.ops import index as ir
from ....compiler.ops.arith import Mul
from ....compiler.ops.logic import Equal
from ....compiler.ops.reduce import Reduce
from ....compiler.types import DType
from ...common.indexing import buckets, dense, filled, gathered, hot, on_diagonal, segments, with_diagonal
from ..emitter import Emitter
from ..registry import builtin


@builtin("GATHER", "GatherOptions", integers="moved")
def gather(emit: Emitter, x: Value, indices: Value, *, axis: int = 0, batch_dims: int = 0) -> Value:
    """Along an axis; leading axes may be common to data and positions."""
    return gathered(emit, x, indices, axis, batch_dims)


@builtin("GATHER_ND", "GatherNdOptions", integers="moved")
def gather_nd(emit: Emitter, x: Value, indices: Value) -> Value:
    """GATHER_ND: elements or slices at coordinates that are an operand."""
    return emit(ir.GatherNd(x, indices, wraps=False))


@builtin("EMBEDDING_LOOKUP")
def embedding_lookup(emit: Emitter, ids: Value, table: Value) -> Value:
    """EMBEDDING_LOOKUP: rows of a table at positions that are an operand."""
    return emit(ir.Gather(table, ids, 0, wraps=False))


@builtin("HASHTABLE_LOOKUP", integers="raw")
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


@builtin("SCATTER_ND", "ScatterNdOptions", integers="raw")
def scatter_nd(emit: Emitter, indices: Value, updates: Value, shape: Value) -> Value:
    """SCATTER_ND: updates at coordinates of a tensor of zeros, summed up."""
    zeros = filled(emit, 0, updates.type.dtype, emit.dims(shape, "shape"))
    return emit(ir.ScatterNd(zeros, indices, updates, "add"))


@builtin("SPARSE_TO_DENSE", "SparseToDenseOptions", integers="moved")
def sparse_to_dense(
    emit: Emitter, indices: Value, shape: Value, values: Value, default: Value, *, validate_indices: bool = False
) -> Value:
    """SPARSE_TO_DENSE: values at positions, and a default value elsewhere."""
    return dense(emit, indices, emit.dims(shape, "output_shape"), values, default)


@builtin("ONE_HOT", "OneHotOptions", integers="moved")
def one_hot(emit: Emitter, indices: Value, depth: Value, on: Value, off: Value, *, axis: int = 0) -> Value:
    """ONE_HOT: two values, of which one is at the position only."""
    return hot(emit, indices, depth, (on, off), axis)


@builtin("WHERE", "WhereOptions", integers="raw")
def where(emit: Emitter, x: Value) -> Value:
    """Positions of what is not zero, one in each row."""
    return emit(ir.NonZero(x, emit.fresh(), emit.result_type(0), True))


@builtin("UNIQUE", "UniqueOptions", integers="raw")
def unique(emit: Emitter, x: Value, *, idx_out_type: DType = DType.I32) -> tuple[Value, Value]:
    """Different elements in the order of their first places, and which one is where."""
    found, _, places, _ = emit.all(ir.Unique(x, emit.fresh(), None, False))
    return found, emit.cast(places, emit.result_type(1))


@builtin("REVERSE_SEQUENCE", "ReverseSequenceOptions", integers="moved")
def reverse_sequence(emit: Emitter, x: Value, lengths: Value, *, seq_dim: int = 0, batch_dim: int = 0) -> Value:
    """REVERSE_SEQUENCE: reverses the beginning of each sequence, as far as it is long."""
    axis, batch = (emit.axis(a, x.type.rank) for a in (seq_dim, batch_dim))
    return emit(ir.ReverseSequence(x, lengths, axis, batch))


@builtin("MATRIX_DIAG", "MatrixDiagOptions", integers="raw")
def matrix_diag(emit: Emitter, x: Value) -> Value:
    """Vectors on the diagonals of matrices of zeros."""
    return on_diagonal(emit, x)


@builtin("MATRIX_SET_DIAG", "MatrixSetDiagOptions", integers="moved")
def matrix_set_diag(emit: Emitter, x: Value, diagonal: Value) -> Value:
    """MATRIX_SET_DIAG: matrices whose diagonals are replaced by vectors."""
    return with_diagonal(emit, x, diagonal)


SEGMENTS = {"SUM": "add", "PROD": "mul", "MAX": "max", "MIN": "min"}


def _segments(name: str, table: str, kind: str) -> None:
    @builtin(name, table)
    def handler(emit: Emitter, data: Value, ids: Value, count: Value) -> Value:  # pyright: ignore[reportUnusedFunction] -- registered
        return segments(emit, data, ids, emit.dim(count, "num_segments"), kind)


for _name, _kind in SEGMENTS.items():
    _segments(f"UNSORTED_SEGMENT_{_name}", f"UnsortedSegment{_name.capitalize()}Options", _kind)


@builtin("SEGMENT_SUM", "SegmentSumOptions")
def segment_sum(emit: Emitter, data: Value, ids: Value) -> Value:
    """Sums of rows of the same number, which must be known: the last one says how many there are."""
    numbers = emit.ints(ids, "segment_ids")
    return segments(emit, data, ids, max(numbers, default=-1) + 1, "add")


@builtin("BUCKETIZE", "BucketizeOptions")
def bucketize(emit: Emitter, x: Value, *, boundaries: tuple[float, ...] = ()) -> Value:
    """How many boundaries are not above each element."""
    return buckets(emit, x, boundaries)
