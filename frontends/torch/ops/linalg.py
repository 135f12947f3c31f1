"""Systems of linear equations and triangular factors, these step by step for matrices of a few rows."""

from __future__ import annotations

import numpy as np

from ....compiler.budget import reserve
from ....compiler.dims import Dim, broadcast
from ....compiler.ir import Value
from ....compiler.ops import arith, logic
from ....compiler.ops.linear import Det, Inverse, MatMul
from ....compiler.ops.shape import Concat, Pad, Slice
from ....compiler.types import DType, TensorType
from ..emitter import Emitter
from ..registry import aten

MOST_ROWS = 32
"""Each row takes about ten operations."""


@aten("linalg_inv_ex")
def inverse(emit: Emitter, A: Value, *, check_errors: bool = False) -> tuple[Value, Value]:
    """``linalg_inv_ex``: inverses of square matrices, and zeros as error codes, since no check is made."""
    return emit(Inverse(A)), _no_failure(emit, A)


@aten("_linalg_solve_ex")
def solve(
    emit: Emitter,
    A: Value,
    B: Value,
    *,
    left: bool = True,
    check_errors: bool = False,
) -> tuple[Value | None, ...]:
    """What gives ``B``, multiplied by ``A`` from the left, or from the right."""
    if emit.needed & {1, 2}:
        raise emit.fail("gives factors of the matrix")
    is_vector = B.type.rank == 1 or B.type.shape == A.type.shape[:-1]
    given = (
        emit.reshape(B, (*B.type.shape, 1) if left else (*B.type.shape[:-1], 1, *B.type.shape[-1:])) if is_vector else B
    )
    inverted = emit(Inverse(A))
    found = emit(MatMul(inverted, given) if left else MatMul(given, inverted))
    return emit.reshape(found, emit.shape), None, None, _no_failure(emit, A)


def _no_failure(emit: Emitter, x: Value) -> Value:
    """Zeros: the network does not tell which matrix is singular."""
    return emit.full(0, TensorType(DType.I32, x.type.shape[:-2]))


@aten("_linalg_det")
def det(emit: Emitter, A: Value) -> tuple[Value | None, ...]:
    """``_linalg_det``: determinants of square matrices; the LU factors are refused if they are used."""
    if emit.needed - {0}:
        raise emit.fail("gives factors of the matrix")
    return emit(Det(A)), None, None


@aten("_linalg_slogdet")
def slogdet(emit: Emitter, A: Value) -> tuple[Value | None, ...]:
    """``_linalg_slogdet``: signs of determinants, and logarithms of their absolute values; LU factors are refused."""
    if emit.needed - {0, 1}:
        raise emit.fail("gives factors of the matrix")
    found = emit(Det(A))
    return emit(arith.Sign(found)), emit(arith.Log(emit(arith.Abs(found)))), None, None


@aten("linalg_cholesky_ex")
def cholesky_ex(
    emit: Emitter,
    x: Value,
    *,
    upper: bool = False,
    check_errors: bool = False,
) -> tuple[Value, Value]:
    """A triangular factor of symmetric matrices; and the number of the first row where there is none, 0 for none."""
    return _cholesky(emit, x, upper)


@aten("cholesky")
def cholesky(emit: Emitter, x: Value, upper: bool = False) -> Value:
    """``cholesky``: the triangular factor of symmetric positive-definite matrices, lower or upper."""
    return _cholesky(emit, x, upper)[0]


@aten("linalg_solve_triangular")
def solve_triangular(
    emit: Emitter, x: Value, B: Value, *, upper: bool, left: bool = True, unitriangular: bool = False
) -> Value:
    """What gives ``B``, multiplied by a triangular matrix; ``unitriangular`` takes its diagonal for ones."""
    if left:
        return _substituted(emit, x, B, upper, unitriangular)
    found = _substituted(emit, _transposed(emit, x), _transposed(emit, B), not upper, unitriangular)
    return _transposed(emit, found)


@aten("triangular_solve")
def triangular_solve(
    emit: Emitter,
    x: Value,
    A: Value,
    upper: bool = True,
    transpose: bool = False,
    unitriangular: bool = False,
) -> tuple[Value, Value]:
    """What gives ``x``, multiplied by a triangular matrix, and that matrix."""
    matrix = _transposed(emit, A) if transpose else A
    return _substituted(emit, matrix, x, upper != transpose, unitriangular), A


@aten("cholesky_solve")
def cholesky_solve(emit: Emitter, x: Value, input2: Value, upper: bool = False) -> Value:
    """What gives ``x``, multiplied by the matrix of which there is a triangular factor."""
    return _by_factor(emit, input2, x, upper)


@aten("cholesky_inverse")
def cholesky_inverse(emit: Emitter, x: Value, upper: bool = False) -> Value:
    """The inverse of the matrix of which there is a triangular factor."""
    reserve(_rows(emit, x), _rows(emit, x), what="the identity")
    identity = emit.const(np.eye(_rows(emit, x)), x.type.dtype)
    return _by_factor(emit, x, emit.expand(identity, x.type.shape), upper)


