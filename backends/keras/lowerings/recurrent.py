"""Recurrent layers in the form that Keras has: the batch first, read from the first step to the last."""

from __future__ import annotations

from ....compiler.ops.recurrent import Gru, Lstm, Recurrent, Rnn
from ....compiler.ops.shape import Reverse
from ..kernels.recurrent import fits
from .lowering import Build, lower

SWAPPED = (1, 0, 2)


@lower(Lstm, Gru, Rnn, benefit=3)
def batch_or_time_first(op: Recurrent, e: Build) -> None:
    """Transposes around: layers read the batch first, what is unrolled the time."""
    if op.batch_first == fits(op):
        return
    out, *states = e.each(op.clone((e.transpose(op.x, SWAPPED), *op.operands[1:]), batch_first=not op.batch_first))
    e.replace(e.transpose(out, SWAPPED), *states)


@lower(Lstm, Gru, Rnn, benefit=2)
def reversed_around(op: Recurrent, e: Build) -> None:
    """From the end: what is read and what is given is reversed."""
    if not op.reverse or not op.batch_first or not fits(op):
        return
    forward = op.clone((e(Reverse, op.x, dims=(1,)), *op.operands[1:]), reverse=False)
    out, *states = e.each(forward)
    e.replace(e(Reverse, out, dims=(1,)), *states)
