"""What a file says of its inputs, and in files of ours how they lie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from ...compiler.ops.shape import inverse
from ...formats.tflite.constants import element_type
from ...formats.tflite.contents import StoredGraph
from ..common.inputs import BATCH, Declared, layout_perm
from ..common.sizes import Stated


@dataclass(frozen=True)
class Interface:
    """The inputs of a part of a subgraph by name, and what a file of ours says of how they lie."""

    graph: StoredGraph
    numbers: Mapping[str, int]
    layout: Mapping[str, Mapping[str, Any]]

    @property
    def declared(self) -> dict[str, Declared]:
        """What the file states of each input: type, shape, layout."""
        return {
            name: Declared(
                partial(element_type, self.graph.tensors[number]), self.stated(name), layout_perm(self.layout, name)
            )
            for name, number in self.numbers.items()
        }

    def stated(self, name: str) -> Stated:
        """Return the sizes of an input in the source's order: numbers, names, None for unknown ones."""
        said = self.layout.get(name, {}).get("shape")
        if said is not None:
            return tuple(said)
        shape = self.graph.tensors[self.numbers[name]].info.shape
        dims = [d if d >= 0 else BATCH if axis == 0 else None for axis, d in enumerate(shape)]
        perm = layout_perm(self.layout, name)
        return tuple(dims if perm is None else [dims[axis] for axis in inverse(perm)])
