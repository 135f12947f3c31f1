"""What TensorFlow would run of a model besides what is imported: to load it, and for effects alone."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from ...formats.tensorflow.model import Attribute, FunctionName, Graph, Node
from .flatten import CALLS
from .functionalize.names import CONTROL
from .registry import HANDLERS
from .schedule import WRITES

HARMLESS = frozenset(
    {
        "Assert",
        "DebugGradientIdentity",
        "DisableCopyOnRead",
        "HashTable",
        "HashTableV2",
        "If",
        "InitializeTable",
        "InitializeTableFromTextFile",
        "InitializeTableFromTextFileV2",
        "InitializeTableV2",
        "IsVariableInitialized",
        "LookupTableExport",
        "LookupTableExportV2",
        "LookupTableFind",
        "LookupTableFindV2",
        "LookupTableImport",
        "LookupTableImportV2",
        "LookupTableInsert",
        "LookupTableInsertV2",
        "LookupTableSize",
        "LookupTableSizeV2",
        "MutableHashTable",
        "MutableHashTableV2",
        "NoOp",
        "Placeholder",
        "PlaceholderV2",
        "PlaceholderWithDefault",
        "PreventGradient",
        "ReadVariableOp",
        "Restore",
        "RestoreSlice",
        "RestoreV2",
        "StatelessIf",
        "StatelessWhile",
        "StopGradient",
        "StringFormat",
        "StringJoin",
        "VarHandleOp",
        "VarIsInitializedOp",
        "Variable",
        "VariableV2",
        "While",
        *CALLS,
        *CONTROL,
        *WRITES,
    }
)
"""Operators that change nothing but variables and tables in memory, besides those that are imported."""


def running(graph: Graph, roots: Iterable[str]) -> frozenset[str]:
    """Return the names of the nodes that run so that ``roots``, which are names of nodes or tensors, do."""
    nodes = {node.name: node for node in graph.nodes}
    return frozenset(node.name for node in _reached(nodes, roots))


def reaching_out(graph: Graph, names: Collection[str]) -> Node | None:
    """Return one of the named nodes, or of the functions that they may call, that may write files or run code.

    All nodes of a function count: which of them run for their effects is up to TensorFlow.
    """
    known = HARMLESS | HANDLERS.keys() | graph.functions.keys()
    entered: set[str] = set()
    waiting = [node for node in graph.nodes if node.name in names]
    while waiting:
        node = waiting.pop()
        if node.op not in known:
            return node
        called = {node.op, *_functions(node.attributes.values())} & graph.functions.keys() - entered
        entered |= called
        waiting += [inner for function in called for inner in graph.functions[function].nodes]
    return None


def _reached(nodes: Mapping[str, Node], roots: Iterable[str]) -> Iterator[Node]:
    """Yield nodes and all that they read, each once."""
    seen: set[str] = set()
    waiting = [_node_of(root) for root in roots]
    while waiting:
        name = waiting.pop()
        if name not in seen and name in nodes:
            seen.add(name)
            waiting += [_node_of(text) for text in nodes[name].inputs]
            yield nodes[name]


def _functions(values: Collection[Attribute]) -> Iterator[str]:
    """Yield the names of the functions that attributes hold."""
    for value in values:
        if isinstance(value, FunctionName):
            yield value.name
        elif isinstance(value, tuple):
            yield from _functions(value)


def _node_of(text: str) -> str:
    """Return the name of the node in that of a tensor, or of a node that is read for its effects."""
    return text.removeprefix("^").partition(":")[0]
