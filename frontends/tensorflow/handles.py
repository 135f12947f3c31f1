"""What operators pass on that is no tensor of the IR: handles of resources, lists of tensors, complex numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from ...compiler.dims import Dim
from ...compiler.ir import Value
from ...compiler.types import DType
from ..common.complex_numbers import Complex


@dataclass(frozen=True)
class Handle:
    """The handle of a resource, which leads to a variable; equal ones lead to the same."""

    kind: str
    name: str


@dataclass(frozen=True)
class TensorList:
    """Tensors of one type, stacked along the first axis.

    ``value`` is None until the list is written to: its items are zeros then, of the type of the first item that is
    written. ``count`` is the number of items then, ``dims`` what is stated of the sizes of each.
    """

    value: Value | None
    dtype: DType
    count: Dim = 0
    dims: tuple[int | None, ...] | None = None
    grows: bool = False


Imported: TypeAlias = Value | Handle | TensorList | Complex
"""What an operator reads and gives."""
