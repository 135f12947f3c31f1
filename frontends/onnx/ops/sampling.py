"""Handler of GridSample, which reads images at computed positions."""

from __future__ import annotations

from ....compiler.ir import Value
from ...common.grid_sample import grid_sample as sampled
from ..emitter import Emitter
from ..registry import onnx_op


@onnx_op("GridSample", since=16, until=19)
def grid_sample_images(
    emit: Emitter, x: Value, grid: Value, *, align_corners: int = 0, mode: str = "bilinear", padding_mode: str = "zeros"
) -> Value:
    """GridSample: images interpolated at the positions in ``grid``."""
    return grid_sample(emit, x, grid, align_corners=align_corners, mode=mode, padding_mode=padding_mode)


@onnx_op("GridSample", since=20)
def grid_sample(
    emit: Emitter, x: Value, grid: Value, *, align_corners: int = 0, mode: str = "linear", padding_mode: str = "zeros"
) -> Value:
    """Interpolate at the positions in ``grid``, whose last axis counts the spatial axes from the last one on."""
    return sampled(emit, x, grid, mode, padding_mode, align_corners=bool(align_corners))
