"""Rows for positions that are searched for, and for sums at positions."""

from __future__ import annotations

from ....compiler.fold import constant
from ....compiler.ops import index as ir
from ....compiler.types import DType
from ....compiler.value_ranges import nonnegative
from ...tensorflow.table import Call, Dims, Nested, condition, ints
from ..table import calls_otherwise, emits, leave_out

leave_out(ir.NonZero)


@condition("one row for each, counted in 32 bits")
def _in_rows(op: ir.NonZero) -> str | None:
    is_there = op.rows and op.x.type.rank and op.dtype is DType.I32
    return None if is_there else "positions in columns, of other types, or of a single number"


@emits(ir.NonZero, "Where", when=(_in_rows,))
def non_zero(op: ir.NonZero) -> Call:
    """Where: the positions of elements that are not zero, as many as there are."""
    return Call((op.x,))


@condition("sums over zeros, at positions known not to be negative")
def _sums_alone(op: ir.ScatterNd) -> str | None:
    weight = constant(op.x)
    is_zero = weight is not None and weight.is_splat and not weight.array().reshape(-1)[:1].any()
    return None if op.reduction == "add" and is_zero and nonnegative(op.indices) else "over data, or no sums"


@calls_otherwise(ir.ScatterNd, "TensorScatterUpdate")
def update_a_copy(op: ir.ScatterNd) -> Call:
    """The kernel for processors writes into its operand, which others may read, or which is a weight."""
    copy = Nested("Tile", op.x.type, (op.x, ints(*[1] * op.x.type.rank)))
    return Call((copy, op.indices, op.updates))


@emits(ir.ScatterNd, "ScatterNd", when=(_sums_alone,))
def scatter_nd(op: ir.ScatterNd) -> Call:
    """Updates of the same place are added up."""
    return Call((op.indices, op.updates, Dims(op.x.type.shape, dtype=DType.I32)))
