"""Stored values: what each source value is now, and how to get it in another order or shape."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import TypeVar

from ...compiler.diagnostics import at, error
from ...compiler.dims import Dim, Shape, static
from ...compiler.fold import constant
from ...compiler.ir import Op, Region, Value
from ...compiler.ops.core import Const
from ...compiler.ops.shape import Reshape, Transpose
from ...compiler.order import Joined, Order, Piece, axis_order, positions, relayout_steps, relayout_way
from ...compiler.types import Array
from .sites import Site, axes_in_order

T = TypeVar("T", bound=Hashable)


@dataclass(frozen=True)
class Stored:
    """A source value as it is stored now: ``axes[i]`` is the source axis at axis ``i``, None if axes are torn apart."""

    value: Value
    order: Order
    axes: tuple[int, ...] | None


@dataclass(frozen=True)
class Moved:
    """A transpose that had to stay: of which value, into which order, for whom first."""

    value: Value
    order: Order
    reader: Site


@dataclass
class Storage:
    """The values of one region that is being rewritten."""

    region: Region
    stored: dict[Value, Stored] = field(default_factory=lambda: dict[Value, Stored]())
    moved: list[Moved] = field(default_factory=lambda: list[Moved]())
    _made: dict[tuple[Value, Order, Shape], Value] = field(
        default_factory=lambda: dict[tuple[Value, Order, Shape], Value]()
    )
    _transposed: dict[tuple[Value, Order], Value] = field(default_factory=lambda: dict[tuple[Value, Order], Value]())

    def fetch(
        self, value: Value, order: Order, axes: tuple[int, ...] | None, shape: Shape, reader: tuple[Site, Op]
    ) -> Value:
        """Return a source value in an order and a shape: as it is, reshaped, or transposed once for all who want it so.

        ``axes`` says which source axis each axis of ``shape`` is, None if they don't correspond one by one.
        """
        key = (value, order, shape)
        if key not in self._made:
            weight = constant(value)
            if weight is not None:
                same = order.is_natural and shape == value.type.shape
                new = Const(
                    weight if same else weight.derive(value.type.with_shape(shape), partial(_relayout, order, shape))
                )
                self._made[key] = self._insert(new, reader[1], value.name)
            else:
                have = self.stored[value]
                if have.order == order:
                    return self.reshape(have.value, shape, reader[1])
                if (value, order) not in self._transposed:
                    self._transposed[value, order] = self._transpose(value, have, order, (axes, shape), reader)
                    self.moved.append(Moved(value, order, reader[0]))
                # Readers of one order may differ in where they want axes of size one: that takes a reshape only.
                self._made[key] = self.reshape(self._transposed[value, order], shape, reader[1])
        return self._made[key]

    def natural(self, value: Value, reader: tuple[Site, Op]) -> Value:
        """Return a source value as the source has it."""
        shape = value.type.shape
        return self.fetch(value, Order.natural(shape), tuple(range(len(shape))), shape, reader)

    def in_order(self, value: Value, order: Order, reader: tuple[Site, Op]) -> Stored:
        """Return a source value in an order, in whatever shape it happens to have."""
        have = self.stored.get(value)
        if have is not None and have.order == order:
            return have
        whole = contiguous_axes(order, value)
        axes = None if whole is None else place(whole, tuple(range(value.type.rank)), ())
        shape = value.type.shape if axes is None else tuple(value.type.shape[a] for a in axes)
        return Stored(self.fetch(value, order, axes, shape, reader), order, axes)

    def reshape(self, value: Value, shape: Shape, reader: Op) -> Value:
        """Reshape a stored value unless it has the shape."""
        return value if value.type.shape == shape else self._insert(Reshape(value, shape), reader)

    def _transpose(
        self,
        value: Value,
        have: Stored,
        order: Order,
        stored_as: tuple[tuple[int, ...] | None, Shape],
        reader: tuple[Site, Op],
    ) -> Value:
        """One transpose over whole axes where that does it, else reshape, transpose, reshape.

        Orders without a common cut are reached over the source's own, which others may read as well.
        """
        axes, shape = stored_as
        whole = axes_in_order(have.order, value) is not None and axes_in_order(order, value) is not None
        if whole and have.axes is not None and axes is not None and len(axes) == len(have.axes):
            return self._insert(Transpose(have.value, tuple(have.axes.index(a) for a in axes)), reader[1])
        with at(reader[1].location):
            steps = steps_between(value.type.size, have.order, order)
        if len(steps) > 1:
            own = Stored(self.natural(value, reader), Order.natural(value.type.shape), tuple(range(value.type.rank)))
            return self._transpose(value, own, order, stored_as, reader)
        ((view, perm),) = steps
        new = self._insert(Transpose(self.reshape(have.value, view, reader[1]), perm), reader[1])
        return self.reshape(new, shape, reader[1])

    def _insert(self, op: Op, reader: Op, name: str | None = None) -> Value:
        self.region.insert(op, before=reader)
        op.results[0].name = name
        return op.results[0]


def steps_between(size: Dim, source: Order, target: Order) -> list[tuple[Shape, tuple[int, ...]]]:
    """Views and permutations that bring elements from one order into another, over their own order if need be.

    Raises:
        CompileError: I006, no transposes do.
    """
    way = relayout_way(size, source, target)
    if way is None:
        raise error("I006", f"{size} elements can't be brought from the order {source} into {target} by transposes")
    steps = [relayout_steps(size, a, b) for a, b in pairwise((source, *way))]
    return [step for step in steps if step is not None]


def _relayout(order: Order, shape: Shape, array: Array) -> Array:
    """Bring a constant from its own order into another one, and into a shape."""
    whole = Order.of_pieces(Piece(p.size, p.stride) for p in order.pieces)
    for view, perm in steps_between(array.size, Order.natural((array.size,)), whole):
        array = array.reshape(static(view)).transpose(perm)
    behind = array.size
    for piece in order.pieces:
        (count,) = static((piece.size,))
        behind //= count
        if isinstance(piece, Joined):
            array = array.reshape(-1, count, behind)[:, positions(count, (piece._replace(stride=1),))]
    return array.reshape(static(shape))


def contiguous_axes(order: Order, value: Value) -> tuple[int, ...] | None:
    """The axes larger than one, slowest first, however positions lie along each; None if one is torn apart."""
    cut = order.by_axes(value.type.shape)
    groups = None if cut is None else axis_order(cut)
    return None if groups is None else tuple(axis for axis, _ in groups)


def place(chosen: Sequence[T], everything: Sequence[T], lead: Sequence[T]) -> tuple[T, ...]:
    """Put the items of ``everything`` that were not chosen (axes of size one) among those that were.

    Each goes after the item that it follows in ``lead``, if the lead agrees with the choice and has it, else after
    the one that it follows in ``everything``.

    >>> place([2, 3, 1], [0, 1, 2, 3], [])
    (0, 2, 3, 1)
    """
    both = set(lead) & set(chosen)
    if [x for x in lead if x in both] != [x for x in chosen if x in both]:
        lead = ()
    out = list(chosen)
    for guide in (lead, everything):
        previous: T | None = None
        for item in guide:
            if item not in out:
                out.insert(0 if previous is None else out.index(previous) + 1, item)
            previous = item
    return tuple(out)
