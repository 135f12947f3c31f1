"""Handlers of normalisations over batches, layers, groups and channels."""

from __future__ import annotations

from typing import Annotated

from ....compiler.dims import exact_div
from ....compiler.ir import Value
from ....compiler.ops import norm as ir
from ....compiler.ops.arith import Add, Div, Mul, Rsqrt, Sqrt, Sub
from ....compiler.ops.logic import Equal, Select
from ....compiler.ops.reduce import Reduce
from ....compiler.ops.shape import BroadcastTo, Reshape
from ..emitter import Emitter
from ..registry import Until, onnx_op


@onnx_op("BatchNormalization", since=7, until=13)
def batch_norm_inferring(
    emit: Emitter,
    x: Value,
    scale: Value,
    b: Value,
    mean: Value,
    var: Value,
    *,
    epsilon: float = 1e-5,
    momentum: float = 0.9,
    spatial: Annotated[int, Until(8)] = 1,
) -> tuple[Value, ...]:
    """As in inference, or by the statistics of the batch, if these are further outputs."""
    if not spatial:
        raise emit.fail("has statistics per element (spatial=0)")
    if len(emit.node.outputs) > 1:
        return _by_batch(emit, x, (scale, b, mean, var), epsilon, momentum)
    return (_batch_norm(emit, x, (scale, b, mean, var), epsilon),)


@onnx_op("BatchNormalization", since=14)
def batch_norm(
    emit: Emitter,
    x: Value,
    scale: Value,
    b: Value,
    input_mean: Value,
    input_var: Value,
    *,
    epsilon: float = 1e-5,
    momentum: float = 0.9,
    training_mode: int = 0,
) -> tuple[Value, ...]:
    """As in inference, or by the statistics of the batch."""
    if training_mode:
        return _by_batch(emit, x, (scale, b, input_mean, input_var), epsilon, momentum)
    return (_batch_norm(emit, x, (scale, b, input_mean, input_var), epsilon),)


def _batch_norm(emit: Emitter, x: Value, parameters: tuple[Value, Value, Value, Value], epsilon: float) -> Value:
    if x.type.rank < 2:
        raise emit.fail(f"normalises {x.type}, which has no channel axis", code="T001")
    return emit(ir.BatchNorm(x, *parameters, epsilon))


def _by_batch(
    emit: Emitter, x: Value, parameters: tuple[Value, Value, Value, Value], epsilon: float, momentum: float
) -> tuple[Value, ...]:
    """Return the result, the running statistics moved towards those of the batch, and those of the batch."""
    scale, b, *running = parameters
    mean, _, variance = _moments(emit, x, tuple(a for a in range(x.type.rank) if a != 1))
    found = [
        emit.cast(emit.reshape(v, old.type.shape), old.type.dtype)
        for v, old in zip((mean, variance), running, strict=True)
    ]
    moved: list[Value] = []
    for old, new in zip(running, found, strict=True):
        kept, added = (emit.const(f, old.type.dtype) for f in (momentum, 1 - momentum))
        moved.append(emit(Add(emit(Mul(old, kept)), emit(Mul(new, added)))))
    return _batch_norm(emit, x, (scale, b, found[0], found[1]), epsilon), *moved, *found


@onnx_op("InstanceNormalization", since=7)
def instance_norm(emit: Emitter, input: Value, scale: Value, b: Value, *, epsilon: float = 1e-5) -> Value:
    """A group normalisation with one channel in each group."""
    channels = _channels(emit, input)
    return emit(ir.GroupNorm(input, scale, b, channels, epsilon))


def _channels(emit: Emitter, x: Value) -> int:
    channels = x.type.shape[1] if x.type.rank > 2 else None
    if not isinstance(channels, int):
        raise emit.fail(f"normalises {x.type}, which has no known number of channels and positions", code="T001")
    return channels


@onnx_op("GroupNormalization", since=18, until=20)
def group_norm_by_group(
    emit: Emitter, x: Value, scale: Value, bias: Value, *, num_groups: int, epsilon: float = 1e-5
) -> Value:
    """GroupNormalization before operator set 21: one scale and bias per group."""
    channels = _channels(emit, x)
    each = exact_div(channels, num_groups)
    if each is None:
        raise emit.fail(f"divides {channels} channels into {num_groups} groups", code="T001")

    def spread(v: Value) -> Value:
        columns = emit(BroadcastTo(emit.reshape(v, (num_groups, 1)), (num_groups, each)))
        return emit(Reshape(columns, (channels,)))

    return emit(ir.GroupNorm(x, spread(scale), spread(bias), num_groups, epsilon))


