"""Sequences and optional values: they exist while a model is imported, the IR has tensors only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from ...compiler.ir import Value


@dataclass(frozen=True)
class ValueList:
    """A sequence of values, whose length is known when compiling."""

    items: tuple[Value, ...]


@dataclass(frozen=True)
class Nothing:
    """An optional value that is not there: what ``Optional`` without an input gives."""


Imported: TypeAlias = Value | ValueList | Nothing
"""What a name of the model stands for."""


def item_name(name: str, number: int) -> str:
    """Return the name of the input or output that is one item of a sequence."""
    return f"{name}.{number}"
