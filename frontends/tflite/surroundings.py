"""What operators reach beyond their own tensors: other subgraphs, and resources that outlive a call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ...compiler.diagnostics import error
from ...compiler.dims import Sym, symbol
from ...compiler.ir import Region, Value
from ...compiler.ops.core import Return
from ...compiler.types import TensorType
from .handles import Handle, Imported

if TYPE_CHECKING:
    from .importer import Importer, Scope


@dataclass
class Resources:
    """Variables: what they hold while operators are imported, and what they held before the first call.

    With ``keeps_state``, what a call finds in them becomes arguments.
    """

    keeps_state: bool = False
    first: dict[Handle, Value] = field(default_factory=lambda: dict[Handle, Value]())
    found: dict[Handle, Value] = field(default_factory=lambda: dict[Handle, Value]())
    now: dict[Handle, Value] = field(default_factory=lambda: dict[Handle, Value]())
    is_first: bool = False
    initialized: set[int] = field(default_factory=lambda: set[int]())

    def find(self, handle: Handle, first: Value) -> Value:
        """Return what a call finds in a variable that holds ``first`` before the first call."""
        if handle not in self.found:
            self.first[handle] = first
            self.found[handle] = Value(first.type, name=handle.name) if self.keeps_state else first
            self.now[handle] = self.found[handle]
        return self.now[handle]

    def leave(self, handle: Handle, value: Imported) -> None:
        """Store what an operator leaves in a variable; one that was written before it was read keeps nothing."""
        if handle in self.found and isinstance(value, Value):
            self.now[handle] = value

    def begin(self) -> None:
        """Let what was stored until now be what the first call finds."""
        for handle, value in list(self.first.items()):
            self.find(handle, value)

    @property
    def changed(self) -> dict[Handle, Value]:
        """What variables hold in the end that a call leaves otherwise than it found them."""
        return {h: v for h, v in self.now.items() if self.found.get(h) is not v}


@dataclass
class Around:
    """What lies around the operators of one subgraph."""

    importer: Importer
    scope: Scope

    def call(self, graph: int, operands: Sequence[Imported]) -> list[Imported]:
        """Import a subgraph at this point, applied to given operands."""
        return self.importer.enter(graph, operands, self.scope)

    def region(self, graph: int, operands: Sequence[Imported], types: Sequence[TensorType]) -> Region:
        """Import a subgraph as a region whose arguments have the given types, or without arguments."""
        outer, own = self.importer.region, Region()
        given = list(operands)
        if types:
            own.args = [Value(type) for type in types]
            arguments = iter(own.args)
            given = [v if isinstance(v, Handle) else next(arguments) for v in operands]
        self.importer.region = own
        try:
            inner = replace(self.scope, is_conditional=True)
            results = self.importer.enter(graph, given, inner)
            own.insert(Return(tuple(v for v in results if isinstance(v, Value))))
        finally:
            self.importer.region = outer
        return own

    def read(self, variable: Handle) -> Value | None:
        """Return what a resource holds."""
        return self.importer.resources.now.get(variable)

    def write(self, variable: Handle, value: Value) -> None:
        """Store into a resource.

        Raises:
            CompileError: F005, whether that is done depends on data.
        """
        if self.scope.is_conditional:
            help = "Only what is stored in every call can become a state."
            raise error("F005", f"the variable {variable.name!r} is written in a branch or a loop", help=help)
        resources = self.importer.resources
        if resources.is_first:
            resources.first[variable] = value
        resources.now[variable] = value

    def run_once(self, graph: int) -> None:
        """Import a subgraph that runs before everything else.

        Raises:
            CompileError: F005, it runs in a branch or loop.
        """
        if self.scope.is_conditional:
            raise error("F005", "a subgraph that runs once is called in a branch or a loop")
        resources = self.importer.resources
        if graph in resources.initialized:
            return
        resources.initialized.add(graph)
        resources.is_first = True
        try:
            self.importer.enter(graph, [], self.scope)
        finally:
            resources.is_first = False
        resources.begin()

    def fresh(self) -> Sym:
        """Return a size that depends on data."""
        return symbol(f"unknown{next(self.importer.unknown)}")
