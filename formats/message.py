"""Protobuf messages as views of the bytes that they lie in: fields are decoded when they are asked for."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from .wire import BYTES, FIXED32, FIXED64, MAX_DEPTH, VARINT, Field, WireError, fields, read_varint


class Message:
    """One message: the fields by number, as the file has them.

    Nothing is copied until it is asked for: the bytes of a tensor stay where they lie.  Of a field that is no list, the
    last occurrence counts, as protobuf says.
    """

    __slots__ = ("_data", "_depth", "_fields")

    def __init__(self, data: memoryview, start: int = 0, end: int | None = None, depth: int = 0) -> None:
        """Find the fields.

        Raises:
            WireError: the bytes are truncated or no message, or nest too deeply.
        """
        if depth > MAX_DEPTH:
            raise WireError("messages are nested too deeply")
        self._data = data
        self._depth = depth
        self._fields: dict[int, list[Field]] = {}
        for field in fields(data, start, len(data) if end is None else end):
            self._fields.setdefault(field.number, []).append(field)

    def __contains__(self, number: int) -> bool:
        return number in self._fields

    @property
    def numbers(self) -> tuple[int, ...]:
        """The numbers of the fields that are there."""
        return tuple(self._fields)

    def unsigned(self, number: int, default: int = 0) -> int:
        """Return a number that is stored as it is: a varint, or one of fixed size."""
        found = self._of_kind(number, VARINT, FIXED32, FIXED64)
        return found[-1].value if found else default

    def integer(self, number: int, default: int = 0) -> int:
        """Return an integer; negative ones are stored as their complement to 64 bits."""
        return _signed(self.unsigned(number, default))

    def flag(self, number: int) -> bool:
        """Return a field as a boolean; false if it is absent."""
        return self.unsigned(number) != 0

    def real(self, number: int, default: float = 0.0) -> float:
        """Return a field as a float of 32 bits; ``default`` if it is absent."""
        found = self._of_kind(number, FIXED32)
        return _floats(self._data[found[-1].body : found[-1].end])[0] if found else default

    def integers(self, number: int) -> list[int]:
        """Return a list of integers, packed or not."""
        out: list[int] = []
        for field in self._of_kind(number, VARINT, BYTES):
            if field.kind == VARINT:
                out.append(_signed(field.value))
                continue
            position = field.body
            while position < field.end:
                value, position = read_varint(self._data, position, field.end)
                out.append(_signed(value))
        return out

    def reals(self, number: int) -> list[float]:
        """Return a list of numbers of 32 bits, packed or not.

        Raises:
            WireError: the packed ones are cut off.
        """
        found = self._of_kind(number, FIXED32, BYTES)
        return [x for f in found for x in _floats(self._data[f.body : f.end])]

    def doubles(self, number: int) -> list[float]:
        """Return a list of numbers of 64 bits, packed or not.

        Raises:
            WireError: the packed ones are cut off.
        """
        found = self._of_kind(number, FIXED64, BYTES)
        return [x for f in found for x in _floats(self._data[f.body : f.end], 8)]

    def place(self, number: int) -> tuple[int, int] | None:
        """Return where the content of a field begins and how many bytes it has."""
        found = self._of_kind(number, BYTES)
        return (found[-1].body, found[-1].value) if found else None

    def content(self, number: int) -> bytes:
        """Return the bytes of a field; none if it is absent."""
        found = self._of_kind(number, BYTES)
        return bytes(self._data[found[-1].body : found[-1].end]) if found else b""

    def contents(self, number: int) -> list[bytes]:
        """Return the bytes of every item of a repeated field."""
        return [bytes(self._data[f.body : f.end]) for f in self._of_kind(number, BYTES)]

    def text(self, number: int) -> str:
        """Return a field as a string; empty if it is absent."""
        return self.content(number).decode("utf-8", "replace")

    def strings(self, number: int) -> list[str]:
        """Return the items of a repeated field as strings."""
        return [item.decode("utf-8", "replace") for item in self.contents(number)]

    def message(self, number: int) -> Message | None:
        """Return a message inside of this one; None if there is none."""
        found = self._of_kind(number, BYTES)
        return self._inner(found[-1]) if found else None

    def messages(self, number: int) -> Iterator[Message]:
        """Iterate over the items of a repeated field, each a message."""
        return (self._inner(field) for field in self._of_kind(number, BYTES))

    def entries(self, number: int) -> Iterator[tuple[str, Message]]:
        """Iterate over a map from strings to messages; a value that is left out is empty."""
        for entry in self.messages(number):
            yield entry.text(1), entry.message(2) or Message(self._data, 0, 0, self._depth + 1)

    def text_entries(self, number: int) -> Iterator[tuple[str, str]]:
        """Iterate over a map from strings to strings."""
        return ((entry.text(1), entry.text(2)) for entry in self.messages(number))

    def _inner(self, field: Field) -> Message:
        return Message(self._data, field.body, field.end, self._depth + 1)

    def _of_kind(self, number: int, *kinds: int) -> list[Field]:
        """Return the occurrences of a field.

        Raises:
            WireError: one has another wire type.
        """
        found = self._fields.get(number, [])
        for field in found:
            if field.kind not in kinds:
                raise WireError(f"the field {number} has the wire type {field.kind}")
        return found


def _signed(value: int) -> int:
    value &= (1 << 64) - 1
    return value - (1 << 64) if value >> 63 else value


def _floats(data: memoryview, size: int = 4) -> list[float]:
    """Decode numbers of 32 or 64 bits."""
    if len(data) % size:
        raise WireError(f"{len(data)} bytes of numbers that take {size} each")
    return list(struct.unpack(f"<{len(data) // size}{'f' if size == 4 else 'd'}", data))
