"""Operators that draw random numbers: anew each time the network runs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ....compiler.ir import Op, Region, Value
from ....compiler.ops import random as ir
from ....compiler.ops.arith import Add, Cast, Div, Mul, Sub
from ....compiler.ops.control import If
from ....compiler.ops.core import Return
from ....compiler.ops.logic import GreaterEqual, LogicalAnd, NotEqual, Select
from ....compiler.ops.shape import BroadcastTo
from ....compiler.types import DType
from ....formats.onnx.tensors import element_type
from ..emitter import Emitter
from ..registry import onnx_op


def _seed(seed: float | None) -> int | None:
    """Return the bits of a stated seed."""
    return None if seed is None else int(np.float32(seed).view(np.uint32))


def _scaled(emit: Emitter, draw: Op, factor: float, shift: float, dtype: DType) -> Value:
    """Return ``draw * factor + shift``."""
    scaled = emit(Mul(emit(draw), emit.const(factor, DType.F32)))
    moved = emit(Add(scaled, emit.const(shift, DType.F32)))
    return emit.cast(moved, dtype)


@onnx_op("RandomUniform", since=7)
def random_uniform(
    emit: Emitter,
    *,
    shape: tuple[int, ...],
    dtype: int = 1,
    high: float = 1.0,
    low: float = 0.0,
    seed: float | None = None,
) -> Value:
    """RandomUniform: numbers that are equally likely between two bounds."""
    return _scaled(emit, ir.RandomUniform(shape, _seed(seed)), high - low, low, element_type(dtype))


@onnx_op("RandomUniformLike", since=7)
def random_uniform_like(
    emit: Emitter,
    input: Value,
    *,
    dtype: int | None = None,
    high: float = 1.0,
    low: float = 0.0,
    seed: float | None = None,
) -> Value:
    """RandomUniformLike: uniform numbers in the shape of another tensor."""
    to = input.type.dtype if dtype is None else element_type(dtype)
    return _scaled(emit, ir.RandomUniform(input.type.shape, _seed(seed)), high - low, low, to)


@onnx_op("RandomNormal", since=7)
def random_normal(
    emit: Emitter,
    *,
    shape: tuple[int, ...],
    dtype: int = 1,
    mean: float = 0.0,
    scale: float = 1.0,
    seed: float | None = None,
) -> Value:
    """RandomNormal: normally distributed numbers, by mean and deviation."""
    return _scaled(emit, ir.RandomNormal(shape, _seed(seed)), scale, mean, element_type(dtype))


@onnx_op("RandomNormalLike", since=7)
def random_normal_like(
    emit: Emitter,
    input: Value,
    *,
    dtype: int | None = None,
    mean: float = 0.0,
    scale: float = 1.0,
    seed: float | None = None,
) -> Value:
    """RandomNormalLike: normally distributed numbers in the shape of another tensor."""
    to = input.type.dtype if dtype is None else element_type(dtype)
    return _scaled(emit, ir.RandomNormal(input.type.shape, _seed(seed)), scale, mean, to)


@onnx_op("Multinomial", since=7)
def multinomial(
    emit: Emitter, input: Value, *, dtype: int = 6, sample_size: int = 1, seed: float | None = None
) -> Value:
    """Multinomial: draws columns by the logarithms of their probabilities."""
    return emit(ir.RandomChoice(input, sample_size, element_type(dtype), _seed(seed)))


@onnx_op("Dropout", since=7, until=11)
def dropout(emit: Emitter, data: Value, *, ratio: float = 0.5) -> tuple[Value, ...]:
    """Dropout: an identity, since nothing is dropped in inference."""
    return _keep_all(emit, data)


@onnx_op("Dropout", since=12)
def dropout_training(
    emit: Emitter,
    data: Value,
    ratio: Value | None = None,
    training_mode: Value | None = None,
    *,
    seed: int | None = None,
) -> tuple[Value, ...]:
    """Nothing is dropped in inference, nor with a ratio of zero; in training what is kept grows by what is dropped."""
    if training_mode is None or _is_zero(emit, training_mode) or _is_zero(emit, ratio):
        return _keep_all(emit, data)
    if emit.known(training_mode) is None or (ratio is not None and emit.known(ratio) is None):
        return _drop_by_data(emit, data, ratio, training_mode, seed)
    share = float(emit.scalar(ratio, "ratio", 0.5))
    kept = emit(GreaterEqual(_drawn(emit, data, seed), emit.const(share, DType.F32)))
    scale = emit.const(1 / (1 - share) if share < 1 else 0, data.type.dtype)
    return emit(Mul(emit(Mul(data, emit(Cast(kept, data.type.dtype)))), scale)), kept


def _is_zero(emit: Emitter, x: Value | None) -> bool:
    """Say whether an operand is known to be zero, or false."""
    known = emit.known(x)
    return known is not None and not known.any()


def _drawn(emit: Emitter, like: Value, seed: int | None) -> Value:
    return emit(ir.RandomUniform(like.type.shape, None if seed is None else seed & 0x7FFFFFFF))


def _drop_by_data(
    emit: Emitter, x: Value, ratio: Value | None, training_mode: Value, seed: int | None
) -> tuple[Value, ...]:
    """Drop a share that data decides about; in inference, or if the share is zero, nothing is drawn."""
    zero, one = emit.const(0, DType.F32), emit.const(1, DType.F32)
    share = emit.const(0.5, DType.F32) if ratio is None else emit.cast(emit.reshape(ratio, ()), DType.F32)
    drops = emit(LogicalAnd(emit.reshape(training_mode, ()), emit(NotEqual(share, zero))))
    then, otherwise = (replace(emit, region=Region(())) for _ in range(2))
    kept = then(GreaterEqual(_drawn(then, x, seed), share))
    grown = then(Mul(x, then.cast(then(Div(one, then(Sub(one, share)))), x.type.dtype)))
    results = (then(Select(kept, grown, then.const(0, x.type.dtype))), kept)
    unchanged = _keep_all(otherwise, x)
    then.region.insert(Return(results[: len(unchanged)]))
    otherwise.region.insert(Return(unchanged))
    return emit.all(If(drops, then.region, otherwise.region))


def _keep_all(emit: Emitter, x: Value) -> tuple[Value, ...]:
    if 1 not in emit.needed:
        return (x,)
    mask = x.type.dtype if emit.version < 10 else DType.BOOL
    return x, emit(BroadcastTo(emit.const(True, mask), x.type.shape))
