"""Images and signals in the kernels' form: channels where the target has them, two spatial axes."""

from __future__ import annotations

from typing import Any

from ...compiler.ir import Value
from ...compiler.lowering import Build
from ...compiler.ops import spatial, window
from ...compiler.ops.shape import inverse
from .registry import lower

WINDOWED = (window.Conv, window.ConvTranspose, window.MaxPool, window.AveragePool, window.LpPool)


@lower(*WINDOWED, spatial.DepthToSpace, spatial.SpaceToDepth, benefit=3)
def move_channels(op: Any, e: Build) -> None:
    """Channels where the target has them, by transposes around; propagate-layout leaves fewer of them."""
    last = e.target.channels == "last"
    if op.channels_last == last:
        return
    rank = op.x.type.rank
    to_last, to_first = (0, *range(2, rank), 1), (0, rank - 1, *range(1, rank - 1))
    perm = to_last if last else to_first
    operands = [e.transpose(op.x, perm)]
    if isinstance(op, window.Conv):
        operands += [e.transpose(op.w, perm), op.bias]
    elif isinstance(op, window.ConvTranspose):
        filters = (*range(1, rank), 0) if last else (rank - 1, *range(rank - 1))
        operands += [e.transpose(op.w, filters), op.bias]
    e.replace(e.transpose(e.clone(op, *operands, channels_last=last), inverse(perm)))


@lower(*WINDOWED, benefit=2)
def add_axis(op: Any, e: Build) -> None:
    """A signal is an image of one column."""
    if op.x.type.rank != 3 or not op.channels_last:
        return
    attributes = {name: (*op.attributes[name], plain) for name, plain in _PLAIN.items() if name in op.attributes}
    operands = [_add_column(op.x, e), *(_filter(v, e) for v in op.operands[1:])]
    e.replace(e.clone(op, *operands, **attributes))


_PLAIN: dict[str, Any] = {
    "kernel": 1,
    "strides": 1,
    "dilations": 1,
    "pads": (0, 0),
    "output_pads": 0,
}
"""What the attributes say along an axis of size one."""


def _filter(value: Value | None, e: Build) -> Value | None:
    return value if value is None or value.type.rank != 3 else _add_column(value, e)


def _add_column(value: Value, e: Build) -> Value:
    n, t, c = value.type.shape
    return e.reshape(value, (n, t, 1, c))
