"""Products of matrices, and attention."""

from __future__ import annotations

import math

import numpy as np

from ....compiler.dims import Dim
from ....compiler.ir import Value
from ....compiler.ops import arith, logic
from ....compiler.ops import linear as ir
from ....compiler.ops.activation import Softmax
from ....compiler.ops.index import Trilu
from ....compiler.ops.reduce import Reduce
from ....compiler.types import DType, TensorType
from ..emitter import Emitter
from ..promotion import Number
from ..registry import aten


@aten("linear")
def linear(emit: Emitter, input: Value, weight: Value, bias: Value | None = None) -> Value:
    """Rows of the weight times the last axis."""
    if weight.type.rank == 1:
        y = matmul(emit, input, weight)
        return y if bias is None else emit(arith.Add(y, bias))
    if input.type.rank == 1:
        row = emit.reshape(input, (1, *input.type.shape))
        return emit.reshape(emit(ir.Linear(row, weight, bias)), weight.type.shape[:1])
    return emit(ir.Linear(input, weight, bias))


@aten("matmul", "mm", "bmm", "mv", "dot")
def matmul(emit: Emitter, x: Value, other: Value) -> Value:
    """Matrices in the last two axes; a vector is a row on the left and a column on the right."""
    left, right = x.type.rank == 1, other.type.rank == 1
    a = emit.reshape(x, (1, *x.type.shape)) if left else x
    b = emit.reshape(other, (*other.type.shape, 1)) if right else other
    y = emit(ir.MatMul(a, b))
    shape: list[Dim] = list(y.type.shape)
    if right:
        shape.pop()
    if left:
        shape.pop(-1 if right else -2)
    return emit.reshape(y, shape)


@aten("addmm")
def addmm(emit: Emitter, x: Value, mat1: Value, mat2: Value, *, beta: Number = 1, alpha: Number = 1) -> Value:
    """A scaled product of matrices plus another scaled matrix."""
    return _added(emit, x, matmul(emit, mat1, mat2), beta, alpha)


@aten("addmv")
def addmv(emit: Emitter, x: Value, mat: Value, vec: Value, *, beta: Number = 1, alpha: Number = 1) -> Value:
    """A scaled product of a matrix and a vector plus another scaled vector."""
    return _added(emit, x, matmul(emit, mat, vec), beta, alpha)


@aten("addbmm")
def addbmm(emit: Emitter, x: Value, batch1: Value, batch2: Value, *, beta: Number = 1, alpha: Number = 1) -> Value:
    """The sum of scaled products of matrices plus another scaled matrix."""
    total = emit(Reduce(matmul(emit, batch1, batch2), "sum", (0,), keepdims=False))
    return _added(emit, x, total, beta, alpha)


@aten("baddbmm")
def baddbmm(emit: Emitter, x: Value, batch1: Value, batch2: Value, *, beta: Number = 1, alpha: Number = 1) -> Value:
    """As ``addmm``, for batches."""
    return _added(emit, x, matmul(emit, batch1, batch2), beta, alpha)


def _added(emit: Emitter, x: Value, product: Value, beta: Number, alpha: Number) -> Value:
    if beta == 0:
        return _scaled(emit, product, alpha)
    return emit(arith.Add(_scaled(emit, product, alpha), _scaled(emit, x, beta)))


def _scaled(emit: Emitter, x: Value, factor: Number) -> Value:
    return x if factor == 1 else emit(arith.Mul(x, emit.value(factor, x.type.dtype)))


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
    """Softmax of scaled products of queries and keys, times values."""
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
    mask = _triangle(emit, scores) if is_causal else attn_mask
    if mask is not None and mask.type.dtype is DType.BOOL:
        lowest = np.finfo(np.float16 if dtype is DType.F16 else np.float32).min
        scores = emit(logic.Select(mask, scores, emit.const(lowest, dtype)))
    elif mask is not None:
        scores = emit(arith.Add(scores, emit.cast(mask, dtype)))
    weights = emit(Softmax(scores, scores.type.rank - 1))
    if attn_mask is not None and attn_mask.type.dtype is DType.BOOL and not _leaves_keys(emit, attn_mask):
        weights = emit(logic.Select(attn_mask, weights, emit.const(0, dtype)))
    return emit(ir.MatMul(weights, value))


def _leaves_keys(emit: Emitter, mask: Value) -> bool:
    """Whether every query has a key to look at, as far as is known; one that has none gets zeros."""
    known = emit.known(mask)
    return known is not None and bool(known.any(-1).all())


def _triangle(emit: Emitter, scores: Value) -> Value:
    """True where a key does not come behind its query."""
    ones = emit.full(1, TensorType(DType.I32, scores.type.shape[-2:]))
    return emit.cast(emit(Trilu(ones, upper=False)), DType.BOOL)


def _repeated(emit: Emitter, x: Value, query: Value) -> Value:
    """Let several heads of queries share one of keys or values."""
    *batch, heads, length, width = x.type.shape
    wanted = query.type.shape[-3]
    if not isinstance(heads, int) or not isinstance(wanted, int):
        raise emit.fail("shares heads whose number is not known", code="F004")
    spread = emit.reshape(x, (*batch, heads, 1, length, width))
    many = emit.expand(spread, (*batch, heads, wanted // heads, length, width))
    return emit.reshape(many, (*batch, wanted, length, width))
