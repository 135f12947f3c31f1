"""Lowerings of convolutions to those that kernels run: dilations, groups, ranks."""

from __future__ import annotations

from ...compiler.diagnostics import counted
from ...compiler.dims import Dim
from ...compiler.ir import Value
from ...compiler.lowering import Build
from ...compiler.ops.shape import Pad
from ...compiler.ops.window import AveragePool, Conv, MaxPool, Pads
from ...compiler.padding import geometry, is_same, is_valid
from .registry import lower, refuse

VOLUME = 5
"""Rank of a batch of volumes."""


@lower(Conv, MaxPool, AveragePool, benefit=2)
def trim_pads(op: Conv | MaxPool | AveragePool, e: Build) -> None:
    """Leave out what lies after the last window: what remains is often what SAME says, or nothing."""
    if not op.channels_last or is_valid(op) or is_same(op) or op.attributes.get("ceil", False):
        return
    pads = tuple(_used(*g, p) for g, p in zip(geometry(op), op.pads, strict=True))
    if pads != op.pads:
        e.replace(e.clone(op, *op.operands, pads=pads))


def _used(size: Dim, kernel: int, stride: int, dilation: int, pad: tuple[Dim, Dim]) -> tuple[Dim, Dim]:
    before, behind = pad
    if not (isinstance(size, int) and isinstance(before, int) and isinstance(behind, int)):
        return pad
    room = size + before + behind - dilation * (kernel - 1) - 1
    left_over = room % stride if room >= 0 else 0
    return before, behind - min(behind, left_over)


@lower(Conv)
def pad_explicitly(op: Conv, e: Build) -> None:
    """Zeros around the data; XNNPACK fuses them back into a convolution without paddings."""
    if not op.channels_last or op.x.type.rank not in (4, VOLUME) or is_valid(op) or is_same(op):
        return
    x = pad_spatially(op.x, op.pads, e)
    e.replace(e.clone(op, x, op.w, op.bias, pads=((0, 0),) * len(op.pads)))


@refuse(Conv)
def refuse_conv(op: Conv) -> str | None:
    """Say what no form of convolution can do."""
    axes = op.x.type.rank - 2
    if op.x.type.rank <= VOLUME:
        return None
    return f"a convolution over {counted(axes, 'spatial axis', 'spatial axes')}; at most 3 can be run"


def pad_spatially(x: Value, pads: Pads, e: Build, value: float = 0.0) -> Value:
    """Pad the spatial axes of data with its channels last."""
    if all(p == (0, 0) for p in pads):
        return x
    low = (0, *(p[0] for p in pads), 0)
    high = (0, *(p[1] for p in pads), 0)
    return e(Pad, x, low, high, value=value)
