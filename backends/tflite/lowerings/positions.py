"""Positions in 32 bits: all that a file's sizes need, and what accelerators take."""

from __future__ import annotations

from ....compiler.ops.arith import Cast
from ....compiler.ops.index import ArgMax, ArgMin, Gather, GatherElements, GatherNd
from ....compiler.types import DType
from ..lowering import Build, improve


@improve(Gather, GatherNd, GatherElements, benefit=3)
def index_by_i32(op: Gather | GatherNd | GatherElements, e: Build) -> None:
    """No axis has positions that need 64 bits: they are converted where they come from."""
    if op.indices.type.dtype is DType.I64:
        e.replace(e.clone(op, op.x, e(Cast, op.indices, to=DType.I32)))


@improve(ArgMax, ArgMin, benefit=3)
def find_in_i32(op: ArgMax | ArgMin, e: Build) -> None:
    """What reads positions of 64 bits gets them by a conversion; most that read them index by 32 bits."""
    if op.dtype is DType.I64:
        e.replace(e(Cast, e.clone(op, op.x, dtype=DType.I32), to=DType.I64))
