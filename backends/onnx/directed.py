"""Results of recurrent layers: ONNX gives them with an axis for the direction, and the IR has none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from ...compiler.ir import Op, Value
from ...compiler.ops.recurrent import Recurrent
from ...compiler.ops.shape import Concat, Reshape, Transpose
from ...compiler.types import TensorType
from ...compiler.weights import Weight
from .table import Call, Dims, Operand, ints

TIME_FIRST = (0, 2, 1, 3)
"""Brings the directions of an output beside its features."""

BATCH_FIRST = (2, 0, 1, 3)
"""Does so, and brings the batch to the front."""


class Names(Protocol):
    """Gives the tensors of a graph their names, each one once."""

    values: dict[Value, str]
    wholes: dict[tuple[Value, ...], str]

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

    def value(self, value: Value) -> str:
        """Return the name of a value's tensor, which an operation or an input has given."""
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
        for back in backs:
            self._name(back.result, name)
            self.graph.done.add(back)
        if value in self.wanted or len(backs) < len(value.users):
            axis = self.graph.operand(ints(unit))
            self.graph.node("Squeeze", [name, axis], [self.graph.result(value, self.wanted)], {})

    def _name(self, value: Value, name: str) -> None:
        """Let a tensor, by its name in the graph, be what a value of the IR becomes."""
        if value in self.wanted:
            self.graph.node("Identity", [name], [self.graph.result(value, self.wanted)], {})
        else:
            self.graph.shared.values[value] = name

    def _split(self, parts: Sequence[Value], unit: int, name: str) -> None:
        """Cut what both directions gave."""
        self.graph.shared.wholes[tuple(parts)] = name
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
        if as_they_are is not None:
            self._name(as_they_are.result, name)
            self.graph.done.add(as_they_are)
            return True
        along_own = self._reader_of_longer(parts, 2)
        reader = along_own or _reader(first, second, 2)
        if reader is None:
            return False
        if along_own is not None:
            out = [self.graph.result(reader.result, self.wanted)]
            self.graph.node("Transpose", [name], out, {"perm": TIME_FIRST})
        else:
            self._side_by_side(name, first.type, reader)
        self.graph.done.add(reader)
        return True

    def _side_by_side(self, name: str, type: TensorType, reader: Concat) -> None:
        """Bring both directions beside the features, and count them as one axis; of one sample they are there."""
        steps, batch, features = type.shape
        swap = None if batch == 1 else self._swap_behind(reader)
        lead, perm = ((batch, steps), BATCH_FIRST) if swap is not None else ((steps, batch), TIME_FIRST)
        out = [self.graph.result((reader if swap is None else swap).results[0], self.wanted)]
        size = reader.result.type.shape[2]
        if batch == 1:
            self.graph.node("Reshape", [name, self.graph.operand(Dims((0, 1, size)))], out, {})
            return
        permuted = self.graph.computed("Transpose", [name], type.with_shape((*lead, 2, features)), {"perm": perm})
        self.graph.node("Reshape", [permuted, self.graph.operand(Dims((0, 0, size)))], out, {})

    def _swap_behind(self, reader: Concat) -> Transpose | None:
        """Return what brings the batch of both directions to the front, if nothing else reads them."""
        if reader.result in self.wanted or not reader.result.has_one_use:
            return None
        (user,) = reader.result.users
        if not isinstance(user, Transpose) or user.perm != (1, 0, 2):
            return None
        self.graph.done.add(user)
        return user

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


def joined_directions(graph: GraphUnder, op: Concat) -> list[str] | None:
    """Return the names of what is joined, in which states of both directions are one tensor; None if there are none."""
    if op.axis:
        return None
    states = [_before_first_axis(value) for value in op.xs]
    names: list[str] = []
    rest = [*zip(op.xs, states, strict=True)]
    while rest:
        whole = graph.shared.wholes.get(tuple(state for _, state in rest[:2] if state is not None))
        names.append(graph.value(rest[0][0]) if whole is None else whole)
        rest = rest[1 if whole is None else 2 :]
    return names if len(names) < len(states) else None


def _before_first_axis(value: Value) -> Value | None:
    """Return what a value was before it got another axis in front."""
    match value.owner:
        case Reshape(x=x) if (1, *x.type.shape) == value.type.shape:
            return x
        case _:
            return None
