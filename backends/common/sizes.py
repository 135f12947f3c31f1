"""Sizes that are known only when the network runs, as tensors of a graph whose operators have names."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import numpy as np

from ...compiler.dims import Shape, is_static, static
from ...compiler.types import DType, TensorType
from ...compiler.weights import Weight
from .operands import Dims
from .shape_builder import ShapeBuilder

T = TypeVar("T")
"""How a graph names a tensor."""


class GraphHost(Protocol[T]):
    """The graph under construction, as far as sizes need it."""

    def computed(
        self, operator: str, inputs: Sequence[T], type: TensorType, attributes: Mapping[str, Any] | None = None, /
    ) -> T:
        """Append a node with one nameless result, and return that."""
        ...

    def constant(self, weight: Weight, /) -> T:
        """Return a constant of an array, as a tensor of the file."""
        ...

    def type(self, tensor: T, /) -> TensorType:
        """Return the element type and the shape of a tensor."""
        ...


class SizeVectors(ABC, Generic[T]):
    """Turns sizes into tensors of a graph; also what they are computed by.

    ``dtype`` is the type that sizes have in the format, ``operators`` what it calls elementwise arithmetic.
    ``capture`` returns a size that the graph around knows.
    """

    dtype: ClassVar[DType] = DType.I64
    operators: ClassVar[Mapping[str, str]]

    def __init__(self, graph: GraphHost[T], capture: Callable[[str], T]) -> None:
        self.graph = graph
        self._capture = capture
        self.one = TensorType(self.dtype, (1,))
        self._builder: ShapeBuilder[T] = ShapeBuilder(self)
        self._vectors: dict[Dims, T] = {}

    @abstractmethod
    def shape_of(self, tensor: T) -> T:
        """Return the shape of a tensor as a vector, computed when the network runs."""

    @abstractmethod
    def element(self, shape: T, axis: int) -> T:
        """Return the element of a shape at an axis, as a vector of one."""

    @abstractmethod
    def join(self, parts: Sequence[T], count: int) -> T:
        """Concatenate vectors of sizes into one, of ``count`` elements in all."""

    @abstractmethod
    def floor_div(self, a: T, b: T, *, positive: bool) -> T:
        """Return a quotient rounded down; ``positive`` says that neither number can be negative."""

    @abstractmethod
    def converted(self, tensor: T, type: TensorType) -> T:
        """Return integers in the element type of ``type``."""

    def reshaped(self, vector: T, type: TensorType) -> T:
        """Return sizes in another shape, which is known."""
        return self.graph.computed("Reshape", [vector, self.numbers(static(type.shape))], type)

    def learn(self, shape: Shape, tensor: T) -> None:
        """Remember which named sizes the shape of a tensor tells."""
        self._builder.learn(shape, tensor)

    def bind(self, sizes: Shape, vector: T) -> None:
        """Remember which named sizes the elements of a tensor are."""
        self._builder.bind(sizes, vector)

    def local(self, name: str) -> T | None:
        """Return a named size that a tensor of this graph tells, None if none does."""
        return self._builder.local(name)

    def capture(self, key: str) -> T:
        """Return a size that the graph around knows."""
        return self._capture(key)

    def vector(self, dims: Dims) -> T:
        """Return a vector of sizes, computed from tensors when the network runs."""
        if is_static(dims.values):
            array = np.asarray(static(dims.values), dims.dtype.numpy)
            return self.graph.constant(Weight.of(array.reshape(array.shape if dims.shape is None else dims.shape)))
        if dims not in self._vectors:
            self._vectors[dims] = self._vector(dims)
        return self._vectors[dims]

    def _vector(self, dims: Dims) -> T:
        joined = self._builder.vector(dims.values)
        type = TensorType(self.dtype, (len(dims.values),))
        if dims.shape is not None:
            type = type.with_shape(dims.shape)
            joined = self.reshaped(joined, type)
        return joined if dims.dtype is self.dtype else self.converted(joined, type.with_dtype(dims.dtype))

    def numbers(self, values: Sequence[int]) -> T:
        """Return a constant vector of integers."""
        return self.graph.constant(Weight.of(np.asarray(values, self.dtype.numpy)))

    def as_sizes(self, vector: T) -> T:
        """Return a vector of integers in the type that sizes have."""
        type = self.graph.type(vector)
        return vector if type.dtype is self.dtype else self.converted(vector, type.with_dtype(self.dtype))

    def shape_type(self, tensor: T) -> TensorType:
        """Return the type of the shape of a tensor."""
        return TensorType(self.dtype, (self.graph.type(tensor).rank,))

    def add(self, a: T, b: T) -> T:
        """Return the elementwise sum of two sizes."""
        return self.arithmetic("add", a, b)

    def sub(self, a: T, b: T) -> T:
        """Return the elementwise difference of two sizes."""
        return self.arithmetic("sub", a, b)

    def mul(self, a: T, b: T) -> T:
        """Return the elementwise product of two sizes."""
        return self.arithmetic("mul", a, b)

    def max(self, a: T, b: T) -> T:
        """Return the elementwise maximum of two sizes."""
        return self.arithmetic("max", a, b)

    def min(self, a: T, b: T) -> T:
        """Return the elementwise minimum of two sizes."""
        return self.arithmetic("min", a, b)

    def arithmetic(self, name: str, a: T, b: T) -> T:
        """Return what an elementwise operator makes of two sizes."""
        return self.graph.computed(self.operators[name], [a, b], self.one)
