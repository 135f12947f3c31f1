"""Rows of the table for normalizations, by MIL's own layers."""

from __future__ import annotations

from functools import partial
from typing import Any

from ....compiler.dims import Dim, product, static
from ....compiler.fold import constant
from ....compiler.ir import Value
from ....compiler.ops import norm as ir
from ....compiler.types import Array
from ....compiler.weights import Weight
from ..table import Call, Operand, condition, emits, given, number
from .common import constant_parameters


@condition("channels on axis 1")
def _on_axis_one(op: Any) -> str | None:
    return None if op.axis == 1 else f"channels on axis {op.axis}"


@emits(ir.BatchNorm, "batch_norm", ranks=range(3, 6), when=(_on_axis_one, constant_parameters))
def batch_norm(op: ir.BatchNorm) -> Call:
    """Normalization by constant means and variances per channel, then scale and shift."""
    parameters: dict[str, Operand] = {"mean": op.mean, "variance": op.variance, "gamma": op.scale, "beta": op.bias}
    return Call({"x": op.x, **parameters, "epsilon": number(op.epsilon, op.x)})


def _last_axes(op: ir.LayerNorm) -> tuple[int, ...]:
    return tuple(range(op.x.type.rank - len(op.dims), op.x.type.rank))


@condition("the last axes")
def _last(op: ir.LayerNorm) -> str | None:
    axes = tuple(sorted(d % op.x.type.rank for d in op.dims))
    return None if axes and axes == _last_axes(op) else f"axes {list(axes)}"


@condition("one scale and bias for each position along these axes")
def _whole_parameters(op: ir.LayerNorm) -> str | None:
    shape = tuple(op.x.type.shape[a] for a in _last_axes(op))
    values = [v for v in (op.scale, op.bias) if v is not None]
    fits = all(v.type.shape[-len(shape) :] == shape and v.type.size == product(shape) for v in values)
    return None if fits else "a scale or a bias of another shape"


@emits(ir.LayerNorm, "layer_norm", ranks=range(1, 6), when=(_last, constant_parameters, _whole_parameters))
def layer_norm(op: ir.LayerNorm) -> Call:
    """Mean 0 and variance 1 along the last axes, then scale and bias."""
    shape = tuple(op.x.type.shape[a] for a in _last_axes(op))
    gamma, beta = (_shaped(v, shape) for v in (op.scale, op.bias))
    if gamma is None and beta is not None:
        gamma = Weight.splat(1, op.x.type.dtype, static(shape))
    parameters = given(gamma=gamma, beta=beta, epsilon=number(op.epsilon, op.x))
    return Call({"x": op.x, "axes": _last_axes(op), **parameters})


def _shaped(value: Value | None, shape: tuple[Dim, ...]) -> Weight | None:
    weight = constant(value)
    if weight is None or weight.type.shape == shape:
        return weight
    return weight.derive(weight.type.with_shape(shape), partial(_last_of, rank=len(shape)))


def _last_of(array: Array, *, rank: int) -> Array:
    return array.reshape(array.shape[array.ndim - rank :])


@condition("as many groups as channels")
def _instances(op: ir.GroupNorm) -> str | None:
    return None if op.groups == op.x.type.shape[1] else f"{op.groups} groups"


@emits(ir.GroupNorm, "instance_norm", ranks=range(3, 5), when=(_on_axis_one, constant_parameters, _instances))
def instance_norm(op: ir.GroupNorm) -> Call:
    """Normalization of every channel of every sample by its own moments."""
    return Call({"x": op.x, "gamma": op.scale, "beta": op.bias, "epsilon": number(op.epsilon, op.x)})


@condition("an odd number of neighbours")
def _odd(op: ir.LocalResponseNorm) -> str | None:
    return None if op.size % 2 else "an even number of neighbours"


@emits(ir.LocalResponseNorm, "local_response_norm", ranks=range(3, 5), when=(_on_axis_one, _odd))
def local_response_norm(op: ir.LocalResponseNorm) -> Call:
    """Division by a power of the mean square over neighbouring channels."""
    numbers = {name: number(n, op.x) for name, n in (("alpha", op.alpha), ("beta", op.beta), ("k", op.bias))}
    return Call({"x": op.x, "size": op.size, **numbers})
