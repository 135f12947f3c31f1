"""Lowerings of operations that the kernels of several devices lack."""

from __future__ import annotations

from ....compiler.lowering import Build
from ....compiler.ops.activation import Softmax
from ....compiler.ops.arith import Cast
from ....compiler.types import DType


def cast_at_once(op: Cast, e: Build) -> None:
    """Numbers that become integers of 64 bits, then of 32: devices have none of 64, and positions fit."""
    first = op.x.owner
    if op.to is DType.I32 and isinstance(first, Cast) and first.to is DType.I64:
        e.replace(e(Cast, first.x, to=DType.I32))


def softmax_along_the_last(op: Softmax, e: Build) -> None:
    """Transposed, so that the kernel on integers runs it: its parts along another axis would stay in floats."""
    last = op.x.type.rank - 1
    if op.axis == last:
        return
    swap = tuple({op.axis: last, last: op.axis}.get(axis, axis) for axis in range(last + 1))
    e.replace(e.transpose(e(Softmax, e.transpose(op.x, swap), axis=last), swap))
