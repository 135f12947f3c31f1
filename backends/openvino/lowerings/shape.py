"""Data that is one number."""

from __future__ import annotations

from ....compiler.ir import Value
from ....compiler.ops.shape import BroadcastTo, Reshape, Slice, Split, Transpose
from .lowering import Build, improve


@improve(Reshape, Split, Slice, Transpose)
def repeat_at_once(op: Reshape | Split | Slice | Transpose, e: Build) -> None:
    """A repeated number that is cut or moved: repeated as often as is needed, such as first states of layers."""
    match op.x:
        case Value(BroadcastTo(x=x)) if x.type.size == 1:
            number = e.reshape(x, ())
            e.replace(*(e(BroadcastTo, number, r.type.shape) for r in op.results))
        case _:
            return
