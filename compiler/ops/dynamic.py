"""Slices that are read and overwritten at positions computed when the network runs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..diagnostics import counted
from ..dims import Dim, Shape, static
from ..ir import Op, Value
from ..opdef import Pure, op
from ..operands import Integers
from ..traits import Moves
from ..types import Array, TensorType


def _check_starts(starts: Value, rank: int) -> None:
    if starts.type.shape != (rank,) or not starts.type.dtype.is_int:
        raise ValueError(f"{starts.type} does not tell {rank} starts")


def _check_part(sizes: Shape, x: Value) -> None:
    for axis, (n, d) in enumerate(zip(sizes, x.type.shape, strict=True)):
        if isinstance(n, int) and isinstance(d, int) and n > d:
            raise ValueError(f"{n} elements are more than {x.type} has along axis {axis}")


def _places(starts: Array, sizes: Sequence[int], whole: Sequence[int]) -> tuple[slice, ...]:
    """Return what to cut out of axes of the sizes ``whole``.

    Raises:
        ValueError: not all of it is there.
    """
    places = [(int(a), int(a) + n) for a, n in zip(starts, sizes, strict=True)]
    if any(low < 0 or high > size for (low, high), size in zip(places, whole, strict=True)):
        raise ValueError(f"{list(sizes)} elements from {starts.tolist()} on are not all within {list(whole)}")
    return tuple(slice(low, high) for low, high in places)


@op("dynamic_slice", Pure, Moves)
class DynamicSlice(Op):
    """``sizes`` elements along each axis from ``starts`` on, all of which are there."""

    x: Value
    starts: Integers
    sizes: tuple[Dim, ...]

    def infer(self) -> TensorType:
        """The sizes."""
        _check_starts(self.starts, self.x.type.rank)
        if len(self.sizes) != self.x.type.rank:
            raise ValueError(f"{self.x.type} has not {counted(len(self.sizes), 'axis', 'axes')}")
        _check_part(self.sizes, self.x)
        return self.x.type.with_shape(self.sizes)

    @staticmethod
    def evaluate(x: Array, starts: Array, *, sizes: tuple[int, ...]) -> Array:
        """Cut."""
        return x[_places(starts, static(sizes), x.shape)]


@op("dynamic_update_slice", Pure, Moves)
class DynamicUpdateSlice(Op):
    """``x`` with ``update`` from ``starts`` on, where it fits."""

    x: Value
    update: Value
    starts: Integers

    def infer(self) -> TensorType:
        """Keep the type."""
        _check_starts(self.starts, self.x.type.rank)
        if self.update.type.rank != self.x.type.rank or self.update.type.dtype is not self.x.type.dtype:
            raise ValueError(f"{self.update.type} is not a part of {self.x.type}")
        _check_part(self.update.type.shape, self.x)
        return self.x.type

    @staticmethod
    def evaluate(x: Array, update: Array, starts: Array) -> Array:
        """Overwrite a copy."""
        out = np.array(x)
        out[_places(starts, update.shape, x.shape)] = update
        return out
