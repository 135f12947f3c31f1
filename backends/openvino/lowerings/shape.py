"""Repetition: of a single number that is then cut or moved, and of tensors by computed numbers."""

from __future__ import annotations

from ....compiler.ir import Value
from ....compiler.ops.shape import BroadcastTo, Reshape, Slice, Split, Tile, Transpose
from .lowering import Build, improve, lower


@improve(Reshape, Split, Slice, Transpose)
def repeat_at_once(op: Reshape | Split | Slice | Transpose, e: Build) -> None:
    """A repeated number that is cut or moved: repeated as often as is needed, such as first states of layers."""
    match op.x:
        case Value(BroadcastTo(x=x)) if x.type.size == 1:
            number = e.reshape(x, ())
            e.replace(*(e(BroadcastTo, number, r.type.shape) for r in op.results))
        case _:
            return


@lower(Tile)
def repeat_along_new_axes(op: Tile, e: Build) -> None:
    """A Tile becomes a broadcast along a new axis before each one, and a reshape that merges both."""
    shape = op.x.type.shape
    rows = e.reshape(op.x, [d for size in shape for d in (1, size)])
    wide = [d for pair in zip(op.repeats, shape, strict=True) for d in pair]
    e.replace(e.reshape(e(BroadcastTo, rows, tuple(wide)), op.result.type.shape))
