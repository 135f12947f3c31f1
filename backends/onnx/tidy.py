"""What only surrounds the nodes of a file goes: copies, shapes that are changed twice, and results without uses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from ...compiler.types import TensorType
from ...compiler.weights import Weight
from .forms import Draft

VIEWS = frozenset({"Reshape", "Squeeze", "Unsqueeze"})
"""Operators that change nothing but the shape."""


class Tensors(Protocol):
    """The types, the constants and the drafts that all graphs of a file share."""

    types: dict[str, TensorType]
    constants: dict[str, Weight]
    drafts: list[Draft]


class GraphBuilt(Protocol):
    """One graph of a file; those inside of its nodes are among their attributes."""

    shared: Any
    nodes: list[Draft]
    own: set[str]
    outputs: list[str]

    def constant(self, weight: Weight) -> str:
        """Return the name of the tensor that holds a constant; equal ones share it."""
        ...


def tidy(graph: GraphBuilt, inner: type[GraphBuilt]) -> None:
    """Drop what a file does not need from a graph, and from those inside of it, which are of the class ``inner``."""
    graphs = [graph]
    for known in graphs:
        graphs += [a for draft in known.nodes for a in draft.attributes.values() if isinstance(a, inner)]
    shared: Tensors = graph.shared
    _Shortcuts(shared, graphs).run()
    _rename(shared, graphs)
    kept = _read(shared.drafts, {name for g in graphs for name in g.outputs}, inner)
    shared.drafts[:] = [draft for draft in shared.drafts if id(draft) in kept]
    for g in graphs:
        g.nodes[:] = [draft for draft in g.nodes if id(draft) in kept]


@dataclass
class _Shortcuts:
    """Lets nodes read what copies are made of, and shapes be changed at once."""

    shared: Tensors
    graphs: Sequence[GraphBuilt]
    instead: dict[str, str] = field(default_factory=lambda: dict[str, str]())
    makers: dict[str, Draft] = field(default_factory=lambda: dict[str, Draft]())

    def run(self) -> None:
        """Visit the nodes of all graphs, makers of tensors before their readers."""
        outputs = {name for g in self.graphs for name in g.outputs}
        for draft in self.shared.drafts:
            draft.inputs[:] = [self.instead.get(name, name) for name in draft.inputs]
            if draft.operator in VIEWS and not draft.domain:
                self._view(draft)
            if draft.operator == "Identity" and not draft.domain and draft.outputs[0] not in outputs:
                self.instead[draft.outputs[0]] = draft.inputs[0]
            self.makers.update(dict.fromkeys(draft.outputs, draft))

    def _view(self, draft: Draft) -> None:
        """Read what the operand was before its own shape was changed."""
        before = self.makers.get(draft.inputs[0])
        if before is None or before.operator not in VIEWS or before.domain:
            return
        source, types = before.inputs[0], self.shared.types
        old, new = types[source], types[draft.outputs[0]]
        if old == new:
            draft.operator, draft.inputs, draft.attributes, draft.use = "Identity", [source], {}, None
            return
        shape = reshaped(old, new)
        if shape is not None:
            target = self.graphs[0].constant(Weight.of(np.asarray(shape, np.int64)))
            draft.operator, draft.inputs, draft.attributes, draft.use = "Reshape", [source, target], {}, None


def reshaped(old: TensorType, new: TensorType) -> list[int] | None:
    """Return a new shape as Reshape takes it: 0 as it was, -1 what is left; None if more than one size is left."""
    shape: list[int] = []
    for axis, size in enumerate(new.shape):
        if isinstance(size, int):
            shape.append(size)
        elif axis < old.rank and size == old.shape[axis]:
            shape.append(0)
        else:
            shape.append(-1)
    return None if shape.count(-1) > 1 or 0 in new.shape else shape


def _rename(shared: Tensors, graphs: Sequence[GraphBuilt]) -> None:
    """Let what is copied to an output have the output's name, if it is none itself."""
    names: dict[str, str] = {}
    for graph in graphs:
        for draft in graph.nodes:
            if draft.operator == "Identity" and not draft.domain and draft.outputs[0] in graph.outputs:
                source = draft.inputs[0]
                if source in graph.own and source not in graph.outputs and source not in names:
                    names[source] = draft.outputs[0]
        graph.own -= names.keys()
    for draft in shared.drafts:
        _apply(names, draft)
    for graph in graphs:
        graph.nodes[:] = [d for d in graph.nodes if d.operator != "Identity" or d.inputs != d.outputs]
    shared.drafts[:] = [d for d in shared.drafts if d.operator != "Identity" or d.inputs != d.outputs]


def _apply(names: Mapping[str, str], draft: Draft) -> None:
    draft.inputs[:] = [names.get(name, name) for name in draft.inputs]
    draft.outputs[:] = [names.get(name, name) for name in draft.outputs]


def _read(drafts: Sequence[Draft], outputs: Iterable[str], inner: type[GraphBuilt]) -> set[int]:
    """Return the identities of nodes that somebody reads, or that hold graphs or are not the standard's."""
    reads = Counter(name for draft in drafts for name in draft.inputs)
    reads.update(outputs)
    kept: set[int] = set()
    for draft in reversed(drafts):
        stays = draft.domain or any(isinstance(a, inner) for a in draft.attributes.values())
        if stays or any(reads[name] for name in draft.outputs):
            kept.add(id(draft))
        else:
            reads.subtract(draft.inputs)
    return kept
