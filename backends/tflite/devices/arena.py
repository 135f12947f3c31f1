"""How much memory the computed tensors of a file need: those that live at the same time lie beside each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ....compiler.types import Array
from ....formats.tflite.constants import DTYPES
from ....formats.tflite.contents import StoredGraph, StoredTensor, read_contents

ALIGNMENT = 16
"""Bytes of which beginnings of tensors are multiples."""


@dataclass(frozen=True)
class Lifetime:
    """A tensor's bytes, and between which operators it is needed."""

    size: int
    first: int
    last: int


def arena(graph: StoredGraph) -> int | None:
    """Return the bytes of the arena that a subgraph needs, None where sizes are open."""
    lives = lifetimes(graph)
    return None if lives is None else packed(lives)


def arena_of_file(path: Path) -> int | None:
    """Return the bytes of the arena that the main graph of a file needs, None where sizes are open.

    Raises:
        CompileError: R010, the file can't be read.
    """
    return arena(read_contents(path).graphs[0])


def packed(lives: Sequence[Lifetime]) -> int:
    """Place tensors as TFLite Micro does: the largest first, each at the lowest place that is free while it lives.

    Of equal ones the last comes first.

    >>> packed([Lifetime(32, 0, 1), Lifetime(16, 1, 2), Lifetime(32, 2, 3)])
    48
    """
    order = sorted(range(len(lives)), key=lambda number: (-lives[number].size, -number))
    fields = np.asarray([(lives[n].size, lives[n].first, lives[n].last) for n in order], np.int64).reshape(-1, 3)
    starts = np.zeros(len(lives), np.int64)
    for number, (size, first, last) in enumerate(fields):
        before = fields[:number]
        beside = np.flatnonzero((before[:, 1] <= last) & (first <= before[:, 2]))
        beside = beside[np.argsort(starts[beside], kind="stable")]
        starts[number] = _lowest(starts[beside], before[beside, 0], size)
    return int((starts + fields[:, 0]).max(initial=0))


def _lowest(starts: Array, sizes: Array, size: int) -> int:
    """Return the lowest place where so many bytes are free between others."""
    at = 0
    for start, other in zip(starts.tolist(), sizes.tolist(), strict=True):
        if start - at >= size:
            break
        at = max(at, start + other)
    return at


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
