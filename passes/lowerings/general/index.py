"""Lowerings of gathering and scattering that ONNX and OpenVINO share."""

from __future__ import annotations

import numpy as np

from ....compiler.dims import symbol
from ....compiler.ir import Op
from ....compiler.lowering import Build
from ....compiler.ops import arith
from ....compiler.ops import index as ir
from ....compiler.ops.detection import NonMaxSuppression, SelectBoxes
from ....compiler.ops.shape import BroadcastTo, Concat, ShapeOf, Slice
from ....compiler.types import DType
from .registry import lower


@lower(ir.NonZero)
def positions_in_columns(op: ir.NonZero, e: Build) -> None:
    """Transposed: the operator gives a column for each."""
    if op.rows:
        e.replace(e.transpose(e.clone(op, op.x, rows=False), (1, 0)))


def _place(op: Op) -> int:
    """How many operations stand before one: a number of its own."""
    place, before = 0, op.before
    while before is not None:
        place, before = place + 1, before.before
    return place


@lower(SelectBoxes)
def suppress_then_fill(op: SelectBoxes, e: Build) -> None:
    """The boxes of a batch of one and a class of one, with zeros after them."""
    count = op.boxes.type.shape[0]
    if count == 0:
        e.replace(e.constant(np.zeros(op.limit, np.int32)), e.number(0, DType.I32))
        return
    boxes, scores = e.reshape(op.boxes, (1, count, 4)), e.reshape(op.scores, (1, 1, count))
    kept = symbol(f"kept_{_place(op)}")
    found = e(NonMaxSuppression, boxes, scores, op.limit, op.overlap, kept, op.threshold)
    numbers = e.reshape(e(Slice, found, (0, 2), (kept, 1), (1, 1)), (kept,))
    zeros = e(BroadcastTo, e.number(0, DType.I64), (op.limit,))
    filled = e.rw.emit(Concat((numbers, zeros), 0))
    chosen = e(Slice, filled, (0,), (op.limit,), (1,))
    amount = e.reshape(e(ShapeOf, numbers, (0,), dtype=DType.I32), ())
    e.replace(e(arith.Cast, chosen, to=DType.I32), amount)


@lower(ir.Scatter)
def element_by_element(op: ir.Scatter, e: Build) -> None:
    """Along another axis than the first: every element by itself."""
    if op.axis == 0:
        return
    shape = op.updates.type.shape
    aligned = e.reshape(op.indices, (op.indices.type.shape[0], *[1] * (len(shape) - 1 - op.axis)))
    places = e(BroadcastTo, aligned, shape)
    e.replace(e(ir.ScatterElements, op.x, places, op.updates, axis=op.axis, reduction=op.reduction))
