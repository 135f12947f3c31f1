"""Rows for matrix products."""

from __future__ import annotations

from ....compiler.constants import is_weight
from ....compiler.ops import linear as ir
from ....compiler.types import DType
from ..table import Call, Quantizable, condition, emits, options
from .common import activation


@condition("a constant weight")
def _constant_weight(op: ir.Linear) -> str | None:
    return None if is_weight(op.w) else "a weight that is computed; BATCH_MATMUL is five times as fast"


@condition("features along the last axis")
def _features_last(op: ir.Linear) -> str | None:
    return None if op.is_along_last else f"features along axis {op.axis}; BATCH_MATMUL takes them so"


@emits(
    ir.Linear,
    "FULLY_CONNECTED",
    dtypes=Quantizable(version=4, weight="w", bias="bias"),
    ranks=range(2, 7),
    when=(_constant_weight, _features_last),
    kernel="fully_connected.cc",
)
def fully_connected(op: ir.Linear) -> Call:
    """Leading axes stay what they are; a missing bias is a third operand left out, which old runtimes know."""
    keep = op.x.type.rank > 2
    given = options("FullyConnectedOptions", fusedActivationFunction=activation(op), keepNumDims=keep)
    return Call((op.x, op.w, op.bias), given, 5 if keep else 1)


@condition("both of at most 5 axes")
def _ranks(op: ir.MatMul) -> str | None:
    ranks = (op.a.type.rank, op.b.type.rank)
    return None if max(ranks) <= MAX_BATCH_RANK else f"matrices in tensors of more than {MAX_BATCH_RANK} axes"


MAX_BATCH_RANK = 5


@emits(
    ir.MatMul,
    "BATCH_MATMUL",
    dtypes=Quantizable(is_product=True, types=frozenset({DType.I8})),
    ranks=range(2, MAX_BATCH_RANK + 1),
    when=(_ranks,),
    kernel="batch_matmul.cc",
)
def batch_matmul(op: ir.MatMul) -> Call:
    """Either matrix transposed, batches broadcasting."""
    return Call((op.a, op.b), options("BatchMatMulOptions", adjX=op.transpose_a, adjY=op.transpose_b))
