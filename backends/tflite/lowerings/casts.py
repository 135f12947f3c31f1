"""Conversions in a row."""

from __future__ import annotations

from ....compiler.ops.arith import Cast
from ....compiler.types import DType
from ..lowering import Build, improve
from .dtypes import WIDENED


@improve(Cast)
def drop_noop_cast(op: Cast, e: Build) -> None:
    """A conversion to the same type does nothing."""
    if op.to is op.x.type.dtype:
        e.replace(op.x)


@improve(Cast)
def merge_casts(op: Cast, e: Build) -> None:
    """Skip a type in between that holds every number of the first one.

    The way from f32 to a type that is computed in f32 and back is skipped too: not rounding in between is closer to
    the truth.
    """
    first = op.x.owner
    if not isinstance(first, Cast):
        return
    source, between = first.x.type.dtype, first.to
    if op.to is DType.STRING:
        return  # a text shows the type that it was made of
    if between.holds(source) or (source is DType.F32 is op.to and between in WIDENED):
        e.replace(e.clone(op, first.x))
