"""What the GPU refuses or gets wrong, in forms that it runs right; they are right on every other runtime, too."""

from __future__ import annotations

import math
from functools import reduce
from typing import Any

import numpy as np

from ....compiler.dims import is_static, static
from ....compiler.fold import constant
from ....compiler.ir import Op, Value
from ....compiler.lowering import Build, Lowerings
from ....compiler.ops import arith, logic
from ....compiler.ops.index import ArgMax, ArgMin, CumSum, Gather, GatherNd, TopK
from ....compiler.ops.linear import Linear, MatMul
from ....compiler.ops.logic import NotEqual, Select
from ....compiler.ops.shape import Concat, Pad, Reverse, Slice, Tile
from ....compiler.ops.spatial import DepthToSpace, SpaceToDepth
from ....compiler.ops.window import AveragePool, Conv, ConvTranspose, MaxPool
from ....compiler.padding import is_valid
from ....compiler.types import DType
from ....compiler.value_ranges import nonnegative
from ....compiler.weights import Weight
from ....passes.lowerings.activated import split_activation
from ....passes.lowerings.batches import repeat_matrices
from ....passes.lowerings.conv import pad_spatially
from ....passes.lowerings.groups import group_by_group
from ....passes.lowerings.pool import correction, overhang
from ....passes.lowerings.running import running_from_the_end
from .common_lowerings import cast_at_once

IMAGES = 4

LOWERINGS = Lowerings()
"""Tried before TFLite's own and the shared ones."""

lower = LOWERINGS.lower

PAIRS = (
    *(arith.Add, arith.Sub, arith.Mul, arith.Div, arith.FloorDiv, arith.Mod, arith.Max, arith.Min, arith.Pow),
    *(arith.SquaredDifference, arith.Atan2),
    *(logic.Equal, logic.NotEqual, logic.Greater, logic.GreaterEqual, logic.Less, logic.LessEqual),
)
"""Operations of two operands of any shapes."""


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
    counts_all = (op.count_pads and pads == op.pads) or not any(side for pair in pads for side in pair)
    e.replace(mean if counts_all else e(arith.Mul, mean, e.constant(correction(op))))


@lower(MaxPool, benefit=3)
def pad_with_least(op: MaxPool, e: Build) -> None:
    """What never wins is the least number: zeros would be left out with all other paddings."""
    if not op.channels_last or op.x.type.rank != IMAGES or (is_valid(op) and not op.ceil):
        return
    if any(d != 1 for d in op.dilations):
        return
    x = pad_spatially(op.x, overhang(op), e, float(np.finfo(np.float32).min))
    e.replace(e.clone(op, x, pads=((0, 0),) * len(op.pads), ceil=False))


@lower(Conv, MaxPool)
def join_paddings(op: Conv | MaxPool, e: Build) -> None:
    """Paddings that would be taken for others are joined to the data as constants."""
    pad = op.x.owner
    if not isinstance(pad, Pad) or pad.mode != "constant" or not is_static(pad.result.type.shape):
        return
    if not op.channels_last or op.x.type.rank != IMAGES:
        return
    e.replace(e.clone(op, _joined(pad, e), *op.operands[1:]))


@lower(Pad)
def join_constants(op: Pad, e: Build) -> None:
    """Paddings with infinity and those of the batch are constants beside the data.

    The languages of kernels have no word for infinity, and kernels look at no padding of the batch.
    """
    if op.mode != "constant" or op.x.type.rank != IMAGES or not is_static(op.result.type.shape):
        return
    if math.isinf(op.value) or static(op.low)[0] or static(op.high)[0]:
        e.replace(_joined(op, e))


def _joined(pad: Pad, e: Build) -> Value:
    """Return padded data as constants beside the data."""
    x = pad.x
    for axis, (low, high) in enumerate(zip(static(pad.low), static(pad.high), strict=True)):
        sides = [_filled(x, axis, width, pad.value, e) for width in (low, high)]
        parts = [part for part in (sides[0], x, sides[1]) if part is not None]
        x = e.rw.emit(Concat(tuple(parts), axis)) if len(parts) > 1 else x
    return x


@lower(TopK)
def sort_beside_the_gpu(op: TopK, e: Build) -> None:
    """Several rows have five axes: the GPU leaves them to the processor, and would get fewer wrong."""
    rank = op.x.type.rank
    if (
        op.axis != rank - 1
        or not op.largest
        or op.dtype is not DType.I32
        or rank > IMAGES
        or math.prod(static(op.x.type.shape[:-1])) == 1
    ):
        return
    wide = e.reshape(op.x, (*(1,) * (IMAGES + 1 - rank), *op.x.type.shape))
    e.replace(*e.each(op.clone((wide,), axis=IMAGES)))


