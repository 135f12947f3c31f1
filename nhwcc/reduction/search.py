"""Delta debugging: the smallest part of a list that still has a property, found by leaving out ever smaller pieces."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence


def windows(count: int, near: Sequence[int]) -> Iterator[range]:
    """Yield growing ranges around the places where a fault is probably to be found, none of them more than half.

    >>> list(windows(20, [9]))
    [range(8, 11), range(6, 11), range(3, 12)]
    """
    size = 2
    while near and 3 * size <= 2 * count:
        for place in near:
            before, behind = size // 2 + size // 4, max(size // 4, 1)
            yield range(max(place - max(before, 1), 0), min(place + behind + 1, count))
        size *= 2


def smallest(items: Sequence[int], holds: Callable[[Sequence[int]], bool]) -> list[int]:
    """Leave out pieces as long as the rest holds: one half, one quarter, ..., single items, until none can be left out.

    >>> smallest(range(100), lambda rest: {17, 61} <= set(rest))
    [17, 61]
    """
    rest = list(items)
    size = max(len(rest) // 2, 1)
    while True:
        before = len(rest)
        end = len(rest)
        while end > 0:
            start = max(end - size, 0)
            shorter = [*rest[:start], *rest[end:]]
            if shorter and holds(shorter):
                rest = shorter
            end = start
        if size == 1 and len(rest) == before:
            return rest
        size = max(min(size // 2, len(rest) // 2), 1)
