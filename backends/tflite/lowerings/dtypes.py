"""Floating-point types that the runtime has few kernels for."""

from __future__ import annotations

from ....compiler.ir import Op, Value
from ....compiler.ops import arith
from ....compiler.ops.arith import BitCast, Cast
from ....compiler.ops.core import Const
from ....compiler.ops.quantize import Dequantize
from ....compiler.traits import Moves, ops_with
from ....compiler.types import DType
from ....passes.lowerings.dtypes import CONVERSIONS, compute_as
from ..lowering import Build, improve

WIDENED = {DType.F16: DType.F32, DType.F64: DType.F32}
"""Floating-point types that kernels lack, and the one that they have."""

IN_F64 = (*ops_with(Moves), arith.Add, arith.Sub, arith.Mul, arith.Neg, arith.Max, arith.Min)
"""What is done in f64 as long as no number comes from f32: there are kernels, and f32 has a smaller range."""


@improve(*CONVERSIONS, benefit=2)
def compute_in_f32(op: Op, e: Build) -> None:
    """What TFLite has no kernels for is converted at once, before anything is decomposed."""
    values = (*op.operands[isinstance(op, Dequantize) :], *op.results)  # a kernel widens what is dequantized
    found = {v.type.dtype for v in values if v is not None} & WIDENED.keys()
    if found and not (found == {DType.F64} and stays_f64(op) and not any(map(_was_f32, op.operands))):
        compute_as(op, {dtype: WIDENED[dtype] for dtype in found}, e, Cast)


def stays_f64(op: Op) -> bool:
    """Whether an operation can run in f64, and no user needs its results in f32."""
    return _has_f64(op) and all(_has_f64(user) or user.spec.is_terminator for r in op.results for user in r.users)


def _has_f64(op: Op) -> bool:
    return isinstance(op, (*IN_F64, Cast, BitCast, Const)) and op.attributes.get("activation", "none") == "none"


def _was_f32(value: Value | None) -> bool:
    return value is not None and isinstance(value.owner, Cast) and value.owner.x.type.dtype is DType.F32
