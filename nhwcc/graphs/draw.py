"""SVG of a drawing: layers by igraph's Sugiyama layout, boxes and curves by ourselves.

The drawing is as large as the network: a viewer zooms, and every box tells its operation when it is pointed at.
"""

# igraph is untyped: what comes out of it is numbers
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from itertools import pairwise
from typing import Any, NamedTuple

from nhwcc.compiler.diagnostics import error
from nhwcc.graphs.view import CATEGORIES, Box, Graph
from nhwcc.graphs.xml import xml_text

CHARACTER = 6.6
"""Width of a character in pixels; boxes are as wide as their longest line."""
HEIGHT, GAP, LAYER, MARGIN = 38, 26, 78, 40
"""Height of a box, room between boxes, distance of layers, room around all."""
LEGEND = 24
"""Height of a line of the legend."""
LONGEST = 44
"""Characters of a line; longer texts are shortened, the tooltip has them whole."""
LONGEST_ARROW = 40
"""Layers that an arrow crosses between boxes; a longer one is drawn straight."""
SWEEPS = 30
"""How often crossings are looked for."""

STYLE = """text{font:11px sans-serif;text-anchor:middle}.d{font-size:9.5px;opacity:.75}
path{fill:none;stroke:#7b8794;stroke-width:1.1;marker-end:url(#a)}.k{text-anchor:start}
g:hover>rect{stroke-width:2.5}rect{stroke-width:1;rx:5}"""


class Point(NamedTuple):
    """A place in pixels."""

    x: float
    y: float


def to_svg(graph: Graph) -> str:
    """Return the text of an .svg file.

    Raises:
        CompileError: R017, igraph is not installed.
    """
    places, routes = _layout(graph)
    widths = [_width(box) for box in graph.boxes]
    right = max((p.x + w / 2 for p, w in zip(places, widths, strict=True)), default=0) + MARGIN
    left = min((p.x - w / 2 for p, w in zip(places, widths, strict=True)), default=0) - MARGIN
    legend = graph.categories()
    top = -HEIGHT - MARGIN - LEGEND * (len(legend) + 1)
    bottom = max((p.y for p in places), default=0) + HEIGHT + MARGIN
    width, height = max(right - left, 420), bottom - top
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="{left:.0f} {top:.0f} {width:.0f} {height:.0f}">'
        f'<rect x="{left:.0f}" y="{top:.0f}" width="{width:.0f}" height="{height:.0f}" fill="#fff"/>'
        f'<style>{STYLE}</style><defs><marker id="a" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" '
        f'markerHeight="7" orient="auto"><path d="M0,0 8,4 0,8z" style="fill:#7b8794;stroke:none;marker-end:none"/>'
        f"</marker></defs>"
    )
    parts = [head, *_legend(graph, Point(left + MARGIN, top + MARGIN))]
    parts += (f'<path d="{_curve(route)}"><title>{xml_text(text)}</title></path>' for route, text in routes)
    parts += (_box(box, place, width) for box, place, width in zip(graph.boxes, places, widths, strict=True))
    return "\n".join([*parts, "</svg>"]) + "\n"


def is_available() -> bool:
    """Say whether igraph is installed."""
    try:
        import_module("igraph")
    except ImportError:
        return False
    return True


def _layout(graph: Graph) -> tuple[list[Point], list[tuple[list[Point], str]]]:
    """Place boxes in layers, and say through which points each arrow goes."""
    if not is_available():
        raise error("R017", "drawing needs igraph", help="pip install 'nhwcc[draw]'")
    if not graph.boxes:
        return [], []
    layers = _layers(graph)
    edges: list[tuple[int, int]] = []
    routes: list[list[int]] = []
    for a, b, _ in graph.arrows:
        between = range(layers[a] + 1, layers[b]) if layers[b] - layers[a] <= LONGEST_ARROW else ()
        route = [a, *range(len(layers), len(layers) + len(between)), b]
        layers += between
        edges += pairwise(route)
        routes.append(route)
    igraph: Any = import_module("igraph")
    net = igraph.Graph(len(layers), edges, directed=True)
    room = max(_width(box) for box in graph.boxes) + GAP
    layout = net.layout_sugiyama(layers=layers, hgap=room, vgap=LAYER, maxiter=SWEEPS)
    points = [Point(x, y) for x, y in layout.coords]
    lines = [_between([points[n] for n in route]) for route in routes]
    return points[: len(graph.boxes)], list(zip(lines, (text for *_, text in graph.arrows), strict=True))


def _layers(graph: Graph) -> list[int]:
    """Put every box below all that it reads; what nothing leads to, just above its first reader."""
    layers = [0] * len(graph.boxes)
    for a, b, _ in graph.arrows:  # readers come after what they read
        layers[b] = max(layers[b], layers[a] + 1)
    entries = set(range(len(layers))) - {b for _, b, _ in graph.arrows}
    for entry in entries:
        layers[entry] = min((layers[b] - 1 for a, b, _ in graph.arrows if a == entry), default=0)
    return layers


def _between(route: list[Point]) -> list[Point]:
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
        f'<text x="{x:.0f}" y="{y - 3:.0f}" fill="{look.text}">{xml_text(_short(box.title))}</text>'
        f'<text class="d" x="{x:.0f}" y="{y + 11:.0f}" fill="{look.text}">{xml_text(_short(box.detail))}</text></g>'
    )


def _legend(graph: Graph, at: Point) -> Iterator[str]:
    yield f'<text class="k" x="{at.x:.0f}" y="{at.y:.0f}" style="font-size:14px">{xml_text(graph.title)}</text>'
    for line, category in enumerate(graph.categories(), 1):
        y = at.y + line * LEGEND
        yield (
            f'<rect x="{at.x:.0f}" y="{y - 12:.0f}" width="26" height="16" fill="{category.fill}" '
            f'stroke="{category.line}"/><text class="k" x="{at.x + 36:.0f}" y="{y:.0f}">{category.title}</text>'
        )


def _width(box: Box) -> float:
    return max(len(_short(box.title)), len(_short(box.detail)) * 0.9, 6) * CHARACTER + 16


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
