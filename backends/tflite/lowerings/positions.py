"""Positions in 32 bits: all that a file's sizes need, and what accelerators take."""

from __future__ import annotations

from ....compiler.ir import Value
from ....compiler.ops.arith import Add, Cast, Mul, Sub
from ....compiler.ops.index import ArgMax, ArgMin, Gather, GatherElements, GatherNd
from ....compiler.ops.shape import BroadcastTo, Concat, Reshape
from ....compiler.types import DType
from ..lowering import Build, improve


@improve(Gather, GatherNd, GatherElements, benefit=3)
def index_by_i32(op: Gather | GatherNd | GatherElements, e: Build) -> None:
    """No axis has positions that need 64 bits: they are converted where they come from."""
    if op.indices.type.dtype is DType.I64:
        e.replace(e.clone(op, op.x, _narrowed(op.indices, e)))


def _narrowed(indices: Value, e: Build) -> Value:
    """Convert positions, or what they are computed from: sums and products have the same low bits in either type."""
    match indices.owner:
        case Cast(x=x) if x.type.dtype is not DType.STRING:
            return e(Cast, x, to=DType.I32)
        case Add() | Sub() | Mul() | BroadcastTo() as op:
            return e.clone(op, *(_narrowed(v, e) for v in op.operands if v is not None))
        case Concat(xs=xs, axis=axis):
            return e.rw.emit(Concat(tuple(_narrowed(x, e) for x in xs), axis))
        case Reshape(x=x, shape=shape):
            return e.reshape(_narrowed(x, e), shape)
        case _:
            return e(Cast, indices, to=DType.I32)


@improve(ArgMax, ArgMin, benefit=3)
def find_in_i32(op: ArgMax | ArgMin, e: Build) -> None:
    """What reads positions of 64 bits gets them by a conversion; most that read them index by 32 bits."""
    if op.dtype is DType.I64:
        e.replace(e(Cast, e.clone(op, op.x, dtype=DType.I32), to=DType.I64))
