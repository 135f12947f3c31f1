"""Depth to space and back as reshapes and transposes, for which Keras has no layer or function."""

from __future__ import annotations

from ....compiler.ops.shape import Reshape, Transpose
from ....compiler.ops.spatial import DepthToSpace, SpaceToDepth
from ....passes.lowerings.blocks import APART, blocks_to_channels
from .lowering import Build, lower

lower(SpaceToDepth)(blocks_to_channels)


@lower(DepthToSpace)
def channels_to_blocks(op: DepthToSpace, e: Build) -> None:
    """DepthToSpace with channels last and in the order ``dcr``: split, move blocks beside positions, merge."""
    if op.channels_last and op.mode == "dcr":
        n, rows, columns, _ = op.x.type.shape
        b, channels = op.block, op.result.type.shape[-1]
        apart = e(Reshape, op.x, (n, rows, columns, b, b, channels))
        e.replace(e(Reshape, e(Transpose, apart, APART), op.result.type.shape))
