"""What a value is joined from: the parts of a detector's output, for example, boxes beside scores.

A part is looked for through concatenations, one after the other or nested, and what moves their results as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ...compiler.dims import Dim, product
from ...compiler.ir import Value
from ...compiler.ops.shape import Concat, Reshape, Transpose
from ...compiler.scales import Range

Span = tuple[int, int]
"""The first position along an axis, and the one after the last."""


@dataclass(frozen=True)
class Block:
    """A value inside of a joined one, and where it lies along the axes that it does not fill."""

    value: Value
    spans: Mapping[int, Span]


@dataclass(frozen=True)
class Slab:
    """All of a joined value between two positions along one axis, and its range."""

    axis: int
    span: Span
    range: Range


def blocks(value: Value) -> list[Block]:
    """Return the values that a value is joined from, itself if it is computed as one."""
    writer = value.owner
    found: list[Block | None] = []
    if isinstance(writer, Concat):
        found = list(_joined(writer))
    elif isinstance(writer, Transpose):
        places = {p: i for i, p in enumerate(writer.perm)}
        found = [Block(b.value, {places[axis]: s for axis, s in b.spans.items()}) for b in blocks(writer.x)]
    elif isinstance(writer, Reshape):
        found = [_reshaped(b, writer) for b in blocks(writer.x)]
    known = [b for b in found if b is not None]
    return known if known and len(known) == len(found) else [Block(value, {})]


def _joined(op: Concat) -> Iterator[Block | None]:
    """Yield the parts of all operands; None where the size of one is open."""
    start = 0
    for x in op.xs:
        size = x.type.shape[op.axis]
        if not isinstance(size, int):
            yield None
            return
        for block in blocks(x):
            first, last = block.spans.get(op.axis, (0, size))
            yield Block(block.value, {**block.spans, op.axis: (start + first, start + last)})
        start += size


def _reshaped(block: Block, op: Reshape) -> Block | None:
    """Return where a block lies after a reshape; None if it falls apart, since one of its axes is gone."""
    spans = {place_of(axis, op.x.type.shape, op.shape): span for axis, span in block.spans.items()}
    known = {axis: span for axis, span in spans.items() if axis is not None}
    return Block(block.value, known) if len(known) == len(spans) else None


def place_of(axis: int, old: Sequence[Dim], new: Sequence[Dim]) -> int | None:
    """Return which axis of a new shape an axis of the old one has become as it is, None if there is none."""
    before = product(old[:axis])
    return next((i for i, d in enumerate(new) if d == old[axis] and product(new[:i]) == before), None)


def spans_by_axis(found: Sequence[Block]) -> dict[int, list[Span]]:
    """Return, for every axis along which a joined value falls apart as a whole, the spans of its pieces."""
    out: dict[int, list[Span]] = {}
    for axis in sorted({axis for b in found for axis in b.spans}):
        if all(axis in b.spans for b in found):
            spans = {b.spans[axis] for b in found}
            ends = sorted({end for span in spans for end in span})
            cuts = [p for p in ends if not any(start < p < stop for start, stop in spans)]
            out |= {axis: list(pairwise(cuts))} if len(cuts) > 2 else {}
    return out


def ranges_of(found: Sequence[Block], known: Mapping[Value, Range]) -> Callable[[int, Span], Range | None]:
    """Return what says the range of a piece along an axis: None if that of one of its parts is not known."""

    def range_of(axis: int, span: Span) -> Range | None:
        parts = [known.get(b.value) for b in found if span[0] <= b.spans[axis][0] and b.spans[axis][1] <= span[1]]
        whole: Range | None = parts[0] if parts else None
        for part in parts[1:]:
            whole = None if whole is None or part is None else whole.join(part)
        return whole

    return range_of


def slabs(spans: Mapping[int, Sequence[Span]], range_of: Callable[[int, Span], Range | None]) -> list[Slab]:
    """Return the pieces of a joined value along the axis on which their ranges differ most, empty if it is not joined.

    On the first such axis if that is the same.
    """
    best: list[Slab] = []
    for axis, found in spans.items():
        made = [Slab(axis, span, range) for span in found if (range := range_of(axis, span)) is not None]
        if len(made) == len(found) and (not best or ratio(made) > ratio(best)):
            best = made
    return best


def ratio(found: Sequence[Slab]) -> float:
    """How many times wider the widest range is than the narrowest one that is no point."""
    widths = [s.range.width for s in found if s.range.width > 0]
    return max(widths) / min(widths) if widths else 1.0


def alike(found: Sequence[Slab], factor: float) -> list[Slab]:
    """Join neighbours as far as the widest range is no more than ``factor`` times the narrowest."""
    groups: list[list[Slab]] = []
    for slab in found:
        if groups and ratio([*groups[-1], slab]) <= factor:
            groups[-1].append(slab)
        else:
            groups.append([slab])
    return [
        Slab(g[0].axis, (g[0].span[0], g[-1].span[1]), Range(min(s.range.low for s in g), max(s.range.high for s in g)))
        for g in groups
    ]


def index_text(axis: int, span: Span) -> str:
    """Return how a piece is cut.

    >>> index_text(1, (4, 22))
    '[:, 4:22]'
    """
    return f"[{':, ' * axis}{span[0]}:{span[1]}]"
