"""Rows of the table for control flow, whose regions become subgraphs."""

from __future__ import annotations

from ....compiler.ops import control as ir
from ..table import Call, emits, options


@emits(ir.If, "IF", dtypes="bool", kernel="if.cc")
def if_(op: ir.If) -> Call:
    """IF: one of two subgraphs runs, as a boolean says."""
    return Call((op.condition,), options("IfOptions", thenSubgraphIndex=op.then, elseSubgraphIndex=op.otherwise))


@emits(ir.While, "WHILE", dtypes={}, kernel="while.cc")
def while_(op: ir.While) -> Call:
    """WHILE: two subgraphs, one of the condition and one of the body."""
    return Call(op.values, options("WhileOptions", condSubgraphIndex=op.condition, bodySubgraphIndex=op.body))
