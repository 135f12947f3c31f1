"""Sizes that are known only when the network runs, computed by operations of MIL."""

from __future__ import annotations

from collections.abc import Sequence

from ...compiler.dims import static
from ...compiler.types import DType, TensorType
from ...compiler.weights import Weight
from ...formats.coreml.program import Tensor
from ..common.sizes import SizeVectors

Place = Tensor | Weight
"""A tensor of the program, or a constant."""


class Sizes(SizeVectors[Place]):
    """Computes vectors of i32 by operations of MIL, one step for each."""

    dtype = DType.I32
    operators = {  # noqa: RUF012 -- a ClassVar of the base class
        "add": "add",
        "sub": "sub",
        "mul": "mul",
        "max": "maximum",
        "min": "minimum",
        "div": "floor_div",
    }

    def shape_of(self, tensor: Place) -> Place:
        """Return the shape of a tensor as a vector, computed when the network runs."""
        return self.graph.computed("shape", [tensor], self.shape_type(tensor))

    def element(self, shape: Place, axis: int) -> Place:
        """Return the element of a shape at an axis, as a vector of one."""
        return self.graph.computed("slice_by_index", [shape], self.one, {"begin": (axis,), "end": (axis + 1,)})

    def join(self, parts: Sequence[Place], count: int) -> Place:
        """Concatenate vectors of sizes into one, of ``count`` elements in all."""
        return self.graph.computed("concat", parts, TensorType(self.dtype, (count,)), {"axis": 0})

    def floor_div(self, a: Place, b: Place, *, positive: bool) -> Place:
        """Return a quotient rounded down."""
        del positive
        return self.arithmetic("div", a, b)

    def converted(self, tensor: Place, type: TensorType) -> Place:
        """Return integers as they are: all of them are of 32 bits in a file."""
        del type
        return tensor

    def reshaped(self, vector: Place, type: TensorType) -> Place:
        """Return sizes in another shape, which is known; a single one loses its axis."""
        if not type.shape:
            return self.graph.computed("squeeze", [vector], type, {"axes": (0,)})
        return self.graph.computed("reshape", [vector], type, {"shape": static(type.shape)})
