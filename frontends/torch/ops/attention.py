"""Attention: softmax of products of queries and keys, under masks."""

from __future__ import annotations

import math

from ....compiler.ir import Value
from ...common.attention import attention as masked_attention
from ...heads import repeat_heads
from ..emitter import Emitter
from ..registry import aten


@aten("scaled_dot_product_attention")
def attention(
    emit: Emitter,
    query: Value,
    key: Value,
    value: Value,
    attn_mask: Value | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    *,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Value:
    """Softmax of scaled products of queries and keys, times values; zeros for a query that sees no key."""
    if dropout_p:
        raise emit.fail("drops out, as in training", code="F031", help="Call .eval() on the model.")
    if enable_gqa:
        key, value = _repeated(emit, key, query), _repeated(emit, value, query)
    dtype, width = query.type.dtype, query.type.shape[-1]
    if scale is None:
        if not isinstance(width, int):
            raise emit.fail(f"has heads of {width} features, which is not known", code="F004")
        scale = 1 / math.sqrt(width)
    return masked_attention(emit, (query, key, value), attn_mask, emit.const(scale, dtype), is_causal=is_causal)


def _repeated(emit: Emitter, x: Value, query: Value) -> Value:
    """Let several heads of queries share one of keys or values."""
    heads, wanted = x.type.shape[-3], query.type.shape[-3]
    if not isinstance(heads, int) or not isinstance(wanted, int):
        raise emit.fail("shares heads whose number is not known", code="F004")
    return repeat_heads(emit, x, wanted // heads)
