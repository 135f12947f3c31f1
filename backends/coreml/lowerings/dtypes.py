"""Integers of 64 bits that other lowerings count in: those of the network are of 32 bits by then."""

from __future__ import annotations

from ....compiler.fold import constant
from ....compiler.ir import Op
from ....compiler.ops import arith
from ....compiler.ops.index import NonZero
from ....compiler.ops.shape import Range
from ....compiler.types import DType
from ....compiler.value_ranges import fits_i32
from ....passes.lowerings.dtypes import CONVERSIONS, compute_as
from .lowering import Build, lower


@lower(NonZero)
def find_in_i32(op: NonZero, e: Build) -> None:
    """Find positions in 32 bits: MIL has no integers of 64."""
    if op.dtype is DType.I64:
        found = e(NonZero, op.x, op.count, DType.I32, rows=op.rows)
        e.replace(e(arith.Cast, found, to=DType.I64))


@lower(Range)
def count_steps(op: Range, e: Build) -> None:
    """Other numbers than integers of 32 bits, and ends that are computed: positions times the step, plus the start."""
    places = e(Range, e.number(0, DType.I32), e.number(1, DType.I32), op.size)
    dtype = op.start.type.dtype
    places = places if dtype is DType.I32 else e(arith.Cast, places, to=dtype)
    e.replace(e(arith.Add, e(arith.Mul, places, op.step), op.start))


@lower(*CONVERSIONS, benefit=-1, general=True)
def count_in_i32(op: Op, e: Build) -> None:
    """Give positions and sizes in 32 bits, and convert what reads 64."""
    given = [v for v in op.operands if v is not None and v.type.dtype is DType.I64]
    if given and all(fits_i32(v) for v in given if constant(v) is not None):
        compute_as(op, {DType.I64: DType.I32}, e, arith.Cast)
