"""What a graph of ours says of its inputs and outputs: the source's names, their order, and how their axes lie."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, cast

from ..layout import Layout, read_layout
from .model import Graph, Node, StoredShape
from .saved_model import Port
from .tensors import ElementType

PLACEHOLDER = "Placeholder"
"""The operator of inputs."""


@dataclass(frozen=True)
class Interface:
    """Inputs and outputs by the source's names, in the source's order, and what is said of their layouts."""

    inputs: dict[str, Port]
    outputs: dict[str, Port]
    layout: Layout


def stated_interface(graph: Graph, signature: str | None = None) -> Interface | None:
    """Return what a graph of ours says, of a signature if it holds several; None of one that somebody else has made.

    Raises:
        ValueError: what it says is damaged.
    """
    said = sorted(((_said(node), node) for node in graph.nodes if node.layout), key=lambda pair: pair[0]["place"])
    keys = {str(words["signature"]) for words, _ in said if "signature" in words}
    if keys:
        said = [(words, node) for words, node in said if words.get("signature") == (signature or min(keys))]
    if not said:
        return None
    sides: dict[str, dict[str, Port]] = {"inputs": {}, "outputs": {}}
    layout: dict[str, dict[str, Any]] = {"inputs": {}, "outputs": {}}
    for words, node in said:
        side = "inputs" if node.op == PLACEHOLDER else "outputs"
        sides[side][words["name"]] = _port(node, len(words["perm"]))
        layout[side][words["name"]] = {"perm": words["perm"], "shape": words["shape"]}
    ranks = {s: {n: len(p.dims or ()) for n, p in ports.items()} for s, ports in sides.items()}
    return Interface(sides["inputs"], sides["outputs"], read_layout(json.dumps(layout).encode(), ranks))


def _said(node: Node) -> dict[str, Any]:
    found: Any = json.loads(node.layout)
    kinds = {"place": int, "name": str, "perm": list, "shape": list}
    if not isinstance(found, dict):
        raise ValueError(f"what is said of the layout of {node.name}")
    words = cast(dict[str, Any], found)
    if any(not isinstance(words.get(key), kind) for key, kind in kinds.items()):
        raise ValueError(f"what is said of the layout of {node.name}")
    return words


def _port(node: Node, rank: int) -> Port:
    element, shape = node.attributes.get("dtype"), node.attributes.get("shape")
    dims = shape.dims if isinstance(shape, StoredShape) else (None,) * rank
    return Port(f"{node.name}:0", element if isinstance(element, ElementType) else ElementType(1), dims)
