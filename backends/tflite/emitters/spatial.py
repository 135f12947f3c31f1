"""Rows for operations that resample or rearrange images."""

from __future__ import annotations

from dataclasses import replace

from ....compiler.ops import norm
from ....compiler.ops import spatial as ir
from ....compiler.scales import WIDE
from ....passes.lowerings.resampling import kernel_mode
from ..table import Call, Dims, Quantizable, condition, emits, options
from .common import by_type


@condition("axes 1 and 2")
def _rows_and_columns(op: ir.Resize) -> str | None:
    return None if op.dims == (1, 2) else f"axes {list(op.dims)}; the kernel resizes axes 1 and 2"


@condition("mode linear")
def _linear(op: ir.Resize) -> str | None:
    return None if op.mode == "linear" else f"mode {op.mode}"


@condition("mode nearest")
def _nearest(op: ir.Resize) -> str | None:
    return None if op.mode == "nearest" else f"mode {op.mode}"


@condition("positions that one of the kernel modes gives")
def _known_mode(op: ir.Resize) -> str | None:
    return None if kernel_mode(op) is not None else f"positions as {op.coordinates} and {op.nearest} give them"


def _resize(op: ir.Resize, table: str) -> Call:
    mode = kernel_mode(op)
    assert mode is not None
    flags = {"alignCorners": mode == "align_corners", "halfPixelCenters": mode == "half_pixel"}
    bilinear = table == "ResizeBilinearOptions"
    newer = mode == "half_pixel" if bilinear else mode != "asymmetric"
    return Call((op.x, Dims(op.sizes)), options(table, **flags), 3 if newer else 1)


@emits(
    ir.Resize,
    "RESIZE_BILINEAR",
    dtypes=Quantizable(keeps_scale=True, types=WIDE, version16=4),
    ranks=range(4, 5),
    when=(_linear, _rows_and_columns, _known_mode),
    kernel="resize_bilinear.cc",
)
def resize_bilinear(op: ir.Resize) -> Call:
    """RESIZE_BILINEAR: linear interpolation along both axes of an image."""
    return _resize(op, "ResizeBilinearOptions")


@emits(
    ir.Resize,
    "RESIZE_NEAREST_NEIGHBOR",
    dtypes="f32 i8 u8 i16",
    ranks=range(4, 5),
    when=(_nearest, _rows_and_columns, _known_mode),
    kernel="resize_nearest_neighbor.cc",
)
def resize_nearest(op: ir.Resize) -> Call:
    """RESIZE_NEAREST_NEIGHBOR: the nearest element along both axes of an image."""
    given = _resize(op, "ResizeNearestNeighborOptions")
    return replace(given, version=max(given.version, by_type(op.x, i8=2, i16=4)))


@condition("channels last")
def _channels_last(op: ir.DepthToSpace | ir.SpaceToDepth) -> str | None:
    return None if op.channels_last else "channels on axis 1; the kernel has them last"


@condition("channels that count (row, column, channel)")
def _rows_first(op: ir.DepthToSpace) -> str | None:
    return None if op.mode == "dcr" else "channels that count (channel, row, column)"


@emits(
    ir.DepthToSpace,
    "DEPTH_TO_SPACE",
    dtypes="f32 i8 i32 i64 u8",
    ranks=range(4, 5),
    when=(_channels_last, _rows_first),
    kernel="depth_to_space.cc",
)
def depth_to_space(op: ir.DepthToSpace) -> Call:
    """DEPTH_TO_SPACE: moves blocks of channels to spatial positions."""
    return Call((op.x,), options("DepthToSpaceOptions", blockSize=op.block), by_type(op.x, i8=2))


@emits(
    ir.SpaceToDepth,
    "SPACE_TO_DEPTH",
    dtypes="f32 i8 i32 i64 u8",
    ranks=range(4, 5),
    when=(_channels_last,),
    kernel="space_to_depth.cc",
)
def space_to_depth(op: ir.SpaceToDepth) -> Call:
    """SPACE_TO_DEPTH: moves blocks of spatial positions to channels."""
    return Call((op.x,), options("SpaceToDepthOptions", blockSize=op.block), by_type(op.x, i8=2))


@condition("an odd number of neighbours")
def _odd(op: norm.LocalResponseNorm) -> str | None:
    return None if op.size % 2 else "an even number of neighbours"


@condition("along the last axis")
def _last_axis(op: norm.LocalResponseNorm) -> str | None:
    return None if op.axis == op.x.type.rank - 1 else "channels on another axis than the last"


@emits(
    norm.LocalResponseNorm,
    "LOCAL_RESPONSE_NORMALIZATION",
    dtypes="f32",
    ranks=range(4, 5),
    when=(_last_axis, _odd),
    kernel="local_response_norm.cc",
)
def local_response_norm(op: norm.LocalResponseNorm) -> Call:
    """The kernel's alpha is not divided by the number of neighbours."""
    given = options(
        "LocalResponseNormalizationOptions",
        radius=op.size // 2,
        bias=op.bias,
        alpha=op.alpha / op.size,
        beta=op.beta,
    )
    return Call((op.x,), given)
