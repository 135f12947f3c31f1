"""Matrix products."""

from __future__ import annotations

from ....compiler.dims import Shape
from ....compiler.fold import constant
from ....compiler.ir import Value
from ....compiler.ops import arith
from ....compiler.ops.activation import Clip
from ....compiler.ops.linear import Linear, MatMul
from ....compiler.ops.shape import BroadcastTo
from ..emitters.linear import MAX_BATCH_RANK
from ..lowering import Build, improve, lower
from ..quantization import is_weight

MAX_LINEAR_RANK = 6


@improve(MatMul)
def constant_matrix(op: MatMul, e: Build) -> None:
    """A constant right matrix is a fully connected layer: the weight is turned when it is written."""
    b = op.b.type.shape
    if constant(op.b) is None or op.transpose_a or any(d != 1 for d in b[:-2]) or not op.a.type.dtype.is_float:
        return
    flat = e.reshape(op.b, b[-2:])
    weight = flat if op.transpose_b else e.transpose(flat, (1, 0))
    e.replace(e(Linear, op.a, weight))


@lower(Linear)
def computed_weight(op: Linear, e: Build) -> None:
    """A product of two computed matrices, which XNNPACK runs."""
    if is_weight(op.w):
        return
    x = op.x if op.x.type.rank > 1 else e.reshape(op.x, (1, *op.x.type.shape))
    out = e.reshape(e(MatMul, x, op.w, transpose_b=True), op.result.type.shape)
    if op.bias is not None:
        out = e(arith.Add, out, op.bias)
    low, high = arith.ACTIVATIONS[op.activation]
    e.replace(out if op.activation == "none" else e(Clip, out, min=low, max=high))


@lower(Linear)
def fold_batch(op: Linear, e: Build) -> None:
    """One row, or more axes than the kernel keeps: as a matrix."""
    if not is_weight(op.w) or 2 <= op.x.type.rank <= MAX_LINEAR_RANK:
        return
    features = op.x.type.shape[-1]
    matrix = e.reshape(op.x, (e.product(op.x.type.shape[:-1]), features))
    e.replace(e.clone(op, matrix, op.w, op.bias))


@lower(MatMul)
def fold_batches(op: MatMul, e: Build) -> None:
    """More batch axes than the kernel has: they become one, repeated first where they broadcast."""
    if max(op.a.type.rank, op.b.type.rank) <= MAX_BATCH_RANK:
        return
    batch = op.result.type.shape[:-2]
    a, b = (_one_batch(v, batch, e) for v in (op.a, op.b))
    e.replace(e.clone(op, a, b))


def _one_batch(x: Value, batch: Shape, e: Build) -> Value:
    matrix = x.type.shape[-2:]
    if e.product(x.type.shape[:-2]) == 1:
        return e.reshape(x, matrix)
    whole = x if x.type.shape[:-2] == batch else e(BroadcastTo, x, (*batch, *matrix))
    return e.reshape(whole, (e.product(batch), *matrix))
