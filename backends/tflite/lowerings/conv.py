"""Lowerings of convolutions to what TFLite's kernels take."""

from __future__ import annotations

from ....compiler.fold import constant
from ....compiler.ops.window import Conv
from ....compiler.weights import Weight
from ....passes.lowerings.volumes import VOLUME, sum_over_depth
from ..emitters.window import is_deep
from ..lowering import Build, lower


@lower(Conv)
def split_depth(op: Conv, e: Build) -> None:
    """A convolution over volumes is a sum of ones over images, one per layer of the filter.

    XNNPACK runs these; CONV_3D takes 1.4 to 2 times as long, and knows no groups.
    """
    if op.x.type.rank != VOLUME or not op.channels_last or (is_deep(op) and op.groups == 1 and constant(op.w)):
        return
    sum_over_depth(op, e)


@lower(Conv)
def add_bias(op: Conv, e: Build) -> None:
    """The kernel needs a bias: without one, zeros are added."""
    count = op.w.type.shape[0]
    if op.bias is None and isinstance(count, int):
        e.replace(e.clone(op, op.x, op.w, e.constant(Weight.splat(0, op.x.type.dtype, (count,)))))
