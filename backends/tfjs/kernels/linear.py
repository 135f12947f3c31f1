"""Rows for matrix products: matrices of a stack are found by their number alone."""

from __future__ import annotations

from ....compiler.ops import linear as ir
from ...tensorflow.kernels.linear import batch_matmul, matmul, matrices, stacks
from ...tensorflow.table import condition
from ..table import emits, leave_out

leave_out(ir.MatMul)


@condition("as many matrices on either side, or one of them alone")
def _same_stacks(op: ir.MatMul) -> str | None:
    a, b = op.a.type.shape[:-2], op.b.type.shape[:-2]
    is_alike = a == b or all(size == 1 for size in a) or all(size == 1 for size in b)
    return None if is_alike else f"stacks of {list(a)} and {list(b)} matrices"


emits(ir.MatMul, "MatMul", when=(matrices,))(matmul)
emits(ir.MatMul, "BatchMatMulV2", when=(stacks, _same_stacks))(batch_matmul)
