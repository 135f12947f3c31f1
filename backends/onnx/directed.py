"""Results of recurrent layers: ONNX gives them with an axis for the direction, and the IR has none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from ...compiler.ir import Op, Value
from ...compiler.ops.recurrent import Recurrent
from ...compiler.ops.shape import Concat, Reshape
from ...compiler.types import TensorType
from ...compiler.weights import Weight
from .table import Call, Dims, Operand, ints

TIME_FIRST = (0, 2, 1, 3)
"""Brings the directions of an output beside its features."""


class Names(Protocol):
    """Gives the tensors of a graph their names, each one once."""

    values: dict[Value, str]

    def unique(self, name: str) -> str:
        """Return a name that no tensor has yet."""
        ...


class GraphUnder(Protocol):
    """The graph under construction, as far as results of layers need it."""

    shared: Any
    done: set[Op]

    def result(self, value: Value, wanted: Mapping[Value, str]) -> str:
        """Return the name of a new tensor for a value that the graph computes."""
        ...

    def new(self, name: str, type: TensorType) -> str:
        """Register a tensor that the graph computes, and return its name."""
        ...

    def node(self, operator: str, inputs: Sequence[str], outputs: list[str], attributes: Mapping[str, Any]) -> None:
        """Append a node to the graph, whose results have these names."""
        ...

    def computed(
        self, operator: str, inputs: Sequence[str], type: TensorType, attributes: Mapping[str, Any] | None = None
    ) -> str:
        """Append a node with one result, and return what that is called."""
        ...

    def operand(self, operand: Operand) -> str:
        """Return the name of an operand's tensor, storing constants when needed."""
        ...


class Directed:
    """Names the results of a layer, or of two in both directions, and drops the axis that they have too many."""

    def __init__(self, graph: GraphUnder, op: Recurrent, call: Call, wanted: Mapping[Value, str]) -> None:
        self.graph = graph
        self.units = call.units
        self.wanted = wanted
        other = call.beside
        self.layers: tuple[Op, ...] = (op,) if other is None else (other, op) if op.reverse else (op, other)
        graph.done.update(self.layers)

    def outputs(self) -> list[str]:
        """Return the names of what the node gives; results without uses are left out."""
        return [self._output(place) for place in range(len(self.units))]

    def _output(self, place: int) -> str:
        parts = [layer.results[place] for layer in self.layers]
        if not any(part.uses for part in parts):
            return ""
        unit, shape = self.units[place], parts[0].type.shape
        name = self.graph.shared.unique(f"{parts[0].name or self.layers[0].spec.name}_with_direction")
        return self.graph.new(name, parts[0].type.with_shape((*shape[:unit], len(parts), *shape[unit:])))

    def finish(self, outputs: Sequence[str]) -> None:
        """Insert the nodes that give the operations' results their shapes."""
        for place, name in enumerate(outputs):
            parts = [layer.results[place] for layer in self.layers]
            if not name:
                continue
            if len(parts) == 1:
                self._drop(parts[0], self.units[place], name)
            elif not self._joined(parts, self.units[place], name):
                self._split(parts, self.units[place], name)

    def _with_unit(self, value: Value, unit: int) -> TensorType:
        shape = value.type.shape
        return value.type.with_shape((*shape[:unit], 1, *shape[unit:]))

    def _drop(self, value: Value, unit: int, name: str) -> None:
        """Drop the axis, unless readers put it back."""
        longer = self._with_unit(value, unit)
        backs = [u for u in value.users if isinstance(u, Reshape) and u.result.type == longer]
        backs = [u for u in backs if u.result not in self.wanted]
        for back in backs:
            self.graph.shared.values[back.result] = name
            self.graph.done.add(back)
        if value in self.wanted or len(backs) < len(value.users):
            axis = self.graph.operand(ints(unit))
            self.graph.node("Squeeze", [name, axis], [self.graph.result(value, self.wanted)], {})

    def _split(self, parts: Sequence[Value], unit: int, name: str) -> None:
        """Cut what both directions gave."""
        names = [
            self.graph.new(self.graph.shared.unique(f"{name}_{i}"), self._with_unit(part, unit))
            for i, part in enumerate(parts)
        ]
        sizes = self.graph.operand(Weight.of(np.ones(len(parts), np.int64)))
        self.graph.node("Split", [name, sizes], names, {"axis": unit} if unit else {})
        for part, cut in zip(parts, names, strict=True):
            self._drop(part, unit, cut)

    def _joined(self, parts: Sequence[Value], unit: int, name: str) -> bool:
        """Let features of both directions stand side by side, if that is all that becomes of an output."""
        first, second = parts
        if not unit or any(p in self.wanted or not p.has_one_use for p in parts):
            return False
        as_they_are = self._reader_of_longer(parts, unit)
        if as_they_are is not None and as_they_are.result not in self.wanted:
            self.graph.shared.values[as_they_are.result] = name
            self.graph.done.add(as_they_are)
            return True
        along_own = None if as_they_are is not None else self._reader_of_longer(parts, 2)
        reader = as_they_are or along_own or _reader(first, second, 2)
        if reader is None:
            return False
        out = [self.graph.result(reader.result, self.wanted)]
        if as_they_are is not None:
            self.graph.node("Identity", [name], out, {})
        elif along_own is not None:
            self.graph.node("Transpose", [name], out, {"perm": TIME_FIRST})
        else:
            self._side_by_side(name, first.type, reader, out)
        self.graph.done.add(reader)
        return True

    def _side_by_side(self, name: str, type: TensorType, reader: Concat, out: list[str]) -> None:
        """Bring both directions beside the features, and count them as one axis; of one sample they are there."""
        steps, batch, features = type.shape
        size = reader.result.type.shape[2]
        if batch == 1:
            self.graph.node("Reshape", [name, self.graph.operand(Dims((0, 1, size)))], out, {})
            return
        beside = type.with_shape((steps, batch, 2, features))
        permuted = self.graph.computed("Transpose", [name], beside, {"perm": TIME_FIRST})
        self.graph.node("Reshape", [permuted, self.graph.operand(Dims((0, 0, size)))], out, {})

    def _reader_of_longer(self, parts: Sequence[Value], axis: int) -> Concat | None:
        """Return what joins two outputs along an axis of their own before the features."""
        longer: list[Value] = []
        for part in parts:
            (user,) = part.users
            if not isinstance(user, Reshape) or user.result.type != self._with_unit(part, axis):
                return None
            if user.result in self.wanted or not user.result.has_one_use:
                return None
            longer.append(user.result)
        reader = _reader(longer[0], longer[1], axis)
        if reader is not None:
            self.graph.done.update(value.owner for value in longer if value.owner is not None)
        return reader


def _reader(first: Value, second: Value, axis: int) -> Concat | None:
    """Return what joins two values, which nobody else reads, along an axis."""
    (reader,) = first.users
    if isinstance(reader, Concat) and reader.operands == (first, second) and reader.axis == axis:
        return reader
    return None
