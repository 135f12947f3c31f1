"""Rows for operations that resample or rearrange images."""

from __future__ import annotations

from ....compiler.ops import norm
from ....compiler.ops import spatial as ir
from ....compiler.types import DType
from ....passes.lowerings.resampling import kernel_mode
from ..table import Call, Dims, condition, emits
from .common import channels_last, last_axis, precise

IMAGES = range(4, 5)


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


@condition("elements of f32, which are what the kernel gives")
def _single(op: ir.Resize) -> str | None:
    return None if op.x.type.dtype is DType.F32 else f"elements of {op.x.type.dtype}"


def _resize(op: ir.Resize) -> Call:
    mode = kernel_mode(op)
    assert mode is not None
    flags = {"align_corners": mode == "align_corners", "half_pixel_centers": mode == "half_pixel"}
    return Call((op.x, Dims(op.sizes, dtype=DType.I32)), flags)


emits(
    ir.Resize,
    "ResizeBilinear",
    ranks=IMAGES,
    when=(_linear, _single, _rows_and_columns, _known_mode),
)(_resize)
emits(ir.Resize, "ResizeNearestNeighbor", ranks=IMAGES, when=(_nearest, _rows_and_columns, _known_mode))(_resize)


@condition("channels that count (row, column, channel)")
def _rows_first(op: ir.DepthToSpace) -> str | None:
    return None if op.mode == "dcr" else "channels that count (channel, row, column)"


@emits(ir.DepthToSpace, "DepthToSpace", ranks=IMAGES, when=(channels_last, _rows_first))
def depth_to_space(op: ir.DepthToSpace) -> Call:
    """DepthToSpace: moves blocks of channels to spatial positions."""
    return _blocks(op)


@emits(ir.SpaceToDepth, "SpaceToDepth", ranks=IMAGES, when=(channels_last,))
def space_to_depth(op: ir.SpaceToDepth) -> Call:
    """SpaceToDepth: moves blocks of spatial positions to channels."""
    return _blocks(op)


def _blocks(op: ir.DepthToSpace | ir.SpaceToDepth) -> Call:
    """Blocks of one element, which the kernels refuse, are nothing to do."""
    return Call((op.x,), {"block_size": op.block}) if op.block > 1 else Call((op.x,), operator="Identity")


@condition("an odd number of neighbours")
def _odd(op: norm.LocalResponseNorm) -> str | None:
    return None if op.size % 2 else "an even number of neighbours"


@emits(norm.LocalResponseNorm, "LRN", ranks=IMAGES, when=(last_axis, _odd, precise))
def local_response_norm(op: norm.LocalResponseNorm) -> Call:
    """The kernel's alpha is not divided by the number of neighbours."""
    numbers = {"bias": op.bias, "alpha": op.alpha / op.size, "beta": op.beta}
    return Call((op.x,), {"depth_radius": op.size // 2, **{name: float(n) for name, n in numbers.items()}})
