"""What kernels are called with where a file computes operands itself: sizes, other kernels, and whole regions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from ...compiler.dims import Dim, is_static
from ...compiler.fold import constant
from ...compiler.ir import Region, Value
from ...compiler.types import DType, TensorType
from ...compiler.weights import Weight

Attribute: TypeAlias = (
    "bool | int | float | str | DType | tuple[int, ...] | tuple[float, ...] | tuple[str, ...] | Weight | Region"
)
"""What a kernel's attribute may be."""


@dataclass(frozen=True)
class Dims:
    """An integer operand made of sizes: a constant if all are numbers, else computed in the file."""

    values: tuple[Dim, ...]
    shape: tuple[int, ...] | None = None
    dtype: DType = DType.I64

    @property
    def type(self) -> TensorType:
        """A vector, unless a shape is stated."""
        return TensorType(self.dtype, (len(self.values),) if self.shape is None else self.shape)


@dataclass(frozen=True)
class Nested:
    """An operand that another kernel computes."""

    operator: str
    type: TensorType
    inputs: tuple[Operand, ...]
    attributes: Mapping[str, Attribute] = field(default_factory=lambda: dict[str, Attribute](), hash=False)


@dataclass(frozen=True)
class Inline:
    """An operand that a region returns; it is run on these values before the kernel."""

    region: Region
    values: tuple[Value, ...]

    @property
    def type(self) -> TensorType:
        """The type of its only result."""
        return self.region.returns[0].type


Operand: TypeAlias = "Value | Weight | Dims | Nested | Inline | None"
"""What a kernel is called with; None is an optional input left out."""


def is_known(operand: Operand) -> bool:
    """Whether an operand is a constant in the file."""
    if isinstance(operand, Dims):
        return is_static(operand.values)
    return isinstance(operand, Weight) or (isinstance(operand, Value) and constant(operand) is not None)


def ints(*values: int) -> Weight:
    """A vector of i64."""
    return Weight.of(np.asarray(values, np.int64))


def scalar(value: float, dtype: DType) -> Weight:
    """A number of some element type."""
    return Weight.of(np.asarray(value).astype(dtype.numpy))
