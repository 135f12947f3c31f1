"""STRIDED_SLICE: slices with steps, and masks that change what they say."""

from __future__ import annotations

from ....compiler.ir import Value
from ...common.strided_slice import Masks, sliced
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
    masks = Masks(begin_mask, end_mask, ellipsis_mask, new_axis_mask, shrink_axis_mask)
    return sliced(emit, x, (begin, end, strides), masks, offset=offset)
