"""Writing a bundle of variables: the bytes one after the other, and a sorted table that says where each lies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from ...compiler.dims import static
from ...compiler.weights import Weight
from ..wire import FIXED32, varint
from .bundle import FOOTER, MAGIC, TRAILER
from .crc32c import crc32c, masked
from .draft import Draft, stream
from .tensors import NUMBERS, shape_message

_PLAIN = b"\0"
"""After a block: that it is not compressed."""


def write_bundle(values: Mapping[str, Weight], prefix: Path) -> int:
    """Write tensors by name, of which none holds strings, and return the size of both files."""
    entries = {b"": bytes(Draft().number(1, 1).message(3, Draft().number(1, 1)))}
    with prefix.with_name(f"{prefix.name}.data-00000-of-00001").open("wb") as data:
        for name, weight in sorted(values.items(), key=lambda item: item[0].encode()):
            start = data.tell()
            checksum = masked(crc32c(_written(weight, data)))
            entries[name.encode()] = _entry(weight, start, data.tell() - start, checksum)
        size = data.tell()
    table = _table(entries)
    prefix.with_name(f"{prefix.name}.index").write_bytes(table)
    return size + len(table)


def _written(weight: Weight, file: BinaryIO) -> Iterator[memoryview]:
    """Write the elements of a tensor; yield what was written."""
    for piece in stream(weight):
        file.write(piece)
        yield piece


def _entry(weight: Weight, start: int, size: int, checksum: int) -> bytes:
    message = Draft().number(1, NUMBERS[weight.type.dtype]).message(2, shape_message(static(weight.type.shape)))
    fields = bytes(message.number(4, start).number(5, size))
    return fields + varint(6 << 3 | FIXED32) + checksum.to_bytes(4, "little")


def _table(entries: Mapping[bytes, bytes]) -> bytes:
    """Return a table with one block of entries, whose keys are sorted; an index tells where that is."""
    block = _block(entries)
    nothing = _block({})
    places = [(0, len(block) - TRAILER), (len(block), len(nothing) - TRAILER)]
    index = _block({[*entries][-1]: _handle(*places[0])})
    end = _handle(*places[1]) + _handle(len(block) + len(nothing), len(index) - TRAILER)
    footer = end.ljust(FOOTER - 8, b"\0") + MAGIC.to_bytes(8, "little")
    return block + nothing + index + footer


def _block(entries: Mapping[bytes, bytes]) -> bytes:
    """Return a block in which every key stands in full, with its trailer."""
    out, starts = bytearray(), list[int]()
    for key, content in entries.items():
        starts.append(len(out))
        out += varint(0) + varint(len(key)) + varint(len(content)) + key + content
    for number in (*(starts or [0]), len(starts) or 1):
        out += number.to_bytes(4, "little")
    out += _PLAIN
    return bytes(out) + masked(crc32c([bytes(out)])).to_bytes(4, "little")


def _handle(start: int, size: int) -> bytes:
    return varint(start) + varint(size)
