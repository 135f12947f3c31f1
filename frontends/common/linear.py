"""Matrix products of operands of any rank, vectors included."""

from __future__ import annotations

from ...compiler.ir import Value
from ...compiler.ops.linear import MatMul
from .operands import OperandEmitter


def matmul(emit: OperandEmitter, a: Value, b: Value, transpose_a: bool = False, transpose_b: bool = False) -> Value:
    """Multiply matrices; a vector counts as one row on the left, as one column on the right, whatever is transposed.

    Raises:
        CompileError: T001, an operand is a scalar.
    """
    if a.type.rank == 0 or b.type.rank == 0:
        raise emit.fail(f"multiplies {a.type} by {b.type}", code="T001")
    x = emit.reshape(a, (1, *a.type.shape)) if a.type.rank == 1 else a
    y = emit.reshape(b, (*b.type.shape, 1)) if b.type.rank == 1 else b
    product = emit(MatMul(x, y, transpose_a and a.type.rank > 1, transpose_b and b.type.rank > 1))
    *shape, rows, columns = product.type.shape
    kept = ([] if a.type.rank == 1 else [rows]) + ([] if b.type.rank == 1 else [columns])
    return emit.reshape(product, (*shape, *kept))
