"""Rows for matrix products, linear layers and inverses of matrices."""

from __future__ import annotations

from ....compiler.ops import linear as ir
from ..table import FLOATS, Call, Nested, condition, emits
from .common import plain


@emits(ir.MatMul, "MatMul", dtypes=FLOATS)
def matmul(op: ir.MatMul) -> Call:
    """MatMul: either matrix may be transposed, and batch axes broadcast."""
    return Call(op.operands, {"transpose_a": op.transpose_a, "transpose_b": op.transpose_b})


@condition("features along the last axis")
def _along_last(op: ir.Linear) -> str | None:
    return None if op.is_along_last else f"features along axis {op.axis}"


@condition("no bias")
def _no_bias(op: ir.Linear) -> str | None:
    return None if op.bias is None else "a bias"


BY_ROWS = {"transpose_a": False, "transpose_b": True}


@emits(ir.Linear, "MatMul", dtypes=FLOATS, when=(plain, _along_last, _no_bias))
def product(op: ir.Linear) -> Call:
    """MatMul by the transposed weight, which has one row for each result, without a bias."""
    return Call((op.x, op.w), BY_ROWS)


@emits(ir.Linear, "Add", dtypes=FLOATS, when=(plain, _along_last))
def product_and_bias(op: ir.Linear) -> Call:
    """MatMul by a weight with one row for each result, then Add of the bias."""
    return Call((Nested("MatMul", op.result.type, (op.x, op.w), BY_ROWS), op.bias))


@emits(ir.Inverse, "Inverse", dtypes=FLOATS)
def inverse(op: ir.Inverse) -> Call:
    """Inverse of the square matrices in the last two axes, not their adjoint."""
    return Call((op.x,), {"adjoint": False})
