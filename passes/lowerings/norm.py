"""Normalisations, in the forms that XNNPACK runs fastest: squared differences, RSQRT and products, no POW."""

from __future__ import annotations

import numpy as np

from ...compiler.budget import reserve
from ...compiler.dims import Dim, is_static
from ...compiler.ir import Value
from ...compiler.lowering import Build
from ...compiler.ops import arith
from ...compiler.ops.linear import Linear
from ...compiler.ops.norm import BatchNorm, GroupNorm, LayerNorm, LocalResponseNorm, RmsNorm
from ...compiler.ops.reduce import Reduce
from ...compiler.ops.shape import inverse
from ...compiler.types import Array, DType
from .registry import lower


@lower(BatchNorm)
def batch_norm(op: BatchNorm, e: Build) -> None:
    """One product and one sum; the parameters are folded."""
    factor = e(arith.Mul, op.scale, e(arith.Rsqrt, e(arith.Add, op.variance, op.epsilon)))
    shift = e(arith.Sub, op.bias, e(arith.Mul, op.mean, factor))
    scaled = e(arith.Mul, op.x, _along(factor, op.x, op.axis, e))
    e.replace(e(arith.Add, scaled, _along(shift, op.x, op.axis, e)))


def _along(parameter: Value, x: Value, axis: int, e: Build) -> Value:
    """Align a vector with an axis."""
    (size,) = parameter.type.shape
    return e.reshape(parameter, (size, *[1] * (x.type.rank - 1 - axis)))


def _normalised(x: Value, dims: tuple[int, ...], epsilon: float, e: Build) -> Value:
    """Mean 0 and variance 1 along some axes."""
    mean = e(Reduce, x, "mean", dims)
    variance = e(Reduce, e(arith.SquaredDifference, x, mean), "mean", dims)
    return e(arith.Mul, e(arith.Sub, x, mean), e(arith.Rsqrt, e(arith.Add, variance, epsilon)))


@lower(LayerNorm)
def layer_norm(op: LayerNorm, e: Build) -> None:
    """Subtract the mean along the axes, divide by the root of the variance."""
    out = _normalised(op.x, _counted_up(op.dims, op.x.type.rank), op.epsilon, e)
    out = out if op.scale is None else e(arith.Mul, out, op.scale)
    e.replace(out if op.bias is None else e(arith.Add, out, op.bias))


@lower(RmsNorm)
def rms_norm(op: RmsNorm, e: Build) -> None:
    """Divide by the root of the mean of squares along the axes."""
    square = e(Reduce, e(arith.Square, op.x), "mean", _counted_up(op.dims, op.x.type.rank))
    out = e(arith.Mul, op.x, e(arith.Rsqrt, e(arith.Add, square, op.epsilon)))
    e.replace(out if op.scale is None else e(arith.Mul, out, op.scale))


def _counted_up(dims: tuple[int, ...], rank: int) -> tuple[int, ...]:
    return tuple(sorted(d % rank for d in dims))


@lower(GroupNorm)
def group_norm(op: GroupNorm, e: Build) -> None:
    """Means over positions, and over the channels of a group once these have an axis of their own."""
    shape, axis = op.x.type.shape, op.axis
    scale, bias = (_along(p, op.x, axis, e) for p in (op.scale, op.bias))
    if op.groups in (1, shape[axis]):
        own = axis if shape[axis] == op.groups else 0
        out = _normalised(op.x, tuple(a for a in range(1, len(shape)) if a != own), op.epsilon, e)
    else:
        grouped, group_axis = _grouped(op, e)
        dims = tuple(a for a in range(1, len(grouped)) if a != group_axis)
        out = e.reshape(_normalised(e.reshape(op.x, grouped), dims, op.epsilon, e), shape)
    e.replace(e(arith.Add, e(arith.Mul, out, scale), bias))


def _grouped(op: GroupNorm, e: Build) -> tuple[list[Dim], int]:
    """The shape with an axis for the groups, positions before and after the channels folded; and that axis."""
    shape, axis = op.x.type.shape, op.axis
    before, behind = ([e.product(part)] if part else [] for part in (shape[1:axis], shape[axis + 1 :]))
    return [shape[0], *before, op.groups, shape[axis] // op.groups, *behind], 1 + len(before)


@lower(LocalResponseNorm)
def local_response_norm(op: LocalResponseNorm, e: Build) -> None:
    """The builtin with the channels last; else sums of neighbours by a product with a band matrix."""
    rank, size = op.x.type.rank, op.x.type.shape[op.axis]
    if op.axis != rank - 1:
        last = (*(a for a in range(rank) if a != op.axis), op.axis)
        e.replace(e.transpose(e.clone(op, e.transpose(op.x, last), axis=rank - 1), inverse(last)))
        return
    e.require(is_static((size,)), "a number of channels that is not known")
    assert isinstance(size, int)
    band = e.constant((_band(size, op.size) * np.float32(op.alpha / op.size)).astype(op.x.type.dtype.numpy))
    squares = e(arith.Square, op.x)
    if op.x.type.dtype is DType.F32:  # one that overflows must not reach other channels, by a product with zero
        squares = e(arith.Min, squares, float(np.finfo(np.float32).max))
    total = e(Linear, squares, band)
    e.replace(e(arith.Mul, op.x, e(arith.Pow, e(arith.Add, total, op.bias), -op.beta)))


def _band(channels: int, size: int) -> Array:
    """``[o, i]`` is one where channel ``i`` is among the neighbours of ``o``."""
    reserve(channels, channels, what="the matrix of neighbours")
    offset = np.arange(channels)[None, :] - np.arange(channels)[:, None]
    before = (size - 1) // 2
    return ((offset >= -before) & (offset < size - before)).astype(np.float32)
