"""Scales and zero points as operands."""

from __future__ import annotations

from ...compiler.dims import exact_div
from ...compiler.ir import Value
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
