"""Handlers of operators that put elements or slices at computed positions, or combine them with what is there."""

from __future__ import annotations

import math

import numpy as np

from ....compiler.dims import Dim
from ....compiler.ir import Value
from ....compiler.ops import arith, logic
from ....compiler.ops import index as ir
from ....compiler.ops.shape import Slice
from ....compiler.types import DType
from ..emitter import Emitter
from ..promotion import Operand
from ..registry import aten
from .index import from_front

REDUCTIONS = {
    "sum": "add",
    "add": "add",
    "mean": "add",
    "prod": "mul",
    "multiply": "mul",
    "amax": "max",
    "amin": "min",
}
"""The IR's names for what is done with elements that meet."""


@aten("scatter.src", "scatter.value", "scatter_add")
def scatter(emit: Emitter, x: Value, dim: int, index: Value, src: Operand) -> Value:
    """``scatter`` and ``scatter_add``: elements, or one number, put or added at positions along an axis."""
    reduction = "add" if "scatter_add" in str(emit.node.target) else "none"
    return _scattered(emit, x, dim, index, src, reduction)


@aten("scatter.reduce", "scatter.value_reduce")
def scatter_by(emit: Emitter, x: Value, dim: int, index: Value, src: Operand, *, reduce: str) -> Value:
    """``scatter`` with ``reduce``: elements are added to, or multiplied with, those at positions along an axis."""
    return _scattered(emit, x, dim, index, src, REDUCTIONS[reduce])


@aten("scatter_reduce.two")
def scatter_reduce(
    emit: Emitter, x: Value, dim: int, index: Value, src: Value, reduce: str, *, include_self: bool = True
) -> Value:
    """Combine elements at positions along an axis, with those that are there or without them."""
    if not include_self and index.type.size != 0:
        x = _scattered(emit, x, dim, index, neutral(emit, reduce, x.type.dtype), "none")
    total = _scattered(emit, x, dim, index, src, REDUCTIONS[reduce])
    if reduce != "mean":
        return total
    start = emit.full(int(include_self), x.type)
    return _mean(emit, total, _scattered(emit, start, dim, index, 1, "add"))


def neutral(emit: Emitter, reduction: str, dtype: DType) -> int | float:
    """Return the neutral element of a reduction: 0, 1, or the end of the element type's range."""
    if reduction in ("sum", "mean"):
        return 0
    if reduction == "prod":
        return 1
    if dtype.is_float:
        return -math.inf if reduction == "amax" else math.inf
    if dtype is DType.BOOL:
        raise emit.fail(f"combines truth values by {reduction!r}")
    info = np.iinfo(dtype.numpy)
    return int(info.min if reduction == "amax" else info.max)


def _mean(emit: Emitter, total: Value, counts: Value) -> Value:
    """Divide sums by the numbers of what they are made of; integers are rounded down."""
    many = emit(arith.Max(counts, emit.const(1, counts.type.dtype)))
    return emit(arith.Div(total, many) if total.type.dtype.is_float else arith.FloorDiv(total, many))


def _scattered(emit: Emitter, x: Value, dim: int, index: Value, src: Operand, reduction: str) -> Value:
    if index.type.size == 0:
        return x
    places = emit.reshape(index, index.type.shape or (1,))
    updates = src if isinstance(src, Value) else emit.full(src, x.type.with_shape(places.type.shape))
    updates = emit.reshape(updates, updates.type.shape or (1,))
    data = emit.reshape(x, x.type.shape or (1,))
    if updates.type.shape != places.type.shape:
        updates = _corner(emit, updates, places.type.shape)
    found = emit(ir.ScatterElements(data, places, updates, emit.axis(dim, x.type.rank), reduction))
    return emit.reshape(found, x.type.shape)


def _corner(emit: Emitter, x: Value, shape: tuple[Dim, ...]) -> Value:
    """The first positions along all axes."""
    return emit(Slice(x, (0,) * len(shape), shape, (1,) * len(shape)))


