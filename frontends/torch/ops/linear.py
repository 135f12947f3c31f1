"""Handlers of products of matrices and vectors, of sums with them, and of linear layers."""

from __future__ import annotations

from ....compiler.dims import Dim
from ....compiler.ir import Value
from ....compiler.ops import arith
from ....compiler.ops import linear as ir
from ....compiler.ops.reduce import Reduce
from ..emitter import Emitter
from ..promotion import Number
from ..registry import aten


@aten("linear")
def linear(emit: Emitter, input: Value, weight: Value, bias: Value | None = None) -> Value:
    """``linear``: the last axis times the rows of the weight, ``input @ weight.T + bias``; either may be a vector."""
    if weight.type.rank == 1:
        y = matmul(emit, input, weight)
        return y if bias is None else emit(arith.Add(y, bias))
    if input.type.rank == 1:
        row = emit.reshape(input, (1, *input.type.shape))
        return emit.reshape(emit(ir.Linear(row, weight, bias)), weight.type.shape[:1])
    return emit(ir.Linear(input, weight, bias))


@aten("matmul", "mm", "bmm", "mv", "dot")
def matmul(emit: Emitter, x: Value, other: Value) -> Value:
    """Matrices in the last two axes; a vector is a row on the left and a column on the right."""
    left, right = x.type.rank == 1, other.type.rank == 1
    a = emit.reshape(x, (1, *x.type.shape)) if left else x
    b = emit.reshape(other, (*other.type.shape, 1)) if right else other
    y = emit(ir.MatMul(a, b))
    shape: list[Dim] = list(y.type.shape)
    if right:
        shape.pop()
    if left:
        shape.pop(-1 if right else -2)
    return emit.reshape(y, shape)


@aten("addmm")
def addmm(emit: Emitter, x: Value, mat1: Value, mat2: Value, *, beta: Number = 1, alpha: Number = 1) -> Value:
    """``addmm``: ``beta * x + alpha * (mat1 @ mat2)``; with a ``beta`` of 0, NaN in ``x`` does not count."""
    return _added(emit, x, matmul(emit, mat1, mat2), beta, alpha)


@aten("addmv")
def addmv(emit: Emitter, x: Value, mat: Value, vec: Value, *, beta: Number = 1, alpha: Number = 1) -> Value:
    """A scaled product of a matrix and a vector plus another scaled vector."""
    return _added(emit, x, matmul(emit, mat, vec), beta, alpha)


@aten("addbmm")
def addbmm(emit: Emitter, x: Value, batch1: Value, batch2: Value, *, beta: Number = 1, alpha: Number = 1) -> Value:
    """The sum of scaled products of matrices plus another scaled matrix."""
    total = emit(Reduce(matmul(emit, batch1, batch2), "sum", (0,), keepdims=False))
    return _added(emit, x, total, beta, alpha)


@aten("baddbmm")
def baddbmm(emit: Emitter, x: Value, batch1: Value, batch2: Value, *, beta: Number = 1, alpha: Number = 1) -> Value:
    """``baddbmm``: ``beta * x + alpha * (batch1 @ batch2)``, one product of matrices for each batch."""
    return _added(emit, x, matmul(emit, batch1, batch2), beta, alpha)


def _added(emit: Emitter, x: Value, product: Value, beta: Number, alpha: Number) -> Value:
    if beta == 0:
        return _scaled(emit, product, alpha)
    return emit(arith.Add(_scaled(emit, product, alpha), _scaled(emit, x, beta)))


def _scaled(emit: Emitter, x: Value, factor: Number) -> Value:
    return x if factor == 1 else emit(arith.Mul(x, emit.value(factor, x.type.dtype)))
