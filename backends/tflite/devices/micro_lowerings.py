"""What microcontrollers have no kernels for, by others that they have."""

from __future__ import annotations

from ....compiler.lowering import Build, Lowerings
from ....compiler.ops import arith
from ....compiler.ops.activation import Softmax
from ....compiler.ops.index import Gather
from ....compiler.ops.logic import Less
from ....compiler.ops.shape import Concat, Tile
from ....compiler.types import DType
from ....compiler.value_ranges import nonnegative
from .common_lowerings import cast_at_once, softmax_along_the_last
from .micro import MAX_PARTS

LOWERINGS = Lowerings()
"""Tried before TFLite's own and the shared ones."""

lower = LOWERINGS.lower

MAX_COPIES = 64
"""Repetitions by CONCATENATION: each is an operand."""


@lower(Gather, benefit=2)
def count_up_by_sums(op: Gather, e: Build) -> None:
    """Positions that count back from the end get the size added: there is no remainder of integers."""
    size = op.x.type.shape[op.axis]
    if not op.wraps or nonnegative(op.indices) or op.indices.type.dtype is not DType.I32 or not isinstance(size, int):
        return
    is_negative = e(arith.Cast, e(Less, op.indices, 0), to=DType.I32)
    places = e(arith.Add, op.indices, e(arith.Mul, is_negative, size))
    e.replace(e.clone(op, op.x, places, wraps=False))


@lower(Concat, benefit=2)
def join_in_groups(op: Concat, e: Build) -> None:
    """At most ten operands: groups of these are joined first."""
    if len(op.xs) <= MAX_PARTS:
        return
    groups = (op.xs[i : i + MAX_PARTS] for i in range(0, len(op.xs), MAX_PARTS))
    joined = tuple(e.rw.emit(Concat(group, op.axis)) for group in groups)
    e.replace(e.rw.emit(Concat(joined, op.axis)))


@lower(arith.Pow)
def power_by_logarithm(op: arith.Pow, e: Build) -> None:
    """``exp(b log(a))`` of bases that are known not to be negative."""
    if op.a.type.dtype is DType.F32 and nonnegative(op.a):
        e.replace(e(arith.Exp, e(arith.Mul, e(arith.Log, op.a), op.b)))


lower(Softmax, benefit=2)(softmax_along_the_last)
lower(arith.Cast)(cast_at_once)


@lower(Tile)
def repeat_by_joining(op: Tile, e: Build) -> None:
    """The whole, side by side as often as needed, one axis after the other."""
    out = op.x
    for axis, times in enumerate(op.repeats):
        e.require(isinstance(times, int) and times <= MAX_COPIES, f"more than {MAX_COPIES} repetitions")
        assert isinstance(times, int)
        out = e.rw.emit(Concat((out,) * times, axis)) if times > 1 else out
    e.replace(out)


@lower(arith.Sign)
def sign_by_comparisons(op: arith.Sign, e: Build) -> None:
    """One where a number is positive, less one where it is negative."""
    if op.x.type.dtype is not DType.F32:
        return
    above, below = (e(arith.Cast, e(Less, *pair), to=DType.F32) for pair in ((0, op.x), (op.x, 0)))
    e.replace(e(arith.Sub, above, below))
