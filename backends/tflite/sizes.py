"""Sizes that are known only when the network runs, computed by TFLite's builtins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from ...compiler.dims import Shape
from ...compiler.types import DType, TensorType
from ...compiler.weights import Weight
from ..common.shape_builder import ShapeBuilder
from .table import Dims, Operand, Options, ints, options

ONE = TensorType(DType.I32, (1,))

_JOIN = options("ConcatenationOptions", axis=0)
_SHAPE = options("ShapeOptions", outType=DType.I32)


class Subgraph(Protocol):
    """The subgraph under construction, as far as sizes need it."""

    def operator(
        self, builtin: str, inputs: list[int], outputs: list[int], options: Options | None = None, version: int = 1
    ) -> None:
        """Append an operator to the subgraph, and return its result."""
        ...

    def temporary(self, type: TensorType, name: str) -> int:
        """Append a tensor, called ``name`` or nearly so."""
        ...

    def tensor(self, operand: Operand, name: str) -> int:
        """Return the number of an operand's tensor; ``name`` is for what has no name in the source."""
        ...

    def type(self, tensor: int) -> TensorType:
        """Return the element type and the shape of a tensor."""
        ...

    def capture(self, key: str) -> int:
        """Return a size that the subgraph around knows."""
        ...


class Sizes:
    """Turns sizes into tensors of a subgraph; also what they are computed by."""

    def __init__(self, graph: Subgraph) -> None:
        self._graph = graph
        self._builder = ShapeBuilder(self)
        self._vectors: dict[Dims, int] = {}

    def learn(self, shape: Shape, tensor: int) -> None:
        """Remember which named sizes the shape of a tensor tells."""
        self._builder.learn(shape, tensor)

    def bind(self, sizes: Shape, vector: int) -> None:
        """Remember which named sizes the elements of a tensor are."""
        self._builder.bind(sizes, vector)

    def local(self, name: str) -> int | None:
        """Return a named size that a tensor of this subgraph tells, None if none does."""
        return self._builder.local(name)

    def vector(self, dims: Dims, name: str) -> int:
        """Return the tensor of several sizes; one that is no constant is called after what computes it."""
        if all(isinstance(d, int) for d in dims.values):
            shape = (len(dims.values),) if dims.shape is None else dims.shape
            return self._graph.tensor(Weight.of(np.asarray(dims.values, dims.dtype.numpy).reshape(shape)), name)
        if dims not in self._vectors:
            self._vectors[dims] = self._vector(dims)
        return self._vectors[dims]

    def _vector(self, dims: Dims) -> int:
        joined = self._builder.vector(dims.values)
        type = TensorType(DType.I32, (len(dims.values),))
        if dims.shape is not None:
            type = type.with_shape(dims.shape)
            joined = self._apply("RESHAPE", [joined, self.numbers(dims.shape)], type)
        return joined if dims.dtype is DType.I32 else self._apply("CAST", [joined], type.with_dtype(dims.dtype))

    def numbers(self, values: Sequence[int]) -> int:
        """Return a constant vector of integers."""
        return self._graph.tensor(ints(*values), "sizes/numbers")

    def shape_of(self, tensor: int) -> int:
        """Return the shape of a tensor as a vector, computed when the network runs."""
        return self._apply("SHAPE", [tensor], TensorType(DType.I32, (self._graph.type(tensor).rank,)), _SHAPE)

    def element(self, shape: int, axis: int) -> int:
        """Return the element of a shape at an axis, as a vector of one."""
        return self._apply("SLICE", [shape, self.numbers([axis]), self.numbers([1])], ONE)

    def as_sizes(self, vector: int) -> int:
        """Return a vector of integers in the type that sizes have."""
        type = self._graph.type(vector)
        return vector if type.dtype is DType.I32 else self._apply("CAST", [vector], type.with_dtype(DType.I32))

    def add(self, a: int, b: int) -> int:
        """Return the elementwise sum of two sizes."""
        return self._apply("ADD", [a, b], ONE)

    def sub(self, a: int, b: int) -> int:
        """Return the elementwise difference of two sizes."""
        return self._apply("SUB", [a, b], ONE)

    def mul(self, a: int, b: int) -> int:
        """Return the elementwise product of two sizes."""
        return self._apply("MUL", [a, b], ONE)

    def floor_div(self, a: int, b: int, *, positive: bool) -> int:
        """Return a quotient rounded down, of numbers of any sign."""
        del positive
        return self._apply("FLOOR_DIV", [a, b], ONE)

    def max(self, a: int, b: int) -> int:
        """Return the elementwise maximum of two sizes."""
        return self._apply("MAXIMUM", [a, b], ONE)

    def min(self, a: int, b: int) -> int:
        """Return the elementwise minimum of two sizes."""
        return self._apply("MINIMUM", [a, b], ONE)

    def join(self, parts: Sequence[int], count: int) -> int:
        """Return several sizes in one vector."""
        return self._apply("CONCATENATION", list(parts), TensorType(DType.I32, (count,)), _JOIN)

    def capture(self, key: str) -> int:
        """Return a size that the subgraph around knows."""
        return self._graph.capture(key)

    def _apply(self, builtin: str, inputs: list[int], type: TensorType, given: Options | None = None) -> int:
        out = self._graph.temporary(type, f"sizes/{builtin.lower()}")
        self._graph.operator(builtin, inputs, [out], given)
        return out
