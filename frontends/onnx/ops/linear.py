"""Handlers of matrix products, linear layers and determinants."""

from __future__ import annotations

from ....compiler.ir import Value
from ....compiler.ops.arith import Add, Mul
from ....compiler.ops.linear import Det, MatMul
from ...common.linear import matmul as product_of
from ..emitter import Emitter
from ..registry import onnx_op


@onnx_op("MatMul", since=7)
def matmul(emit: Emitter, a: Value, b: Value) -> Value:
    """A vector counts as one row on the left, as one column on the right."""
    return product_of(emit, a, b)


@onnx_op("Gemm", since=7, until=10)
def gemm_full(
    emit: Emitter,
    a: Value,
    b: Value,
    c: Value,
    *,
    alpha: float = 1.0,
    beta: float = 1.0,
    transA: int = 0,
    transB: int = 0,
) -> Value:
    """``alpha * a @ b + beta * c``."""
    return _gemm(emit, (a, b, c), (alpha, beta), (transA, transB))


@onnx_op("Gemm", since=11)
def gemm(
    emit: Emitter,
    a: Value,
    b: Value,
    c: Value | None = None,
    *,
    alpha: float = 1.0,
    beta: float = 1.0,
    transA: int = 0,
    transB: int = 0,
) -> Value:
    """``alpha * a @ b + beta * c``."""
    return _gemm(emit, (a, b, c), (alpha, beta), (transA, transB))


def _gemm(
    emit: Emitter, operands: tuple[Value, Value, Value | None], factors: tuple[float, float], flips: tuple[int, int]
) -> Value:
    a, b, c = operands
    alpha, beta = factors
    if a.type.rank != 2 or b.type.rank != 2:
        raise emit.fail(f"multiplies {a.type} by {b.type}, which are not matrices", code="T001")
    product = scaled(emit, emit(MatMul(a, b, bool(flips[0]), bool(flips[1]))), alpha)
    return product if c is None or beta == 0 else emit(Add(product, scaled(emit, c, beta)))


def scaled(emit: Emitter, x: Value, factor: float) -> Value:
    """Multiply a value by a number, unless that is one."""
    return x if factor == 1 else emit(Mul(x, emit.const(factor, x.type.dtype)))


@onnx_op("Det", since=11)
def det(emit: Emitter, x: Value) -> Value:
    """Det: determinants of a stack of square matrices."""
    return emit(Det(x))
