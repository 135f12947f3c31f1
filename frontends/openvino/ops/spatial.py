"""Resampling, and moving positions into channels and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from ....compiler.dims import Dim, exact_div
from ....compiler.ir import Value
from ....compiler.ops import spatial as ir
from ...common.blocks import space_to_channels
from ...common.grid_sample import grid_sample_padding_taps
from ...common.resize import by_scales, resize
from ...slicing import pad
from ..emitter import Emitter
from ..registry import openvino_op

Coordinates = Literal["half_pixel", "pytorch_half_pixel", "asymmetric", "tf_half_pixel_for_nn", "align_corners"]
Nearest = Literal["round_prefer_floor", "round_prefer_ceil", "floor", "ceil", "simple"]
Sizes = tuple[int, ...]


@openvino_op("Interpolate", until=3)
def interpolate_axes(
    emit: Emitter,
    x: Value,
    shape: Value,
    *,
    axes: Sizes,
    mode: Literal["nearest", "linear", "cubic", "area"],
    align_corners: bool = True,
    antialias: bool = False,
    pads_begin: Sizes = (),
    pads_end: Sizes = (),
) -> Value:
    """Resample some axes to sizes; without corners that are aligned, from the first position on."""
    if mode == "area":
        raise emit.fail("takes means over areas")
    x = _padded(emit, x, pads_begin, pads_end)
    coordinates = "align_corners" if align_corners else "asymmetric"
    fields = _fields(mode, coordinates, "simple", -0.75)
    along = emit.axes(axes, x.type.rank)
    return _to_sizes(emit, x, along, emit.dims(shape, "shape"), fields)


@openvino_op("Interpolate", since=4, until=10)
def interpolate(
    emit: Emitter,
    x: Value,
    shape: Value,
    scales: Value,
    axes: Value | None = None,
    *,
    mode: Literal["nearest", "linear", "linear_onnx", "cubic"],
    shape_calculation_mode: Literal["sizes", "scales"],
    coordinate_transformation_mode: Coordinates = "half_pixel",
    nearest_mode: Nearest = "round_prefer_floor",
    antialias: bool = False,
    pads_begin: Sizes = (0,),
    pads_end: Sizes = (0,),
    cube_coeff: float = -0.75,
) -> Value:
    """Interpolate in operation sets 4 to 10: axes resampled to sizes or by factors, which are both operands."""
    x = _padded(emit, x, pads_begin, pads_end)
    along = _along(emit, x, axes)
    fields = _fields(mode, coordinate_transformation_mode, nearest_mode, cube_coeff)
    if shape_calculation_mode == "sizes":
        return _to_sizes(emit, x, along, emit.dims(shape, "shape"), fields)
    return _by_factors(emit, x, along, emit.array(scales, "scales").reshape(-1).tolist(), fields)


@openvino_op("Interpolate", since=11)
def interpolate_pillow(
    emit: Emitter,
    x: Value,
    target: Value,
    axes: Value | None = None,
    *,
    mode: Literal["nearest", "linear", "linear_onnx", "cubic", "bilinear_pillow", "bicubic_pillow"],
    shape_calculation_mode: Literal["sizes", "scales"],
    coordinate_transformation_mode: Coordinates = "half_pixel",
    nearest_mode: Nearest = "round_prefer_floor",
    antialias: bool = False,
    pads_begin: Sizes = (0,),
    pads_end: Sizes = (0,),
    cube_coeff: float = -0.75,
) -> Value:
    """Resample some axes to sizes or by factors; also as the Pillow library does."""
    x = _padded(emit, x, pads_begin, pads_end)
    along = _along(emit, x, axes)
    if mode.endswith("_pillow"):
        plain = "linear" if mode.startswith("bilinear") else "cubic"
        fields = _fields(plain, "half_pixel", "floor", cube_coeff) | {"antialias": True, "exclude_outside": True}
    else:
        fields = _fields(mode, coordinate_transformation_mode, nearest_mode, cube_coeff)
    if shape_calculation_mode == "sizes":
        return _to_sizes(emit, x, along, emit.dims(target, "sizes"), fields)
    return _by_factors(emit, x, along, emit.array(target, "scales").reshape(-1).tolist(), fields)


def _along(emit: Emitter, x: Value, axes: Value | None) -> tuple[int, ...]:
    return tuple(range(x.type.rank)) if axes is None else emit.axes(emit.ints(axes, "axes"), x.type.rank)


def _padded(emit: Emitter, x: Value, begin: Sizes, end: Sizes) -> Value:
    """Pad with zeros before resampling; numbers that are missing are zero."""
    rank = x.type.rank
    low, high = ((*side, *[0] * (rank - len(side)))[:rank] for side in (begin, end))
    return pad(emit, x, low, high, "constant")


def _fields(mode: str, coordinates: str, nearest: str, cubic: float) -> dict[str, Any]:
    """Return the attributes of a resize; OpenVINO takes no notice of ``antialias``."""
    return {
        "mode": {"linear_onnx": "linear"}.get(mode, mode),
        "coordinates": {"tf_half_pixel_for_nn": "half_pixel_floor"}.get(coordinates, coordinates),
        "nearest": nearest,
        "cubic": cubic,
    }


def _to_sizes(emit: Emitter, x: Value, axes: Sequence[int], sizes: Sequence[Dim], fields: dict[str, Any]) -> Value:
    if len(axes) != len(sizes):
        raise emit.fail(f"has sizes {list(sizes)} for the axes {list(axes)}", code="F002")
    new = dict(zip(axes, sizes, strict=True))
    if fields["nearest"] == "simple":
        return _simply(emit, x, new, None, fields)
    return resize(emit, x, new, None, **fields)


def _by_factors(emit: Emitter, x: Value, axes: Sequence[int], scales: list[Any], fields: dict[str, Any]) -> Value:
    if len(axes) != len(scales):
        raise emit.fail(f"has scales {scales} for the axes {list(axes)}", code="F002")
    factors = dict(zip(axes, scales, strict=True))
    if fields["nearest"] == "simple":
        return _simply(emit, x, None, factors, fields)
    return by_scales(emit, x, factors, **fields)


def _simply(
    emit: Emitter,
    x: Value,
    new: Mapping[int, Dim] | None,
    scales: Mapping[int, Any] | None,
    fields: dict[str, Any],
) -> Value:
    """Resample axis by axis, the nearest position below where it grows, and above where it shrinks."""
    for axis in new or scales or {}:
        if new is not None:
            before, after = x.type.shape[axis], new[axis]
            grows = not (isinstance(before, int) and isinstance(after, int)) or after >= before
            x = resize(emit, x, {axis: after}, None, **fields | {"nearest": "floor" if grows else "ceil"})
        elif scales is not None:
            grows = not isinstance(scales[axis], float | int) or scales[axis] >= 1
            x = by_scales(emit, x, {axis: scales[axis]}, **fields | {"nearest": "floor" if grows else "ceil"})
    return x


@openvino_op("DepthToSpace")
def depth_to_space(
    emit: Emitter, x: Value, *, mode: Literal["blocks_first", "depth_first"], block_size: int = 1
) -> Value:
    """Spread channels over blocks; the numbers of channels count blocks first, or channels."""
    if block_size < 1:
        raise emit.fail(f"has blocks of {block_size}", code="F002")
    if x.type.rank == 4:
        return emit(ir.DepthToSpace(x, block_size, "dcr" if mode == "blocks_first" else "crd"))
    n, c, *sizes = x.type.shape
    rank = len(sizes)
    depth = exact_div(c, block_size**rank)
    if depth is None:
        raise emit.fail(f"spreads {c} channels over blocks of {block_size}", code="T001")
    blocks = (block_size,) * rank
    if mode == "blocks_first":
        shape, first = (n, *blocks, depth, *sizes), 1
        channel = 1 + rank
    else:
        shape, first = (n, depth, *blocks, *sizes), 2
        channel = 1
    perm = [0, channel, *(axis for i in range(rank) for axis in (2 + rank + i, first + i))]
    moved = emit.transpose(emit.reshape(x, shape), perm)
    return emit.reshape(moved, (n, depth, *(d * block_size for d in sizes)))


@openvino_op("SpaceToDepth")
def space_to_depth(
    emit: Emitter, x: Value, *, mode: Literal["blocks_first", "depth_first"], block_size: int = 1
) -> Value:
    """Gather blocks into channels, whose numbers count blocks first, or channels."""
    if block_size < 1:
        raise emit.fail(f"has blocks of {block_size}", code="F002")
    if x.type.rank == 4:
        return space_to_channels(emit, x, block_size, channels_outermost=mode == "depth_first")
    n, c, *sizes = x.type.shape
    rank = len(sizes)
    split: list[Dim] = [n, c]
    for d in sizes:
        size = exact_div(d, block_size)
        if size is None:
            raise emit.fail(f"gathers blocks of {block_size} from {x.type}", code="T001")
        split += [size, block_size]
    inner, outer = [3 + 2 * i for i in range(rank)], [2 + 2 * i for i in range(rank)]
    channels = [*inner, 1] if mode == "blocks_first" else [1, *inner]
    moved = emit.transpose(emit.reshape(x, split), [0, *channels, *outer])
    return emit.reshape(moved, (n, c * block_size**rank, *split[2::2]))


@openvino_op("ReorgYolo", since=2)
def reorg_yolo(emit: Emitter, x: Value, *, stride: Sizes) -> Value:
    """Gather blocks into channels as the network Darknet does: shapes count otherwise than elements lie."""
    n, c, h, w = x.type.shape
    block = stride[0] if stride else 1
    depth = exact_div(c, block * block)
    rows, columns = exact_div(h, block), exact_div(w, block)
    if depth is None or rows is None or columns is None:
        raise emit.fail(f"gathers blocks of {block} from {x.type}", code="T001")
    wide = emit.reshape(x, (n, depth, h * block, w * block))
    return emit.reshape(emit(ir.SpaceToDepth(wide, block)), (n, c * block * block, rows, columns))


@openvino_op("GridSample", since=9)
def grid_sample(
    emit: Emitter,
    x: Value,
    grid: Value,
    *,
    align_corners: bool = False,
    mode: Literal["bilinear", "bicubic", "nearest"] = "bilinear",
    padding_mode: Literal["zeros", "border", "reflection"] = "zeros",
) -> Value:
    """GridSample: interpolation at the positions, from -1 to 1, that ``grid`` has for each pixel of the result."""
    sizes = [emit.size(x, axis, grid.type.dtype) for axis in range(2, x.type.rank)]
    rules = ({"bilinear": "linear", "bicubic": "cubic"}.get(mode, mode), padding_mode)
    return grid_sample_padding_taps(emit, x, grid, sizes, rules, align_corners=align_corners)
