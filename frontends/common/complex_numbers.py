"""Complex numbers as pairs of real ones, and their Fourier transforms, as products with constant matrices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...compiler.dims import Dim
from ...compiler.ir import Value
from ...compiler.ops.linear import MatMul
from ...compiler.ops.shape import Concat
from ..fourier import fourier_matrix
from ..slicing import cut, pad
from .operands import OperandEmitter

MOST = 1 << 25
"""Numbers in the largest matrix: 128 MB."""


@dataclass(frozen=True)
class Complex:
    """Complex numbers as their parts, since the IR computes with real ones."""

    real: Value
    imag: Value


def fitted(emit: OperandEmitter, x: Value, sizes: Sequence[int]) -> Value:
    """Cut the last axes to sizes, or fill them up with zeros."""
    rank = x.type.rank
    axes = {rank - len(sizes) + i: size for i, size in enumerate(sizes)}
    cuts: dict[int, tuple[Dim, Dim, int]] = {a: (0, n, 1) for a, n in axes.items()}
    x = cut(emit, x, cuts)
    high = [axes[a] - x.type.shape[a] if a in axes else 0 for a in range(rank)]
    return pad(emit, x, (0,) * rank, high, "constant")


def along_last(
    emit: OperandEmitter, parts: Sequence[Value], size: int, *, onesided: bool = False, inverse: bool = False
) -> tuple[Value, Value]:
    """Transform the last axis of one part or two: one product for each part of the result.

    Raises:
        CompileError: F005, the matrix would be too large.
    """
    if size * len(parts) * size * (1 if onesided else 2) > MOST:
        raise emit.fail(f"transforms {size} numbers, whose matrix would be too large")
    table = fourier_matrix(size, len(parts), size, inverse=inverse, onesided=onesided)
    joined = emit(Concat(tuple(parts), parts[0].type.rank - 1)) if len(parts) > 1 else parts[0]
    matrices = table.transpose(1, 0, 2, 3).reshape(len(parts) * size, -1, 2).astype(np.float32)
    real, imag = (emit(MatMul(joined, emit.const(matrices[..., i]))) for i in range(2))
    return real, imag


def along_both(
    emit: OperandEmitter, parts: Sequence[Value], sizes: Sequence[int], *, onesided: bool = False, inverse: bool = False
) -> tuple[Value, ...]:
    """Transform the last axes, of which only the last one may be given by half, one after the other."""
    *others, last = sizes
    found: tuple[Value, ...] = along_last(emit, parts, last, onesided=onesided, inverse=inverse)
    rank = parts[0].type.rank
    for axis, size in zip(range(rank - len(sizes), rank - 1), others, strict=True):
        if size > 1:
            swap = list(range(rank))
            swap[axis], swap[-1] = swap[-1], swap[axis]
            moved = tuple(emit.transpose(v, swap) for v in found)
            found = tuple(emit.transpose(v, swap) for v in along_last(emit, moved, size, inverse=inverse))
    return found
