"""Where things come from, and how we say what went wrong with them."""

from __future__ import annotations

import difflib
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Literal, SupportsIndex

from .visible import visible

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True)
class Location:
    """The source node an operation stems from; ``via`` names the nodes that were fused into it."""

    node: str
    file: str | None = None
    via: tuple[str, ...] = ()

    def __str__(self) -> str:
        where = f"{self.file}: " if self.file else ""
        trail = f" (with {', '.join(self.via)})" if self.via else ""
        return f'{where}node "{self.node}"{trail}'

    @staticmethod
    def fuse(locations: Iterable[Location | None]) -> Location | None:
        """Merge the origins of operations that become one; the first stays the main one.

        >>> print(Location.fuse([Location("conv1", "m.onnx"), None, Location("relu1", "m.onnx")]))
        m.onnx: node "conv1" (with relu1)
        """
        known = [place for place in locations if place is not None]
        if not known:
            return None
        names = dict.fromkeys(n for place in known for n in (place.node, *place.via))
        return Location(known[0].node, known[0].file, tuple(n for n in names if n != known[0].node))


_here: ContextVar[Location | None] = ContextVar("location", default=None)


@contextmanager
def at(location: Location | None) -> Generator[None, None, None]:
    """Give every operation built inside this block its origin, and Python's errors that name no place this one."""
    token = _here.set(location)
    try:
        yield
    except (MemoryError, RecursionError) as bad:
        if location is not None and not getattr(bad, "__notes__", ()):
            bad.add_note(f"at {location}")
        raise
    finally:
        _here.reset(token)


def here() -> Location | None:
    """Return the origin of what is being built now."""
    return _here.get()


@dataclass(slots=True)
class Diagnostic:
    """One message with its place, the operation it is about and a way out.

    ``inputs`` are those of the network whose elements would have to be known.
    """

    severity: Severity
    code: str
    message: str
    location: Location | None = None
    excerpt: str | None = None
    notes: list[str] = field(default_factory=lambda: list[str]())
    help: str | None = None
    inputs: tuple[str, ...] = ()

    def render(self) -> str:
        """Return the message as a user sees it."""
        lines = [f"{self.severity}[{self.code}]: {self.message}"]
        if self.location:
            lines.append(f"  --> {self.location}")
        if self.excerpt:
            lines += [f"   | {line}" for line in self.excerpt.split("\n")]
        lines += [f"   = note: {note}" for note in self.notes]
        if self.help:
            lines.append(f"   = help: {self.help}")
        return "\n".join(map(visible, lines))


class CompileError(Exception):
    """Raised once for everything that went wrong in one step."""

    def __init__(self, *diagnostics: Diagnostic) -> None:
        super().__init__(*diagnostics)
        self.diagnostics = diagnostics

    def __str__(self) -> str:
        return "\n\n".join(d.render() for d in self.diagnostics)


def error(code: str, message: str, *, excerpt: str | None = None, help: str | None = None) -> CompileError:
    """Build the error with one message, placed at :func:`here`."""
    return CompileError(Diagnostic("error", code, message, here(), excerpt, [], help))


def reason(bad: Exception) -> str:
    """Return why a file can't be read or written, in words, without the system's number of the error.

    >>> reason(FileNotFoundError(2, "No such file or directory"))
    'there is no such file'
    """
    if isinstance(bad, FileNotFoundError):
        return "there is no such file"
    if isinstance(bad, UnicodeDecodeError):
        return "it is not a text in UTF-8"
    if isinstance(bad, RecursionError):
        return "it is nested too deeply"
    if isinstance(bad, ValueError) and "integer string conversion" in str(bad):
        return "a number in it has thousands of digits"
    return (bad.strerror if isinstance(bad, OSError) else None) or str(bad)


def counted(number: object, what: str, several: str = "") -> str:
    """Return a number, or a size without one, with what it counts, in the plural where it is not one.

    >>> counted(1, "transpose"), counted(0, "axis", "axes"), counted(1200, "byte")
    ('1 transpose', '0 axes', '1,200 bytes')
    """
    shown = f"{number.__index__():,}" if isinstance(number, SupportsIndex) else str(number)
    return f"{shown} {what if number == 1 else several or what + 's'}"


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """Return a help text with the name most like ``name``, None if none is.

    >>> did_you_mean("softmx", ["relu", "softmax"])
    "did you mean 'softmax'?"
    """
    close = difflib.get_close_matches(name, list(known), 1)
    return f"did you mean {close[0]!r}?" if close else None


def among(name: str, known: Sequence[str]) -> str:
    """Return a help text about a name that is not one of a pipeline's passes: the nearest of them, or all.

    >>> among("csee", ["cse", "dce", "cse"]), among("a", ["cse", "dce", "cse"]), among("a", [])
    ("did you mean 'cse'?", 'it has cse, dce', 'it is empty')
    """
    every = f"it has {', '.join(dict.fromkeys(known))}" if known else "it is empty"
    return did_you_mean(name, known) or every


@dataclass(frozen=True, slots=True)
class Remark:
    """Something a pass did or nearly did, for ``--explain`` and for the report.

    ``kind`` is "fired" (a rule applied), "missed" (it nearly did; ``text`` says why not), ``"idle"`` (it never did; the
    text says what was in the way where it was nearest), "note" (plain information) or "warning" (the user should know
    it although the result is right).  ``facts`` are the numbers of the text for programs that read remarks.
    """

    kind: Literal["fired", "missed", "idle", "note", "warning"]
    by: str
    text: str = ""
    location: Location | None = None
    facts: Mapping[str, int | float] = field(default_factory=lambda: dict[str, int | float]())


_listeners: ContextVar[tuple[list[Remark], ...]] = ContextVar("listeners", default=())


@contextmanager
def collect_remarks() -> Generator[list[Remark], None, None]:
    """Return a list to which all remarks made inside this block are appended."""
    collected: list[Remark] = []
    token = _listeners.set((*_listeners.get(), collected))
    try:
        yield collected
    finally:
        _listeners.reset(token)


_explains: ContextVar[bool] = ContextVar("explains", default=False)


@contextmanager
def explaining(*, wanted: bool = True) -> Generator[None, None, None]:
    """Let rules that never fire say why, too; it takes time to find out."""
    token = _explains.set(wanted)
    try:
        yield
    finally:
        _explains.reset(token)


def is_explaining() -> bool:
    """Say whether somebody wants to know why rules never fire."""
    return _explains.get()


def remark(item: Remark) -> None:
    """Hand a remark to :func:`collect_remarks`; outside of such a block it is dropped."""
    for listener in _listeners.get():
        listener.append(item)


def remarks_wanted() -> bool:
    """Say whether remarks are collected, so that expensive ones are built only then."""
    return bool(_listeners.get())
