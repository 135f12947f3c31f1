"""Attention: softmax of products of queries and keys, under masks."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ....compiler.fold import constant
from ....compiler.ir import Value
from ....compiler.ops import arith, logic
from ....compiler.ops import linear as ir
from ....compiler.ops.activation import Softmax
from ....compiler.ops.index import Trilu
from ....compiler.ops.reduce import Reduce
from ....compiler.ops.shape import BroadcastTo, Reshape, Transpose
from ....compiler.types import DType, TensorType
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
    scaled = emit(arith.Mul(query, emit.const(scale, dtype)))
    scores = emit(ir.MatMul(scaled, key, transpose_b=True))
    mask = _mask(emit, _triangle(emit, scores) if is_causal else attn_mask, dtype)
    if mask.bias is not None:
        scores = emit(arith.Add(scores, mask.bias))
    found = emit(ir.MatMul(emit(Softmax(scores, scores.type.rank - 1)), value))
    return found if mask.sees is None else emit(arith.Mul(found, mask.sees))


@dataclass(frozen=True)
class Mask:
    """What is added to scores, all of it finite, and what results are multiplied with: 0 for who sees no key.

    Both are computed from the mask alone, so that all layers share them.
    """

    bias: Value | None = None
    sees: Value | None = None


def _mask(emit: Emitter, given: Value | None, dtype: DType) -> Mask:
    if given is None:
        return Mask()
    mask = _unspread(given)
    lowest = emit.const(np.finfo(np.float16 if dtype is DType.F16 else np.float32).min / 2, dtype)  # no sum overflows
    if mask.type.dtype is DType.BOOL:
        known = emit.known(mask)
        if known is not None and known.all():
            return Mask()
        return Mask(emit(logic.Select(mask, emit.const(0, dtype), lowest)), _sees(emit, mask, dtype))
    bias = emit.cast(mask, dtype)
    if _is_finite(bias):
        return Mask(bias)
    seen = emit(logic.Greater(bias, emit.const(-math.inf, dtype)))
    return Mask(emit(arith.Max(bias, lowest)), _sees(emit, seen, dtype))


def _sees(emit: Emitter, seen: Value, dtype: DType) -> Value | None:
    """Return 1 where a query sees a key and 0 where it doesn't; None if all are known to see one."""
    known = emit.known(seen)
    if known is not None and known.any(-1).all():
        return None
    return emit.cast(emit(Reduce(seen, "any", (seen.type.rank - 1,))), dtype)


def _unspread(mask: Value) -> Value:
    """Return the mask before it was repeated along axes: scores broadcast by themselves."""
    while isinstance(mask.owner, BroadcastTo) and mask.owner.x.type.rank:
        mask = mask.owner.x
    return mask


def _is_finite(x: Value) -> bool:
    """Whether a mask is known to have no infinite element: it is chosen from numbers that are none."""
    known = constant(x)
    if known is not None:
        return bool(np.isfinite(known.array()).all())
    match x.owner:
        case logic.Select(a=a, b=b):
            return _is_finite(a) and _is_finite(b)
        case BroadcastTo(x=inner) | Reshape(x=inner) | Transpose(x=inner):
            return _is_finite(inner)
        case _:
            return False


def _triangle(emit: Emitter, scores: Value) -> Value:
    """True where a key does not come after its query."""
    ones = emit.full(1, TensorType(DType.I32, scores.type.shape[-2:]))
    return emit.cast(emit(Trilu(ones, upper=False)), DType.BOOL)


def _repeated(emit: Emitter, x: Value, query: Value) -> Value:
    """Let several heads of queries share one of keys or values."""
    heads, wanted = x.type.shape[-3], query.type.shape[-3]
    if not isinstance(heads, int) or not isinstance(wanted, int):
        raise emit.fail("shares heads whose number is not known", code="F004")
    return repeat_heads(emit, x, wanted // heads)
