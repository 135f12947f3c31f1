"""Numbers for symbolic sizes: what a network is run with first, and what again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle

from nhwcc.compiler.types import TensorType

FIRST: tuple[tuple[int, ...], ...] = (
    *((64, 96, 128, 160), (64,), (224,), (32,), (16,), (5, 6, 7, 8), (8,), (2,), (1,)),
    *((288,), (576,), (1024,), (4096,), (16000,)),
)
"""What named sizes are tried with, in turn; different names get different sizes first, so that none is mistaken."""

AGAIN: tuple[tuple[tuple[int, ...], ...], ...] = (
    ((45, 77, 51, 83), (96, 128, 160, 64), (80,), (48,), (7,), (3,)),
    ((109, 61, 91, 39), (128, 160, 64, 96), (112,), (40,), (11,), (4,)),
)
"""The same for the second and third run: odd sizes come first, for they show how what strides leave is rounded."""

STEPS = (7, 1, 32)
"""How far from those of the first run sizes are tried last."""

Types = Mapping[str, TensorType]


def choices(names: Sequence[str], types: Types) -> Iterator[dict[str, int]]:
    """Sizes for all names: 1 for batches, the others from :data:`FIRST`."""
    batch, others = _batches(names, types)
    for sizes in FIRST if others else [(1,)]:
        yield dict.fromkeys(batch, 1) | dict(zip(others, cycle(sizes)))
    if batch and others:
        yield dict.fromkeys(names, 1)


def variations(names: Sequence[str], types: Types, first: Mapping[str, int], run: int) -> Iterator[dict[str, int]]:
    """Sizes for run 1, 2, ..., all of them others than the first ones where the network allows it.

    Some networks take batches of one only, and some take few sizes near those that they are made for.
    """
    batch, others = _batches(names, types)
    if not others:
        yield from (dict.fromkeys(batch, (run + 1) * factor) for factor in (1, 2, 4))
        return
    tried = [dict(zip(others, cycle(sizes))) for sizes in AGAIN[(run - 1) % len(AGAIN)]]
    tried += [{name: first[name] + run * step for name in others} for step in STEPS]
    for amount in (run + 1, 1) if batch else (1,):
        yield from (dict.fromkeys(batch, amount) | sizes for sizes in tried)


def _batches(names: Sequence[str], types: Types) -> tuple[list[str], list[str]]:
    """Tell the names of batches from all others: by what they are called, or by where they stand.

    If all inputs begin with names, those that stand nowhere else are batches.
    """
    begin = {str(type.shape[0]) for type in types.values() if type.shape}
    inside = {str(size) for type in types.values() for size in type.shape[1:]}
    first = begin - inside if begin <= set(names) else set[str]()
    short = {n for n in begin if n.lower() in ("n", "b", "bs")}  # elsewhere, n counts something else
    batch = [n for n in names if n in short or "batch" in n.lower() or n in first]
    return batch, [n for n in names if n not in batch]
