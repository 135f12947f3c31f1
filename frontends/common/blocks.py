"""Space to depth with either order of channels, as exporters write it."""

from __future__ import annotations

from ...compiler.ir import Value
from ...compiler.ops.shape import Reshape, Transpose
from ...compiler.ops.spatial import SpaceToDepth
from ..emitter import BaseEmitter


def space_to_channels(emit: BaseEmitter, x: Value, block: int, *, channels_outermost: bool) -> Value:
    """Gather blocks of images into channels: all channels of a position together, or all positions of a channel."""
    blocks = emit(SpaceToDepth(x, block))
    if not channels_outermost:
        return blocks
    n, c, h, w = blocks.type.shape
    places = block * block
    split = emit(Reshape(blocks, (n, places, c // places, h, w)))
    return emit(Reshape(emit(Transpose(split, (0, 2, 1, 3, 4))), (n, c, h, w)))
