"""Handlers of operators that resample or rearrange images."""

from __future__ import annotations

from ....compiler.dims import Dim
from ....compiler.ir import Value
from ....compiler.ops.spatial import DepthToSpace, Resize, SpaceToDepth
from ..emitter import Emitter
from ..registry import builtin


@builtin("RESIZE_BILINEAR", "ResizeBilinearOptions")
def resize_bilinear(
    emit: Emitter, x: Value, size: Value, *, align_corners: bool = False, half_pixel_centers: bool = False
) -> Value:
    """RESIZE_BILINEAR: linear interpolation along both axes of an image."""
    coordinates = "align_corners" if align_corners else "half_pixel" if half_pixel_centers else "asymmetric"
    return emit(Resize(x, (1, 2), _two(emit, x, size), "linear", coordinates))


@builtin("RESIZE_NEAREST_NEIGHBOR", "ResizeNearestNeighborOptions", integers="moved")
def resize_nearest_neighbor(
    emit: Emitter, x: Value, size: Value, *, align_corners: bool = False, half_pixel_centers: bool = False
) -> Value:
    """The nearest element along rows and columns, by the kernel's own rounding."""
    coordinates = "align_corners" if align_corners else "half_pixel_floor" if half_pixel_centers else "asymmetric"
    nearest = "round_prefer_ceil" if align_corners else "floor"
    return emit(Resize(x, (1, 2), _two(emit, x, size), "nearest", coordinates, nearest))


def _two(emit: Emitter, x: Value, size: Value) -> tuple[Dim, ...]:
    found = emit.dims(size, "size")
    if x.type.rank != 4 or len(found) != 2 or any(isinstance(d, int) and d < 1 for d in found):
        raise emit.fail(f"resizes {x.type} to {list(found)}", code="F006")
    return found


@builtin("DEPTH_TO_SPACE", "DepthToSpaceOptions", integers="moved")
def depth_to_space(emit: Emitter, x: Value, *, block_size: int = 0) -> Value:
    """Channels, which count (row, column, channel), to blocks."""
    return emit(DepthToSpace(x, emit.positive(block_size, "block size"), "dcr", True))


@builtin("SPACE_TO_DEPTH", "SpaceToDepthOptions", integers="moved")
def space_to_depth(emit: Emitter, x: Value, *, block_size: int = 0) -> Value:
    """Blocks to channels, which count (row, column, channel)."""
    return emit(SpaceToDepth(x, emit.positive(block_size, "block size"), True))
