"""Tensors as messages, and element types by TensorFlow's numbers."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from ...compiler.budget import too_large
from ...compiler.diagnostics import CompileError, counted, error
from ...compiler.types import Array, DType, TensorType
from ...compiler.weights import MappedFile, Origin, Weight
from ..message import Message
from ..packed import stored_bytes, stored_weight
from .draft import Draft

DTYPES = {
    1: DType.F32,
    2: DType.F64,
    3: DType.I32,
    4: DType.U8,
    5: DType.I16,
    6: DType.I8,
    7: DType.STRING,
    8: DType.C64,
    9: DType.I64,
    10: DType.BOOL,
    14: DType.BF16,
    17: DType.U16,
    18: DType.C128,
    19: DType.F16,
    22: DType.U32,
    23: DType.U64,
    24: DType.F8E5M2,
    25: DType.F8E4M3FN,
    26: DType.F8E4M3FNUZ,
    28: DType.F8E5M2FNUZ,
    29: DType.I4,
    30: DType.U4,
    31: DType.I2,
    32: DType.U2,
}
"""Element types by the number that TensorFlow gives them."""

NUMBERS = {dtype: number for number, dtype in DTYPES.items()}
"""The numbers of element types."""

OTHERS = {
    11: "qint8",
    12: "quint8",
    13: "qint32",
    15: "qint16",
    16: "quint16",
    20: "resource",
    21: "variant",
    27: "float8_e4m3b11fnuz",
    33: "float4_e2m1fn",
}
"""What messages call the element types that the IR lacks."""

_REFERENCE = 100
"""What is added to a type's number for a variable of version 1, which is passed by reference."""

Dims: TypeAlias = "tuple[int | None, ...] | None"
"""Sizes as they are stated: None for one that is open, and for all if not even their number is known."""


@dataclass(frozen=True)
class ElementType:
    """An element type, by the number that TensorFlow gives it."""

    number: int

    @property
    def name(self) -> str:
        """What messages call it."""
        number = self.number - _REFERENCE if self.number > _REFERENCE else self.number
        return DTYPES[number].value if number in DTYPES else OTHERS.get(number, f"type {number}")

    @property
    def dtype(self) -> DType | None:
        """The element type of the IR; None if it has no such type."""
        return DTYPES.get(self.number - _REFERENCE if self.number > _REFERENCE else self.number)

    def known(self, what: str) -> DType:
        """Return the element type of the IR; ``what`` has it.

        Raises:
            CompileError: F003, the IR has no such type.
        """
        if self.dtype is None:
            raise error("F003", f"{what} has elements of type {self.name}")
        return self.dtype


@dataclass(frozen=True)
class Store:
    """Where bytes lie: in a file that is mapped, or in memory."""

    held: MappedFile | bytes = field(repr=False)

    @property
    def size(self) -> int:
        """The number of bytes that can be read."""
        return self.held.size if isinstance(self.held, MappedFile) else len(self.held)

    @property
    def view(self) -> memoryview:
        """All bytes."""
        if isinstance(self.held, MappedFile):
            return self.held.read(0, np.dtype(np.uint8), (self.held.size,)).data if self.held.size else memoryview(b"")
        return memoryview(self.held)

    def weight(self, start: int, size: int, type: TensorType, what: str) -> Weight:
        """Return a tensor that lies at a place; its bytes are read when they are needed.

        Raises:
            CompileError: F016, they are too many or too few, or lie outside.
        """
        if start < 0 or start + size > self.size:
            raise damaged(what, f"lies at {start} to {start + size} of {self.size} bytes")
        if size != stored_bytes(type):
            raise damaged(what, f"is {type}, which takes {stored_bytes(type)} bytes, but has {size}")
        held = self.held
        if size == 0:
            return stored_weight(type, lambda: np.empty(0, np.uint8))
        if not isinstance(held, MappedFile):
            return stored_weight(type, lambda: np.frombuffer(held, np.uint8, size, start))
        if type.dtype.bits < 8:
            return stored_weight(type, lambda: held.read(start, np.dtype(np.uint8), (size,)), held)
        return Weight.mapped(held, start, type)


def damaged(what: str, text: str) -> CompileError:
    """Build the error about a tensor whose stored elements can't be right."""
    return error("F016", f"{what} {text}", help="The file is damaged; export it again.")


