"""Objects in notebooks: what the command line prints, as HTML, in colours that suit light and dark pages."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape

from nhwcc.messages import Style, Tone

LOOKS: dict[str, str] = {
    "good": "color:#2e8b57",
    "bad": "color:#d64545;font-weight:bold",
    "warning": "color:#b8860b",
    "quiet": "opacity:.7",
    "strong": "font-weight:bold",
}
"""How each tone looks; every colour is readable on white and on black."""

BEGIN, END = "\ue000", "\ue001"
"""Characters for private use, which stand around what has a tone until the text is escaped."""

_TONED = re.compile(f"{BEGIN}({'|'.join(LOOKS)}) ")


def as_html(render: Callable[[Style], str]) -> str:
    """Return a text that takes a style as HTML.

    >>> as_html(lambda style: style("a < b", "strong"))
    '<pre style="line-height:1.3"><span style="font-weight:bold">a &lt; b</span></pre>'
    """

    def style(text: str, tone: Tone) -> str:
        return f"{BEGIN}{tone} {text}{END}"

    text = escape(render(style), quote=False)
    toned = _TONED.sub(lambda found: f'<span style="{LOOKS[found[1]]}">', text).replace(END, "</span>")
    return f'<pre style="line-height:1.3">{toned}</pre>'
