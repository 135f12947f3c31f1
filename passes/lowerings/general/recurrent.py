"""Lowerings of recurrent layers that ONNX and OpenVINO share."""

from __future__ import annotations

import numpy as np

from ....compiler.ir import Value
from ....compiler.lowering import Build
from ....compiler.ops import arith
from ....compiler.ops.control import While
from ....compiler.ops.dynamic import DynamicSlice, DynamicUpdateSlice
from ....compiler.ops.logic import GreaterEqual, Less
from ....compiler.ops.recurrent import Gru, Lstm, Recurrent, Rnn
from ....compiler.ops.shape import BroadcastTo, Concat, ShapeOf
from ....compiler.types import DType
from .registry import lower

MAX_UNROLLED = 8
"""Steps up to which a layer that no operator has is written step by step."""


@lower(Lstm, Gru, Rnn)
def step_by_step(op: Recurrent, e: Build) -> None:
    """What no operator does, such as a projection: one step after the other, or as a loop over them."""
    if op.strategy not in ("auto", "fused") or op.batch_first:
        return
    if isinstance(op.steps, int) and op.steps <= MAX_UNROLLED:
        e.replace(*e.each(op.clone(strategy="unroll")))
        return
    steps = e.reshape(e(ShapeOf, op.x, (0,)), ())
    first = e(arith.Sub, steps, 1) if op.reverse else e.number(0, DType.I64)
    zero = e.number(0, op.x.type.dtype)
    first_states: list[Value | None] = [op.h0, *([op.c0] if isinstance(op, Lstm) else [])]
    given = zip(first_states, op.results[1:], strict=True)
    states = [e(BroadcastTo, zero, end.type.shape) if state is None else state for state, end in given]
    carried = (first, e(BroadcastTo, zero, op.results[0].type.shape), *states)

    def goes_on(f: Build, values: list[Value]) -> tuple[Value, ...]:
        place = values[0]
        return (f(GreaterEqual, place, 0) if op.reverse else f(Less, place, steps),)

    condition = e.region(carried, goes_on)
    body = e.region(carried, lambda f, values: _step(op, f, *values))
    _, *results = e.each(While(carried, condition, body))
    e.replace(*results)


def _step(op: Recurrent, f: Build, place: Value, outputs: Value, *states: Value) -> tuple[Value, ...]:
    """Return what is carried after one step of a layer."""
    starts = f.rw.emit(Concat((f.reshape(place, (1,)), f.constant(np.zeros(2, np.int64))), 0))
    x = f(DynamicSlice, op.x, starts, (1, *op.x.type.shape[1:]))
    given = {"x": x, **dict(zip(("h0", "c0"), states, strict=False))}
    if op.lengths is not None:
        given["lengths"] = f(arith.Sub, f(arith.Cast, op.lengths, to=DType.I64), place)
    operands = [given.get(name, value) for name, value in zip(op.spec.operands, op.operands, strict=True)]
    out, *ends = f.each(op.clone(operands, strategy="unroll"))
    after = f(arith.Add, place, -1 if op.reverse else 1)
    return after, f(DynamicUpdateSlice, outputs, out, starts), *ends
