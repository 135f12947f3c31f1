"""A map of networks, small enough to see whole: operations from left to right as they run, large tensors on top.

The level of an operation is the middle one of its result's sizes: a spatial one, wherever the channels lie.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from nhwcc.graphs.view import CATEGORIES, Box, Graph
from nhwcc.graphs.xml import xml_text

WIDTH, MARGIN = 1200, 36
"""Width of the longest network in pixels; the others have the same scale. Room around, on the left for sizes."""
TITLE, STEP, LEGEND = 46, 26, 44
"""Height of a title, of a halving, and of the legend."""
TALL = 15
"""Height of an operation."""
SKIP = 12
"""Operations after which a value that is read counts as kept: it is drawn as an arc."""

STYLE = """text{font:12px system-ui,sans-serif;fill:#52606d}.t{font-size:17px;font-weight:600;fill:#1f2933}
.n{text-anchor:end;font-size:11px}.g{stroke:#e4e7eb}path{fill:none;stroke:#9aa5b1;stroke-opacity:.75}"""


class Panel(NamedTuple):
    """A network on the map: how far down it begins, the sizes that it has, how wide an operation is."""

    graph: Graph
    top: float
    sizes: list[int]
    pitch: float

    @property
    def height(self) -> float:
        """Its height in pixels, with the title and the lowest level."""
        return TITLE + self._down(self.sizes[0]) + STEP

    def x(self, number: int) -> float:
        """Return the horizontal middle of an operation, by its number, in pixels."""
        return MARGIN + (number + 0.5) * self.pitch

    def y(self, size: int) -> float:
        """Return the vertical middle of the level for tensors of a size, in pixels."""
        return self.top + TITLE + self._down(size)

    def _down(self, size: int) -> float:
        return STEP * (0.5 + math.log2(self.sizes[-1] / size))


def to_map(graphs: Sequence[Graph], titles: Sequence[str]) -> str:
    """Return the text of an .svg file that shows networks below each other, in one scale."""
    pitch = WIDTH / max(len(graph.boxes) for graph in graphs)
    panels: list[Panel] = []
    top = 0.0
    for graph in graphs:
        panels.append(Panel(graph, top, sorted({_level(box) for box in graph.boxes}), pitch))
        top += panels[-1].height
    width, height = WIDTH + 2 * MARGIN, top + LEGEND
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height:.0f}">',
        f'<style>{STYLE}</style><rect width="{width}" height="{height:.0f}" fill="#fff"/>',
    ]
    for panel, title in zip(panels, titles, strict=True):
        parts.append(f'<text class="t" x="{MARGIN}" y="{panel.top + TITLE - 16:.0f}">{xml_text(title)}</text>')
        parts += _grid(panel)
        parts += _arcs(panel)
        parts += (_operation(panel, number, box) for number, box in enumerate(panel.graph.boxes))
    parts += _legend(graphs, top)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _level(box: Box) -> int:
    """The middle one of the sizes that are not 1."""
    sizes = sorted(size for size in box.shape if size > 1)
    return sizes[len(sizes) // 2] if sizes else 1


def _grid(panel: Panel) -> Iterator[str]:
    """A line for every size that is so much smaller than the one above that both have room."""
    end = panel.x(len(panel.graph.boxes))
    last = 0.0
    for size in reversed(panel.sizes):
        y = panel.y(size)
        if y - last >= STEP / 2:
            last = y
            yield f'<path class="g" d="M{MARGIN},{y:.1f}H{end:.1f}"/>'
            yield f'<text class="n" x="{MARGIN - 6}" y="{y + 4:.1f}">{size}</text>'


def _arcs(panel: Panel) -> Iterator[str]:
    """Values that are kept for later."""
    for a, b, text in panel.graph.arrows:
        if b - a < SKIP:
            continue
        x1, x2 = panel.x(a), panel.x(b)
        y1, y2 = (panel.y(_level(panel.graph.boxes[n])) for n in (a, b))
        rise = min(STEP * 0.9, (x2 - x1) / 5)
        yield (
            f'<path d="M{x1:.1f},{y1:.1f}C{x1:.1f},{y1 - rise:.1f} {x2:.1f},{y1 - rise:.1f} {x2:.1f},{y2:.1f}">'
            f"<title>{xml_text(text)}</title></path>"
        )


def _operation(panel: Panel, number: int, box: Box) -> str:
    look = CATEGORIES[box.category]
    width = panel.pitch * 0.84
    return (
        f'<rect x="{panel.x(number) - width / 2:.2f}" y="{panel.y(_level(box)) - TALL / 2:.1f}" width="{width:.2f}" '
        f'height="{TALL}" rx="1" fill="{look.strong}"><title>{xml_text(f"{box.title} {box.detail}")}</title></rect>'
    )


def _legend(graphs: Sequence[Graph], top: float) -> Iterator[str]:
    used = {category.title: category for graph in graphs for category in graph.categories()}
    x, y = float(MARGIN), top + LEGEND / 2
    for category in used.values():
        yield f'<rect x="{x:.0f}" y="{y - 10:.0f}" width="14" height="14" rx="2" fill="{category.strong}"/>'
        yield f'<text x="{x + 20:.0f}" y="{y + 1:.0f}">{category.title}</text>'
        x += 44 + 6.4 * len(category.title)
