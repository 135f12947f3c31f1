"""Weights: constant tensors that are read when they are needed.

A weight knows its type and how to get its elements. Files stay memory-mapped, a transpose of a weight is a view of
it, and what passes compute on large weights is computed when the bytes are written, so that a 3 GB model compiles in
little more memory than it has weights.
"""

from __future__ import annotations

import math
import mmap
import weakref
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .budget import EXPANSION, too_large, unheard_of
from .diagnostics import error
from .dims import static
from .regular import regular
from .types import Array, DType, TensorType

EAGER_BYTES = 1 << 16
"""What is smaller than this is computed at once: keeping the recipe would cost more than the result."""

MAX_ORIGINS = 64
"""More of them are counted as one."""


class MappedFile:
    """A file in memory-mapped form, opened at first use and shared by all weights in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = regular(path).stat().st_size
        self._map: mmap.mmap | None = None

    def read(self, offset: int, dtype: np.dtype[Any], shape: tuple[int, ...]) -> Array:
        """Return a read-only view of the file."""
        if self._map is None:
            with self.path.open("rb") as file:
                self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        count = math.prod(shape)
        return np.frombuffer(self._map, dtype, count, offset).reshape(shape)

    def release(self) -> None:
        """Give the pages that were read back to the system; later reads fetch them again."""
        if self._map is not None and hasattr(mmap, "MADV_DONTNEED"):
            self._map.madvise(mmap.MADV_DONTNEED)


@dataclass(frozen=True, eq=False)
class Origin:
    """Bytes that the source of a network holds; each counts once, however many weights are computed from it."""

    nbytes: int

    @staticmethod
    def of(array: Array) -> Origin:
        """Return the bytes of an array, of elements that are repeated once."""
        sizes = (d for d, stride in zip(array.shape, array.strides, strict=True) if stride)
        return Origin(math.prod(sizes) * array.itemsize)

    @staticmethod
    def joined(origins: Iterable[frozenset[Origin]]) -> frozenset[Origin]:
        """Return the origins of what is computed from several weights; of very many, one that stands for all."""
        found = frozenset[Origin]().union(*origins)
        return found if len(found) <= MAX_ORIGINS else frozenset({Origin(sum(o.nbytes for o in found))})


def growth(weights: Iterable[Weight]) -> int:
    """Return how many more bytes weights have than the source can explain, which may hold elements of a few bits.

    One element repeated takes the memory of one, but in a file the room of all.
    """
    distinct = {id(w): w for w in weights}.values()
    held = frozenset[Origin]().union(*(w.origins for w in distinct))
    return max(sum(w.nbytes for w in distinct) - EXPANSION * sum(o.nbytes for o in held), 0)


class Weight:
    """A constant tensor: its type, and a way to get its elements.

    ``make`` gets the elements of the weights ``made_of``.  ``origins`` is what it takes of the source; nothing, if it
    is computed from numbers and shapes.

    Raises:
        CompileError: M001, numpy has no array of this type.
    """

    __slots__ = ("__weakref__", "_array", "_cache", "_make", "made_of", "origins", "source", "type")

    def __init__(
        self,
        type: TensorType,
        make: Callable[..., Array],
        source: MappedFile | None = None,
        *,
        made_of: tuple[Weight, ...] = (),
        origins: frozenset[Origin] | None = None,
    ) -> None:
        problem = unheard_of(type.shape, type.dtype.bits)
        if problem is not None:
            raise error("M001", f"a constant would have {problem}")
        self.type = type
        self.source = source
        self.made_of = made_of
        self.origins = Origin.joined(w.origins for w in made_of) if origins is None else origins
        self._make = make
        self._array: Array | None = None
        self._cache: weakref.ref[Array] | None = None

    @staticmethod
    def of(value: Any, *, is_stored: bool = False) -> Weight:
        """Hold an array, or anything that numpy makes one of; ``is_stored`` says that the network's source holds it."""
        if isinstance(value, Weight):
            return value
        array = np.asarray(value)
        origins = frozenset({Origin.of(array)}) if is_stored else None
        weight = Weight(TensorType(DType.of(array.dtype), array.shape), lambda: array, origins=origins)
        weight._array = array
        return weight

    @staticmethod
    def splat(value: Any, dtype: DType, shape: tuple[int, ...]) -> Weight:
        """A tensor whose elements are all ``value``; it takes the memory of one.

        Raises:
            CompileError: M001, it is too large.
        """
        problem = too_large(shape, dtype.bits)
        if problem is not None:
            raise error("M001", f"a constant would have {problem}")
        return Weight.of(np.broadcast_to(np.asarray(value, dtype.numpy), shape))

    @staticmethod
    def mapped(file: MappedFile, offset: int, type: TensorType) -> Weight:
        """A tensor that lies in a file at ``offset``, little-endian and row-major."""
        shape = static(type.shape)
        origins = frozenset({Origin(math.prod(shape) * type.dtype.numpy.itemsize)})
        return Weight(type, lambda: file.read(offset, type.dtype.numpy, shape), file, origins=origins)

    def derive(self, type: TensorType, compute: Callable[..., Array], *others: Weight) -> Weight:
        """Return ``compute(self, *others)``, at once if it is small, else when it is read."""

        def make(*arrays: Array) -> Array:
            return np.asarray(compute(*arrays), type.dtype.numpy)

        derived = Weight(type, make, self.source, made_of=(self, *others))
        if derived.nbytes > EAGER_BYTES:
            return derived
        small = Weight.of(derived.array())
        small.origins = derived.origins
        return small

    def array(self) -> Array:
        """Return the elements; the result is shared: don't write to it.

        What it is made of is computed once each and forgotten after its last use, without recursion: chains of recipes
        can be long, and their branches can meet again and again.
        """
        known = self._known()
        if known is not None:
            return known
        made: dict[int, Array] = {}
        order = self._recipe(made)
        uses = Counter(id(part) for weight in order for part in weight.made_of)
        for weight in order:
            result = weight._make(*(made[id(part)] for part in weight.made_of))
            made[id(weight)] = result
            weight._cache = weakref.ref(result)
            for part in weight.made_of:
                uses[id(part)] -= 1
                if not uses[id(part)]:
                    del made[id(part)]
        return made[id(self)]

    def _known(self) -> Array | None:
        """Return the elements if they are in memory."""
        return self._cache() if self._array is None and self._cache is not None else self._array

    def _recipe(self, made: dict[int, Array]) -> list[Weight]:
        """Return what must be computed for this weight, itself last; put what is in memory into ``made``."""
        order: list[Weight] = []
        seen: set[int] = set()
        stack = [(self, False)]
        while stack:
            weight, is_ready = stack.pop()
            if is_ready:
                order.append(weight)
            elif id(weight) not in seen:
                seen.add(id(weight))
                known = weight._known()
                if known is not None:
                    made[id(weight)] = known
                else:
                    stack += [(weight, True), *((part, False) for part in weight.made_of)]
        return order

    @property
    def nbytes(self) -> int:
        """The size in bytes when elements are stored unpacked, one after the other."""
        return math.prod(static(self.type.shape)) * max(self.type.dtype.numpy.itemsize, 1)

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
        """What tells elements apart: their bytes, but of strings themselves, since an array only points at them."""
        array = self.array()
        return tuple(array.reshape(-1).tolist()) if self.type.dtype is DType.STRING else array.tobytes()

    def __repr__(self) -> str:
        return f"Weight({self.type})"
