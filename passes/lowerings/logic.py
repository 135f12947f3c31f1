"""Lowerings of logic and of bit operations without a kernel."""

from __future__ import annotations

import math

import numpy as np

from ...compiler.ir import Op
from ...compiler.lowering import Build
from ...compiler.ops import arith
from ...compiler.ops import logic as ir
from ...compiler.ops.index import Gather
from ...compiler.types import DType
from .registry import lower

TRUTH: dict[type[Op], type[Op]] = {
    ir.BitwiseAnd: ir.LogicalAnd,
    ir.BitwiseOr: ir.LogicalOr,
    ir.BitwiseXor: ir.LogicalXor,
    ir.BitwiseNot: ir.LogicalNot,
}


@lower(*TRUTH, benefit=2)
def bits_of_truth_values(op: Op, e: Build) -> None:
    """Bit operations on booleans are logical operations, since a boolean has one bit."""
    if op.results[0].type.dtype is DType.BOOL:
        e.replace(e(TRUTH[type(op)], *op.operands))


WIDE = (DType.I64, DType.U64)


@lower(ir.BitwiseOr)
def bitwise_or(op: ir.BitwiseOr, e: Build) -> None:
    """``a + b - (a & b)``: bits that both have are counted once."""
    both = e(ir.BitwiseAnd, op.a, op.b)
    if op.result.type.dtype in WIDE:
        e.replace(e(arith.Sub, e(arith.Add, op.a, op.b), both))
    else:
        e.replace(e(ir.BitwiseXor, e(ir.BitwiseXor, op.a, op.b), both))


@lower(ir.BitwiseXor)
def bitwise_xor(op: ir.BitwiseXor, e: Build) -> None:
    """What is in both is not counted: BITWISE_XOR has no i64."""
    if op.result.type.dtype in WIDE:
        both = e(ir.BitwiseAnd, op.a, op.b)
        e.replace(e(arith.Sub, e(arith.Add, op.a, op.b), e(arith.Mul, both, 2)))


@lower(ir.BitwiseNot)
def bitwise_not(op: ir.BitwiseNot, e: Build) -> None:
    """``-1 - x``, or a comparison with all bits set."""
    if op.x.type.dtype in (DType.I32, DType.I64):
        e.replace(e(arith.Sub, e.number(-1, op.x.type.dtype), op.x))
    else:
        ones = np.invert(np.zeros((), op.x.type.dtype.numpy))
        e.replace(e(ir.BitwiseXor, op.x, e.constant(ones)))


@lower(ir.ShiftLeft)
def shift_left(op: ir.ShiftLeft, e: Build) -> None:
    """A product with a power of two, taken from a table."""
    dtype = op.a.type.dtype
    if dtype not in (DType.I32, DType.I64):
        return
    powers = np.left_shift(np.asarray(1, dtype.numpy), np.arange(dtype.bits, dtype=dtype.numpy))
    e.replace(e(arith.Mul, op.a, e(Gather, e.constant(powers), op.b, axis=0)))


@lower(ir.IsInf)
def is_inf(op: ir.IsInf, e: Build) -> None:
    """Equal to infinity, of either sign or of one."""
    if op.negative and op.positive:
        e.replace(e(ir.Equal, e(arith.Abs, op.x), math.inf))
    elif op.negative or op.positive:
        e.replace(e(ir.Equal, op.x, math.inf if op.positive else -math.inf))
    else:
        e.replace(e(ir.NotEqual, e(ir.Equal, op.x, op.x), e(ir.Equal, op.x, op.x)))
