"""Slices with steps, and with entries that stand for new axes, for single positions, or for all axes that are left."""

from __future__ import annotations

from ....compiler.ir import Value
from ...common.strided_slice import Masks
from ...common.strided_slice import strided_slice as sliced
from ..emitter import Emitter
from ..registry import builtin


@builtin("STRIDED_SLICE", "StridedSliceOptions", integers="moved")
def strided_slice(
    emit: Emitter,
    x: Value,
    begin: Value,
    end: Value,
    strides: Value,
    *,
    begin_mask: int = 0,
    end_mask: int = 0,
    ellipsis_mask: int = 0,
    new_axis_mask: int = 0,
    shrink_axis_mask: int = 0,
    offset: bool = False,
) -> Value:
    """As Python slices; with ``offset``, ends count from the starts."""
    starts, ends, steps = emit.dims(begin, "begin"), emit.dims(end, "end"), emit.ints(strides, "strides")
    if not len(starts) == len(ends) == len(steps):
        raise emit.fail("has begin, end and strides of different lengths", code="F006")
    entries = [(a, a + e if offset else e, s) for a, e, s in zip(starts, ends, steps, strict=True)]
    masks = Masks(begin_mask, end_mask, ellipsis_mask, new_axis_mask, shrink_axis_mask)
    return sliced(emit, x, entries, masks)
