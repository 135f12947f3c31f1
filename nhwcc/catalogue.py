"""The catalogue of passes: what exists, with which options. The command line and the docs show it."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Iterator
from dataclasses import MISSING, Field, dataclass, fields
from typing import Any

from nhwcc.compiler.diagnostics import did_you_mean, error
from nhwcc.compiler.pipeline import PASSES, Pass


@dataclass(frozen=True)
class Option:
    """An option of a pass as it is written in a pipeline; the default is empty if it must be given."""

    name: str
    type: str
    default: str


@dataclass(frozen=True)
class PassInfo:
    """A pass: its name, its first sentence, all of its text, its options."""

    name: str
    summary: str
    text: str
    options: list[Option]


def all_passes() -> list[PassInfo]:
    """Return the classes of all registered passes, by the names that pipelines use."""
    return [_describe(PASSES[name]) for name in sorted(PASSES)]


def find_pass(name: str) -> PassInfo:
    """Return the pass of a name.

    Raises:
        CompileError: L002.
    """
    if name not in PASSES:
        help = did_you_mean(name, PASSES) or "nhwcc passes lists them"
        raise error("L002", f"no pass named {name!r}", help=help)
    return _describe(PASSES[name])


def _describe(cls: type[Pass]) -> PassInfo:
    text = inspect.cleandoc(cls.__doc__ or "")
    summary = " ".join(text.split("\n\n")[0].split())
    return PassInfo(cls.name, summary, text, list(_options(cls)))


def _options(cls: type[Pass]) -> Iterator[Option]:
    hints = typing.get_type_hints(cls)
    for field in fields(cls):
        yield Option(field.name.replace("_", "-"), _type(hints[field.name]), _default(field))


def _type(hint: Any) -> str:
    if typing.get_origin(hint) is typing.Literal:
        return " | ".join(map(str, typing.get_args(hint)))
    return getattr(hint, "__name__", str(hint))


def _default(field: Field[Any]) -> str:
    if field.default is MISSING:
        return ""
    return str(field.default).lower() if isinstance(field.default, bool) else str(field.default) or '""'
