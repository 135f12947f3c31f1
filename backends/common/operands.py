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
        """The type of the operand: a vector, unless another shape is stated."""
        return TensorType(self.dtype, (len(self.values),) if self.shape is None else self.shape)


@dataclass(frozen=True)
class Nested:
    """An operand that another kernel computes, which is called before this one."""

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
        """The type of the only result of the kernel that is called."""
        return self.region.returns[0].type


Operand: TypeAlias = "Value | Weight | Dims | Nested | Inline | None"
"""What a kernel is called with; None is an optional input left out."""


def is_known(operand: Operand) -> bool:
    """Whether an operand is a constant in the file."""
    if isinstance(operand, Dims):
        return is_static(operand.values)
    return isinstance(operand, Weight) or (isinstance(operand, Value) and constant(operand) is not None)


def ints(*values: int) -> Weight:
    """Return a constant vector of i64 as an operand."""
    return Weight.of(np.asarray(values, np.int64))


def scalar(value: float, dtype: DType) -> Weight:
    """Return a constant scalar of an element type as an operand."""
    return Weight.of(np.asarray(value).astype(dtype.numpy))
