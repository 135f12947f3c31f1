"""Archives of PyTorch: zip files of records below one folder, read by us first and handed on as new ones.

Two readers of zip files may find different records in the same bytes, so that a check would be worth nothing if PyTorch
read others than those that were checked.  :func:`rebuilt` leaves one way to read what it returns, and holds no copy of
the tensors: these are read from the file where they lie.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from bisect import bisect_right
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import IO, Any

from ...compiler.budget import check_expansion

ALIGNMENT = 64
"""Tensors begin at multiples of this, as in the archives that PyTorch writes."""

UNPACKED_LIMIT = 1 << 29
"""The most bytes that a compressed record may have; tensors are stored as they are."""

_HEADER = 30
"""Bytes of a record's header, which its name follows."""

_PADDING = 0x4246
"""The number of the field in which PyTorch writes what fills gaps."""

_FULL = 0xFFFFFFFF
"""Says that a number stands in the field for large ones."""


class Archive:
    """The records of a zip file by their names below the folder that they all lie in."""

    def __init__(self, file: zipfile.ZipFile) -> None:
        self._file = file
        entries = file.infolist()
        roots = {entry.filename.partition("/")[0] for entry in entries}
        is_rooted = len(roots) == 1 and all("/" in entry.filename for entry in entries)
        self.root = roots.pop() + "/" if is_rooted else ""
        self.entries = {entry.filename.removeprefix(self.root): entry for entry in entries}
        if len({name.lower() for name in self.entries}) < len(entries):
            raise ValueError("two of its records have the same name")

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def __contains__(self, name: str) -> bool:
        return name in self.entries

    def read(self, name: str) -> bytes:
        """Return a record.

        Raises:
            KeyError: there is none of this name.
            ValueError: it is compressed, and larger than a text can be.
        """
        entry = self.entries[name]
        if entry.compress_type != zipfile.ZIP_STORED and entry.file_size > UNPACKED_LIMIT:
            raise ValueError(f"its record {name} unpacks to {entry.file_size:,} bytes")
        return self._file.read(entry)

    def where(self, name: str) -> tuple[int, int]:
        """Return where the bytes of a record begin in the file that are stored as they are, and how many they are."""
        entry = self.entries[name]
        raw = self._file.fp
        assert raw is not None
        raw.seek(entry.header_offset)
        header = raw.read(30)
        if header[:4] != b"PK\x03\x04":
            raise zipfile.BadZipFile(f"its record {name} has no header")
        length = struct.unpack("<2H", header[26:])
        return entry.header_offset + 30 + sum(length), entry.file_size


@contextmanager
def opened(path: Path) -> Generator[Archive, None, None]:
    """Open the archive in a file.

    Raises:
        zipfile.BadZipFile: there is none.
        ValueError: two records have the same name.
        CompileError: M006, it expands to too much.
    """
    with zipfile.ZipFile(path) as file:
        check_expansion(str(path), [(e.filename, e.file_size) for e in file.infolist()], path.stat().st_size)
        yield Archive(file)


@contextmanager
def rebuilt(path: Path, archive: Archive, records: Mapping[str, bytes | None]) -> Generator[IO[bytes], None, None]:
    """Give an archive of the named records of another one; None stands for the bytes that a record has there."""
    with path.open("rb") as source, io.BufferedReader(_Pieces(source, _zip(archive, records)), 1 << 20) as file:
        yield file


@dataclass(frozen=True)
class _Range:
    """Bytes of the source."""

    start: int
    size: int

    def __len__(self) -> int:
        return self.size


_Piece = bytes | _Range


def _content(archive: Archive, name: str) -> tuple[_Piece, int]:
    """Return what a record holds, and its checksum."""
    entry = archive.entries[name]
    if entry.compress_type == zipfile.ZIP_STORED:
        return _Range(*archive.where(name)), entry.CRC
    content = archive.read(name)
    return content, zlib.crc32(content)


def _zip(archive: Archive, records: Mapping[str, bytes | None]) -> Iterator[_Piece]:
    """Yield the pieces of a zip file in which all numbers stand in the fields for large ones."""
    position, directory = 0, b""
    for name, given in records.items():
        content, checksum = _content(archive, name) if given is None else (given, zlib.crc32(given))
        text = f"{archive.root}{name}".encode()
        common = struct.pack("<4H3L", 0, 0, 0, 0, checksum, _FULL, _FULL)
        sizes = struct.pack("<2Q", len(content), len(content))
        gap = -(position + _HEADER + len(text) + 24) % ALIGNMENT
        extra = struct.pack("<2H", 1, 16) + sizes + struct.pack("<2H", _PADDING, gap) + bytes(gap)
        yield struct.pack("<4sH", b"PK\x03\x04", 45) + common + struct.pack("<2H", len(text), len(extra)) + text + extra
        yield content
        extra_there = struct.pack("<2H", 1, 24) + sizes + struct.pack("<Q", position)
        directory += struct.pack("<4s2H", b"PK\x01\x02", 45, 45) + common
        directory += struct.pack("<5H2L", len(text), len(extra_there), 0, 0, 0, 0, _FULL) + text + extra_there
        position += _HEADER + len(text) + len(extra) + len(content)
    end = position + len(directory)
    yield directory
    counts = (len(records), len(records), len(directory), position)
    yield struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, *counts)
    yield struct.pack("<4sLQL", b"PK\x06\x07", 0, end, 1)
    yield struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, _FULL, _FULL, 0)


class _Pieces(io.RawIOBase):
    """A file that is read only: pieces one after the other, some of them in a source."""

    def __init__(self, source: IO[bytes], pieces: Iterable[_Piece]) -> None:
        self._source = source
        self._pieces = [piece for piece in pieces if len(piece)]
        self._starts = list(accumulate(map(len, self._pieces), initial=0))
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._starts[-1]}[whence]
        self._position = max(base + offset, 0)
        return self._position

    def readinto(self, buffer: Any, /) -> int:
        """Read from the piece at the current position until the buffer or the piece is full."""
        number = bisect_right(self._starts, self._position) - 1
        if number == len(self._pieces):
            return 0
        piece, begin = self._pieces[number], self._position - self._starts[number]
        view = memoryview(buffer).cast("B")
        size = min(len(view), len(piece) - begin)
        if isinstance(piece, _Range):
            self._source.seek(piece.start + begin)
            view[:size] = self._source.read(size)
        else:
            view[:size] = piece[begin : begin + size]
        self._position += size
        return size
