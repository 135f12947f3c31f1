"""Bits of integers, for which there is arithmetic only."""

from __future__ import annotations

import numpy as np

from ....compiler.ir import Value
from ....compiler.ops import arith
from ....compiler.ops import logic as ir
from ....compiler.ops.index import Gather
from ....compiler.ops.reduce import Reduce
from ....compiler.types import DType
from .lowering import Build, lower

BITS = 31
"""Bits of an integer besides that of its sign."""


@lower(ir.BitwiseAnd)
def common_bits(op: ir.BitwiseAnd, e: Build) -> None:
    """Bits are remainders of quotients by powers of two; those of both add up, that of the sign below zero."""
    if op.result.type.dtype is not DType.I32:
        return
    powers = e.constant(np.left_shift(np.int32(1), np.arange(BITS, dtype=np.int32)))

    def bits(x: Value) -> Value:
        apart = e(arith.FloorDiv, e.reshape(x, (*x.type.shape, 1)), powers)
        return e(arith.Mod, apart, 2, truncated=False)

    both = e(arith.Mul, e(arith.Mul, bits(op.a), bits(op.b)), powers)
    low = e(Reduce, both, "sum", (both.type.rank - 1,), keepdims=False)
    is_negative = e(ir.LogicalAnd, e(ir.Less, op.a, 0), e(ir.Less, op.b, 0))
    e.replace(e(arith.Add, low, e(ir.Select, is_negative, e.number(-(1 << BITS), DType.I32), e.number(0, DType.I32))))


@lower(ir.BitwiseOr, ir.BitwiseXor, benefit=2)
def sum_without_common_bits(op: ir.BitwiseOr | ir.BitwiseXor, e: Build) -> None:
    """``a + b`` less the common bits, once for OR and twice for XOR."""
    if op.result.type.dtype is DType.I32:
        both = e(ir.BitwiseAnd, op.a, op.b)
        surplus = both if isinstance(op, ir.BitwiseOr) else e(arith.Add, both, both)
        e.replace(e(arith.Sub, e(arith.Add, op.a, op.b), surplus))


@lower(ir.ShiftRight)
def quotient_of_powers(op: ir.ShiftRight, e: Build) -> None:
    """Quotients by two powers of two, since the largest one is not an integer of 32 bits."""
    if op.result.type.dtype is DType.I32:
        half = e(arith.FloorDiv, op.b, 2)
        first = e(arith.FloorDiv, op.a, _power(half, e))
        e.replace(e(arith.FloorDiv, first, _power(e(arith.Sub, op.b, half), e)))


def _power(exponent: Value, e: Build) -> Value:
    powers = e.constant(np.left_shift(np.int32(1), np.arange(17, dtype=np.int32)))
    return e(Gather, powers, exponent, axis=0, wraps=False)
