"""What operators pass on that is no tensor of the IR: handles of resources, and complex numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from ...compiler.ir import Value


@dataclass(frozen=True)
class Handle:
    """The handle of a resource, which leads to a variable or a table; equal ones lead to the same."""

    kind: str
    name: str


@dataclass(frozen=True)
class Complex:
    """Complex numbers as their parts, since the IR computes with real ones."""

    real: Value
    imag: Value


Imported: TypeAlias = Value | Handle | Complex
"""What an operator reads and gives."""