def _by_factor(emit: Emitter, factor: Value, x: Value, upper: bool) -> Value:
    lower = _transposed(emit, factor) if upper else factor
    half = _substituted(emit, lower, x, False, False)
    return _substituted(emit, _transposed(emit, lower), half, True, False)


def _rows(emit: Emitter, x: Value) -> int:
    """The number of rows of square matrices, as far as it is small.

    Raises:
        CompileError: F004, it is not known; F005, it is too large.
    """
    size = x.type.shape[-1]
    if not isinstance(size, int):
        raise emit.fail(f"takes matrices of {size} rows, a number that is not known", code="F004")
    if size > MOST_ROWS:
        help = "Compute it outside of the model, or as a constant of it."
        raise emit.fail(f"takes matrices of {size} rows; at most {MOST_ROWS} are written out", help=help)
    return size


def _transposed(emit: Emitter, x: Value) -> Value:
    rank = x.type.rank
    return emit.transpose(x, [*range(rank - 2), rank - 1, rank - 2])


def _block(emit: Emitter, x: Value, rows: tuple[Dim, Dim], columns: tuple[Dim, Dim]) -> Value:
    """Rows and columns from one up to, not including, another."""
    (top, bottom), (first, last) = rows, columns
    batch = x.type.shape[:-2]
    starts, steps = (*(0 for _ in batch), top, first), (1,) * x.type.rank
    sizes = (*batch, bottom - top, last - first)
    return x if sizes == x.type.shape else emit(Slice(x, starts, sizes, steps))


def _joined(emit: Emitter, parts: list[Value], axis: int) -> Value:
    return parts[0] if len(parts) == 1 else emit(Concat(tuple(parts), parts[0].type.rank + axis))


def _one_batch(emit: Emitter, *matrices: Value) -> list[Value]:
    """Repeat matrices so that there are as many of each."""
    with emit.typed():
        batch: tuple[Dim, ...] = ()
        for matrix in matrices:
            batch = broadcast(batch, matrix.type.shape[:-2])
    return [emit.expand(m, (*batch, *m.type.shape[-2:])) for m in matrices]


def _first_failure(emit: Emitter, info: Value, failed: Value, step: int) -> Value:
    """Note the number of a step that failed, counted from one, if none did before."""
    none = emit(logic.Equal(info, emit.const(0, DType.I32)))
    now = emit(logic.LogicalAnd(none, emit.reshape(failed, info.type.shape)))
    return emit(logic.Select(now, emit.const(step + 1, DType.I32), info))


def _cholesky(emit: Emitter, x: Value, upper: bool) -> tuple[Value, Value]:
    """Column after column, each is taken out of what remains."""
    size, rest = _rows(emit, x), _transposed(emit, x) if upper else x
    rank, dtype = x.type.rank, x.type.dtype
    info = emit.full(0, x.type.with_shape(x.type.shape[:-2]).with_dtype(DType.I32))
    columns: list[Value] = []
    if x.type.size == 0:
        return x, info
    for step in range(size):
        left = size - step
        pivot = _block(emit, rest, (0, 1), (0, 1))
        column = emit(arith.Div(_block(emit, rest, (0, left), (0, 1)), emit(arith.Sqrt(pivot))))
        above = (0,) * rank
        whole = emit(Pad(column, (*above[:-2], step, 0), above)) if step else column
        columns.append(whole)
        info = _first_failure(emit, info, emit(logic.LessEqual(pivot, emit.const(0, dtype))), step)
        if left > 1:
            below = _block(emit, column, (1, left), (0, 1))
            square = emit(MatMul(below, _transposed(emit, below)))
            rest = emit(arith.Sub(_block(emit, rest, (1, left), (1, left)), square))
    factor = _joined(emit, columns, -1)
    return _transposed(emit, factor) if upper else factor, info


def _substituted(emit: Emitter, matrix: Value, given: Value, upper: bool, unitriangular: bool) -> Value:
    """Row after row, from the end that stands alone."""
    size = _rows(emit, matrix)
    matrix, rest = _one_batch(emit, matrix, given)
    width = given.type.shape[-1]
    found: list[Value] = []
    if rest.type.size == 0:
        return rest
    for step in range(size):
        place, left = size - 1 - step if upper else step, size - step
        end = (left - 1, left) if upper else (0, 1)
        row = _block(emit, rest, end, (0, width))
        if not unitriangular:
            row = emit(arith.Div(row, _block(emit, matrix, (place, place + 1), (place, place + 1))))
        found.append(row)
        if left > 1:
            others, theirs = ((0, left - 1), (0, place)) if upper else ((1, left), (place + 1, size))
            factors = _block(emit, matrix, theirs, (place, place + 1))
            rest = emit(arith.Sub(_block(emit, rest, others, (0, width)), emit(arith.Mul(factors, row))))
    return _joined(emit, found[::-1] if upper else found, -2)
