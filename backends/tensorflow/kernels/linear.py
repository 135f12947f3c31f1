"""Rows of the table for matrix products and linear layers."""

from __future__ import annotations

from ....compiler.fold import constant
from ....compiler.ops import linear as ir
from ....compiler.types import Array
from ..table import Call, Nested, Operand, condition, emits
from .common import plain, precise, same

MATRIX = 2
"""Axes of a matrix."""


@condition("two matrices")
def matrices(op: ir.MatMul) -> str | None:
    """Condition: both operands are matrices, not stacks of matrices."""
    return None if op.a.type.rank == op.b.type.rank == MATRIX else "more axes, or fewer"


@emits(ir.MatMul, "MatMul", when=(matrices, precise))
def matmul(op: ir.MatMul) -> Call:
    """MatMul: two matrices, either of which may be transposed."""
    return Call((op.a, op.b), {"transpose_a": op.transpose_a, "transpose_b": op.transpose_b})


@condition("both of at least 2 axes")
def stacks(op: ir.MatMul) -> str | None:
    """Condition: a product of matrices, or of stacks of them."""
    return None if min(op.a.type.rank, op.b.type.rank) > 1 else "a vector"


@emits(ir.MatMul, "BatchMatMulV2", when=(stacks, precise))
def batch_matmul(op: ir.MatMul) -> Call:
    """BatchMatMulV2: either matrix may be transposed, and batch axes broadcast."""
    return Call((op.a, op.b), {"adj_x": op.transpose_a, "adj_y": op.transpose_b})


@condition("features along the last axis")
def _features_last(op: ir.Linear) -> str | None:
    return None if op.is_along_last else f"features along axis {op.axis}"


def _product(op: ir.Linear, operator: str, word: str) -> Call:
    """Call the product; a constant weight is transposed when it is written, so that it has the inputs' axis first."""
    weight = constant(op.w)
    if weight is None:
        inputs: tuple[Operand, ...] = (op.x, op.w)
        attributes = {word: True}
    else:
        rows, columns = op.w.type.shape
        inputs = (op.x, weight.derive(op.w.type.with_shape((columns, rows)), _transposed))
        attributes = {word: False}
    if op.bias is None:
        return Call(inputs, attributes)
    return Call((Nested(operator, op.result.type, inputs, attributes), op.bias), operator="BiasAdd")


def _transposed(array: Array) -> Array:
    return array.T


@emits(ir.Linear, "MatMul", ranks=range(MATRIX, MATRIX + 1), when=(plain, _features_last, precise))
def dense(op: ir.Linear) -> Call:
    """MatMul, and BiasAdd after it if there is a bias."""
    return _product(op, "MatMul", "transpose_b")


@emits(ir.Linear, "BatchMatMulV2", ranks=range(MATRIX + 1, 64), when=(plain, _features_last, precise))
def dense_in_batches(op: ir.Linear) -> Call:
    """Then the bias; leading axes stay what they are."""
    return _product(op, "BatchMatMulV2", "adj_y")


emits(ir.Det, "MatrixDeterminant", ranks=range(MATRIX, 64))(same)
emits(ir.Inverse, "MatrixInverse", ranks=range(MATRIX, 64))(same)
