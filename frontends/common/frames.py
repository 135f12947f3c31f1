"""Windows of one axis that begin at equal distances, whose number may be open, and their Fourier transforms."""

from __future__ import annotations

import numpy as np

from ...compiler.budget import reserve
from ...compiler.dims import Dim
from ...compiler.ir import Value
from ...compiler.ops.arith import Add, Mul
from ...compiler.ops.index import Gather
from ...compiler.ops.shape import Range
from ...compiler.ops.window import Conv
from ...compiler.types import DType
from ..emitter import BaseEmitter
from ..fourier import fourier_matrix


def framed(emit: BaseEmitter, x: Value, axis: int, size: int, step: int) -> Value:
    """Cut an axis into frames: two axes, that of the frames and that of the positions within each, take its place."""
    count = (x.type.shape[axis] - size) // step + 1
    return emit(Gather(x, _positions(emit, count, size, step), axis))


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
