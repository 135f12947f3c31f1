"""How an operation's axes correspond, and in which storage orders it can run: what layout passes need to know.

Every axis of every operand and result gets a *letter*; the same letter means the same axis.  A matrix product reads
``m k, k n -> m n``, a convolution ``n c s0 s1, o c s0 s1, o -> n o s0 s1``.  A :class:`Form` says one way in which the
operation can run when its operands and results are stored in other orders: a pattern of letters per operand and
result, in which ``...`` stands for all letters not named, in any order that is common to all of them.

Operations declare this in a method ``axes``; what declares nothing runs in the source's order only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from types import EllipsisType
from typing import TYPE_CHECKING, Annotated, Any, Protocol, TypeAlias, TypeVar

from .options import Channels

if TYPE_CHECKING:
    from .order import Order

T = TypeVar("T")

Letters: TypeAlias = tuple[str, ...]
"""One letter per axis; the same letter on neighbouring axes makes them one block that stays as it is."""

Pattern: TypeAlias = tuple[str | EllipsisType, ...]


@dataclass(frozen=True, slots=True)
class Form:
    """One way to run an operation.

    ``operands`` and ``results`` give the order of the axes of each, the slowest first.  ``attributes`` are set when the
    form is chosen.  ``channels`` says for which kind of target the form is: None, for all.  ``index`` asks that the
    positions along a letter's axis are stored in another order: sizes of the digits of the index, slowest first, and
    their permutation.  With ``swap`` the two operands change places.  Letters of results that are keys of ``places``
    are placed under ``...`` at the letter that they replace in the operands.  A form that is slower than others
    counts as if it moved a part of its data, ``moves``, and its constant operands whole; it is taken where that is less
    than the transposes it saves.  Of forms that cost the same, the one with the smallest ``penalty`` is taken.
    ``transposed`` are the operands that a kernel is told to transpose itself, and with ``strided`` it runs along axes
    whose numbers lie apart: not all targets have such kernels.
    """

    operands: tuple[Pattern | None, ...]
    results: tuple[Pattern, ...]
    attributes: Mapping[str, Any] = field(default_factory=lambda: dict[str, Any]())
    channels: Channels | None = None
    index: Mapping[str, tuple[tuple[int, ...], tuple[int, ...]]] = field(default_factory=lambda: dict[str, Any]())
    swap: bool = False
    places: Mapping[str, str] = field(default_factory=lambda: dict[str, str]())
    penalty: int = 0
    moves: float = 0.0
    transposed: tuple[int, ...] = ()
    strided: bool = False


@dataclass(frozen=True, slots=True)
class Axes:
    """The letters of all operands and results, and the forms in which the operation can run.

    An absent operand, or one that is always read in the source's order, has None.  Along ``rigid`` letters the
    operation walks: their positions must lie in their own order.  Along all others, positions may be stored in any
    order that is the same for all operands and results with that letter.  If the operation ``broadcasts``, operands
    with fewer axes are aligned at the last one, and get axes of size one where another order puts their axes elsewhere.
    A letter that is ``joined`` of others has their positions one after the other: each stretch may have its own order.
    """

    operands: tuple[Letters | None, ...]
    results: tuple[Letters, ...]
    rigid: frozenset[str] = frozenset()
    forms: tuple[Form, ...] = ()
    broadcasts: bool = False
    joined: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: dict[str, tuple[str, ...]]())

    @staticmethod
    def join(rank: int, axis: int, count: int) -> Axes:
        """Any common order of ``count`` operands that are joined along an axis; there each may have its own."""
        whole = letters(rank)
        names = tuple(f"{whole[axis]}.{i}" for i in range(count))
        parts = tuple((*whole[:axis], name, *whole[axis + 1 :]) for name in names)
        form = Form(tuple((...,) for _ in parts), ((...,),), places=dict.fromkeys(names, whole[axis]))
        return Axes(parts, (whole,), forms=(form,), joined={whole[axis]: names})

    def reversed(self) -> Axes:
        """Return the axes of the inverse operation: operands and results exchanged."""
        assert None not in self.operands
        forms = tuple(replace(f, operands=f.results, results=tuple(p or () for p in f.operands)) for f in self.forms)
        return replace(self, operands=self.results, results=tuple(x or () for x in self.operands), forms=forms)

    @staticmethod
    def common(
        operands: tuple[Letters | None, ...],
        results: tuple[Letters, ...],
        rigid: frozenset[str] = frozenset(),
        *,
        broadcasts: bool = False,
    ) -> Axes:
        """Any order, the same one for all operands and results."""
        form = Form(tuple(None if letters is None else (...,) for letters in operands), tuple((...,) for _ in results))
        return Axes(operands, results, rigid, (form,), broadcasts)


def letters(rank: int, prefix: str = "d") -> Letters:
    """Return ``rank`` different letters.

    >>> letters(3)
    ('d0', 'd1', 'd2')
    """
    return tuple(f"{prefix}{i}" for i in range(rank))


class Names(Enum):
    """What the integers or entries of an attribute speak of, so that layout passes can renumber them."""

    AXIS = "an axis, or a tuple of axes, of the first operand"
    RESULT_AXIS = "an axis, or a tuple of axes, of the result"
    PER_AXIS = "one entry per axis of the first operand"
    PER_RESULT_AXIS = "one entry per axis of the result"
    PER_SPATIAL = "one entry per spatial axis, letters s0, s1, ..."


Axis = Annotated[int, Names.AXIS]
AxisTuple = Annotated[tuple[int, ...], Names.AXIS]
ResultAxis = Annotated[int, Names.RESULT_AXIS]
PerAxis = Annotated[tuple[T, ...], Names.PER_AXIS]
PerResultAxis = Annotated[tuple[T, ...], Names.PER_RESULT_AXIS]
PerSpatial = Annotated[tuple[T, ...], Names.PER_SPATIAL]


class ViewOp(Protocol):
    """An operation that moves no data once storage orders are free: a transpose, a reshape."""

    def view(self, order: Order) -> Order | None:
        """Return the result's order if the operand's bytes stay where they are; None if there is none."""
        ...

    def view_back(self, order: Order) -> Order | None:
        """Return the operand's order that gives the result this order; None if there is none."""
        ...