def _filled(x: Value, axis: int, width: int, value: float, e: Build) -> Value | None:
    """Return a constant beside data, None if it has no width."""
    if width == 0:
        return None
    shape = (*x.type.shape[:axis], width, *x.type.shape[axis + 1 :])
    return e.constant(Weight.splat(value, x.type.dtype, static(shape)))


lower(ConvTranspose, benefit=5)(split_activation)


@lower(Conv)
def split_groups(op: Conv, e: Build) -> None:
    """Groups of channels that are no multiples of 4, one by one."""
    if not op.channels_last or op.groups == 1 or op.x.type.rank != IMAGES:
        return
    if op.is_depthwise and constant(op.w) is not None:
        return
    e.require(is_static((op.x.type.shape[-1], *op.w.type.shape)), "groups of channels whose number is not known")
    group_by_group(op, 0, e)


@lower(Gather, benefit=2)
def gather_in_one_row(op: Gather, e: Build) -> None:
    """Positions in one row; their own axes come back by a reshape."""
    if op.indices.type.rank == 1 or not is_static(op.result.type.shape):
        return
    row = e.reshape(op.indices, (e.product(op.indices.type.shape),))
    e.replace(e.reshape(e.clone(op, op.x, row), op.result.type.shape))


@lower(Pad, CumSum, Reverse)
def as_one_image(op: Pad | CumSum | Reverse, e: Build) -> None:
    """Axes of size one before the others: with fewer than four, the first one would be taken for the batch."""
    rank = op.x.type.rank
    if rank >= IMAGES or not is_static(op.result.type.shape):
        return
    ones = (1,) * (IMAGES - rank)
    image = e.clone(op, e.reshape(op.x, (*ones, *op.x.type.shape)), **_with_axes_before(op, len(ones)))
    e.replace(e.reshape(image, op.result.type.shape))


def _with_axes_before(op: Op, count: int) -> dict[str, Any]:
    """The attributes that name axes or have one entry for each."""
    match op:
        case Pad():
            return {"low": (*[0] * count, *op.low), "high": (*[0] * count, *op.high)}
        case Reverse():
            return {"dims": tuple(d + count for d in op.dims)}
        case CumSum():
            return {"axis": op.axis + count}
        case _:
            return {}


@lower(*PAIRS, benefit=2)
def combine_as_images(op: Op, e: Build) -> None:
    """Axes of size one before the others: of fewer than four of a constant, the first would be taken for the batch."""
    shape = op.result.type.shape
    if len(shape) > IMAGES or not is_static(shape) or not any(map(constant, op.operands)):
        return
    whole = [e.reshape(v, (*(1,) * (IMAGES - v.type.rank), *v.type.shape)) for v in op.operands if v is not None]
    if any(new is not old for new, old in zip(whole, op.operands, strict=True)):
        e.replace(e.reshape(e.clone(op, *whole), shape))


lower(CumSum, benefit=2)(running_from_the_end)


@lower(CumSum, benefit=2)
def sum_without_itself(op: CumSum, e: Build) -> None:
    """Sums without the element itself are less by it."""
    if op.exclusive and not op.reverse:
        e.replace(e(arith.Sub, e.clone(op, op.x, exclusive=False), op.x))


@lower(DepthToSpace, SpaceToDepth)
def one_image_of_all(op: DepthToSpace | SpaceToDepth, e: Build) -> None:
    """Images of a batch become one image, one below the other."""
    if not op.channels_last or not is_static(op.x.type.shape) or math.prod(static(op.x.type.shape[:-1])) == 1:
        return
    n, h, w, c = static(op.x.type.shape)
    e.replace(e.reshape(e.clone(op, e.reshape(op.x, (1, n * h, w, c))), op.result.type.shape))


@lower(Select, benefit=2)
def choose_among_wholes(op: Select, e: Build) -> None:
    """Conditions and choices of the result's shape: others are repeated."""
    whole = op.result.type.shape
    if not is_static((*op.condition.type.shape, *op.a.type.shape, *op.b.type.shape)):
        return
    parts = [_whole(v, static(whole), e) for v in (op.condition, op.a, op.b)]
    if any(new is not old for new, old in zip(parts, op.operands, strict=True)):
        e.replace(e.clone(op, *parts))