@onnx_op("GroupNormalization", since=21)
def group_norm(
    emit: Emitter,
    x: Value,
    scale: Value,
    bias: Value,
    *,
    num_groups: int,
    epsilon: float = 1e-5,
    stash_type: int = 1,
) -> Value:
    """GroupNormalization: groups of channels, with one scale and bias per channel."""
    _check_stash(emit, stash_type)
    _channels(emit, x)
    return emit(ir.GroupNorm(x, scale, bias, num_groups, epsilon))


def _check_stash(emit: Emitter, stash_type: int) -> None:
    if stash_type != 1:
        raise emit.fail(f"computes in the element type number {stash_type} instead of float32")


@onnx_op("LayerNormalization", since=17)
def layer_norm(
    emit: Emitter,
    x: Value,
    scale: Value,
    b: Value | None = None,
    *,
    axis: int = -1,
    epsilon: float = 1e-5,
    stash_type: int = 1,
) -> tuple[Value, ...]:
    """Normalised along all axes from ``axis`` on; mean and inverse deviation if they are asked for."""
    _check_stash(emit, stash_type)
    dims = tuple(range(emit.axis(axis, x.type.rank), x.type.rank))
    normal = emit(ir.LayerNorm(x, scale, b, dims, epsilon))
    if not emit.needed & {1, 2}:
        return (normal,)
    mean, _, variance = _moments(emit, x, dims)
    return normal, mean, emit(Rsqrt(emit(Add(variance, emit.const(epsilon, x.type.dtype)))))


def _moments(emit: Emitter, x: Value, dims: tuple[int, ...]) -> tuple[Value, Value, Value]:
    """Return the mean, the distances to it, and the variance."""
    mean = emit(Reduce(x, "mean", dims))
    centred = emit(Sub(x, mean))
    return mean, centred, emit(Reduce(emit(Mul(centred, centred)), "mean", dims))


@onnx_op("RMSNormalization", since=23)
def rms_norm(
    emit: Emitter, x: Value, scale: Value, *, axis: int = -1, epsilon: float = 1e-5, stash_type: int = 1
) -> Value:
    """Divided by the root of the mean square along all axes from ``axis`` on."""
    _check_stash(emit, stash_type)
    dims = tuple(range(emit.axis(axis, x.type.rank), x.type.rank))
    return emit(ir.RmsNorm(x, scale, dims, epsilon))


@onnx_op("MeanVarianceNormalization", since=9)
def mean_variance_norm(emit: Emitter, x: Value, *, axes: tuple[int, ...] = (0, 2, 3)) -> Value:
    """MeanVarianceNormalization: ``(x - mean) / (deviation + 1e-9)`` over some axes."""
    _, centred, variance = _moments(emit, x, emit.axes(axes, x.type.rank))
    deviation = emit(Sqrt(variance))
    return emit(Div(centred, emit(Add(deviation, emit.const(1e-9, x.type.dtype)))))


@onnx_op("LpNormalization", since=7)
def lp_norm(emit: Emitter, input: Value, *, axis: int = -1, p: int = 2) -> Value:
    """Divided by the norm along an axis; where that is zero, all is."""
    if p not in (1, 2):
        raise emit.fail(f"has the norm p={p}, neither 1 nor 2", code="F002")
    norm = emit(Reduce(input, f"l{p}", (emit.axis(axis, input.type.rank),)))
    zero, one = (emit.const(n, input.type.dtype) for n in (0, 1))
    return emit(Div(input, emit(Select(emit(Equal(norm, zero)), one, norm))))


@onnx_op("LRN", since=7)
def local_response_norm(
    emit: Emitter, x: Value, *, size: int, alpha: float = 1e-4, beta: float = 0.75, bias: float = 1.0
) -> Value:
    """LRN: divides by a norm over neighbouring channels."""
    if x.type.rank < 3 or size < 1:
        raise emit.fail(f"normalises {x.type} over {size} channels", code="T001")
    return emit(ir.LocalResponseNorm(x, size, alpha, beta, bias))
