"""Rows of the table for control flow, whose regions become subgraphs."""

from __future__ import annotations

from ....compiler.ops import control as ir
from ..table import Call, Inline, emits


@emits(ir.If, "If")
def if_(op: ir.If) -> Call:
    """Both branches read what is defined around them."""
    return Call((op.condition,), {"then_branch": op.then, "else_branch": op.otherwise})


@emits(ir.While, "Loop")
def while_(op: ir.While) -> Call:
    """Without a limit; the condition is computed before the loop, and by the writer at the end of its body."""
    return Call((None, Inline(op.condition, op.values), *op.values), {"body": op.body})
