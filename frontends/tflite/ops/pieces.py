"""Parts before and after a computed position: what TensorFlow makes of an item that is put into a list.

A list of tensors is one tensor; setting an item joins what is before it, the new one, and what is after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from ....compiler.fold import constant
from ....compiler.ir import Value
from ....compiler.ops.arith import Add
from ....compiler.ops.dynamic import DynamicSlice, DynamicUpdateSlice
from ....compiler.ops.shape import Concat, Reshape
from ..emitter import Emitter
from ..handles import Piece


def piece_of(emit: Emitter, x: Value, begin: Value, size: Value) -> Piece | Value:
    """Return a part whose size is computed: one before or after a position, or another one with named sizes.

    Raises:
        CompileError: F006, it has another number of axes.
    """
    starts, sizes = _elements(emit, begin), _elements(emit, size)
    if len(starts) == len(sizes) == x.type.rank:
        shape = x.type.shape
        open_sizes = [i for i, n in enumerate(sizes) if isinstance(n, Value)]
        open_starts = [i for i, n in enumerate(starts) if isinstance(n, Value)]
        whole = [n in (-1, d) for n, d in zip(sizes, shape, strict=True)]
        if len(open_sizes) == 1 and all(n == 0 for n in starts):
            axis = open_sizes[0]
            if all(w for i, w in enumerate(whole) if i != axis):
                return Piece(x, axis, _value(sizes[axis]), True, partial(_cut, emit, x, begin, size))
        if len(open_starts) == 1 and all(n == -1 or w for n, w in zip(sizes, whole, strict=True)):
            axis = open_starts[0]
            if sizes[axis] == -1 and all(n == 0 for i, n in enumerate(starts) if i != axis):
                return Piece(x, axis, _value(starts[axis]), False, partial(_cut, emit, x, begin, size))
    return _cut(emit, x, begin, size)


def _cut(emit: Emitter, x: Value, begin: Value, size: Value) -> Value:
    """Insert a part with sizes that data names.

    Raises:
        CompileError: F006, it has another number of axes.
    """
    found = emit.dims(size, "size")
    if len(found) != x.type.rank:
        raise emit.fail(f"has {len(found)} sizes for {x.type}", code="F006")
    if -1 in found:
        ends = zip(x.type.shape, found, emit.dims(begin, "begin"), strict=True)
        found = tuple(d - a if n == -1 else n for d, n, a in ends)
    return emit(DynamicSlice(x, begin, found))


def _value(given: Value | int) -> Value:
    assert isinstance(given, Value)
    return given


def _elements(emit: Emitter, vector: Value) -> list[Value | int]:
    """Return the elements of a vector that was joined: numbers, or what computes them."""
    known = emit.known.dims(vector)
    if known is not None:
        return [d if isinstance(d, int) else -2 for d in known]
    match vector.owner:
        case Concat(xs=xs):
            return [element for x in xs for element in _elements(emit, x)]
        case Reshape(x=x) if x.type.size == 1:
            return [x]
        case _:
            return [vector] if vector.type.size == 1 else []


def updated(emit: Emitter, values: Sequence[Value | Piece], axis: int) -> Value:
    """Join parts; one before a position, something, and the part after it are an update."""
    match values:
        case [Piece(is_front=True) as front, Value() as item, Piece(is_front=False) as behind] if (
            front.x is behind.x
            and front.axis == behind.axis == emit.axis(axis, item.type.rank)
            and _is_after(behind.at, front.at, item.type.shape[front.axis])
        ):
            return emit(DynamicUpdateSlice(front.x, item, _starts(emit, front)))
        case _:
            parts = tuple(v.cut() if isinstance(v, Piece) else v for v in values)
            return emit(Concat(parts, emit.axis(axis, parts[0].type.rank)))


def _is_after(later: Value, earlier: Value, distance: object) -> bool:
    """Whether a position is so many after another one."""
    if not isinstance(later.owner, Add):
        return False
    a, b = later.owner.a, later.owner.b
    step = constant(b if a is earlier else a)
    return earlier in (a, b) and step is not None and step.type.size == 1 and step.array().item() == distance


def _starts(emit: Emitter, front: Piece) -> Value:
    """Return where the item begins along each axis."""
    at = emit.reshape(front.at, (1,))
    before, behind = front.axis, front.x.type.rank - 1 - front.axis
    sides = [emit.const(np.zeros(n), at.type.dtype) for n in (before, behind)]
    parts = [v for v in (sides[0], at, sides[1]) if v.type.size != 0]
    return emit(Concat(tuple(parts), 0)) if len(parts) > 1 else at
