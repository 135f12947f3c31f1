"""Rearranged images."""

from __future__ import annotations

from ....compiler.ops.shape import Reshape, Transpose
from ....compiler.ops.spatial import DepthToSpace, SpaceToDepth
from .lowering import Build, lower

APART = (0, 1, 3, 2, 4, 5)
"""Rows of blocks, columns of blocks, then what is in one; the same way back."""


@lower(SpaceToDepth)
def blocks_to_channels(op: SpaceToDepth, e: Build) -> None:
    """Axes of blocks come before the channels."""
    if op.channels_last:
        n, _, _, channels = op.x.type.shape
        b, (_, rows, columns, _) = op.block, op.result.type.shape
        apart = e(Reshape, op.x, (n, rows, b, columns, b, channels))
        e.replace(e(Reshape, e(Transpose, apart, APART), op.result.type.shape))


@lower(DepthToSpace)
def channels_to_blocks(op: DepthToSpace, e: Build) -> None:
    """Axes of blocks come after the rows and the columns."""
    if op.channels_last and op.mode == "dcr":
        n, rows, columns, _ = op.x.type.shape
        b, channels = op.block, op.result.type.shape[-1]
        apart = e(Reshape, op.x, (n, rows, columns, b, b, channels))
        e.replace(e(Reshape, e(Transpose, apart, APART), op.result.type.shape))
