"""Rows for reductions."""

from __future__ import annotations

from ....compiler.ops.reduce import Reduce
from ....compiler.types import DType
from ..table import FLOATS, NUMBERS, Call, Condition, Nested, Operand, condition, emits

KINDS = {"sum": "reduce_sum", "max": "reduce_max", "min": "reduce_min", "prod": "reduce_prod", "l1": "reduce_l1_norm"}
"""Operations by the kind of reduction."""

OF_FLOATS = {"mean": "reduce_mean", "l2": "reduce_l2_norm"}
"""Those whose results are no integers."""


def _kind(wanted: str) -> Condition:
    return Condition(f"kind {wanted}", lambda op: None if op.kind == wanted else f"kind {op.kind}")


@condition("some axes, and elements along them")
def _some(op: Reduce) -> str | None:
    if not op.dims:
        return "no axes"
    return "nothing to reduce" if any(op.x.type.shape[a] == 0 for a in op.dims) else None


def _reduce(op: Reduce) -> Call:
    return Call({"x": op.x, "axes": op.dims, "keep_dims": op.keepdims})


def _declare(kinds: dict[str, str], dtypes: str) -> None:
    for kind, operator in kinds.items():
        emits(Reduce, operator, dtypes=dtypes, ranks=range(1, 6), when=(_kind(kind), _some))(_reduce)


_declare(KINDS, NUMBERS)
_declare(OF_FLOATS, FLOATS)

OF_TRUTH = {"any": "reduce_max", "all": "reduce_min"}
"""Those of truth values, as numbers."""


def _truth(op: Reduce) -> Call:
    """Through integers."""
    x = Nested("cast", op.x.type.with_dtype(DType.I32), {"x": op.x, "dtype": "int32"})
    arguments: dict[str, Operand] = {"x": x, "axes": op.dims, "keep_dims": op.keepdims}
    return Call({"x": Nested(OF_TRUTH[op.kind], op.result.type.with_dtype(DType.I32), arguments), "dtype": "bool"})


for _name in OF_TRUTH:
    emits(Reduce, "cast", dtypes="bool", ranks=range(1, 6), when=(_kind(_name), _some))(_truth)
