"""Rows for normalization layers, whose parameters are weights of the layer and hence constants."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from ....compiler.fold import constant
from ....compiler.ir import Value
from ....compiler.ops import norm as ir
from ....compiler.types import Array, TensorType
from ..table import Call, Weight, condition, emits
from .common import computed, dtype_of, weight_of


@condition("constant parameters")
def _constant(op: Any) -> str | None:
    names = [n for n in ("scale", "bias", "mean", "variance") if n in op.spec.operands]
    values: list[Value | None] = [getattr(op, n) for n in names]
    return None if all(v is None or constant(v) is not None for v in values) else "parameters that are computed"


@condition("known sizes, and parameters, along the axes that are normalized")
def _along(op: Any) -> str | None:
    """The axes are the last ones, since the layer's parameters lie at the end."""
    rank, count = op.x.type.rank, len(op.dims)
    if op.dims != tuple(range(rank - count, rank)) or not count:
        return f"axes {list(op.dims)}, which are not the last ones"
    sizes = op.x.type.shape[rank - count :]
    if not all(isinstance(d, int) for d in sizes):
        return "axes whose sizes are open"
    values = [v for v in (op.scale, getattr(op, "bias", None)) if v is not None]
    return None if all(_fits(v.type.shape, sizes) for v in values) else "parameters along other axes"


def _fits(shape: tuple[Any, ...], sizes: tuple[Any, ...]) -> bool:
    """Whether parameters of a shape broadcast to the normalized axes alone."""
    lead, own = shape[: max(len(shape) - len(sizes), 0)], shape[max(len(shape) - len(sizes), 0) :]
    pairs = zip(own, sizes[len(sizes) - len(own) :], strict=True)
    return all(d == 1 for d in lead) and all(d in (1, size) for d, size in pairs)


def _parameter(op: Any, value: Value | None, fill: float) -> Weight:
    """Return a parameter with the whole shape; one that is missing changes nothing."""
    sizes = op.x.type.shape[op.x.type.rank - len(op.dims) :]
    if value is None:
        return Weight.splat(fill, op.x.type.dtype, sizes)
    return weight_of(value).derive(TensorType(value.type.dtype, sizes), partial(_broadcast, shape=sizes))


def _broadcast(array: Array, *, shape: tuple[int, ...]) -> Array:
    lead = array.ndim - len(shape)
    return np.broadcast_to(array.reshape(array.shape[max(lead, 0) :]), shape)


@emits(ir.LayerNorm, "layers.LayerNormalization", dtypes="f32", when=(computed, _constant, _along))
def layer_norm(op: ir.LayerNorm) -> Call:
    """``layers.LayerNormalization`` over the last axes; scale and bias are broadcast to the sizes of all of them."""
    settings: dict[str, Any] = {"axis": op.dims, "epsilon": op.epsilon}
    settings |= {"scale": op.scale is not None, "center": op.bias is not None}
    given = [(v, fill) for v, fill in ((op.scale, 1), (op.bias, 0)) if v is not None]
    return Call((op.x,), {**settings, **dtype_of(op)}, tuple(_parameter(op, v, fill) for v, fill in given))


@condition("along one axis")
def _one_axis(op: ir.RmsNorm) -> str | None:
    return None if len(op.dims) == 1 else "along several axes"


@emits(ir.RmsNorm, "layers.RMSNormalization", dtypes="f32", when=(computed, _constant, _along, _one_axis))
def rms_norm(op: ir.RmsNorm) -> Call:
    """``layers.RMSNormalization`` over the last axis alone; a scale that is missing becomes ones."""
    settings: dict[str, Any] = {"axis": op.dims[0], "epsilon": op.epsilon}
    return Call((op.x,), {**settings, **dtype_of(op)}, (_parameter(op, op.scale, 1),))


@condition("another axis than the first one")
def _inner_axis(op: ir.BatchNorm) -> str | None:
    return None if op.axis else "along the first axis"


@emits(ir.BatchNorm, "layers.BatchNormalization", dtypes="f32", when=(computed, _constant, _inner_axis))
def batch_norm(op: ir.BatchNorm) -> Call:
    """``layers.BatchNormalization``, with scale, bias, moving mean and moving variance as its weights."""
    values = tuple(map(weight_of, (op.scale, op.bias, op.mean, op.variance)))
    return Call((op.x,), {"axis": op.axis, "epsilon": op.epsilon, **dtype_of(op)}, values)
