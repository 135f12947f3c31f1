"""SVG of a drawing: boxes in layers, arrows as curves between them.

The drawing is as large as the network: a viewer zooms, and every box tells its operation when it is pointed at.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from nhwcc.graphs.layers import Point, lay_out
from nhwcc.graphs.view import CATEGORIES, Box, Graph
from nhwcc.graphs.xml import xml_text

CHARACTER = 6.6
"""Width of a character in pixels; boxes are as wide as their longest line."""
HEIGHT, MARGIN = 38, 40
"""Height of a box, room around all."""
LEGEND = 24
"""Height of a line of the legend."""
LONGEST = 44
"""Characters of a line; longer texts are shortened, the tooltip has them whole."""

STYLE = """text{font:11px sans-serif;text-anchor:middle}.d{font-size:9.5px;opacity:.75}
path{fill:none;stroke:#7b8794;stroke-width:1.1;marker-end:url(#a)}.k{text-anchor:start}
g:hover>rect{stroke-width:2.5}rect{stroke-width:1;rx:5}"""


def to_svg(graph: Graph) -> str:
    """Return a drawing of a graph with a legend, as the text of an ``.svg`` file."""
    widths = [width(box) for box in graph.boxes]
    places, routes = lay_out(widths, [(a, b) for a, b, _ in graph.arrows])
    right = max((p.x + w / 2 for p, w in zip(places, widths, strict=True)), default=0) + MARGIN
    left = min((p.x - w / 2 for p, w in zip(places, widths, strict=True)), default=0) - MARGIN
    legend = graph.categories()
    top = -HEIGHT - MARGIN - LEGEND * (len(legend) + 1)
    bottom = max((p.y for p in places), default=0) + HEIGHT + MARGIN
    across, height = max(right - left, 420), bottom - top
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{across:.0f}" height="{height:.0f}" '
        f'viewBox="{left:.0f} {top:.0f} {across:.0f} {height:.0f}">'
        f'<rect x="{left:.0f}" y="{top:.0f}" width="{across:.0f}" height="{height:.0f}" fill="#fff"/>'
        f'<style>{STYLE}</style><defs><marker id="a" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" '
        f'markerHeight="7" orient="auto"><path d="M0,0 8,4 0,8z" style="fill:#7b8794;stroke:none;marker-end:none"/>'
        f"</marker></defs>"
    )
    parts = [head, *_legend(graph, Point(left + MARGIN, top + MARGIN))]
    parts += (
        f'<path d="{_curve(_between(route))}"><title>{xml_text(text)}</title></path>'
        for route, (*_, text) in zip(routes, graph.arrows, strict=True)
    )
    parts += (_box(*drawn) for drawn in zip(graph.boxes, places, widths, strict=True))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _between(route: Sequence[Point]) -> list[Point]:
    """From the lower edge of the first box to the upper edge of the last one."""
    first, *middle, last = route
    return [Point(first.x, first.y + HEIGHT / 2), *middle, Point(last.x, last.y - HEIGHT / 2)]


def _curve(route: list[Point]) -> str:
    """A smooth line through points, leaving and arriving straight down."""
    parts = [f"M{route[0].x:.0f},{route[0].y:.0f}"]
    for a, b in pairwise(route):
        bend = (b.y - a.y) / 2
        parts.append(f"C{a.x:.0f},{a.y + bend:.0f} {b.x:.0f},{b.y - bend:.0f} {b.x:.0f},{b.y:.0f}")
    return " ".join(parts)


def _box(box: Box, place: Point, width: float) -> str:
    look = CATEGORIES[box.category]
    x, y = place
    more = xml_text(box.tooltip or f"{box.title} {box.detail}")
    return (
        f'<g><rect x="{x - width / 2:.0f}" y="{y - HEIGHT / 2:.0f}" width="{width:.0f}" height="{HEIGHT}" '
        f'fill="{look.fill}" stroke="{look.line}"/><title>{more}</title>'
        f'<text x="{x:.0f}" y="{y - 3:.0f}" fill="{look.text}">{xml_text(shortened(box.title))}</text>'
        f'<text class="d" x="{x:.0f}" y="{y + 11:.0f}" fill="{look.text}">{xml_text(shortened(box.detail))}</text></g>'
    )


def _legend(graph: Graph, at: Point) -> Iterator[str]:
    yield f'<text class="k" x="{at.x:.0f}" y="{at.y:.0f}" style="font-size:14px">{xml_text(graph.title)}</text>'
    for line, category in enumerate(graph.categories(), 1):
        y = at.y + line * LEGEND
        yield (
            f'<rect x="{at.x:.0f}" y="{y - 12:.0f}" width="26" height="16" fill="{category.fill}" '
            f'stroke="{category.line}"/><text class="k" x="{at.x + 36:.0f}" y="{y:.0f}">{category.title}</text>'
        )


def width(box: Box) -> float:
    """Return how wide a box must be for its lines, in pixels."""
    return max(len(shortened(box.title)), len(shortened(box.detail)) * 0.9, 6) * CHARACTER + 16


def shortened(text: str) -> str:
    """Return a text as it fits into a box."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
