"""Convolutions whose windows have places of their own."""

from __future__ import annotations

from functools import reduce
from itertools import product

import numpy as np

from ...compiler.budget import reserve
from ...compiler.dims import static
from ...compiler.ir import Value
from ...compiler.ops.arith import Add, Mul
from ...compiler.ops.logic import GreaterEqual, Less, LogicalAnd
from ...compiler.ops.shape import Slice, Transpose
from ...compiler.ops.window import Conv
from ..emitter import BaseEmitter
from ..sampling import Tap, weighted
from .grid_sample import pixels
from .padding import Window


def deform_conv(
    emit: BaseEmitter,
    x: Value,
    w: Value,
    offset: Value,
    more: tuple[Value | None, Value | None],
    found: Window,
    groups: tuple[int, int],
    *,
    fades: bool = True,
) -> Value:
    """Convolve with a window that has a place of its own for each element at each position.

    ``more`` are the bias and the mask, ``groups`` those of the channels and of the offsets.  Beyond the edge, samples
    fade to zero within a pixel, or else are zero from there on where they are that of the edge before.

    Raises:
        CompileError: F005, F004 or T001, the operands don't fit.
    """
    (b, mask), (group, offset_group) = more, groups
    if x.type.rank != 4:
        raise emit.fail(f"convolves {x.type}; two spatial axes are supported")
    if w.type.rank != 4 or offset.type.rank != 4:
        raise emit.fail(f"convolves {x.type} by {w.type} with offsets {offset.type}", code="T001")
    with emit.typed():
        kernel, out = static(w.type.shape[2:]), static(offset.type.shape[2:])
        channels, *sizes = static(x.type.shape[1:])
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
        taps.append(pixels(emit, at, size, ("linear", "zeros"), align_corners=True) if fades else _cut(emit, at, size))
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


def _cut(emit: BaseEmitter, at: Value, size: int) -> list[Tap]:
    """Return the pixels around places along an axis; those of places outside count nothing."""
    inside = emit(
        LogicalAnd(
            emit(GreaterEqual(at, emit.const(0, at.type.dtype))), emit(Less(at, emit.const(size, at.type.dtype)))
        )
    )
    mask = emit.cast(inside, at.type.dtype)
    found = pixels(emit, at, size, ("linear", "border"), align_corners=True)
    return [(place, weight, mask) for place, weight, _ in found]
