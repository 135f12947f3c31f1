"""What a target can do, as rows of a table: the docs are printed from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...compiler.opdef import OPS
from .table import ANY_RANK, STRUCTURE, Row, show_ranks
from .target import Target

DECOMPOSED = "decomposed"

MANY = "*"
"""Stands for many operations alike."""


@dataclass(frozen=True)
class Support:
    """One way to run an operation: a kernel with what it takes, or a decomposition and what it does.

    ``dtypes`` are element types by operand or attribute.
    """

    op: str
    kernel: str
    dtypes: dict[str, tuple[str, ...]]
    ranks: str
    conditions: tuple[str, ...]
    source: str | None


def support(target: Target) -> list[Support]:
    """List all ways to run all operations, by operation in the order in which they are tried."""
    documented = [d for owner in target.lowerings for d in owner.documented]
    out: list[Support] = []
    for name, cls in sorted(OPS.items()):
        if issubclass(cls, STRUCTURE):
            continue
        out += [_kernel(name, row) for row in target.table.rows.get(cls, ())]
        out += [_decomposed(name, d.text) for d in documented if cls in d.roots]
    return [*out, *(_decomposed(MANY, d.text) for d in documented if not d.roots)]


def _kernel(name: str, row: Row[Any]) -> Support:
    dtypes = {field: tuple(sorted(str(t) for t in types)) for field, types in row.dtypes.items()}
    conditions = tuple(c.text for c in row.when)
    ranks = "" if row.ranks == ANY_RANK else show_ranks(row.ranks)
    return Support(name, row.kernel, dtypes, ranks, conditions, row.source)


def _decomposed(name: str, text: str) -> Support:
    return Support(name, DECOMPOSED, {}, "", (text,), None)
