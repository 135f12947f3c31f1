"""Fourier transforms of operands, as products with constant matrices."""

from __future__ import annotations

from ...compiler.ir import Value
from ...compiler.ops.linear import MatMul
from ...compiler.ops.shape import Transpose
from ..fourier import fourier_matrix
from .operands import OperandEmitter


def transformed(
    emit: OperandEmitter, x: Value, length: int | None, axis: int, *, inverse: bool, onesided: bool
) -> Value:
    """Return the discrete Fourier transform along an axis; the last axis holds real and imaginary parts.

    The axis is brought beside the parts, and one matrix multiplies both.

    Raises:
        CompileError: F002, there is no such axis, or its size is open.
    """
    rank = x.type.rank
    along = emit.axis(axis, rank)
    size, parts = x.type.shape[along], x.type.shape[-1]
    if along == rank - 1 or not isinstance(size, int) or not isinstance(parts, int) or parts not in (1, 2):
        raise emit.fail(f"transforms axis {axis} of {x.type}", code="F002")
    if length is None:
        length = 2 * (size - 1) if inverse and onesided else size
    matrix = fourier_matrix(size, parts, length, inverse=inverse, onesided=onesided)
    outs, count = matrix.shape[2:]
    perm = (*(i for i in range(rank - 1) if i != along), along, rank - 1)
    rows = emit(Transpose(x, perm)) if perm != tuple(range(rank)) else x
    *batch, _, _ = rows.type.shape
    flat = emit.reshape(rows, (*(batch or [1]), size * parts))
    weight = emit.const(matrix.reshape(size * parts, outs * count), x.type.dtype)
    product = emit(MatMul(flat, weight))
    out = emit.reshape(product, (*batch, outs, count))
    back = tuple(perm.index(i) for i in range(rank))
    return emit(Transpose(out, back)) if back != tuple(range(rank)) else out
