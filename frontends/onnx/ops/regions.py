"""Reading images at positions that regions or offsets tell: RoiAlign and DeformConv."""

from __future__ import annotations

from functools import reduce
from itertools import product
from typing import Annotated

import numpy as np

from ....compiler.dims import Dim, static
from ....compiler.ir import Value
from ....compiler.ops import arith, logic
from ....compiler.ops.activation import Clip
from ....compiler.ops.arith import Add, Cast, Div, Mul, Sub
from ....compiler.ops.reduce import Reduce
from ....compiler.ops.shape import BroadcastTo, Reshape, Slice, Transpose
from ....compiler.ops.window import Conv
from ....compiler.types import DType
from ..emitter import Emitter
from ..registry import Since, onnx_op
from .padding import window
from .sampling import pixels, weighted

Tap = tuple[Value, Value | None, Value | None]
"""A pixel's number along one axis, its weight, and whether it is inside."""


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
    """Mean or maximum of interpolated samples in each cell of a grid that is laid over each region."""
    half = emit.version >= 16 and coordinate_transformation_mode == "half_pixel"
    if mode not in ("avg", "max") or x.type.rank != 4 or rois.type.rank != 2:
        raise emit.fail(f"pools {x.type} over {rois.type} by {mode!r}", code="F002")
    if sampling_ratio < 1:
        raise emit.fail(
            "takes as many samples as a region is large (sampling_ratio=0)",
            help="Export the model with a fixed sampling_ratio; 2 is usual.",
        )
    cells = (output_height, output_width)
    corners = [_grid(emit, rois, axis, (cells[axis], sampling_ratio), spatial_scale, half=half) for axis in (0, 1)]
    shape = (rois.type.shape[0], *(n * sampling_ratio for n in cells))
    taps = [_taps(emit, at, x.type.shape[2 + axis], axis, shape) for axis, at in enumerate(corners)]
    images = emit(Transpose(x, (0, 2, 3, 1)))
    batch = batch_indices if batch_indices.type.dtype is DType.I64 else emit(Cast(batch_indices, DType.I64))
    parts = [weighted(emit, images, corner, batch) for corner in product(*taps)]
    join = Add if mode == "avg" else arith.Max
    total = reduce(lambda a, b: emit(join(a, b)), parts)
    split = (shape[0], cells[0], sampling_ratio, cells[1], sampling_ratio, x.type.shape[1])
    kind = "mean" if mode == "avg" else "max"
    pooled = emit(Reduce(emit(Reshape(total, split)), kind, (2, 4), keepdims=False))
    return emit(Transpose(pooled, (0, 3, 1, 2)))


def _grid(emit: Emitter, rois: Value, axis: int, counts: tuple[int, int], scale: float, *, half: bool) -> Value:
    """Return the coordinates of all samples of all regions along an axis: cells times samples in each."""
    dtype, (cells, samples) = rois.type.dtype, counts
    ends = [emit(Slice(rois, (0, column), (rois.type.shape[0], 1), (1, 1))) for column in (1 - axis, 3 - axis)]
    low, high = (
        emit(Sub(emit(Mul(v, emit.const(scale, dtype))), emit.const(0.5 if half else 0.0, dtype))) for v in ends
    )
    size = emit(Sub(high, low))
    if not half:
        size = emit(arith.Max(size, emit.const(1, dtype)))
    steps = (np.arange(cells)[:, None] + (np.arange(samples) + 0.5) / samples).reshape(-1)
    cell = emit(Div(size, emit.const(cells, dtype)))
    return emit(Add(low, emit(Mul(cell, emit.const(steps, dtype)))))


def _taps(emit: Emitter, at: Value, size: Dim, axis: int, shape: tuple[Dim, ...]) -> list[Tap]:
    """Return the pixels around coordinates, spread over the grid; what is far outside counts nothing."""
    if not isinstance(size, int):
        raise emit.fail("samples an image of unknown size", code="F004", help="Fix it by shapes=...")
    dtype = at.type.dtype
    near = emit(
        logic.LogicalAnd(
            emit(logic.GreaterEqual(at, emit.const(-1, dtype))), emit(logic.LessEqual(at, emit.const(size, dtype)))
        )
    )
    inside = emit(Clip(at, 0.0, size - 1.0))
    spread = (shape[0], *(shape[1 + a] if a == axis else 1 for a in (0, 1)))

    def wide(v: Value) -> Value:
        return emit(BroadcastTo(emit.reshape(v, spread), shape))

    mask = wide(emit(Cast(near, dtype)))
    return [
        (wide(place), None if weight is None else wide(weight), mask)
        for place, weight, _ in pixels(emit, inside, size, ("linear", "border"), align_corners=True)
    ]


@onnx_op("DeformConv", since=19)
def deform_conv(
    emit: Emitter,
    x: Value,
    w: Value,
    offset: Value,
    b: Value | None = None,
    mask: Value | None = None,
    *,
    dilations: tuple[int, ...] = (),
    group: int = 1,
    kernel_shape: tuple[int, ...] = (),
    offset_group: int = 1,
    pads: tuple[int, ...] = (),
    strides: tuple[int, ...] = (),
) -> Value:
    """A convolution whose window has a place of its own for each element at each position."""
    if x.type.rank != 4:
        raise emit.fail(f"convolves {x.type}; two spatial axes are supported")
    with emit.typed():
        kernel, out = static(w.type.shape[2:]), static(offset.type.shape[2:])
        channels, *sizes = static(x.type.shape[1:])
    found = window(emit, x, kernel_shape or kernel, strides, dilations, "NOTSET", pads)
    count = kernel[0] * kernel[1]
    batch = x.type.shape[0] * offset_group
    taps: list[list[Tap]] = []
    for axis, size in enumerate(sizes):
        places = np.indices(kernel)[axis].reshape(-1, 1) * found.dilations[axis]
        along = places + np.arange(out[axis]) * found.strides[axis] - np.asarray(found.pads[axis][0])
        regular = along.reshape(count, *(out[a] if a == axis else 1 for a in (0, 1)))
        moved = emit.reshape(offset, (batch, count, 2, *out))
        own = emit(Slice(moved, (0, 0, axis, 0, 0), (batch, count, 1, *out), (1,) * 5))
        at = emit(Add(emit.reshape(own, (batch, count, *out)), emit.const(regular, x.type.dtype)))
        taps.append(pixels(emit, at, size, ("linear", "zeros"), align_corners=True))
    grouped = emit.reshape(x, (batch, channels // offset_group, *sizes))
    images = emit(Transpose(grouped, (0, 2, 3, 1)))
    taken = reduce(lambda p, q: emit(Add(p, q)), [weighted(emit, images, corner) for corner in product(*taps)])
    if mask is not None:
        taken = emit(Mul(taken, emit.reshape(mask, (batch, count, *out, 1))))
    split = (x.type.shape[0], offset_group, count, *out, channels // offset_group)
    columns = emit(Transpose(emit.reshape(taken, split), (0, 1, 5, 2, 3, 4)))
    flat = emit.reshape(columns, (x.type.shape[0], channels * count, *out))
    weight = emit.reshape(w, (w.type.shape[0], channels // group * count, 1, 1))
    return emit(Conv(flat, weight, b, (1, 1), (1, 1), ((0, 0), (0, 0)), group))
