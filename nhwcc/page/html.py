"""Pieces of HTML: strings are escaped here, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from nhwcc.compiler.visible import visible


class Html(str):
    """A string that is HTML already, and is not escaped again."""

    __slots__ = ()


def text(value: object) -> Html:
    """Return a value as HTML, escaped unless it is that already."""
    return value if isinstance(value, Html) else Html(escape(visible(str(value))))


def element(tag: str, *inside: object, kind: str = "") -> Html:
    """Return an HTML element around escaped content; ``kind`` is its CSS class."""
    stated = f' class="{escape(kind)}"' if kind else ""
    return Html(f"<{tag}{stated}>{''.join(map(text, inside))}</{tag}>")


def table(head: Sequence[str], rows: Iterable[Sequence[object]], *, numbers: Sequence[int] = ()) -> Html:
    """Return a table; ``numbers`` are columns that are aligned to the right. Nothing if there are no rows."""

    def line(tag: str, cells: Sequence[object]) -> Html:
        return element("tr", *(element(tag, c, kind="number" if i in numbers else "") for i, c in enumerate(cells)))

    lines = [line("td", row) for row in rows]
    titles = [line("th", head)] if any(head) else []
    return element("table", *titles, *lines, kind="") if lines else Html()


def section(title: str, *inside: Html) -> Html:
    """Return a titled section; nothing if there is nothing inside."""
    return element("section", element("h2", title), *inside) if any(inside) else Html()
