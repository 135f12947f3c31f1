"""What the GPU refuses or gets wrong, in forms that it runs right; they are right on every other runtime, too."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ....compiler.dims import is_static, static
from ....compiler.fold import constant
from ....compiler.ir import Value
from ....compiler.lowering import Build, Lowerings
from ....compiler.ops import arith
from ....compiler.ops.index import Gather
from ....compiler.ops.linear import Linear, MatMul
from ....compiler.ops.shape import Concat, Pad, Slice, Split
from ....compiler.ops.window import AveragePool, Conv, MaxPool
from ....compiler.padding import is_valid
from ....compiler.weights import Weight
from ....passes.lowerings.conv import pad_spatially
from ....passes.lowerings.pool import correction, overhang

IMAGES = 4

LOWERINGS = Lowerings()
"""Tried before TFLite's own and the shared ones."""

lower = LOWERINGS.lower


@lower(AveragePool, benefit=3)
def average_by_filters(op: AveragePool, e: Build) -> None:
    """A mean over paddings: DEPTHWISE_CONV_2D with equal weights, since paddings before AVERAGE_POOL_2D get lost.

    What was counted too much is given back by a constant factor.
    """
    channels = op.x.type.shape[-1]
    if not op.channels_last or op.x.type.rank != IMAGES or not op.x.type.dtype.is_float:
        return
    if not isinstance(channels, int) or not is_static(op.x.type.shape):
        return
    pads = overhang(op)
    weight = Weight.splat(1 / math.prod(op.kernel), op.x.type.dtype, (channels, *op.kernel, 1))
    given: dict[str, Any] = {"strides": op.strides, "dilations": op.dilations, "pads": pads, "channels_last": True}
    mean = e(Conv, op.x, e.constant(weight), groups=channels, **given)
    counts_all = op.count_pads and pads == op.pads
    e.replace(mean if counts_all or is_valid(op) else e(arith.Mul, mean, e.constant(correction(op))))


@lower(MaxPool, benefit=3)
def pad_with_least(op: MaxPool, e: Build) -> None:
    """What never wins is minus infinity: zeros would be left out with all other paddings."""
    if not op.channels_last or op.x.type.rank != IMAGES or (is_valid(op) and not op.ceil):
        return
    if any(d != 1 for d in op.dilations):
        return
    x = pad_spatially(op.x, overhang(op), e, -math.inf)
    e.replace(e.clone(op, x, pads=((0, 0),) * len(op.pads), ceil=False))


@lower(Conv, MaxPool)
def join_paddings(op: Conv | MaxPool, e: Build) -> None:
    """Paddings that would be taken for others are joined to the data as constants."""
    pad = op.x.owner
    if not isinstance(pad, Pad) or pad.mode != "constant" or not is_static(pad.result.type.shape):
        return
    if not op.channels_last or op.x.type.rank != IMAGES:
        return
    x = pad.x
    for axis, (low, high) in enumerate(zip(static(pad.low), static(pad.high), strict=True)):
        sides = [_filled(x, axis, width, pad.value, e) for width in (low, high)]
        parts = [part for part in (sides[0], x, sides[1]) if part is not None]
        x = e.rw.emit(Concat(tuple(parts), axis)) if len(parts) > 1 else x
    e.replace(e.clone(op, x, *op.operands[1:]))


def _filled(x: Value, axis: int, width: int, value: float, e: Build) -> Value | None:
    """Return a constant beside data, None if it has no width."""
    if width == 0:
        return None
    shape = (*x.type.shape[:axis], width, *x.type.shape[axis + 1 :])
    return e.constant(Weight.splat(value, x.type.dtype, static(shape)))


@lower(Conv)
def split_groups(op: Conv, e: Build) -> None:
    """Groups of channels that are no multiples of 4, one by one."""
    if not op.channels_last or op.groups == 1 or op.x.type.rank != IMAGES:
        return
    if op.is_depthwise and constant(op.w) is not None:
        return
    e.require(is_static((op.x.type.shape[-1], *op.w.type.shape)), "groups of channels whose number is not known")
    xs, ws = _parts(op.x, IMAGES - 1, op.groups, e), _parts(op.w, 0, op.groups, e)
    biases = [None] * op.groups if op.bias is None else _parts(op.bias, 0, op.groups, e)
    parts = tuple(e.clone(op, x, w, b, groups=1) for x, w, b in zip(xs, ws, biases, strict=True))
    e.replace(e.rw.emit(Concat(parts, IMAGES - 1)))


def _parts(value: Value, axis: int, count: int, e: Build) -> list[Value]:
    """Equal parts along an axis; of a constant, constants."""
    size = value.type.shape[axis]
    assert isinstance(size, int)
    if constant(value) is None:
        return list(e.each(Split(value, axis, (size // count,) * count)))
    starts = np.arange(count) * (size // count)
    sizes = (*value.type.shape[:axis], size // count, *value.type.shape[axis + 1 :])
    places = [tuple(int(start) if a == axis else 0 for a in range(value.type.rank)) for start in starts]
    return [e(Slice, value, place, sizes, (1,) * value.type.rank) for place in places]


@lower(Gather, benefit=2)
def gather_in_one_row(op: Gather, e: Build) -> None:
    """Positions in one row; their own axes come back by a reshape."""
    if op.indices.type.rank == 1 or not is_static(op.result.type.shape):
        return
    row = e.reshape(op.indices, (e.product(op.indices.type.shape),))
    e.replace(e.reshape(e.clone(op, op.x, row), op.result.type.shape))


@lower(MatMul, benefit=2)
def multiply_from_the_right(op: MatMul, e: Build) -> None:
    """A constant matrix before several others: the product of the transposed ones, from the other side."""
    if constant(op.a) is None or op.a.type.rank != 2 or op.b.type.rank < 3:  # noqa: PLR2004 -- a matrix, and several
        return
    last = op.b.type.rank - 1
    swap = (*range(last - 1), last, last - 1)
    weight = e.transpose(op.a, (1, 0)) if op.transpose_a else op.a
    x = op.b if op.transpose_b else e.transpose(op.b, swap)
    e.replace(e.transpose(e(Linear, x, weight, axis=last), swap))
