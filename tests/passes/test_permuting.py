"""Permutations of many blocks in steps: each moves few blocks, and there are as few steps as there can be."""

from __future__ import annotations

import random

import pytest
from nhwcc.passes.lowerings.permuting import halfway

LIMIT = 6


def merged(order: list[int]) -> list[int]:
    """The same permutation of as few blocks as it moves."""
    heads = [b for a, b in zip([None, *order], order, strict=False) if a is None or b != a + 1]
    return [sorted(heads).index(head) for head in heads]


def steps(order: list[int]) -> int:
    """Permute in steps, and return how many these are."""
    if len(order) <= LIMIT:
        return 1
    first = halfway(order, LIMIT)
    assert sorted(first) == sorted(order) and len(merged(first)) <= LIMIT
    rest = merged([first.index(block) for block in order])
    assert len(rest) < len(order)
    return 1 + steps(rest)


def test_windows_of_windows_of_windows() -> None:
    """Height and width in four parts each, dealt out in turn."""
    assert steps([0, 4, 3, 7, 2, 6, 1, 5, 8]) == 2


@pytest.mark.parametrize("count", [7, 8, 9])
def test_two_steps_are_enough(count: int) -> None:
    rng = random.Random(count)
    for _ in range(50):
        assert steps(merged(rng.sample(range(count), count))) <= 2


@pytest.mark.parametrize("count", [12, 40])
def test_many_blocks_come_to_an_end(count: int) -> None:
    rng = random.Random(count)
    assert steps(merged(rng.sample(range(count), count))) < count - LIMIT + 1
