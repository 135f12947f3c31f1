"""Recurrent layers step by step, or as a loop: what the inputs add to the gates is computed for all steps at once.

Everything keeps three axes, of which the step's has size one: no step reshapes anything.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...compiler.budget import check_operations
from ...compiler.dims import Dim, exact_div
from ...compiler.ir import Value
from ...compiler.lowering import Build
from ...compiler.ops import arith, logic
from ...compiler.ops.activation import Clip
from ...compiler.ops.linear import Linear
from ...compiler.ops.quantize import RoundDynamic
from ...compiler.ops.recurrent import BoundStep, Gru, Lstm, Recurrent, Rnn, bind
from ...compiler.ops.shape import BroadcastTo, Concat, Reverse, Slice, Split
from ...compiler.types import DType
from .registry import lower

STEP_OPERATIONS = 8
"""What a step becomes at least."""


class Cell:
    """One layer being lowered: what is computed once, and how a step goes.

    ``inputs`` are what is cut into steps: the products with the inputs for groups of gates, or the inputs themselves
    if products are not computed ``first``.
    """

    def __init__(self, op: Recurrent, e: Build, *, first: bool = True) -> None:
        self.op = op
        self.coupled = isinstance(op, Lstm) and op.coupled
        self.time = 1 if op.batch_first else 0
        self.functions = bind(op.attributes)
        self.blocks = ((0, 2), (2, 1)) if isinstance(op, Gru) else ((0, op.gates),)
        self.first = first
        self.inputs = self.products(e, op.x) if first else [op.x]
        self.initial = [self._state(e, i) for i in range(len(op.results) - 1)]
        self.lengths = None if op.lengths is None else e(arith.Cast, op.lengths, to=DType.I32)

    def products(self, e: Build, x: Value) -> list[Value]:
        """Return what inputs add to the gates, for every group of them."""
        bias = self.op.bias
        return [
            e(Linear, x, self.rows(e, self.op.w, *block), None if bias is None else self.rows(e, bias, *block))
            for block in self.blocks
        ]

    def _state(self, e: Build, number: int) -> Value:
        """Return an initial state with an axis for the step."""
        given = self.op.h0 if number == 0 or not isinstance(self.op, Lstm) else self.op.c0
        shape = self.with_step(self.op.results[1 + number].type.shape)
        return e(BroadcastTo, e.number(0, self.op.x.type.dtype), shape) if given is None else e.reshape(given, shape)

    def with_step(self, shape: Sequence[Dim]) -> tuple[Dim, ...]:
        """Insert an axis of size one for the step into the shape of a state."""
        return (*shape[: self.time], 1, *shape[self.time :])

    def rows(self, e: Build, x: Value, first: int, count: int) -> Value:
        """Return some gates' blocks of a weight or bias."""
        size, (rows, *rest) = self.op.hidden, x.type.shape
        if count * size == rows:
            return x
        return e(Slice, x, (first * size, *[0] * len(rest)), (count * size, *rest), (1,) * x.type.rank)

    def gate(self, e: Build, number: int, x: Value, *, clipped: bool = True) -> Value:
        """Clip the sum of a gate if the layer does, and apply the gate's activation."""
        if self.op.clip and clipped:
            x = e(Clip, x, min=-self.op.clip, max=self.op.clip)
        return apply(e, self.functions[number], x)

    def product(self, e: Build, x: Value, first: int, count: int, bias: Value | None = None) -> Value:
        """Multiply by some gates' blocks of the recurrent matrix."""
        return e(Linear, x, self.rows(e, self.op.r, first, count), bias)

    def step(self, e: Build, inputs: Sequence[Value], states: Sequence[Value]) -> tuple[Value, ...]:
        """Build the operations of one step, and return the next states."""
        match self.op:
            case Lstm():
                return _lstm(self, self.op, e, inputs[0], *states)
            case Gru():
                return _gru(self, self.op, e, *inputs, *states)
            case _:
                return (self.gate(e, 0, e(arith.Add, inputs[0], self.product(e, states[0], 0, 1))),)

    def walk(
        self, e: Build, inputs: Sequence[Value], states: Sequence[Value], first: Value
    ) -> tuple[Value, tuple[Value, ...]]:
        """Build the steps that the inputs are for, number ``first`` and those after; return outputs and states."""
        count = inputs[0].type.shape[self.time]
        assert isinstance(count, int)
        products = inputs if self.first else self.products(e, inputs[0])
        rows = list(zip(*(self._steps(e, x, count) for x in products), strict=True))
        kept, outputs = tuple(states), dict[int, Value]()
        for t in reversed(range(count)) if self.op.reverse else range(count):
            new = self.step(e, rows[t], kept)
            outputs[t], kept = self._masked(e, first, t, new, kept)
        whole = outputs[0] if count == 1 else e(Concat, tuple(outputs[t] for t in range(count)), axis=self.time)
        return whole, kept

    def _steps(self, e: Build, x: Value, count: int) -> Sequence[Value]:
        return (x,) if count == 1 else e.each(Split(x, self.time, (1,) * count))

    def _masked(
        self, e: Build, first: Value, t: int, new: Sequence[Value], old: Sequence[Value]
    ) -> tuple[Value, tuple[Value, ...]]:
        """Return the output and the states: after the end of a sequence states stay, and the output is zero."""
        if self.lengths is None:
            return new[0], tuple(new)
        alive = e(logic.Less, e(arith.Add, first, t) if t else first, self.lengths)
        column = e.reshape(alive, self.with_step((self.op.batch, 1)))
        kept = tuple(e(logic.Select, column, n, o) for n, o in zip(new, old, strict=True))
        return e(logic.Select, column, new[0], e.number(0, new[0].type.dtype)), kept


