"""What the backend can do, as rows of a table: the docs are printed from it."""

from __future__ import annotations

from dataclasses import dataclass

from ...compiler.opdef import OPS
from . import decompose as _decompose  # noqa: F401  # pyright: ignore[reportUnusedImport] -- declares the rewrites
from . import emitters as _emitters  # noqa: F401  # pyright: ignore[reportUnusedImport] -- fills the table
from .lowering import DECOMPOSITIONS
from .table import ROWS, STRUCTURE, Row, show_ranks

DECOMPOSED = "decomposed"

MANY = "*"
"""Stands for many operations alike."""


@dataclass(frozen=True)
class Support:
    """One way to run an operation: a builtin with what its kernel takes, or a decomposition and what it does.

    ``dtypes`` are element types by operand or attribute.
    """

    op: str
    builtin: str
    dtypes: dict[str, tuple[str, ...]]
    ranks: str
    conditions: tuple[str, ...]
    source: str | None


def rows() -> list[Support]:
    """List all ways to run all operations, by operation in the order in which they are tried."""
    out: list[Support] = []
    for name, cls in sorted(OPS.items()):
        if issubclass(cls, STRUCTURE):
            continue
        out += [_builtin(name, row) for row in ROWS.get(cls, ())]
        out += [_decomposed(name, d.text) for d in DECOMPOSITIONS if cls in d.roots]
    return [*out, *(_decomposed(MANY, d.text) for d in DECOMPOSITIONS if not d.roots)]


def _builtin(name: str, row: Row) -> Support:
    dtypes = {field: tuple(sorted(str(t) for t in types)) for field, types in row.dtypes.items()}
    conditions = tuple(c.text for c in row.when)
    return Support(name, row.builtin, dtypes, show_ranks(row.ranks), conditions, row.kernel_url)


def _decomposed(name: str, text: str) -> Support:
    return Support(name, DECOMPOSED, {}, "", (text,), None)
