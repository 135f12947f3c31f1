"""Names by which calibration and quantization know the same values."""

from __future__ import annotations

from ...compiler.ir import Func, Value
from ...compiler.ops.core import Const
from ...compiler.types import DType


def is_number(value: Value | None) -> bool:
    """Whether a value is computed in f32: what calibration looks at."""
    return value is not None and value.type.dtype is DType.F32 and not isinstance(value.owner, Const)


def value_names(func: Func) -> dict[Value, str]:
    """Name all numbers that are computed in the body of a function: by their own names as far as these differ.

    The same function gives the same names, so that what one process has seen, another one finds.
    """
    found: dict[Value, str] = {}
    taken: set[str] = set()
    results = ((r, op.spec.name) for op in func.ops for r in op.results)
    for value, kind in (*((arg, "input") for arg in func.args), *results):
        if is_number(value):
            found[value] = _unique(value.name or kind, taken)
    return found


def _unique(name: str, taken: set[str]) -> str:
    """Return a name that is not taken, and take it."""
    unique, number = name, 1
    while unique in taken:
        number += 1
        unique = f"{name}#{number}"
    taken.add(unique)
    return unique
