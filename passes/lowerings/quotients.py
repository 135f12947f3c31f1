"""Quotients of integers for targets that round them down."""

from __future__ import annotations

from ...compiler.lowering import Build
from ...compiler.ops import arith


def quotient_cut(op: arith.Div, e: Build) -> None:
    """Of integers, towards zero: the quotient of what has no sign, with the sign of both."""
    dtype = op.a.type.dtype
    if not dtype.is_int or op.activation != "none":
        return
    if dtype.value.startswith("u"):
        e.replace(e(arith.FloorDiv, op.a, op.b))
        return
    whole = e(arith.FloorDiv, e(arith.Abs, op.a), e(arith.Abs, op.b))
    e.replace(e(arith.Mul, whole, e(arith.Mul, e(arith.Sign, op.a), e(arith.Sign, op.b))))
