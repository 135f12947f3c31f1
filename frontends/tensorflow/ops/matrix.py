"""Handlers of main diagonals of matrices: made, read and replaced; other diagonals are refused."""

from __future__ import annotations

from typing import Literal, TypeAlias

from ....compiler.ir import Value
from ....compiler.ops.logic import Select
from ....compiler.ops.shape import Slice
from ...common.indexing import diagonal_mask, on_diagonal, with_diagonal
from ..emitter import Emitter
from ..registry import tf_op

Align: TypeAlias = Literal["LEFT_RIGHT", "RIGHT_LEFT", "LEFT_LEFT", "RIGHT_RIGHT"]
"""At which sides diagonals are filled up that are shorter than others."""


def _check_main(emit: Emitter, k: Value) -> None:
    """Refuse other diagonals than the main one."""
    if any(emit.ints(k, "k")):
        raise emit.fail(f"names the diagonals {list(emit.ints(k, 'k'))}, not the main one")


@tf_op("MatrixDiag", "Diag")
def matrix_diag(emit: Emitter, diagonal: Value) -> Value:
    """MatrixDiag, and Diag of a vector: zeros with the last axis on the main diagonal."""
    if emit.call.op == "Diag" and diagonal.type.rank != 1:
        raise emit.fail(f"makes a tensor of {2 * diagonal.type.rank} axes")
    return on_diagonal(emit, diagonal)


def _framed(emit: Emitter, diagonal: Value, operands: tuple[Value, Value, Value, Value]) -> Value:
    """Put vectors on the diagonals of square matrices of another number."""
    k, num_rows, num_cols, padding = operands
    _check_main(emit, k)
    size = diagonal.type.shape[emit.axis(-1, diagonal.type.rank)]
    for count in (emit.int(num_rows, "num_rows"), emit.int(num_cols, "num_cols")):
        if count not in (-1, size):
            raise emit.fail(f"makes matrices of {count} rows or columns of {diagonal.type}")
    rows = emit.reshape(diagonal, (*diagonal.type.shape, 1))
    return emit(Select(diagonal_mask(emit, size, size), rows, emit.reshape(padding, ())))


@tf_op("MatrixDiagV2")
def matrix_diag_v2(
    emit: Emitter, diagonal: Value, k: Value, num_rows: Value, num_cols: Value, padding_value: Value
) -> Value:
    """Matrices with the operand as their main diagonal, of stated sizes, and a stated number elsewhere."""
    return _framed(emit, diagonal, (k, num_rows, num_cols, padding_value))


@tf_op("MatrixDiagV3")
def matrix_diag_v3(
    emit: Emitter,
    diagonal: Value,
    k: Value,
    num_rows: Value,
    num_cols: Value,
    padding_value: Value,
    *,
    align: Align = "RIGHT_LEFT",
) -> Value:
    """Matrices with a main diagonal; ``align`` says where several diagonals lie, and only one is read."""
    return _framed(emit, diagonal, (k, num_rows, num_cols, padding_value))


@tf_op("MatrixDiagPart")
def matrix_diag_part(emit: Emitter, input: Value) -> Value:
    """MatrixDiagPart: the main diagonals, as a slice of the flattened matrices with a step of ``columns + 1``."""
    if input.type.rank < 2:
        raise emit.fail(f"has the operand {input.type}, which is not a matrix", code="F006")
    *batch, rows, columns = input.type.shape
    if not isinstance(rows, int) or not isinstance(columns, int):
        raise emit.fail(f"has matrices {input.type} of open sizes", code="F004")
    line = emit.reshape(input, (*batch, rows * columns))
    starts, steps = (0,) * len(batch), (1,) * len(batch)
    return emit(Slice(line, (*starts, 0), (*batch, min(rows, columns)), (*steps, columns + 1)))


@tf_op("MatrixDiagPartV2")
def matrix_diag_part_v2(emit: Emitter, input: Value, k: Value, padding_value: Value) -> Value:
    """The main diagonals, where ``k`` is 0; others are refused, and nothing is padded."""
    _check_main(emit, k)
    return matrix_diag_part(emit, input)


@tf_op("MatrixDiagPartV3")
def matrix_diag_part_v3(
    emit: Emitter, input: Value, k: Value, padding_value: Value, *, align: Align = "RIGHT_LEFT"
) -> Value:
    """The main diagonals; ``align`` says where several diagonals lie, and only one is read."""
    _check_main(emit, k)
    return matrix_diag_part(emit, input)


@tf_op("MatrixSetDiag")
def matrix_set_diag(emit: Emitter, input: Value, diagonal: Value) -> Value:
    """MatrixSetDiag: matrices of known sizes whose main diagonals are replaced, also if they are not square."""
    return with_diagonal(emit, input, diagonal)


@tf_op("MatrixSetDiagV2")
def matrix_set_diag_v2(emit: Emitter, input: Value, diagonal: Value, k: Value) -> Value:
    """Matrices with another main diagonal, where ``k`` is 0; others are refused."""
    _check_main(emit, k)
    return with_diagonal(emit, input, diagonal)


@tf_op("MatrixSetDiagV3")
def matrix_set_diag_v3(emit: Emitter, input: Value, diagonal: Value, k: Value, *, align: Align = "RIGHT_LEFT") -> Value:
    """Matrices with another main diagonal; ``align`` says where several lie, and only one is read."""
    _check_main(emit, k)
    return with_diagonal(emit, input, diagonal)
