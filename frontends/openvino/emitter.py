"""What handlers work with: inserting operations, and asking what the layer and its operands say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ...compiler.diagnostics import CompileError, error
from ...compiler.dims import Sym
from ...compiler.ir import Region, Value
from ...compiler.ops.shape import ShapeOf
from ...compiler.types import DType, TensorType
from ...formats.openvino.model import Body, Layer
from ..common.operands import OperandEmitter

WIDE = {DType.F16: DType.F32, DType.BF16: DType.F32}
"""What is computed in: types of 16 bits are how OpenVINO stores numbers, not how exactly it computes."""


class Surroundings(Protocol):
    """What lies around a layer: the networks inside of it, and variables."""

    def inline(self, body: Body, given: Sequence[Value | None]) -> list[Value]:
        """Import a body here, on values of its Parameters in their order; return those of its Results."""
        ...

    def region(self, body: Body, given: Sequence[Value | TensorType]) -> tuple[Region, list[Value]]:
        """Import a body as a region without a terminator; return it and the values of the Results.

        Parameters that are given a type become the region's arguments, the others are values from outside.
        """
        ...

    def read(self, variable: str, first: Value) -> Value:
        """Return what a variable holds, which is ``first`` before the first call."""
        ...

    def fresh(self) -> Sym:
        """Return a symbolic size with a name that is not in use yet."""
        ...


@dataclass(frozen=True)
class Emitter(OperandEmitter):
    """Builds the operations of one layer; ``needed`` are the numbers of the results that somebody reads."""

    layer: Layer
    needed: frozenset[int]
    around: Surroundings

    def fresh(self) -> Sym:
        """Return a symbolic size with a new name, for a size that data decides about."""
        return self.around.fresh()

    def fail(self, message: str, *, code: str = "F005", help: str | None = None) -> CompileError:
        """Build the error that this layer can't be imported; by default because of the variant of the operation."""
        return error(code, f"{self.layer.type} {message}", help=help)

    def convert(self, x: Value, to: DType) -> Value:
        """Convert to an element type, but to f32 for f16 and bf16, in which OpenVINO stores and does not compute."""
        return self.cast(x, WIDE.get(to, to))

    def size(self, x: Value, axis: int, dtype: DType) -> Value:
        """Insert the size of ``x`` along an axis, as a scalar."""
        size = x.type.shape[axis]
        if not isinstance(size, Sym):
            return self.const(size, dtype)
        return self.cast(self.reshape(self(ShapeOf(x, (axis,))), ()), dtype)

    def number(self, value: float, like: Value) -> Value:
        """Insert a scalar of the element type of another value."""
        return self.const(value, like.type.dtype)
