"""Convolutions in forms that Keras has: group by group where filters are computed, strides after dilations."""

from __future__ import annotations

from ....compiler.dims import Dim
from ....compiler.fold import constant
from ....compiler.ops.shape import Slice
from ....compiler.ops.window import Conv
from ....passes.lowerings.groups import group_by_group
from .lowering import Build, lower


@lower(Conv)
def groups_of_computed_filters(op: Conv, e: Build) -> None:
    """``ops.conv`` counts the groups in no file: filters that are computed are applied group by group."""
    if op.channels_last and op.groups > 1 and constant(op.w) is None:
        group_by_group(op, 0, e)


@lower(Conv)
def strides_after_dilations(op: Conv, e: Build) -> None:
    """Both at once are refused: every position is computed, then those that strides reach are taken."""
    if not op.channels_last or all(s == 1 for s in op.strides) or all(d == 1 for d in op.dilations):
        return
    whole = e.clone(op, *op.operands, strides=(1,) * len(op.strides))
    n, *sizes, c = op.result.type.shape
    shape: tuple[Dim, ...] = (n, *sizes, c)
    e.replace(e(Slice, whole, starts=(0,) * len(shape), sizes=shape, steps=(1, *op.strides, 1)))
