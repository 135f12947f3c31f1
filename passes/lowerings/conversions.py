"""Merges conversions of element types that follow each other."""

from __future__ import annotations

from ...compiler.lowering import Build
from ...compiler.ops.arith import Cast
from ...compiler.types import DType


def drop_noop_cast(op: Cast, e: Build) -> None:
    """A conversion to the same type does nothing."""
    if op.to is op.x.type.dtype:
        e.replace(op.x)


def skip_wider_type(op: Cast, e: Build) -> None:
    """Skip a type in between that holds every number of the first one."""
    first = op.x.owner
    if not isinstance(first, Cast) or op.to is DType.STRING:  # a text shows the type that it was made of
        return
    if first.to.holds(first.x.type.dtype):
        e.replace(e.clone(op, first.x))
