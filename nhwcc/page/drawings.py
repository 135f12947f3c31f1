"""What the script of a page draws: networks as plain data, with the places of all boxes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from nhwcc.graphs.draw import CHARACTER, shortened
from nhwcc.graphs.layers import lay_out
from nhwcc.page.folding import Group, counts, fold
from nhwcc.page.network import Network, Operation

MARGIN = 18
"""Room beside the longest line of a box."""

Errors = Mapping[str, tuple[float, str]]
"""The error of tensors by name, relative to the largest value, with the verdict."""


def drawn(network: Network, errors: Errors) -> dict[str, Any]:
    """Return a network with a drawing of each of its groups."""
    groups = fold(network)
    home = {member: number for number, group in enumerate(groups) for member in group.members if member >= 0}
    found = counts(network, groups)
    rows = [_row(op, home[number], errors) for number, op in enumerate(network.operations)]
    drawings = [_drawing(n, network, groups, found) if group.members else None for n, group in enumerate(groups)]
    return {"title": network.title, "ops": rows, "groups": drawings}


def _row(op: Operation, group: int, errors: Errors) -> dict[str, Any]:
    """Return an operation, without what is empty."""
    known = (errors[name] for name in op.tensors if name in errors)
    row = {
        "kind": op.kind,
        "detail": op.detail,
        "category": op.category,
        "path": "/".join(op.path),
        "origins": op.origins,
        "tensors": op.tensors,
        "weights": op.weights,
        "text": op.text,
        "error": next(known, None),
        "reads": sorted({number for number, _ in op.reads}),
    }
    return {"group": group, "bytes": op.bytes, **{key: value for key, value in row.items() if value}}


def _drawing(number: int, network: Network, groups: Sequence[Group], found: Sequence[Counter[str]]) -> dict[str, Any]:
    """Lay a group out: what it reads above, then its members, then what reads it."""
    group = groups[number]
    above = sorted({outside for outside, _ in group.enters})
    below = sorted({outside for _, outside in group.leaves})
    numbers = {("above", outside): i for i, outside in enumerate(above)}
    numbers |= {("", member): i for i, member in enumerate(group.members, len(numbers))}
    numbers |= {("below", outside): i for i, outside in enumerate(below, len(numbers))}
    joined = {(numbers["", a], numbers["", b]): type for (a, b), type in group.arrows.items()}
    joined |= {(numbers["above", a], numbers["", b]): type for (a, b), type in group.enters.items()}
    joined |= {(numbers["", a], numbers["below", b]): type for (a, b), type in group.leaves.items()}
    words = [_words(member, network, groups, found) for _, member in numbers]
    widths = [
        max(len(shortened(title)), 0.9 * len(shortened(detail)), 6) * CHARACTER + MARGIN for title, detail in words
    ]
    places, routes = lay_out(widths, list(joined))
    boxes = [
        [member, round(place.x), round(place.y), round(width), *(1 for _ in where[:1])]
        for (where, member), place, width in zip(numbers, places, widths, strict=True)
    ]
    arrows = [
        [[round(v) for point in route for v in point], type]
        for route, type in zip(routes, joined.values(), strict=True)
    ]
    counted = {category: count for category, count in found[number].items() if category != "interface"}
    return {"title": group.title, "parent": group.parent, "boxes": boxes, "arrows": arrows, "counts": counted}


def _words(member: int, network: Network, groups: Sequence[Group], found: Sequence[Counter[str]]) -> tuple[str, str]:
    """Return the two lines of a box, as the script writes them."""
    if member >= 0:
        return network.operations[member].kind, network.operations[member].detail
    return groups[~member].title, f"{sum(found[~member].values())} operations, {found[~member]['transpose']} transposes"


def largest(network: Network, count: int) -> Iterator[Operation]:
    """Yield the operations whose results take most bytes."""
    sized = [op for op in network.operations if op.bytes and op.category != "interface"]
    yield from sorted(sized, key=lambda op: -(op.bytes or 0))[:count]
