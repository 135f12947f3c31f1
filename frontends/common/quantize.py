"""Quantization with scales and zero points that are operands."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from ...compiler.dims import Dim, ceil_div, exact_div, is_static, static
from ...compiler.fold import constant
from ...compiler.ir import Value
from ...compiler.ops.activation import Clip
from ...compiler.ops.arith import Add, Mul, Round, Sub
from ...compiler.ops.shape import BroadcastTo
from ...compiler.types import Array, DType
from ...compiler.weights import Weight
from .operands import OperandEmitter


def spread(emit: OperandEmitter, p: Value, x: Value, axis: int, block_size: int = 0) -> Value:
    """Shape a scale or zero point to broadcast to ``x``: one for all, one per position of an axis, one per block."""
    if p.type.size == 1 and p.type.rank <= 1:
        return emit.reshape(p, ())
    along = emit.axis(axis, x.type.rank)
    if p.type.rank == 1:
        return emit.reshape(p, (*p.type.shape, *[1] * (x.type.rank - 1 - along)))
    shape = list(p.type.shape)
    size = exact_div(x.type.shape[along], shape[along]) if len(shape) == x.type.rank else None
    size = block_size or size
    if len(shape) != x.type.rank or size is None:
        raise emit.fail(f"has a scale or zero point {p.type} for {x.type}", code="T001")
    weight = constant(p)
    if weight is not None and is_static(x.type.shape):
        blocks = (*x.type.shape[:along], ceil_div(x.type.shape[along], size), *x.type.shape[along + 1 :])
        if p.type.shape != blocks:
            raise emit.fail(f"has a scale or zero point {p.type} in blocks of {size} for {x.type}", code="T001")
        return emit.const(repeated(weight, x.type.shape, along, size))
    blocks = emit.reshape(p, (*shape[: along + 1], 1, *shape[along + 1 :]))
    each = emit(BroadcastTo(blocks, (*shape[: along + 1], size, *shape[along + 1 :])))
    whole = emit.reshape(each, (*shape[:along], shape[along] * size, *shape[along + 1 :]))
    return whole


def repeated(blocks: Weight, shape: Sequence[Dim], axis: int, size: Dim) -> Weight:
    """Return what belongs to blocks along an axis for each element of ``shape``; the last block may be cut."""
    whole, (count,) = static(tuple(shape)), static((size,))
    return blocks.derive(blocks.type.with_shape(whole), partial(_repeated, axis=axis, size=count, count=whole[axis]))


def _repeated(blocks: Array, *, axis: int, size: int, count: int) -> Array:
    return np.repeat(blocks, size, axis).take(range(count), axis)


def nudged(limits: tuple[float, float], bits: int, *, narrow_range: bool) -> tuple[float, float, float]:
    """Return the range of integers that stand for numbers, moved so that zero is one of them, and their step."""
    low, high = (np.float32(limit) for limit in limits)
    least, most = int(narrow_range), (1 << bits) - 1
    scale = np.float32((high - low) / np.float32(most - least))
    zero = int(np.clip(np.rint(least - low / scale), least, most))
    return float(np.float32(least - zero) * scale), float(np.float32(most - zero) * scale), float(scale)


def rounded(emit: OperandEmitter, x: Value, limits: tuple[float, float], bits: int, *, narrow_range: bool) -> Value:
    """Round numbers to those that integers stand for; the range is moved so that zero is one of them."""
    low, high, scale = nudged(limits, bits, narrow_range=narrow_range)
    kept = emit(Clip(x, low, high))
    moved = emit(Sub(kept, emit.const(low, DType.F32)))
    steps = emit(Round(emit(Mul(moved, emit.const(np.float32(1) / np.float32(scale))))))
    return emit(Add(emit(Mul(steps, emit.const(scale, DType.F32))), emit.const(low, DType.F32)))
