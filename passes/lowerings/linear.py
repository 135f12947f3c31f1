"""Lowerings of matrix products, linear layers and determinants."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from ...compiler.constants import is_weight
from ...compiler.dims import Shape
from ...compiler.ir import Value
from ...compiler.lowering import Build
from ...compiler.ops import arith
from ...compiler.ops.activation import Clip
from ...compiler.ops.index import Gather
from ...compiler.ops.linear import Det, Linear, MatMul
from ...compiler.ops.reduce import Reduce
from ...compiler.ops.shape import BroadcastTo, Slice
from ...compiler.types import Array
from .registry import lower

MAX_LINEAR_RANK = 6


@lower(Linear, benefit=2)
def along_another_axis(op: Linear, e: Build) -> None:
    """Features along another axis than the last: a product from the left, with all that lies after as columns."""
    if op.is_along_last:
        return
    shape, axis = op.x.type.shape, op.axis % op.x.type.rank
    before, behind, (count, features) = e.product(shape[:axis]), e.product(shape[axis + 1 :]), op.w.type.shape
    if behind == 1:
        e.replace(e.clone(op, e.reshape(op.x, (before, features)), op.w, op.bias, axis=-1))
        return
    weight = e.reshape(op.w, (1, count, features))
    out = e(MatMul, weight, e.reshape(op.x, (before, features, behind)))
    if op.bias is not None:
        out = e(arith.Add, out, e.reshape(op.bias, (count, 1)))
    e.replace(_activated(out, op.activation, e))


def _activated(x: Value, activation: str, e: Build) -> Value:
    low, high = arith.ACTIVATIONS[activation]
    return x if activation == "none" else e(Clip, x, min=low, max=high)


@lower(Linear)
def computed_weight(op: Linear, e: Build) -> None:
    """A product of two computed matrices, which XNNPACK runs."""
    if is_weight(op.w) or not op.is_along_last:
        return
    x = op.x if op.x.type.rank > 1 else e.reshape(op.x, (1, *op.x.type.shape))
    out = e.reshape(e(MatMul, x, op.w, transpose_b=True), op.result.type.shape)
    if op.bias is not None:
        out = e(arith.Add, out, op.bias)
    e.replace(_activated(out, op.activation, e))


@lower(Linear)
def fold_batch(op: Linear, e: Build) -> None:
    """One row, or more axes than the kernel keeps: as a matrix."""
    if not is_weight(op.w) or not op.is_along_last or 2 <= op.x.type.rank <= MAX_LINEAR_RANK:
        return
    features = op.x.type.shape[-1]
    matrix = e.reshape(op.x, (e.product(op.x.type.shape[:-1]), features))
    e.replace(e.clone(op, matrix, op.w, op.bias, axis=-1))


@lower(MatMul)
def fold_batches(op: MatMul, e: Build) -> None:
    """More batch axes than the kernel has: they become one, repeated first where they broadcast."""
    if max(op.a.type.rank, op.b.type.rank) <= e.target.limits.product_rank:
        return
    batch = op.result.type.shape[:-2]
    a, b = (_one_batch(v, batch, e) for v in (op.a, op.b))
    e.replace(e.clone(op, a, b))


def _one_batch(x: Value, batch: Shape, e: Build) -> Value:
    matrix = x.type.shape[-2:]
    if e.product(x.type.shape[:-2]) == 1:
        return e.reshape(x, matrix)
    whole = x if x.type.shape[:-2] == batch else e(BroadcastTo, x, (*batch, *matrix))
    return e.reshape(whole, (e.product(batch), *matrix))


MAX_MATRIX = 12
"""Rows of the largest determinant that is expanded: the widest row of the table has C(12, 6) * 6 products."""


@lower(Det)
def expand_by_minors(op: Det, e: Build) -> None:
    """Row by row, the minors of all sets of columns from those of sets that are smaller by one; nothing is divided."""
    size = op.x.type.shape[-1]
    e.require(
        isinstance(size, int) and 0 < size <= MAX_MATRIX,
        f"determinants of {size} rows; at most {MAX_MATRIX} can be run",
    )
    assert isinstance(size, int)
    *batch, _, _ = op.x.type.shape
    count = e.product(batch)
    x = e.reshape(op.x, (count, size, size))
    minors = e.reshape(e(Slice, x, (0, 0, 0), (count, 1, size), (1, 1, 1)), (count, size))
    for row in range(1, size):
        columns, smaller, signs = _expansion(size, row + 1)
        entries = e.reshape(e(Slice, x, (0, row, 0), (count, 1, size), (1, 1, 1)), (count, size))
        picked = e(Gather, entries, e.constant(columns), axis=1)
        products = e(arith.Mul, picked, e(Gather, minors, e.constant(smaller), axis=1))
        signed = e(arith.Mul, products, e.constant(signs.astype(op.x.type.dtype.numpy)))
        minors = e(Reduce, signed, "sum", (2,), keepdims=False)
    e.replace(e.reshape(minors, batch))


def _expansion(size: int, count: int) -> tuple[Array, Array, Array]:
    """For all sets of ``count`` columns: each column, which smaller set the others are, and the sign."""
    before = {s: i for i, s in enumerate(combinations(range(size), count - 1))}
    sets = list(combinations(range(size), count))
    smaller = [[before[(*s[:i], *s[i + 1 :])] for i in range(count)] for s in sets]
    signs = [(-1) ** (count - 1 - i) for i in range(count)]
    return np.asarray(sets, np.int32), np.asarray(smaller, np.int32), np.asarray(signs)
