"""Elementwise arithmetic with PyTorch's mixed operands."""

from __future__ import annotations

from ....compiler.ir import Op, Value
from ....compiler.ops import arith
from ..emitter import Emitter
from ..promotion import Number, Operand
from ..registry import aten


@aten("add.Tensor", "add.Scalar")
def add(emit: Emitter, x: Operand, other: Operand, alpha: Number = 1) -> Value:
    """Sum; the second operand times ``alpha``."""
    return _weighted(emit, arith.Add, x, other, alpha)


@aten("sub.Tensor", "sub.Scalar")
def sub(emit: Emitter, x: Operand, other: Operand, alpha: Number = 1) -> Value:
    """Difference; the second operand times ``alpha``."""
    return _weighted(emit, arith.Sub, x, other, alpha)


def _weighted(emit: Emitter, op: type[Op], x: Operand, other: Operand, alpha: Number) -> Value:
    a, b = emit.value(x, emit.dtype), emit.value(other, emit.dtype)
    if alpha != 1:
        b = emit(arith.Mul(b, emit.value(alpha, emit.dtype)))
    return emit(op(a, b))


@aten("mul.Tensor", "mul.Scalar")
def mul(emit: Emitter, x: Operand, other: Operand) -> Value:
    """Product."""
    return emit(arith.Mul(emit.value(x, emit.dtype), emit.value(other, emit.dtype)))
