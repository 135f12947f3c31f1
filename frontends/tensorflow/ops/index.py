"""Picking elements by computed positions, and putting them there."""

from __future__ import annotations

from ....compiler.ir import Value
from ....compiler.ops import index as ir
from ....compiler.ops.arith import Mul, Neg
from ....compiler.ops.logic import Less, LessEqual
from ....compiler.ops.reduce import Reduce
from ....compiler.ops.shape import Concat
from ....compiler.types import DType
from ....formats.tensorflow.tensors import ElementType
from ...common.indexing import buckets, filled, gathered, hot, segments
from ..emitter import Emitter
from ..handles import Handle
from ..registry import tf_op


@tf_op("GatherV2")
def gather_v2(emit: Emitter, params: Value, indices: Value, axis: Value, *, batch_dims: int = 0) -> Value:
    """Along an axis; leading axes may be common to data and positions."""
    return gathered(emit, params, indices, emit.int(axis, "axis"), batch_dims)


@tf_op("Gather")
def gather(emit: Emitter, params: Value, indices: Value, *, validate_indices: bool = True) -> Value:
    """Gather: slices along the first axis; no position counts from the end."""
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
    """ResourceGather: slices of a variable along its first axis, or along the one after common batch axes."""
    return gathered(emit, emit.around.variable(resource), indices, batch_dims, batch_dims)


@tf_op("GatherNd")
def gather_nd(emit: Emitter, params: Value, indices: Value, *, bad_indices_policy: str = "") -> Value:
    """GatherNd: elements or slices at coordinates, of which none counts from the end."""
    _check_policy(emit, bad_indices_policy)
    return emit(ir.GatherNd(params, indices, wraps=False))


def _check_policy(emit: Emitter, policy: str) -> None:
    """Refuse that positions outside are left out."""
    if policy == "IGNORE":
        raise emit.fail("leaves out positions that are outside")


@tf_op("ScatterNd")
def scatter_nd(emit: Emitter, indices: Value, updates: Value, shape: Value, *, bad_indices_policy: str = "") -> Value:
    """ScatterNd: zeros of a given shape, to which updates are added at coordinates; duplicates add up."""
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
    """TensorScatterUpdate: slices at coordinates replaced by updates; which one of duplicates stays is open."""
    _check_policy(emit, bad_indices_policy)
    return emit(ir.ScatterNd(tensor, indices, updates, "none"))


@tf_op("TensorScatterSub")
def tensor_scatter_sub(
    emit: Emitter, tensor: Value, indices: Value, updates: Value, *, bad_indices_policy: str = ""
) -> Value:
    """TensorScatterSub: updates subtracted at coordinates, in the IR the addition of negated ones."""
    _check_policy(emit, bad_indices_policy)
    return emit(ir.ScatterNd(tensor, indices, emit(Neg(updates)), "add"))


@tf_op("OneHot")
def one_hot(emit: Emitter, indices: Value, depth: Value, on_value: Value, off_value: Value, *, axis: int = -1) -> Value:
    """OneHot: a new axis with ``on_value`` at each index and ``off_value`` elsewhere; both have to be constants."""
    return hot(emit, indices, depth, (on_value, off_value), axis)


@tf_op("Where")
def where(emit: Emitter, input: Value) -> Value:
    """Where with one operand: a row of coordinates for each element that is not zero; data decides how many."""
    return emit(ir.NonZero(input, emit.fresh(), DType.I64, True))


@tf_op("Unique", outputs=("y", "idx"))
def unique(emit: Emitter, x: Value, *, out_idx: DType = DType.I32) -> tuple[Value, Value]:
    """Different elements in the order of their first places, and which one is where."""
    found, _, places, _ = emit.all(ir.Unique(x, emit.fresh(), None, False))
    return found, emit.cast(places, out_idx)


@tf_op("UniqueV2", outputs=("y", "idx"))
def unique_v2(emit: Emitter, x: Value, axis: Value, *, out_idx: DType = DType.I32) -> tuple[Value, Value]:
    """Different elements of a vector; slices along an axis of more are refused."""
    along = emit.ints(axis, "axis")
    if x.type.rank != 1 or len(along) > 1:
        raise emit.fail(f"looks for different slices of {x.type}")
    return unique(emit, x, out_idx=out_idx)


