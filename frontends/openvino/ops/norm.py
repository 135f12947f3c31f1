"""Handlers of normalizations: over batches, layers, groups of channels, and by norms."""

from __future__ import annotations

from typing import Literal

from ....compiler.ir import Value
from ....compiler.ops import norm as ir
from ....compiler.ops.arith import Add, Div, Max, Mul, Pow, Sqrt, Sub
from ....compiler.ops.reduce import Reduce
from ....compiler.ops.window import AveragePool
from ..emitter import Emitter
from ..registry import openvino_op


@openvino_op("BatchNormInference", until=4)
def batch_norm_data_third(
    emit: Emitter, gamma: Value, beta: Value, x: Value, mean: Value, variance: Value, *, epsilon: float
) -> Value:
    """BatchNormInference before operation set 5, whose operands begin with scale and bias."""
    return emit(ir.BatchNorm(x, gamma, beta, mean, variance, epsilon))


@openvino_op("BatchNormInference", since=5)
def batch_norm(
    emit: Emitter, x: Value, gamma: Value, beta: Value, mean: Value, variance: Value, *, epsilon: float
) -> Value:
    """BatchNormInference: ``gamma * (x - mean) / sqrt(variance + epsilon) + beta`` for each channel of axis 1."""
    return emit(ir.BatchNorm(x, gamma, beta, mean, variance, epsilon))


@openvino_op("MVN", since=2, until=5)
def mvn_of_channels(
    emit: Emitter,
    x: Value,
    *,
    across_channels: bool = True,
    normalize_variance: bool = True,
    eps: float = 1e-9,
    reduction_axes: tuple[int, ...] = (),
) -> Value:
    """Mean 0 and variance 1 over positions, over channels and positions, or along stated axes."""
    dims = emit.axes(reduction_axes or range(1 if across_channels else 2, x.type.rank), x.type.rank)
    return _normalized(emit, x, dims, normalize_variance, (eps, True))


@openvino_op("MVN", since=6)
def mvn(
    emit: Emitter,
    x: Value,
    axes: Value,
    *,
    normalize_variance: bool,
    eps: float,
    eps_mode: Literal["inside_sqrt", "outside_sqrt"] = "inside_sqrt",
) -> Value:
    """MVN: subtracts the mean along constant axes and, if so stated, divides by the standard deviation."""
    dims = emit.axes(emit.ints(axes, "axes"), x.type.rank)
    return _normalized(emit, x, dims, normalize_variance, (eps, eps_mode == "inside_sqrt"))


def _normalized(emit: Emitter, x: Value, dims: tuple[int, ...], scales: bool, epsilon: tuple[float, bool]) -> Value:
    """Subtract the mean, and divide by the deviation; ``epsilon`` is added to the variance, or to the deviation."""
    eps, is_inside = epsilon
    if scales and is_inside:
        return emit(ir.LayerNorm(x, None, None, tuple(sorted(dims)), eps))
    centred = emit(Sub(x, emit(Reduce(x, "mean", dims))))
    if not scales:
        return centred
    variance = emit(Reduce(emit(Mul(centred, centred)), "mean", dims))
    return emit(Div(centred, emit(Add(emit(Sqrt(variance)), emit.number(eps, x)))))


@openvino_op("GroupNormalization", since=12)
def group_norm(emit: Emitter, x: Value, scale: Value, bias: Value, *, num_groups: int, epsilon: float) -> Value:
    """GroupNormalization: mean 0 and variance 1 within groups of channels, then scale and bias for each channel."""
    if num_groups < 1:
        raise emit.fail(f"has {num_groups} groups", code="F002")
    return emit(ir.GroupNorm(x, scale, bias, num_groups, epsilon))


@openvino_op("NormalizeL2")
def normalize_l2(emit: Emitter, x: Value, axes: Value, *, eps: float, eps_mode: Literal["add", "max"]) -> Value:
    """Divided by the norm along axes, which ``eps`` keeps from zero."""
    dims = emit.axes(emit.ints(axes, "axes"), x.type.rank)
    total = emit(Reduce(emit(Mul(x, x)), "sum", dims))
    op = Add if eps_mode == "add" else Max
    return emit(Div(x, emit(Sqrt(emit(op(total, emit.number(eps, x)))))))


@openvino_op("GRN")
def grn(emit: Emitter, x: Value, *, bias: float) -> Value:
    """GRN: divides by the norm over the channels, ``x / sqrt(sum(x ** 2) + bias)``."""
    total = emit(Reduce(emit(Mul(x, x)), "sum", (1,)))
    return emit(Div(x, emit(Sqrt(emit(Add(total, emit.number(bias, x)))))))


@openvino_op("LRN")
def local_response_norm(
    emit: Emitter, x: Value, axes: Value, *, alpha: float, beta: float, bias: float, size: int
) -> Value:
    """Divided by a power of the sum of squares in a window over the channels, or over positions."""
    dims = sorted(emit.axes(emit.ints(axes, "axes"), x.type.rank))
    if size < 1:
        raise emit.fail(f"normalises over {size} elements", code="F002")
    if not dims:  # every element is a window of its own
        squares = emit(Mul(emit(Mul(x, x)), emit.number(alpha, x)))
        return emit(Div(x, emit(Pow(emit(Add(squares, emit.number(bias, x))), emit.number(beta, x)))))
    reach = size if size % 2 else size - 1
    if dims == [1]:
        return emit(ir.LocalResponseNorm(x, reach, alpha * reach / size, beta, bias))
    if dims[0] < 2 or x.type.rank < 3:
        raise emit.fail(f"normalises over the axes {dims} of {x.type}")
    kernel = tuple(reach if axis in dims else 1 for axis in range(2, x.type.rank))
    ones = (1,) * len(kernel)
    pads = tuple((k // 2, k // 2) for k in kernel)
    mean = emit(AveragePool(emit(Mul(x, x)), kernel, ones, ones, pads, False, True))
    share = emit.number(alpha * (reach / size) ** len(dims), x)
    total = emit(Add(emit(Mul(mean, share)), emit.number(bias, x)))
    return emit(Div(x, emit(Pow(total, emit.number(beta, x)))))
