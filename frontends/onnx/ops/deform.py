"""Convolutions whose windows have places of their own: DeformConv."""

from __future__ import annotations

from functools import reduce
from itertools import product

import numpy as np

from ....compiler.budget import reserve
from ....compiler.dims import static
from ....compiler.ir import Value
from ....compiler.ops.arith import Add, Mul
from ....compiler.ops.shape import Slice, Transpose
from ....compiler.ops.window import Conv
from ...common.windows import window
from ...sampling import Tap, weighted
from ..emitter import Emitter
from ..registry import onnx_op
from .sampling import pixels


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
    if w.type.rank != 4 or offset.type.rank != 4:
        raise emit.fail(f"convolves {x.type} by {w.type} with offsets {offset.type}", code="T001")
    with emit.typed():
        kernel, out = static(w.type.shape[2:]), static(offset.type.shape[2:])
        channels, *sizes = static(x.type.shape[1:])
    found = window(emit, x, kernel_shape or kernel, strides, dilations, "NOTSET", pads)
    count = kernel[0] * kernel[1]
    batch = x.type.shape[0] * offset_group
    taps: list[list[Tap]] = []
    for axis, size in enumerate(sizes):
        reserve(count, out[axis], what="the positions of the taps")
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
