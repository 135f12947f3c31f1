"""Which sizes an operation needs to be equal, noted while its types are inferred for whoever collects them."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .dims import Dim

_collected: ContextVar[list[tuple[Dim, Dim]] | None] = ContextVar("equations", default=None)


@contextmanager
def collect_equations() -> Generator[list[tuple[Dim, Dim]], None, None]:
    """Collect pairs of sizes that operations inside the block require to be equal."""
    found: list[tuple[Dim, Dim]] = []
    token = _collected.set(found)
    try:
        yield found
    finally:
        _collected.reset(token)


def demand(a: Dim, b: Dim) -> bool:
    """Say whether two sizes may be equal, as they have to be; sizes that are open are noted as an equation."""
    if a == b:
        return True
    if isinstance(a, int) and isinstance(b, int):
        return False
    found = _collected.get()
    if found is not None:
        found.append((a, b))
    return True
