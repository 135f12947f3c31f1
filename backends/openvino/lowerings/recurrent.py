"""Recurrent layers in the kernels' form: the batch first, from states that are given."""

from __future__ import annotations

from ....compiler.ops.recurrent import Gru, Lstm, Recurrent, Rnn
from ....compiler.ops.shape import BroadcastTo
from ..kernels.recurrent import fits
from .lowering import Build, lower

SWAPPED = (1, 0, 2)


@lower(Lstm, Gru, Rnn, benefit=3)
def batch_or_time_first(op: Recurrent, e: Build) -> None:
    """Layers that have a kernel get the batch first, others, which become loops, the time; by transposes around."""
    if op.strategy not in ("auto", "fused") or op.batch_first == fits(op):
        return
    out, *states = e.each(op.clone((e.transpose(op.x, SWAPPED), *op.operands[1:]), batch_first=not op.batch_first))
    e.replace(e.transpose(out, SWAPPED), *states)


@lower(Lstm, Gru, Rnn, benefit=2)
def begin_with_zeros(op: Recurrent, e: Build) -> None:
    """First states that are not given become zeros, since OpenVINO's sequences require them as operands."""
    names = [n for n in ("h0", "c0") if n in op.spec.operands]
    missing = [n for n in names if getattr(op, n) is None]
    if not missing or not fits(op) or not op.batch_first:
        return
    zero = e.number(0, op.x.type.dtype)
    given = {
        name: e(BroadcastTo, zero, end.type.shape)
        for name, end in zip(names, op.results[1:], strict=True)
        if name in missing
    }
    operands = [given.get(name, value) for name, value in zip(op.spec.operands, op.operands, strict=True)]
    e.replace(*e.each(op.clone(operands)))
