"""The table of what TensorFlow's kernels run: one row per operation and operator, with how the operator is called.

Which element types kernels take is in ``operators.txt``; a row adds what that leaves open.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

import numpy as np

from ...compiler.ir import Op, Region, Value
from ...compiler.types import DType, TensorType
from ...compiler.weights import Weight
from ..common.operands import Dims, scalar
from ..common.table import ANY_RANK, Condition, Row, Table, condition
from .operators import operators

O = TypeVar("O", bound=Op)

DOCS = "https://www.tensorflow.org/api_docs/python/tf/raw_ops/{}"

Attribute: TypeAlias = "bool | int | float | str | DType | tuple[int, ...] | Region"


@dataclass(frozen=True)
class Nested:
    """An operand that another operator computes, whose node comes before."""

    operator: str
    type: TensorType
    inputs: tuple[Operand, ...]
    attributes: Mapping[str, Attribute] = field(default_factory=lambda: dict[str, Attribute](), hash=False)


Operand: TypeAlias = "Value | Weight | Dims | Nested"
"""What an operator is called with."""


@dataclass(frozen=True)
class Call:
    """How an operator is called for one operation; results are the operation's own.

    ``operator`` is the one that gives these, where it is not the row's: that is nested in it then.
    """

    inputs: tuple[Operand, ...]
    attributes: Mapping[str, Attribute] = field(default_factory=lambda: dict[str, Attribute]())
    operator: str | None = None

    @property
    def regions(self) -> tuple[Region, ...]:
        """The regions of the operation that become functions of the graph."""
        return tuple(v for v in self.attributes.values() if isinstance(v, Region))


@dataclass(frozen=True)
class Use:
    """An operator with the element types of what it takes and gives."""

    operator: str
    inputs: tuple[DType, ...]
    outputs: tuple[DType, ...]


def uses(operator: str, call: Call, op: Op) -> Iterator[Use]:
    """Yield how the operators of a call are used."""
    given = tuple(v.type.dtype for v in call.inputs)
    yield Use(call.operator or operator, given, tuple(r.type.dtype for r in op.results))
    work = [v for v in call.inputs if isinstance(v, Nested)]
    while work:
        inner = work.pop()
        yield Use(inner.operator, tuple(v.type.dtype for v in inner.inputs), (inner.type.dtype,))
        work += [v for v in inner.inputs if isinstance(v, Nested)]


def has_kernels(operator: str, call: Callable[[O], Call]) -> Condition:
    """There are kernels for all element types of a call."""

    def why_not(op: O) -> str | None:
        reasons = (operators()[u.operator].why_not(u.inputs, u.outputs) for u in uses(operator, call(op), op))
        return next((reason for reason in reasons if reason is not None), None)

    return Condition(operators()[operator].first_types, why_not)


TABLE: Table[Call] = Table("TensorFlow", "operator")
"""All rows."""


def emits(
    op: type[O], operator: str, *, when: tuple[Condition, ...] = (), ranks: range = ANY_RANK
) -> Callable[[Callable[[O], Call]], Callable[[O], Call]]:
    """Declare a row; the decorated function says how ``operator`` is called.

    It is asked for operations to which the conditions ``when`` apply, to learn the element types.
    """

    def wrap(call: Callable[[O], Call]) -> Callable[[O], Call]:
        conditions = (*when, has_kernels(operator, call))
        row = Row(op, operator, {}, ranks, conditions, DOCS.format(operator), call)
        TABLE.rows.setdefault(op, []).append(row)
        return call

    return wrap


def ints(*values: int) -> Weight:
    """A vector of integers, of 64 bits if one needs them."""
    array = np.asarray(values, np.int64)
    is_wide = bool(array.size) and bool((array != array.astype(np.int32)).any())
    return Weight.of(array if is_wide else array.astype(np.int32))


__all__ = [
    "ANY_RANK",
    "TABLE",
    "Attribute",
    "Call",
    "Condition",
    "Dims",
    "Nested",
    "Operand",
    "condition",
    "emits",
    "ints",
    "scalar",
    "uses",
]
