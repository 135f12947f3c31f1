"""Rows for reductions: global poolings as layers, and functions of ``keras.ops`` along any axes."""

from __future__ import annotations

from ....compiler.ops import reduce as ir
from ...common.reductions import of_kind
from ..table import FLOATS, Call, condition, emits, kernels
from .common import computed, dtype_of, precise


@condition("all axes between the first one and the channels at the end")
def _between(op: ir.Reduce) -> str | None:
    rank = op.x.type.rank
    return None if op.dims == tuple(range(1, rank - 1)) and op.dims else f"axes {list(op.dims)}"


def _whole_images(op: ir.Reduce) -> Call:
    return Call((op.x,), {"keepdims": op.keepdims, "data_format": "channels_last", **dtype_of(op)})


@condition("elements along the axes")
def _something(op: ir.Reduce) -> str | None:
    """Keras has no largest of no elements."""
    is_empty = op.kind in ("max", "min") and any(op.x.type.shape[axis] == 0 for axis in op.dims)
    return "the largest or smallest of no elements" if is_empty else None


for _rank in (1, 2, 3):
    for _name, _word in (("mean", "Average"), ("max", "Max")):
        emits(
            ir.Reduce,
            f"layers.Global{_word}Pooling{_rank}D",
            ranks=range(_rank + 2, _rank + 3),
            when=(of_kind(_name), _between, _something, computed, precise),
        )(_whole_images)


def _call(op: ir.Reduce) -> Call:
    return Call((op.x,), {"axis": op.dims, "keepdims": op.keepdims})


EXACT = f"{FLOATS} i32 i64"
"""Types of which sums and products keep the type."""

for _name, _function, _types in (
    ("sum", "sum", EXACT),
    ("mean", "mean", FLOATS),
    ("max", "max", kernels("Max")),
    ("min", "min", kernels("Min")),
    ("prod", "prod", EXACT),
    ("any", "any", "bool"),
    ("all", "all", "bool"),
):
    _precise = (precise,) if _name in ("sum", "mean", "prod") else ()
    emits(ir.Reduce, f"ops.{_function}", dtypes=_types, when=(of_kind(_name), _something, *_precise))(_call)
