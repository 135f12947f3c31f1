"""Rows for convolutions: explicit zeros run everywhere, groups only if they are single channels."""

from __future__ import annotations

from ....compiler.ops import window as ir
from ...common.windows import depthwise_filters, is_something, known_padding, no_cuts, none_or_same, ungrouped
from ...tensorflow.kernels.common import channels_last, plain
from ...tensorflow.kernels.window import IMAGES, VOLUMES, conv, conv_3d, depthwise
from ...tensorflow.table import condition
from ..table import emits, leave_out


@condition("strides or dilations of 1")
def _one_of_both(op: ir.Conv) -> str | None:
    is_plain = all(s == 1 for s in op.strides) or all(d == 1 for d in op.dilations)
    return None if is_plain else "strides and dilations at once"


leave_out(ir.Conv)

_CONV = (plain, channels_last, is_something, known_padding, no_cuts, _one_of_both)

emits(ir.Conv, "DepthwiseConv2dNative", ranks=IMAGES, when=(*_CONV, depthwise_filters))(depthwise)
emits(ir.Conv, "Conv2D", ranks=IMAGES, when=(*_CONV, ungrouped))(conv)
emits(ir.Conv, "Conv3D", ranks=VOLUMES, when=(*_CONV, none_or_same, ungrouped))(conv_3d)
