"""Pooling by windows of different lengths, as adaptive pooling has them."""

from __future__ import annotations

import numpy as np

from ...compiler.budget import reserve
from ...compiler.dims import product, static
from ...compiler.ir import Value
from ...compiler.ops import arith
from ...compiler.ops import index as ir
from ...compiler.ops.linear import Linear
from ...compiler.ops.reduce import Reduce
from ...compiler.types import DType
from ..emitter import BaseEmitter


def largest_of_bins(emit: BaseEmitter, x: Value, sizes: tuple[int, ...]) -> tuple[Value, Value]:
    """Return the largest elements of as many windows as there are ``sizes``, and where they are in their image.

    Elements of every window are gathered side by side; shorter ones have their last element several times.

    Raises:
        CompileError: T001, the image has open sizes.
    """
    with emit.typed():
        before = static(x.type.shape[2:])
    places = np.zeros((1, 1), np.int64)
    for size, out in zip(before, sizes, strict=True):
        spans = [range(i * size // out, -(-(i + 1) * size // out)) for i in range(out)]
        longest = max((len(span) for span in spans), default=0)
        axis = np.asarray([[span[min(k, len(span) - 1)] for k in range(longest)] for span in spans], np.int64)
        axis = axis.reshape(out, longest)
        reserve(*places.shape, *axis.shape, what="the positions in all windows")
        joined = places[:, None, :, None] * size + axis[None, :, None, :]
        places = joined.reshape(len(places) * out, places.shape[1] * longest)
    flat = emit.reshape(x, (*x.type.shape[:2], product(before)))
    windows = emit(ir.Gather(flat, emit.const(places), 2))
    shape = (*x.type.shape[:2], *sizes)
    best = emit(ir.ArgMax(windows, 3, keepdims=False))
    starts = emit.const(np.arange(len(places)) * places.shape[1], DType.I64)
    where = emit(ir.Gather(emit.const(places.reshape(-1)), emit(arith.Add(best, starts)), 0))
    values = emit(Reduce(windows, "max", (3,), keepdims=False))
    return emit.reshape(values, shape), emit.reshape(where, shape)


def averages_of_bins(emit: BaseEmitter, x: Value, axis: int, size: int, out: int) -> Value:
    """Average along one axis over windows of different lengths: a product with a matrix of weights."""
    if size == out:
        return x
    reserve(out, size, what="the weights of all windows")
    weights = np.zeros((out, size))
    for i in range(out):
        start, end = i * size // out, -(-(i + 1) * size // out)
        weights[i, start:end] = 1 / (end - start)
    last = x.type.rank - 1
    perm = [*(a for a in range(x.type.rank) if a != axis), axis]
    y = emit(Linear(emit.transpose(x, perm), emit.const(weights, x.type.dtype)))
    back = [*range(axis), last, *range(axis, last)]
    return emit.transpose(y, back)
