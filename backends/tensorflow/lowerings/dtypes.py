"""Sums of many numbers of 16 bits."""

from __future__ import annotations

from ....compiler.ir import Op
from ....compiler.ops import activation, arith, index, norm, reduce, window
from ....compiler.types import DType
from ....passes.lowerings.dtypes import WIDER, compute_as
from .lowering import Build, lower

SUMS = (
    *(activation.Softmax, activation.LogSoftmax, index.CumSum, index.CumProd, reduce.Reduce),
    *(norm.LayerNorm, norm.RmsNorm, norm.GroupNorm, norm.LocalResponseNorm, window.AveragePool, window.LpPool),
)
"""Operations whose results are sums."""


@lower(*SUMS, benefit=6)
def sum_in_f32(op: Op, e: Build) -> None:
    """In single precision, as whole operations: kernels round every sum on the way."""
    found = {v.type.dtype for v in (*op.operands, *op.results) if v is not None} & WIDER.keys()
    if found:
        compute_as(op, {dtype: DType.F32 for dtype in found}, e, arith.Cast)
