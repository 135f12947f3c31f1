"""Lowerings of poolings to those that kernels run: paddings, dilations, ranks."""

from __future__ import annotations

import math
from functools import reduce
from itertools import product
from typing import Any, cast

import numpy as np

from ...compiler.budget import reserve
from ...compiler.diagnostics import counted
from ...compiler.dims import Dim, Shape, is_static, maximum, minimum, static
from ...compiler.ir import Value
from ...compiler.lowering import Build
from ...compiler.ops import arith
from ...compiler.ops.index import ArgMax, Gather
from ...compiler.ops.positions import MaxPoolPositions
from ...compiler.ops.reduce import Reduce
from ...compiler.ops.shape import BroadcastTo, Concat, Pad, Range, Slice
from ...compiler.ops.window import AveragePool, LpPool, MaxPool, Pads, Spatial
from ...compiler.padding import geometry, is_same, is_valid
from ...compiler.types import Array, DType
from ...compiler.value_ranges import EXACT_BITS, nonnegative
from .conv import pad_spatially
from .registry import lower

Pool = MaxPool | AveragePool
IMAGES = 4
VOLUMES = 5

MAX_PLACES = 256
"""Elements of a window whose positions are asked for: each takes an operation."""


@lower(MaxPool, AveragePool, benefit=2)
def split_volume(op: Pool, e: Build) -> None:
    """A window over a volume is one over images, then one along the depth: both poolings are separable."""
    if op.x.type.rank != VOLUMES or not op.channels_last or not op.x.type.dtype.is_float:
        return
    n, d, h, w, c = op.x.type.shape
    images = e.reshape(op.x, (n * d, h, w, c))
    flat = e.clone(op, images, **_some(op, (1, 2)))
    _, h, w, c = flat.type.shape
    columns = e.reshape(flat, (n, d, h * w, c))
    deep = e.clone(op, columns, **_some(op, (0,)))
    e.replace(e.reshape(deep, op.result.type.shape))


def _some(op: Pool, axes: tuple[int, ...]) -> dict[str, Any]:
    """The attributes along some of the spatial axes, the last of two having no effect if there is only one."""
    plain = {"kernel": 1, "strides": 1, "dilations": 1, "pads": (0, 0)}
    plain_pair = {name: (value,) * (2 - len(axes)) for name, value in plain.items()}
    return {name: (*(op.attributes[name][a] for a in axes), *plain_pair[name]) for name in plain}


@lower(MaxPoolPositions)
def largest_of_stacked_slices(op: MaxPoolPositions, e: Build) -> None:
    """A slice for each place in the window, side by side: which one is the largest tells the position."""
    images, spatial = op.x.type.shape[:2], op.x.type.shape[2:]
    out = op.results[0].type.shape[2:]
    places = list(product(*(range(k) for k in op.kernel)))
    e.require(is_static((*spatial, *out)), "positions in images of unknown size")
    e.require(
        len(places) <= MAX_PLACES, f"positions in windows of {counted(len(places), 'element')}; at most {MAX_PLACES}"
    )
    dtype = op.x.type.dtype
    if dtype.is_int and dtype.bits > EXACT_BITS:
        e.warn(f"maxima of {dtype} are computed in f32: numbers beyond 2^24 would be rounded")
    x = op.x if dtype.is_float else e(arith.Cast, op.x, to=DType.F32)
    x = e(Pad, x, *_sides(op, out), value=-math.inf)
    parts = [e.reshape(_window_slice(op, x, place, out, e), (*images, *out, 1)) for place in places]
    stacked = e.rw.emit(Concat(tuple(parts), len(op.x.type.shape)))
    best = e(ArgMax, stacked, axis=op.x.type.rank, keepdims=False, dtype=DType.I32)
    largest = e(Reduce, stacked, "max", (op.x.type.rank,), keepdims=False)
    strides = _plane_strides(op)
    steps = np.asarray(places) * np.asarray(op.dilations) @ strides
    found = e(arith.Add, e(Gather, e.constant(steps.astype(np.int32)), best, axis=0), e.constant(_corners(op, strides)))
    numbers = e(Range, e.number(0, DType.I64), e.number(math.prod(static(spatial)), DType.I64), e.product(images))
    starts = e.reshape(numbers, (*images, *[1] * len(spatial)))
    positions = e(arith.Add, e(arith.Cast, found, to=DType.I64), starts)
    e.replace(largest if dtype.is_float else e(arith.Cast, largest, to=dtype), positions)


