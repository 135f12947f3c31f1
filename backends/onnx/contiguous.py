"""Parts of tensors that lie in one piece: where a value lies in what it was cut from, and several as one operand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

from ...compiler.dims import Dim, product
from ...compiler.fold import constant
from ...compiler.ir import Value
from ...compiler.ops.index import Gather
from ...compiler.ops.shape import Reshape, Slice, Split
from ..common.operands import Nested, Operand, ints


@dataclass(frozen=True)
class Place:
    """A value begins at an element of another one, in row-major order, and lies there without gaps."""

    source: Value
    start: Dim


def places(value: Value) -> Iterator[Place]:
    """Yield where a value lies in itself, in what it was cut from, in what that was cut from, and so on."""
    place: Place | None = Place(value, 0)
    while place is not None:
        yield place
        place = _before(place)


def _before(place: Place) -> Place | None:
    """Follow a reshape, or a cut along the first axis that is larger than one."""
    owner = place.source.owner
    match owner:
        case Reshape(x=x):
            return Place(x, place.start)
        case Split(x=x, axis=axis, sizes=sizes) if _is_outermost(x, axis):
            before = sum(sizes[: owner.results.index(place.source)], start=cast(Dim, 0))
            return Place(x, place.start + before * product(x.type.shape[axis + 1 :]))
        case Slice(x=x, starts=starts, steps=steps) if all(step == 1 for step in steps):
            shape = place.source.type.shape
            cut = [a for a in range(x.type.rank) if shape[a] != x.type.shape[a]]
            if not cut:
                return Place(x, place.start)
            axis = cut[0]
            if len(cut) == 1 and _is_outermost(x, axis):
                return Place(x, place.start + starts[axis] * product(x.type.shape[axis + 1 :]))
            return None
        case Gather(x=x, indices=indices, axis=axis) if indices.type.rank == 0 and _is_outermost(x, axis):
            at, size = constant(indices), x.type.shape[axis]
            if at is None:
                return None
            row = int(at.array())
            return Place(x, place.start + (row if row >= 0 else size + row) * product(x.type.shape[axis + 1 :]))
        case _:
            return None


def _is_outermost(x: Value, axis: int) -> bool:
    return all(d == 1 for d in x.type.shape[:axis])


def in_one_piece(parts: Sequence[Value]) -> Operand:
    """Return values of one type, joined along a new first axis, if a tensor that there is holds them in this order.

    That is a tensor itself, or a slice along the first axis of one; None if there is neither.
    """
    shape = (len(parts), *parts[0].type.shape)
    size = product(parts[0].type.shape)
    others = [[*places(part)] for part in parts[1:]]
    found: Operand = None
    for first in places(parts[0]):
        if not _follow(first, others, size):
            continue
        whole = first.source.type
        if whole.shape == shape and first.start == 0:
            return first.source
        row = _row(first, shape, size)
        if row is not None:
            bounds = (ints(row), ints(row + len(parts)), ints(0))
            found = Nested("Slice", whole.with_shape(shape), (first.source, *bounds))
    return found


def _follow(first: Place, others: Sequence[Sequence[Place]], size: Dim) -> bool:
    """Whether each of the other parts begins where the one before it ends."""
    for number, candidates in enumerate(others, 1):
        start = first.start + number * size
        if not any(p.source is first.source and p.start == start for p in candidates):
            return False
    return True


def _row(first: Place, shape: Sequence[Dim], size: Dim) -> int | None:
    """Return at which position of the first axis parts begin, of a tensor whose other axes are theirs."""
    whole = first.source.type.shape
    if len(whole) != len(shape) or whole[1:] != tuple(shape[1:]) or not isinstance(whole[0], int):
        return None
    return next((n for n in range(whole[0]) if n * size == first.start), None)
