"""Rows of the table for branches and loops, whose regions become blocks."""

from __future__ import annotations

from ....compiler.dims import is_static
from ....compiler.ops import control as ir
from ..table import Call, Carried, Nested, Operand, condition, emits


@condition("branches that return tensors of the same sizes")
def _same_sizes(op: ir.If) -> str | None:
    return "branches that differ in sizes, or return nothing" if op.sizes or not op.results else None


@emits(ir.If, "cond", dtypes="bool", when=(_same_sizes,))
def if_(op: ir.If) -> Call:
    """A branch by one truth value; blocks see the values around them."""
    pred: Operand = op.condition
    if op.condition.type.rank:
        axes: dict[str, Operand] = {"x": op.condition, "axes": tuple(range(op.condition.type.rank))}
        pred = Nested("squeeze", op.condition.type.with_shape(()), axes)
    return Call({"pred": pred}, blocks={"_true_fn": op.then, "_false_fn": op.otherwise})


@condition("tensors of known sizes that are carried along")
def _known_sizes(op: ir.While) -> str | None:
    types = [v.type for v in (*op.values, *op.body.args, *op.body.returns)]
    is_known = bool(types) and all(is_static(t.shape) for t in types)
    return None if is_known else "sizes that are open or change"


@condition("few axes")
def _few_axes(op: ir.While) -> str | None:
    return None if all(v.type.rank in range(6) for v in op.values) else "more than five axes"


@emits(ir.While, "while_loop", dtypes={}, when=(_known_sizes, _few_axes))
def while_(op: ir.While) -> Call:
    """What the condition and the body read is visible in them."""
    return Call({"loop_vars": Carried(op.values)}, blocks={"_cond": op.condition, "_body": op.body})
