"""The page about a zoo: a table of the last run, and how every model came out in the runs before."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files

from nhwcc.page.html import Html, element, table
from nhwcc.render import human_bytes
from nhwcc.zoo.results import Result
from nhwcc.zoo.run import Row

SHOWN = 20
"""Runs that the history goes back."""

NUMBERS = ("operations", "transposes", "error", "size", "time")
HEAD = ("model", "target", "result", *NUMBERS, "expected", "change", "history")
"""Titles of columns."""

TONES = {"ok": "good", "not proven": "warning"}
"""How a status looks; all others are bad."""


def zoo_page(rows: Sequence[Row], runs: Sequence[Sequence[Result]], title: str) -> str:
    """Return the HTML page of a run: all results, and a history of the last runs."""
    by_run = [{result.title: result for result in run} for run in runs[-SHOWN:]]
    lines = [_line(row, [run.get(row.task.title) for run in by_run]) for row in rows]
    counts: dict[str, int] = {}
    for row in rows:
        counts[row.result.status] = counts.get(row.result.status, 0) + 1
    said = ", ".join(f"{count} {status}" for status, count in counts.items())
    worse = sum(row.is_worse for row in rows)
    body = [
        element("h1", title),
        element("p", f"{len(rows)} results: {said}; {worse} worse than in the last run."),
        table(HEAD, lines, numbers=[3, 4, 5, 6, 7]),
        element("h2", "Messages"),
        table(("", "message"), [(row.task.title, row.result.message) for row in rows if row.result.message]),
    ]
    style = (files("nhwcc.page") / "page.css").read_text(encoding="utf-8")
    top = f'<meta charset="utf-8"/>{element("title", title)}<style>{style}</style>'
    return f'<!DOCTYPE html>\n<html lang="en"><head>{top}</head>\n<body>{"".join(body)}</body></html>\n'


def _line(row: Row, history: Sequence[Result | None]) -> tuple[object, ...]:
    """Return the cells of a row."""
    missed = element("span", row.missed, kind="bad")
    change = element("span", row.change, kind="bad" if row.is_worse else "quiet")
    marks = Html("".join(map(_mark, history)))
    return (row.task.name, row.task.target, _status(row.result), *_numbers(row.result), missed, change, marks)


def _status(result: Result) -> Html:
    return element("span", result.status, kind=TONES.get(result.status, "bad"))


def _numbers(result: Result) -> tuple[object, ...]:
    if not result.bytes:
        return ("", "", "", "", f"{result.seconds:.1f} s")
    error = "" if result.error is None else f"{result.error:.1e}"
    return (result.operations, result.transposes, error, human_bytes(result.bytes), f"{result.seconds:.1f} s")


def _mark(result: Result | None) -> Html:
    """Return a square for a run."""
    if result is None:
        return element("span", "·", kind="quiet")
    return element("span", "■", kind=TONES.get(result.status, "bad"))
