"""What handlers work with: inserting operations, and asking what operands hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ...compiler.diagnostics import CompileError, error
from ...compiler.dims import Sym
from ...compiler.ir import Region
from ...compiler.types import TensorType
from ...formats.onnx.model import Graph, Node
from ..common.operands import OperandEmitter
from .lists import Imported


class Subgraphs(Protocol):
    """Imports the graphs that are attributes of a node."""

    def inline(self, graph: Graph, inputs: Sequence[Imported]) -> list[Imported]:
        """Import a graph at this point, applied to given inputs."""
        ...

    def region(self, graph: Graph, types: Sequence[TensorType]) -> tuple[Region, list[Imported]]:
        """Import a graph as a region of its own, without a terminator; return it and the values of the outputs."""
        ...

    def assumed(self) -> bool | None:
        """Return which branch of the node is assumed to be taken; None if that is open."""
        ...

    def leave_undecided(self) -> None:
        """Ask for an assumption about which branch the node takes."""
        ...

    def fresh(self) -> Sym:
        """Return a size with a name that is not in use."""
        ...


@dataclass(frozen=True)
class Emitter(OperandEmitter):
    """Builds the operations of one node.

    ``version`` is that of the node's operator set, ``needed`` are the indices of the outputs that somebody reads,
    ``graphs`` imports the node's graphs.  ``by_standard`` says whether the standard's text holds where onnxruntime, for
    which exporters write, departs from it.
    """

    node: Node
    version: int
    needed: frozenset[int]
    graphs: Subgraphs
    by_standard: bool = False

    def fresh(self) -> Sym:
        """Return the name of a size that data decides about."""
        return self.graphs.fresh()

    def fail(self, message: str, *, code: str = "F005", help: str | None = None) -> CompileError:
        """Build the error that this node can't be imported; by default because of the variant of the operator."""
        return error(code, f"{self.node.op_type} {message}", help=help)
