"""Sizes that are known only when the network runs, computed by ONNX's operators."""

from __future__ import annotations

from collections.abc import Sequence

from ...compiler.types import TensorType
from ...formats.onnx.tensors import number_of
from ..common.sizes import SizeVectors


class Sizes(SizeVectors[str]):
    """Computes vectors of i64 by ONNX's operators: the type that Reshape, Expand and Slice take sizes in."""

    operators = {  # noqa: RUF012 -- a ClassVar of the base class
        "add": "Add",
        "sub": "Sub",
        "mul": "Mul",
        "max": "Max",
        "min": "Min",
        "div": "Div",
        "mod": "Mod",
    }

    def shape_of(self, tensor: str) -> str:
        """Return the shape of a tensor as a vector, computed when the network runs."""
        return self.graph.computed("Shape", [tensor], self.shape_type(tensor))

    def element(self, shape: str, axis: int) -> str:
        """Return the element of a shape at an axis, as a vector of one."""
        return self.graph.computed("Gather", [shape, self.numbers([axis])], self.one)

    def join(self, parts: Sequence[str], count: int) -> str:
        """Concatenate vectors of sizes into one, of ``count`` elements in all."""
        return self.graph.computed("Concat", parts, TensorType(self.dtype, (count,)), {"axis": 0})

    def floor_div(self, a: str, b: str, *, positive: bool) -> str:
        """Return a quotient rounded down: Div cuts towards zero, so that of negative numbers the rest goes first."""
        return self.arithmetic("div", a if positive else self.sub(a, self.arithmetic("mod", a, b)), b)

    def converted(self, tensor: str, type: TensorType) -> str:
        """Return integers in the element type of ``type``."""
        return self.graph.computed("Cast", [tensor], type, {"to": number_of(type.dtype)})
