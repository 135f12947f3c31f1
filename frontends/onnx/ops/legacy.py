"""Operators as they were at version 6, where version 7 changed them: broadcasting was asked for by attributes."""

from __future__ import annotations

from ....compiler.ir import Op, Value
from ....compiler.ops import arith, logic
from ....compiler.ops.activation import PRelu
from ....compiler.ops.norm import BatchNorm
from ..emitter import Emitter
from ..registry import onnx_op
from .linear import gemm
from .random import dropout


def _aligned(emit: Emitter, a: Value, b: Value, axis: int | None) -> Value:
    """Return ``b`` so that its axes stand below those of ``a`` from ``axis`` on."""
    if axis is None:
        return b
    behind = a.type.rank - emit.axis(axis, a.type.rank) - b.type.rank
    if behind < 0:
        raise emit.fail(f"aligns {b.type} with axis {axis} of {a.type}", code="F002")
    return emit.reshape(b, (*b.type.shape, *[1] * behind))


def _register(name: str, op: type[Op]) -> None:
    @onnx_op(name, since=6, until=6)
    def handler(  # pyright: ignore[reportUnusedFunction] -- registered
        emit: Emitter, a: Value, b: Value, *, axis: int | None = None, broadcast: int = 0
    ) -> Value:
        return emit(op(a, _aligned(emit, a, b, axis) if broadcast else b))


for _name, _op in {
    "Add": arith.Add,
    "And": logic.LogicalAnd,
    "Div": arith.Div,
    "Equal": logic.Equal,
    "Greater": logic.Greater,
    "Less": logic.Less,
    "Mul": arith.Mul,
    "Or": logic.LogicalOr,
    "Pow": arith.Pow,
    "Sub": arith.Sub,
    "Xor": logic.LogicalXor,
}.items():
    _register(_name, _op)


@onnx_op("PRelu", since=6, until=6)
def prelu(emit: Emitter, x: Value, slope: Value) -> Value:
    """PRelu before operator set 9: one slope, or one per channel."""
    if slope.type.size != 1 and x.type.rank > 1:
        slope = emit.reshape(slope, (*slope.type.shape, *[1] * (x.type.rank - 2)))
    return emit(PRelu(x, slope))


@onnx_op("Gemm", since=6, until=6)
def gemm_asking(
    emit: Emitter,
    a: Value,
    b: Value,
    c: Value,
    *,
    alpha: float = 1.0,
    beta: float = 1.0,
    broadcast: int = 0,
    transA: int = 0,
    transB: int = 0,
) -> Value:
    """``alpha * a @ b + beta * c``."""
    return gemm(emit, a, b, c, alpha=alpha, beta=beta, transA=transA, transB=transB)


@onnx_op("BatchNormalization", since=6, until=6)
def batch_norm_testing(
    emit: Emitter,
    x: Value,
    scale: Value,
    b: Value,
    mean: Value,
    var: Value,
    *,
    epsilon: float = 1e-5,
    is_test: int = 0,
    momentum: float = 0.9,
    spatial: int = 1,
) -> Value:
    """As in inference, whatever ``is_test`` says: exporters left it out."""
    if not spatial:
        raise emit.fail("has statistics per element (spatial=0)")
    return emit(BatchNorm(x, scale, b, mean, var, epsilon))


@onnx_op("Dropout", since=6, until=6)
def dropout_testing(emit: Emitter, data: Value, *, is_test: int = 0, ratio: float = 0.5) -> tuple[Value, ...]:
    """Dropout before operator set 7: an identity, since nothing is dropped in inference."""
    return dropout(emit, data, ratio=ratio)
