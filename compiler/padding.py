"""Which windowed operations have paddings that the format has a word for."""

from __future__ import annotations

from typing import Any

from .dims import Dim, ceil_div, maximum
from .ops.window import Pads, Spatial


def same_pads(size: Dim, kernel: int, stride: int, dilation: int) -> tuple[Dim, Dim]:
    """Return what SAME adds before and after.

    >>> same_pads(8, 3, 2, 1), same_pads(7, 3, 2, 1)
    ((0, 1), (1, 1))
    """
    span = dilation * (kernel - 1) + 1
    if stride == 1:
        total: Dim = span - 1
    else:
        total = maximum((ceil_div(size, stride) - 1) * stride + span - size, 0)
    return total // 2, total - total // 2


def known_pads(pads: Pads) -> list[tuple[int, int]] | None:
    """Return paddings that are numbers; None if one depends on a named size."""
    found = [(a, b) for a, b in pads if isinstance(a, int) and isinstance(b, int)]
    return found if len(found) == len(pads) else None


def is_valid(op: Any) -> bool:
    """Whether a windowed operation pads nothing: what TFLite and TensorFlow call ``VALID``."""
    return all(p == (0, 0) for p in op.pads)


def is_same(op: Any) -> bool:
    """Whether a windowed operation has the paddings of SAME."""
    return all(p == same_pads(*g) for p, g in zip(op.pads, geometry(op), strict=True))


def geometry(op: Any) -> list[tuple[Dim, int, int, int]]:
    """Size, kernel, stride and dilation of a convolution or pooling along each spatial axis."""
    data = Spatial.of(op.x.type.rank, op.channels_last)
    sizes = [op.x.type.shape[a] for a in data.axes]
    if "kernel" in op.attributes:
        kernel = op.kernel
    else:
        filters = Spatial.of(op.w.type.rank, op.channels_last)
        kernel = tuple(op.w.type.shape[a] for a in filters.axes)
    return list(zip(sizes, kernel, op.strides, op.dilations, strict=True))
