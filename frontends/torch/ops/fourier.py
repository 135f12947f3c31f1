"""Handlers of Fourier transforms, which become products with constant matrices of sines and cosines."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ....compiler.dims import maximum, minimum, product
from ....compiler.ir import Value
from ....compiler.ops import arith
from ....compiler.ops.linear import MatMul
from ....compiler.ops.shape import Concat, Slice
from ....compiler.types import Array, DType
from ...common.frames import longer, overlapped
from ...fourier import fourier_matrix
from ..complex import Complex
from ..emitter import Emitter
from ..registry import complex_aten

BY_ROOT, BY_SIZE = 1, 2
"""What results are divided by: the root of the number of elements, or the number; nothing else."""

MOST = 1 << 25
"""Numbers in the largest matrix: 128 MB."""


@dataclass(frozen=True)
class _Transform:
    """A transform along one axis: to ``length`` numbers, None for as many as there are."""

    normalization: int
    inverse: bool = False
    onesided: bool = False
    length: int | None = None

    def count(self, size: int, parts: int) -> int:
        """The number of elements of the matrix, about."""
        return size * parts * (self.length or size) * (1 if self.onesided else 2)

    def matrix(self, size: int, parts: int) -> Array:
        """Return ``[parts * size, parts of results, results]``."""
        length = self.length or size
        table = fourier_matrix(size, parts, length, inverse=self.inverse, onesided=self.onesided)
        divisor = {BY_ROOT: math.sqrt(length), BY_SIZE: length}.get(self.normalization, 1)
        scale = (length if self.inverse else 1) / divisor
        return scale * table.transpose(1, 0, 3, 2).reshape(parts * size, table.shape[3], table.shape[2])


@complex_aten("_fft_r2c")
def transform_real(emit: Emitter, x: Value, dim: tuple[int, ...], normalization: int, onesided: bool) -> Complex:
    """Transform real numbers along axes, the last one first, of which half the result may be enough."""
    *others, last = emit.axes(dim, x.type.rank)
    found = _along(emit, (x,), last, _Transform(normalization, onesided=onesided))
    return Complex(*_along_all(emit, found, others, _Transform(normalization)))


@complex_aten("_fft_c2c")
def transform(emit: Emitter, x: Complex, dim: tuple[int, ...], normalization: int, forward: bool) -> Complex:
    """``_fft_c2c``: the Fourier transform of complex numbers along some axes, forward or inverse, with its scaling."""
    axes = emit.axes(dim, x.real.type.rank)
    return Complex(*_along_all(emit, x.parts, axes, _Transform(normalization, inverse=not forward)))


@complex_aten("_fft_c2r")
def transform_to_real(emit: Emitter, x: Complex, dim: tuple[int, ...], normalization: int, last_dim_size: int) -> Value:
    """Transform back along axes, the last one last, of which half is given."""
    *others, last = emit.axes(dim, x.real.type.rank)
    found = _along_all(emit, x.parts, others, _Transform(normalization, inverse=True))
    return _along(emit, found, last, _Transform(normalization, True, True, last_dim_size))[0]


def _along_all(
    emit: Emitter, parts: tuple[Value, ...], axes: Sequence[int], transform: _Transform
) -> tuple[Value, ...]:
    for axis in axes:
        parts = _along(emit, parts, axis, transform)
    return parts


def _along(emit: Emitter, parts: tuple[Value, ...], axis: int, transform: _Transform) -> tuple[Value, ...]:
    """Transform along an axis: all parts side by side times one matrix, which gives all parts side by side.

    Raises:
        CompileError: F004, the size is not known; F005, it takes too large a matrix.
    """
    type = parts[0].type
    size = type.shape[axis]
    if not isinstance(size, int):
        raise emit.fail(f"transforms {size} numbers, as many as is not known", code="F004")
    if transform.count(size, len(parts)) > MOST:
        help = "Transform frames of the signal, as torch.stft does."
        numbers = transform.count(size, len(parts))
        raise emit.fail(f"transforms {size} numbers at once, which takes a matrix of {numbers}", help=help)
    others = [a for a in range(type.rank) if a != axis]
    perm = [*others, axis]
    batch = tuple(type.shape[a] for a in others)
    rows = [emit.reshape(emit.transpose(v, perm), (*(batch or (1,)), size)) for v in parts]
    table = transform.matrix(size, len(parts))
    inputs, count, outs = table.shape
    row = rows[0] if len(rows) == 1 else emit(Concat(tuple(rows), rows[0].type.rank - 1))
    both = emit(MatMul(row, emit.const(table.reshape(inputs, count * outs), type.dtype)))
    starts, sizes, steps = (0,) * (row.type.rank - 1), both.type.shape[:-1], (1,) * row.type.rank
    columns = (emit(Slice(both, (*starts, i * outs), (*sizes, outs), steps)) for i in range(count))
    back = [perm.index(a) for a in range(type.rank)]
    return tuple(emit.transpose(emit.reshape(v, (*batch, outs)), back) for v in columns)


@complex_aten("istft")
def istft(
    emit: Emitter,
    x: Complex,
    n_fft: int,
    hop_length: int | None = None,
    win_length: int | None = None,
    window: Value | None = None,
    center: bool = True,
    normalized: bool = False,
    onesided: bool | None = None,
    length: int | None = None,
    return_complex: bool = False,
) -> Value:
    """The signal of which these are the transforms of overlapping frames."""
    if return_complex:
        raise emit.fail("gives a complex signal")
    hop, batch, rank = hop_length or n_fft // 4, x.real.type.shape[:-2], x.real.type.rank
    kind = BY_ROOT if normalized else BY_SIZE
    (columns,) = _along(emit, x.parts, rank - 2, _Transform(kind, True, True, n_fft))
    rows = emit.transpose(columns, [*range(rank - 2), rank - 1, rank - 2])
    frames = emit.reshape(rows, (product(batch), *rows.type.shape[-2:]))
    shape = _window(emit, window, win_length or n_fft, n_fft, frames.type.dtype)
    total = overlapped(emit, emit(arith.Mul(frames, shape)), hop)
    squares = emit.expand(emit(arith.Square(shape)), (1, *frames.type.shape[1:]))
    signal = emit(arith.Div(total, overlapped(emit, squares, hop)))
    start, size = n_fft // 2 if center else 0, signal.type.shape[1]
    end = start + length if length is not None else size - start
    cut = emit(Slice(signal, (0, start), (signal.type.shape[0], minimum(end, size) - start), (1, 1)))
    return emit.reshape(longer(emit, cut, 1, (0, maximum(end - size, 0))), emit.shape)


def _window(emit: Emitter, window: Value | None, length: int, size: int, dtype: DType) -> Value:
    """A window of so many numbers in the middle of as many as a frame has."""
    given = emit.const(np.ones(length), dtype) if window is None else emit.cast(window, dtype)
    before = (size - length) // 2
    return longer(emit, given, 0, (before, size - length - before))
