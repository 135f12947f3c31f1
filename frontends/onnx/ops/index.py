"""Operators that pick elements by position, and order or accumulate them."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from ....compiler.dims import Dim
from ....compiler.ir import Value
from ....compiler.ops import index as ir
from ..emitter import Emitter
from ..registry import Since, onnx_op
from .shape import reshape

REDUCTIONS = ("none", "add", "mul", "max", "min")
"""How a scatter combines elements; the IR calls them the same."""


@onnx_op("Gather", since=7)
def gather(emit: Emitter, data: Value, indices: Value, *, axis: int = 0) -> Value:
    """Slices at positions along an axis."""
    return emit(ir.Gather(data, indices, emit.axis(axis, data.type.rank)))


@onnx_op("GatherElements", since=11)
def gather_elements(emit: Emitter, data: Value, indices: Value, *, axis: int = 0) -> Value:
    """Elements at positions along an axis."""
    return emit(ir.GatherElements(data, indices, emit.axis(axis, data.type.rank)))


@onnx_op("GatherND", since=11)
def gather_nd(emit: Emitter, data: Value, indices: Value, *, batch_dims: Annotated[int, Since(12)] = 0) -> Value:
    """Slices at positions along the first axes."""
    return emit(ir.GatherNd(data, indices, batch_dims))


@onnx_op("Scatter", since=9, until=10)
@onnx_op("ScatterElements", since=11)
def scatter_elements(
    emit: Emitter,
    data: Value,
    indices: Value,
    updates: Value,
    *,
    axis: int = 0,
    reduction: Annotated[str, Since(16)] = "none",
) -> Value:
    """Replace or combine elements along an axis."""
    _check_reduction(emit, reduction)
    return emit(ir.ScatterElements(data, indices, updates, emit.axis(axis, data.type.rank), reduction))


@onnx_op("ScatterND", since=11)
def scatter_nd(
    emit: Emitter, data: Value, indices: Value, updates: Value, *, reduction: Annotated[str, Since(16)] = "none"
) -> Value:
    """Replace or combine slices along the first axes."""
    _check_reduction(emit, reduction)
    return emit(ir.ScatterNd(data, indices, updates, reduction))


def _check_reduction(emit: Emitter, reduction: str) -> None:
    if reduction not in REDUCTIONS:
        raise emit.fail(f"has the reduction {reduction!r}, none of {', '.join(REDUCTIONS)}", code="F002")


@onnx_op("ArgMax", since=7)
def arg_max(
    emit: Emitter,
    data: Value,
    *,
    axis: int = 0,
    keepdims: int = 1,
    select_last_index: Annotated[int, Since(12)] = 0,
) -> Value:
    """The position of the largest element."""
    return emit(ir.ArgMax(data, emit.axis(axis, data.type.rank), bool(keepdims), bool(select_last_index)))


@onnx_op("ArgMin", since=7)
def arg_min(
    emit: Emitter,
    data: Value,
    *,
    axis: int = 0,
    keepdims: int = 1,
    select_last_index: Annotated[int, Since(12)] = 0,
) -> Value:
    """The position of the smallest element."""
    return emit(ir.ArgMin(data, emit.axis(axis, data.type.rank), bool(keepdims), bool(select_last_index)))


@onnx_op("TopK", since=7, until=9)
def top_k_attribute(emit: Emitter, x: Value, *, k: int, axis: int = -1) -> tuple[Value, ...]:
    """The largest elements and their positions."""
    return _top_k(emit, x, k, axis, largest=True)


@onnx_op("TopK", since=10)
def top_k(
    emit: Emitter,
    x: Value,
    k: Value,
    *,
    axis: int = -1,
    largest: Annotated[int, Since(11)] = 1,
    sorted: Annotated[int, Since(11)] = 1,
) -> tuple[Value, ...]:
    """The largest or smallest elements and their positions; sorted even where any order would do."""
    return _top_k(emit, x, emit.dim(k, "K"), axis, largest=bool(largest))


def _top_k(emit: Emitter, x: Value, k: Dim, axis: int, *, largest: bool) -> tuple[Value, ...]:
    return emit.all(ir.TopK(x, k, emit.axis(axis, x.type.rank), largest))


@onnx_op("CumSum", since=11)
def cum_sum(emit: Emitter, x: Value, axis: Value, *, exclusive: int = 0, reverse: int = 0) -> Value:
    """Running sums."""
    along = emit.axis(emit.int(axis, "axis"), x.type.rank)
    return emit(ir.CumSum(x, along, bool(exclusive), bool(reverse)))


@onnx_op("OneHot", since=9)
def one_hot(emit: Emitter, indices: Value, depth: Value, values: Value, *, axis: int = -1) -> Value:
    """A new axis that is hot at the index."""
    along = emit.axis(axis, indices.type.rank + 1)
    return emit(ir.OneHot(indices, values, emit.dim(depth, "depth"), along))


@onnx_op("Trilu", since=14)
def trilu(emit: Emitter, input: Value, k: Value | None = None, *, upper: int = 1) -> Value:
    """The upper or lower triangle."""
    return emit(ir.Trilu(input, 0 if k is None else emit.int(k, "k"), bool(upper)))


@onnx_op("Compress", since=9)
def compress(emit: Emitter, input: Value, condition: Value, *, axis: int | None = None) -> Value:
    """Keep the positions where a known condition holds."""
    kept = np.flatnonzero(emit.numbers(condition, "condition"))
    x = reshape(emit, input, (input.type.size,)) if axis is None else input
    return emit(ir.Gather(x, emit.const(kept), emit.axis(axis or 0, x.type.rank)))
