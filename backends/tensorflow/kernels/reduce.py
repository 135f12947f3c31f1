"""Rows of the table for reductions along axes."""

from __future__ import annotations

from ....compiler.ops import reduce as ir
from ...common.reductions import of_kind
from ..table import Call, condition, emits, ints
from .common import precise


@condition("no mean of integers")
def _exact(op: ir.Reduce) -> str | None:
    return "a mean of integers" if op.kind == "mean" and op.x.type.dtype.is_int else None


SUMS = ("sum", "mean", "prod")
"""Kinds that round."""


def _call(op: ir.Reduce) -> Call:
    """Along constant axes."""
    return Call((op.x, ints(*op.dims)), {"keep_dims": op.keepdims})


for _name, _operator in (
    ("sum", "Sum"),
    ("mean", "Mean"),
    ("max", "Max"),
    ("min", "Min"),
    ("prod", "Prod"),
    ("any", "Any"),
    ("all", "All"),
):
    emits(ir.Reduce, _operator, when=(of_kind(_name), _exact, *((precise,) if _name in SUMS else ())))(_call)
