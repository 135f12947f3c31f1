"""Rows of the table for operations that repeat or broadcast data."""

from __future__ import annotations

from ....compiler.dims import at_least
from ....compiler.ops import shape as ir
from ...tensorflow.kernels.shape import broadcast_to
from ...tensorflow.table import condition
from ..table import emits, leave_out

leave_out(ir.BroadcastTo)


@condition("sizes that can't be zero: it leaves axes of size one as they are then")
def _not_empty(op: ir.BroadcastTo) -> str | None:
    empty = [d for d in op.shape if not at_least(d, 1)]
    return f"the size {empty[0]}, which may be zero" if empty else None


emits(ir.BroadcastTo, "BroadcastTo", when=(_not_empty,))(broadcast_to)
