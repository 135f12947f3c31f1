"""What operators pass on that is no tensor: handles of resources, which lead to variables and tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from ...compiler.ir import Value


@dataclass(frozen=True)
class Handle:
    """The handle of a resource; equal ones lead to the same."""

    kind: str
    name: str


Imported: TypeAlias = Value | Handle
"""What an operator reads and gives."""
