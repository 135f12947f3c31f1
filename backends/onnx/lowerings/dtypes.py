"""Computing in another element type, where an operator takes that one only."""

from __future__ import annotations

from ....compiler.ir import Op
from ....compiler.ops import arith
from ....compiler.types import DType
from ....passes.lowerings.dtypes import CONVERSIONS, compute_as
from .lowering import Build, lower

WIDER = {DType.BF16: DType.F32, DType.F16: DType.F32}
"""Floating-point types that some operators came to take late, or do not take."""


@lower(*CONVERSIONS, benefit=-3, general=True)
def compute_in_f32(op: Op, e: Build) -> None:
    """Half precision in single precision: it has all of its numbers."""
    found = {v.type.dtype for v in (*op.operands, *op.results) if v is not None} & WIDER.keys()
    if found:
        compute_as(op, {dtype: WIDER[dtype] for dtype in found}, e, arith.Cast)
