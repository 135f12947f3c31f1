"""Distances between rows, products of three tensors, and bags of rows."""

from __future__ import annotations

import math

import numpy as np

from ....compiler.budget import reserve
from ....compiler.dims import static
from ....compiler.ir import Value
from ....compiler.ops import arith, logic
from ....compiler.ops import index as ir
from ....compiler.ops.reduce import Reduce
from ....compiler.ops.shape import Concat, Slice
from ....compiler.types import DType
from ..emitter import Emitter
from ..registry import aten


@aten("cdist", "_cdist_forward")
def cdist(emit: Emitter, x1: Value, x2: Value, p: float = 2, compute_mode: int | None = None) -> Value:
    """``cdist``: the ``p``-norms of the differences of all rows of two batches of matrices, which broadcast."""
    rows = emit.reshape(x1, (*x1.type.shape[:-1], 1, x1.type.shape[-1]))
    columns = emit.reshape(x2, (*x2.type.shape[:-2], 1, *x2.type.shape[-2:]))
    return _norm(emit, emit(arith.Sub(rows, columns)), p)


@aten("pdist", "_pdist_forward")
def pdist(emit: Emitter, x: Value, p: float = 2) -> Value:
    """Distances between all rows of a matrix and those below them."""
    with emit.typed():
        (count,) = static(x.type.shape[:1])
    upper, lower = (emit(ir.Gather(x, emit.const(numbers, DType.I64), 0)) for numbers in np.triu_indices(count, 1))
    return _norm(emit, emit(arith.Sub(upper, lower)), p)


def _norm(emit: Emitter, x: Value, p: float) -> Value:
    """The ``p``-norm along the last axis."""
    last, dtype = (x.type.rank - 1,), x.type.dtype
    if p in (1, 2):
        return emit(Reduce(x, "l1" if p == 1 else "l2", last, keepdims=False))
    size = emit(arith.Abs(x))
    if math.isinf(p):
        return emit(Reduce(size, "max", last, keepdims=False))
    if p == 0:
        hits = emit.cast(emit(logic.NotEqual(x, emit.const(0, dtype))), dtype)
        return emit(Reduce(hits, "sum", last, keepdims=False))
    total = emit(Reduce(emit(arith.Pow(size, emit.const(p, dtype))), "sum", last, keepdims=False))
    return emit(arith.Pow(total, emit.const(1 / p, dtype)))


@aten("_trilinear")
def trilinear(
    emit: Emitter,
    i1: Value,
    i2: Value,
    i3: Value,
    expand1: tuple[int, ...],
    expand2: tuple[int, ...],
    expand3: tuple[int, ...],
    sumdim: tuple[int, ...],
    unroll_dim: int = 1,
) -> Value:
    """Multiply three tensors that get new axes, and sum along some."""
    a, b, c = (_spread(emit, x, axes) for x, axes in ((i1, expand1), (i2, expand2), (i3, expand3)))
    return emit(Reduce(emit(arith.Mul(emit(arith.Mul(a, b)), c)), "sum", tuple(sumdim), keepdims=False))


def _spread(emit: Emitter, x: Value, axes: tuple[int, ...]) -> Value:
    sizes = iter(x.type.shape)
    rank = x.type.rank + len(axes)
    return emit.reshape(x, [1 if i in axes else next(sizes) for i in range(rank)])


SUM, MEAN, MAX = range(3)
"""How the rows of a bag are joined."""


@aten("embedding_bag", "embedding_bag.padding_idx", "_embedding_bag", "_embedding_bag_forward_only")
def embedding_bag(
    emit: Emitter,
    weight: Value,
    indices: Value,
    offsets: Value,
    scale_grad_by_freq: bool = False,
    mode: int = SUM,
    sparse: bool = False,
    per_sample_weights: Value | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = -1,
) -> tuple[Value | None, ...]:
    """Sums, means or largest elements of rows of a table; each bag begins where the one before ends."""
    if emit.needed - {0}:
        raise emit.fail("gives the bags' numbers, which are for training")
    dtype = weight.type.dtype
    inside = _membership(emit, indices, offsets, include_last_offset)
    if padding_idx is not None and padding_idx >= 0:
        kept = emit(logic.NotEqual(indices, emit.const(padding_idx, indices.type.dtype)))
        inside = emit(logic.LogicalAnd(inside, kept))
    rows = emit(ir.Gather(weight, indices, 0))
    if per_sample_weights is not None:
        rows = emit(arith.Mul(rows, emit.reshape(per_sample_weights, (*per_sample_weights.type.shape, 1))))
    cells = emit.reshape(inside, (*inside.type.shape, 1))
    none = emit.const(0 if mode != MAX else -math.inf, dtype)
    spread = emit(logic.Select(cells, emit.reshape(rows, (1, *rows.type.shape)), none))
    joined = emit(Reduce(spread, "max" if mode == MAX else "sum", (1,), keepdims=False))
    if mode == SUM:
        return joined, None, None, None
    counts = emit(Reduce(emit.cast(cells, dtype), "sum", (1,), keepdims=False))
    if mode == MEAN:
        return emit(arith.Div(joined, emit(arith.Max(counts, emit.const(1, dtype))))), None, None, None
    zero = emit.const(0, dtype)
    return emit(logic.Select(emit(logic.Greater(counts, zero)), joined, zero)), None, None, None


def _membership(emit: Emitter, indices: Value, offsets: Value, include_last: bool) -> Value:
    """A row per bag: which of the indices belong to it."""
    with emit.typed():
        count, starts = static((*indices.type.shape, *offsets.type.shape))
    dtype = offsets.type.dtype
    reserve(count, what="the positions")
    places = emit.const(np.arange(count).reshape(1, count), dtype)
    begins = emit.reshape(offsets, (starts, 1))
    begun = emit(logic.LessEqual(begins, places))
    bags = starts - include_last
    behind = begun if include_last else emit(Concat((begun, emit.const(np.zeros((1, count), np.bool_))), 0))
    ended = emit(Slice(behind, (1, 0), (bags, count), (1, 1)))
    first = emit(Slice(begun, (0, 0), (bags, count), (1, 1)))
    return emit(logic.LogicalAnd(first, emit(logic.LogicalNot(ended))))
