"""Attention: softmax of products of queries and keys, under masks."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ...compiler.fold import constant
from ...compiler.ir import Value
from ...compiler.ops import arith, logic
from ...compiler.ops import linear as ir
from ...compiler.ops.activation import Softmax
from ...compiler.ops.index import Trilu
from ...compiler.ops.reduce import Reduce
from ...compiler.ops.shape import BroadcastTo, Reshape, Transpose
from ...compiler.types import DType
from ..emitter import BaseEmitter


def attention(
    emit: BaseEmitter, operands: tuple[Value, Value, Value], attn_mask: Value | None, scale: Value, *, is_causal: bool
) -> Value:
    """Return the softmax of scaled products of queries and keys, times values; zeros for a query that sees no key.

    ``attn_mask`` is true where a query sees a key, or is added to the products; ``is_causal`` replaces it.
    """
    query, key, value = operands
    dtype = query.type.dtype
    scores = emit(ir.MatMul(emit(arith.Mul(query, scale)), key, transpose_b=True))
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


def _mask(emit: BaseEmitter, given: Value | None, dtype: DType) -> Mask:
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


def _sees(emit: BaseEmitter, seen: Value, dtype: DType) -> Value | None:
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


def _triangle(emit: BaseEmitter, scores: Value) -> Value:
    """True where a key does not come after its query."""
    ones = emit.expand(emit.const(1, DType.I32), scores.type.shape[-2:])
    return emit.cast(emit(Trilu(ones, upper=False)), DType.BOOL)
