"""Integers at the ends of their range: numbers that were clamped, where a range was too narrow for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...compiler.types import Array
from ...formats.tflite.reader import inspect
from .runtime import TfliteModel

BOUNDED = frozenset({"LOGISTIC", "SOFTMAX", "TANH"})
"""Builtins whose results have ends of their own."""

CLAMP = 6.0
"""Where networks clamp anyway, by RELU6."""

BATCH = 64
"""How many tensors are looked at in one run."""


@dataclass(frozen=True)
class Saturation:
    """How many integers of a tensor are the largest or the smallest one that there is; ``kind`` computed it."""

    name: str
    kind: str
    count: int
    size: int

    @property
    def share(self) -> float:
        """The share of the integers that are at an end of their range."""
        return self.count / max(self.size, 1)


class Ends:
    """Runs a file, and counts integers that stand for numbers and are the largest or the smallest that there are."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._graph = inspect(path).main
        self._kinds = {n: op.name for op in self._graph.operators for n in op.outputs}
        self._wanted = [n for n in self._kinds if self._graph.tensors[n].dtype in ("INT8", "UINT8", "INT16")]

    def count(self, samples: Sequence[Mapping[str, Array]]) -> list[Saturation]:
        """Run on samples, given as the file has its inputs; return the tensors with most of them first.

        Raises:
            CompileError: as :meth:`~.runtime.TfliteModel.run`.
        """
        found: list[Saturation] = []
        for start in range(0, len(self._wanted), BATCH):
            part = self._wanted[start : start + BATCH]
            model = TfliteModel(self._path, delegate=False, inside=part)
            counts = dict.fromkeys(part, (0, 0))
            for sample in samples:
                model.run(sample)
                scales = model.scales()
                counts = {n: self._more(n, counts[n], model.tensor(n), scales.get(n)) for n in part}
            found += (Saturation(self._graph.tensors[n].name, self._kinds[n], *counts[n]) for n in part)
        return sorted(found, key=lambda s: -s.share)

    def _more(
        self, number: int, before: tuple[int, int], array: Array | None, scale: tuple[float, int] | None
    ) -> tuple[int, int]:
        if array is None or scale is None:
            return before
        at_ends = 0 if self._kinds[number] in BOUNDED else _at_ends(array, *scale)
        return before[0] + at_ends, before[1] + array.size


def _at_ends(array: Array, scale: float, zero: int) -> int:
    """Count integers at ends that are none of the numbers' own: zero, as of RELU, and what RELU6 leaves, are such."""
    bounds: Any = np.iinfo(array.dtype)
    first, last = int(bounds.min), int(bounds.max)
    ends = [end for end in (first, last) if end != zero and abs((end - zero) * scale - CLAMP) > scale]
    return sum(int((array == end).sum()) for end in ends)
