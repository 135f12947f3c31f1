"""Structural operations: constants and the end of a region."""

from __future__ import annotations

from ..ir import Op, Value
from ..opdef import Pure, Terminator, op
from ..types import Array, TensorType
from ..weights import Weight


@op("const", Pure)
class Const(Op):
    """A constant tensor; its elements are an attribute, shared between uses."""

    value: Weight

    def infer(self) -> TensorType:
        """Read it off the weight."""
        return self.value.type

    @staticmethod
    def evaluate(*, value: Weight) -> Array:
        """Return the elements."""
        return value.array()


@op("return", Terminator)
class Return(Op):
    """Ends a region; its operands are what the region returns."""

    values: tuple[Value, ...]

    def infer(self) -> tuple[TensorType, ...]:
        """No results."""
        return ()
