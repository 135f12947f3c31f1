"""Lowerings of slices that are overwritten at computed positions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...compiler.dims import Dim, static
from ...compiler.ir import Value
from ...compiler.lowering import Build
from ...compiler.ops import arith
from ...compiler.ops.dynamic import DynamicSlice, DynamicUpdateSlice
from ...compiler.ops.index import Scatter
from ...compiler.ops.shape import Range, Slice
from ...compiler.types import DType
from .registry import lower


@lower(DynamicUpdateSlice)
def put_rows(op: DynamicUpdateSlice, e: Build) -> None:
    """Slices along the axis that is cut; where several are, those of a slice that is put back in turn."""
    whole, part = op.x.type.shape, op.update.type.shape
    cut = [a for a, (d, n) in enumerate(zip(whole, part, strict=True)) if d != n]
    if not cut:
        e.replace(op.update)
        return
    update = op.update
    if len(cut) > 1:
        sizes: Sequence[Dim] = [n if a == cut[0] else d for a, (d, n) in enumerate(zip(whole, part, strict=True))]
        old = e(DynamicSlice, op.x, _only(op.starts, cut[0], e), tuple(sizes))
        others = e(arith.Sub, op.starts, _only(op.starts, cut[0], e))
        update = e(DynamicUpdateSlice, old, update, others)
    start = e.reshape(e(Slice, op.starts, (cut[0],), (1,), (1,)), ())
    first = start if start.type.dtype is DType.I64 else e(arith.Cast, start, to=DType.I64)
    places = e(arith.Add, e(Range, e.number(0, DType.I64), e.number(1, DType.I64), part[cut[0]]), first)
    e.replace(e(Scatter, op.x, places, update, axis=cut[0]))


def _only(starts: Value, axis: int, e: Build) -> Value:
    """The start along one axis, and zeros."""
    (count,) = static(starts.type.shape)
    mask = np.asarray([int(i == axis) for i in range(count)], starts.type.dtype.numpy)
    return e(arith.Mul, starts, e.constant(mask))
