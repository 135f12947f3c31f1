"""Loops that read and write one row of tensors in each round."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...compiler.dims import Dim, Sym
from ...compiler.ir import Op, Region, Value
from ...compiler.ops.arith import Sub
from ...compiler.ops.core import Const
from ...compiler.ops.dynamic import DynamicSlice, DynamicUpdateSlice
from ...compiler.ops.index import Gather, NonZero
from ...compiler.ops.logic import Less
from ...compiler.ops.shape import BroadcastTo, Concat, Range, Reshape, ShapeOf
from ...compiler.types import DType, TensorType
from ...compiler.weights import Weight
from ..emitter import BaseEmitter


@dataclass(frozen=True)
class Along:
    """An axis that rounds go along, from its end to its beginning if ``backwards``."""

    axis: int
    backwards: bool = False


class Body:
    """Builds the operations that a loop's body needs beside its own, before all others or after them."""

    def __init__(self, region: Region, *, first: bool = False) -> None:
        self.region = region
        self.before = next(iter(region.ops), None) if first else None

    def __call__(self, op: Op) -> Value:
        """Insert an operation and return its only result."""
        return self.region.insert(op, self.before).result

    def ints(self, *values: int) -> Value:
        """Insert a constant vector of integers into the loop's body."""
        return self(Const(Weight.of(np.asarray(values, np.int64))))

    def starts(self, turn: Value, last: Value | None, along: Along, rank: int) -> Value:
        """Return where the row of a round begins; ``last`` is the number of the last round."""
        place = turn
        if along.backwards:
            assert last is not None
            place = self(Sub(last, turn))
        parts = [self.ints(*[0] * along.axis), self(Reshape(place, (1,))), self.ints(*[0] * (rank - along.axis - 1))]
        present = tuple(p for p in parts if p.type.shape != (0,))
        return present[0] if len(present) == 1 else self(Concat(present, 0))

    def row(self, x: Value, turn: Value, last: Value | None, along: Along) -> Value:
        """Return the row of ``x`` that a round reads, without the axis."""
        shape = x.type.shape
        sizes = (*shape[: along.axis], 1, *shape[along.axis + 1 :])
        cut = self(DynamicSlice(x, self.starts(turn, last, along, len(shape)), sizes))
        return self(Reshape(cut, (*shape[: along.axis], *shape[along.axis + 1 :])))

    def put(self, buffer: Value, row: Value, turn: Value, last: Value | None, along: Along) -> Value:
        """Return ``buffer`` with the row that a round gives."""
        shape = row.type.shape
        update = self(Reshape(row, (*shape[: along.axis], 1, *shape[along.axis :])))
        return self(DynamicUpdateSlice(buffer, update, self.starts(turn, last, along, len(shape) + 1)))


def empty_buffers(emit: BaseEmitter, rows: Sequence[Value], alongs: Sequence[Along], rounds: Dim) -> list[Value]:
    """Insert tensors that have room for one row of each round."""
    buffers: list[Value] = []
    for row, along in zip(rows, alongs, strict=True):
        shape = (*row.type.shape[: along.axis], rounds, *row.type.shape[along.axis :])
        buffers.append(emit(BroadcastTo(emit.const(0, row.type.dtype), shape)))
    return buffers


def growing(
    emit: BaseEmitter, inner: Body, rows: Sequence[Value], alongs: Sequence[Along]
) -> tuple[list[Value], list[Value]]:
    """Let a body take tensors along that have a row more after each round, where nothing says how many there will be.

    Returns what these are before the first round, and after each.
    """
    before, after = list[Value](), list[Value]()
    size = emit.fresh() if rows else 0
    for row, along in zip(rows, alongs, strict=True):
        first, rest = row.type.shape[: along.axis], row.type.shape[along.axis :]
        own = Value(TensorType(row.type.dtype, (*first, size, *rest)))
        inner.region.args.append(own)
        new = inner(Reshape(row, (*first, 1, *rest)))
        after.append(inner(Concat((new, own) if along.backwards else (own, new), along.axis)))
        before.append(emit(BroadcastTo(emit.const(0, row.type.dtype), (*first, 0, *rest))))
    return before, after


def first_rows(emit: BaseEmitter, buffers: Sequence[Value], count: Value, size: Sym) -> list[Value]:
    """Return as many rows of tensors as data says, which have rows for all rounds that could have been.

    ``size`` is what that number is called.
    """
    rounds = buffers[0].type.shape[0]
    numbers = emit(Range(emit.const(0, count.type.dtype), emit.const(1, count.type.dtype), rounds))
    filled = emit(NonZero(emit(Less(numbers, count)), size, rows=True))
    places = emit(Reshape(filled, filled.type.shape[:1]))
    return [emit(Gather(b, places, 0)) for b in buffers]


def count_of(emit: BaseEmitter, x: Value, axis: int) -> Value:
    """Insert the size of ``x`` along an axis, as a scalar."""
    return emit(Reshape(emit(ShapeOf(x, (axis,), DType.I64)), ()))
