"""What layers reach beyond their own operands: the networks inside of them, and variables that outlive a call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ...compiler.diagnostics import error
from ...compiler.dims import Sym
from ...compiler.ir import Region, Value
from ...compiler.types import TensorType
from ...formats.openvino.model import Body

if TYPE_CHECKING:
    from .importer import Importer, Scope


@dataclass
class Variables:
    """What variables hold: before the first call, when a call begins, and while layers are imported.

    With ``keeps_state``, what a call finds in them are arguments.
    """

    keeps_state: bool = False
    first: dict[str, Value] = field(default_factory=lambda: dict[str, Value]())
    found: dict[str, Value] = field(default_factory=lambda: dict[str, Value]())
    now: dict[str, Value] = field(default_factory=lambda: dict[str, Value]())

    def read(self, variable: str, first: Value) -> Value:
        """Return what a variable holds when a call begins: an input if states are kept, else its first value."""
        if variable not in self.found:
            self.first[variable] = first
            self.found[variable] = Value(first.type, name=variable) if self.keeps_state else first
        return self.found[variable]

    @property
    def changed(self) -> dict[str, Value]:
        """What variables hold in the end that a call leaves otherwise than it found them."""
        return {v: value for v, value in self.now.items() if self.found.get(v) is not value}


@dataclass
class Around:
    """What the handler of a layer may ask of the network around it: bodies, variables and new sizes."""

    importer: Importer
    scope: Scope

    def inline(self, body: Body, given: Sequence[Value | None]) -> list[Value]:
        """Import a body's layers at this place, applied to given operands, as a call without a region."""
        return self.importer.enter(body.network, given, self.scope, body.network.name)

    def region(self, body: Body, given: Sequence[Value | TensorType]) -> tuple[Region, list[Value]]:
        """Import a body as a region; Parameters that are given a type become its arguments."""
        outer, own = self.importer.region, Region()
        values = [v if isinstance(v, Value) else Value(v) for v in given]
        own.args = [value for value, said in zip(values, given, strict=True) if not isinstance(said, Value)]
        self.importer.region = own
        try:
            inner = replace(self.scope, is_conditional=True)
            return own, self.importer.enter(body.network, values, inner, body.network.name)
        finally:
            self.importer.region = outer

    def read(self, variable: str, first: Value) -> Value:
        """Return what a variable holds.

        Raises:
            CompileError: F005, it is read inside of a body: whether that is done depends on data.
        """
        if self.scope.depth:
            help = "Only what every call reads and stores can become a state."
            raise error("F005", f"the variable {variable!r} is read in a branch or a loop", help=help)
        return self.importer.variables.read(variable, first)

    def fresh(self) -> Sym:
        """Return a symbolic size with a new name, for a size that data decides about."""
        return self.importer.fresh()
