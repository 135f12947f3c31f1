"""Element types that targets may lack, and those that have all their numbers."""

from __future__ import annotations

from ...compiler.types import DType

CARRIERS = {
    DType.BF16: DType.F32,
    DType.F8E4M3FN: DType.F32,
    DType.F8E4M3FNUZ: DType.F32,
    DType.F8E5M2: DType.F32,
    DType.F8E5M2FNUZ: DType.F32,
    DType.F8E8M0: DType.F32,
    DType.F4E2M1: DType.F32,
    DType.I2: DType.I8,
    DType.I4: DType.I8,
    DType.U2: DType.U8,
    DType.U4: DType.U8,
}
"""By type: the one that stands for it in a file of a target that lacks it."""
