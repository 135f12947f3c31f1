"""The table of what TensorFlow.js runs: TensorFlow's rows as far as its executor has the operators, and own ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from typing import TypeVar

from ...compiler.ir import Op
from ...compiler.ops.arith import Cast
from ..common.table import Condition, Row
from ..tensorflow import kernels as _kernels  # noqa: F401  # pyright: ignore[reportUnusedImport] -- fills the table
from ..tensorflow.operators import Operator, operators, read_operator
from ..tensorflow.table import TABLE as TENSORFLOW
from ..tensorflow.table import Call
from .operators import OPERATORS, narrowed, why_not

O = TypeVar("O", bound=Op)

DOCS = "https://js.tensorflow.org/api/latest/"

TITLE = "TensorFlow.js"

TABLE = narrowed(TENSORFLOW, TITLE)
"""All rows."""

OWN = """\
ClipByValue(t: T, clip_value_min: T, clip_value_max: T) -> (output: T)
ScatterNd(indices: Tindices, updates: T, shape: Tindices) -> (output: T)
SquaredDifference(x: T, y: T) -> (z: T)"""
"""Operators that TensorFlow's table does without."""


@cache
def schemas() -> Mapping[str, Operator]:
    """Return operands, results and attributes of all operators, by their names."""
    return operators() | {found.name: found for found in map(read_operator, OWN.splitlines())}


def emits(
    op: type[O], operator: str, *, when: tuple[Condition, ...] = (), ranks: range | None = None
) -> Callable[[Callable[[O], Call]], Callable[[O], Call]]:
    """Declare a row after TensorFlow's; the decorated function says how ``operator`` is called.

    It is asked for operations to which the conditions ``when`` apply, to learn the element types.
    """

    def wrap(call: Callable[[O], Call]) -> Callable[[O], Call]:
        runs = Condition(", ".join(sorted(OPERATORS[operator].types)), lambda op: why_not(operator, call(op)))
        row = Row(op, operator, {}, TABLE.ranks if ranks is None else ranks, (*when, runs), DOCS, call)
        TABLE.rows.setdefault(op, []).append(row)
        return call

    return wrap


def converts(operator: str, when: Condition) -> Callable[[Callable[[Cast], Call]], Callable[[Cast], Call]]:
    """Declare a row for conversions, of which the condition knows all about types."""

    def wrap(call: Callable[[Cast], Call]) -> Callable[[Cast], Call]:
        TABLE.rows.setdefault(Cast, []).append(Row(Cast, operator, {}, TABLE.ranks, (when,), DOCS, call))
        return call

    return wrap


def calls_otherwise(op: type[O], operator: str) -> Callable[[Callable[[O], Call]], Callable[[O], Call]]:
    """Keep TensorFlow's row of an operator, but call it as the decorated function says."""

    def wrap(call: Callable[[O], Call]) -> Callable[[O], Call]:
        TABLE.rows[op] = [replace(row, call=call) if row.kernel == operator else row for row in TABLE.rows[op]]
        return call

    return wrap


def leave_out(op: type[Op]) -> None:
    """Take rows of TensorFlow away whose conditions are not those of TensorFlow.js."""
    del TABLE.rows[op]
