"""Control flow of version 1 as calls of functions.

In graphs of version 1, loops are nodes that read each other in circles (Enter, Merge, NextIteration, Exit), and
branches are nodes whose results are dead on one side (Switch, Merge). They become ``StatelessWhile`` and
``StatelessIf``, whose bodies are functions, so that the importer knows one form only.  What has another form stays as
it is, and is refused where an output needs it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from ....formats.tensorflow.model import Function, Graph
from ..flatten import Call, calls_of, parse
from .branches import branches_in, raise_branches
from .loops import raise_loops
from .names import MERGES, results_of
from .parts import Library, node_of


def functionalize(graph: Graph, kept: Collection[str] = ()) -> Graph:
    """Return a graph without control flow of version 1, as far as it can be read.

    ``kept`` are names of tensors that must stay, besides those without users.
    """
    bodies = [graph.nodes, *(function.nodes for function in graph.functions.values())]
    if not any(node.op in MERGES for body in bodies for node in body):
        return graph
    library = Library(dict(graph.functions))
    for function in graph.functions.values():
        if any(node.op in MERGES for node in function.nodes):
            library.functions[function.name] = _function(function, library)
    calls = {node.name: Call.of(node) for node in graph.nodes}
    if len(calls) < len(graph.nodes):
        return graph  # two have one name, which is refused
    _raise_all(calls, library, {parse(name).node for name in kept})
    return Graph(tuple(map(node_of, calls.values())), library.functions)


def _function(function: Function, library: Library) -> Function:
    """Return a function of the model without control flow of version 1."""
    calls, results = calls_of(function, library.functions, results_of)
    _raise_all(calls, library, {result.node for result in results} | set(function.effects))
    nodes = tuple(map(node_of, calls.values()))
    return replace(function, nodes=nodes, results=tuple(result.flat for result in results))


def _raise_all(calls: dict[str, Call], library: Library, kept: Collection[str]) -> None:
    """Raise the loops first, whose bodies then hold branches only, as the rest does."""
    before = set(library.functions)
    raise_loops(calls, library)
    bodies = [name for name in library.functions if name not in before]
    raise_branches(calls, library, kept)
    for name in bodies:
        library.functions[name] = branches_in(library.functions[name], library)