def _whole(x: Value, shape: tuple[int, ...], e: Build) -> Value:
    """Return a value repeated to a shape; single constants stay what they are."""
    weight = constant(x)
    if x.type.shape == shape or (weight is not None and weight.type.size == 1 and x.type.dtype is not DType.BOOL):
        return x
    own = e.reshape(x, (*(1,) * (len(shape) - x.type.rank), *x.type.shape))
    times = tuple(size // has for size, has in zip(shape, static(own.type.shape), strict=True))
    if x.type.dtype is not DType.BOOL or weight is not None:
        return e(Tile, own, times)
    numbers = e(Tile, e(arith.Cast, own, to=DType.F32), times)
    return e(NotEqual, numbers, 0.0)


@lower(ArgMax, Reverse, benefit=2)
def along_the_width(op: ArgMax | Reverse, e: Build) -> None:
    """The last axis becomes the width: channels are filled up to a multiple of four, and these count, too."""
    rank, size = op.x.type.rank, op.x.type.shape[-1]
    axes = (op.axis,) if isinstance(op, ArgMax) else op.dims
    if axes != (rank - 1,) or size == 1 or not is_static(op.x.type.shape):
        return
    wide = e.reshape(op.x, (1, math.prod(static(op.x.type.shape[:-1])), size, 1))
    along = {"axis": 2} if isinstance(op, ArgMax) else {"dims": (2,)}
    e.replace(e.reshape(e.clone(op, wide, **along), op.result.type.shape))


lower(MatMul, benefit=2)(repeat_matrices)


@lower(GatherNd)
def gather_by_one_position(op: GatherNd, e: Build) -> None:
    """The GPU has no GATHER_ND: coordinates become positions in rows."""
    depth = op.indices.type.shape[-1]
    if (
        op.batch_dims
        or (op.wraps and not nonnegative(op.indices))
        or not isinstance(depth, int)
        or not is_static((*op.x.type.shape, *op.indices.type.shape))
    ):
        return
    shape, dtype = static(op.x.type.shape), op.indices.type.dtype
    steps = [math.prod(shape[axis + 1 : depth]) for axis in range(depth)]
    scaled = e(arith.Mul, op.indices, e.constant(np.asarray(steps, dtype.numpy)))
    row = _sum_of_last(scaled, e)
    flat = e.reshape(op.x, (math.prod(shape[:depth]), *shape[depth:]))
    e.replace(e(Gather, flat, row, axis=0, wraps=False))


def _sum_of_last(x: Value, e: Build) -> Value:
    """Add the parts along the last axis: sums of integers have no kernel."""
    *rest, count = static(x.type.shape)
    if count == 1:
        return e.reshape(x, rest)
    parts = (e(Slice, x, (*[0] * len(rest), i), (*rest, 1), (1,) * x.type.rank) for i in range(count))
    return reduce(lambda a, b: e(arith.Add, a, b), [e.reshape(part, rest) for part in parts])


lower(arith.Cast)(cast_at_once)


@lower(ArgMin)
def largest_of_negated(op: ArgMin, e: Build) -> None:
    """The GPU has no ARG_MIN: ARG_MAX of the negated numbers."""
    if op.x.type.dtype is DType.F32:
        e.replace(e(ArgMax, e(arith.Neg, op.x), op.axis, keepdims=op.keepdims, last=op.last, dtype=op.dtype))


@lower(MatMul, benefit=2)
def multiply_by_a_copy(op: MatMul, e: Build) -> None:
    """A matrix times itself: one of both is stored transposed, because operands must differ."""
    if op.a is op.b:
        rank = op.a.type.rank
        swapped = e.transpose(op.b, (*range(rank - 2), rank - 1, rank - 2))
        e.replace(e.clone(op, op.a, swapped, transpose_b=not op.transpose_b))


@lower(arith.Sub, benefit=2)
def subtract_from_itself(op: arith.Sub, e: Build) -> None:
    """A number less itself is none unless it is infinite."""
    if op.a is op.b and op.activation == "none" and op.a.type.dtype is DType.F32:
        e.replace(e(arith.Mul, op.a, 0.0))


@lower(MatMul, benefit=3)
def multiply_from_the_right(op: MatMul, e: Build) -> None:
    """A constant matrix before several others: the product of the transposed ones, from the other side."""
    matrix = op.a.type.shape
    if constant(op.a) is None or any(d != 1 for d in matrix[:-2]) or op.b.type.rank < len(matrix):
        return
    last = op.b.type.rank - 1
    swap = (*range(last - 1), last, last - 1)
    weight = e.reshape(op.a, matrix[-2:])
    weight = e.transpose(weight, (1, 0)) if op.transpose_a else weight
    x = op.b if op.transpose_b else e.transpose(op.b, swap)
    e.replace(e.transpose(e(Linear, x, weight, axis=last), swap))
