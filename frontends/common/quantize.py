"""Scales and zero points as operands."""

from __future__ import annotations

import numpy as np

from ...compiler.dims import exact_div
from ...compiler.ir import Value
from ...compiler.ops.activation import Clip
from ...compiler.ops.arith import Add, Mul, Round, Sub
from ...compiler.ops.shape import BroadcastTo
from .operands import OperandEmitter


def spread(emit: OperandEmitter, p: Value, x: Value, axis: int, block_size: int = 0) -> Value:
    """Shape a scale or zero point to broadcast to ``x``: one for all, one per position of an axis, one per block."""
    if p.type.size == 1 and p.type.rank <= 1:
        return emit.reshape(p, ())
    along = emit.axis(axis, x.type.rank)
    if p.type.rank == 1:
        return emit.reshape(p, (*p.type.shape, *[1] * (x.type.rank - 1 - along)))
    shape = list(p.type.shape)
    size = block_size or exact_div(x.type.shape[along], shape[along])
    if len(shape) != x.type.rank or size is None:
        raise emit.fail(f"has a scale or zero point {p.type} for {x.type}", code="T001")
    blocks = emit.reshape(p, (*shape[: along + 1], 1, *shape[along + 1 :]))
    each = emit(BroadcastTo(blocks, (*shape[: along + 1], size, *shape[along + 1 :])))
    whole = emit.reshape(each, (*shape[:along], shape[along] * size, *shape[along + 1 :]))
    return whole


def rounded(emit: OperandEmitter, x: Value, limits: tuple[float, float], bits: int, *, narrow_range: bool) -> Value:
    """Round numbers to those that integers stand for; the range is moved so that zero is one of them."""
    min, max = limits
    least, most = int(narrow_range), (1 << bits) - 1
    scale = np.float32((np.float32(max) - np.float32(min)) / np.float32(most - least))
    zero = int(np.clip(np.rint(least - np.float32(min) / scale), least, most))
    low, high = np.float32(least - zero) * scale, np.float32(most - zero) * scale
    kept = emit(Clip(x, float(low), float(high)))
    steps = emit(Round(emit(Mul(emit(Sub(kept, emit.const(low))), emit.const(np.float32(1) / scale)))))
    return emit(Add(emit(Mul(steps, emit.const(scale))), emit.const(low)))
