"""The operations of a region, in order: a linked list that may change while it is iterated."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .ir import Op


class OpList:
    """Operations linked through ``Op.before`` and ``Op.after``.

    Insertion and erasure take constant time.  An erased operation keeps its links, so that an iteration at this
    point goes on: it visits what is inserted after the current operation and skips what has been erased.
    """

    __slots__ = ("_count", "first", "last")

    def __init__(self) -> None:
        self.first: Op | None = None
        self.last: Op | None = None
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Op]:
        op = self.first
        while op is not None:
            yield op
            op = op.after
            while op is not None and op.parent is None:
                op = op.after

    def __reversed__(self) -> Iterator[Op]:
        op = self.last
        while op is not None:
            yield op
            op = op.before
            while op is not None and op.parent is None:
                op = op.before

    def insert(self, op: Op, before: Op | None = None) -> None:
        """Link ``op`` in before another one, or at the end."""
        previous = self.last if before is None else before.before
        op.before, op.after = previous, before
        if previous is None:
            self.first = op
        else:
            previous.after = op
        if before is None:
            self.last = op
        else:
            before.before = op
        self._count += 1

    def remove(self, op: Op) -> None:
        """Unlink ``op``; its own links stay as they are."""
        if op.before is None:
            self.first = op.after
        else:
            op.before.after = op.after
        if op.after is None:
            self.last = op.before
        else:
            op.after.before = op.before
        self._count -= 1
