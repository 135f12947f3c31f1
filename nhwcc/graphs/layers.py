"""Layouts of graphs in layers, after Sugiyama: few crossings, boxes near the middle of what they are joined to.

Every box lies below what it reads.  An arrow over several layers bends where it crosses them, so that it passes between
boxes.  In each layer, positions are those nearest to the wished ones that keep the order and the distances.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

LAYER, GAP = 78, 26
"""Distance of layers, and room between boxes, in pixels."""
LONGEST_ARROW = 40
"""Layers that an arrow crosses between boxes; a longer one is drawn straight."""
SWEEPS = 12
"""How often crossings are looked for, down and up in turns."""
BEND = 12.0
"""Width of an arrow that passes a layer."""


class Point(NamedTuple):
    """A position in a drawing, in pixels from its upper left corner."""

    x: float
    y: float


class Layout(NamedTuple):
    """The middle of every box, and through which points each arrow goes."""

    places: list[Point]
    routes: list[list[Point]]


def lay_out(widths: Sequence[float], arrows: Sequence[tuple[int, int]]) -> Layout:
    """Place boxes, given their widths and the arrows between their numbers; most arrows go to larger numbers."""
    if not widths:
        return Layout([], [])
    layers = layers_of(len(widths), arrows)
    room, edges, routes = list(widths), list[tuple[int, int]](), list[list[int]]()
    for a, b in arrows:
        upper, lower = (a, b) if layers[a] <= layers[b] else (b, a)
        between = range(layers[upper] + 1, layers[lower]) if layers[lower] - layers[upper] <= LONGEST_ARROW else ()
        route = [upper, *range(len(layers), len(layers) + len(between)), lower]
        layers += between
        room += [BEND] * len(between)
        edges += pairwise(route) if layers[lower] - layers[upper] == len(route) - 1 else ()
        routes.append(route if upper == a else route[::-1])
    rows = _ordered(_rows(layers), _Neighbours.of(len(layers), edges))
    x = _positions(rows, room, _Neighbours.of(len(layers), edges))
    points = [Point(x[n], layers[n] * LAYER) for n in range(len(layers))]
    return Layout(points[: len(widths)], [[points[n] for n in route] for route in routes])


def layers_of(count: int, arrows: Sequence[tuple[int, int]]) -> list[int]:
    """Put every box below all that it reads; what nothing leads to, just above its first reader."""
    forward = sorted((a, b) for a, b in arrows if a < b)
    layers = [0] * count
    for a, b in forward:
        layers[b] = max(layers[b], layers[a] + 1)
    entries = set(range(count)) - {b for _, b in forward}
    above: dict[int, int] = {}
    for a, b in forward:
        if a in entries:
            above[a] = min(above.get(a, layers[b] - 1), layers[b] - 1)
    for entry, layer in above.items():
        layers[entry] = layer
    return layers


class _Neighbours(NamedTuple):
    """What every box and bend is joined to, in the layer above and in the one below."""

    above: list[list[int]]
    below: list[list[int]]

    @staticmethod
    def of(count: int, edges: Sequence[tuple[int, int]]) -> _Neighbours:
        found = _Neighbours([[] for _ in range(count)], [[] for _ in range(count)])
        for a, b in edges:
            found.above[b].append(a)
            found.below[a].append(b)
        return found


def _rows(layers: Sequence[int]) -> list[list[int]]:
    rows: list[list[int]] = [[] for _ in range(max(layers) + 1)]
    for number, layer in enumerate(layers):
        rows[layer].append(number)
    return rows


def _ordered(rows: list[list[int]], near: _Neighbours) -> list[list[int]]:
    """Order each row by the middle of what its members are joined to, until no sweep takes crossings away."""
    best, least = [list(row) for row in rows], _crossings(rows, near)
    for sweep in range(SWEEPS):
        if not least:
            break
        down = sweep % 2 == 0
        joined = near.above if down else near.below
        for upper, row in pairwise(rows if down else rows[::-1]):
            place = {number: i for i, number in enumerate(upper)}
            old = {number: float(i) for i, number in enumerate(row)}
            row.sort(key=lambda n: _mean([place[m] for m in joined[n] if m in place], old[n]))
        count = _crossings(rows, near)
        if count < least:
            best, least = [list(row) for row in rows], count
    return best


def _mean(places: Sequence[float], otherwise: float) -> float:
    return sum(places) / len(places) if places else otherwise


def _crossings(rows: Sequence[Sequence[int]], near: _Neighbours) -> int:
    """Count the pairs of arrows that cross between neighbouring rows."""
    count = 0
    for upper, lower in pairwise(rows):
        place = {number: i for i, number in enumerate(lower)}
        seen: list[int] = []
        for number in upper:
            ends = sorted(place[n] for n in near.below[number] if n in place)
            count += sum(len(seen) - bisect_left(seen, end + 1) for end in ends)
            for end in ends:
                insort(seen, end)
    return count


def _positions(rows: Sequence[Sequence[int]], widths: Sequence[float], near: _Neighbours) -> list[float]:
    """Say how far right everything lies: sweeps bring each row below the one above, then above the one below."""
    x = [0.0] * len(widths)
    for row in rows:
        for number, place in zip(row, _apart(row, [0.0] * len(row), widths), strict=True):
            x[number] = place
    for joined, order in ((near.above, rows), (near.below, rows[::-1]), (near.above, rows), (near.below, rows[::-1])):
        for row in order:
            wished = [_mean([x[m] for m in joined[n]], x[n]) for n in row]
            for number, place in zip(row, _apart(row, wished, widths), strict=True):
                x[number] = place
    return x


def _apart(row: Sequence[int], wished: Sequence[float], widths: Sequence[float]) -> list[float]:
    """Return the positions nearest to the wished ones, by least squares, in which nothing overlaps.

    Less their distances from the first one, positions may only grow: neighbours that would not are moved as one.
    """
    offsets = [0.0]
    for a, b in pairwise(row):
        offsets.append(offsets[-1] + (widths[a] + widths[b]) / 2 + GAP)
    blocks: list[tuple[float, int]] = []
    for want, offset in zip(wished, offsets, strict=True):
        mean, count = want - offset, 1
        while blocks and blocks[-1][0] > mean:
            other, more = blocks.pop()
            mean, count = (mean * count + other * more) / (count + more), count + more
        blocks.append((mean, count))
    bases = [mean for mean, count in blocks for _ in range(count)]
    return [base + offset for base, offset in zip(bases, offsets, strict=True)]
