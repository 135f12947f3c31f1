"""Counting n-grams: runs of numbers that a pool lists."""

from __future__ import annotations

from functools import reduce

import numpy as np

from ....compiler.budget import reserve
from ....compiler.diagnostics import counted
from ....compiler.ir import Value
from ....compiler.ops.arith import Add, Cast, Mul
from ....compiler.ops.index import Gather
from ....compiler.ops.logic import Equal, Greater, LogicalAnd
from ....compiler.ops.reduce import Reduce
from ....compiler.ops.shape import BroadcastTo, Concat, Slice
from ....compiler.types import Array, DType
from ..emitter import Emitter
from ..registry import onnx_op

MODES = ("TF", "IDF", "TFIDF")


@onnx_op("TfIdfVectorizer", since=9)
def tf_idf(
    emit: Emitter,
    x: Value,
    *,
    max_gram_length: int,
    max_skip_count: int,
    min_gram_length: int,
    mode: str,
    ngram_counts: tuple[int, ...],
    ngram_indexes: tuple[int, ...],
    pool_int64s: tuple[int, ...] = (),
    pool_strings: tuple[str, ...] = (),
    weights: tuple[float, ...] = (),
) -> Value:
    """How often each n-gram occurs in each row, with gaps of up to ``max_skip_count`` numbers; maybe weighted."""
    if pool_strings:
        raise emit.fail("looks for strings: the element type STRING is not supported", code="F003")
    length = x.type.shape[-1] if x.type.rank in (1, 2) else None
    if mode not in MODES or not isinstance(length, int):
        raise emit.fail(f"has the mode {mode!r} and rows of {x.type}", code="F002" if mode not in MODES else "F004")
    rows = emit.reshape(x, (x.type.size // length if length else 1, length))
    pool = _pool(emit, pool_int64s, ngram_counts)
    if sum(map(len, pool)) != len(ngram_indexes) or len(weights) not in (0, len(ngram_indexes)):
        given = f"{counted(len(ngram_indexes), 'column')} and {counted(len(weights), 'weight')}"
        text = f"has {given} for {counted(sum(map(len, pool)), 'n-gram')}"
        raise emit.fail(text, code="F002")
    if min(ngram_indexes, default=0) < 0:
        raise emit.fail(f"puts an n-gram into column {min(ngram_indexes)}", code="F002")
    counts: list[Value] = []
    reserve(max(ngram_indexes, default=0), what="the columns of the n-grams")
    columns = np.full(max(ngram_indexes, default=-1) + 1, -1)
    factors = np.ones(len(columns), np.float32)
    found = first = 0
    for grams in pool:
        names = ngram_indexes[first : first + len(grams)]
        factors[list(names)] = weights[first : first + len(grams)] or 1.0
        if min_gram_length <= grams.shape[1] <= max_gram_length and len(grams):
            counts.append(_occurrences(emit, rows, grams, max_skip_count))
            columns[list(names)] = np.arange(found, found + len(grams))
            found += len(grams)
        first += len(grams)
    never = emit(BroadcastTo(emit.const(0, DType.F32), (rows.type.shape[0], 1)))
    table = emit(Concat((*counts, never), 1))
    out = emit(Gather(table, emit.const(np.where(columns < 0, found, columns)), 1))
    if mode == "IDF":
        out = emit(Cast(emit(Greater(out, emit.const(0, DType.F32))), DType.F32))
    if mode != "TF":
        out = emit(Mul(out, emit.const(factors)))
    return emit.reshape(out, (*x.type.shape[:-1], len(columns)))


def _pool(emit: Emitter, numbers: tuple[int, ...], starts: tuple[int, ...]) -> list[Array]:
    """Return the n-grams of each length, one a row.

    Raises:
        CompileError: F002, the lengths don't divide the list.
    """
    ends = (*starts, len(numbers))[1:]
    spans = list(enumerate(zip(starts, ends, strict=True), 1))
    if any(not 0 <= start <= end or (end - start) % length for length, (start, end) in spans):
        raise emit.fail(f"divides {counted(len(numbers), 'number')} into n-grams at {list(starts)}", code="F002")
    return [np.asarray(numbers[start:end], np.int64).reshape(-1, length) for length, (start, end) in spans]


def _occurrences(emit: Emitter, rows: Value, grams: Array, skips: int) -> Value:
    """Return how often each n-gram occurs in each row; single numbers have no gaps."""
    count, length = grams.shape
    batch, size = rows.type.shape
    assert isinstance(size, int)
    total = emit(BroadcastTo(emit.const(0, DType.F32), (batch, count)))
    for step in range(1, (skips if length > 1 else 0) + 2):
        places = size - (length - 1) * step
        if places <= 0:
            break
        hits: list[Value] = []
        for i in range(length):
            part = emit(Slice(rows, (0, i * step), (batch, places), (1, 1)))
            wanted = emit.const(grams[:, i].astype(rows.type.dtype.numpy))
            hits.append(emit(Equal(emit.reshape(part, (batch, places, 1)), wanted)))
        whole = reduce(lambda a, b: emit(LogicalAnd(a, b)), hits)
        total = emit(Add(total, emit(Reduce(emit(Cast(whole, DType.F32)), "sum", (1,), keepdims=False))))
    return total
