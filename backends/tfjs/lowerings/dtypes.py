"""Integers of 64 bits that other lowerings count in: those of the network are of 32 bits by then."""

from __future__ import annotations

from ....compiler.fold import constant
from ....compiler.ir import Op
from ....compiler.ops import arith
from ....compiler.types import DType
from ....compiler.value_ranges import fits_i32
from ....passes.lowerings.dtypes import CONVERSIONS, compute_as
from .lowering import Build, lower


@lower(*CONVERSIONS, benefit=-1, general=True)
def count_in_i32(op: Op, e: Build) -> None:
    """TensorFlow.js gives positions and sizes as i32: convert them."""
    given = [v for v in op.operands if v is not None and v.type.dtype is DType.I64]
    if given and all(fits_i32(v) for v in given if constant(v) is not None):
        compute_as(op, {DType.I64: DType.I32}, e, arith.Cast)
