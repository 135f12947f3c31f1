"""Sizes and positions that data decides about: names for elements of tensors that a network computes or is given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np

from ..compiler.dims import UNBOUNDED, Dim, Shape, Sym, at_least, is_by_data, is_static, static, symbol
from ..compiler.ir import Op, Region, Value
from ..compiler.ops.arith import Cast
from ..compiler.ops.bound import BindSizes
from ..compiler.ops.index import Gather
from ..compiler.ops.shape import Concat, Reshape, Slice
from ..compiler.types import Array, DType
from ..compiler.value_analysis import Known, is_small
from ..compiler.value_ranges import nonnegative
from .emitter import BaseEmitter


@dataclass(frozen=True)
class Element:
    """One of the elements of a tensor, by its place in row-major order."""

    value: Value
    place: int


def elements(known: Known, value: Value) -> list[Dim | Element] | None:
    """Return what is known of each element of an integer tensor, else where it comes from; None if it can't be small.

    What only moves elements is looked through, so that parts of a shape may be known.
    """
    size = value.type.size
    if not isinstance(size, int) or size > MAX_ELEMENTS or not value.type.dtype.is_int:
        return None
    return [_origin(known, value, place) for place in range(size)]


MAX_ELEMENTS = 16
"""More sizes than any tensor has."""


def _origin(known: Known, value: Value, place: int) -> Dim | Element:
    """Return an element if it is known, else where it is before it was moved."""
    while True:
        found = known.dims(value)
        if found is not None:
            return found[place]
        moved = None if value.owner is None else _before(known, value.owner, place)
        if moved is None:
            return Element(value, place)
        value, place = moved.value, moved.place


def _before(known: Known, op: Op, place: int) -> Element | None:
    """Return the element of an operand that an operation moves to a place of its result; None if it computes."""
    match op:
        case Reshape():
            return Element(op.x, place)
        case Cast() if op.x.type.dtype.is_int and op.to.is_int and op.to.bits >= 32 and op.x.type.size == 1:
            return Element(op.x, place)
        case Concat(axis=0):
            for part in op.xs:
                size = part.type.size
                if not isinstance(size, int):
                    return None
                if place < size:
                    return Element(part, place)
                place -= size
        case Slice() if op.result.type.rank == 1 and isinstance(op.starts[0], int):
            return Element(op.x, op.starts[0] + place * op.steps[0])
        case Gather() if op.x.type.rank == 1 and isinstance(op.x.type.size, int):
            indices = known(op.indices)
            if indices is not None and indices.dtype != object:
                return Element(op.x, int(indices.reshape(-1)[place]) % op.x.type.size)
        case _:
            pass
    return None


@dataclass(frozen=True)
class Position:
    """A position along an axis: what is known of it, which may leave its sign open, and where it is computed."""

    dim: Dim | None
    source: Element

    @property
    def decided(self) -> Dim | None:
        """Return what is known of the position, None if data decides whether it counts from the end."""
        dim = self.dim
        return dim if dim is not None and (not is_by_data(dim) or at_least(dim, 0) or at_least(-1, dim)) else None


def scalar(emit: BaseEmitter, element: Element) -> Value:
    """Insert one element of a tensor as a scalar of 64 bits."""
    value = element.value
    if value.type.size != 1:
        vector = emit.reshape(value, (value.type.size,))
        value = emit(Slice(vector, (element.place,), (1,), (1,)))
    return emit.cast(emit.reshape(value, ()), DType.I64)


def distance(first: Element, second: Element) -> int | None:
    """Return how much larger one element is than another one, if that does not depend on data."""
    formal = _Formal()
    pair = [formal.dims(e.value) for e in (first, second)]
    if pair[0] is None or pair[1] is None:
        return None
    found = pair[1][second.place] - pair[0][first.place]
    return found if isinstance(found, int) else None


class _Formal(Known):
    """Takes every element that is not known for an integer of any sign."""

    def __init__(self) -> None:
        super().__init__()
        self._count = count()

    def unknown(self, value: Value) -> Array | None:
        """Return a new name for each element."""
        if not value.type.dtype.is_int or not is_small(value) or not is_static(value.type.shape):
            return None
        found = np.empty(static(value.type.shape), dtype=object)
        for place in range(found.size):
            found.flat[place] = symbol(f"i{next(self._count)}")
        return found


@dataclass(frozen=True)
class Bounds:
    """What an element must be at least and at most."""

    least: Dim = 0
    most: Dim = UNBOUNDED


ANY_SIZE = Bounds()


def bind(emit: BaseEmitter, items: Sequence[Element], bounds: Sequence[Bounds] | None = None) -> list[Sym]:
    """Return the names of elements that are not negative; those of one tensor get theirs together."""
    limits = [ANY_SIZE] * len(items) if bounds is None else bounds
    names = emit.known.names
    found: dict[Value, dict[int, Bounds]] = {}
    for item, limit in zip(items, limits, strict=True):
        if (item.value, item.place, _home(emit, item.value)) not in names:
            found.setdefault(item.value, {})[item.place] = limit
    for value, places in found.items():
        _bind(emit, value, places)
    return [names[item.value, item.place, _home(emit, item.value)] for item in items]


def _home(emit: BaseEmitter, value: Value) -> Region:
    """Return the region where the elements of a value are named: where it is computed, so that all readers know it."""
    parent = None if value.owner is None else value.owner.parent
    return emit.region if parent is None else parent


def _bind(emit: BaseEmitter, value: Value, places: dict[int, Bounds]) -> None:
    """Name elements of a tensor right after the operation that computes it."""
    home = _home(emit, value)
    is_own = value.owner is not None or value in home.args
    before = (value.owner.after if value.owner is not None else home.ops.first) if is_own else None

    def insert(op: Op) -> Op:
        return home.insert(op, before)

    size = value.type.size
    assert isinstance(size, int)
    vector = value if value.type.rank == 1 else insert(Reshape(value, (size,))).result
    runs = [sorted(places)] if len(places) == size else [[place] for place in sorted(places)]
    for run in runs:
        part = vector if len(run) == size else insert(Slice(vector, (run[0],), (1,), (1,))).result
        sizes = tuple(emit.fresh() for _ in run)
        least, most = (tuple(getattr(places[p], side) for p in run) for side in ("least", "most"))
        insert(BindSizes(part, sizes, least, most))
        emit.known.names |= {(value, p, home): name for p, name in zip(run, sizes, strict=True)}
        if len(run) == size and is_own:
            learned = np.empty(size, dtype=object)
            learned[:] = sizes
            emit.known.learn(value, learned.reshape(static(value.type.shape)))


def sizes(emit: BaseEmitter, value: Value, bounds: Sequence[Bounds] | None = None) -> Shape | None:
    """Return the elements of an integer tensor as sizes; those that data decides about have names.

    None if there are too many of them to be sizes.
    """
    found = elements(emit.known, value)
    if found is None:
        return None
    limits = [ANY_SIZE] * len(found) if bounds is None else bounds
    open_: dict[int, Element] = {}
    for place, item in enumerate(found):
        if isinstance(item, Element):
            open_[place] = item
        elif is_by_data(item) and not at_least(item, 0):
            open_[place] = Element(value, place)  # a difference of sizes that is one itself
    named = dict(zip(open_, bind(emit, list(open_.values()), [limits[place] for place in open_]), strict=True))
    known = {place: item for place, item in enumerate(found) if not isinstance(item, Element)}
    return tuple((known | named)[place] for place in range(len(found)))


def positions(emit: BaseEmitter, value: Value) -> list[Position] | None:
    """Return the elements of an integer tensor as positions of any sign; None if they can't be few.

    Those that are never negative get names.
    """
    found = elements(emit.known, value)
    if found is None:
        return None
    never = {p: e for p, e in enumerate(found) if isinstance(e, Element) and nonnegative(e.value)}
    named = dict(zip(never, bind(emit, list(never.values())), strict=True))
    known = {place: item for place, item in enumerate(found) if not isinstance(item, Element)}
    return [Position((known | named).get(place), Element(value, place)) for place in range(len(found))]
