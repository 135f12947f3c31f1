"""The protobuf wire format, as far as finding the large tensors of a model file takes.

A parser copies every tensor into memory.  :func:`strip` instead walks over the mapped file, skipping what it does not
need to see, and writes a copy of the model in which each large ``raw_data`` has become external data: a reference to
the place where the bytes already lie.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

OWN_FILE = "."
"""The location of external data that lies in the model file itself; no other file can have this name."""

MIN_BYTES = 1 << 10
"""Smaller tensors stay in the model."""

_MAX_DEPTH = 100
"""Messages nest no deeper; protobuf has the same limit."""


class WireError(ValueError):
    """The bytes are no protobuf message; the plain parser says it better."""


@dataclass(frozen=True, eq=False)
class _Message:
    """The fields of a message that may hold tensors, by number."""

    fields: dict[int, _Message]


# The numbers stand in onnx.proto; they never change.
_TENSOR = _Message({})
_SPARSE = _Message({1: _TENSOR, 2: _TENSOR})
_GRAPH = _Message({})
_ATTRIBUTE = _Message({5: _TENSOR, 6: _GRAPH, 10: _TENSOR, 11: _GRAPH, 22: _SPARSE, 23: _SPARSE})
_NODE = _Message({5: _ATTRIBUTE})
_GRAPH.fields.update({1: _NODE, 5: _TENSOR, 15: _SPARSE})
_FUNCTION = _Message({7: _NODE, 11: _ATTRIBUTE})
_MODEL = _Message({7: _GRAPH, 25: _FUNCTION})

_RAW_DATA, _EXTERNAL_DATA, _DATA_LOCATION = 9, 13, 14
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


@dataclass(frozen=True, slots=True)
class _Field:
    """One field: where it starts, and for bytes and messages where their content lies."""

    number: int
    kind: int
    start: int
    body: int
    end: int


def strip(data: memoryview) -> bytes:
    """Return the model without the large tensors that it has as ``raw_data``; they refer to :data:`OWN_FILE`.

    Raises:
        WireError: the bytes are truncated or no message.
    """
    return b"".join(_strip(data, 0, len(data), _MODEL, 0))


def _strip(data: memoryview, start: int, end: int, message: _Message, depth: int) -> list[bytes | memoryview]:
    """Return the pieces of a message; what did not change is a view of the data."""
    if depth > _MAX_DEPTH:
        raise WireError("nested too deeply")
    pieces: list[bytes | memoryview] = []
    copied = start
    for field in _fields(data, start, end):
        inner = message.fields.get(field.number) if field.kind == _BYTES else None
        if inner is None or field.end - field.body < MIN_BYTES:
            continue
        if inner is _TENSOR:
            content = _strip_tensor(data, field.body, field.end)
        else:
            content = _strip(data, field.body, field.end, inner, depth + 1)
        length = sum(len(piece) for piece in content)
        pieces += [data[copied : field.start], tag(field.number), varint(length), *content]
        copied = field.end
    return [*pieces, data[copied:end]]


def _strip_tensor(data: memoryview, start: int, end: int) -> list[bytes | memoryview]:
    """Return the pieces of a tensor, its large ``raw_data`` replaced by a reference."""
    fields = list(_fields(data, start, end))
    raw = [f for f in fields if f.number == _RAW_DATA and f.kind == _BYTES]
    is_external = any(f.number in (_EXTERNAL_DATA, _DATA_LOCATION) for f in fields)
    if len(raw) != 1 or raw[0].end - raw[0].body < MIN_BYTES or is_external:
        return [data[start:end]]
    (field,) = raw
    entries = {"location": OWN_FILE, "offset": str(field.body), "length": str(field.end - field.body)}
    reference = [
        bytes_field(_EXTERNAL_DATA, bytes_field(1, k.encode()) + bytes_field(2, v.encode())) for k, v in entries.items()
    ]
    location = varint(_DATA_LOCATION << 3 | _VARINT) + varint(1)
    return [data[start : field.start], data[field.end : end], *reference, location]


def _fields(data: memoryview, position: int, end: int) -> Iterator[_Field]:
    """Iterate over the fields of a message."""
    while position < end:
        start = position
        key, position = _read_varint(data, position, end)
        number, kind = key >> 3, key & 7
        size = 0
        if kind == _VARINT:
            _, position = _read_varint(data, position, end)
        elif kind == _BYTES:
            size, position = _read_varint(data, position, end)
        elif kind in (_FIXED64, _FIXED32):
            size = 8 if kind == _FIXED64 else 4
        else:
            raise WireError(f"wire type {kind}")
        if number == 0 or position + size > end:
            raise WireError("a field ends after its message")
        yield _Field(number, kind, start, position, position + size)
        position += size


def _read_varint(data: memoryview, position: int, end: int) -> tuple[int, int]:
    """Return a number of seven bits a byte, and the position after it."""
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
    return varint(number << 3 | _BYTES)


def bytes_field(number: int, content: bytes) -> bytes:
    """Return a whole field that holds bytes."""
    return tag(number) + varint(len(content)) + content
