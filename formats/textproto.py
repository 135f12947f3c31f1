"""Protobuf messages as text, converted to the binary encoding, so that one reader serves both.

Each character is looked at once, and nesting is limited, so that what is read costs as much as the text is long.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

from .wire import BYTES, FIXED32, FIXED64, MAX_DEPTH, VARINT, WireError, bytes_field, varint


@dataclass(frozen=True)
class Scalar:
    """A kind of fields without fields of their own: how they are stored; ``names`` are those of an enumeration."""

    wire: int
    is_real: bool = False
    names: Mapping[str, int] = field(default_factory=lambda: dict[str, int]())


@dataclass
class Schema:
    """The fields of a kind of messages by name, each with its number and its kind; others are passed over.

    A schema may hold itself: its fields are filled in when all kinds are there.
    """

    fields: dict[str, tuple[int, Kind]] = field(default_factory=lambda: dict[str, tuple[int, Kind]]())


Kind = Scalar | Schema

INTEGER = Scalar(VARINT)
FLAG = Scalar(VARINT, names={"true": 1, "True": 1, "t": 1, "false": 0, "False": 0, "f": 0})
FLOAT = Scalar(FIXED32, is_real=True)
DOUBLE = Scalar(FIXED64, is_real=True)
TEXT = Scalar(BYTES)

_TOKEN = re.compile(
    rb"""(?:[ \t\r\n\f\v]++|\#[^\n]*+)*+
    (?:(?P<name>[A-Za-z_][A-Za-z0-9_]*+)
      |(?P<text>"(?:[^"\\\n]++|\\.)*+"|'(?:[^'\\\n]++|\\.)*+')
      |(?P<number>0[xX][0-9a-fA-F]++|(?:[0-9]++\.?[0-9]*+|\.[0-9]++)(?:[eE][+-]?[0-9]++)?[fF]?)
      |(?P<sign>[-{}<>\[\]:;,])
      |(?P<end>\Z))""",
    re.VERBOSE | re.DOTALL,
)

_ESCAPE = re.compile(rb"\\(?:([0-7]{1,3})|[xX]([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.DOTALL)

_LETTERS = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"a": b"\a", b"b": b"\b", b"f": b"\f", b"v": b"\v"}

_REALS = {"inf": math.inf, "infinity": math.inf, "nan": math.nan}

_LONGEST_NUMBER = 64
"""No number that fits 64 bits has as many characters."""


def as_bytes(text: bytes, schema: Schema) -> bytes:
    """Return the message of a text in the binary encoding.

    Raises:
        WireError: it is no text of a message of this kind, or messages nest too deeply.
    """
    reader = _Reader(text)
    return bytes(reader.message(schema, "", 0))


class _Reader:
    """Reads one token after the other; ``kind`` and ``token`` are those of the next one."""

    def __init__(self, text: bytes) -> None:
        self._text = text
        self._end = 0
        self._start = 0
        self.kind = ""
        self.token = b""
        self._advance()

    def _advance(self) -> bytes:
        """Go on to the next token, and return the one before."""
        before, self._start = self.token, self._end
        found = _TOKEN.match(self._text, self._end)
        if found is None:
            raise self._bad("this is not a part of a message")
        self._end = found.end()
        self.kind = found.lastgroup or "end"
        self.token = found[self.kind]
        return before

    def _bad(self, what: str) -> WireError:
        line = self._text.count(b"\n", 0, self._end) + 1
        return WireError(f"line {line}: {what}")

    def _takes(self, *signs: bytes) -> bool:
        """Go on if the next token is one of these."""
        if self.kind != "sign" or self.token not in signs:
            return False
        self._advance()
        return True

    def message(self, schema: Schema | None, end: str, depth: int) -> bytearray:
        """Read fields up to the sign that ends the message; without a schema, to pass over them."""
        if depth > MAX_DEPTH:
            raise self._bad("messages are nested too deeply")
        out = bytearray()
        while not (self.kind == "sign" and self.token == end.encode()):
            if self.kind == "end" and not end:
                return out
            if self.kind != "name":
                raise self._bad(f"a field or {end or 'the end'} must stand here")
            name = self._advance().decode()
            number, kind = (0, None) if schema is None else schema.fields.get(name, (0, None))
            self._field(out, number, kind, depth)
            self._takes(b",", b";")
        self._advance()
        return out

    def _field(self, out: bytearray, number: int, kind: Kind | None, depth: int) -> None:
        has_colon = self._takes(b":")
        if not self._takes(b"["):
            self._value(out, number, kind, (has_colon, depth))
            return
        while not self._takes(b"]"):
            self._value(out, number, kind, (True, depth))
            if not self._takes(b",") and self.token != b"]":
                raise self._bad("a list goes on by a comma, or ends by ]")

    def _value(self, out: bytearray, number: int, kind: Kind | None, place: tuple[bool, int]) -> None:
        has_colon, depth = place
        if self.kind == "sign" and self.token in (b"{", b"<"):
            if isinstance(kind, Scalar):
                raise self._bad("a message is here in place of a single value")
            end = "}" if self._advance() == b"{" else ">"
            content = self.message(kind, end, depth + 1)
            if kind is not None:
                out += bytes_field(number, bytes(content))
            return
        if isinstance(kind, Schema) or not has_colon:
            raise self._bad("a value is here in place of a message")
        content = self._scalar(kind)
        if kind is not None:
            out += varint(number << 3 | kind.wire) + content

    def _scalar(self, kind: Scalar | None) -> bytes:
        """Read one value, and return how it is stored."""
        if self.kind == "text":
            if kind is not None and kind.wire != BYTES:
                raise self._bad("a string is here in place of a number")
            text = self._strings()
            return varint(len(text)) + text
        sign = -1 if self._takes(b"-") else 1
        if self.kind not in ("name", "number") or (kind is not None and kind.wire == BYTES):
            raise self._bad("there is no value of the right kind")
        token = self._advance().decode()
        if kind is None:
            return b""
        if len(token) > _LONGEST_NUMBER:
            raise self._bad("a value is too long")
        return self._real(kind, sign, token) if kind.is_real else self._integer(kind, sign, token)

    def _strings(self) -> bytes:
        """Read string literals that follow each other, which are one string."""
        parts: list[bytes] = []
        while self.kind == "text":
            inner = self._advance()[1:-1]
            parts.append(_ESCAPE.sub(_character, inner) if b"\\" in inner else inner)
        return b"".join(parts)

    def _real(self, kind: Scalar, sign: int, token: str) -> bytes:
        try:
            value = sign * (_REALS[token.lower()] if token.lower() in _REALS else float(token.rstrip("fF")))
        except ValueError as bad:
            raise self._bad(f"{token} is not a number") from bad
        if kind.wire == FIXED64:
            return struct.pack("<d", value)
        try:
            return struct.pack("<f", value)
        except OverflowError:
            return struct.pack("<f", math.copysign(math.inf, value))

    def _integer(self, kind: Scalar, sign: int, token: str) -> bytes:
        try:
            value = sign * (kind.names[token] if token in kind.names else int(token, _base(token)))
        except ValueError as bad:
            raise self._bad(f"{token} is neither a whole number nor the name of one") from bad
        if not -(1 << 63) <= value < 1 << 64:
            raise self._bad(f"{token} does not fit 64 bits")
        return varint(value & (1 << 64) - 1)


def _base(token: str) -> int:
    """Return to which base an integer is written."""
    if token[:2] in ("0x", "0X"):
        return 16
    return 8 if len(token) > 1 and token[0] == "0" else 10


def _character(found: re.Match[bytes]) -> bytes:
    """Return the bytes of an escape sequence."""
    octal, short, medium, long, other = found.groups()
    if octal is not None:
        return bytes([int(octal, 8) & 0xFF])
    if short is not None:
        return bytes([int(short, 16)])
    if other is not None:
        return _LETTERS.get(other, other)
    return chr(min(int(medium or long, 16), 0x10FFFF)).encode("utf-8", "replace")
