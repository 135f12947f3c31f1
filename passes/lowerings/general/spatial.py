"""Images in the operators' form: paddings that are small numbers."""

from __future__ import annotations

import math
from typing import Any

from ....compiler.dims import Dim, is_static
from ....compiler.ir import Value
from ....compiler.lowering import Build
from ....compiler.ops import arith, window
from ....compiler.ops.shape import Pad, Slice
from .registry import lower


@lower(window.Conv)
def pad_before(op: window.Conv, e: Build) -> None:
    """Symbolic paddings are an operation of their own."""
    if not op.channels_last and not all(is_static(pair) for pair in op.pads):
        low, high = (_widths(op, side) for side in range(2))
        padded = e(Pad, op.x, low, high)
        e.replace(e.clone(op, padded, op.w, op.bias, pads=((0, 0),) * len(op.pads)))


@lower(window.MaxPool, window.AveragePool, window.LpPool, benefit=2)
def whole_windows(op: window.MaxPool | window.AveragePool | window.LpPool, e: Build) -> None:
    """Windows that hang over the end are whole in paddings that reach so far; what no window sees is cut off."""
    if not op.ceil or op.channels_last or not is_static(op.x.type.shape[2:]):
        return
    x, pads = op.x, op.pads
    if isinstance(op, window.AveragePool) and op.count_pads and any(p != (0, 0) for p in pads):
        x = e(Pad, x, *(_widths(op, side) for side in range(2)))
        pads = ((0, 0),) * len(pads)
    behind = [_reach(op, x, axis, pads[axis][0]) for axis in range(len(pads))]
    shape = (*x.type.shape[:2], *(n + min(b, 0) for n, b in zip(x.type.shape[2:], behind, strict=True)))
    rank = len(shape)
    x = x if shape == x.type.shape else e(Slice, x, (0,) * rank, shape, (1,) * rank)
    whole = tuple((low, max(b, 0)) for (low, _), b in zip(pads, behind, strict=True))
    counts = {"count_pads": False} if isinstance(op, window.AveragePool) else {}
    e.replace(e.clone(op, x, pads=whole, ceil=False, **counts))


def _reach(op: Any, x: Value, axis: int, low: Dim) -> int:
    """How many positions beyond the data the last window ends; before its end if that is negative."""
    out, size = op.result.type.shape[2 + axis], x.type.shape[2 + axis]
    return (out - 1) * op.strides[axis] + op.dilations[axis] * (op.kernel[axis] - 1) + 1 - size - low


@lower(window.LpPool)
def norm_of_means(op: window.LpPool, e: Build) -> None:
    """The root of means of powers times the window's size."""
    if op.ceil or op.channels_last:
        return
    powers = e(arith.Pow, e(arith.Abs, op.x), float(op.p))
    fields = (op.kernel, op.strides, op.dilations, op.pads)
    means = e(window.AveragePool, powers, *fields, count_pads=True)
    e.replace(e(arith.Pow, e(arith.Mul, means, float(math.prod(op.kernel))), 1 / op.p))


@lower(window.MaxPool, window.LpPool)
def pad_widely(op: window.MaxPool | window.LpPool, e: Build) -> None:
    """Paddings that are larger than the window are an operation of their own."""
    if op.channels_last or op.ceil or not any(p != (0, 0) for p in op.pads):
        return
    if isinstance(op, window.MaxPool) and not op.x.type.dtype.is_float:
        return
    filling = -math.inf if isinstance(op, window.MaxPool) else 0.0
    padded = e(Pad, op.x, *(_widths(op, side) for side in range(2)), value=filling)
    e.replace(e.clone(op, padded, pads=((0, 0),) * len(op.pads)))


def _widths(op: Any, side: int) -> tuple[Dim, ...]:
    return (0, 0, *(pair[side] for pair in op.pads))
