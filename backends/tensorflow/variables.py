"""Weights as variables, which can be trained on, and of which a file has room for more than 2 GB."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...compiler.dims import static
from ...compiler.weights import Weight
from ...formats.tensorflow.model import Node, StoredShape
from ...formats.tensorflow.tensors import NUMBERS, ElementType
from ...formats.tensorflow.writer import Restored

STRING = ElementType(7)


class Variables:
    """The variables of a graph: by the name of the node that stands for one, what it holds, and what sets and reads it.

    ``nodes`` are what saves them, and restores them when the model is loaded.
    """

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self._values: dict[str, Weight] = {}
        self._read: dict[str, str] = {}

    def takes(self, weight: Weight) -> bool:
        """Say whether a constant becomes a variable: fractions, more than one of them."""
        return weight.type.dtype.is_float and weight.type.size not in (0, 1)

    def add(self, weight: Weight, name: str, unique: Callable[[str], str]) -> tuple[list[Node], str]:
        """Return the nodes of a variable, and the tensor that it is read as."""
        handle = unique(name)
        read = unique(f"{handle}/Read/ReadVariableOp")
        element, shape = ElementType(NUMBERS[weight.type.dtype]), StoredShape(static(weight.type.shape))
        stated = {"dtype": element, "shape": shape, "shared_name": handle, "container": ""}
        self._values[handle], self._read[handle] = weight, read
        return [
            Node(handle, "VarHandleOp", (), stated),
            Node(read, "ReadVariableOp", (handle,), {"dtype": element}),
        ], read

    def restored(self, unique: Callable[[str], str]) -> Restored | None:
        """Append what saves and restores all variables; return how that is called."""
        if not self._values:
            return None
        handles = [*self._values]
        elements = tuple(ElementType(NUMBERS[w.type.dtype]) for w in self._values.values())
        file, names, slices = (unique(f"save/{word}") for word in ("filename", "tensor_names", "shape_and_slices"))
        default = unique("save/default")
        self.nodes += [
            _strings(default, np.asarray("model", object)),
            Node(file, "PlaceholderWithDefault", (default,), {"dtype": STRING, "shape": StoredShape(())}),
            _strings(names, np.asarray(handles, object)),
            _strings(slices, np.asarray([""] * len(handles), object)),
        ]
        save, saved = unique("save/SaveV2"), unique("save/saved")
        restore, done = unique("save/RestoreV2"), unique("save/restore_all")
        assign = {handle: unique(f"{handle}/Assign") for handle in handles}
        reads = tuple(self._read.values())
        self.nodes += [
            Node(save, "SaveV2", (file, names, slices, *reads), {"dtypes": elements}),
            Node(saved, "Identity", (file, f"^{save}"), {"T": STRING}),
            Node(restore, "RestoreV2", (file, names, slices), {"dtypes": elements}),
        ]
        for place, (handle, element) in enumerate(zip(handles, elements, strict=True)):
            given = (handle, f"{restore}:{place}" if place else restore)
            self.nodes.append(Node(assign[handle], "AssignVariableOp", given, {"dtype": element}))
        self.nodes.append(Node(done, "NoOp", tuple(f"^{name}" for name in assign.values()), {}))
        read = {handle: f"{tensor}:0" for handle, tensor in self._read.items()}
        return Restored(self._values, assign, read, f"{file}:0", f"{saved}:0", done)


def _strings(name: str, array: np.ndarray[tuple[int, ...], np.dtype[np.object_]]) -> Node:
    return Node(name, "Const", (), {"dtype": STRING, "value": Weight.of(array)})
