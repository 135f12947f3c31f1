"""Matrix products, sums in Einstein's notation, and attention."""

from __future__ import annotations

import math

from ....compiler.ir import Value
from ....compiler.ops.linear import Inverse
from ...common.attention import attention as masked_attention
from ...common.einsum import einsum as contraction
from ...common.linear import matmul as product_of
from ..emitter import Emitter
from ..registry import openvino_op


@openvino_op("MatMul")
def matmul(emit: Emitter, a: Value, b: Value, *, transpose_a: bool = False, transpose_b: bool = False) -> Value:
    """A vector counts as one row on the left, as one column on the right."""
    return product_of(emit, a, b, transpose_a, transpose_b)


@openvino_op("Einsum", since=7)
def einsum(emit: Emitter, *xs: Value, equation: str) -> Value:
    """Einsum: products and sums along named axes, of two operands at a time from left to right."""
    return contraction(emit, xs, equation)


@openvino_op("Inverse", since=14)
def inverse(emit: Emitter, x: Value, *, adjoint: bool = False) -> Value:
    """Inverse of the square matrices in the last two axes; with ``adjoint`` it is refused."""
    if adjoint:
        raise emit.fail("gives adjoint matrices")
    return emit(Inverse(x))


@openvino_op("ScaledDotProductAttention", since=13)
def attention(
    emit: Emitter,
    query: Value,
    key: Value,
    value: Value,
    mask: Value | None = None,
    scale: Value | None = None,
    sink: Value | None = None,
    *,
    causal: bool = False,
) -> Value:
    """ScaledDotProductAttention: ``softmax(q @ k.T * scale + mask) @ v``; the scale is ``width ** -0.5`` by default."""
    if sink is not None:
        raise emit.fail("has sinks")
    width = query.type.shape[-1]
    if scale is not None:
        factor = emit.reshape(scale, ())
    elif isinstance(width, int):
        factor = emit.number(1 / math.sqrt(width), query)
    else:
        raise emit.fail(f"has heads of {width} features, which is not known", code="F004")
    given = mask if mask is not None and mask.type.rank else None
    return masked_attention(emit, (query, key, value), given, factor, is_causal=causal)
