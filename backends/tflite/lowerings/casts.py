"""Merges conversions of element types that follow each other."""

from __future__ import annotations

from ....compiler.ops.arith import Cast
from ....compiler.types import DType
from ....passes.lowerings.conversions import drop_noop_cast, skip_wider_type
from ..lowering import Build, improve
from .dtypes import WIDENED

improve(Cast)(drop_noop_cast)


@improve(Cast)
def merge_casts(op: Cast, e: Build) -> None:
    """Skip a type in between that holds every number of the first one.

    The way from f32 to a type that is computed in f32 and back is skipped too: not rounding in between is closer to
    the truth.
    """
    first = op.x.owner
    if isinstance(first, Cast) and first.x.type.dtype is DType.F32 is op.to and first.to in WIDENED:
        e.replace(e.clone(op, first.x))
    else:
        skip_wider_type(op, e)
