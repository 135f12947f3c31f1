"""Pooling regions of images, whose corners are data: RoiAlign and MaxRoiPool."""

from __future__ import annotations

from typing import Annotated

from ....compiler.ir import Value
from ...common.regions import Grid
from ...common.regions import max_roi_pool as largest_of_regions
from ...common.regions import roi_align as sampled_regions
from ..emitter import Emitter
from ..registry import Since, onnx_op


@onnx_op("RoiAlign", since=10)
def roi_align(
    emit: Emitter,
    x: Value,
    rois: Value,
    batch_indices: Value,
    *,
    coordinate_transformation_mode: Annotated[str, Since(16)] = "half_pixel",
    mode: str = "avg",
    output_height: int = 1,
    output_width: int = 1,
    sampling_ratio: int = 0,
    spatial_scale: float = 1.0,
) -> Value:
    """Mean or maximum of interpolated samples in each cell of a grid that is laid over each region.

    Without a ``sampling_ratio`` each region has its own number of samples: about one per pixel.
    """
    half = emit.version >= 16 and coordinate_transformation_mode == "half_pixel"
    how = Grid((output_height, output_width), sampling_ratio, mode, spatial_scale, half)
    return sampled_regions(emit, x, rois, batch_indices, how)


@onnx_op("MaxRoiPool", since=7)
def max_roi_pool(
    emit: Emitter, x: Value, rois: Value, *, pooled_shape: tuple[int, ...], spatial_scale: float = 1.0
) -> Value:
    """The largest pixel in each cell of a grid that is laid over each region ``image, x1, y1, x2, y2``; 0 if none is.

    A loop takes one pixel of each cell per iteration.
    """
    return largest_of_regions(emit, x, rois, pooled_shape, spatial_scale)
