"""Lowerings of recurrent layers to those that ONNX has."""

from __future__ import annotations

from ....compiler.fold import constant
from ....compiler.ir import Value
from ....compiler.ops.recurrent import Gru, Lstm, Recurrent, Rnn
from ....compiler.ops.shape import BroadcastTo, Reshape, Slice, Split, Transpose
from ....compiler.weights import EAGER_BYTES
from .lowering import Build, improve, lower


@lower(Lstm, Gru, Rnn, benefit=2)
def time_first(op: Recurrent, e: Build) -> None:
    """Runtimes refuse layers whose batch comes first: transpose before and after."""
    if not op.batch_first:
        return
    swap = (1, 0, 2)
    out, *states = e.each(op.clone((e.transpose(op.x, swap), *op.operands[1:]), batch_first=False))
    e.replace(e.transpose(out, swap), *states)


@improve(Lstm, Gru, Rnn)
def begin_with_zeros(op: Recurrent, e: Build) -> None:
    """States that are zeros need not be given."""
    given = {name: getattr(op, name) for name in ("h0", "c0") if name in op.spec.operands}
    zeros = [value for value in given.values() if value is not None and _is_zero(value)]
    if zeros:
        e.replace(*e.each(op.clone([None if any(v is z for z in zeros) else v for v in op.operands])))


def _is_zero(value: Value) -> bool:
    """Whether a value is one zero repeated, however it was cut and arranged."""
    while isinstance(value.owner, BroadcastTo | Reshape | Split | Slice | Transpose):
        value = value.owner.x
    weight = constant(value)
    return weight is not None and weight.nbytes <= EAGER_BYTES and not weight.array().any()
