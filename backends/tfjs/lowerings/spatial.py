"""Lowerings that move elements between channels and spatial axes."""

from __future__ import annotations

from ....compiler.ops.spatial import SpaceToDepth
from ....passes.lowerings.blocks import blocks_to_channels
from .lowering import lower

lower(SpaceToDepth)(blocks_to_channels)
