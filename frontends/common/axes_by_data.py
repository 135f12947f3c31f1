"""Axes that data decides about: what reduces, moves or pads along them, where the number of axes is known.

A vector of truth values says which axes are named.  Sizes of results are computed from it and get names; how many axes
a result has follows from how many are named, which types say.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...compiler.dims import UNBOUNDED, Dim, is_static, static
from ...compiler.ir import Region, Value
from ...compiler.ops.arith import Abs, Log, Mul, Sqrt
from ...compiler.ops.control import If, differing_sizes
from ...compiler.ops.core import Return
from ...compiler.ops.logic import Equal, LogicalAnd, LogicalNot, LogicalOr, Select
from ...compiler.ops.reduce import Reduce
from ...compiler.ops.shape import Concat, ShapeOf, Slice
from ...compiler.types import DType
from ..bound import Bounds, Element, bind
from ..emitter import BaseEmitter
from .operands import OperandEmitter


def known_axes(emit: OperandEmitter, axes: Value, rank: int, *, ordered: bool = False) -> tuple[int, ...] | None:
    """Return the axes that an operand names, counted from the front; None if data decides which of them.

    As many different axes as there are must be all of them, in an order that only data tells if they are ``ordered``.

    Raises:
        CompileError: F002, there is no such axis, or one is named twice; F004, data decides how many axes are named.
    """
    if emit.known(axes) is not None:
        return emit.axes(emit.ints(axes, "axes"), rank)
    if axes.type.size == rank and not ordered:
        return tuple(range(rank))
    if not isinstance(axes.type.size, int):
        help = "Make the axes a constant, or fix how many they are by shapes=..."
        bad = emit.fail(f"has as many axes as data says: {axes.type}", code="F004", help=help)
        bad.diagnostics[0].inputs = emit.unknown_inputs(axes)
        raise bad
    return None


@dataclass(frozen=True)
class Named:
    """Which axes of ``rank`` are named: one truth value each, and how many they are."""

    flags: Value
    rank: int
    count: int

    @staticmethod
    def by(emit: BaseEmitter, axes: Value, rank: int) -> Named:
        """Ask which axes a vector of integers names; negative ones count from the end."""
        return Named(emit(Reduce(_matches(emit, axes, rank), "any", (0,), keepdims=False)), rank, _count(axes))

    def sizes_of_others(self, emit: BaseEmitter, sizes: Value) -> list[Dim]:
        """Name the sizes of the axes that are not named, in their order, where ``sizes`` holds those of all."""
        others = emit(LogicalNot(self.flags))
        wanted = emit.const(np.arange(1, self.rank - self.count + 1).reshape(-1, 1), DType.I64)
        is_it = emit(LogicalAnd(emit(Equal(_places(emit, others, self.rank), wanted)), others))
        return bound_sizes(emit, _chosen(emit, is_it, sizes))


def _count(axes: Value) -> int:
    assert isinstance(axes.type.size, int)
    return axes.type.size


def _matches(emit: BaseEmitter, axes: Value, rank: int) -> Value:
    """Say for each element of a vector and each axis whether the element means the axis: ``bool[count, rank]``."""
    said = emit.reshape(emit.cast(axes, DType.I64), (_count(axes), 1))
    names = [emit.const(np.arange(rank) - offset, DType.I64) for offset in (0, rank)]
    return emit(LogicalOr(*(emit(Equal(said, name)) for name in names)))


def _places(emit: BaseEmitter, flags: Value, rank: int) -> Value:
    """Return of each truth value how many up to it are true."""
    below = emit.const(np.tril(np.ones((rank, rank))), DType.I64)
    return emit(Reduce(emit(Mul(emit.cast(flags, DType.I64), below)), "sum", (1,), keepdims=False))


def _chosen(emit: BaseEmitter, is_it: Value, numbers: Value) -> Value:
    """Return of each row of truth values the number where it is true."""
    return emit(Reduce(emit(Select(is_it, numbers, emit.const(0, DType.I64))), "sum", (1,), keepdims=False))


def shape_vector(emit: BaseEmitter, x: Value) -> Value:
    """Return the shape of a tensor as integers of 64 bits."""
    if is_static(x.type.shape):
        return emit.const(static(x.type.shape), DType.I64)
    return emit(ShapeOf(x, tuple(range(x.type.rank)), DType.I64))


def bound_sizes(emit: BaseEmitter, vector: Value, most: Dim = UNBOUNDED) -> list[Dim]:
    """Name the elements of a vector that are sizes."""
    count = _count(vector)
    return list(bind(emit, [Element(vector, place) for place in range(count)], [Bounds(0, most)] * count))


Function = Callable[[BaseEmitter, Value], Value]

PARTS: dict[str, tuple[Function | None, str, Function | None]] = {
    "l1": (lambda emit, x: emit(Abs(x)), "sum", None),
    "l2": (lambda emit, x: emit(Mul(x, x)), "sum", lambda emit, x: emit(Sqrt(x))),
    "sum_square": (lambda emit, x: emit(Mul(x, x)), "sum", None),
    "log_sum": (None, "sum", lambda emit, x: emit(Log(x))),
}
"""Kinds that can't be applied to one axis after the other: what comes before and after the kind that can."""


