"""Lowerings of reshapes and reversals for old runtimes."""

from __future__ import annotations

from ....compiler.dims import Dim, Sym
from ....compiler.ops.shape import (
    Reshape,
    Reverse,
)
from ...common.unit_axes import inserted_axis
from ..lowering import Build, improve


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


@improve(Reverse)
def reverse_axis_by_axis(op: Reverse, e: Build) -> None:
    """One axis per operation: old runtimes get several wrong."""
    if len(op.dims) == 1:
        return
    out = op.x
    for axis in op.dims:
        out = e(Reverse, out, (axis,))
    e.replace(out)