def _sides(op: MaxPoolPositions, out: Shape) -> tuple[tuple[Dim, ...], tuple[Dim, ...]]:
    """How much is added before and after, so that every window is whole."""
    fields = zip(op.x.type.shape[2:], out, op.kernel, op.strides, op.dilations, op.pads, strict=True)
    behind = [maximum((n - 1) * s + d * (k - 1) + 1 - size - low, 0) for size, n, k, s, d, (low, _) in fields]
    return (0, 0, *(low for low, _ in op.pads)), (0, 0, *behind)


def _window_slice(op: MaxPoolPositions, x: Value, place: tuple[int, ...], out: Shape, e: Build) -> Value:
    """Return the elements at one place of all windows."""
    starts = (0, 0, *(p * d for p, d in zip(place, op.dilations, strict=True)))
    return e(Slice, x, starts, (*x.type.shape[:2], *out), (1, 1, *op.strides))


def _plane_strides(op: MaxPoolPositions) -> Array:
    """How far apart neighbours along each spatial axis are counted."""
    spatial = static(op.x.type.shape[2:])
    if op.column_major:
        return np.cumprod((1, *spatial[:-1]))
    return np.cumprod((1, *spatial[:0:-1]))[::-1]


def _corners(op: MaxPoolPositions, strides: Array) -> Array:
    """Positions of the first element of every window, maybe in the padding."""
    out = static(op.results[0].type.shape[2:])
    reserve(*out, len(out), what="the positions of all windows")
    grids = cast(Array, np.indices(out))
    low = np.asarray([p[0] for p in op.pads])
    first = np.moveaxis(grids, 0, -1) * np.asarray(op.strides) - low
    return (first @ strides).astype(np.int32)


def _is_image_pool(op: Pool | LpPool) -> bool:
    return op.channels_last and op.x.type.rank == IMAGES and op.x.type.dtype.is_float


def overhang(op: Pool | LpPool) -> Pads:
    """Paddings with what the last window needs beyond them."""
    data = Spatial.of(op.x.type.rank, op.channels_last)
    out: list[tuple[Dim, Dim]] = []
    for (size, k, s, d), pad, axis in zip(geometry(op), op.pads, data.axes, strict=True):
        if not op.ceil:
            out.append(pad)
            continue
        behind = (op.result.type.shape[axis] - 1) * s + d * (k - 1) + 1 - size - pad[0]
        out.append((pad[0], maximum(behind, 0)))
    return tuple(out)


@lower(MaxPool)
def pad_before_maximum(op: MaxPool, e: Build) -> None:
    """What never wins: zeros where the data is known not to be negative (XNNPACK runs them), else minus infinity."""
    if not _is_image_pool(op) or not _is_dense(op) or (is_valid(op) and not op.ceil):
        return
    filling = 0.0 if nonnegative(op.x) else -math.inf
    x = pad_spatially(op.x, overhang(op), e, filling)
    e.replace(e.clone(op, x, pads=((0, 0),) * len(op.pads), ceil=False))


@lower(MaxPool)
def dilated_maximum(op: MaxPool, e: Build) -> None:
    """The maximum of shifted slices, axis by axis."""
    if not _is_image_pool(op) or _is_dense(op):
        return
    x = pad_spatially(op.x, overhang(op), e, -math.inf)
    for i, (_, k, s, d) in enumerate(geometry(op)):
        out = op.result.type.shape[i + 1]
        x = reduce(lambda a, b: e(arith.Max, a, b), [_shifted(x, i + 1, j * d, out, s, e) for j in range(k)])
    e.replace(x)


def _shifted(x: Value, axis: int, start: int, size: Dim, step: int, e: Build) -> Value:
    starts, sizes, steps = [0] * x.type.rank, list(x.type.shape), [1] * x.type.rank
    starts[axis], sizes[axis], steps[axis] = start, size, step
    return e(Slice, x, tuple(starts), tuple(sizes), tuple(steps))


