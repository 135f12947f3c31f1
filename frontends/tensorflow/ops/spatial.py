"""Handlers of operators that resample images, cut them into windows, or exchange blocks with channels."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import numpy as np

from ....compiler.budget import reserve
from ....compiler.dims import Dim, is_static, static
from ....compiler.ir import Value
from ....compiler.ops.linear import MatMul
from ....compiler.ops.shape import Concat, Pad
from ....compiler.ops.spatial import DepthToSpace, Resize, SpaceToDepth, interpolation_matrix
from ....compiler.types import Array, DType
from ...common.windows import padding_of
from ...slicing import cut
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


STEPS = 1024
"""The kernel of the cubic interpolation looks weights up in a table with so many places between two pixels."""


def _scale(before: int, after: int, *, align_corners: bool) -> float:
    """Return how many pixels of the operand lie between two of the result."""
    return (before - 1) / (after - 1) if align_corners and after > 1 else before / after


@tf_op("ResizeBicubic")
def resize_bicubic(
    emit: Emitter, images: Value, size: Value, *, align_corners: bool = False, half_pixel_centers: bool = False
) -> Value:
    """Cubic along rows and columns, with the weights that the kernel has in its table, as two matrix products."""

    def weights(before: int, after: int) -> Array:
        scale = np.float32(_scale(before, after, align_corners=align_corners))
        numbers = np.arange(after, dtype=np.float32)
        half = np.float32(0.5)
        at = (numbers + half) * scale - half if half_pixel_centers else numbers * scale
        pixel = np.floor(at)
        rounded = pixel + np.rint((at - pixel) * STEPS) / STEPS
        factor = -0.5 if half_pixel_centers else -0.75
        matrix = interpolation_matrix(rounded, before, 2, factor, 1.0, half_pixel_centers)
        return matrix.astype(np.float32)

    return _by_matrices(emit, images, size, weights)


@tf_op("ResizeArea")
def resize_area(emit: Emitter, images: Value, size: Value, *, align_corners: bool = False) -> Value:
    """The mean of what each pixel of the result covers, as two matrix products; the edge counts for what is beyond."""

    def weights(before: int, after: int) -> Array:
        scale = _scale(before, after, align_corners=align_corners)
        starts = np.arange(after)[:, None] * scale
        pixels = np.arange(max(before, math.ceil(after * scale)))[None, :]
        covered = np.maximum(np.minimum(starts + scale, pixels + 1) - np.maximum(starts, pixels), 0)
        covered[:, before - 1] += covered[:, before:].sum(1)
        return (covered[:, :before] / scale).astype(np.float32)

    return _by_matrices(emit, images, size, weights)


def _by_matrices(emit: Emitter, images: Value, size: Value, weights: Callable[[int, int], Array]) -> Value:
    """Resize rows, then columns, by matrices that have a row for each pixel of the result.

    Raises:
        CompileError: F004, sizes are open; M002, the matrices are too large.
    """
    x = emit.cast(images, DType.F32)
    sizes = _two(emit, x, size)
    n, h, w, c = x.type.shape
    if not is_static((h, w, *sizes)):
        raise emit.fail(f"resizes {x.type} to {list(sizes)}", code="F004", help="Fix the sizes by shapes=...")
    height, width, rows, columns = static((h, w, *sizes))
    reserve(height * rows + width * columns, what="the weights")
    down = emit(MatMul(emit.const(weights(height, rows)), emit.reshape(x, (n, h, w * c))))
    lines = emit.reshape(down, (n * rows, w, c))
    across = emit(MatMul(emit.const(weights(width, columns)), lines))
    return emit.reshape(across, (n, rows, columns, c))


@tf_op("ExtractImagePatches")
def extract_image_patches(
    emit: Emitter,
    images: Value,
    *,
    ksizes: tuple[int, ...],
    strides: tuple[int, ...],
    rates: tuple[int, ...],
    padding: Literal["SAME", "VALID"],
) -> Value:
    """The elements of every window as channels, which count (row, column, channel)."""
    if images.type.rank != 4 or not all(len(v) == 4 and v[0] == v[3] == 1 for v in (ksizes, strides, rates)):
        raise emit.fail(f"has the windows {list(ksizes)} for {images.type}", code="F006")
    kernel, steps, gaps = ((emit.positive(v[1], "size"), emit.positive(v[2], "size")) for v in (ksizes, strides, rates))
    pads = padding_of(padding, images.type.shape[1:3], kernel, steps, gaps)
    low, high = (tuple(pair[side] for pair in ((0, 0), *pads, (0, 0))) for side in (0, 1))
    x = images if all(p == 0 for p in (*low, *high)) else emit(Pad(images, low, high, "constant"))
    reserve(*kernel, what="the windows")
    ends = [d - g * (k - 1) for d, g, k in zip(x.type.shape[1:3], gaps, kernel, strict=True)]
    parts: list[Value] = []
    for places in np.ndindex(*kernel):
        starts = [place * gap for place, gap in zip(places, gaps, strict=True)]
        fields = zip(starts, ends, steps, strict=True)
        parts.append(cut(emit, x, {i + 1: (a, a + e, s) for i, (a, e, s) in enumerate(fields)}))
    return emit(Concat(tuple(parts), 3)) if len(parts) > 1 else parts[0]


@tf_op("DepthToSpace")
def depth_to_space(
    emit: Emitter, input: Value, *, block_size: int, data_format: Literal["NHWC", "NCHW"] = "NHWC"
) -> Value:
    """DepthToSpace: channels, counted (row, column, channel), become blocks of positions; channels last or first."""
    return emit(DepthToSpace(input, emit.positive(block_size, "block size"), "dcr", data_format == "NHWC"))


@tf_op("SpaceToDepth")
def space_to_depth(
    emit: Emitter, input: Value, *, block_size: int, data_format: Literal["NHWC", "NCHW"] = "NHWC"
) -> Value:
    """SpaceToDepth: blocks of positions become channels, counted (row, column, channel); channels last or first."""
    return emit(SpaceToDepth(input, emit.positive(block_size, "block size"), data_format == "NHWC"))
