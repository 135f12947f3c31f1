"""The protobuf wire format, as far as finding the large tensors of a model file takes.

A parser copies every tensor into memory.  :func:`strip` instead walks over the mapped file, skipping what it does not
need to see, and writes a copy of the model in which each large ``raw_data`` has become external data: a reference to
the place where the bytes already lie.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..wire import BYTES, MAX_DEPTH, VARINT, WireError, bytes_field, fields, tag, varint

OWN_FILE = "."
"""The location of external data that lies in the model file itself; no other file can have this name."""

MIN_BYTES = 1 << 10
"""Smaller tensors stay in the model."""


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


def strip(data: memoryview) -> bytes:
    """Return the model without the large tensors that it has as ``raw_data``; they refer to :data:`OWN_FILE`.

    Raises:
        WireError: the bytes are truncated or no message.
    """
    return b"".join(_strip(data, 0, len(data), _MODEL, 0))


def _strip(data: memoryview, start: int, end: int, message: _Message, depth: int) -> list[bytes | memoryview]:
    """Return the pieces of a message; what did not change is a view of the data."""
    if depth > MAX_DEPTH:
        raise WireError("nested too deeply")
    pieces: list[bytes | memoryview] = []
    copied = start
    for field in fields(data, start, end):
        inner = message.fields.get(field.number) if field.kind == BYTES else None
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
    found = list(fields(data, start, end))
    raw = [f for f in found if f.number == _RAW_DATA and f.kind == BYTES]
    is_external = any(f.number in (_EXTERNAL_DATA, _DATA_LOCATION) for f in found)
    if len(raw) != 1 or raw[0].end - raw[0].body < MIN_BYTES or is_external:
        return [data[start:end]]
    (field,) = raw
    entries = {"location": OWN_FILE, "offset": str(field.body), "length": str(field.end - field.body)}
    reference = [
        bytes_field(_EXTERNAL_DATA, bytes_field(1, k.encode()) + bytes_field(2, v.encode())) for k, v in entries.items()
    ]
    location = varint(_DATA_LOCATION << 3 | VARINT) + varint(1)
    return [data[start : field.start], data[field.end : end], *reference, location]
