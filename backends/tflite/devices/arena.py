"""How much memory the computed tensors of a file need: those that live at the same time lie beside each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ....formats.tflite.constants import DTYPES
from ....formats.tflite.contents import StoredGraph, StoredTensor

ALIGNMENT = 16
"""Bytes of which beginnings of tensors are multiples."""


@dataclass(frozen=True)
class Lifetime:
    """A tensor's bytes, and between which operators it is needed."""

    size: int
    first: int
    last: int

    def meets(self, other: Lifetime) -> bool:
        """Say whether both are needed at the same time."""
        return self.first <= other.last and other.first <= self.last


def arena(graph: StoredGraph) -> int | None:
    """Return the bytes of the arena that a subgraph needs, None where sizes are open."""
    lives = lifetimes(graph)
    return None if lives is None else packed(lives)


def packed(lives: Sequence[Lifetime]) -> int:
    """Place tensors as TFLite Micro does: the largest first, each at the lowest place that is free while it lives.

    Of equal ones the last comes first.

    >>> packed([Lifetime(32, 0, 1), Lifetime(16, 1, 2), Lifetime(32, 2, 3)])
    48
    """
    placed: list[tuple[int, Lifetime]] = []
    for _, life in sorted(enumerate(lives), key=lambda item: (-item[1].size, -item[0])):
        beside = sorted((start, start + other.size) for start, other in placed if other.meets(life))
        at = 0
        for start, end in beside:
            if start - at >= life.size:
                break
            at = max(at, end)
        placed.append((at, life))
    return max((start + life.size for start, life in placed), default=0)


def lifetimes(graph: StoredGraph) -> list[Lifetime] | None:
    """Return when each computed tensor of a subgraph is needed, None where sizes are open."""
    end = len(graph.operators)
    first = dict.fromkeys((n for n in graph.inputs if n >= 0), 0)
    last = dict(first)
    for number, op in enumerate(graph.operators):
        for tensor in op.info.outputs:
            if tensor >= 0:
                first.setdefault(tensor, number)
                last[tensor] = number
        last.update((tensor, number) for tensor in op.info.inputs if tensor in first)
    last.update((tensor, end) for tensor in graph.outputs if tensor in first)
    sizes = {tensor: nbytes(graph.tensors[tensor]) for tensor in first}
    if any(size is None for size in sizes.values()):
        return None
    lives = [Lifetime(_aligned(sizes[t] or 0), first[t], last[t]) for t in sorted(first)]
    return [*lives, *_scratch(graph)]


def _scratch(graph: StoredGraph) -> Iterator[Lifetime]:
    """Yield the sums in which transposed convolutions of integers add up their results."""
    for number, op in enumerate(graph.operators):
        if op.name == "TRANSPOSE_CONV":
            size = nbytes(graph.tensors[op.info.outputs[0]]) or 0
            wide = {"INT8": 4, "INT16": 4}.get(graph.tensors[op.info.outputs[0]].info.dtype, 0)
            if wide:
                yield Lifetime(_aligned(size * wide), number, number)


def nbytes(tensor: StoredTensor) -> int | None:
    """Return a tensor's bytes, None if a size is open or elements are no numbers."""
    dtype = DTYPES.get(tensor.info.dtype)
    if dtype is None or any(d < 0 for d in tensor.info.shape):
        return None
    count = 1
    for size in tensor.info.shape:
        count *= size
    return (count * dtype.bits + 7) // 8


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT
