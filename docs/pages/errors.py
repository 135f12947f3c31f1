"""docs/errors.md: every code of a diagnostic."""

from __future__ import annotations

from nhwcc.compiler.codes import CODES, FAMILIES

from pages.markdown import page, table

INTRO = """Every message begins with a code, then says what, where and what to do. Exit codes and how messages look are
described in [cli.md](cli.md). `nhwcc explain CODE` prints the lines below."""


def errors() -> str:
    """Print the page."""
    parts: list[str] = []
    for letter, title in FAMILIES.items():
        rows = [(f"`{c}`", f"**{e.title}**", e.cause, e.remedy) for c, e in CODES.items() if c.startswith(letter)]
        parts += [
            f"## {letter}: {title[0].lower()}{title[1:]}" if rows else "",
            table(("", "", "when", "what to do"), rows),
        ]
    return page("Errors", INTRO, *parts)
