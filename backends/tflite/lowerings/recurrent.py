"""First states of recurrent layers that run as kernels: there before it is asked which kernel that is."""

from __future__ import annotations

from ....compiler.ops.recurrent import Lstm, Rnn
from ....compiler.ops.shape import BroadcastTo
from ..lowering import Build, prepare


@prepare(Lstm, Rnn)
def states_for_kernels(op: Lstm | Rnn, e: Build) -> None:
    """Kernels begin with states: with zeros where none are given, in both of two layers that may be one kernel."""
    if op.strategy != "fused":
        return
    missing = [name for name in ("h0", "c0") if name in op.spec.operands and getattr(op, name) is None]
    operands = list(op.operands)
    for name in missing:
        size = (op.batch, op.r.type.shape[1] if name == "h0" else op.hidden)
        operands[op.spec.operands.index(name)] = e(BroadcastTo, e.number(0, op.x.type.dtype), size)
    if missing:
        e.replace(*e.each(op.clone(operands)))
