"""Windows of one axis that begin at equal distances, whose number may be open, and their Fourier transforms."""

from __future__ import annotations

from functools import reduce

import numpy as np

from ...compiler.budget import reserve
from ...compiler.dims import Dim, static
from ...compiler.ir import Value
from ...compiler.ops.arith import Add, Mul
from ...compiler.ops.index import Gather
from ...compiler.ops.shape import Concat, Pad, Range, Slice
from ...compiler.ops.window import Conv
from ...compiler.types import Array, DType
from ..emitter import BaseEmitter
from ..fourier import fourier_matrix


def framed(emit: BaseEmitter, x: Value, axis: int, size: int, step: int) -> Value:
    """Cut an axis into frames: two axes, that of the frames and that of the positions within each, take its place."""
    count = (x.type.shape[axis] - size) // step + 1
    return emit(Gather(x, _positions(emit, count, size, step), axis))


MAX_CUTS = 16
"""Of windows that are cut out one by one."""


def windows_at(emit: BaseEmitter, x: Value, places: Array, axis: int) -> Value | None:
    """Pick what lies at positions in rows and columns along an axis, if they are those of windows; None if not.

    So exporters write the columns of images.  Windows that neither overlap nor leave anything out are a reshape; the
    elements of others are cut out one by one, if they are few, and stacked.  Unlike what a gather picks, rows and
    columns may then lie apart.
    """
    size = x.type.shape[axis]
    if not isinstance(size, int) or places.ndim != len("rc") or 0 in places.shape:
        return None
    places = np.where(places < 0, places + size, places)
    if places.min() < 0 or places.max() >= size:
        return None
    for found in (_reshaped, _stacked):
        for rows in (places, places.T):
            taken = found(emit, x, rows, axis)
            if taken is not None:
                perm = (*range(axis), axis + 1, axis, *range(axis + 2, taken.type.rank))
                return taken if rows is places else emit.transpose(taken, perm)
    return None


def _reshaped(emit: BaseEmitter, x: Value, rows: Array, axis: int) -> Value | None:
    """Pick all positions in their order; None if these are others."""
    shape = x.type.shape
    if rows.size != shape[axis] or (rows.reshape(-1) != np.arange(rows.size)).any():
        return None
    return emit.reshape(x, (*shape[:axis], *rows.shape, *shape[axis + 1 :]))


def _stacked(emit: BaseEmitter, x: Value, rows: Array, axis: int) -> Value | None:
    """Pick the positions of each row, which must count up evenly; None if they don't, or are too many to be cut out."""
    count, length = rows.shape
    step = int(rows[0, 1] - rows[0, 0]) if length > 1 else 1
    if count > MAX_CUTS or step < 1 or (np.diff(rows, axis=1) != step).any():
        return None
    before, behind = x.type.shape[:axis], x.type.shape[axis + 1 :]
    cuts = (_cut(emit, x, axis, range(first, last + 1, step)) for first, *_, last in rows[:, [0, -1]].tolist())
    return emit(Concat(tuple(emit.reshape(cut, (*before, 1, length, *behind)) for cut in cuts), axis))


def _cut(emit: BaseEmitter, x: Value, axis: int, places: range) -> Value:
    """Take evenly spaced positions of an axis."""
    fields = [(places.start, len(places), places.step) if i == axis else (0, d, 1) for i, d in enumerate(x.type.shape)]
    starts, sizes, steps = zip(*fields, strict=True)
    return emit(Slice(x, starts, sizes, steps))


def _positions(emit: BaseEmitter, count: Dim, size: int, step: int) -> Value:
    """Return ``[count, size]`` positions; those of an open number of frames are counted when the network runs."""
    within = np.arange(size)[None, :]
    if isinstance(count, int):
        reserve(count, size, what="the positions in all frames")
        return emit.const(np.arange(count)[:, None] * step + within, DType.I64)
    first = emit(Range(emit.const(0, DType.I64), emit.const(step, DType.I64), count))
    return emit(Add(emit.reshape(first, (count, 1)), emit.const(within, DType.I64)))


def spectra(emit: BaseEmitter, x: Value, window: Value | None, frames: tuple[int, int], *, onesided: bool) -> Value:
    """Transform frames of signals ``[batch, positions, parts]``, of a size and a step, under a window if there is one.

    One convolution cuts and transforms; the result is ``[batch, frames, frequencies, 2]``.
    """
    size, step = frames
    batch, length, parts = x.type.shape
    assert isinstance(parts, int)
    matrix = fourier_matrix(size, parts, size, inverse=False, onesided=onesided)
    outs = matrix.shape[2]
    weight = emit.const(matrix.transpose(2, 3, 1, 0).reshape(outs * 2, parts, size), x.type.dtype)
    if window is not None:
        weight = emit(Mul(weight, emit.reshape(window, (1, 1, size))))
    found = emit(Conv(emit.transpose(x, (0, 2, 1)), weight, None, (step,), (1,), ((0, 0),)))
    return emit.reshape(emit.transpose(found, (0, 2, 1)), (batch, (length - size) // step + 1, outs, 2))


def overlapped(emit: BaseEmitter, frames: Value, hop: int) -> Value:
    """Add up frames ``[batch, count, size]`` of which each begins ``hop`` numbers after the one before."""
    batch, count, size = frames.type.shape
    with emit.typed():
        (whole,) = static((size,))
    blocks = -(-whole // hop)
    long = longer(emit, frames, 2, (0, blocks * hop - whole))
    moved = (
        longer(emit, emit(Slice(long, (0, 0, i * hop), (batch, count, hop), (1, 1, 1))), 1, (i, blocks - 1 - i))
        for i in range(blocks)
    )
    total = emit.reshape(reduce(lambda a, b: emit(Add(a, b)), moved), (batch, (count + blocks - 1) * hop))
    return emit(Slice(total, (0, 0), (batch, (count - 1) * hop + whole), (1, 1)))


def longer(emit: BaseEmitter, x: Value, axis: int, more: tuple[Dim, Dim]) -> Value:
    """Put so many zeros before and after an axis."""
    if more == (0, 0):
        return x
    low, high = ([size if a == axis else 0 for a in range(x.type.rank)] for size in more)
    return emit(Pad(x, tuple(low), tuple(high)))
