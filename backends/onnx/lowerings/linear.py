"""Lowerings of matrix products and linear layers for ONNX."""

from __future__ import annotations

from ....compiler.fold import constant
from ....compiler.ir import Value
from ....compiler.ops import arith
from ....compiler.ops.linear import Linear, MatMul
from ....compiler.ops.shape import Reshape
from ...common.shapes import unknown
from .lowering import Build, improve, lower


@lower(Linear)
def add_bias(op: Linear, e: Build) -> None:
    """A product, then a sum: only that of matrices has a bias."""
    if op.bias is None or not op.is_along_last or op.x.type.rank == 2 or op.activation != "none":
        return
    e.replace(e(arith.Add, e.clone(op, op.x, op.w, None), op.bias))


@improve(Linear, benefit=2)
def rows_of_one_matrix(op: Linear, e: Build) -> None:
    """Where the result is reshaped anyway, all axes but the last as one: the product of two matrices has a bias."""
    users = [*op.result.users]
    if op.bias is None or op.x.type.rank == 2 or not op.is_along_last or op.activation != "none" or len(users) != 1:
        return
    (user,) = users
    if isinstance(user, Reshape) and unknown(user.shape) <= 1:
        *lead, features = op.x.type.shape
        rows = e.reshape(op.x, (e.product(lead), features))
        e.replace(e.reshape(e.clone(op, rows, op.w, op.bias), op.result.type.shape))


@lower(Linear)
def computed_weight(op: Linear, e: Build) -> None:
    """A linear layer whose weight is computed is a product of two matrices."""
    if op.bias is None and op.activation == "none" and op.is_along_last and constant(op.w) is None:
        x = op.x if op.x.type.rank > 1 else e.reshape(op.x, (1, *op.x.type.shape))
        e.replace(e.reshape(e(MatMul, x, op.w, transpose_b=True), op.result.type.shape))


@lower(MatMul)
def transpose_first(op: MatMul, e: Build) -> None:
    """MatMul transposes nothing: computed matrices are transposed before it."""
    a = _swapped(op.a, e) if op.transpose_a else op.a
    b = _swapped(op.b, e) if op.transpose_b else op.b
    if a is not op.a or b is not op.b:
        e.replace(e(MatMul, a, b))


def _swapped(x: Value, e: Build) -> Value:
    rank = x.type.rank
    return e.transpose(x, (*range(rank - 2), rank - 1, rank - 2))
