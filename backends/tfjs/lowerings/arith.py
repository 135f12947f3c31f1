"""Lowerings of arithmetic that TensorFlow.js does not have."""

from __future__ import annotations

from ....compiler.ops import arith
from ....compiler.ops.logic import Less, LogicalAnd, NotEqual, Select
from ....passes.lowerings.activated import ENDING, split_activation
from ....passes.lowerings.conversions import drop_noop_cast, skip_wider_type
from ....passes.lowerings.quotients import quotient_cut
from .lowering import Build, improve, lower

lower(*ENDING, benefit=5)(split_activation)
lower(arith.Div)(quotient_cut)
improve(arith.Cast)(drop_noop_cast)
improve(arith.Cast)(skip_wider_type)


@lower(arith.Mod)
def remainder_of_sizes(op: arith.Mod, e: Build) -> None:
    """Of floats: the kernel adds the divisor to get its sign, and infinity minus itself is no number."""
    if not op.a.type.dtype.is_float or op.truncated:
        return
    zero = e.number(0, op.a.type.dtype)
    rest = e(arith.Mod, e(arith.Abs, op.a), e(arith.Abs, op.b), truncated=False)
    signed = e(Select, e(Less, op.a, zero), e(arith.Neg, rest), rest)
    differs = e(NotEqual, e(Less, signed, zero), e(Less, op.b, zero))
    turns = e(LogicalAnd, differs, e(NotEqual, signed, zero))
    e.replace(e(Select, turns, e(arith.Add, signed, op.b), signed))


@lower(arith.FloorDiv)
def quotient_without_rest(op: arith.FloorDiv, e: Build) -> None:
    """Of fractions: the remainder, which is exact, is taken away before."""
    if op.a.type.dtype.is_float:
        whole = e(arith.Sub, op.a, e(arith.Mod, op.a, op.b, truncated=False))
        e.replace(e(arith.Round, e(arith.Div, whole, op.b)))