def apply(e: Build, steps: Sequence[BoundStep], x: Value) -> Value:
    """Apply the operations of an activation function one after the other."""
    for kind, numbers in steps:
        x = e(kind, x, *numbers)
    return x


def _parts(e: Build, x: Value, count: int) -> tuple[Value, ...]:
    """Cut the last axis into equal parts."""
    size = exact_div(x.type.shape[-1], count)
    assert size is not None
    return e.each(Split(x, 2, (size,) * count))


def _features(e: Build, x: Value, start: Dim, size: Dim) -> Value:
    *lead, _ = x.type.shape
    return e(Slice, x, (0, 0, start), (*lead, size), (1, 1, 1))


def _lstm(cell: Cell, op: Lstm, e: Build, row: Value, h: Value, c: Value) -> tuple[Value, ...]:
    seen = e(RoundDynamic, h, dims=(2,)) if op.rounds_state else h
    gates, size = e(arith.Add, row, cell.product(e, seen, 0, 4)), op.hidden
    if op.peepholes is None:
        i, o, f = _parts(e, cell.gate(e, 0, _features(e, gates, 0, 3 * size)), 3)
        after = _after(cell, e, i, f, _features(e, gates, 3 * size, size), c)
    else:
        to_input, to_output, to_forget = e.each(Split(op.peepholes, 0, (size,) * 3))
        i, o, f, new = _parts(e, gates, 4)
        i, f = (cell.gate(e, 0, e(arith.Add, x, e(arith.Mul, c, p))) for x, p in ((i, to_input), (f, to_forget)))
        after = _after(cell, e, i, f, new, c)
        o = cell.gate(e, 0, e(arith.Add, o, e(arith.Mul, after, to_output)))
    out = e(arith.Mul, o, cell.gate(e, 2, after, clipped=False))
    return (out if op.projection is None else e(Linear, out, op.projection, None)), after


def _after(cell: Cell, e: Build, i: Value, f: Value, new: Value, c: Value) -> Value:
    kept = e(arith.Sub, e.number(1, c.type.dtype), i) if cell.coupled else f
    return e(arith.Add, e(arith.Mul, kept, c), e(arith.Mul, i, cell.gate(e, 1, new)))


def _gru(cell: Cell, op: Gru, e: Build, row: Value, new_row: Value, h: Value) -> tuple[Value, ...]:
    z, r = _parts(e, cell.gate(e, 0, e(arith.Add, row, cell.product(e, h, 0, 2))), 2)
    if op.reset_after:
        inner = e(arith.Mul, r, cell.product(e, h, 2, 1, op.hidden_bias))
    else:
        inner = cell.product(e, e(arith.Mul, r, h), 2, 1)
    new = cell.gate(e, 1, e(arith.Add, new_row, inner))
    return (e(arith.Add, new, e(arith.Mul, z, e(arith.Sub, h, new))),)


@lower(Lstm, Gru, Rnn, benefit=2)
def nothing(op: Recurrent, e: Build) -> None:
    """A layer of no steps: its states stay as they are."""
    if op.steps != 0:
        return
    states = [op.h0, op.c0] if isinstance(op, Lstm) else [op.h0]
    zero = e.number(0, op.x.type.dtype)
    ends = zip(states, op.results[1:], strict=True)
    kept = [e(BroadcastTo, zero, end.type.shape) if state is None else state for state, end in ends]
    e.replace(e(BroadcastTo, zero, op.results[0].type.shape), *kept)


@lower(Lstm, Rnn)
def for_kernels(op: Lstm | Rnn, e: Build) -> None:
    """A layer that is to run as one kernel: read forwards, from states that are there."""
    if op.strategy != "fused":
        return
    if op.reverse:
        reversed_ = e.each(
            op.clone((e(Reverse, op.x, dims=(1 if op.batch_first else 0,)), *op.operands[1:]), reverse=False)
        )
        e.replace(e(Reverse, reversed_[0], dims=(1 if op.batch_first else 0,)), *reversed_[1:])
        return
    begin_with_zeros(op, e)


def begin_with_zeros(op: Lstm | Rnn, e: Build) -> None:
    """Give a layer zeros ``[batch, units]`` for the first states that it has none of; one that has all stays."""
    states = [name for name in ("h0", "c0") if name in op.spec.operands and getattr(op, name) is None]
    operands = list(op.operands)
    for name in states:
        size = (op.batch, op.r.type.shape[1] if name == "h0" else op.hidden)
        operands[op.spec.operands.index(name)] = e(BroadcastTo, e.number(0, op.x.type.dtype), size)
    if states:
        e.replace(*e.each(op.clone(operands)))


@lower(Lstm, Gru, Rnn)
def unroll(op: Recurrent, e: Build) -> None:
    """A layer whose number of steps is known: one step after the other."""
    if op.strategy != "unroll" or op.steps == 0:
        return
    e.require(isinstance(op.steps, int), f"{op.steps} steps, which are not known, can't be unrolled")
    assert isinstance(op.steps, int)
    check_operations(op.steps * STEP_OPERATIONS, f"a layer of {op.steps:,} steps")
    cell = Cell(op, e)
    whole, states = cell.walk(e, cell.inputs, cell.initial, e.number(0, DType.I32))
    e.replace(whole, *states)
