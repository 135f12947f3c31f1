"""Storage orders: how the elements of a tensor lie in memory, written so that reshapes do not change it.

An :class:`Order` is a sequence of pieces ``(size, stride)``, the slowest first.  Walking the pieces like the digits of
a mixed-radix number visits the elements as they lie in memory; ``stride`` counts in the row-major index of the tensor
as the source sees it.  So for ``f32[1,3,4,5]``

* ``((60, 1))`` is the source's own order,
* ``((20, 1), (3, 20))`` has the channels innermost (NHWC).

A reshape does not change the row-major index, hence not the order: it costs nothing in any layout.  A transpose
renumbers strides.  Where others were joined to one axis, each stretch may have an order of its own: that is one piece,
too, a :class:`Joined`.  Pieces of size one are left out and pieces that continue each other are merged, so that equal
orders are equal objects, whatever the shape is and wherever its axes of size one are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cmp_to_key, lru_cache
from itertools import accumulate, pairwise
from typing import NamedTuple, TypeAlias

import numpy as np

from .dims import Dim, Shape, exact_div, product, static
from .types import Array


class Piece(NamedTuple):
    """``size`` steps of ``stride`` elements in the row-major index."""

    size: Dim
    stride: Dim


class Joined(NamedTuple):
    """``size`` positions that lie ``stride`` elements apart, in stretches one after the other.

    Each stretch has its size and, if that is not its own, its order in terms of its positions.
    """

    size: Dim
    stride: Dim
    parts: tuple[tuple[int, tuple[AnyPiece, ...]], ...]


AnyPiece: TypeAlias = Piece | Joined


class AxisPiece(NamedTuple):
    """A piece seen within one axis: ``size`` steps of ``stride`` positions along ``axis``; ``parts`` if joined."""

    axis: int
    size: Dim
    stride: Dim
    parts: tuple[tuple[int, tuple[AnyPiece, ...]], ...] = ()

    def of_stride(self, stride: Dim) -> AnyPiece:
        """Return a piece of the same size with another stride."""
        return Joined(self.size, stride, self.parts) if self.parts else Piece(self.size, stride)


@dataclass(frozen=True, slots=True)
class Order:
    """How a tensor is stored: canonical pieces, slowest first."""

    pieces: tuple[AnyPiece, ...]
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hash", hash(self.pieces))

    def __hash__(self) -> int:
        """Computed once: the search for layouts looks orders up a million times."""
        return self._hash

    def __reduce__(self) -> tuple[type[Order], tuple[object, ...]]:
        """Other processes have other hashes."""
        return Order, (self.pieces,)

    @staticmethod
    def of_pieces(pieces: Iterable[tuple[Dim, Dim] | AnyPiece]) -> Order:
        """Build the canonical form: no piece of size one, no piece that continues the one before it.

        >>> Order.of_pieces([(2, 12), (1, 7), (4, 3), (3, 1)])
        Order(pieces=(Piece(size=24, stride=1),))
        """
        out: list[AnyPiece] = []
        for piece in pieces:
            size, stride = piece[:2]
            if isinstance(piece, Joined):
                out.append(piece)
            elif size == 1:
                continue
            elif out and isinstance(out[-1], Piece) and out[-1].stride == size * stride:
                out[-1] = Piece(out[-1].size * size, stride)
            else:
                out.append(Piece(size, stride))
        return Order(tuple(out))

    @staticmethod
    def natural(shape: Shape) -> Order:
        """Return the source's own row-major order of a tensor of this shape."""
        return Order.of_pieces([(product(shape), 1)])

    @staticmethod
    def of_axes(shape: Shape, perm: Sequence[int]) -> Order:
        """The order in which axis ``perm[0]`` is slowest, then ``perm[1]`` ...

        >>> Order.of_axes((1, 3, 4, 5), (0, 2, 3, 1))
        Order(pieces=(Piece(size=20, stride=1), Piece(size=3, stride=20)))
        """
        strides = row_strides(shape)
        return Order.of_pieces((shape[p], strides[p]) for p in perm)

    @property
    def is_natural(self) -> bool:
        """Whether the elements lie in the source's own order."""
        return len(self.pieces) < 2 and all(p.stride == 1 for p in self.pieces) and not self.is_joined

    @property
    def is_joined(self) -> bool:
        """Whether the stretches of some axis have orders of their own, which no transpose undoes."""
        return any(isinstance(p, Joined) for p in self.pieces)

    def by_axes(self, shape: Shape) -> tuple[AxisPiece, ...] | None:
        """Cut the pieces at the axes of ``shape``; None if one runs across an axis' edge unevenly.

        >>> Order.natural((2, 3)).by_axes((2, 3))
        (AxisPiece(axis=0, size=2, stride=1, parts=()), AxisPiece(axis=1, size=3, stride=1, parts=()))
        """
        return _by_axes(self.pieces, shape)

    def transposed(self, shape: Shape, perm: Sequence[int]) -> Order | None:
        """The order of ``transpose(x, perm)`` when the bytes of ``x`` of this ``shape`` stay where they are."""
        cut = self.by_axes(shape)
        if cut is None:
            return None
        strides = row_strides(tuple(shape[p] for p in perm))
        place = {axis: strides[i] for i, axis in enumerate(perm)}
        return Order.of_pieces(p.of_stride(p.stride * place[p.axis]) for p in cut)

    def __str__(self) -> str:
        return " ".join(f"{p.size}:{p.stride}" + "'" * isinstance(p, Joined) for p in self.pieces) or "scalar"


