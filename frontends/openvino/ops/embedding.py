"""Sums of rows of a table, random numbers, and tensors made from numbers alone."""

from __future__ import annotations

from typing import Literal

import numpy as np

from ....compiler.budget import reserve
from ....compiler.dims import Dim
from ....compiler.ir import Value
from ....compiler.ops import index as ir
from ....compiler.ops.arith import Add, Div, Floor, Log, Max, Mul, Sub
from ....compiler.ops.logic import Equal, LessEqual, Select
from ....compiler.ops.random import RandomChoice, RandomUniform
from ....compiler.ops.reduce import Reduce
from ....compiler.ops.shape import Range
from ....compiler.types import DType
from ..emitter import Emitter
from ..registry import openvino_op

Combine = Literal["sum", "mean"]


@openvino_op("EmbeddingBagPackedSum", since=3)
def embedding_bag_packed_sum(emit: Emitter, table: Value, indices: Value, weights: Value | None = None) -> Value:
    """EmbeddingBagPackedSum: each row of ``indices`` is a bag, whose rows of the table are added, times weights."""
    return _packed(emit, table, indices, weights, "sum")


@openvino_op("EmbeddingBagPacked", since=15)
def embedding_bag_packed(
    emit: Emitter, table: Value, indices: Value, weights: Value | None = None, *, reduction: Combine = "sum"
) -> Value:
    """EmbeddingBagPacked: each row of ``indices`` is a bag, whose rows of the table are added or averaged."""
    return _packed(emit, table, indices, weights, reduction)


def _packed(emit: Emitter, table: Value, indices: Value, weights: Value | None, kind: str) -> Value:
    rows = emit(ir.Gather(table, indices, 0))
    if weights is not None:
        rows = emit(Mul(rows, _beside(emit, weights, rows)))
    return emit(Reduce(rows, kind, (1,), False))


def _beside(emit: Emitter, weights: Value, rows: Value) -> Value:
    """Shape one number for each row so that it broadcasts to rows."""
    return emit.reshape(weights, (*weights.type.shape, *[1] * (rows.type.rank - weights.type.rank)))


@openvino_op("EmbeddingBagOffsetsSum", since=3)
def embedding_bag_offsets_sum(
    emit: Emitter,
    table: Value,
    indices: Value,
    offsets: Value,
    default: Value | None = None,
    weights: Value | None = None,
) -> Value:
    """EmbeddingBagOffsetsSum: bags of different sizes, each from its offset in ``indices`` on, whose rows are added."""
    return _bags(
        emit, (table, indices, weights), _bag_numbers(emit, indices, offsets), offsets.type.shape[0], (default, "sum")
    )


@openvino_op("EmbeddingBagOffsets", since=15)
def embedding_bag_offsets(
    emit: Emitter,
    table: Value,
    indices: Value,
    offsets: Value,
    default: Value | None = None,
    weights: Value | None = None,
    *,
    reduction: Combine = "sum",
) -> Value:
    """Sums or means of rows of bags, which begin at offsets."""
    numbers = _bag_numbers(emit, indices, offsets)
    return _bags(emit, (table, indices, weights), numbers, offsets.type.shape[0], (default, reduction))


@openvino_op("EmbeddingSegmentsSum", since=3)
def embedding_segments_sum(
    emit: Emitter,
    table: Value,
    indices: Value,
    segments: Value,
    count: Value,
    default: Value | None = None,
    weights: Value | None = None,
) -> Value:
    """EmbeddingSegmentsSum: rows of the table whose segment number is the same are added, for ``count`` segments."""
    return _bags(emit, (table, indices, weights), segments, emit.dim(count, "num_segments"), (default, "sum"))


def _bag_numbers(emit: Emitter, indices: Value, offsets: Value) -> Value:
    """Return for each index how many bags begin at it or before it, without the first one."""
    zero, one = (emit.const(n, offsets.type.dtype) for n in (0, 1))
    places = emit(Range(zero, one, indices.type.shape[0]))
    begun = emit(LessEqual(offsets, emit.reshape(places, (*places.type.shape, 1))))
    return emit(Sub(emit(Reduce(emit.cast(begun, DType.I64), "sum", (1,), False)), emit.const(1, DType.I64)))


