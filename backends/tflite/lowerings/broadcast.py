"""Repeats operands for kernels that do not broadcast."""

from __future__ import annotations

from ....compiler.dims import Dim
from ....compiler.ir import Value
from ....compiler.ops.arith import Add, Atan2, Max, Min, Mul
from ....compiler.ops.logic import BitwiseAnd
from ....compiler.ops.shape import BroadcastTo
from ....compiler.types import DType
from ..broadcast import same_shapes
from ..lowering import Build, lower


@lower(Atan2, BitwiseAnd, Add, Mul, Max, Min)
def repeat_operands(op: Atan2 | BitwiseAnd | Add | Mul | Max | Min, e: Build) -> None:
    """The kernel does not broadcast: those of f64 don't, nor some others."""
    if isinstance(op, Add | Mul | Max | Min) and op.a.type.dtype is not DType.F64:
        return
    shape = op.result.type.shape
    if same_shapes(op) is not None and op.a.type.dtype is op.b.type.dtype:
        e.replace(e.clone(op, *(_broadcast(v, shape, e) for v in (op.a, op.b))))


def _broadcast(value: Value, shape: tuple[Dim, ...], e: Build) -> Value:
    return value if value.type.shape == shape else e(BroadcastTo, value, shape)
