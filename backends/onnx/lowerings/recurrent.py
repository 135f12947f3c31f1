"""Recurrent layers."""

from __future__ import annotations

from ....compiler.ops.recurrent import Gru, Lstm, Recurrent, Rnn
from .lowering import Build, lower


@lower(Lstm, Gru, Rnn, benefit=2)
def time_first(op: Recurrent, e: Build) -> None:
    """Transposes around: runtimes refuse the batch first."""
    if not op.batch_first:
        return
    swap = (1, 0, 2)
    out, *states = e.each(op.clone((e.transpose(op.x, swap), *op.operands[1:]), batch_first=False))
    e.replace(e.transpose(out, swap), *states)


@lower(Lstm)
def step_by_step(op: Lstm, e: Build) -> None:
    """With a projection, or with states that are rounded: one step after the other."""
    if op.strategy not in ("auto", "fused") or (op.projection is None and not op.rounds_state):
        return
    e.require(isinstance(op.steps, int), f"a projection, or states that are rounded, in {op.steps} steps")
    e.replace(*e.each(op.clone(strategy="unroll")))
