"""Diagnostics in words and colours; the command line prints them. ``style`` colours a text, or leaves it as it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from nhwcc.compiler.diagnostics import Diagnostic

Tone = Literal["good", "bad", "warning", "quiet", "strong"]
Style = Callable[[str, Tone], str]


def plain(text: str, _tone: Tone) -> str:
    """Return a string without any colour: the style of files and pipes."""
    return text


def render_diagnostic(diagnostic: Diagnostic, style: Style = plain) -> str:
    """Return a diagnostic, its first word in the colour of its severity."""
    head, *rest = diagnostic.render().splitlines()
    severity, _, message = head.partition(": ")
    tone: Tone = "bad" if diagnostic.severity == "error" else "warning"
    lines = [_paint(line, style) for line in rest]
    return "\n".join([f"{style(severity, tone)}: {style(message, 'strong')}", *lines])


def _paint(line: str, style: Style) -> str:
    """Colour a line below the first one: places and excerpts recede, help stands out."""
    start = line.lstrip()
    if start.startswith(("-->", "|")):
        return style(line, "quiet")
    return style(line, "good") if start.startswith("= help") else line
