"""What all networks of a model have in common: the table, and which names are taken."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...compiler.ir import Value
from ..common.names import unique
from ..common.table import Table
from .table import Call


@dataclass
class Shared:
    """What all networks of a model have in common: the table, and names."""

    table: Table[Call]
    compresses: bool = False
    tensors: set[str] = field(default_factory=lambda: set[str]())
    labels: set[str] = field(default_factory=lambda: set[str]())
    named: dict[Value, tuple[str, ...]] = field(default_factory=lambda: dict[Value, tuple[str, ...]]())

    def tensor(self, name: str) -> str:
        """Return a name for a tensor that no other one has, like the one that is wanted."""
        return unique(name, self.tensors)

    def label(self, name: str) -> str:
        """Return a name for a layer that no other one has, like the one that is wanted."""
        return unique(name, self.labels)

    def names(self, value: Value) -> tuple[str, ...]:
        """Return the names of the tensor that a value becomes, those of inputs and outputs first of all."""
        if value in self.named:
            return self.named[value]
        return (self.tensor(value.name),) if value.name else ()
