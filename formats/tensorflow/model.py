"""Graphs as plain data: nodes with their attributes, and the functions that they call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from ...compiler.weights import Weight
from ..message import Message
from .tensors import Dims, ElementType, Store, StoredTensor, read_shape, read_tensor


@dataclass(frozen=True)
class StoredShape:
    """The sizes that an attribute states, some of which may be unknown."""

    dims: Dims


@dataclass(frozen=True)
class FunctionName:
    """An attribute that names a function of the graph's library."""

    name: str
    attributes: Mapping[str, Attribute]


@dataclass(frozen=True)
class Placeholder:
    """An attribute inside of a function that takes the value of one of its caller's."""

    name: str


Plain: TypeAlias = "int | float | str | ElementType"
Attribute: TypeAlias = (
    "Plain | StoredShape | StoredTensor | Weight | FunctionName | Placeholder | tuple[Attribute, ...]"
)
"""What a node states; a tensor that is to be written is a weight."""


@dataclass(frozen=True, slots=True)
class Node:
    """One call of an operator or function.

    ``inputs`` are written ``node``, ``node:2`` or, inside of functions, ``argument`` and ``node:result:2``;
    ``^node`` is read for its effects only.  ``layout`` is what a file of ours says of an input or output.
    """

    name: str
    op: str
    inputs: tuple[str, ...]
    attributes: Mapping[str, Attribute]
    layout: str = ""


@dataclass(frozen=True)
class Function:
    """A function of a graph's library: arguments with their types, nodes, and what each result is.

    ``outputs`` are what results are called, with their types.
    """

    name: str
    arguments: tuple[str, ...]
    types: tuple[ElementType | None, ...]
    nodes: tuple[Node, ...]
    results: tuple[str, ...]
    effects: tuple[str, ...] = ()
    outputs: Mapping[str, ElementType | None] = field(default_factory=lambda: dict[str, ElementType | None]())


@dataclass(frozen=True)
class Graph:
    """The nodes of a graph, and the functions that it may call."""

    nodes: tuple[Node, ...]
    functions: Mapping[str, Function] = field(default_factory=lambda: dict[str, Function]())


def read_graph(message: Message, store: Store) -> Graph:
    """Read a ``GraphDef``.

    Raises:
        WireError: it is damaged.
    """
    nodes = tuple(_node(m, store) for m in message.messages(1))
    library = message.message(2)
    functions = [] if library is None else [_function(m, store) for m in library.messages(1)]
    return Graph(nodes, {f.name: f for f in functions})


LAYOUT = "_nhwcc_layout"
"""The attribute with what is said of inputs and outputs: such names are nobody else's."""


def _node(message: Message, store: Store) -> Node:
    stored = dict(message.entries(5))
    attributes = {name: read_attribute(value, store) for name, value in stored.items() if not name.startswith("_")}
    layout = stored[LAYOUT].text(2) if LAYOUT in stored else ""
    return Node(message.text(1), message.text(2), tuple(message.strings(3)), attributes, layout)


def _function(message: Message, store: Store) -> Function:
    signature = message.message(1) or message
    arguments = list(signature.messages(2))
    results = dict(message.text_entries(4))
    effects = dict(message.text_entries(6))
    return Function(
        signature.text(1),
        tuple(m.text(1) for m in arguments),
        tuple(ElementType(n) if (n := m.unsigned(3)) else None for m in arguments),
        tuple(_node(m, store) for m in message.messages(3)),
        tuple(results.get(m.text(1), m.text(1)) for m in signature.messages(3)),
        tuple(effects.values()),
        {m.text(1): ElementType(n) if (n := m.unsigned(3)) else None for m in signature.messages(3)},
    )


_SINGLE: dict[int, Callable[[Message, Store], Attribute]] = {
    2: lambda m, _: m.text(2),
    3: lambda m, _: m.integer(3),
    4: lambda m, _: m.real(4),
    5: lambda m, _: m.flag(5),
    6: lambda m, _: ElementType(m.unsigned(6)),
    7: lambda m, _: StoredShape(read_shape(m.message(7))),
    8: lambda m, store: read_tensor(m.message(8) or m, store),
    9: lambda m, _: Placeholder(m.text(9)),
    10: lambda m, store: _called(m.message(10) or m, store),
}
"""How an attribute of each kind is read, by the number of its field."""

_LIST: dict[int, Callable[[Message, Store], tuple[Attribute, ...]]] = {
    2: lambda m, _: tuple(m.strings(2)),
    3: lambda m, _: tuple(m.integers(3)),
    4: lambda m, _: tuple(m.reals(4)),
    5: lambda m, _: tuple(n != 0 for n in m.integers(5)),
    6: lambda m, _: tuple(map(ElementType, m.integers(6))),
    7: lambda m, _: tuple(StoredShape(read_shape(s)) for s in m.messages(7)),
    8: lambda m, store: tuple(read_tensor(t, store) for t in m.messages(8)),
    9: lambda m, store: tuple(_called(f, store) for f in m.messages(9)),
}
"""The same for lists."""


def read_attribute(message: Message, store: Store) -> Attribute:
    """Read an attribute; one that holds nothing is an empty list."""
    inner = message.message(1)
    if inner is not None:
        return next((_LIST[n](inner, store) for n in inner.numbers if n in _LIST), ())
    return next((_SINGLE[n](message, store) for n in message.numbers if n in _SINGLE), ())


def _called(message: Message, store: Store) -> FunctionName:
    return FunctionName(message.text(1), {name: read_attribute(m, store) for name, m in message.entries(2)})
