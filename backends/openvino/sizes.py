"""Sizes that are known only when the network runs, computed by OpenVINO's operations."""

from __future__ import annotations

from collections.abc import Sequence

from ...compiler.types import TensorType
from ...formats.openvino.model import Place
from ..common.operands import scalar
from ..common.sizes import SizeVectors


class Sizes(SizeVectors[Place]):
    """Computes vectors of i64 by OpenVINO's operations, one layer for each step."""

    operators = {  # noqa: RUF012 -- a ClassVar of the base class
        "add": "Add",
        "sub": "Subtract",
        "mul": "Multiply",
        "max": "Maximum",
        "min": "Minimum",
        "div": "Divide",
        "mod": "FloorMod",
    }

    def shape_of(self, tensor: Place) -> Place:
        """Return the shape of a tensor as a vector, computed when the network runs."""
        return self.graph.computed("ShapeOf", [tensor], self.shape_type(tensor), {"output_type": self.dtype})

    def element(self, shape: Place, axis: int) -> Place:
        """Return the element of a shape at an axis, as a vector of one."""
        first = self.graph.constant(scalar(0, self.dtype))
        return self.graph.computed("Gather", [shape, self.numbers([axis]), first], self.one, {"batch_dims": 0})

    def join(self, parts: Sequence[Place], count: int) -> Place:
        """Concatenate vectors of sizes into one, of ``count`` elements in all."""
        return self.graph.computed("Concat", parts, TensorType(self.dtype, (count,)), {"axis": 0})

    def floor_div(self, a: Place, b: Place, *, positive: bool) -> Place:
        """Return a quotient rounded down: kernels cut towards zero, so that of negative numbers the rest goes first."""
        return self.arithmetic("div", a if positive else self.sub(a, self.arithmetic("mod", a, b)), b)

    def converted(self, tensor: Place, type: TensorType) -> Place:
        """Convert a tensor of integers to the element type of ``type``, by a Convert in the graph."""
        return self.graph.computed("Convert", [tensor], type, {"destination_type": type.dtype})

    def reshaped(self, vector: Place, type: TensorType) -> Place:
        """Return sizes in another shape, which is known; a single one loses its axis."""
        if not type.shape:
            return self.graph.computed("Squeeze", [vector, self.numbers([0])], type, {})
        shape = self.numbers([d for d in type.shape if isinstance(d, int)])
        return self.graph.computed("Reshape", [vector, shape], type, {"special_zero": False})