def _bags(
    emit: Emitter,
    given: tuple[Value, Value, Value | None],
    numbers: Value,
    count: Dim,
    how: tuple[Value | None, str],
) -> Value:
    """Add rows up by the numbers of their bags; one that is empty is the default row, or zeros."""
    (table, indices, weights), (default, kind) = given, how
    rows = emit(ir.Gather(table, indices, 0))
    if weights is not None:
        rows = emit(Mul(rows, _beside(emit, weights, rows)))
    places = emit.reshape(numbers, (*numbers.type.shape, 1))
    shape = (count, *table.type.shape[1:])
    total = emit(ir.ScatterNd(emit.expand(emit.number(0, rows), shape), places, rows, "add"))
    known = None if default is None else emit.known(default)
    has_default = default is not None and not (known is not None and int(known.reshape(-1)[0]) == -1)
    if kind == "sum" and not has_default:
        return total
    ones = emit.expand(emit.number(1, rows), numbers.type.shape)
    sizes = emit(ir.ScatterNd(emit.expand(emit.number(0, rows), (count,)), places, ones, "add"))
    column = emit.reshape(sizes, (count, *[1] * (len(shape) - 1)))
    if kind == "mean":
        total = emit(Div(total, emit(Max(column, emit.number(1, rows)))))
    if default is None or not has_default:
        return total
    row = emit(ir.Gather(table, emit.reshape(default, (1,)), 0))
    return emit(Select(emit(Equal(column, emit.number(0, rows))), row, total))


@openvino_op("SegmentMax", since=16)
def segment_max(
    emit: Emitter,
    x: Value,
    segments: Value,
    count: Value | None = None,
    *,
    fill_mode: Literal["zero", "lowest"] = "zero",
) -> Value:
    """SegmentMax: the largest elements among rows with the same segment id, which are sorted.

    Segments without rows are zeros, or the lowest number of the type.  Without ``num_segments`` the ids have to be
    constant.
    """
    known = emit.known(segments)
    if count is None and (known is None or known.dtype == object):
        raise emit.fail("has a number of segments that data decides", code="F004")
    number = (
        emit.dim(count, "num_segments")
        if count is not None
        else int(known.max(initial=-1)) + 1
        if known is not None
        else 0
    )
    limits = np.finfo(x.type.dtype.numpy) if x.type.dtype.is_float else np.iinfo(x.type.dtype.numpy)
    lowest = emit.const(np.asarray(limits.min, x.type.dtype.numpy))
    places = emit.reshape(segments, (*segments.type.shape, 1))
    start = emit.expand(lowest, (number, *x.type.shape[1:]))
    found = emit(ir.ScatterNd(start, places, x, "max"))
    if fill_mode == "lowest":
        return found
    counts = emit.expand(emit.number(0, x), (number,))
    sizes = emit(ir.ScatterNd(counts, places, emit.expand(emit.number(1, x), segments.type.shape), "add"))
    column = emit.reshape(sizes, (number, *[1] * (x.type.rank - 1)))
    return emit(Select(emit(Equal(column, emit.number(0, x))), emit.number(0, x), found))


@openvino_op("Eye", since=9)
def eye(
    emit: Emitter, rows: Value, columns: Value, diagonal: Value, batch: Value | None = None, *, output_type: DType
) -> Value:
    """Eye: ones on one diagonal, the same for each batch; the matrix's sizes and the diagonal have to be constants."""
    n, m = emit.int(rows, "num_rows"), emit.int(columns, "num_columns")
    reserve(max(n, 0), max(m, 0), what="the matrix")
    made = emit.const(np.eye(max(n, 0), max(m, 0), emit.int(diagonal, "diagonal_index")), output_type)
    sizes = () if batch is None else emit.dims(batch, "batch_shape")
    return emit.convert(emit.expand(made, (*sizes, n, m)), output_type)


@openvino_op("RandomUniform", since=8)
def random_uniform(
    emit: Emitter,
    shape: Value,
    low: Value,
    high: Value,
    *,
    output_type: DType,
    global_seed: int = 0,
    op_seed: int = 0,
    alignment: str = "tensorflow",
) -> Value:
    """RandomUniform: numbers from ``low`` up to ``high``, drawn anew in each run; integers are rounded down."""
    seed = global_seed * 1_000_003 + op_seed if global_seed or op_seed else None
    drawn = emit(RandomUniform(emit.dims(shape, "shape"), seed))
    start, end = (emit.reshape(emit.cast(v, DType.F32), ()) for v in (low, high))
    spread = emit(Add(emit(Mul(drawn, emit(Sub(end, start)))), start))
    return emit.convert(spread if output_type.is_float else emit(Floor(spread)), output_type)


@openvino_op("Multinomial", since=13)
def multinomial(
    emit: Emitter,
    probabilities: Value,
    count: Value,
    *,
    convert_type: DType,
    with_replacement: bool,
    log_probs: bool,
    global_seed: int = 0,
    op_seed: int = 0,
) -> Value:
    """Multinomial: classes drawn by probabilities or their logarithms; without replacement, one sample at most."""
    number = emit.int(count, "num_samples")
    if not with_replacement and number > 1:
        raise emit.fail("draws without putting back")
    logits = probabilities if log_probs else emit(Log(probabilities))
    seed = global_seed * 1_000_003 + op_seed if global_seed or op_seed else None
    return emit.cast(emit(RandomChoice(logits, number, DType.I64, seed)), convert_type)
