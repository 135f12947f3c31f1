"""Conditions of rows about the broadcasting that their kernels do."""

from __future__ import annotations

from ...compiler.broadcasting import broadcasts, needs_fold, shapes_of
from ...compiler.ir import Op
from .table import condition

PORTABLE_RANK = 4
"""Broadcasting beyond it aborts the process in runtimes before LiteRT 2.3."""

MAX_BROADCAST_RANK = 8


@condition("broadcasting over at most 8 axes; more than 4 are folded where possible")
def fits(op: Op) -> str | None:
    """Condition of rows: broadcasting within what kernels take, folded where that can be."""
    shapes = shapes_of(op)
    if needs_fold(op, PORTABLE_RANK):
        return f"broadcasting over more than {PORTABLE_RANK} axes, which fold into fewer"
    if broadcasts(shapes) and max(map(len, shapes)) > MAX_BROADCAST_RANK:
        return f"broadcasting over more than {MAX_BROADCAST_RANK} axes"
    return None


@condition("equal shapes")
def same_shapes(op: Op) -> str | None:
    """Condition of rows whose kernels don't broadcast and don't check it."""
    return None if len(set(shapes_of(op))) == 1 else "operands of different shapes"
