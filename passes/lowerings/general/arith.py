"""Arithmetic."""

from __future__ import annotations

import math

from ....compiler.ir import Op, Value
from ....compiler.lowering import Build
from ....compiler.opdef import OPS
from ....compiler.ops import arith as ir
from ....compiler.ops.activation import Clip, Relu
from ....compiler.ops.logic import Equal, Less, LogicalOr, Select
from .registry import lower

ENDING = tuple(cls for cls in OPS.values() if "activation" in cls.spec.attributes)
"""Operations that may end in an activation."""


def activated(x: Value, activation: str, e: Build) -> Value:
    """Apply an activation as an operation of its own."""
    low, high = ir.ACTIVATIONS[activation]
    if activation == "none":
        return x
    return e(Relu, x) if activation == "relu" else e(Clip, x, min=low, max=high)


@lower(*ENDING, benefit=5)
def split_activation(op: Op, e: Build) -> None:
    """An activation at the end is an operation of its own."""
    activation: str = op.attributes["activation"]
    if activation != "none":
        e.replace(activated(e.clone(op, *op.operands, activation="none"), activation, e))


@lower(ir.Atan2)
def atan2(op: ir.Atan2, e: Build) -> None:
    """The angle of the quotient, rotated by half a circle left of the origin; zeros have signs."""
    dtype = op.a.type.dtype
    half = e(Select, _is_negative(op.a, e), e.number(-math.pi, dtype), e.number(math.pi, dtype))
    angle = e(Select, e(Equal, op.a, e.number(0, dtype)), op.a, e(ir.Atan, e(ir.Div, op.a, op.b)))
    e.replace(e(Select, _is_negative(op.b, e), e(ir.Add, angle, half), angle))


def _is_negative(x: Value, e: Build) -> Value:
    """Whether a number has a sign: of minus zero the inverse tells."""
    zero = e.number(0, x.type.dtype)
    return e(LogicalOr, e(Less, x, zero), e(Less, e(ir.Reciprocal, x), zero))
