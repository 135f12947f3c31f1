"""Saying what a target can't run: every kind of operation once, with its reason, its places and a way out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from ...compiler.diagnostics import CompileError, Diagnostic
from ...compiler.ir import Op
from .table import Row, Table

C = TypeVar("C")

Reason = Callable[[Op], list[str]]

MAX_PLACES = 5
"""More places are counted, not named."""

HELP = (
    "replace the operation in the model, cut the model before it, or bring a decomposition of your own with "
    "--op-library; docs/support.md lists what runs"
)


NOT_LEGALIZED = (
    "the pipeline ends before everything is legal: let it end in the passes of the target, --passes mine,default, or "
    "add a pass to them with --before or --after"
)


def row_of(table: Table[C], op: Op) -> Row[C]:
    """Return the row of a legal operation.

    Raises:
        CompileError: B001, it has none.
    """
    found = table.legal(op)
    if isinstance(found, Row):
        return found
    raise CompileError(*refusals(table.title, [op], lambda op: legal_reasons(table, op), NOT_LEGALIZED))


def legal_reasons(table: Table[C], op: Op) -> list[str]:
    """Return why no row of the table fits an operation, one reason per row."""
    found = table.legal(op)
    return found if isinstance(found, list) else []


def refusals(title: str, ops: Iterable[Op], reasons: Reason, help: str = HELP) -> list[Diagnostic]:
    """Build the errors that name all operations: one message per operation and reason."""
    groups: dict[tuple[str, tuple[str, ...]], list[Op]] = {}
    for op in ops:
        why = tuple(dict.fromkeys(reasons(op)))
        groups.setdefault((op.spec.name, why), []).append(op)
    return [_diagnostic(f"{title} can't run {name}", why, group, help) for (name, why), group in groups.items()]


def _diagnostic(text: str, why: tuple[str, ...], group: list[Op], help: str) -> Diagnostic:
    first = group[0]
    count = f" ({len(group)} of them)" if len(group) > 1 else ""
    (out,) = first.fail("B001", f"{text}{count}: {why[-1]}", help=help).diagnostics
    out.notes += [f"also: {reason}" for reason in why[:-1]]
    out.notes += [f"also at {op.location}" for op in group[1:MAX_PLACES] if op.location is not None]
    if len(group) > MAX_PLACES:
        out.notes.append(f"and at {len(group) - MAX_PLACES} more places")
    return out