@lru_cache(maxsize=1 << 12)
def row_strides(shape: Shape) -> tuple[Dim, ...]:
    """Row-major strides in elements.

    >>> row_strides((2, 3, 4))
    (12, 4, 1)
    """
    out: list[Dim] = [1] * len(shape)
    for axis in range(len(shape) - 2, -1, -1):
        out[axis] = out[axis + 1] * shape[axis + 1]
    return tuple(out)


@lru_cache(maxsize=1 << 14)
def _by_axes(pieces: tuple[AnyPiece, ...], shape: Shape) -> tuple[AxisPiece, ...] | None:
    strides = row_strides(shape)
    out: list[AxisPiece] = []
    for piece in pieces:
        cut = _whole(piece, shape, strides) if isinstance(piece, Joined) else _cut(piece, shape, strides)
        if cut is None:
            return None
        out += cut
    return tuple(out)


def _whole(piece: Joined, shape: Shape, strides: tuple[Dim, ...]) -> list[AxisPiece] | None:
    """The axis that a joined piece is; None if there is none."""
    found = [i for i, d in enumerate(shape) if d == piece.size and strides[i] == piece.stride]
    return [AxisPiece(found[0], piece.size, 1, piece.parts)] if found else None


def _cut(piece: Piece, shape: Shape, strides: tuple[Dim, ...]) -> list[AxisPiece] | None:
    """Cut one piece into parts that each lie within one axis, slowest first."""
    size, stride = piece
    parts: list[AxisPiece] = []
    for axis in range(len(shape) - 1, -1, -1):
        if size == 1:
            break
        inside = _inside(stride, shape[axis], strides[axis])
        if inside is None:
            continue
        room = exact_div(shape[axis], inside)
        if room is None:
            return None
        if (rest := exact_div(size, room)) is None:
            if exact_div(room, size) is None:
                return None
            room, rest = size, 1
        parts.append(AxisPiece(axis, room, inside))
        size, stride = rest, strides[axis] * shape[axis]
    return parts[::-1] if size == 1 else None


def _inside(stride: Dim, extent: Dim, step: Dim) -> Dim | None:
    """Return the stride within an axis of ``extent`` positions that lie ``step`` apart; None if it is not in there."""
    if extent == 1:
        return None
    within = exact_div(stride, step)
    return None if within is None or within == extent or exact_div(extent, within) is None else within


def axis_order(cut: tuple[AxisPiece, ...]) -> tuple[tuple[int, tuple[AnyPiece, ...]], ...] | None:
    """Group the pieces of each axis: ``(axis, pieces within it)`` as stored; None if an axis is scattered.

    An axis that is stored whole and in its own order has the one piece ``(size, 1)``.
    """
    groups: list[tuple[int, list[AnyPiece]]] = []
    for p in cut:
        if groups and groups[-1][0] == p.axis:
            groups[-1][1].append(p.of_stride(p.stride))
        else:
            groups.append((p.axis, [p.of_stride(p.stride)]))
    axes = [axis for axis, _ in groups]
    if len(set(axes)) != len(axes):
        return None
    return tuple((axis, Order.of_pieces(pieces).pieces) for axis, pieces in groups)


def relayout_steps(size: Dim, source: Order, target: Order) -> tuple[Shape, tuple[int, ...]] | None:
    """Return how to bring ``size`` elements from one order into another: view them as a shape, then permute its axes.

    None if the orders have no common cut, or stretches of a joined axis would have to move one by one.

    >>> relayout_steps(60, Order.natural((1, 3, 4, 5)), Order.of_axes((1, 3, 4, 5), (0, 2, 3, 1)))
    ((3, 20), (1, 0))
    """
    a, b = source.by_axes((size,)), target.by_axes((size,))
    if a is None or b is None or source.is_joined or target.is_joined:
        return None
    have, want = _refine(a, b), _refine(b, a)
    if have is None or want is None or set(have) != set(want):
        return None
    joined = set(pairwise(have)) & set(pairwise(want))
    source_runs, target_runs = _runs(have, joined), _runs(want, joined)
    position = {run: i for i, run in enumerate(source_runs)}
    return tuple(product(p.size for p in run) for run in source_runs), tuple(position[run] for run in target_runs)


