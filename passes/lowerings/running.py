"""Running sums and products for targets that go one way only."""

from __future__ import annotations

from ...compiler.lowering import Build
from ...compiler.ops.index import CumProd, CumSum
from ...compiler.ops.shape import Reverse


def running_from_the_end(op: CumSum | CumProd, e: Build) -> None:
    """Running sums from the end are those over the reversed data, reversed."""
    if op.reverse:
        backwards = e(Reverse, op.x, dims=(op.axis,))
        e.replace(e(Reverse, e.clone(op, backwards, reverse=False), dims=(op.axis,)))
