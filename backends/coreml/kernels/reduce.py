"""Rows of the table for reductions along axes, by kind."""

from __future__ import annotations

from ....compiler.ops.reduce import Reduce
from ....compiler.types import DType
from ...common.reductions import of_kind, some_elements
from ..table import FLOATS, NUMBERS, Call, Nested, Operand, emits

KINDS = {"sum": "reduce_sum", "max": "reduce_max", "min": "reduce_min", "prod": "reduce_prod", "l1": "reduce_l1_norm"}
"""Operations by the kind of reduction."""

OF_FLOATS = {"mean": "reduce_mean", "l2": "reduce_l2_norm"}
"""Those whose results are no integers."""


def _reduce(op: Reduce) -> Call:
    return Call({"x": op.x, "axes": op.dims, "keep_dims": op.keepdims})


def _declare(kinds: dict[str, str], dtypes: str) -> None:
    for kind, operator in kinds.items():
        emits(Reduce, operator, dtypes=dtypes, ranks=range(1, 6), when=(of_kind(kind), some_elements))(_reduce)


_declare(KINDS, NUMBERS)
_declare(OF_FLOATS, FLOATS)

OF_TRUTH = {"any": "reduce_max", "all": "reduce_min"}
"""Those of truth values, as numbers."""


def _truth(op: Reduce) -> Call:
    """Any or all of truth values: the largest or smallest of 0 and 1."""
    x = Nested("cast", op.x.type.with_dtype(DType.I32), {"x": op.x, "dtype": "int32"})
    arguments: dict[str, Operand] = {"x": x, "axes": op.dims, "keep_dims": op.keepdims}
    return Call({"x": Nested(OF_TRUTH[op.kind], op.result.type.with_dtype(DType.I32), arguments), "dtype": "bool"})


for _name in OF_TRUTH:
    emits(Reduce, "cast", dtypes="bool", ranks=range(1, 6), when=(of_kind(_name), some_elements))(_truth)
