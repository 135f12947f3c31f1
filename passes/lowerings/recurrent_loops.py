"""Recurrent layers as loops: over blocks of steps, over several steps an iteration, or over single steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...compiler.ir import Value
from ...compiler.lowering import Build
from ...compiler.ops import arith, logic
from ...compiler.ops.control import While
from ...compiler.ops.dynamic import DynamicSlice, DynamicUpdateSlice
from ...compiler.ops.recurrent import Gru, Lstm, Recurrent, Rnn
from ...compiler.ops.shape import BroadcastTo, Concat, Slice
from ...compiler.types import DType
from .loop_iterations import is_block, products_first, steps_per_iteration
from .recurrent import Cell
from .registry import lower


@lower(Lstm, Gru, Rnn)
def loop(op: Recurrent, e: Build) -> None:
    """Loops one after the other that carry the position of the next steps, the outputs so far, and the states.

    What is left of the steps by one is done by the next, which does fewer in an iteration.
    """
    if op.strategy != "while":
        return
    counts = steps_per_iteration(op)
    cell = Cell(op, e, first=products_first(op) and not any(map(is_block, counts[:1])))
    shape = op.results[0].type.shape
    if not counts:
        e.replace(e(BroadcastTo, e.number(0, op.x.type.dtype), shape), *cell.initial)
        return
    room = 0 if isinstance(op.steps, int) else counts[0]  # outputs of an iteration must fit, even if none runs
    longer = tuple(d + room if axis == cell.time else d for axis, d in enumerate(shape))
    outputs = e(BroadcastTo, e.number(0, op.x.type.dtype), longer)
    carried = (_begin(e, cell, counts[0]), outputs, *cell.initial)
    for count, after in zip(counts, (*counts[1:], 0), strict=True):
        place, *others = Iterations(cell, count).run(e, carried)
        carried = (e(arith.Add, place, _along(e, cell, count - after)) if op.reverse and after else place, *others)
    _, whole, *states = carried
    e.replace(e(Slice, whole, (0, 0, 0), shape, (1, 1, 1)) if room else whole, *states)


def _begin(e: Build, cell: Cell, count: int) -> Value:
    """Return the index vector of the first steps: a number for every axis."""
    op = cell.op
    first = e(arith.Sub, e.size(op.steps, DType.I32), count) if op.reverse else e.number(0, DType.I32)
    numbers = [e.reshape(first, (1,)) if i == cell.time else e.constant(np.zeros(1, np.int32)) for i in range(3)]
    return e(Concat, tuple(numbers), axis=0)


def _along(e: Build, cell: Cell, steps: int) -> Value:
    """Return an index vector that advances ``steps`` along the time axis."""
    way = np.zeros(3, np.int32)
    way[cell.time] = steps
    return e.constant(way)


@dataclass(frozen=True)
class Iterations:
    """A loop that does ``count`` steps in each iteration, as long as there are so many."""

    cell: Cell
    count: int

    def run(self, e: Build, carried: Sequence[Value]) -> tuple[Value, ...]:
        """Build the loop; return what it carries to its end."""
        last = e(arith.Sub, e.size(self.cell.op.steps, DType.I32), self.count)
        condition = e.region(carried, lambda f, values: (self.go_on(f, values[0], last),))
        body = e.region(carried, lambda f, values: self.body(f, *values))
        return tuple(e.each(While(tuple(carried), condition, body)))

    def go_on(self, e: Build, place: Value, last: Value) -> Value:
        """The condition of the loop: whether enough steps are left for an iteration."""
        first = self.number(e, place)
        return e(logic.GreaterEqual, first, 0) if self.cell.op.reverse else e(logic.LessEqual, first, last)

    def number(self, e: Build, place: Value) -> Value:
        """Return the number of the step at a place."""
        return e.reshape(e(Slice, place, (self.cell.time,), (1,), (1,)), ())

    def body(self, e: Build, place: Value, outputs: Value, *states: Value) -> tuple[Value, ...]:
        """The body of the loop: run the next steps, store their outputs."""
        cell = self.cell
        cut = [(*x.type.shape[: cell.time], self.count, *x.type.shape[cell.time + 1 :]) for x in cell.inputs]
        rows = [e(DynamicSlice, x, place, sizes) for x, sizes in zip(cell.inputs, cut, strict=True)]
        do = self.block if is_block(self.count) else cell.walk
        out, kept = do(e, rows, states, self.number(e, place))
        after = e(arith.Add, place, _along(e, cell, -self.count if cell.op.reverse else self.count))
        return after, e(DynamicUpdateSlice, outputs, out, place), *kept

    def block(
        self, e: Build, inputs: Sequence[Value], states: Sequence[Value], first: Value
    ) -> tuple[Value, tuple[Value, ...]]:
        """Build a layer of fewer steps, whose loop copies less in every iteration; return outputs and states."""
        op, ends = self.cell.op, self.cell.op.results[1:]
        begin = [e.reshape(state, end.type.shape) for state, end in zip(states, ends, strict=True)]
        given = {"x": inputs[0], **dict(zip(("h0", "c0"), begin, strict=False))}
        if self.cell.lengths is not None:
            given["lengths"] = e(arith.Sub, self.cell.lengths, first)
        operands = [given.get(name, value) for name, value in zip(op.spec.operands, op.operands, strict=True)]
        out, *kept = e.each(op.clone(operands))
        return out, tuple(e.reshape(k, s.type.shape) for k, s in zip(kept, states, strict=True))
