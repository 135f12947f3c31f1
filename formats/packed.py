"""Elements as files hold them: little-endian, row by row, those of fewer than eight bits sharing bytes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..compiler.dims import static
from ..compiler.types import Array, TensorType
from ..compiler.weights import MappedFile, Origin, Weight


def stored_bytes(type: TensorType) -> int:
    """Return how many bytes the elements take."""
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