@lower(AveragePool)
def average_of_padded(op: AveragePool, e: Build) -> None:
    """Zeros around, then what was counted too much is given back, by a constant factor where sizes are known."""
    if not _is_image_pool(op) or (is_same(op) and not op.ceil and not op.count_pads and _is_dense(op)):
        return
    pads = overhang(op)
    x = pad_spatially(op.x, pads, e)
    mean = _mean(op, x, e)
    if op.count_pads and pads == op.pads:
        e.replace(mean)
        return
    if is_static(op.x.type.shape[1:3]):
        e.replace(e(arith.Mul, mean, e.constant(correction(op))))
    else:
        e.replace(e(arith.Div, mean, _share(op, pads, e)))


def _share(op: AveragePool, pads: Pads, e: Build) -> Value:
    """Which part of each window counts: the mean of ones where something counts, and zeros beyond."""
    ones = e(BroadcastTo, e.number(1, op.x.type.dtype), (1, *op.x.type.shape[1:3], 1))
    if op.count_pads:
        counted = tuple((low, minimum(high, p[1])) for (low, high), p in zip(pads, op.pads, strict=True))
        ones = pad_spatially(ones, counted, e, 1.0)
        pads = tuple((0, high - c[1]) for (_, high), c in zip(pads, counted, strict=True))
    return _mean(op, pad_spatially(ones, pads, e), e)


def _is_dense(op: Pool) -> bool:
    return all(d == 1 for d in op.dilations)


def _mean(op: AveragePool, x: Value, e: Build) -> Value:
    """Means over whole windows, by shifted slices if these have gaps."""
    if _is_dense(op):
        return e.clone(op, x, pads=((0, 0),) * len(op.pads), ceil=False, count_pads=False)
    shifts = product(*(range(k) for k in op.kernel))
    parts: list[Value] = []
    for places in shifts:
        part = x
        for i, (place, step, gap) in enumerate(zip(places, op.strides, op.dilations, strict=True)):
            part = _shifted(part, i + 1, place * gap, op.result.type.shape[i + 1], step, e)
        parts.append(part)
    return e(arith.Mul, reduce(lambda a, b: e(arith.Add, a, b), parts), 1 / len(parts))


def correction(op: AveragePool) -> Array:
    """Window size over the number of elements that count, by position."""
    h, w = cast("tuple[int, int]", op.x.type.shape[1:3])
    return (math.prod(op.kernel) / _counts(op, (h, w))).astype(op.x.type.dtype.numpy)


def _counts(op: AveragePool, sizes: tuple[int, int]) -> Array:
    """How many elements count in each window: data, and paddings if asked for, but nothing beyond."""
    counts: list[Array] = []
    pads = cast(tuple[tuple[int, int], ...], op.pads)
    outs = cast(tuple[int, ...], op.result.type.shape[1:3])
    for (_, k, s, d), pad, size, out in zip(geometry(op), pads, sizes, outs, strict=True):
        first, last = (-pad[0], size + pad[1]) if op.count_pads else (0, size)
        reserve(out, k, what="the positions in all windows")
        at = np.arange(out)[:, None] * s - pad[0] + np.arange(k)[None, :] * d
        counts.append(((at >= first) & (at < last)).sum(1))
    return np.multiply.outer(counts[0], counts[1])[None, :, :, None]


@lower(LpPool)
def norm_of_windows(op: LpPool, e: Build) -> None:
    """The root of sums of powers; sums are means times the window's size."""
    if not op.channels_last or op.x.type.rank not in (IMAGES, VOLUMES):
        return
    x = e(arith.Abs, op.x)
    powers = e(arith.Pow, x, float(op.p))
    padded = pad_spatially(powers, overhang(op), e)
    names = ("kernel", "strides", "dilations")
    given = {name: op.attributes[name] for name in names}
    none = ((0, 0),) * len(op.pads)
    mean = e(AveragePool, padded, pads=none, channels_last=True, **given)
    e.replace(e(arith.Pow, e(arith.Mul, mean, float(math.prod(op.kernel))), 1.0 / op.p))
