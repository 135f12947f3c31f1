"""Calibration in the runtime's process: tensors are looked at where they are, and only statistics leave it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from ...compiler.types import Array
from ...formats.tflite.reader import inspect
from ...passes.quantization.statistics import Calibration, Statistics
from .runtime import TfliteModel

KEPT_BYTES = 1 << 30
"""How many bytes of tensors inside one copy of the network keeps in a run; with more, a sample runs on several."""


class Observer:
    """Runs a file and keeps statistics of its inputs and of tensors inside, by their names."""

    def __init__(self, path: Path, names: Sequence[str]) -> None:
        graph = inspect(path).subgraphs[0]
        numbers = {tensor.name: number for number, tensor in enumerate(graph.tensors)}
        self._path = path
        self._count = os.cpu_count()
        self._threads = ThreadPoolExecutor(self._count)
        self._tensors = {name: numbers[name] for name in names if name in numbers}
        self._models: list[tuple[TfliteModel, list[str]]] = []
        self._seen: Calibration = {name: Statistics() for name in self._tensors}

    def see(self, inputs: Mapping[str, Array]) -> None:
        """Run on one sample, stored as the file has its inputs.

        Raises:
            CompileError: as :meth:`~.runtime.TfliteModel.run`.
        """
        if not self._models:
            self._open(inputs)
        for model, names in self._models:
            model.run(inputs)
            list(self._threads.map(partial(self._look, model), names))

    def _look(self, model: TfliteModel, name: str) -> None:
        found = model.view(self._tensors[name])
        if found is not None:
            self._seen[name].add(found)
        del found  # the runtime does not run while somebody looks at its memory

    def _open(self, inputs: Mapping[str, Array]) -> None:
        """Make as many copies of the network as memory asks for, each of which gives some tensors."""
        plain = TfliteModel(self._path)
        plain.run(inputs)
        sizes = plain.sizes()
        part: list[str] = []
        parts, total = [part], 0
        for name, tensor in self._tensors.items():
            total += sizes.get(tensor, 0)
            if part and total > KEPT_BYTES:
                part, total = [], sizes.get(tensor, 0)
                parts.append(part)
            part.append(name)
        self._models = [
            (TfliteModel(self._path, inside=[self._tensors[n] for n in p], threads=self._count), p) for p in parts
        ]

    def statistics(self) -> Calibration:
        """Return the range and distribution that were seen of each tensor."""
        return self._seen
