"""Picking elements by computed positions, and putting them there."""

from __future__ import annotations

from ....compiler.ir import Value
from ....compiler.ops import index as ir
from ....compiler.ops.arith import Neg
from ....compiler.types import DType
from ....formats.tensorflow.tensors import ElementType
from ...common.indexing import buckets, filled, gathered, hot, on_diagonal, segments, with_diagonal
from ..emitter import Emitter
from ..handles import Handle
from ..registry import tf_op


@tf_op("GatherV2")
def gather_v2(emit: Emitter, params: Value, indices: Value, axis: Value, *, batch_dims: int = 0) -> Value:
    """Along an axis; leading axes may be common to data and positions."""
    return gathered(emit, params, indices, emit.int(axis, "axis"), batch_dims)


@tf_op("Gather")
def gather(emit: Emitter, params: Value, indices: Value, *, validate_indices: bool = True) -> Value:
    """Along the first axis."""
    return gathered(emit, params, indices, 0, 0)


@tf_op("ResourceGather")
def resource_gather(
    emit: Emitter,
    resource: Handle,
    indices: Value,
    *,
    dtype: ElementType,
    batch_dims: int = 0,
    validate_indices: bool = True,
) -> Value:
    """Along the first axis of a variable."""
    return gathered(emit, emit.around.variable(resource), indices, batch_dims, batch_dims)


@tf_op("GatherNd")
def gather_nd(emit: Emitter, params: Value, indices: Value, *, bad_indices_policy: str = "") -> Value:
    """By coordinates."""
    _check_policy(emit, bad_indices_policy)
    return emit(ir.GatherNd(params, indices, wraps=False))


def _check_policy(emit: Emitter, policy: str) -> None:
    """Refuse that positions outside are left out."""
    if policy == "IGNORE":
        raise emit.fail("leaves out positions that are outside")


@tf_op("ScatterNd")
def scatter_nd(emit: Emitter, indices: Value, updates: Value, shape: Value, *, bad_indices_policy: str = "") -> Value:
    """Sums of updates in zeros."""
    _check_policy(emit, bad_indices_policy)
    zeros = filled(emit, 0, updates.type.dtype, emit.dims(shape, "shape"))
    return emit(ir.ScatterNd(zeros, indices, updates, "add"))


SCATTERS = {
    "TensorScatterAdd": "add",
    "TensorScatterMax": "max",
    "TensorScatterMin": "min",
}
"""How updates are combined with what is there."""


def _scatter(name: str, kind: str) -> None:
    @tf_op(name)
    def handler(  # pyright: ignore[reportUnusedFunction] -- registered
        emit: Emitter, tensor: Value, indices: Value, updates: Value, *, bad_indices_policy: str = ""
    ) -> Value:
        _check_policy(emit, bad_indices_policy)
        return emit(ir.ScatterNd(tensor, indices, updates, kind))


for _name, _kind in SCATTERS.items():
    _scatter(_name, _kind)


@tf_op("TensorScatterUpdate")
def tensor_scatter_update(
    emit: Emitter, tensor: Value, indices: Value, updates: Value, *, bad_indices_policy: str = ""
) -> Value:
    """Updates in the place of what is there."""
    _check_policy(emit, bad_indices_policy)
    return emit(ir.ScatterNd(tensor, indices, updates, "none"))


@tf_op("TensorScatterSub")
def tensor_scatter_sub(
    emit: Emitter, tensor: Value, indices: Value, updates: Value, *, bad_indices_policy: str = ""
) -> Value:
    """Updates taken from what is there."""
    _check_policy(emit, bad_indices_policy)
    return emit(ir.ScatterNd(tensor, indices, emit(Neg(updates)), "add"))


@tf_op("OneHot")
def one_hot(emit: Emitter, indices: Value, depth: Value, on_value: Value, off_value: Value, *, axis: int = -1) -> Value:
    """Two values, by position."""
    return hot(emit, indices, depth, (on_value, off_value), axis)


@tf_op("Where")
def where(emit: Emitter, input: Value) -> Value:
    """Positions of what is not zero, one in each row."""
    return emit(ir.NonZero(input, emit.around.fresh(), DType.I64, True))


@tf_op("Unique", outputs=("y", "idx"))
def unique(emit: Emitter, x: Value, *, out_idx: DType = DType.I32) -> tuple[Value, Value]:
    """Different elements in the order of their first places, and which one is where."""
    found, _, places, _ = emit.all(ir.Unique(x, emit.around.fresh(), None, False))
    return found, emit.cast(places, out_idx)


@tf_op("UniqueWithCounts", outputs=("y", "idx", "count"))
def unique_with_counts(emit: Emitter, x: Value, *, out_idx: DType = DType.I32) -> tuple[Value, Value, Value]:
    """The same, and how often each one is there."""
    found, _, places, counts = emit.all(ir.Unique(x, emit.around.fresh(), None, False))
    return found, emit.cast(places, out_idx), emit.cast(counts, out_idx)


@tf_op("ReverseSequence")
def reverse_sequence(emit: Emitter, input: Value, seq_lengths: Value, *, seq_dim: int, batch_dim: int = 0) -> Value:
    """Each sequence reversed."""
    axis, batch = (emit.axis(a, input.type.rank) for a in (seq_dim, batch_dim))
    return emit(ir.ReverseSequence(input, seq_lengths, axis, batch))


@tf_op("MatrixDiag")
def matrix_diag(emit: Emitter, diagonal: Value) -> Value:
    """Vectors on the diagonals of matrices of zeros."""
    return on_diagonal(emit, diagonal)


@tf_op("MatrixSetDiag")
def matrix_set_diag(emit: Emitter, input: Value, diagonal: Value) -> Value:
    """Matrices with other diagonals."""
    return with_diagonal(emit, input, diagonal)


SEGMENTS = {"Sum": "add", "Prod": "mul", "Max": "max", "Min": "min"}
"""How rows of the same number are combined."""


def _segments(name: str, kind: str) -> None:
    @tf_op(f"UnsortedSegment{name}")
    def unsorted(emit: Emitter, data: Value, segment_ids: Value, num_segments: Value) -> Value:  # pyright: ignore[reportUnusedFunction] -- registered
        return segments(emit, data, segment_ids, emit.dim(num_segments, "num_segments"), kind)


for _name, _kind in SEGMENTS.items():
    _segments(_name, _kind)


@tf_op("SegmentSum")
def segment_sum(emit: Emitter, data: Value, segment_ids: Value) -> Value:
    """Sums of rows of the same number, which must be known: the last one says how many there are."""
    numbers = emit.ints(segment_ids, "segment_ids")
    return segments(emit, data, segment_ids, max(numbers, default=-1) + 1, "add")


@tf_op("Bucketize")
def bucketize(emit: Emitter, input: Value, *, boundaries: tuple[float, ...]) -> Value:
    """How many boundaries are not above each element."""
    return buckets(emit, input, boundaries)
