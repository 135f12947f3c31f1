"""Integers that a network scales itself, as weights that are stored with their scales."""

from __future__ import annotations

import numpy as np

from ....compiler.fold import constant
from ....compiler.ir import Value
from ....compiler.ops.arith import Cast, Mul, Sub
from ....compiler.ops.quantize import Dequantize
from ....compiler.types import Array, DType
from ..lowering import Build, prepare

STORED = (DType.I8, DType.U8)
"""Integers that tensors in files state scales for."""


@prepare(Mul)
def state_scale(op: Mul, e: Build) -> None:
    """``cast(integers) * scale``, or ``(cast(integers) - zero) * scale``, of constants is computed in every call.

    Small ones are folded before.
    """
    for numbers, scale in ((op.a, op.b), (op.b, op.a)):
        zero = None
        if isinstance(numbers.owner, Sub) and numbers.owner.activation == "none":
            numbers, zero = numbers.owner.a, numbers.owner.b
        writer = numbers.owner
        if op.activation != "none" or not isinstance(writer, Cast) or not _is_along_one_axis(scale):
            continue
        integers, point = writer.x.type, _whole(zero, writer.x.type.dtype)
        if point is None or integers.dtype not in STORED or integers.shape != op.result.type.shape:
            continue
        if constant(writer.x) is not None and op.result.type.dtype is DType.F32:
            e.replace(e(Dequantize, writer.x, scale, e.constant(point)))
            return


def _whole(zero: Value | None, dtype: DType) -> Array | None:
    """Return a zero point in integers, 0 if there is none; None if it is no constant number of an element type."""
    if zero is None:
        return np.asarray(0, np.int32)
    weight = constant(zero)
    if weight is None or not dtype.is_int or not _is_along_one_axis(zero):
        return None
    found, (low, high) = weight.array(), dtype.bounds
    is_whole = bool(((found == np.rint(found)) & (low <= found) & (found <= high)).all())
    return found.astype(np.int32) if is_whole else None


def _is_along_one_axis(x: Value) -> bool:
    """Whether a constant differs along one axis at most."""
    return constant(x) is not None and sum(size != 1 for size in x.type.shape) <= 1