def reduced(emit: BaseEmitter, x: Value, kind: str, axes: Value, *, keepdims: bool) -> Value:
    """Reduce along axes that data names: all of them one after the other, and what is wanted is cut from that.

    Along each axis the total is put before the elements; it is taken where the axis is named, else the elements.
    """
    named, sizes = Named.by(emit, axes, x.type.rank), shape_vector(emit, x)
    before, part, after = PARTS.get(kind, (None, kind, None))
    x = x if before is None else before(emit, x)
    shape = x.type.shape
    for axis in sorted(range(len(shape)), key=lambda a: shape[a] != 0):  # then none is empty any more
        x = emit(Concat((emit(Reduce(x, part, (axis,))), x), axis))
    zero, one = emit.const(0, DType.I64), emit.const(1, DType.I64)
    starts = bound_sizes(emit, emit(Select(named.flags, zero, one)), 1)
    left = bound_sizes(emit, emit(Select(named.flags, one, sizes)))
    x = emit(Slice(x, tuple(starts), tuple(left), (1,) * x.type.rank))
    x = x if after is None else after(emit, x)
    return x if keepdims else emit.reshape(x, named.sizes_of_others(emit, sizes))


def squeezed(emit: BaseEmitter, x: Value, axes: Value) -> Value:
    """Drop axes of size one that data names."""
    return emit.reshape(x, Named.by(emit, axes, x.type.rank).sizes_of_others(emit, shape_vector(emit, x)))


def unsqueezed(emit: BaseEmitter, x: Value, axes: Value) -> Value:
    """Insert axes of size one at places of the result that data names."""
    rank = x.type.rank + _count(axes)
    flags = Named.by(emit, axes, rank).flags
    source = emit.reshape(_places(emit, emit(LogicalNot(flags)), rank), (rank, 1))
    is_it = emit(Equal(source, emit.const(np.arange(1, x.type.rank + 1), DType.I64)))
    sizes = emit(Select(flags, emit.const(1, DType.I64), _chosen(emit, is_it, shape_vector(emit, x))))
    return emit.reshape(x, bound_sizes(emit, sizes))


def spread(emit: BaseEmitter, numbers: Value, axes: Value, rank: int) -> Value:
    """Return one number for each axis: that of the axes which data names, in the order of their names, else 0."""
    column = emit.reshape(emit.cast(numbers, DType.I64), (_count(axes), 1))
    own = emit(Select(_matches(emit, axes, rank), column, emit.const(0, DType.I64)))
    return emit(Reduce(own, "sum", (0,), keepdims=False))


Along = Callable[[OperandEmitter, int], Value]
"""Builds an operation along one axis, counted from the front, in the region of the emitter that it is given."""


def along_axis(emit: OperandEmitter, axis: Value, rank: int, build: Along, *, but_last: int = 0) -> Value:
    """Build what works along one axis; if data decides which, for each but the last ones, one of which is run.

    Raises:
        CompileError: F002, there is no such axis.
    """
    if emit.known(axis) is not None:
        return build(emit, emit.axis(emit.int(axis, "axis"), rank))
    flags = Named.by(emit, emit.reshape(axis, (1,)), rank).flags
    return _branches(emit, flags, range(max(rank - but_last, 1)), build)


def _branches(emit: OperandEmitter, flags: Value, axes: Sequence[int], build: Along) -> Value:
    if len(axes) == 1:
        return build(emit, axes[0])
    is_first = emit.reshape(emit(Slice(flags, (axes[0],), (1,), (1,))), ())
    then, otherwise = Region(()), Region(())
    inner = replace(emit, region=then)
    then.insert(Return((build(inner, axes[0]),)))
    inner = replace(emit, region=otherwise)
    otherwise.insert(Return((_branches(inner, flags, axes[1:], build),)))
    sizes = differing_sizes(*([v.type for v in region.returns] for region in (then, otherwise)))
    return emit(If(is_first, then, otherwise, tuple(emit.fresh() for _ in sizes)))
