"""Lowerings of gathering and scattering at computed positions."""

from __future__ import annotations

from typing import Any

from ....compiler.ops import arith
from ....compiler.ops import index as ir
from ....compiler.ops.shape import ShapeOf, inverse
from ....compiler.types import DType
from .lowering import Build, lower


@lower(ir.ArgMax, ir.ArgMin, ir.TopK, ir.NonZero, ShapeOf)
def count_in_i64(op: Any, e: Build) -> None:
    """ONNX gives positions and sizes as i64: convert them to the type that is asked for."""
    if op.dtype is DType.I64:
        return
    *values, places = e.each(op.clone(dtype=DType.I64))
    e.replace(*values, e(arith.Cast, places, to=op.dtype))


@lower(ir.Gather, ir.GatherElements, ir.GatherNd, ir.ScatterNd, ir.ScatterElements, ir.Scatter)
def index_in_i64(op: Any, e: Build) -> None:
    """ONNX takes indices as i64 here: convert others to that."""
    if op.indices.type.dtype is not DType.I64:
        operands = [e(arith.Cast, v, to=DType.I64) if v is op.indices else v for v in op.operands]
        e.replace(e.clone(op, *operands))


@lower(ir.ReverseSequence)
def lengths_in_i64(op: ir.ReverseSequence, e: Build) -> None:
    """ONNX takes lengths as i64: convert others to that."""
    if op.lengths.type.dtype is not DType.I64:
        e.replace(e.clone(op, op.x, e(arith.Cast, op.lengths, to=DType.I64)))


@lower(ir.ReverseSequence)
def time_and_batch_first(op: ir.ReverseSequence, e: Build) -> None:
    """Transposes around: time and batch are the first two axes."""
    if {op.axis, op.batch} == {0, 1}:
        return
    front = (op.batch, op.axis, *(a for a in range(op.x.type.rank) if a not in (op.axis, op.batch)))
    moved = e.clone(op, e.transpose(op.x, front), op.lengths, axis=1, batch=0)
    e.replace(e.transpose(moved, inverse(front)))
