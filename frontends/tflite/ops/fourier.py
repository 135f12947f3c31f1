"""Fourier transforms, as products with constant matrices, and complex numbers as their parts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ....compiler.dims import Dim
from ....compiler.ir import Value
from ....compiler.ops.arith import Add, Sqrt, Square
from ....compiler.ops.linear import MatMul
from ....compiler.ops.shape import Concat
from ...fourier import fourier_matrix
from ...slicing import cut, pad
from ..emitter import Emitter
from ..handles import Complex
from ..registry import builtin

MOST = 1 << 25
"""Numbers in the largest matrix: 128 MB."""


@builtin("RFFT2D", "Rfft2dOptions")
def rfft2d(emit: Emitter, x: Value, length: Value) -> Complex:
    """Along the last two axes, of which the last one is real and given by half; cut or filled up to ``length``."""
    rows, columns = emit.ints(length, "fft_length")
    if x.type.rank < 2 or min(rows, columns) < 1:
        raise emit.fail(f"transforms {x.type} to {rows} x {columns}", code="F006")
    x = _fitted(emit, x, (rows, columns))
    real, imag = _along_last(emit, (x,), columns, onesided=True)
    if rows == 1:
        return Complex(real, imag)
    swap = (*range(x.type.rank - 2), x.type.rank - 1, x.type.rank - 2)
    found = _along_last(emit, tuple(emit.transpose(v, swap) for v in (real, imag)), rows, onesided=False)
    return Complex(*(emit.transpose(v, swap) for v in found))


def _fitted(emit: Emitter, x: Value, sizes: tuple[int, int]) -> Value:
    """Cut or fill up the last two axes."""
    rank = x.type.rank
    axes = dict(zip((rank - 2, rank - 1), sizes, strict=True))
    cuts: dict[int, tuple[Dim, Dim, int]] = {a: (0, n, 1) for a, n in axes.items()}
    x = cut(emit, x, cuts)
    high = [axes[a] - x.type.shape[a] if a in axes else 0 for a in range(rank)]
    return pad(emit, x, (0,) * rank, high, "constant")


def _along_last(emit: Emitter, parts: Sequence[Value], size: int, *, onesided: bool) -> tuple[Value, Value]:
    """Transform the last axis of one part or two: one product for each part of the result."""
    if size * len(parts) * size * (1 if onesided else 2) > MOST:
        raise emit.fail(f"transforms {size} numbers, whose matrix would be too large")
    table = fourier_matrix(size, len(parts), size, inverse=False, onesided=onesided)
    joined = emit(Concat(tuple(parts), parts[0].type.rank - 1)) if len(parts) > 1 else parts[0]
    matrices = table.transpose(1, 0, 2, 3).reshape(len(parts) * size, -1, 2).astype(np.float32)
    real, imag = (emit(MatMul(joined, emit.const(matrices[..., i]))) for i in range(2))
    return real, imag


@builtin("REAL")
def real(emit: Emitter, x: Complex) -> Value:
    """The real parts."""
    return x.real


@builtin("IMAG")
def imag(emit: Emitter, x: Complex) -> Value:
    """The imaginary parts."""
    return x.imag


@builtin("COMPLEX_ABS")
def complex_abs(emit: Emitter, x: Complex) -> Value:
    """Absolute values."""
    return emit(Sqrt(emit(Add(emit(Square(x.real)), emit(Square(x.imag))))))
