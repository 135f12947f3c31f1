"""Rows of the table for reductions along axes."""

from __future__ import annotations

from ....compiler.ops import reduce as ir
from ....compiler.scales import WIDE
from ...common.reductions import of_kind
from ..table import FAST_RANKS, Call, Quantizable, condition, emits, ints, options


@condition("at least one axis")
def _axes(op: ir.Reduce) -> str | None:
    return None if op.dims else "no axes"


def _call(op: ir.Reduce) -> Call:
    return Call((op.x, ints(*op.dims)), options("ReducerOptions", keepDims=op.keepdims))


_PICKS = Quantizable(plain="f32 i32 i64", keeps_scale=True, is_slow=True)

for _name, _builtin, _dtypes in (
    ("mean", "MEAN", Quantizable(types=WIDE)),
    ("sum", "SUM", Quantizable(plain="f32 i32 i64", is_slow=True)),
    ("max", "REDUCE_MAX", _PICKS),
    ("min", "REDUCE_MIN", _PICKS),
    ("prod", "REDUCE_PROD", "f32 i32 i64"),
    ("any", "REDUCE_ANY", "bool"),
    ("all", "REDUCE_ALL", "bool"),
):
    emits(
        ir.Reduce,
        _builtin,
        dtypes=_dtypes,
        ranks=FAST_RANKS[1:],
        when=(of_kind(_name), _axes),
        kernel="reduce.cc",
    )(_call)
