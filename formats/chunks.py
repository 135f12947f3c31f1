"""The bytes of arrays as pieces that are written one by one."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np

from ..compiler.types import Array

CHUNK = 1 << 26
"""Bytes that are made contiguous at a time."""


def chunks(array: Array, limit: int = CHUNK) -> Iterator[memoryview]:
    """Yield the bytes of an array in row-major order, at most ``limit`` at a time unless a row of it has more.

    >>> [len(c) for c in chunks(np.zeros((4, 8), np.int8).T, 16)]
    [16, 16]
    """
    assert sys.byteorder == "little"
    if not array.size:
        return
    if array.flags.c_contiguous:
        array = array.reshape(-1)
    if array.size == 1 or array.nbytes <= limit:
        yield np.ascontiguousarray(array).reshape(-1).view(np.uint8).data
        return
    rows = max(1, limit * len(array) // array.nbytes)
    for first in range(0, len(array), rows):
        part = array[first : first + rows]
        yield from chunks(part[0] if rows == 1 and part.ndim > 1 else part, limit)
