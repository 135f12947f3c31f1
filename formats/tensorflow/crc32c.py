"""Checksums of bundles: CRC-32C, of many pieces at once, since gigabytes are summed."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import numpy as np

from ...compiler.types import Array

_POLYNOMIAL = 0x82F63B78
_LANES = 1 << 12
"""How many pieces are summed at once."""

_FEW = 1 << 13
"""Bytes up to which there is nothing to gain."""


@cache
def _tables() -> Array:
    """Return what a byte becomes that has 0 to 7 bytes after it."""
    table = np.zeros((8, 256), np.uint32)
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = value >> 1 ^ (_POLYNOMIAL if value & 1 else 0)
        table[0, byte] = value
    for after in range(1, 8):
        table[after] = table[after - 1] >> 8 ^ table[0, table[after - 1] & 0xFF]
    return table


def crc32c(pieces: Iterable[bytes | memoryview]) -> int:
    """Return the checksum of bytes that come in pieces.

    >>> hex(crc32c([b"12345", b"6789"]))
    '0xe3069283'
    """
    state = 0xFFFFFFFF
    for piece in pieces:
        state = _continued(state, np.frombuffer(piece, np.uint8))
    return state ^ 0xFFFFFFFF


def masked(crc: int) -> int:
    """Return a checksum as bundles store it: one of data that hold checksums would be weak."""
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def _continued(state: int, data: Array) -> int:
    """Return the state after more bytes: equal parts beside each other, put together, then what is left."""
    length = len(data) // _LANES // 8 * 8 if len(data) > _FEW else 0
    if length:
        lanes = data[: length * _LANES].reshape(_LANES, length)
        states = _beside(lanes, state)
        shift = _shift(length)
        state = int(states[0])
        for other in states[1:].tolist():
            state = _multiplied(shift, state) ^ other
    table = _tables()[0].tolist()
    for byte in data[length * _LANES :].tolist():
        state = state >> 8 ^ table[(state ^ byte) & 0xFF]
    return state


def _beside(lanes: Array, first: int) -> Array:
    """Return the state of every row, all but the first of which begin with zero; eight bytes at a time."""
    tables = _tables()
    states = np.zeros(len(lanes), np.uint32)
    states[0] = first
    words = np.ascontiguousarray(lanes.view("<u4").T)
    for low, high in zip(words[::2], words[1::2], strict=True):
        low = low ^ states
        states = tables[7][low & 0xFF] ^ tables[6][low >> 8 & 0xFF] ^ tables[5][low >> 16 & 0xFF] ^ tables[4][low >> 24]
        states ^= tables[3][high & 0xFF] ^ tables[2][high >> 8 & 0xFF]
        states ^= tables[1][high >> 16 & 0xFF] ^ tables[0][high >> 24]
    return states


Matrix = tuple[int, ...]
"""What each bit of a state becomes."""


@cache
def _shift(count: int) -> Matrix:
    """Return what so many zero bytes do to a state."""
    if count == 1:
        table = _tables()[0].tolist()
        return tuple((1 << bit) >> 8 ^ table[(1 << bit) & 0xFF] for bit in range(32))
    half = _shift(count // 2)
    twice = tuple(_multiplied(half, column) for column in half)
    return twice if count % 2 == 0 else tuple(_multiplied(_shift(1), column) for column in twice)


def _multiplied(matrix: Matrix, state: int) -> int:
    out, bit = 0, 0
    while state:
        if state & 1:
            out ^= matrix[bit]
        state >>= 1
        bit += 1
    return out
