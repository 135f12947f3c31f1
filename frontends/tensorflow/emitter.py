"""What handlers work with: inserting operations, and asking what lies around the node."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ...compiler.diagnostics import CompileError, error
from ...compiler.dims import Sym
from ...compiler.ir import Region, Value
from ..common.operands import OperandEmitter
from .flatten import Call
from .handles import Handle, Imported


class Surroundings(Protocol):
    """What lies around a node: the functions of the graph, and its variables."""

    def call(self, function: str, operands: Sequence[Imported]) -> list[Imported]:
        """Import the body of a function of the graph at this place, applied to operands."""
        ...

    def region(
        self, function: str, operands: Sequence[Imported], arguments: Sequence[Value] = ()
    ) -> tuple[Region, list[Imported]]:
        """Import a function as a region with these arguments, which are among the operands or what these hold.

        What the function gives is returned, too; the region has no end yet.
        """
        ...

    def kept(self, function: str) -> list[bool]:
        """Return which of its arguments a function gives back as they are, in the same place."""
        ...

    def variable(self, handle: Handle) -> Value:
        """Return the value of a variable as a constant, since networks are imported for inference."""
        ...

    def fresh(self) -> Sym:
        """Return a symbolic size with a name that is not in use yet."""
        ...


@dataclass(frozen=True)
class Emitter(OperandEmitter):
    """Builds the operations of one node: ``call`` is the node, ``around`` the graph that it is in."""

    call: Call
    around: Surroundings

    def fresh(self) -> Sym:
        """Return a symbolic size with a new name, for a size that data decides about."""
        return self.around.fresh()

    def fail(self, message: str, *, code: str = "F005", help: str | None = None) -> CompileError:
        """Build the error that this node can't be imported; by default because of its variant."""
        return error(code, f"{self.call.op} {message}", help=help)
