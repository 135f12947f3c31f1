"""The protobuf wire format: the fields of messages, and numbers of seven bits a byte."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
"""Wire types: how the content of a field is stored."""

MAX_DEPTH = 100
"""Messages nest no deeper; protobuf has the same limit."""


class WireError(ValueError):
    """The bytes are no protobuf message: a length or a type is impossible."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field: where it starts, and for bytes and messages where their content lies.

    ``value`` is the number of a varint or of what is of fixed size, else the content's size.
    """

    number: int
    kind: int
    start: int
    body: int
    end: int
    value: int


def fields(data: memoryview, position: int, end: int) -> Iterator[Field]:
    """Iterate over the fields of a message.

    Raises:
        WireError: the bytes are truncated or no message.
    """
    while position < end:
        start = position
        key, position = read_varint(data, position, end)
        number, kind = key >> 3, key & 7
        size = value = 0
        if kind == VARINT:
            value, position = read_varint(data, position, end)
        elif kind == BYTES:
            size, position = read_varint(data, position, end)
            value = size
        elif kind in (FIXED64, FIXED32):
            size = 8 if kind == FIXED64 else 4
            value = int.from_bytes(data[position : position + size], "little")
        else:
            raise WireError(f"wire type {kind}")
        if number == 0 or position + size > end:
            raise WireError("a field ends after its message")
        yield Field(number, kind, start, position, position + size, value)
        position += size


def read_varint(data: memoryview, position: int, end: int) -> tuple[int, int]:
    """Return a number of seven bits a byte, and the position after it.

    Raises:
        WireError: it has no end.
    """
    value = 0
    for shift in range(0, 70, 7):
        if position >= end:
            break
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    raise WireError("a number without an end")


def varint(value: int) -> bytes:
    """Return a number in seven bits a byte."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*out, value))


def tag(number: int) -> bytes:
    """Return what begins a field that holds bytes, a text or a message."""
    return varint(number << 3 | BYTES)


def bytes_field(number: int, content: bytes) -> bytes:
    """Return a whole field that holds bytes: its tag, their length, and themselves."""
    return tag(number) + varint(len(content)) + content
