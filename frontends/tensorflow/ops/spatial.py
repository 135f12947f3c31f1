"""Resampling and rearranging images."""

from __future__ import annotations

from typing import Literal

from ....compiler.dims import Dim
from ....compiler.ir import Value
from ....compiler.ops.spatial import DepthToSpace, Resize, SpaceToDepth
from ....compiler.types import DType
from ..emitter import Emitter
from ..registry import tf_op


@tf_op("ResizeBilinear")
def resize_bilinear(
    emit: Emitter, images: Value, size: Value, *, align_corners: bool = False, half_pixel_centers: bool = False
) -> Value:
    """Linear along rows and columns; the result is always of 32 bits."""
    coordinates = "align_corners" if align_corners else "half_pixel" if half_pixel_centers else "asymmetric"
    x = emit.cast(images, DType.F32)
    return emit(Resize(x, (1, 2), _two(emit, x, size), "linear", coordinates))


@tf_op("ResizeNearestNeighbor")
def resize_nearest_neighbor(
    emit: Emitter, images: Value, size: Value, *, align_corners: bool = False, half_pixel_centers: bool = False
) -> Value:
    """The nearest element along rows and columns, by the kernel's own rounding."""
    coordinates = "align_corners" if align_corners else "half_pixel_floor" if half_pixel_centers else "asymmetric"
    nearest = "round_prefer_ceil" if align_corners else "floor"
    return emit(Resize(images, (1, 2), _two(emit, images, size), "nearest", coordinates, nearest))


def _two(emit: Emitter, x: Value, size: Value) -> tuple[Dim, ...]:
    found = emit.dims(size, "size")
    if x.type.rank != 4 or len(found) != 2 or any(isinstance(d, int) and d < 1 for d in found):
        raise emit.fail(f"resizes {x.type} to {list(found)}", code="F006")
    return found


@tf_op("DepthToSpace")
def depth_to_space(
    emit: Emitter, input: Value, *, block_size: int, data_format: Literal["NHWC", "NCHW"] = "NHWC"
) -> Value:
    """Channels, which count (row, column, channel), to blocks."""
    return emit(DepthToSpace(input, emit.positive(block_size, "block size"), "dcr", data_format == "NHWC"))


@tf_op("SpaceToDepth")
def space_to_depth(
    emit: Emitter, input: Value, *, block_size: int, data_format: Literal["NHWC", "NCHW"] = "NHWC"
) -> Value:
    """Blocks to channels, which count (row, column, channel)."""
    return emit(SpaceToDepth(input, emit.positive(block_size, "block size"), data_format == "NHWC"))
