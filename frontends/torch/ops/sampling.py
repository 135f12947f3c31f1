"""Reading images at positions that a grid gives."""

from __future__ import annotations

from ....compiler.ir import Value
from ...common.grid_sample import grid_sample_padding_taps
from ..emitter import Emitter
from ..registry import aten

MODES = ("linear", "nearest", "cubic")
PADDINGS = ("zeros", "border", "reflection")


@aten("grid_sampler", "grid_sampler_2d", "grid_sampler_3d")
def grid_sampler(
    emit: Emitter, x: Value, grid: Value, interpolation_mode: int, padding_mode: int, align_corners: bool
) -> Value:
    """Interpolate at the positions in ``grid``, whose last axis counts the spatial axes from the last one on."""
    sizes = [emit.value(size, grid.type.dtype) for size in x.type.shape[2:]]
    rules = (MODES[interpolation_mode], PADDINGS[padding_mode])
    return grid_sample_padding_taps(emit, x, grid, sizes, rules, align_corners=align_corners)
