"""What the XML of a model says, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ...compiler.weights import Weight

Place = tuple[int, int]
"""A layer's number, and a port's."""


def _no_text() -> Mapping[str, str]:
    return {}


@dataclass(frozen=True)
class Port:
    """One operand or result of a layer. The sizes are as the writer has inferred them, -1 for an open one."""

    id: int
    precision: str = ""
    dims: tuple[int, ...] = ()
    names: tuple[str, ...] = ()
    info: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: dict[str, Mapping[str, str]]())


@dataclass(frozen=True)
class Link:
    """How an operand or result of a layer with bodies is connected to a Parameter or Result of one.

    Along ``axis``, if it has one, an iteration reads or writes ``part`` positions from ``start``, or from ``end`` where
    ``stride`` is negative.  ``external`` is the port's number, -1 for a value that only the body has; ``purpose`` says
    what that is.
    """

    external: int
    internal: int
    axis: int | None = None
    start: int = 0
    end: int = -1
    stride: int = 1
    part: int = 1
    purpose: str = ""


@dataclass(frozen=True)
class Body:
    """A network inside of a layer, and how it is connected to the layer's operands and results.

    ``back`` leads from Results to the Parameters that get their values in the next iteration.
    """

    network: Network
    inputs: tuple[Link, ...] = ()
    outputs: tuple[Link, ...] = ()
    back: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Layer:
    """An operation: its type, its operator set (``opset8``), its attributes as strings, its ports, and its bodies.

    ``info`` are annotations of the operation by name. A constant that is to be written has its elements in ``weight``;
    of one that was read, ``data`` says where they are.
    """

    id: int
    name: str
    type: str
    opset: str
    data: Mapping[str, str] = field(default_factory=_no_text)
    inputs: tuple[Port, ...] = ()
    outputs: tuple[Port, ...] = ()
    output_names: tuple[str, ...] = ()
    bodies: Mapping[str, Body] = field(default_factory=lambda: dict[str, Body]())
    info: tuple[str, ...] = ()
    weight: Weight | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return self.name or f"#{self.id}"


@dataclass(frozen=True)
class Network:
    """Layers by number, and from which result each operand comes."""

    name: str
    layers: Mapping[int, Layer]
    edges: Mapping[Place, Place]

    def of_type(self, type: str) -> list[Layer]:
        """Return the layers of a type in their order."""
        return [layer for layer in self.layers.values() if layer.type.lower() == type.lower()]
