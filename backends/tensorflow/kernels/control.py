"""Rows of the table for control flow, whose regions become functions."""

from __future__ import annotations

from ....compiler.ir import Region
from ....compiler.opdef import Draws
from ....compiler.ops import control as ir
from ..table import Call, condition, emits


def _draws(*regions: Region) -> bool:
    return any(op.spec.has(Draws) for region in regions for op in region.walk())


@condition("no random numbers in it")
def _pure(op: ir.If | ir.While) -> str | None:
    return "random numbers, which a function without effects does not draw" if _draws(*op.regions) else None


def _if(op: ir.If) -> Call:
    """Both functions take what the regions read of what is around them."""
    return Call((op.condition,), {"then_branch": op.then, "else_branch": op.otherwise})


def _while(op: ir.While) -> Call:
    """Both functions take what is carried, and what the regions read of what is around them."""
    return Call(op.values, {"cond": op.condition, "body": op.body})


emits(ir.If, "StatelessIf", when=(_pure,))(_if)
emits(ir.If, "If")(_if)
emits(ir.While, "StatelessWhile", when=(_pure,))(_while)
emits(ir.While, "While")(_while)
