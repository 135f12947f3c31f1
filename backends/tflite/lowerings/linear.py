"""Lowerings of matrix products in which one matrix is constant."""

from __future__ import annotations

from ....compiler.constants import is_weight
from ....compiler.ops.linear import Linear, MatMul
from ....compiler.ops.shape import BroadcastTo
from ..lowering import Build, improve


@improve(MatMul, benefit=2)
def sum_of_nothing(op: MatMul, e: Build) -> None:
    """Rows without elements give zeros, which the kernels refuse to see."""
    if op.a.type.shape[-2 if op.transpose_a else -1] == 0:
        e.replace(e(BroadcastTo, e.number(0, op.result.type.dtype), op.result.type.shape))


@improve(MatMul)
def constant_matrix(op: MatMul, e: Build) -> None:
    """A constant right matrix is a fully connected layer: the weight is transposed when it is written."""
    b = op.b.type.shape
    if not is_weight(op.b) or op.transpose_a or any(d != 1 for d in b[:-2]) or not op.a.type.dtype.is_float:
        return
    flat = e.reshape(op.b, b[-2:])
    weight = flat if op.transpose_b else e.transpose(flat, (1, 0))
    e.replace(e(Linear, op.a, weight))
