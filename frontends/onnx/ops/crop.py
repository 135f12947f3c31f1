"""Resizing a part of an image, as TensorFlow's crop_and_resize does: by constant matrices."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ....compiler.budget import reserve
from ....compiler.ir import Value
from ....compiler.ops import spatial as ir
from ....compiler.ops.index import Gather
from ....compiler.ops.linear import MatMul
from ....compiler.ops.logic import Select
from ....compiler.ops.shape import Transpose
from ....compiler.types import Array
from ..emitter import Emitter


@dataclass(frozen=True)
class Sampling:
    """How elements between positions are made up, and what stands for those outside."""

    mode: str
    nearest: str
    cubic: float
    exclude_outside: bool
    outside: float


def crop_and_resize(
    emit: Emitter, x: Value, sizes: dict[int, int], part: dict[int, tuple[float, float]], how: Sampling
) -> Value:
    """Resample the part from start to end, as shares of each axis, to new sizes."""
    shape = x.type.shape
    for axis, out in sizes.items():
        size = shape[axis]
        if not isinstance(size, int):
            raise emit.fail(f"crops axis {axis} of {x.type}", code="F004", help="Fix the size by shapes=...")
        start, end = part[axis]
        if (start, end, out) == (0.0, 1.0, size):
            continue
        at = _positions(size, out, start, end)
        x = _along(emit, x, axis, at, how)
        inside = (at >= 0) & (at <= size - 1)
        if not inside.all():
            mask = emit.const(inside.reshape([-1 if i == axis else 1 for i in range(len(shape))]))
            x = emit(Select(mask, x, emit.const(how.outside, x.type.dtype)))
    return x


def _positions(size: int, out: int, start: float, end: float) -> Array:
    if out == 1:
        return np.asarray([0.5 * (start + end) * (size - 1)])
    reserve(out, what="the positions")
    return start * (size - 1) + np.arange(out) * (end - start) * (size - 1) / (out - 1)


def _along(emit: Emitter, x: Value, axis: int, at: Array, how: Sampling) -> Value:
    """Read at positions along one axis."""
    size = x.type.shape[axis]
    assert isinstance(size, int)
    if how.mode == "nearest":
        places = np.clip(ir.ROUND[how.nearest](at), 0, size - 1).astype(np.int64)
        return emit(Gather(x, emit.const(places), axis))
    reach = 1 if how.mode == "linear" else 2
    matrix = ir.interpolation_matrix(at, size, reach, how.cubic, 1.0, how.exclude_outside)
    perm = (*(i for i in range(x.type.rank) if i != axis), axis)
    last = emit(Transpose(x, perm))
    product = emit(MatMul(last, emit.const(matrix.T, x.type.dtype)))
    return emit(Transpose(product, tuple(perm.index(i) for i in range(len(perm)))))
