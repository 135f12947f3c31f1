"""Which constants of 32 bits are stored in 16, with a conversion marked as decompression after each."""

from __future__ import annotations

import numpy as np

from ...compiler.types import Array, DType
from ...compiler.weights import Weight

ROUNDING = 2.0**-11
"""What rounding to 16 bits may change, relative to the whole constant."""

FEW = 16
"""Elements of a constant that is worth storing in fewer bits."""


def is_compressible(weight: Weight) -> bool:
    """Whether a constant is worth storing in 16 bits, and loses no more than rounding: none of its range."""
    if weight.type.dtype is not DType.F32 or not isinstance(weight.type.size, int) or weight.type.size < FEW:
        return False
    array = weight.array()
    finite = array if np.isfinite(array).all() else array[np.isfinite(array)]
    with np.errstate(over="ignore"):
        lost = finite - finite.astype(np.float16)
    return bool(np.linalg.norm(lost) <= ROUNDING * np.linalg.norm(finite))


def as_halves(array: Array) -> Array:
    """Round the elements of a constant to numbers of 16 bits."""
    return array.astype(np.float16)
