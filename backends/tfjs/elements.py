"""Element types: what TensorFlow.js has, and what carries the others."""

from __future__ import annotations

from ...compiler.types import DType
from ..common.carriers import CARRIERS

COMPUTED = {
    **dict.fromkeys((DType.BF16, DType.F16, DType.F64), DType.F32),
    **dict.fromkeys((DType.I64, DType.U32, DType.U64), DType.I32),
}
"""Types in which networks compute, and the one that does so instead."""

CARRIED = CARRIERS | COMPUTED
"""Types that the whole network has not, and the one that stands for each."""

SMALL = (DType.I8, DType.I16, DType.U8, DType.U16)
"""Integers whose numbers i32 holds: sums that overflow are cut when they become such again."""

NUMBERS = {
    DType.F32: 1,
    DType.BOOL: 10,
    DType.STRING: 7,
    DType.C64: 8,
    **dict.fromkeys((DType.I32, DType.I64, *SMALL), 3),
}
"""The number of TensorFlow's element type in which a file has elements of a type; sizes of 64 bits are of 32 here."""
