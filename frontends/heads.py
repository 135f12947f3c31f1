"""Attention in heads, as all frontends read it."""

from __future__ import annotations

from ..compiler.ir import Value
from .emitter import BaseEmitter


def repeat_heads(emit: BaseEmitter, x: Value, times: int) -> Value:
    """Let each head of keys or values ``[..., heads, time, width]`` serve several neighbouring heads of queries."""
    *batch, heads, time, width = x.type.shape
    spread = emit.reshape(x, (*batch, heads, 1, time, width))
    return emit.reshape(emit.expand(spread, (*batch, heads, times, time, width)), (*batch, heads * times, time, width))
