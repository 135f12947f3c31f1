"""Sizes that are known only when the network runs, computed by TensorFlow's operators."""

from __future__ import annotations

from collections.abc import Sequence

from ...compiler.types import DType, TensorType
from ..common.operands import scalar
from ..common.sizes import SizeVectors


class Sizes(SizeVectors[str]):
    """Computes vectors of i32 by TensorFlow's operators: the type that all of its kernels take sizes in."""

    dtype = DType.I32
    operators = {  # noqa: RUF012 -- a ClassVar of the base class
        "add": "AddV2",
        "sub": "Sub",
        "mul": "Mul",
        "max": "Maximum",
        "min": "Minimum",
        "div": "FloorDiv",
    }

    def shape_of(self, tensor: str) -> str:
        """Return the shape of a tensor as a vector, computed when the network runs."""
        return self.graph.computed("Shape", [tensor], self.shape_type(tensor))

    def element(self, shape: str, axis: int) -> str:
        """Return the element of a shape at an axis, as a vector of one."""
        return self.graph.computed("Slice", [shape, self.numbers([axis]), self.numbers([1])], self.one)

    def join(self, parts: Sequence[str], count: int) -> str:
        """Concatenate vectors of sizes into one, of ``count`` elements in all."""
        axis = self.graph.constant(scalar(0, DType.I32))
        return self.graph.computed("ConcatV2", [*parts, axis], TensorType(self.dtype, (count,)))

    def floor_div(self, a: str, b: str, *, positive: bool) -> str:
        """Return a quotient rounded down, of numbers of any sign."""
        del positive
        return self.arithmetic("div", a, b)

    def converted(self, tensor: str, type: TensorType) -> str:
        """Return integers in the element type of ``type``."""
        return self.graph.computed("Cast", [tensor], type, {"Truncate": False})
