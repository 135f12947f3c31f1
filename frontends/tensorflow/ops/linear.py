"""Handlers of matrix products, Einstein sums, inverses and determinants of matrices."""

from __future__ import annotations

from ....compiler.ir import Value
from ....compiler.ops.linear import Det, Inverse, MatMul
from ....compiler.types import DType
from ...common import einsum as common
from ..emitter import Emitter
from ..registry import tf_op


@tf_op("MatMul")
def matmul(
    emit: Emitter,
    a: Value,
    b: Value,
    *,
    transpose_a: bool = False,
    transpose_b: bool = False,
    grad_a: bool = False,
    grad_b: bool = False,
) -> Value:
    """MatMul: the product of two matrices, either of which may be transposed."""
    return emit(MatMul(a, b, transpose_a, transpose_b))


@tf_op("BatchMatMul", "BatchMatMulV2")
def batch_matmul(
    emit: Emitter,
    x: Value,
    y: Value,
    *,
    adj_x: bool = False,
    adj_y: bool = False,
    grad_x: bool = False,
    grad_y: bool = False,
) -> Value:
    """BatchMatMul, and BatchMatMulV2, whose batch axes broadcast; either stack of matrices may be transposed."""
    return emit(MatMul(x, y, adj_x, adj_y))


@tf_op("BatchMatMulV3")
def batch_matmul_v3(
    emit: Emitter,
    x: Value,
    y: Value,
    *,
    Tout: DType,
    adj_x: bool = False,
    adj_y: bool = False,
    grad_x: bool = False,
    grad_y: bool = False,
) -> Value:
    """BatchMatMulV3: both operands are converted to ``Tout`` before they are multiplied."""
    return emit(MatMul(emit.cast(x, Tout), emit.cast(y, Tout), adj_x, adj_y))


@tf_op("Einsum")
def einsum(emit: Emitter, inputs: tuple[Value, ...], *, equation: str) -> Value:
    """Einsum: products and sums along named axes, of any number of operands."""
    return common.einsum(emit, inputs, equation)


@tf_op("MatrixInverse")
def matrix_inverse(emit: Emitter, input: Value, *, adjoint: bool = False) -> Value:
    """MatrixInverse of the matrices in the last two axes; ``adjoint`` transposes the result."""
    found = emit(Inverse(input))
    rank = input.type.rank
    return emit.transpose(found, (*range(rank - 2), rank - 1, rank - 2)) if adjoint else found


@tf_op("MatrixDeterminant")
def matrix_determinant(emit: Emitter, input: Value) -> Value:
    """MatrixDeterminant: determinants of the square matrices in the last two axes."""
    return emit(Det(input))
