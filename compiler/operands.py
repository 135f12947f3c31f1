"""What operands may be: element types, written beside them in the operation's class (``x: Floats``), and shapes."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Annotated

from .demands import demand
from .dims import Dim
from .ir import Op, Value
from .types import DType, TensorType


class Elements(Enum):
    """A class of element types; the value is what documentation and errors call it."""

    FLOATS = "floating-point numbers"
    INTEGERS = "integers"
    BITS = "integers or booleans"
    TRUTH = "booleans"
    REALS = "real numbers"
    NUMBERS = "numbers"

    def __contains__(self, dtype: DType) -> bool:
        """Say whether an element type belongs to the class; booleans and strings are no numbers."""
        match self:
            case Elements.FLOATS:
                return dtype.is_float
            case Elements.INTEGERS:
                return dtype.is_int
            case Elements.BITS:
                return dtype.is_int or dtype is DType.BOOL
            case Elements.TRUTH:
                return dtype is DType.BOOL
            case Elements.REALS:
                return dtype.is_float or dtype.is_int
            case Elements.NUMBERS:
                return dtype.is_float or dtype.is_int or dtype.is_complex


Floats = Annotated[Value, Elements.FLOATS]
Integers = Annotated[Value, Elements.INTEGERS]
Bits = Annotated[Value, Elements.BITS]
Truth = Annotated[Value, Elements.TRUTH]
Reals = Annotated[Value, Elements.REALS]
Numbers = Annotated[Value, Elements.NUMBERS]


def same_elements(op: Op) -> None:
    """Check that all operands have the same element type.

    Raises:
        ValueError: they have not.
    """
    found = dict.fromkeys(v.type.dtype for v in op.operands if v is not None)
    if len(found) > 1:
        raise ValueError(f"operands of different element types, {' and '.join(found)}")


def parameters_broadcast(op: Op) -> TensorType:
    """The type of the first operand, to which all others must broadcast.

    Raises:
        ValueError: one of them has more axes, a larger size, or another element type.
    """
    same_elements(op)
    (data, *parameters) = (v.type for v in op.operands if v is not None)
    for p in parameters:
        if p.rank > data.rank or not all(d in (1, e) or not _known(d, e) for d, e in _aligned(p, data)):
            raise ValueError(f"{p} does not broadcast to {data}")
    return data


def _aligned(parameter: TensorType, data: TensorType) -> Iterable[tuple[Dim, Dim]]:
    return zip(reversed(parameter.shape), reversed(data.shape), strict=False)


def _known(*sizes: Dim) -> bool:
    return all(isinstance(d, int) for d in sizes)


def vector_of(value: Value | None, size: Dim, name: str) -> None:
    """Check that an operand, if it is there, has one axis of a size.

    Raises:
        ValueError: it has not.
    """
    if value is None:
        return
    if value.type.rank != 1 or not demand(value.type.shape[0], size):
        raise ValueError(f"{name} is {value.type}, but should be a vector of {size} elements")
