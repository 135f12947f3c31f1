"""The page: style, tables, and the networks as data for its script, all in one text."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from typing import Any

from nhwcc.graphs.view import CATEGORIES
from nhwcc.page.drawings import Errors, drawn
from nhwcc.page.html import Html, element, text
from nhwcc.page.network import Network
from nhwcc.page.tables import sections, summary
from nhwcc.report import Report

GROUP = {"fill": "#dfe6ee", "line": "#52606d", "text": "#1f2933"}
"""How a box looks that stands for several operations; one with transposes has a red edge."""

NETWORK = """<section><h2>The network, before and after</h2>
<div class="tools">
<input id="search" type="search" placeholder="operation, tensor, module or type" aria-label="search"/>
<div id="found"></div><span class="legend">{legend}</span></div>
<div id="panes"><div class="pane"></div><div class="pane"></div></div></section>"""


def page_of(source: Network, outputs: Sequence[tuple[Report, Network]]) -> str:
    """Return the page about the networks that were made of a source."""
    networks = [drawn(source, {}), *(drawn(network, _errors(report)) for report, network in outputs)]
    looks: dict[str, Any] = {name: asdict(look) for name, look in CATEGORIES.items()}
    looks |= {"group": GROUP, "transposes": GROUP | {"line": CATEGORIES["transpose"].strong}}
    looks["chosen"] = {"strong": "#ffb300"}
    title = f"{Path(source.title).name} → {', '.join(Path(network.title).name for _, network in outputs)}"
    body = [
        element("header", element("h1", title), Html('<button id="theme" type="button">light / dark</button>')),
        *(summary(report) for report, _ in outputs),
        Html(NETWORK.format(legend=_legend())),
        *_details(outputs),
    ]
    data = json.dumps({"networks": networks, "looks": looks}, ensure_ascii=False, separators=(",", ":"))
    head = f'<meta charset="utf-8"/><title>{text(title)}</title><style>{_asset("page.css")}</style>'
    scripts = f'<script id="data" type="application/json">{_inert(data)}</script><script>{_asset("page.js")}</script>'
    return f'<!DOCTYPE html>\n<html lang="en"><head>{head}</head>\n<body>{"".join(body)}\n{scripts}</body></html>\n'


def _details(outputs: Sequence[tuple[Report, Network]]) -> Iterator[Html]:
    for report, network in outputs:
        if len(outputs) > 1:
            yield element("h1", network.title)
        yield from sections(report, network)


def _errors(report: Report) -> Errors:
    """Return the error of every tensor that was compared, by name."""
    found = report.verification
    compared = [] if found is None else [*found.inside, *found.outputs]
    differences = ((c.name, c.difference) for c in compared)
    return {name: (d.relative, d.status) for name, d in differences if math.isfinite(d.relative)}


def _legend() -> str:
    return "".join(f'<span><i style="background:{c.fill}"></i>{text(c.title)}</span>' for c in CATEGORIES.values())


def _inert(data: str) -> str:
    """Return JSON that ends no element, whatever is in it."""
    return data.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _asset(name: str) -> str:
    return (files("nhwcc.page") / name).read_text(encoding="utf-8")
