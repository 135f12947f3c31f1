"""Lowerings of convolutions into smaller ones for TensorFlow.js."""

from __future__ import annotations

from ....compiler.ops.shape import Slice
from ....compiler.ops.window import Conv
from ....passes.lowerings.groups import group_by_group
from ....passes.lowerings.volumes import VOLUME, sum_over_depth
from .lowering import Build, lower


@lower(Conv)
def split_groups(op: Conv, e: Build) -> None:
    """TensorFlow.js has no groups: they are computed one by one."""
    if op.channels_last and op.groups > 1 and not op.is_depthwise and op.x.type.rank < VOLUME:
        group_by_group(op, 0, e)


@lower(Conv)
def split_depth(op: Conv, e: Build) -> None:
    """Over volumes with groups or paddings of their own: a sum of ones over images, one per filter layer."""
    if op.x.type.rank == VOLUME and op.channels_last:
        sum_over_depth(op, e)


@lower(Conv)
def leave_out_windows(op: Conv, e: Build) -> None:
    """Strides and dilations at once: all windows, then those that are meant."""
    is_both = any(s > 1 for s in op.strides) and any(d > 1 for d in op.dilations)
    if not is_both or not op.channels_last or op.x.type.rank >= VOLUME:
        return
    every = e.clone(op, *op.operands, strides=(1,) * len(op.strides))
    shape = op.result.type.shape
    e.replace(e(Slice, every, (0,) * len(shape), shape, (1, *op.strides, 1)))
