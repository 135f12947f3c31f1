"""Cyclic shifts along axes, by numbers of positions that may be known or computed."""

from __future__ import annotations

from collections.abc import Sequence

from ...compiler.dims import Dim
from ...compiler.ir import Value
from ...compiler.ops.arith import Mod, Sub
from ...compiler.ops.index import Gather
from ...compiler.ops.shape import Concat
from ...compiler.types import DType
from ..bound import Element, scalar
from ..slicing import cut
from ..spans import size_of
from .indexing import counted_up
from .operands import OperandEmitter


def rolled(emit: OperandEmitter, x: Value, shift: Value, axes: Sequence[int]) -> Value:
    """Shift along axes, each by an element of ``shift``: what leaves at the end comes in at the beginning."""
    known = emit.known.dims(shift)
    for place, axis in enumerate(axes):
        by, size = None if known is None else known[place], x.type.shape[axis]
        if isinstance(by, int) and isinstance(size, int):
            x = _in_two_parts(emit, x, axis, -by % size if size else 0)
        elif by != 0:
            x = _gathered(emit, x, axis, scalar(emit, Element(shift, place)))
    return x


def _in_two_parts(emit: OperandEmitter, x: Value, axis: int, first: int) -> Value:
    size: Dim = x.type.shape[axis]
    parts = (cut(emit, x, {axis: (first, size, 1)}), cut(emit, x, {axis: (0, first, 1)}))
    return emit(Concat(parts, axis)) if first else x


def _gathered(emit: OperandEmitter, x: Value, axis: int, by: Value) -> Value:
    """A shift may be several times as long as an axis of open size."""
    before = emit(Sub(counted_up(emit, x.type.shape[axis], DType.I64), by))
    return emit(Gather(x, emit(Mod(before, size_of(emit, x, axis))), axis))
