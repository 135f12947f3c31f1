"""The table of what ONNX can say: one row per operation and operator, with how the operator is called.

Which element types, attributes and inputs an operator takes, and since which opset, is in the standard's own schemas
(:mod:`.standard`); a row adds only what these leave open.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeVar

from ...compiler.diagnostics import error
from ...compiler.ir import Op, Region
from ...compiler.types import TensorType
from ..common.operands import Attribute, Dims, Inline, Nested, Operand, ints, is_known, scalar
from ..common.table import Condition, Row, Table, condition
from .standard import OLDEST, Use, element_types, first_opset, newest, schema, usual

O = TypeVar("O", bound=Op)

DOCS = "https://onnx.ai/onnx/operators/onnx__{}.html"

ANY_DOMAIN = "*"
"""As an operator: the operation says which one of what domain."""


@dataclass(frozen=True)
class Call:
    """How an operator is called for one operation; results are the operation's own.

    ``since`` is the opset from which on it means that, where types and attributes don't tell.  ``units`` are axes of
    size one, one for each result, which the operator gives and the operation does not have; with an operation
    ``beside`` it, they have size two, and the results are those of both.  ``domain`` is that of operators which are not
    the standard's; then ``operator`` is their name.
    """

    inputs: tuple[Operand, ...]
    attributes: Mapping[str, Attribute] = field(default_factory=lambda: dict[str, Attribute]())
    since: int = 1
    units: tuple[int, ...] = ()
    beside: Op | None = None
    domain: str = ""
    operator: str | None = None

    @property
    def regions(self) -> tuple[Region, ...]:
        """The regions that become graphs inside of the node."""
        return tuple(v for v in self.attributes.values() if isinstance(v, Region))


def uses(operator: str, call: Call, op: Op) -> Iterator[Use]:
    """Yield how the operators of a call are used."""
    if call.domain:
        return
    yield _use(operator, call.inputs, [r.type for r in op.results], call.attributes, call.since)
    work = [v for v in call.inputs if isinstance(v, Nested)]
    while work:
        inner = work.pop()
        yield _use(inner.operator, inner.inputs, [inner.type], inner.attributes)
        work += [v for v in inner.inputs if isinstance(v, Nested)]


def _use(
    operator: str,
    inputs: tuple[Operand, ...],
    results: list[TensorType],
    attributes: Mapping[str, Attribute],
    since: int = 1,
) -> Use:
    types = tuple(None if v is None else v.type.dtype for v in inputs)
    outputs = tuple(r.dtype for r in results)
    return Use(operator, types, outputs, frozenset(attributes), tuple(map(is_known, inputs)), since)


def opset_of(operator: str, call: Call, op: Op) -> int | str:
    """Return the lowest opset that has a call, or why none has."""
    lowest = OLDEST
    for use in uses(operator, call, op):
        found = first_opset(use)
        if isinstance(found, str):
            return found
        lowest = max(lowest, found)
    return lowest


def _allowed(operator: str, call: Callable[[Any], Call], opset: int) -> Condition:
    """What the standard itself demands, in opsets up to one."""

    def why_not(op: Op) -> str | None:
        found = opset_of(operator, call(op), op)
        if isinstance(found, str):
            return found
        return None if found <= opset else f"{operator} does that from opset {found} on: --opset {found} would do"

    return Condition(_stated(operator, opset), why_not)


def _stated(operator: str, opset: int) -> str:
    """Say what the standard says of an operator's first input, and since when there is one."""
    if "." in operator:
        return f"an operator of {operator.rpartition('.')[0]}"
    if operator == ANY_DOMAIN:
        return "any operator of another domain"
    since = next((n for n in range(OLDEST, opset + 1) if schema(operator, n) is not None), None)
    if since is None:
        return f"from a later opset than {opset} on"
    types = ", ".join(element_types(operator, opset))
    return types if since == OLDEST else f"{types}, from opset {since} on"


ROWS: dict[type[Op], list[Row[Call]]] = {}
"""All rows, without what the standard demands."""


def emits(
    op: type[O], operator: str, *, when: tuple[Condition, ...] = (), ranks: range = range(64)
) -> Callable[[Callable[[O], Call]], Callable[[O], Call]]:
    """Declare a row; the decorated function says how ``operator`` is called.

    An operator of another domain is written ``DOMAIN.NAME``.
    """

    def wrap(call: Callable[[O], Call]) -> Callable[[O], Call]:
        source = DOCS.format(operator) if operator != ANY_DOMAIN and "." not in operator else None
        ROWS.setdefault(op, []).append(Row(op, operator, {}, ranks, when, source, call))
        return call

    return wrap


@cache
def table(opset: int) -> Table[Call]:
    """Return the rows that opsets up to one can hold.

    Raises:
        CompileError: L012, there is no such opset, or none that can be written.
    """
    if not OLDEST <= opset <= newest():
        text = f"ONNX of opset {opset} can't be written"
        raise error("L012", text, help=f"opsets {OLDEST} to {newest()} can")
    from . import kernels as _kernels  # noqa: F401  # pyright: ignore[reportUnusedImport] -- fills the rows

    title = "ONNX" if opset == usual() else f"ONNX of opset {opset}"
    made: Table[Call] = Table(title, "operator")
    for op, rows in ROWS.items():
        made.rows[op] = [
            Row(op, r.kernel, {}, r.ranks, (*r.when, _allowed(r.kernel, r.call, opset)), r.source, r.call) for r in rows
        ]
    return made


__all__ = ["Call", "Condition", "Dims", "Inline", "Nested", "Operand", "condition", "emits", "ints", "scalar", "table"]
