"""Space to depth and back as reshapes and transposes, for any target."""

from __future__ import annotations

from ...compiler.lowering import Build
from ...compiler.ops.shape import Reshape, Transpose
from ...compiler.ops.spatial import SpaceToDepth

APART = (0, 1, 3, 2, 4, 5)
"""Rows of blocks, columns of blocks, then what is in one; the same way back."""


def blocks_to_channels(op: SpaceToDepth, e: Build) -> None:
    """Cut both spatial axes into blocks, and move their positions before the channels."""
    if op.channels_last:
        n, _, _, channels = op.x.type.shape
        b, (_, rows, columns, _) = op.block, op.result.type.shape
        apart = e(Reshape, op.x, (n, rows, b, columns, b, channels))
        e.replace(e(Reshape, e(Transpose, apart, APART), op.result.type.shape))
