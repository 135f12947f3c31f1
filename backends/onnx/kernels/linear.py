"""Rows of the table for matrix products and linear layers."""

from __future__ import annotations

from ....compiler.fold import constant
from ....compiler.ops import linear as ir
from ..table import Call, condition, emits
from .common import plain, plainly, transposed


@condition("matrices as they are, or constant ones")
def _straight(op: ir.MatMul) -> str | None:
    for flag, value in ((op.transpose_a, op.a), (op.transpose_b, op.b)):
        if flag and constant(value) is None:
            return "a computed matrix that is transposed"
    return None


@emits(ir.MatMul, "MatMul", when=(_straight,))
def matmul(op: ir.MatMul) -> Call:
    """Constant matrices are transposed when they are written."""
    a = transposed(op.a) if op.transpose_a else op.a
    return Call((a, transposed(op.b) if op.transpose_b else op.b))


@condition("two matrices of floats without batches")
def _no_batches(op: ir.MatMul) -> str | None:
    if not op.a.type.dtype.is_float:
        return "integers, for which onnxruntime has no Gemm"
    return None if op.a.type.rank == op.b.type.rank == 2 else "batches of matrices"


@emits(ir.MatMul, "Gemm", when=(_no_batches,))
def transposed_matmul(op: ir.MatMul) -> Call:
    """Gemm of two matrices, either of which may be transposed."""
    flags = {"transA": op.transpose_a, "transB": op.transpose_b}
    return Call(op.operands, {name: 1 for name, is_set in flags.items() if is_set})


@condition("a matrix of floats")
def _matrix(op: ir.Linear) -> str | None:
    if not op.x.type.dtype.is_float:
        return "integers, for which onnxruntime has no Gemm"
    return None if op.x.type.rank == 2 and op.is_along_last else "other than the rows of a matrix"


@emits(ir.Linear, "Gemm", when=(plain, _matrix))
def gemm(op: ir.Linear) -> Call:
    """Gemm: a product of two matrices, with or without a bias."""
    return Call(op.operands if op.bias is not None else (op.x, op.w), {"transB": 1})


@condition("a constant weight without a bias, along the last axis")
def _weight(op: ir.Linear) -> str | None:
    if op.bias is not None or not op.is_along_last:
        return "a bias, or features along another axis than the last"
    return None if constant(op.w) is not None else "a weight that is computed"


@emits(ir.Linear, "MatMul", when=(plain, _weight))
def product(op: ir.Linear) -> Call:
    """The weight is transposed when it is written."""
    return Call((op.x, transposed(op.w)))


plainly({ir.Det: "Det"})
