"""Elements as files hold them: little-endian, row by row, those of fewer than eight bits sharing bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from ..compiler.dims import static
from ..compiler.types import Array, TensorType
from ..compiler.weights import MappedFile, Origin, Weight
from .chunks import chunks


def stored_bytes(type: TensorType) -> int:
    """Return how many bytes elements take, those of few bits packed."""
    assert isinstance(type.size, int)
    return (type.size * type.dtype.bits + 7) // 8


def stored_weight(type: TensorType, read: Callable[[], Array], file: MappedFile | None = None) -> Weight:
    """Return what makes a tensor of the bytes that ``read`` gives, little-endian."""

    def make() -> Array:
        raw = read()
        if type.dtype.bits < 8:
            raw = _unpack(raw, type)
        return raw.view(type.dtype.numpy.newbyteorder("<")).reshape(static(type.shape))

    return Weight(type, make, file, origins=frozenset({Origin(stored_bytes(type))}))


def _unpack(raw: Array, type: TensorType) -> Array:
    """Return one element a byte, in the codes that numpy's types have."""
    bits = type.dtype.bits
    assert isinstance(type.size, int)
    codes = np.stack([raw >> shift & (1 << bits) - 1 for shift in range(0, 8, bits)], -1).reshape(-1)[: type.size]
    is_negative = (codes >> bits - 1 == 1) & type.dtype.value.startswith("i")
    return np.where(is_negative, codes | 256 - (1 << bits), codes).astype(np.uint8)


def elements(weight: Weight) -> Iterator[memoryview]:
    """Yield the bytes of a weight, and give those of its source back to the system."""
    array = weight.array()
    yield from chunks(array if weight.type.dtype.bits >= 8 else _packed(array, weight.type.dtype.bits))
    if weight.source is not None:
        del array
        weight.source.release()


def _packed(array: Array, bits: int) -> Array:
    """Return elements of few bits as bytes, the first one in the low bits."""
    codes = np.ascontiguousarray(array).reshape(-1).view(np.uint8) & ((1 << bits) - 1)
    per_byte = 8 // bits
    padded = np.concatenate([codes, np.zeros(-codes.size % per_byte, np.uint8)]).reshape(-1, per_byte)
    shifts = np.arange(0, 8, bits, dtype=np.uint8)
    return np.bitwise_or.reduce(padded << shifts, axis=1).astype(np.uint8)
