"""Handlers of batch normalization in all of its versions, and of LRN."""

from __future__ import annotations

import math
from typing import Literal

from ....compiler.dims import product
from ....compiler.ir import Value
from ....compiler.ops.arith import Div, Mul, SquaredDifference
from ....compiler.ops.norm import BatchNorm, LocalResponseNorm
from ....compiler.ops.reduce import Reduce
from ..emitter import Emitter
from ..registry import tf_op

RESULTS = ("y", "batch_mean", "batch_variance", "reserve_space_1", "reserve_space_2", "reserve_space_3")
"""What a batch normalisation gives; what training reserves is not supported."""


@tf_op("FusedBatchNorm", "FusedBatchNormV2", outputs=RESULTS[:5])
def fused_batch_norm(
    emit: Emitter,
    x: Value,
    scale: Value,
    offset: Value,
    mean: Value,
    variance: Value,
    *,
    epsilon: float = 0.0001,
    exponential_avg_factor: float = 1.0,
    data_format: Literal["NHWC", "NCHW"] = "NHWC",
    is_training: bool = True,
) -> tuple[Value, ...]:
    """By statistics that are given, or by those of the batch."""
    return _batch_norm(emit, (x, scale, offset, mean, variance), data_format, epsilon, is_training=is_training)


@tf_op("FusedBatchNormV3", outputs=RESULTS)
def fused_batch_norm_v3(
    emit: Emitter,
    x: Value,
    scale: Value,
    offset: Value,
    mean: Value,
    variance: Value,
    *,
    epsilon: float = 0.0001,
    exponential_avg_factor: float = 1.0,
    data_format: Literal["NHWC", "NCHW", "NDHWC", "NCDHW"] = "NHWC",
    is_training: bool = True,
) -> tuple[Value, ...]:
    """By statistics that are given, or by those of the batch."""
    return _batch_norm(emit, (x, scale, offset, mean, variance), data_format, epsilon, is_training=is_training)


def _batch_norm(
    emit: Emitter,
    operands: tuple[Value, Value, Value, Value, Value],
    data_format: str,
    epsilon: float,
    *,
    is_training: bool,
) -> tuple[Value, ...]:
    x, scale, offset, mean, variance = operands
    axis = x.type.rank - 1 if data_format.endswith("C") else 1
    scale, offset, mean, variance = (emit.cast(v, x.type.dtype) for v in (scale, offset, mean, variance))
    if not is_training:
        return emit(BatchNorm(x, scale, offset, mean, variance, epsilon, axis)), mean, variance
    dims = tuple(i for i in range(x.type.rank) if i != axis)
    kept = emit(Reduce(x, "mean", dims, keepdims=True))
    mean = emit.reshape(kept, (x.type.shape[axis],))
    variance = emit(Reduce(emit(SquaredDifference(x, kept)), "mean", dims, keepdims=False))
    y = emit(BatchNorm(x, scale, offset, mean, variance, epsilon, axis))
    count = product([x.type.shape[i] for i in dims])
    if not isinstance(count, int):
        return (y, mean)
    unbiased = emit(Mul(variance, emit.const(count / max(count - 1, 1), variance.type.dtype)))
    return y, mean, unbiased


@tf_op("BatchNormWithGlobalNormalization")
def batch_norm_with_global_normalization(
    emit: Emitter,
    t: Value,
    m: Value,
    v: Value,
    beta: Value,
    gamma: Value,
    *,
    variance_epsilon: float,
    scale_after_normalization: bool,
) -> Value:
    """BatchNormWithGlobalNormalization: given mean and variance, channels last, and a scale only if stated."""
    scale = gamma if scale_after_normalization else emit(Div(gamma, gamma))
    return emit(BatchNorm(t, scale, beta, m, v, variance_epsilon, emit.axis(-1, t.type.rank)))


@tf_op("LRN")
def lrn(
    emit: Emitter, input: Value, *, depth_radius: int = 5, bias: float = 1.0, alpha: float = 1.0, beta: float = 0.5
) -> Value:
    """By the channels around each; ``alpha`` is not divided by their number."""
    size = 2 * depth_radius + 1
    if size < 1 or not all(map(math.isfinite, (bias, alpha, beta))):
        raise emit.fail(f"has the radius {depth_radius}", code="F002")
    return emit(LocalResponseNorm(input, size, alpha * size, beta, bias, emit.axis(-1, input.type.rank)))
