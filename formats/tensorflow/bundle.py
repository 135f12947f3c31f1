"""Bundles of variables: a sorted table that says where each tensor lies, and files with their bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ...compiler.beside import NotBesideError, file_beside
from ...compiler.budget import too_large
from ...compiler.diagnostics import error, reason
from ...compiler.regular import regular
from ...compiler.types import DType, TensorType
from ...compiler.weights import MappedFile, Weight
from ..message import Message
from ..wire import WireError, read_varint
from .tensors import ElementType, Store, damaged, read_shape

MAGIC = 0xDB4775248B80FB57
"""What the table's file ends with."""

FOOTER = 48
"""Bytes of the end: two handles, filled up, and the magic number."""

TRAILER = 5
"""Bytes after a block: how it is compressed, and a checksum."""


@dataclass(frozen=True)
class Entry:
    """Where a tensor lies: in a file by its number, at an offset; ``is_cut`` says that its parts are entries too."""

    element: ElementType
    shape: tuple[int, ...]
    shard: int
    offset: int
    size: int
    is_cut: bool = False


@dataclass(frozen=True)
class Bundle:
    """The variables of a model by name: ``prefix.index``, and ``prefix.data-00000-of-00001`` and so on."""

    prefix: Path
    shards: int
    entries: Mapping[str, Entry]
    _open: dict[int, Store] = field(default_factory=lambda: dict[int, Store]())

    def weight(self, key: str) -> Weight:
        """Return a tensor, which stays where it lies.

        Raises:
            CompileError: F003, the IR has no such elements; F005, it is stored in parts; F016, F017 or M001, the file
                is damaged or missing, or the tensor too large.
        """
        what = f"the variable {key!r}"
        entry = self.entries.get(key)
        if entry is None:
            raise error("F017", f"{what} is not in {self.prefix.name}.index", help="Save the model again.")
        if entry.is_cut:
            raise error("F005", f"{what} is stored in several parts", help="Save the model without partitioners.")
        type = TensorType(entry.element.known(what), entry.shape)
        if type.dtype is DType.STRING:
            raise error("F003", f"{what} holds strings")
        problem = too_large(entry.shape, type.dtype.bits)
        if problem is not None:
            raise error("M001", f"{what} has {problem}")
        return self._shard(entry.shard, what).weight(entry.offset, entry.size, type, what)

    def _shard(self, number: int, what: str) -> Store:
        if not 0 <= number < self.shards:
            raise damaged(what, f"lies in file {number} of {self.shards}")
        if number not in self._open:
            name = f"{self.prefix.name}.data-{number:05d}-of-{self.shards:05d}"
            try:
                self._open[number] = Store(MappedFile(file_beside(self.prefix, name)))
            except NotBesideError as bad:
                raise error("F017", f"{what} can't be read: {bad}", help=bad.help) from bad
            except OSError as bad:
                raise error("F017", f"{what} lies in {name}, which can't be read: {reason(bad)}") from bad
        return self._open[number]


def read_bundle(prefix: Path) -> Bundle:
    """Read the table of a bundle.

    Raises:
        CompileError: R010, it is missing or damaged.
    """
    index = prefix.with_name(f"{prefix.name}.index")
    try:
        data = memoryview(regular(index).read_bytes())
    except OSError as bad:
        raise error("R010", f"can't read {index}: {reason(bad)}", help="Copy the whole folder of the model.") from bad
    try:
        table = dict(read_table(data))
        header = Message(memoryview(table.get(b"", b"")))
        if header.integer(2):
            raise WireError("it was written by a machine with another byte order")
        entries = {
            key.decode("utf-8", "surrogateescape"): _entry(Message(memoryview(content)))
            for key, content in table.items()
            if key and not key.startswith(b"\0")
        }
        return Bundle(prefix, max(header.integer(1), 1), entries)
    except WireError as bad:
        raise error("R010", f"{index} is damaged or incomplete: {bad}", help="Save or download it again.") from bad


def _entry(message: Message) -> Entry:
    sizes = read_shape(message.message(2)) or ()
    if any(size is None for size in sizes):
        raise WireError(f"a tensor of the shape {list(sizes)}")
    return Entry(
        ElementType(message.unsigned(1)),
        tuple(size or 0 for size in sizes),
        message.integer(3),
        message.integer(4),
        message.integer(5),
        7 in message,
    )


def read_table(data: memoryview) -> Iterator[tuple[bytes, bytes]]:
    """Iterate over the entries of a table in the order of their keys.

    Raises:
        WireError: it is damaged.
    """
    if len(data) < FOOTER or int.from_bytes(data[-8:], "little") != MAGIC:
        raise WireError("it is not a table of variables")
    end = len(data) - FOOTER
    position = end
    for _ in range(2):  # the handle of a block that says nothing here
        _, position = read_varint(data, position, len(data))
    index = _handle(data, position, len(data))
    for _, handle in _block(data, index, end):
        inner = memoryview(handle)
        yield from _block(data, _handle(inner, 0, len(inner)), end)


def _handle(data: memoryview, position: int, end: int) -> tuple[int, int]:
    """Return where a block begins and how long it is."""
    start, position = read_varint(data, position, end)
    size, _ = read_varint(data, position, end)
    return start, size


def _block(data: memoryview, handle: tuple[int, int], limit: int) -> Iterator[tuple[bytes, bytes]]:
    """Iterate over the entries of a block: each key shares its beginning with the one before."""
    start, size = handle
    if size < 4 or start + size + TRAILER > limit:
        raise WireError(f"a block of {size} bytes at {start} of {limit}")
    if data[start + size]:
        raise WireError("its table is compressed, which TensorFlow does not do")
    end = start + size
    restarts = int.from_bytes(data[end - 4 : end], "little")
    stop = end - 4 - 4 * restarts
    position, key = start, b""
    if stop < start:
        raise WireError(f"{restarts} restarts in a block of {size} bytes")
    while position < stop:
        shared, position = read_varint(data, position, stop)
        more, position = read_varint(data, position, stop)
        length, position = read_varint(data, position, stop)
        if shared > len(key) or position + more + length > stop:
            raise WireError("an entry ends after its block")
        key = key[:shared] + bytes(data[position : position + more])
        position += more
        yield key, bytes(data[position : position + length])
        position += length
