"""Handlers of reductions, positions of extreme elements, moments and norms along axes."""

from __future__ import annotations

import math

from ....compiler.dims import Dim, maximum, product
from ....compiler.ir import Value
from ....compiler.ops import arith
from ....compiler.ops import index as ir
from ....compiler.ops.activation import Relu
from ....compiler.ops.logic import NotEqual
from ....compiler.ops.reduce import Reduce
from ....compiler.types import DType
from ..emitter import Emitter
from ..registry import aten

Dims = int | tuple[int, ...] | None
"""One axis or several; all of them if none is named."""


def reduced(emit: Emitter, x: Value, kind: str, dim: Dims, keepdim: bool = False) -> Value:
    """Insert a reduction of one kind along the given axes, or all; a tensor without axes stays as it is."""
    dims = emit.axes(dim, x.type.rank)
    return emit(Reduce(x, kind, dims, keepdim)) if x.type.rank else x


@aten("mean", "mean.dim")
def mean(
    emit: Emitter, x: Value, dim: tuple[int, ...] | None = None, keepdim: bool = False, *, dtype: DType | None = None
) -> Value:
    """``mean`` along axes, or of all elements, in the element type of the result."""
    return reduced(emit, emit.cast(x, emit.dtype), "mean", dim, keepdim)


@aten("sum", "sum.dim_IntList")
def sum_(
    emit: Emitter, x: Value, dim: tuple[int, ...] | None = None, keepdim: bool = False, *, dtype: DType | None = None
) -> Value:
    """``sum`` along axes, or of all elements, in the result's type, which is i64 for integers by default."""
    return reduced(emit, emit.cast(x, emit.dtype), "sum", dim, keepdim)


@aten("prod", "prod.dim_int")
def prod(
    emit: Emitter, x: Value, dim: int | None = None, keepdim: bool = False, *, dtype: DType | None = None
) -> Value:
    """``prod`` along an axis, or of all elements, in the result's type, which is i64 for integers by default."""
    return reduced(emit, emit.cast(x, emit.dtype), "prod", dim, keepdim)


@aten("amax")
def amax(emit: Emitter, x: Value, dim: tuple[int, ...] = (), keepdim: bool = False) -> Value:
    """``amax``: the largest elements along axes, by default all; of booleans whether one is true."""
    return _extreme(emit, x, "max", dim, keepdim)


@aten("amin")
def amin(emit: Emitter, x: Value, dim: tuple[int, ...] = (), keepdim: bool = False) -> Value:
    """``amin``: the smallest elements along axes, by default all; of booleans whether all are true."""
    return _extreme(emit, x, "min", dim, keepdim)


@aten("max")
def max_(emit: Emitter, x: Value) -> Value:
    """``max`` without an axis: the largest of all elements, a tensor without axes."""
    return _extreme(emit, x, "max", None, False)


@aten("min")
def min_(emit: Emitter, x: Value) -> Value:
    """``min`` without an axis: the smallest of all elements, a tensor without axes."""
    return _extreme(emit, x, "min", None, False)


def _extreme(emit: Emitter, x: Value, kind: str, dim: Dims, keepdim: bool) -> Value:
    of_bool = {"max": "any", "min": "all"}
    return reduced(emit, x, of_bool[kind] if x.type.dtype is DType.BOOL else kind, dim, keepdim)


@aten("max.dim")
def max_along(emit: Emitter, x: Value, dim: int, keepdim: bool = False) -> tuple[Value | None, ...]:
    """``max`` along an axis: the largest elements, and their positions, which are computed only if they are used."""
    return _extreme_along(emit, x, "max", dim, keepdim)


@aten("min.dim")
def min_along(emit: Emitter, x: Value, dim: int, keepdim: bool = False) -> tuple[Value | None, ...]:
    """``min`` along an axis: the smallest elements, and their positions, which are computed only if they are used."""
    return _extreme_along(emit, x, "min", dim, keepdim)


def _extreme_along(emit: Emitter, x: Value, kind: str, dim: int, keepdim: bool) -> tuple[Value | None, ...]:
    positions = _positions(emit, x, kind, dim, keepdim) if 1 in emit.needed else None
    return _extreme(emit, x, kind, dim, keepdim), positions


@aten("argmax")
def argmax(emit: Emitter, x: Value, dim: int | None = None, keepdim: bool = False) -> Value:
    """``argmax``: positions of the largest elements along an axis or in the flattened tensor, the first if equal."""
    return _positions(emit, x, "max", dim, keepdim)


@aten("argmin")
def argmin(emit: Emitter, x: Value, dim: int | None = None, keepdim: bool = False) -> Value:
    """``argmin``: positions of the smallest elements along an axis or in the flattened tensor, the first if equal."""
    return _positions(emit, x, "min", dim, keepdim)


def _positions(emit: Emitter, x: Value, kind: str, dim: int | None, keepdim: bool) -> Value:
    shape = x.type.shape
    if dim is None or not shape:
        x, dim = emit.reshape(x, (product(shape),)), 0
    if x.type.dtype is DType.BOOL:
        x = emit.cast(x, DType.I32)
    op = ir.ArgMax if kind == "max" else ir.ArgMin
    found = emit(op(x, emit.axis(dim, x.type.rank), keepdims=keepdim))
    return emit.reshape(found, emit.shape if x.type.shape != shape else found.type.shape)


@aten("any", "any.dim", "any.dims")
def any_(emit: Emitter, x: Value, dim: int | tuple[int, ...] | None = None, keepdim: bool = False) -> Value:
    """``any``: whether an element along the axes is not zero, for any element type."""
    return emit.cast(reduced(emit, emit.cast(x, DType.BOOL), "any", dim, keepdim), emit.dtype)


