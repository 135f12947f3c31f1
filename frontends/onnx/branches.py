"""Conditions that nothing tells while compiling, between branches that give other types.

Exporters write PyTorch's ``squeeze`` as a branch on whether a size is 1.  What comes after fits the result of one
branch only: with the other one, the rest of the network is impossible for any size.  So the network is read with both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ...compiler.diagnostics import Diagnostic, Remark, remark
from ...compiler.ir import Region
from ..problems import Problems
from .lists import Imported

IMPOSSIBLE = ("T001", "F002", "F006")
"""Codes of problems that say that operands can't be what they are, not that something is missing in the compiler."""


@dataclass(frozen=True)
class Reading:
    """What was imported, what went wrong, and which conditions must be assumed to get further."""

    region: Region
    results: list[Imported | None]
    problems: Problems
    undecided: list[str]

    @property
    def contradiction(self) -> Diagnostic | None:
        """A problem that no size of the inputs can be without."""
        return next((d for d in self.problems.diagnostics if d.code in IMPOSSIBLE), None)


Read = Callable[[Mapping[str, bool]], Reading]
"""Imports the network with some conditions assumed."""


def decided(read: Read, assumed: Mapping[str, bool] | None = None) -> Reading:
    """Import the network; where a condition is open, with the only value for which the rest is possible.

    What is left undecided stays an error in the result.
    """
    assumed = assumed or {}
    found = read(assumed)
    if not found.undecided or found.contradiction is not None:
        return found
    node = found.undecided[0]
    tried = {value: decided(read, {**assumed, node: value}) for value in (True, False)}
    for value, reading in tried.items():
        contradiction = tried[not value].contradiction
        if contradiction is not None and reading.contradiction is None:
            _tell(node, value, contradiction)
            return reading
    return found


def _tell(node: str, value: bool, contradiction: Diagnostic) -> None:
    place = f" at {contradiction.location.node!r}" if contradiction.location else ""
    text = f"the condition of {node!r} is taken to be {str(value).lower()}: otherwise{place} {contradiction.message}"
    remark(Remark("warning", "onnx", text))
