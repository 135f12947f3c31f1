"""What the words SAME and VALID stand for, of convolutions and poolings and of transposed ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

from ...compiler.dims import Dim, at_least
from ...compiler.padding import same_pads

Padding: TypeAlias = Literal["SAME", "VALID"]

Pads: TypeAlias = tuple[tuple[Dim, Dim], ...]


def padding_of(
    padding: Padding, sizes: Sequence[Dim], kernel: Sequence[Dim], strides: Sequence[int], dilations: Sequence[int]
) -> Pads:
    """Return the paddings along each spatial axis that a word stands for."""
    if padding == "VALID":
        return ((0, 0),) * len(sizes)
    fields = zip(sizes, kernel, strides, dilations, strict=True)
    return tuple(same_pads(d, k, s, e) for d, k, s, e in fields if isinstance(k, int))


def transposed_padding(
    given: Sequence[Dim], kernel: Sequence[Dim], strides: Sequence[int], before: Sequence[Dim], sizes: Sequence[Dim]
) -> tuple[Pads, tuple[Dim, ...]]:
    """Return the paddings of a transposed convolution whose result has these ``sizes``, and what is added after it.

    ``before`` are the paddings before, ``given`` the operand's spatial sizes.
    """
    pads: list[tuple[Dim, Dim]] = []
    more: list[Dim] = []
    for size, k, s, p, n in zip(sizes, kernel, strides, before, given, strict=True):
        rest = (n - 1) * s + k - p - size
        pads.append((p, rest if at_least(rest, 0) else 0))
        more.append(0 if at_least(rest, 0) else -rest)
    return tuple(pads), tuple(more)
