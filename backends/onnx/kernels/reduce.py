"""Rows of the table for reductions along axes."""

from __future__ import annotations

from collections.abc import Callable

from ....compiler.ops.reduce import Reduce
from ....compiler.types import DType
from ...common.reductions import of_kind
from ..table import Call, Condition, condition, emits, ints

KINDS = {
    "sum": "ReduceSum",
    "mean": "ReduceMean",
    "max": "ReduceMax",
    "min": "ReduceMin",
    "prod": "ReduceProd",
    "l1": "ReduceL1",
    "l2": "ReduceL2",
    "sum_square": "ReduceSumSquare",
    "log_sum": "ReduceLogSum",
    "log_sum_exp": "ReduceLogSumExp",
}
"""Operators by the kind of reduction."""

GLOBAL = {"mean": "GlobalAveragePool", "max": "GlobalMaxPool"}
"""Operators that reduce all axes but the first two."""

OF_TRUTH = {"any": "ReduceMax", "all": "ReduceMin"}
"""Operators of truth values."""


@condition("some axes")
def _some(op: Reduce) -> str | None:
    return None if op.dims else "no axes, which means all"


@condition("all axes after the first two, which stay")
def _spatial(op: Reduce) -> str | None:
    is_spatial = op.keepdims and tuple(sorted(op.dims)) == tuple(range(2, op.x.type.rank))
    return None if is_spatial else "other axes than all after the first two"


@condition("truth values, at least one")
def _truth(op: Reduce) -> str | None:
    if op.x.type.dtype is not DType.BOOL:
        return f"elements of {op.x.type.dtype}"
    return "nothing to reduce" if any(op.x.type.shape[a] == 0 for a in op.dims) else None


def _reduce(op: Reduce) -> Call:
    return Call((op.x, ints(*op.dims)), {} if op.keepdims else {"keepdims": 0})


def _pool(op: Reduce) -> Call:
    return Call((op.x,))


def _declare(kinds: dict[str, str], call: Callable[[Reduce], Call], *when: Condition, ranks: range = range(64)) -> None:
    for kind, operator in kinds.items():
        emits(Reduce, operator, when=(of_kind(kind), _some, *when), ranks=ranks)(call)


_declare(GLOBAL, _pool, _spatial, ranks=range(3, 6))
_declare(KINDS, _reduce)
_declare(OF_TRUTH, _reduce, _truth)
