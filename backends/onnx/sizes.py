"""Sizes that are known only when the network runs, computed by ONNX's operators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from ...compiler.dims import Shape
from ...compiler.types import DType, TensorType
from ...compiler.weights import Weight
from ...formats.onnx.tensors import number_of
from ..common.shape_builder import ShapeBuilder
from .table import Attribute, Dims, ints

ONE = TensorType(DType.I64, (1,))


class GraphHost(Protocol):
    """The graph under construction, as far as sizes need it."""

    def computed(
        self, operator: str, inputs: Sequence[str], type: TensorType, attributes: Mapping[str, Attribute] | None = None
    ) -> str:
        """Append a node with one nameless result, and return what that is called."""
        ...

    def constant(self, weight: Weight) -> str:
        """Return the name of a constant."""
        ...

    def type(self, tensor: str) -> TensorType:
        """Return the type of a tensor."""
        ...

    def capture(self, key: str) -> str:
        """Return a size that the graph around knows."""
        ...


class Sizes:
    """Turns sizes into tensors of a graph; also what they are computed by."""

    def __init__(self, graph: GraphHost) -> None:
        self._graph = graph
        self._builder = ShapeBuilder(self)
        self._vectors: dict[Dims, str] = {}

    def learn(self, shape: Shape, tensor: str) -> None:
        """Remember which named sizes the shape of a tensor tells."""
        self._builder.learn(shape, tensor)

    def bind(self, sizes: Shape, vector: str) -> None:
        """Remember which named sizes the elements of a tensor are."""
        self._builder.bind(sizes, vector)

    def local(self, name: str) -> str | None:
        """Return a named size that a tensor of this graph tells, None if none does."""
        return self._builder.local(name)

    def vector(self, dims: Dims) -> str:
        """Return the tensor of several sizes."""
        if all(isinstance(d, int) for d in dims.values):
            array = np.asarray(dims.values, dims.dtype.numpy)
            return self._graph.constant(Weight.of(array.reshape(array.shape if dims.shape is None else dims.shape)))
        if dims not in self._vectors:
            self._vectors[dims] = self._vector(dims)
        return self._vectors[dims]

    def _vector(self, dims: Dims) -> str:
        joined = self._builder.vector(dims.values)
        type = TensorType(DType.I64, (len(dims.values),))
        if dims.shape is not None:
            type = type.with_shape(dims.shape)
            joined = self._graph.computed("Reshape", [joined, self._graph.constant(ints(*dims.shape))], type)
        if dims.dtype is DType.I64:
            return joined
        to = {"to": number_of(dims.dtype)}
        return self._graph.computed("Cast", [joined], type.with_dtype(dims.dtype), to)

    def numbers(self, values: Sequence[int]) -> str:
        """Return a constant vector of integers."""
        return self._graph.constant(ints(*values))

    def shape_of(self, tensor: str) -> str:
        """Return the shape of a tensor as a vector, computed when the network runs."""
        return self._graph.computed("Shape", [tensor], TensorType(DType.I64, (self._graph.type(tensor).rank,)))

    def element(self, shape: str, axis: int) -> str:
        """Return the element of a shape at an axis, as a vector of one."""
        return self._graph.computed("Gather", [shape, self.numbers([axis])], ONE)

    def as_sizes(self, vector: str) -> str:
        """Return a vector of integers in the type that sizes have."""
        type = self._graph.type(vector)
        to = {"to": number_of(DType.I64)}
        return (
            vector
            if type.dtype is DType.I64
            else self._graph.computed("Cast", [vector], type.with_dtype(DType.I64), to)
        )

    def add(self, a: str, b: str) -> str:
        """Return the elementwise sum of two sizes."""
        return self._graph.computed("Add", [a, b], ONE)

    def sub(self, a: str, b: str) -> str:
        """Return the elementwise difference of two sizes."""
        return self._graph.computed("Sub", [a, b], ONE)

    def mul(self, a: str, b: str) -> str:
        """Return the elementwise product of two sizes."""
        return self._graph.computed("Mul", [a, b], ONE)

    def floor_div(self, a: str, b: str, *, positive: bool) -> str:
        """Return a quotient rounded down: Div cuts towards zero, so that of negative numbers the rest goes first."""
        whole = a if positive else self.sub(a, self._graph.computed("Mod", [a, b], ONE))
        return self._graph.computed("Div", [whole, b], ONE)

    def max(self, a: str, b: str) -> str:
        """Return the elementwise maximum of two sizes."""
        return self._graph.computed("Max", [a, b], ONE)

    def min(self, a: str, b: str) -> str:
        """Return the elementwise minimum of two sizes."""
        return self._graph.computed("Min", [a, b], ONE)

    def join(self, parts: Sequence[str], count: int) -> str:
        """Return several sizes in one vector."""
        return self._graph.computed("Concat", parts, TensorType(DType.I64, (count,)), {"axis": 0})

    def capture(self, key: str) -> str:
        """Return a size that the graph around knows."""
        return self._graph.capture(key)
