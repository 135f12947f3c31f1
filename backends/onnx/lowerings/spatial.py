"""Images in the operators' form: channels on axis 1, paddings that are numbers."""

from __future__ import annotations

import math
from typing import Any

from ....compiler.dims import Dim, is_static
from ....compiler.ops import spatial, window
from ....compiler.ops.shape import Pad, inverse
from .lowering import Build, lower

WINDOWED = (window.Conv, window.ConvTranspose, window.MaxPool, window.AveragePool, window.LpPool)


@lower(*WINDOWED, spatial.DepthToSpace, spatial.SpaceToDepth, benefit=4)
def put_channels_first(op: Any, e: Build) -> None:
    """Transposes around; propagate-layout leaves fewer of them."""
    if not op.channels_last:
        return
    rank = op.x.type.rank
    first = (0, rank - 1, *range(1, rank - 1))
    operands = [e.transpose(op.x, first)]
    if isinstance(op, window.Conv):
        operands += [e.transpose(op.w, first), op.bias]
    elif isinstance(op, window.ConvTranspose):
        operands += [e.transpose(op.w, (rank - 1, *range(rank - 1))), op.bias]
    e.replace(e.transpose(e.clone(op, *operands, channels_last=False), inverse(first)))


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
