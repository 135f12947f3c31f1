"""Images in the operators' form: paddings that are small numbers."""

from __future__ import annotations

import math
from typing import Any

from ....compiler.dims import Dim, is_static
from ....compiler.ops import window
from ....compiler.ops.shape import Pad
from .lowering import Build, lower

@lower(window.Conv)
def pad_before(op: window.Conv, e: Build) -> None:
    """Paddings that are known by name only are an operation of their own."""
    if not op.channels_last and not all(is_static(pair) for pair in op.pads):
        low, high = (_widths(op, side) for side in range(2))
        padded = e(Pad, op.x, low, high)
        e.replace(e.clone(op, padded, op.w, op.bias, pads=((0, 0),) * len(op.pads)))


@lower(window.MaxPool, window.LpPool)
def pad_widely(op: window.MaxPool | window.LpPool, e: Build) -> None:
    """Paddings that are larger than the window are an operation of their own."""
    if op.channels_last or not any(p != (0, 0) for p in op.pads):
        return
    if isinstance(op, window.MaxPool) and not op.x.type.dtype.is_float:
        return
    filling = -math.inf if isinstance(op, window.MaxPool) else 0.0
    padded = e(Pad, op.x, *(_widths(op, side) for side in range(2)), value=filling)
    e.replace(e.clone(op, padded, pads=((0, 0),) * len(op.pads)))


def _widths(op: Any, side: int) -> tuple[Dim, ...]:
    return (0, 0, *(pair[side] for pair in op.pads))
