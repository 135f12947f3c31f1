"""Sizes that are known only when the network runs, computed by OpenVINO's operations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from ...compiler.dims import Shape, is_static, static
from ...compiler.types import DType, TensorType
from ...compiler.weights import Weight
from ...formats.openvino.model import Place
from ..common.operands import Attribute, Dims, ints, scalar
from ..common.shape_builder import ShapeBuilder

ONE = TensorType(DType.I64, (1,))


class NetworkHost(Protocol):
    """The network under construction, as far as sizes need it."""

    def computed(
        self,
        operator: str,
        inputs: Sequence[Place],
        type: TensorType,
        attributes: Mapping[str, Attribute] | None = None,
    ) -> Place:
        """Append a layer with one nameless result, and return where that is."""
        ...

    def constant(self, weight: Weight) -> Place:
        """Return where a constant is."""
        ...

    def type(self, place: Place) -> TensorType:
        """Return the type of a tensor."""
        ...

    def capture(self, key: str) -> Place:
        """Return a size that the network around knows."""
        ...


class Sizes:
    """Turns sizes into tensors of a network; also what they are computed by."""

    def __init__(self, network: NetworkHost) -> None:
        self._network = network
        self._builder = ShapeBuilder(self)
        self._vectors: dict[Dims, Place] = {}

    def learn(self, shape: Shape, place: Place) -> None:
        """Remember which named sizes the shape of a tensor tells."""
        self._builder.learn(shape, place)

    def bind(self, sizes: Shape, vector: Place) -> None:
        """Remember which named sizes the elements of a tensor are."""
        self._builder.bind(sizes, vector)

    def local(self, name: str) -> Place | None:
        """Return a named size that a tensor of this network tells, None if none does."""
        return self._builder.local(name)

    def vector(self, dims: Dims) -> Place:
        """Return the tensor of several sizes."""
        if is_static(dims.values):
            array = np.asarray(static(dims.values), dims.dtype.numpy)
            return self._network.constant(Weight.of(array.reshape(array.shape if dims.shape is None else dims.shape)))
        if dims not in self._vectors:
            self._vectors[dims] = self._vector(dims)
        return self._vectors[dims]

    def _vector(self, dims: Dims) -> Place:
        joined = self._builder.vector(dims.values)
        type = TensorType(DType.I64, (len(dims.values),))
        if dims.shape is not None:
            type = type.with_shape(dims.shape)
            operator, given = ("Reshape", {"special_zero": False}) if dims.shape else ("Squeeze", {})
            joined = self._compute(operator, [joined, self.numbers(dims.shape or (0,))], type, given)
        if dims.dtype is DType.I64:
            return joined
        return self._compute("Convert", [joined], type.with_dtype(dims.dtype), {"destination_type": dims.dtype})

    def _compute(
        self,
        operator: str,
        inputs: Sequence[Place],
        type: TensorType = ONE,
        given: Mapping[str, Attribute] | None = None,
    ) -> Place:
        return self._network.computed(operator, inputs, type, given)

    def numbers(self, values: Sequence[int]) -> Place:
        """Return a constant vector of integers."""
        return self._network.constant(ints(*values))

    def shape_of(self, tensor: Place) -> Place:
        """Return the shape of a tensor as a vector, computed when the network runs."""
        type = TensorType(DType.I64, (self._network.type(tensor).rank,))
        return self._compute("ShapeOf", [tensor], type, {"output_type": DType.I64})

    def element(self, shape: Place, axis: int) -> Place:
        """Return the element of a shape at an axis, as a vector of one."""
        first = self._network.constant(scalar(0, DType.I64))
        return self._compute("Gather", [shape, self.numbers([axis]), first], ONE, {"batch_dims": 0})

    def as_sizes(self, vector: Place) -> Place:
        """Return a vector of integers in the type that sizes have."""
        type = self._network.type(vector)
        to = {"destination_type": DType.I64}
        return vector if type.dtype is DType.I64 else self._compute("Convert", [vector], type.with_dtype(DType.I64), to)

    def add(self, a: Place, b: Place) -> Place:
        """Return the elementwise sum of two sizes."""
        return self._compute("Add", [a, b])

    def sub(self, a: Place, b: Place) -> Place:
        """Return the elementwise difference of two sizes."""
        return self._compute("Subtract", [a, b])

    def mul(self, a: Place, b: Place) -> Place:
        """Return the elementwise product of two sizes."""
        return self._compute("Multiply", [a, b])

    def floor_div(self, a: Place, b: Place, *, positive: bool) -> Place:
        """Return a quotient rounded down: kernels cut towards zero, so that of negative numbers the rest goes first."""
        whole = a if positive else self.sub(a, self._compute("FloorMod", [a, b]))
        return self._compute("Divide", [whole, b])

    def max(self, a: Place, b: Place) -> Place:
        """Return the elementwise maximum of two sizes."""
        return self._compute("Maximum", [a, b])

    def min(self, a: Place, b: Place) -> Place:
        """Return the elementwise minimum of two sizes."""
        return self._compute("Minimum", [a, b])

    def join(self, parts: Sequence[Place], count: int) -> Place:
        """Return several sizes in one vector."""
        return self._compute("Concat", parts, TensorType(DType.I64, (count,)), {"axis": 0})

    def capture(self, key: str) -> Place:
        """Return a size that the network around knows."""
        return self._network.capture(key)
