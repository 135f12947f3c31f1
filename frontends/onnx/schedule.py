"""The nodes that are needed, in an order in which each comes after what it reads."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Sequence
from difflib import get_close_matches

from ...compiler.diagnostics import error
from ...formats.onnx.model import Graph, Node


def schedule(nodes: Sequence[Node], given: Collection[str], wanted: Iterable[str]) -> list[Node]:
    """Return the nodes that ``wanted`` tensors need, starting from ``given`` ones, as close to their order as possible.

    Raises:
        CompileError: F013 nodes read each other in a circle, F014 a tensor has no origin, F015 it has two.
    """
    producers = _producers(nodes)
    live = _live(nodes, producers, given, wanted)
    waiting = {n: {producers[name] for name in reads(nodes[n]) if name not in given} for n in live}
    readers: dict[int, list[int]] = {n: [] for n in live}
    for n, needed in waiting.items():
        for producer in needed:
            readers[producer].append(n)
    ready = [n for n, needed in waiting.items() if not needed]
    heapq.heapify(ready)
    order: list[Node] = []
    while ready:
        done = heapq.heappop(ready)
        order.append(nodes[done])
        del waiting[done]
        for n in readers[done]:
            waiting[n].discard(done)
            if not waiting[n]:
                heapq.heappush(ready, n)
    if waiting:
        raise _circle(nodes, waiting)
    return order


def reads(node: Node) -> list[str]:
    """Return the names of what a node reads, what its graphs take from outside included."""
    names = dict.fromkeys(name for name in node.inputs if name)
    for value in node.attributes.values():
        if isinstance(value, Graph):
            names.update(dict.fromkeys(_captured(value)))
    return list(names)


def _captured(graph: Graph) -> list[str]:
    own = {*graph.inputs, *graph.constants, *(o for n in graph.nodes for o in n.outputs)}
    used = [*graph.outputs, *(name for n in graph.nodes for name in reads(n))]
    return [name for name in used if name not in own]


def _producers(nodes: Sequence[Node]) -> dict[str, int]:
    """Return the number of the node that defines each tensor. A given tensor's own node is not asked."""
    producers: dict[str, int] = {}
    for n, node in enumerate(nodes):
        for name in node.outputs:
            if name in producers:
                first = nodes[producers[name]].label
                raise error("F015", f"the tensor {name!r} is defined by {first!r} and again by {node.label!r}")
            if name:
                producers[name] = n
    return producers


def _live(nodes: Sequence[Node], producers: dict[str, int], given: Collection[str], wanted: Iterable[str]) -> list[int]:
    seen: dict[int, None] = {}
    stack = [("an output", name) for name in wanted]
    while stack:
        reader, name = stack.pop()
        if name in given:
            continue
        if name not in producers:
            close = get_close_matches(name, [*producers, *given], 1)
            raise error(
                "F014",
                f"the tensor {name!r}, read by {reader}, is neither an input nor the result of a node",
                help=f"Is it {close[0]!r}?" if close else "The model is damaged, or was cut at the wrong place.",
            )
        n = producers[name]
        if n not in seen:
            seen[n] = None
            stack += [(f"the node {nodes[n].label!r}", operand) for operand in reads(nodes[n])]
    return list(seen)


def _circle(nodes: Sequence[Node], waiting: dict[int, set[int]]) -> Exception:
    """Name the nodes of one circle among those that wait for each other."""
    path: dict[int, None] = {}
    n = min(waiting)
    while n not in path:
        path[n] = None
        n = min(waiting[n])
    found = list(path)
    labels = [repr(nodes[i].label) for i in reversed(found[found.index(n) :])]
    return error("F013", f"these nodes read each other in a circle: {', '.join(labels)}")
