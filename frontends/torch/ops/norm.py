"""Handlers of normalizations: over batches, layers, groups of channels and instances."""

from __future__ import annotations

import numpy as np

from ....compiler.dims import Dim
from ....compiler.ir import Value
from ....compiler.ops import norm as ir
from ....compiler.ops.arith import Add, Rsqrt, Square, Sub
from ....compiler.ops.reduce import Reduce
from ....compiler.types import DType, TensorType
from ..emitter import Emitter
from ..registry import aten

EPSILON = {DType.F16: 2.0**-10, DType.BF16: 2.0**-7, DType.F32: 2.0**-23, DType.F64: 2.0**-52}
"""The distance from one to the next number: RMSNorm's default."""


@aten("batch_norm")
def batch_norm(
    emit: Emitter,
    input: Value,
    weight: Value | None,
    bias: Value | None,
    running_mean: Value | None,
    running_var: Value | None,
    training: bool,
    momentum: float,
    eps: float,
    cudnn_enabled: bool,
) -> Value:
    """By stored statistics; where there are none, by those of the data. In training mode both would be mixed."""
    if running_mean is None or running_var is None:
        return _by_own_statistics(emit, input, weight, bias, eps)
    if training:
        raise emit.fail(
            "normalises by the statistics of the batch, as in training", code="F031", help="Call .eval() on the model."
        )
    if input.type.rank == 1:
        return input  # PyTorch takes no other vector than that of no numbers
    scale, shift = _parameters(emit, running_mean.type, weight, bias)
    return emit(ir.BatchNorm(input, scale, shift, running_mean, running_var, eps))


def _by_own_statistics(emit: Emitter, x: Value, weight: Value | None, bias: Value | None, eps: float) -> Value:
    dims = tuple(a for a in range(x.type.rank) if a != 1)
    channels = (x.type.shape[1], *[1] * (x.type.rank - 2))
    scale, shift = (None if v is None else emit.reshape(v, channels) for v in (weight, bias))
    if scale is None and shift is not None:
        scale = emit.full(1, shift.type)
    return emit(ir.LayerNorm(x, scale, shift, dims, eps))


def _parameters(emit: Emitter, type: TensorType, weight: Value | None, bias: Value | None) -> tuple[Value, Value]:
    """Scale and bias per channel, one and zero where they are absent."""
    return weight or emit.full(1, type), bias or emit.full(0, type)


@aten("_native_batch_norm_legit_no_training")
def native_batch_norm(
    emit: Emitter,
    input: Value,
    weight: Value | None,
    bias: Value | None,
    running_mean: Value,
    running_var: Value,
    momentum: float,
    eps: float,
) -> tuple[Value | None, ...]:
    """``_native_batch_norm_legit_no_training``: ``batch_norm`` by stored statistics, and two empty tensors."""
    y = batch_norm(emit, input, weight, bias, running_mean, running_var, False, momentum, eps, False)
    empty = emit.const(np.zeros((0,), np.float32))
    return y, empty, empty


@aten("layer_norm")
def layer_norm(
    emit: Emitter,
    input: Value,
    normalized_shape: tuple[Dim, ...],
    weight: Value | None = None,
    bias: Value | None = None,
    eps: float = 1e-5,
    cudnn_enable: bool = True,
) -> Value:
    """``layer_norm`` over the last axes, as many as ``normalized_shape`` has; weight and bias may be missing."""
    rank = input.type.rank
    dims = tuple(range(rank - len(normalized_shape), rank))
    if weight is None and bias is not None:
        weight = emit.full(1, bias.type)
    return emit(ir.LayerNorm(input, weight, bias, dims, eps))


@aten("native_layer_norm")
def native_layer_norm(
    emit: Emitter,
    input: Value,
    normalized_shape: tuple[Dim, ...],
    weight: Value | None,
    bias: Value | None,
    eps: float,
) -> tuple[Value | None, ...]:
    """Over the last axes; the mean and the inverse of the deviation are computed if they are wanted."""
    y = layer_norm(emit, input, normalized_shape, weight, bias, eps)
    if not emit.needed - {0}:
        return y, None, None
    rank = input.type.rank
    return y, *_statistics(emit, input, tuple(range(rank - len(normalized_shape), rank)), eps)


def _statistics(emit: Emitter, x: Value, dims: tuple[int, ...], eps: float) -> tuple[Value, Value]:
    """The mean along axes, and one over the deviation."""
    mean = emit(Reduce(x, "mean", dims))
    variance = emit(Reduce(emit(Square(emit(Sub(x, mean)))), "mean", dims))
    return mean, emit(Rsqrt(emit(Add(variance, emit.const(eps, x.type.dtype)))))


@aten("rms_norm")
def rms_norm(
    emit: Emitter,
    input: Value,
    normalized_shape: tuple[Dim, ...],
    weight: Value | None = None,
    eps: float | None = None,
) -> Value:
    """``rms_norm`` over the last axes; without ``eps`` it is the distance from 1 to the next number of the type."""
    rank = input.type.rank
    dims = tuple(range(rank - len(normalized_shape), rank))
    return emit(ir.RmsNorm(input, weight, dims, EPSILON[input.type.dtype] if eps is None else eps))


@aten("group_norm")
def group_norm(
    emit: Emitter,
    input: Value,
    num_groups: int,
    weight: Value | None = None,
    bias: Value | None = None,
    eps: float = 1e-5,
    cudnn_enabled: bool = True,
) -> Value:
    """``group_norm``: mean and variance over each group of neighbouring channels and all positions."""
    scale, shift = _parameters(emit, input.type.with_shape(input.type.shape[1:2]), weight, bias)
    return emit(ir.GroupNorm(input, scale, shift, num_groups, eps))


@aten("native_group_norm")
def native_group_norm(
    emit: Emitter,
    input: Value,
    weight: Value | None,
    bias: Value | None,
    N: Dim,
    C: Dim,
    HxW: Dim,
    group: int,
    eps: float,
) -> tuple[Value | None, ...]:
    """Over neighbouring channels and all positions; mean and inverse of the deviation if they are wanted."""
    y = group_norm(emit, input, group, weight, bias, eps)
    if not emit.needed - {0}:
        return y, None, None
    rows = emit.reshape(input, (N, group, C * HxW // group))
    mean, scale = _statistics(emit, rows, (2,), eps)
    return y, emit.reshape(mean, (N, group)), emit.reshape(scale, (N, group))


@aten("instance_norm")
def instance_norm(
    emit: Emitter,
    input: Value,
    weight: Value | None,
    bias: Value | None,
    running_mean: Value | None,
    running_var: Value | None,
    use_input_stats: bool,
    momentum: float,
    eps: float,
    cudnn_enabled: bool,
) -> Value:
    """``instance_norm``: mean and variance over the positions of every channel, or stored ones, as a flag says."""
    if not use_input_stats and running_mean is not None and running_var is not None:
        return batch_norm(emit, input, weight, bias, running_mean, running_var, False, momentum, eps, False)
    channels = input.type.shape[1]
    if not isinstance(channels, int):
        raise emit.fail(f"has {channels} channels, a number that is not known", code="F004")
    return group_norm(emit, input, channels, weight, bias, eps)
