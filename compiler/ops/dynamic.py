"""Cutting out and overwriting at computed places."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..diagnostics import counted
from ..dims import Dim
from ..ir import Op, Value
from ..opdef import Pure, op
from ..operands import Integers
from ..types import Array, TensorType


def _check_starts(starts: Value, rank: int) -> None:
    if starts.type.shape != (rank,) or not starts.type.dtype.is_int:
        raise ValueError(f"{starts.type} does not tell {rank} starts")


def _places(starts: Array, sizes: Sequence[int]) -> tuple[slice, ...]:
    return tuple(slice(int(a), int(a) + n) for a, n in zip(starts, sizes, strict=True))


@op("dynamic_slice", Pure)
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
        return self.x.type.with_shape(self.sizes)

    @staticmethod
    def evaluate(x: Array, starts: Array, *, sizes: tuple[int, ...]) -> Array:
        """Cut."""
        return x[_places(starts, sizes)]


@op("dynamic_update_slice", Pure)
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
        return self.x.type

    @staticmethod
    def evaluate(x: Array, update: Array, starts: Array) -> Array:
        """Overwrite a copy."""
        out = np.array(x)
        out[_places(starts, update.shape)] = update
        return out
