"""Lowerings of reshapes and reversals that some runtimes get wrong."""

from __future__ import annotations

from ....compiler.dims import Dim, Sym
from ....compiler.ops.arith import Sub
from ....compiler.ops.index import Gather
from ....compiler.ops.shape import Range, Reshape, Reverse
from ....compiler.types import DType
from ...common.unit_axes import inserted_axis
from ..lowering import Build, improve, lower


@improve(Reshape)
def insert_axes_one_by_one(op: Reshape, e: Build) -> None:
    """New axes of size one beside several unknown sizes: no shape has to be computed."""
    kept = [d for d in op.shape if d != 1]
    if (
        _unknown(op.shape) < 2
        or kept != list(op.x.type.shape)
        or inserted_axis(op) is not None
        or kept == list(op.shape)
    ):
        return
    out = op.x
    for axis, size in enumerate(op.shape):
        if size == 1:
            out = e(Reshape, out, (*out.type.shape[:axis], 1, *out.type.shape[axis:]))
    e.replace(out)


def _unknown(shape: tuple[Dim, ...]) -> int:
    return sum(isinstance(d, Sym) for d in shape)


@lower(Reverse)
def reverse_by_positions(op: Reverse, e: Build) -> None:
    """Gather from the last position to the first one, since the kernel crashes beside an axis without positions."""
    if len(op.dims) == 1:
        (axis,) = op.dims
        size = op.x.type.shape[axis]
        counted = e(Range, e.number(0, DType.I32), e.number(1, DType.I32), size)
        back = e(Sub, e(Sub, e.size(size, DType.I32), 1), counted)
        e.replace(e(Gather, op.x, back, axis, wraps=False))


@improve(Reverse)
def reverse_axis_by_axis(op: Reverse, e: Build) -> None:
    """One axis per operation: old runtimes get several wrong."""
    if len(op.dims) == 1:
        return
    out = op.x
    for axis in op.dims:
        out = e(Reverse, out, (axis,))
    e.replace(out)