@dataclass(frozen=True)
class StoredTensor:
    """A tensor inside of a message: type and sizes, and its elements as bytes at a place or as a list.

    Of a list that is too short, the last element is repeated; one that is empty stands for zeros.
    """

    element: ElementType
    dims: Dims
    store: Store = field(repr=False)
    place: tuple[int, int] | None = None
    elements: tuple[Any, ...] = ()

    def weight(self, what: str) -> Weight:
        """Return the elements; ``what`` is how messages call the tensor.

        Raises:
            CompileError: F003, the IR has no such type; F016, the elements don't fit it; M001, it is too large.
        """
        dtype = self.element.known(what)
        shape = self.dims
        if shape is None or any(d is None for d in shape):
            raise damaged(what, "has no known shape")
        sizes = tuple(d for d in shape if d is not None)
        problem = too_large(sizes, max(dtype.bits, 8))
        if problem is not None:
            raise error("M001", f"{what} has {problem}")
        if self.place is not None and dtype.bits < 8 and dtype is not DType.STRING:
            return self._unpacked(self.place, TensorType(dtype, sizes), what)
        if self.place is not None and dtype is not DType.STRING:
            return self.store.weight(*self.place, TensorType(dtype, sizes), what)
        return self._listed(dtype, sizes, what)

    def _unpacked(self, place: tuple[int, int], type: TensorType, what: str) -> Weight:
        """Read elements of fewer than eight bits, which have a byte each here."""
        start, size = place
        if size != type.size:
            raise damaged(what, f"is {type}, but has {size} bytes")
        raw = np.frombuffer(self.store.view[start : start + size], np.uint8)
        return Weight.of(raw.view(type.dtype.numpy).reshape(tuple(d for d in type.shape if isinstance(d, int))))

    def _listed(self, dtype: DType, shape: tuple[int, ...], what: str) -> Weight:
        count, given = math.prod(shape), len(self.elements)
        if given > count:
            raise damaged(what, f"has {counted(given, 'element')} for the shape {list(shape)}")
        if dtype is DType.STRING:
            texts = np.full(count, "", object)
            texts[:given] = self.elements
            texts[given:] = self.elements[-1] if given else ""
            return Weight.of(texts.reshape(shape), is_stored=True)
        if given <= 1:
            return _stored_splat(self.elements[0] if given else 0, dtype, shape, what)
        found = np.empty(count, dtype.numpy)
        found[:given] = _as_elements(self.elements, dtype, what)
        found[given:] = found[given - 1]
        return Weight.of(found.reshape(shape), is_stored=True)


def _stored_splat(value: Any, dtype: DType, shape: tuple[int, ...], what: str) -> Weight:
    """Return one element that is repeated, which the file holds once."""
    one = _as_elements((value,), dtype, what).reshape(())
    weight = Weight.splat(one, dtype, shape)
    weight.origins = frozenset({Origin(one.itemsize)})
    return weight


def _as_elements(values: tuple[Any, ...], dtype: DType, what: str) -> Array:
    """Return the elements of a list; floats of 16 and 8 bits are listed as integers with their bits."""
    try:
        if dtype in (DType.F16, DType.BF16) and all(isinstance(v, int) for v in values):
            return np.asarray(values, np.uint16).view(dtype.numpy)
        return np.asarray(values).astype(dtype.numpy)
    except (OverflowError, ValueError) as bad:
        raise damaged(what, f"can't be read as {dtype}: {bad}") from bad


def read_shape(message: Message | None) -> Dims:
    """Return stated sizes; where nothing is stated, their number is not known."""
    if message is None or message.flag(3):
        return None
    sizes = [dim.integer(1) for dim in message.messages(2)]
    return tuple(size if size >= 0 else None for size in sizes)


def shape_message(dims: Dims) -> Draft:
    """Return the ``TensorShapeProto`` of sizes, some of which may be open."""
    message = Draft()
    if dims is None:
        return message.number(3, 1)
    for size in dims:
        message.message(2, Draft().number(1, -1 if size is None else size))
    return message


def _pairs(numbers: list[float]) -> list[complex]:
    return [complex(a, b) for a, b in zip(numbers[::2], numbers[1::2], strict=True)]


def _unsigned(values: list[int]) -> list[int]:
    return [v & 0xFFFF_FFFF_FFFF_FFFF for v in values]


_LISTS: dict[int, Callable[[Message], list[Any]]] = {
    1: lambda m: m.reals(5),
    2: lambda m: m.doubles(6),
    **dict.fromkeys((3, 4, 5, 6, 17, 29, 30, 31, 32), lambda m: m.integers(7)),
    7: lambda m: m.strings(8),
    8: lambda m: _pairs(m.reals(9)),
    9: lambda m: m.integers(10),
    10: lambda m: m.integers(11),
    18: lambda m: _pairs(m.doubles(12)),
    14: lambda m: m.integers(13),
    19: lambda m: m.integers(13),
    22: lambda m: m.integers(16),
    23: lambda m: _unsigned(m.integers(17)),
}
"""What the list of elements of each type is called, by the type's number."""


def read_tensor(message: Message, store: Store) -> StoredTensor:
    """Read a tensor's message; bytes stay where they lie."""
    number = message.unsigned(1)
    place = message.place(4)
    read = _LISTS.get(number)
    elements = tuple(read(message)) if read is not None and place is None else ()
    return StoredTensor(ElementType(number), read_shape(message.message(2)) or (), store, place, elements)