@lru_cache(maxsize=1 << 14)
def relayout_way(size: Dim, source: Order, target: Order) -> tuple[Order, ...] | None:
    """Return the orders that ``size`` elements have after each transpose on their way from one order into another.

    Orders without a common cut are reached over the elements' own order.  None if no transposes do.

    >>> a, b = (Order.of_axes(shape, (1, 0)) for shape in ((2, 15), (5, 6)))
    >>> [str(order) for order in relayout_way(30, a, b)]
    ['30:1', '6:1 5:6']
    """
    if source != target and share_cut((source, target)):
        return (target,)
    for way in ((), (target,), (Order.natural((size,)), target)):
        steps = [(a, b) for a, b in pairwise((source, *way)) if a != b]
        if (source, *way)[-1] == target and all(relayout_steps(size, a, b) is not None for a, b in steps):
            return way
    return None


def share_cut(orders: Iterable[Order]) -> bool:
    """Whether the pieces of all orders begin and end at numbers of which each divides the next: one cut fits all.

    Then one transpose leads from any of them to any other. This is quickly seen, and so for all orders of the same
    whole axes; False says nothing.
    """
    edges: set[int] = set()
    for p in (p for order in orders for p in order.pieces):
        if isinstance(p, Joined) or not isinstance(p.size, int) or not isinstance(p.stride, int):
            return False
        edges |= {p.stride, p.stride * p.size}
    return all(high % low == 0 for low, high in pairwise(sorted(edges)))


def joined(parts: Sequence[tuple[int, tuple[AnyPiece, ...]]]) -> tuple[AnyPiece, ...]:
    """The order along an axis that is joined of parts, each with its size and its order; empty for its own.

    >>> joined([(6, (Piece(3, 1), Piece(2, 3))), (4, ())])
    (Joined(size=10, stride=1, parts=((6, (Piece(size=3, stride=1), Piece(size=2, stride=3))), (4, ()))),)
    """
    if not any(index for _, index in parts):
        return ()
    return (Joined(sum(size for size, _ in parts), 1, tuple(parts)),)


def positions(size: int, index: tuple[AnyPiece, ...]) -> Array:
    """Which position along an axis lies where.

    >>> positions(10, joined([(6, (Piece(3, 1), Piece(2, 3))), (4, ())])).tolist()
    [0, 3, 1, 4, 2, 5, 6, 7, 8, 9]
    """
    out = np.zeros(1, np.int64)
    for piece in index or (Piece(size, 1),):
        if isinstance(piece, Joined):
            ends = accumulate((n for n, _ in piece.parts), initial=0)
            steps = np.concatenate(
                [end + positions(n, part) for end, (n, part) in zip(ends, piece.parts, strict=False)]
            )
        else:
            steps = np.arange(*static((piece.size,)))
        out = (out[:, None] + steps * static((piece.stride,))[0]).reshape(-1)
    return out


def _runs(pieces: list[AxisPiece], joined: set[tuple[AxisPiece, AxisPiece]]) -> list[tuple[AxisPiece, ...]]:
    """Join neighbours that stay neighbours, so that the permutation has as few axes as possible."""
    runs: list[tuple[AxisPiece, ...]] = []
    for p in pieces:
        if runs and (runs[-1][-1], p) in joined:
            runs[-1] = (*runs[-1], p)
        else:
            runs.append((p,))
    return runs


def _refine(pieces: tuple[AxisPiece, ...], by: tuple[AxisPiece, ...]) -> list[AxisPiece] | None:
    """Cut ``pieces`` further wherever ``by`` has an edge inside one of them."""
    out: list[AxisPiece] = []
    for p in pieces:
        edges: set[Dim] = {p.stride * p.size}
        for q in by:
            if (
                q.axis == p.axis
                and exact_div(q.stride, p.stride) is not None
                and exact_div(p.stride * p.size, q.stride) is not None
            ):
                edges.add(q.stride)
        edges.add(p.stride)
        ordered = sorted(edges, key=cmp_to_key(lambda a, b: -1 if exact_div(a, b) is not None else 1))
        for high, low in pairwise(ordered):
            size = exact_div(high, low)
            if size is None:
                return None
            out.append(AxisPiece(p.axis, size, low))
    return out
