"""Computes sums of many numbers of 16 bits in f32."""

from __future__ import annotations

from ....compiler.fold import constant
from ....compiler.ir import Op, Value
from ....compiler.ops import arith
from ....compiler.traits import Accumulates, Moves, ops_with
from ....compiler.types import DType
from ....passes.lowerings.dtypes import WIDER, compute_as
from .lowering import Build, improve, lower


@lower(*ops_with(Accumulates), benefit=6)
def sum_in_f32(op: Op, e: Build) -> None:
    """In single precision, as whole operations: kernels round every sum on the way."""
    found = {v.type.dtype for v in (*op.operands, *op.results) if v is not None} & WIDER.keys()
    if found:
        compute_as(op, dict.fromkeys(found, DType.F32), e, arith.Cast)


@improve(arith.Cast)
def skip_rounding(op: arith.Cast, e: Build) -> None:
    """From single precision to half and back, between two operations that compute in the former."""
    first = op.x.owner
    if isinstance(first, arith.Cast) and first.to in WIDER and first.x.type.dtype is op.to is DType.F32:
        e.replace(first.x)


@improve(arith.Cast)
def widen_before_moving(op: arith.Cast, e: Build) -> None:
    """What is rounded to half precision, only moved and then widened again is moved as it was before."""
    inner = op.x.owner
    if op.to is not DType.F32 or op.x.type.dtype not in WIDER or not op.x.has_one_use:
        return
    if inner is not None and inner.spec.has(Moves) and len(inner.results) == 1 and all(map(_was_f32, inner.operands)):
        operands = [v if v is None or v.type.dtype not in WIDER else e(arith.Cast, v, to=op.to) for v in inner.operands]
        e.replace(e.clone(inner, *operands))


def _was_f32(value: Value | None) -> bool:
    """Whether an operand is no half, or is one that was rounded or is constant."""
    if value is None or value.type.dtype not in WIDER or constant(value) is not None:
        return True
    return isinstance(value.owner, arith.Cast) and value.owner.x.type.dtype is DType.F32
