"""The table of what a target can run: one row per operation of the IR and kernel of the target.

A row is declared by :meth:`Table.emits` on the function that says how the kernel is called.  Whether an operation is
supported is written nowhere else: legalization asks :meth:`Table.legal`, errors print the reasons it gives, and the
support matrix in the docs is printed from the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, cast

from ...compiler.ir import Op, Value
from ...compiler.ops.bound import BindSizes
from ...compiler.ops.core import Const, Return
from ...compiler.types import DType

O = TypeVar("O", bound=Op)
C = TypeVar("C")
"""How a target describes the call of a kernel."""


@dataclass(frozen=True)
class Condition:
    """What a row demands, in words; and a look at an operation that says why it does not fit, None if it does."""

    text: str
    why_not: Callable[[Any], str | None]

    def __call__(self, op: Op) -> str | None:
        """Return why an operation does not fit."""
        return self.why_not(op)


def condition(text: str) -> Callable[[Callable[[Any], str | None]], Condition]:
    """Give a condition of rows a name, which messages and support pages print."""
    return lambda why_not: Condition(text, why_not)


ANY_RANK = range(64)
"""Any number of axes."""

STRUCTURE = (Const, Return, BindSizes)
"""What becomes part of the file without being an operation there."""


@dataclass(frozen=True)
class Row(Generic[C]):
    """One way to run an operation: the kernel, element types by field, ranks of the first operand, conditions.

    ``source`` is where the row was read from; None for what an application brings along.
    """

    op: type[Op]
    kernel: str
    dtypes: Mapping[str, frozenset[DType]]
    ranks: range
    when: tuple[Condition, ...]
    source: str | None
    call: Callable[[Any], C] = field(repr=False)

    def reason(self, op: Op) -> str | None:
        """Return why the row does not fit, None if it does."""
        found = self.lacking(op)
        return None if found is None else found[1]

    def lacking(self, op: Op) -> tuple[int, str] | None:
        """Return why the row does not fit, after how near an operation comes to it; None if it fits.

        Another rank or element type is further away than what some condition asks for.
        """
        first = op.operands[0] if op.operands else None
        if first is not None and first.type.rank not in self.ranks:
            return 0, f"{self.kernel} takes {show_ranks(self.ranks)}, not {first.type.rank}"
        for name, allowed in self.dtypes.items():
            dtype = _dtype(op, name)
            if dtype is not None and dtype not in allowed:
                return 1, f"{self.kernel} does not take {name} of {dtype}, only {', '.join(sorted(allowed))}"
        found = (condition(op) for condition in self.when)
        return next(((number, why) for number, why in enumerate(found, 2) if why is not None), None)


class Table(Generic[C]):
    """All rows of a target by operation, in the order in which they are tried.

    ``title`` is how messages call the target, ``kind`` what they call its kernels; ``ranks`` are how many axes a row
    takes that does not say so.
    """

    def __init__(self, title: str, kind: str, ranks: range = ANY_RANK) -> None:
        self.title = title
        self.kind = kind
        self.ranks = ranks
        self.rows: dict[type[Op], list[Row[C]]] = {}

    def emits(
        self,
        op: type[O],
        kernel: str,
        *,
        dtypes: str | Mapping[str, str],
        ranks: range | None = None,
        when: tuple[Condition, ...] = (),
        source: str | None = None,
    ) -> Callable[[Callable[[O], C]], Callable[[O], C]]:
        """Declare a row; the decorated function says how ``kernel`` is called.

        ``dtypes`` lists element types of the first operand, or of operands and attributes by name.
        """

        def wrap(call: Callable[[O], C]) -> Callable[[O], C]:
            stated = {op.spec.fields[0]: dtypes} if isinstance(dtypes, str) else dtypes
            allowed = {name: frozenset(DType(d) for d in text.split()) for name, text in stated.items()}
            row = Row(op, kernel, allowed, self.ranks if ranks is None else ranks, when, source, call)
            self.rows.setdefault(op, []).append(row)
            return call

        return wrap

    def legal(self, op: Op) -> Row[C] | list[str]:
        """Return the first row that fits, or why none does, the nearest one last."""
        reasons: list[tuple[int, str]] = []
        for row in self.rows.get(type(op), ()):
            why = row.lacking(op)
            if why is None:
                return row
            reasons.append(why)
        nearest_last = [why for _, why in sorted(reasons, key=lambda reason: reason[0])]
        return nearest_last or [f"{self.title} has no {self.kind} for {op.spec.name}"]

    def is_legal(self, op: Op) -> bool:
        """Say whether some row fits, or no row is needed."""
        return isinstance(op, STRUCTURE) or isinstance(self.legal(op), Row)


def _dtype(op: Op, name: str) -> DType | None:
    """The element type of an operand, or the one that an attribute holds; None where an operand is absent."""
    stated: object = getattr(op, name)
    if isinstance(stated, tuple):
        stated = cast(tuple[object, ...], stated)[0]
    return stated.type.dtype if isinstance(stated, Value) else cast(DType | None, stated)


def show_ranks(ranks: range) -> str:
    """Say which numbers of axes a row takes.

    >>> show_ranks(range(4, 5)), show_ranks(range(1, 7))
    ('rank 4', 'ranks 1 to 6')
    """
    if len(ranks) == 1:
        return f"rank {ranks[0]}"
    return f"ranks {ranks[0]} to {ranks[-1]}"
