"""Rows for reductions along constant axes: of numbers, of floats alone, and of truth values."""

from __future__ import annotations

from ....compiler.ops.reduce import Reduce
from ...common.reductions import of_kind, some_elements
from ..table import FLOATS, INTEGERS, NUMBERS, Call, emits, ints

KINDS = {
    "sum": "ReduceSum",
    "max": "ReduceMax",
    "min": "ReduceMin",
    "prod": "ReduceProd",
    "l1": "ReduceL1",
}
"""Operations by the kind of reduction."""

OF_FLOATS = {"mean": "ReduceMean", "l2": "ReduceL2"}
"""Those whose results are no integers."""

OF_TRUTH = {"any": "ReduceLogicalOr", "all": "ReduceLogicalAnd"}
"""Those of truth values."""


def _reduce(op: Reduce) -> Call:
    return Call((op.x, ints(*op.dims)), {"keep_dims": op.keepdims})


def _declare(kinds: dict[str, str], dtypes: str) -> None:
    for kind, operator in kinds.items():
        emits(Reduce, operator, dtypes=dtypes, when=(of_kind(kind), some_elements))(_reduce)


_declare(KINDS, NUMBERS)
_declare(OF_FLOATS, FLOATS)
_declare({"mean": OF_FLOATS["mean"]}, INTEGERS)
_declare(OF_TRUTH, "bool")
