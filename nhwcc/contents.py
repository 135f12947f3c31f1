"""How the content of files begins, by their kinds: magic numbers, fields of messages, members of archives."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from nhwcc.compiler.regular import regular

HEAD = 4096
"""Bytes that are looked at."""


@dataclass(frozen=True)
class Content:
    """The beginning of a file, and what an archive or a folder holds."""

    head: bytes
    members: tuple[str, ...] = ()

    @staticmethod
    def of(source: Path | bytes) -> Content:
        """Look at a file or at its bytes; of a damaged archive, at the beginning alone.

        Raises:
            OSError: the file can't be read.
        """
        if isinstance(source, bytes):
            head, file = source[:HEAD], io.BytesIO(source)
        else:
            with regular(source).open("rb") as opened:
                head, file = opened.read(HEAD), source
        if not head.startswith(b"PK\x03\x04"):
            return Content(head)
        try:
            with zipfile.ZipFile(file) as archive:
                return Content(head, tuple(archive.namelist()))
        except (zipfile.BadZipFile, NotImplementedError, ValueError):
            return Content(head)

    @property
    def is_text(self) -> bool:
        """Whether it reads as text: UTF-8, possibly cut in the middle of a character, without control characters."""
        text = self.head.decode("utf-8", "replace").removesuffix("\ufffd") if self.head else "\0"
        return "\ufffd" not in text and all(c.isprintable() or c in "\t\n\r\f" for c in text)

    @property
    def first_line(self) -> str:
        """The first line of a text file, 80 characters at most."""
        return self.head.decode("utf-8", "replace").strip().partition("\n")[0][:80].strip()


Begins = Callable[[Content], bool]


def magic(*starts: bytes) -> Begins:
    """Recognize files whose first bytes are one of these."""
    return lambda content: content.head.startswith(starts)


def magic_at(position: int, *texts: bytes) -> Begins:
    """Recognize files that have one of these byte strings at a position."""
    return lambda content: content.head.startswith(texts, position)


def text_with(*words: bytes) -> Begins:
    """A text that has all of these words near its beginning."""
    return lambda content: content.is_text and all(word in content.head for word in words)


def zip_with(*names: str) -> Begins:
    """A zip archive with a member whose name ends like one of these; of a damaged one the beginning decides."""

    def begins(content: Content) -> bool:
        if not content.head.startswith(b"PK\x03\x04"):
            return False
        if content.members:
            return any(member.endswith(names) for member in content.members)
        return any(name.encode() in content.head for name in names)

    return begins


def never(_content: Content) -> bool:
    """Recognize nothing by its content; the file's name decides."""
    return False


def fields(head: bytes) -> Iterator[tuple[int, int, int, int]]:
    """Walk the fields of a protobuf message: number, wire type, value or length, position; stop where it ends."""
    position = 0

    def varint() -> int:
        nonlocal position
        value = shift = 0
        while True:
            byte = head[position]
            position += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128 or shift > 63:
                return value

    try:
        while position < len(head):
            tag = varint()
            value = varint()
            yield tag >> 3, tag & 7, value, position
            position += value if tag & 7 == 2 else 0
    except IndexError:
        return


_ONNX_WIRE = {1: 0, 2: 2, 3: 2, 4: 2, 5: 0, 6: 2, 7: 2, 8: 2, 14: 2, 20: 2, 25: 2, 26: 2}
"""Wire types of the fields of ONNX's ModelProto by their numbers."""


def is_onnx(content: Content) -> bool:
    """Recognize a version, short strings, then the graph, which TensorFlow's messages have in place of the strings."""
    has_version = False
    for number, wire, value, _ in fields(content.head):
        if _ONNX_WIRE.get(number) != wire or (number in (2, 3, 4) and value > 256):
            return False
        if number == 7:
            return True
        has_version = has_version or (number == 1 and 0 < value < 64)
    return has_version


def is_coreml(content: Content) -> bool:
    """A version, a description, then a field of the numbers that Core ML gives to kinds of models."""
    found = [(number, wire) for number, wire, _, _ in fields(content.head)]
    return found[:2] == [(1, 0), (2, 2)] and any(number >= 200 for number, _ in found[2:3])


def is_saved_model(content: Content) -> bool:
    """A version of one, then graphs with what is known of them."""
    found = [(number, wire, value) for number, wire, value, _ in fields(content.head)]
    return found[:1] == [(1, 0, 1)] and len(found) > 1 and all(f[:2] == (2, 2) and f[2] > 256 for f in found[1:])


def is_graph_def(content: Content) -> bool:
    """Nodes, of which each begins with its name and its operator."""
    first = next(fields(content.head), None)
    if first is None or first[:2] != (1, 2):
        return False
    _, _, length, position = first
    inner = list(fields(content.head[position : position + length]))[:2]
    if [(number, wire) for number, wire, _, _ in inner] != [(1, 2), (2, 2)]:
        return False
    _, _, size, start = inner[1]
    return content.head[position + start : position + start + size].isalnum()


def is_graph_text(content: Content) -> bool:
    """A graph of TensorFlow, or a SavedModel, as text: the first field is one of theirs."""
    from nhwcc.formats.tensorflow.schema import is_text

    return content.is_text and is_text(content.head)


def is_safetensors(content: Content) -> bool:
    """The length of a header, then the header, which is JSON."""
    return 2 <= int.from_bytes(content.head[:8], "little") < 100_000_000 and content.head[8:9] == b"{"


def is_torch_pickle(content: Content) -> bool:
    """Pickled by PyTorch before it wrote archives, or with its classes."""
    is_old = content.head.startswith(b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.")
    return is_old or (is_pickle(content) and b"torch" in content.head)


def is_pickle(content: Content) -> bool:
    """Pickled by Python with a protocol of 2 to 5."""
    return content.head[:1] == b"\x80" and content.head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05")


def is_ir(content: Content) -> bool:
    """Recognize the text form of nhwcc's IR by how it begins."""
    return content.head.lstrip().startswith((b"func @", b'weights "', b"// "))


def is_html(content: Content) -> bool:
    """Recognize a web page, which a failed download leaves."""
    return content.head.lstrip()[:15].lower().startswith((b"<!doctype html", b"<html"))


def is_text(content: Content) -> bool:
    """Recognize any text file that nothing else recognizes."""
    return content.is_text
