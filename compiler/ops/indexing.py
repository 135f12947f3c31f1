"""Positions in tensors that other tensors hold: where they may point, and what is checked of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..dims import Dim, Shape
from ..ir import Value
from ..types import Array
from ..weights import EAGER_BYTES
from .core import Const


class IndexOperand(NamedTuple):
    """Which operand of an operation holds positions, in axes of which sizes: those of its last axis, or one.

    ``negative`` says whether positions may count from the end, ``distinct`` whether equal ones have no defined result:
    in the whole operand, or in each of its lines ``along`` an axis.
    """

    operand: Value
    sizes: Shape
    negative: bool
    distinct: bool = False
    along: int | None = None


class Indexing:
    """Operations one of whose operands holds positions in another one."""

    def index_operand(self) -> IndexOperand:
        """Return which operand, and where it may point."""
        raise NotImplementedError


def check_constant(indices: Value, axes: Sequence[Dim]) -> None:
    """Check positions that are known while compiling, one axis after the other.

    Raises:
        ValueError: one is outside of its axis.
    """
    if not isinstance(indices.owner, Const) or indices.owner.value.nbytes > EAGER_BYTES:
        return
    for column, size in zip(indices.owner.value.array().reshape(-1, len(axes)).T, axes, strict=True):
        if isinstance(size, int):
            places_along(column, size)


def places_along(indices: Array, size: int, *, wraps: bool = True) -> Array:
    """Return positions along an axis, negative ones counted from its end if they may be.

    Raises:
        ValueError: one is outside.
    """
    wrapped = np.where((indices < 0) & wraps, indices.astype(np.int64) + size, indices).astype(np.int64)
    if wrapped.size and not (wrapped.min() >= 0 and wrapped.max() < size):
        outside = indices[(wrapped < 0) | (wrapped >= size)].flat[0]
        raise ValueError(f"position {outside} is outside of an axis of size {size}")
    return wrapped


def check_slices(indices: Value, x: Value, axis: int) -> None:
    """Check that positions along an axis are given for axes that ``x`` has, and within its sizes along the others."""
    given, there = indices.type.shape, x.type.shape
    if len(given) != len(there):
        raise ValueError(f"positions {indices.type} have another rank than {x.type}")
    for i, (p, q) in enumerate(zip(given, there, strict=True)):
        if i != axis and isinstance(p, int) and isinstance(q, int) and p > q:
            raise ValueError(f"positions {indices.type} are more than {x.type} has along axis {i}")
    check_constant(indices, there[axis : axis + 1])


def coordinates(indices: Value, rank: int) -> tuple[Shape, int]:
    """Return the shape of the positions that ``indices`` holds in its last axis, and the coordinates of each."""
    *places, depth = indices.type.shape or (0,)
    if not isinstance(depth, int) or not 1 <= depth <= rank:
        raise ValueError(f"{indices.type} does not hold positions in {rank} axes")
    return tuple(places), depth