@tf_op("UniqueWithCounts", outputs=("y", "idx", "count"))
def unique_with_counts(emit: Emitter, x: Value, *, out_idx: DType = DType.I32) -> tuple[Value, Value, Value]:
    """Different elements in the order of their first places, which one is where, and how often each is there."""
    found, _, places, counts = emit.all(ir.Unique(x, emit.fresh(), None, False))
    return found, emit.cast(places, out_idx), emit.cast(counts, out_idx)


@tf_op("ReverseSequence")
def reverse_sequence(emit: Emitter, input: Value, seq_lengths: Value, *, seq_dim: int, batch_dim: int = 0) -> Value:
    """ReverseSequence: in each batch entry as many leading elements reversed as its length says."""
    axis, batch = (emit.axis(a, input.type.rank) for a in (seq_dim, batch_dim))
    return emit(ir.ReverseSequence(input, seq_lengths, axis, batch))


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
    """Bucketize: for each element the number of boundaries that are not above it, as i32."""
    return buckets(emit, input, boundaries)


@tf_op("ResourceGatherNd")
def resource_gather_nd(emit: Emitter, resource: Handle, indices: Value, *, dtype: ElementType) -> Value:
    """ResourceGatherNd: elements or slices of a variable at coordinates, of which none counts from the end."""
    return emit(ir.GatherNd(emit.around.variable(resource), indices, wraps=False))


@tf_op("DynamicStitch", "ParallelDynamicStitch")
def dynamic_stitch(emit: Emitter, indices: tuple[Value, ...], data: tuple[Value, ...]) -> Value:
    """Rows put together in the order of their numbers, which must be known; of equal numbers the last one counts."""
    places: dict[int, int] = {}
    rows: list[Value] = []
    first = 0
    for numbers, part in zip(indices, data, strict=True):
        found = emit.ints(numbers, "indices")
        rest = part.type.shape[numbers.type.rank :]
        rows.append(emit.reshape(part, (len(found), *rest)))
        places |= {number: first + i for i, number in enumerate(found)}
        first += len(found)
    order = [places.get(i, -1) for i in range(max(places, default=-1) + 1)]
    if not order or -1 in order or min(places) < 0:
        raise emit.fail("leaves rows empty", code="F002")
    joined = emit(Concat(tuple(rows), 0)) if len(rows) > 1 else rows[0]
    return emit(ir.Gather(joined, emit.const(order, DType.I32), 0, wraps=False))


@tf_op("DenseBincount")
def dense_bincount(emit: Emitter, input: Value, size: Value, weights: Value, *, binary_output: bool = False) -> Value:
    """How often each number is there, or how much it weighs, in each row; or whether it is there at all."""
    dtype, rank = weights.type.dtype, input.type.rank
    if rank not in (1, 2):
        raise emit.fail(f"counts in {input.type}", code="F006")
    pair = emit.const((0, 1), dtype)
    hits = emit(ir.OneHot(input, pair, emit.dim(size, "size"), rank, wraps=False))
    if binary_output:
        return emit(Reduce(hits, "max", (rank - 1,), keepdims=False))
    if weights.type.size != 0:
        hits = emit(Mul(hits, emit.reshape(weights, (*weights.type.shape, 1))))
    return emit(Reduce(hits, "sum", (rank - 1,), keepdims=False))


def _bound(name: str, op: type[Less | LessEqual]) -> None:
    @tf_op(name)
    def handler(emit: Emitter, sorted_inputs: Value, values: Value, *, out_type: DType = DType.I32) -> Value:  # pyright: ignore[reportUnusedFunction] -- registered
        batch, count = sorted_inputs.type.shape
        limits = emit.reshape(sorted_inputs, (batch, 1, count))
        reached = emit(op(limits, emit.reshape(values, (*values.type.shape, 1))))
        return emit(Reduce(emit.cast(reached, out_type), "sum", (2,), keepdims=False))


_bound("LowerBound", Less)
_bound("UpperBound", LessEqual)
