"""Rounding weights together in the runtime's process: what they are multiplied with is seen where it is."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ...compiler.types import Array
from ...formats.tflite.reader import inspect
from ...passes.quantization.rounding import ProductsByName
from .runtime import TfliteModel

DRAWN = 4
"""How many sums are looked at for each weight of a sum, in all samples together."""

FEWEST = 64
"""How many sums of one sample at least."""


class Rounder:
    """Runs a file, and sees what sums of products multiply: ``products`` by the operand's name and by their own."""

    def __init__(self, path: Path, products: ProductsByName, samples: int) -> None:
        graph = inspect(path).subgraphs[0]
        numbers = {tensor.name: number for number, tensor in enumerate(graph.tensors)}
        self._products = {numbers[name]: list(own.values()) for name, own in products.items() if name in numbers}
        self._named = {name: one for own in products.values() for name, one in own.items()}
        self._model = TfliteModel(path, inside=list(self._products), threads=os.cpu_count())
        self._samples = samples
        self._rng = np.random.default_rng(0)

    def see(self, inputs: Mapping[str, Array]) -> None:
        """Run on one sample, stored as the file has its inputs.

        Raises:
            CompileError: as :meth:`~.runtime.TfliteModel.run`.
        """
        self._model.run(inputs)
        for tensor, products in self._products.items():
            found = self._model.view(tensor)
            if found is not None:
                for one in products:
                    one.see(found, max(DRAWN * one.size // self._samples, FEWEST), self._rng)
            del found  # the runtime does not run while somebody looks at its memory

    def rounded(self) -> dict[str, Array]:
        """Return the integers of each weight, i8, by the operation's name."""
        return {name: one.rounded() for name, one in self._named.items()}
