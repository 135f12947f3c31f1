"""Collecting what is wrong with a model, to say it all at once."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace

from ..compiler.diagnostics import CompileError, Diagnostic

SHOWN = 3
"""How many places of the same problem are named."""


class Problems:
    """Errors of different places; the same one at several places is told once."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], list[Diagnostic]] = {}

    @contextmanager
    def collect(self) -> Generator[None, None, None]:
        """Collect the diagnostics of compile errors that this block raises, so that the import can go on."""
        try:
            yield
        except CompileError as bad:
            for diagnostic in bad.diagnostics:
                self._found.setdefault((diagnostic.code, diagnostic.message), []).append(diagnostic)

    @property
    def diagnostics(self) -> list[Diagnostic]:
        """One diagnostic for each problem, which names the first places where it was found."""
        return [_merge(same) for same in self._found.values()]

    def raise_any(self) -> None:
        """Raise one error for everything that was collected.

        Raises:
            CompileError: there is something.
        """
        if self._found:
            raise CompileError(*self.diagnostics)


def _merge(same: list[Diagnostic]) -> Diagnostic:
    first = same[0]
    nodes = list(dict.fromkeys(repr(d.location.node) for d in same if d.location))
    if len(nodes) < 2:
        return first
    more = ", ..." if len(nodes) > SHOWN else ""
    return replace(first, notes=[*first.notes, f"at {len(nodes)} nodes: {', '.join(nodes[:SHOWN])}{more}"])
