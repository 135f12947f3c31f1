"""Images in the operators' form: paddings that are small numbers."""

from __future__ import annotations

import math
from typing import Any

from ....compiler.dims import Dim, is_static
from ....compiler.ops import window
from ....compiler.ops.positions import MaxPoolPositions
from ....compiler.ops.shape import Pad
from .lowering import Build, lower

@lower(window.Conv)
def pad_before(op: window.Conv, e: Build) -> None:
    """Paddings that are known by name only are an operation of their own."""
    if not op.channels_last and not all(is_static(pair) for pair in op.pads):
        low, high = (_widths(op, side) for side in range(2))
        padded = e(Pad, op.x, low, high)
        e.replace(e.clone(op, padded, op.w, op.bias, pads=((0, 0),) * len(op.pads)))


@lower(window.MaxPool, window.AveragePool, window.LpPool, MaxPoolPositions, benefit=2)
def whole_windows(op: Any, e: Build) -> None:
    """Where a last window would start in the paddings, these end with the one before."""
    if not op.ceil or getattr(op, "channels_last", False) or not is_static(op.x.type.shape[2:]):
        return
    fields = zip(op.x.type.shape[2:], op.results[0].type.shape[2:], op.kernel, op.strides, op.dilations, strict=True)
    pads: list[tuple[Dim, Dim]] = []
    for (size, out, k, s, d), (low, high) in zip(fields, op.pads, strict=True):
        reach = (out - 1) * s + d * (k - 1) + 1 - size - low
        if not isinstance(reach, int) or reach > high:
            return
        pads.append((low, max(reach, 0)))
    e.replace(*e.each(op.clone(pads=tuple(pads), ceil=False)))


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
