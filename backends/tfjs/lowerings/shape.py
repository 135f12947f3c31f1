"""Data that is repeated."""

from __future__ import annotations

from ....compiler.ops.shape import BroadcastTo, Tile
from .lowering import Build, lower


@lower(BroadcastTo)
def repeat_maybe_never(op: BroadcastTo, e: Build) -> None:
    """What may have no elements is repeated, which may be done no times at all."""
    shape = op.x.type.shape
    whole = (*[1] * (len(op.shape) - len(shape)), *shape)
    repeats = tuple(d if own == 1 else 1 for own, d in zip(whole, op.shape, strict=True))
    e.replace(e(Tile, e.reshape(op.x, whole), repeats))
