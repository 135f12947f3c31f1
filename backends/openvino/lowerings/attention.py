"""Attention in the form in which it is one operation."""

from __future__ import annotations

from ....compiler.ir import Value
from ....compiler.ops.activation import Softmax
from ....compiler.ops.linear import MatMul
from .lowering import Build, improve


@improve(MatMul)
def weights_first(op: MatMul, e: Build) -> None:
    """Values times weights: the weights times the values, the other way round."""
    match op.b:
        case Value(Softmax(axis=axis)) if op.transpose_b and op.b.has_one_use and axis == op.b.type.rank - 1:
            rank = op.result.type.rank
            if op.a.type.rank == op.b.type.rank == rank:
                product = e(MatMul, op.b, op.a, transpose_b=not op.transpose_a)
                e.replace(e.transpose(product, (*range(rank - 2), rank - 1, rank - 2)))
        case _:
            return
