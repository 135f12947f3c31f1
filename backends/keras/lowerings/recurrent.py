"""Recurrent layers in the form that Keras has: the batch first, read from the first step to the last."""

from __future__ import annotations

from ....compiler.fold import constant
from ....compiler.ir import Value
from ....compiler.ops.recurrent import Gru, Lstm, Recurrent, Rnn
from ....compiler.ops.shape import BroadcastTo, Reshape, Reverse, Slice, Tile, Transpose
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


@lower(Lstm, Gru, Rnn, benefit=4)
def begin_with_zeros(op: Recurrent, e: Build) -> None:
    """States that are zeros are left out: layers begin with them, whatever the size of the batch."""
    if not fits(op):
        return
    zeros = [n for n in ("h0", "c0") if n in op.spec.operands and _is_zero(getattr(op, n))]
    both = [n for n in ("h0", "c0") if n in op.spec.operands and getattr(op, n) is not None]
    if zeros and zeros == both:
        operands = [None if name in zeros else v for name, v in zip(op.spec.operands, op.operands, strict=True)]
        e.replace(*e.each(op.clone(operands)))


def _is_zero(value: Value | None) -> bool:
    """Whether a value is made of zeros by moving them."""
    while value is not None and isinstance(value.owner, BroadcastTo | Tile | Slice | Reshape | Transpose):
        value = value.owner.operands[0]
    weight = None if value is None else constant(value)
    return weight is not None and not weight.array().any()


@lower(Lstm, Gru, Rnn, benefit=2)
def reversed_around(op: Recurrent, e: Build) -> None:
    """From the end: what is read and what is given is reversed."""
    if not op.reverse or not op.batch_first or not fits(op):
        return
    forward = op.clone((e(Reverse, op.x, dims=(1,)), *op.operands[1:]), reverse=False)
    out, *states = e.each(forward)
    e.replace(e(Reverse, out, dims=(1,)), *states)
