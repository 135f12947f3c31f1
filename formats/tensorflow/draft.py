"""Messages under construction: fields as bytes, and tensors whose elements are computed when the file is written."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping

from ...compiler.weights import Weight
from ..chunks import chunks
from ..wire import FIXED32, VARINT, tag, varint


class Draft:
    """A protobuf message: pieces in the order in which they are written, and how many bytes they are.

    Numbers that are zero, and strings that are empty, are left out unless they are members of a list.
    """

    def __init__(self) -> None:
        self._pieces: list[bytes | Weight] = []
        self._open = bytearray()
        self._size = 0

    def __len__(self) -> int:
        return self._size + len(self._open)

    def number(self, field: int, value: int, *, always: bool = False) -> Draft:
        """Append an integer; negative ones are stored as their complement to 64 bits."""
        if value or always:
            self._open += varint(field << 3 | VARINT) + varint(value & _ALL)
        return self

    def real(self, field: int, value: float) -> Draft:
        """Append a number of 32 bits, also if it is zero."""
        self._open += varint(field << 3 | FIXED32) + struct.pack("<f", value)
        return self

    def content(self, field: int, content: bytes) -> Draft:
        """Append a field of bytes, also if there are none."""
        self._open += tag(field) + varint(len(content)) + content
        return self

    def text(self, field: int, text: str) -> Draft:
        """Append a field that holds a string, in UTF-8."""
        return self.content(field, text.encode()) if text else self

    def strings(self, field: int, strings: Iterable[str]) -> Draft:
        """Append a repeated field with one item for every string."""
        for text in strings:
            self.content(field, text.encode("utf-8", "surrogateescape"))
        return self

    def integers(self, field: int, values: Iterable[int]) -> Draft:
        """Append a repeated field of integers, packed into one."""
        return self.content(field, b"".join(varint(v & _ALL) for v in values))

    def message(self, field: int, inner: Draft) -> Draft:
        """Append a field that holds another message, which is complete."""
        self._open += tag(field) + varint(len(inner))
        if inner._pieces:
            self._close()
            self._pieces += inner._pieces
            self._size += inner._size
        self._open += inner._open
        return self

    def entries(self, field: int, entries: Mapping[str, Draft]) -> Draft:
        """Append a map from strings to messages: one entry for each."""
        for name, inner in entries.items():
            self.message(field, Draft().text(1, name).message(2, inner))
        return self

    def elements(self, field: int, weight: Weight) -> Draft:
        """Append the bytes of a tensor, at least one for each element."""
        size = weight.nbytes
        self._open += tag(field) + varint(size)
        self._close()
        self._pieces.append(weight)
        self._size += size
        return self

    def _close(self) -> None:
        if self._open:
            self._pieces.append(bytes(self._open))
            self._size += len(self._open)
            self._open = bytearray()

    @property
    def weights(self) -> list[Weight]:
        """The tensors whose elements are written when the draft is."""
        return [piece for piece in self._pieces if isinstance(piece, Weight)]

    def written(self) -> Iterator[bytes | memoryview]:
        """Yield the bytes; those of a tensor's source are given back to the system."""
        for piece in self._pieces:
            if isinstance(piece, bytes):
                yield piece
            else:
                yield from stream(piece)
        yield bytes(self._open)

    def __bytes__(self) -> bytes:
        return b"".join(self.written())


_ALL = (1 << 64) - 1


def stream(weight: Weight) -> Iterator[memoryview]:
    """Yield the bytes of a tensor, and give those of its source back to the system."""
    array = weight.array()
    yield from chunks(array)
    if weight.source is not None:
        del array
        weight.source.release()