@aten("all", "all.dim", "all.dims")
def all_(emit: Emitter, x: Value, dim: int | tuple[int, ...] | None = None, keepdim: bool = False) -> Value:
    """``all``: whether no element along the axes is zero, for any element type."""
    return emit.cast(reduced(emit, emit.cast(x, DType.BOOL), "all", dim, keepdim), emit.dtype)


@aten("logsumexp")
def logsumexp(emit: Emitter, x: Value, dim: tuple[int, ...], keepdim: bool = False) -> Value:
    """``logsumexp``: ``log(sum(exp(x)))`` along axes, a reduction of its own that does not overflow."""
    return reduced(emit, emit.cast(x, emit.dtype), "log_sum_exp", dim, keepdim)


@aten("count_nonzero", "count_nonzero.dim_IntList")
def count_nonzero(emit: Emitter, x: Value, dim: int | tuple[int, ...] | None = None) -> Value:
    """``count_nonzero``: how many elements are not zero along axes, or in all, as i64."""
    hits = emit(NotEqual(x, emit.const(0, x.type.dtype))) if x.type.dtype is not DType.BOOL else x
    return reduced(emit, emit.cast(hits, DType.I64), "sum", dim)


@aten("var.correction", "var.dim", "var")
def var(
    emit: Emitter,
    x: Value,
    dim: tuple[int, ...] | bool | None = None,
    unbiased: bool = True,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Value:
    """Variance along axes; one is subtracted from the number of elements unless told otherwise."""
    return _moments(emit, x, dim, unbiased, keepdim, correction)[0]


@aten("std.correction", "std.dim", "std")
def std(
    emit: Emitter,
    x: Value,
    dim: tuple[int, ...] | bool | None = None,
    unbiased: bool = True,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Value:
    """``std``: the square root of the variance, which is divided by the number of elements minus ``correction``."""
    return emit(arith.Sqrt(var(emit, x, dim, unbiased, keepdim, correction=correction)))


@aten("var_mean.correction", "var_mean.dim", "var_mean")
def var_mean(
    emit: Emitter,
    x: Value,
    dim: tuple[int, ...] | bool | None = None,
    unbiased: bool = True,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> tuple[Value | None, ...]:
    """``var_mean``: variance and mean along axes; the variance is divided by the number minus ``correction``."""
    return _moments(emit, x, dim, unbiased, keepdim, correction)


@aten("std_mean.correction", "std_mean.dim", "std_mean")
def std_mean(
    emit: Emitter,
    x: Value,
    dim: tuple[int, ...] | bool | None = None,
    unbiased: bool = True,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> tuple[Value | None, ...]:
    """``std_mean``: the square root of the variance, and the mean, along axes."""
    variance, average = _moments(emit, x, dim, unbiased, keepdim, correction)
    return emit(arith.Sqrt(variance)), average


def _moments(
    emit: Emitter,
    x: Value,
    dim: tuple[int, ...] | bool | None,
    unbiased: bool,
    keepdim: bool,
    correction: float | None,
) -> tuple[Value, Value]:
    """Variance and mean; overloads without axes have the flag in their place."""
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    less = float(unbiased) if correction is None else correction
    dims = emit.axes(dim, x.type.rank)
    average = emit(Reduce(x, "mean", dims, keepdims=True))
    squares = emit(arith.Square(emit(arith.Sub(x, average))))
    if less == 0:
        variance = emit(Reduce(squares, "mean", dims, keepdim))
    else:
        total = emit(Reduce(squares, "sum", dims, keepdim))
        variance = emit(arith.Div(total, _degrees(emit, product(x.type.shape[a] for a in dims), less, x.type.dtype)))
    kept = average.type.shape if keepdim else [d for i, d in enumerate(average.type.shape) if i not in dims]
    return variance, emit.reshape(average, kept)


def _degrees(emit: Emitter, count: Dim, less: float, dtype: DType) -> Value:
    """The number of elements without the correction, not below zero."""
    if isinstance(count, int):
        return emit.const(max(count - less, 0.0), dtype)
    if less.is_integer():
        return emit.value(maximum(count - int(less), 0), dtype)
    return emit(Relu(emit(arith.Sub(emit.value(count, dtype), emit.const(less, dtype)))))


@aten("norm.Scalar", "linalg_vector_norm")
def vector_norm(
    emit: Emitter,
    x: Value,
    ord: float = 2,
    dim: tuple[int, ...] | None = None,
    keepdim: bool = False,
    *,
    dtype: DType | None = None,
) -> Value:
    """``linalg_vector_norm``: ``sum(abs(x) ** ord) ** (1 / ord)``; an extreme for infinity, a count for 0."""
    x = emit.cast(x, emit.dtype)
    if ord in (1, 2) and x.type.rank:
        return reduced(emit, x, "l1" if ord == 1 else "l2", dim, keepdim)
    size = emit(arith.Abs(x))
    if not x.type.rank and ord:
        return size
    if math.isinf(ord):
        return reduced(emit, size, "max" if ord > 0 else "min", dim, keepdim)
    if ord == 0:
        hits = emit.cast(emit(NotEqual(x, emit.const(0, x.type.dtype))), x.type.dtype)
        return reduced(emit, hits, "sum", dim, keepdim)
    total = reduced(emit, emit(arith.Pow(size, emit.const(ord, x.type.dtype))), "sum", dim, keepdim)
    return emit(arith.Pow(total, emit.const(1 / ord, x.type.dtype)))


@aten("norm.ScalarOpt_dim")
def norm_along(emit: Emitter, x: Value, p: float | None, dim: tuple[int, ...], keepdim: bool = False) -> Value:
    """``norm`` along axes, which is ``linalg_vector_norm`` with 2 as the default of ``p``."""
    return vector_norm(emit, x, 2 if p is None else p, dim, keepdim)
