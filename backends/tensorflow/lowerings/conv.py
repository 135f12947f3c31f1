"""Lowerings of convolutions to those that all of TensorFlow's kernels run."""

from __future__ import annotations

from ....compiler.ops.window import Conv
from ....passes.lowerings.volumes import VOLUME, sum_over_depth
from .lowering import Build, lower


@lower(Conv)
def split_depth(op: Conv, e: Build) -> None:
    """Over volumes with groups or dilations, which Conv3D lacks: a sum of ones over images, one per filter layer."""
    is_plain = op.groups == 1 and all(d == 1 for d in op.dilations)
    if op.x.type.rank == VOLUME and op.channels_last and not is_plain:
        sum_over_depth(op, e)
