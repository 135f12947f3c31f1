"""Texts as people may see them: what a model or a file calls itself never steers a terminal or hides in a line."""

from __future__ import annotations

import unicodedata
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar, cast

T = TypeVar("T")

_HIDDEN = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
"""Categories of Unicode: controls, what changes directions or joins, no characters or halves, ends of lines."""


def visible(text: str) -> str:
    r"""Return a text with everything that can't be seen written as in a program.

    >>> print(visible("conv\x1b[2J\n\u202egnp.exe"))
    conv\x1b[2J\n\u202egnp.exe
    """
    if text.isprintable():
        return text
    return "".join(_escaped(c) if unicodedata.category(c) in _HIDDEN else c for c in text)


def visible_lines(text: str) -> str:
    """Return a text of several lines, with tabs, in which everything else can be seen."""
    return "\n".join("\t".join(map(visible, line.split("\t"))) for line in text.split("\n"))


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def visible_parts(value: T) -> T:
    """Return a report, or a list or table of them, in which every text is visible."""
    found: Any = value
    if isinstance(value, str):
        found = visible(value)
    elif is_dataclass(value) and not isinstance(value, type):
        changed = {f.name: visible_parts(getattr(value, f.name)) for f in fields(value) if f.init}
        found = replace(cast(Any, value), **changed)
    elif isinstance(value, list | tuple):
        items = cast(list[object], value)
        found = [visible_parts(item) for item in items]
        found = found if isinstance(value, list) else tuple(found)
    elif isinstance(value, dict):
        table = cast(dict[object, object], value)
        found = {visible_parts(key): visible_parts(item) for key, item in table.items()}
    return found
