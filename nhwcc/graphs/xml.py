"""Texts in drawings: escaped for XML, in which control characters can't even be written as numbers."""

from __future__ import annotations

from xml.sax.saxutils import escape

from nhwcc.compiler.visible import visible_lines


def xml_text(text: str) -> str:
    """Return a string escaped for the text between two tags."""
    return escape(visible_lines(text))