@aten("index_fill.int_Scalar", "index_fill.int_Tensor")
def index_fill(emit: Emitter, x: Value, dim: int, index: Value, value: Operand) -> Value:
    """``index_fill``: one number at the positions of an axis that a vector lists."""
    row = emit.value(value, x.type.dtype)
    return _placed(emit, x, dim, index, emit.expand(row, _rows(emit, x, dim, index)), "none")


@aten("index_copy")
def index_copy(emit: Emitter, x: Value, dim: int, index: Value, source: Value) -> Value:
    """``index_copy``: slices put at the positions of an axis that a vector lists."""
    return _placed(emit, x, dim, index, source, "none")


@aten("index_add")
def index_add(emit: Emitter, x: Value, dim: int, index: Value, source: Value, *, alpha: Operand = 1) -> Value:
    """``index_add``: slices, times ``alpha``, added at the positions of an axis that a vector lists."""
    if alpha != 1:
        source = emit(arith.Mul(source, emit.value(alpha, x.type.dtype)))
    return _placed(emit, x, dim, index, source, "add")


def _rows(emit: Emitter, x: Value, dim: int, index: Value) -> list[Dim]:
    axis = emit.axis(dim, x.type.rank)
    return [index.type.size if i == axis else d for i, d in enumerate(x.type.shape or (1,))]


def _placed(emit: Emitter, x: Value, dim: int, index: Value, source: Value, reduction: str) -> Value:
    """Combine slices at positions of an axis."""
    axis = emit.axis(dim, x.type.rank)
    data = emit.reshape(x, x.type.shape or (1,))
    rows = emit.reshape(source, _rows(emit, x, dim, index))
    places = emit.reshape(index, (index.type.size,))
    return emit.reshape(emit(ir.Scatter(data, places, rows, axis, reduction)), x.type.shape)


@aten("index_reduce")
def index_reduce(
    emit: Emitter, x: Value, dim: int, index: Value, source: Value, reduce: str, *, include_self: bool = True
) -> Value:
    """Combine slices at positions of an axis, with those that are there or without them."""
    places = emit.reshape(index, (index.type.size,))
    rows = emit.full(neutral(emit, reduce, x.type.dtype), x.type.with_shape(_rows(emit, x, dim, places)))
    if not include_self:
        x = _placed(emit, x, dim, places, rows, "none")
    total = _placed(emit, x, dim, places, source, REDUCTIONS[reduce])
    if reduce != "mean":
        return total
    ones = emit.full(1, rows.type)
    return _mean(emit, total, _placed(emit, emit.full(int(include_self), x.type), dim, places, ones, "add"))


@aten("put")
def put(emit: Emitter, x: Value, index: Value, source: Value, accumulate: bool = False) -> Value:
    """Put elements at positions of the flattened data, or add them there."""
    if index.type.size == 0:
        return x
    flat = emit.reshape(x, (x.type.size,))
    rows = emit.reshape(source, (source.type.size,))
    places = emit.reshape(from_front(emit, index, x.type.size), (index.type.size, 1))
    return emit.reshape(emit(ir.ScatterNd(flat, places, rows, "add" if accumulate else "none")), x.type.shape)


@aten("masked_scatter")
def masked_scatter(emit: Emitter, x: Value, mask: Value, source: Value) -> Value:
    """``masked_scatter``: elements of ``source`` in row-major order, one for each place where the mask holds."""
    hits = emit.expand(emit.cast(mask, DType.BOOL), emit.shape)
    flat = emit.reshape(emit.cast(hits, DType.I64), (hits.type.size,))
    number = emit(arith.Sub(emit(ir.CumSum(flat, 0)), emit.const(1, DType.I64)))
    last = emit.value(source.type.size - 1, DType.I64)
    places = emit(arith.Min(emit(arith.Max(number, emit.const(0, DType.I64))), last))
    found = emit(ir.Gather(emit.reshape(source, (source.type.size,)), places, 0))
    return emit(logic.Select(hits, emit.reshape(found, hits.type.shape), x))
