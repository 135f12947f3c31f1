"""Recurrent layers in MIL's form: time first, forwards, from states that are given."""

from __future__ import annotations

from ....compiler.ops.recurrent import Gru, Lstm, Recurrent
from ....compiler.ops.shape import BroadcastTo, Reverse
from ..kernels.recurrent import fits
from .lowering import Build, lower

SWAPPED = (1, 0, 2)


@lower(Lstm, Gru, benefit=4)
def time_first(op: Recurrent, e: Build) -> None:
    """Transpose around recurrent layers whose data has the batch first."""
    if not op.batch_first or not fits(op):
        return
    out, *states = e.each(op.clone((e.transpose(op.x, SWAPPED), *op.operands[1:]), batch_first=False))
    e.replace(e.transpose(out, SWAPPED), *states)


@lower(Lstm, Gru, benefit=3)
def read_forwards(op: Recurrent, e: Build) -> None:
    """What reads backwards reads forwards what is reversed; its results are so, too."""
    if not op.reverse or op.batch_first or not fits(op):
        return
    out, *states = e.each(op.clone((e(Reverse, op.x, (0,)), *op.operands[1:]), reverse=False))
    e.replace(e(Reverse, out, (0,)), *states)


@lower(Lstm, Gru, benefit=2)
def begin_with_zeros(op: Recurrent, e: Build) -> None:
    """Make initial states of zeros for layers that are given none."""
    names = [n for n in ("h0", "c0") if n in op.spec.operands]
    missing = [n for n in names if getattr(op, n) is None]
    if not missing or op.batch_first or op.reverse or not fits(op):
        return
    zero = e.number(0, op.x.type.dtype)
    given = {
        name: e(BroadcastTo, zero, end.type.shape)
        for name, end in zip(names, op.results[1:], strict=True)
        if name in missing
    }
    operands = [given.get(name, value) for name, value in zip(op.spec.operands, op.operands, strict=True)]
    e.replace(*e.each(op.clone(operands)))
