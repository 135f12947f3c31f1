"""Permutations of many blocks in steps that move few of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain, combinations, islice, pairwise

MOST_CHOICES = 2000
"""Choices of neighbours that stay neighbours; there are 462 for twelve blocks that become six."""

LEAST_HALFWAY = 5
"""Blocks that :func:`halfway` needs; with four, :func:`first_swap` leads on."""

Pair = tuple[int, int]


def halfway(order: Sequence[int], limit: int) -> list[int]:
    """Return an order on the way from ``0, 1, ...`` to ``order``, whose neighbours differ everywhere.

    A permutation of at most ``limit`` blocks, five or more, leads to it, and one of as few as possible on to ``order``:
    as many neighbours stay neighbours as the limit demands, and of the others many become those that they are at last.
    """
    before, after = list(pairwise(range(len(order)))), list(pairwise(order))
    to_front = [pair for pair in before if not set(pair) & {*order[:2]}]
    choices = combinations(before, max(len(order) - limit, 0))
    chained = (_chains(len(order), tied, after) for tied in chain([to_front], islice(choices, MOST_CHOICES)))
    _, best = max(chained, key=lambda found: found[0])
    return [block for found in sorted(best, key=lambda found: found[-1]) for block in found]


def first_swap(order: Sequence[int]) -> list[int]:
    """Return ``0, 1, ...`` with the first blocks that are elsewhere in ``order`` moved there: four blocks move.

    >>> first_swap([0, 3, 4, 2, 1])
    [0, 3, 4, 1, 2]
    """
    begin = next(place for place, block in enumerate(order) if place != block)
    first = order[begin]
    count = next((n for n in range(1, len(order) - begin) if order[begin + n] != first + n), len(order) - begin)
    blocks = list(range(len(order)))
    return [*blocks[:begin], *blocks[first : first + count], *blocks[begin:first], *blocks[first + count :]]


def _chains(count: int, tied: Iterable[Pair], wanted: Iterable[Pair]) -> tuple[int, list[list[int]]]:
    """Tie blocks together, then as many of the wanted pairs as that allows; return their number, and all chains."""
    chains = {block: [block] for block in range(count)}

    def join(pair: Pair) -> bool:
        front, back = (chains[block] for block in pair)
        if front is back or (front[-1], back[0]) != pair:
            return False
        front += back
        chains.update(dict.fromkeys(back, front))
        return True

    for pair in tied:
        join(pair)
    return sum(map(join, wanted)), [found for block, found in chains.items() if found[0] == block]
