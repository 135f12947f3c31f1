"""Counting the operators of a model as the file has them, also of one that can't be imported."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ...formats.onnx.model import Graph, Model, Node
from . import ops as _ops  # noqa: F401  # pyright: ignore[reportUnusedImport]
from .custom import code
from .definitions import has_definition
from .registry import HANDLERS, find


@dataclass(frozen=True)
class Census:
    """How often each operator occurs, and which of them are unknown."""

    counts: Counter[str]
    unknown: Counter[str]


def count_nodes(model: Model) -> Census:
    """Count all nodes, those of branches, loop bodies and of the model's functions too."""
    graphs = [(model.graph.nodes, model.opsets), *((f.nodes, f.opsets) for f in model.functions.values())]
    counts: Counter[str] = Counter()
    unknown: Counter[str] = Counter()
    for nodes, opsets in graphs:
        for node in _walk(nodes):
            counts[code(node)] += 1
            unknown[code(node)] += not _is_known(node, model, opsets)
    return Census(counts, +unknown)


def _walk(nodes: Iterable[Node]) -> Iterator[Node]:
    for node in nodes:
        yield node
        for value in node.attributes.values():
            if isinstance(value, Graph):
                yield from _walk(value.nodes)


def _is_known(node: Node, model: Model, opsets: Mapping[str, int]) -> bool:
    if (node.domain, node.op_type, node.overload) in model.functions:
        return True
    version = opsets.get(node.domain, 1)
    before = not node.domain and (node.domain, node.op_type) in HANDLERS
    return before or find(node.domain, node.op_type, version) is not None or has_definition(node, version)
