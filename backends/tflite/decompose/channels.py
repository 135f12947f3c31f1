"""Images and signals in the kernels' form: channels last, two spatial axes."""

from __future__ import annotations

from typing import Any

from ....compiler.ir import Value
from ....compiler.ops import spatial, window
from ....compiler.ops.shape import inverse
from ..lowering import Build, lower

WINDOWED = (window.Conv, window.ConvTranspose, window.MaxPool, window.AveragePool, window.LpPool)


@lower(*WINDOWED, spatial.DepthToSpace, spatial.SpaceToDepth, benefit=3)
def put_channels_last(op: Any, e: Build) -> None:
    """Transposes around; propagate-layout leaves fewer of them."""
    if op.channels_last:
        return
    rank = op.x.type.rank
    last = (0, *range(2, rank), 1)
    operands = [e.transpose(op.x, last)]
    if isinstance(op, window.Conv):
        operands += [e.transpose(op.w, last), op.bias]
    elif isinstance(op, window.ConvTranspose):
        operands += [e.transpose(op.w, (*range(1, rank), 0)), op.bias]
    e.replace(e.transpose(e.clone(op, *operands, channels_last=True), inverse(last)))


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
