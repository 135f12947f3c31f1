"""Lowerings of moving elements between channels and spatial axes."""

from __future__ import annotations

from ...compiler.lowering import Build
from ...compiler.ops.shape import Reshape, Transpose
from ...compiler.ops.spatial import DepthToSpace
from .registry import lower


@lower(DepthToSpace)
def pixel_shuffle(op: DepthToSpace, e: Build) -> None:
    """Channels that count (channel, row, column): one transpose of six axes does all."""
    if op.mode != "crd" or not op.channels_last:
        return
    n, h, w, c = op.x.type.shape
    b = op.block
    blocks = e(Reshape, op.x, (n, h, w, c // (b * b), b, b))
    e.replace(e.reshape(e(Transpose, blocks, (0, 1, 4, 2, 5, 3)), op.result.type.shape))
