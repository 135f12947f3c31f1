"""Which windowed operations have paddings that the format has a word for."""

from __future__ import annotations

from typing import Any

from ...compiler.dims import Dim
from ...compiler.ops.window import Spatial
from ...formats.tflite.padding import same_pads


def is_valid(op: Any) -> bool:
    """Whether a windowed operation has no paddings."""
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
