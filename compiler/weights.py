"""Weights: constant tensors that are read when they are needed.

A weight knows its type and how to get its elements. Files stay memory-mapped, a transpose of a weight is a view of
it, and what passes compute on large weights is computed when the bytes are written, so that a 3 GB model compiles in
little more memory than it has weights.
"""

from __future__ import annotations

import mmap
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from .dims import static
from .types import Array, DType, TensorType

EAGER_BYTES = 1 << 16
"""What is smaller than this is computed at once: keeping the recipe would cost more than the result."""


class MappedFile:
    """A file in memory-mapped form, opened at first use and shared by all weights in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = path.stat().st_size
        self._map: mmap.mmap | None = None

    def read(self, offset: int, dtype: np.dtype[Any], shape: tuple[int, ...]) -> Array:
        """Return a read-only view of the file."""
        if self._map is None:
            with self.path.open("rb") as file:
                self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        count = int(np.prod(shape, dtype=np.int64))
        return np.frombuffer(self._map, dtype, count, offset).reshape(shape)

    def release(self) -> None:
        """Give the pages that were read back to the system; later reads fetch them again."""
        if self._map is not None and hasattr(mmap, "MADV_DONTNEED"):
            self._map.madvise(mmap.MADV_DONTNEED)


class Weight:
    """A constant tensor: its type, and a way to get its elements."""

    __slots__ = ("__weakref__", "_array", "_cache", "_make", "source", "type")

    def __init__(self, type: TensorType, make: Callable[[], Array], source: MappedFile | None = None) -> None:
        self.type = type
        self.source = source
        self._make = make
        self._array: Array | None = None
        self._cache: weakref.ref[Array] | None = None

    @staticmethod
    def of(value: Any) -> Weight:
        """Hold an array, or anything that numpy makes one of."""
        if isinstance(value, Weight):
            return value
        array = np.asarray(value)
        weight = Weight(TensorType(DType.of(array.dtype), array.shape), lambda: array)
        weight._array = array
        return weight

    @staticmethod
    def splat(value: Any, dtype: DType, shape: tuple[int, ...]) -> Weight:
        """A tensor whose elements are all ``value``; it takes the memory of one."""
        return Weight.of(np.broadcast_to(np.asarray(value, dtype.numpy), shape))

    @staticmethod
    def mapped(file: MappedFile, offset: int, type: TensorType) -> Weight:
        """A tensor that lies in a file at ``offset``, little-endian and row-major."""
        shape = static(type.shape)
        return Weight(type, lambda: file.read(offset, type.dtype.numpy, shape), file)

    def derive(self, type: TensorType, compute: Callable[..., Array], *others: Weight) -> Weight:
        """Return ``compute(self, *others)``, at once if it is small, else when it is read."""
        sources = (self, *others)

        def make() -> Array:
            return np.asarray(compute(*(w.array() for w in sources)), type.dtype.numpy)

        derived = Weight(type, make, self.source)
        return Weight.of(make()) if derived.nbytes <= EAGER_BYTES else derived

    def array(self) -> Array:
        """Return the elements; the result is shared: don't write to it."""
        if self._array is not None:
            return self._array
        known = self._cache() if self._cache is not None else None
        if known is not None:
            return known
        made = self._make()
        self._cache = weakref.ref(made)
        return made

    @property
    def nbytes(self) -> int:
        """Size in bytes when stored unpacked."""
        return int(np.prod(static(self.type.shape), dtype=np.int64)) * max(self.type.dtype.numpy.itemsize, 1)

    @property
    def is_splat(self) -> bool:
        """Whether the elements are known to be one repeated value without reading them all."""
        return self._array is not None and all(
            s == 0 or d == 1 for s, d in zip(self._array.strides, self._array.shape, strict=True)
        )

    def __eq__(self, other: object) -> bool:
        """Same object, or small and equal in type and content."""
        if self is other:
            return True
        if not isinstance(other, Weight) or self.type != other.type or self.nbytes > EAGER_BYTES:
            return False
        return self._content() == other._content()

    def __hash__(self) -> int:
        return hash(self._content()) if self.nbytes <= EAGER_BYTES else id(self)

    def _content(self) -> bytes | tuple[str, ...]:
        """What tells elements apart: their bytes, but of texts themselves, since an array only points at them."""
        array = self.array()
        return tuple(array.reshape(-1).tolist()) if self.type.dtype is DType.STRING else array.tobytes()

    def __repr__(self) -> str:
        return f"Weight({self.type})"
