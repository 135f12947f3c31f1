"""Which operators have to be imported: those that wanted tensors need, in the file's order."""

from __future__ import annotations

from collections.abc import Iterable

from ...formats.tflite.contents import StoredGraph, StoredOperator

EFFECTS = frozenset({"ASSIGN_VARIABLE", "CALL_ONCE", "HASHTABLE_IMPORT", "IF", "WHILE"})
"""Builtins that may do more than give results."""


def needed_operators(graph: StoredGraph, wanted: Iterable[int], given: set[int]) -> list[StoredOperator]:
    """Return the operators that ``wanted`` tensors need where the ``given`` ones are there already.

    A variable is needed from each operator that may write it, those that read it among them.
    """
    needed = {n for n in wanted if n not in given}
    found: list[StoredOperator] = []
    for operator in reversed(graph.operators):
        info = operator.info
        changes = any(n in needed and graph.tensors[n].info.is_variable for n in info.inputs if n >= 0)
        if operator.name in EFFECTS or changes or any(n in needed for n in info.outputs):
            found.append(operator)
            needed |= {n for n in info.inputs if n >= 0 and n not in given}
    return found[::-1]


def read_tensors(graph: StoredGraph, wanted: Iterable[int], given: set[int]) -> set[int]:
    """Return the tensors that ``wanted`` ones and the operators that they need read, those that are given left out."""
    wanted = set(wanted)
    read = {n for operator in needed_operators(graph, wanted, given) for n in operator.info.inputs if n >= 0}
    return (read | wanted) - given
