"""How long files take in the TFLite runtime, in a process that does nothing else."""

# the runtime's Python interface is untyped
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from ...compiler.diagnostics import CompileError
from ...compiler.types import Array
from ...formats.tflite.single import single_operators
from .runtime import TfliteModel

SECONDS_ALONE = 0.02
"""How long an operator runs alone at least."""

FEWEST = 3
"""Runs that are timed at least."""


class Stopwatch:
    """A file, loaded; ``threads`` run it.

    Of one thread, seconds are those of its processor, which other processes do not lengthen; else those on the wall.
    """

    def __init__(self, path: Path, threads: int, shapes: Mapping[str, Sequence[int]]) -> None:
        self.path, self.threads = path, threads
        self._clock = time.thread_time if threads == 1 else time.perf_counter
        begun = time.perf_counter()
        self._model = TfliteModel(path, threads=threads)
        self._shapes = {
            name: tuple(shapes.get(name, [max(d, 1) for d in port.shape])) for name, port in self._model.inputs.items()
        }
        self._model.resize(self._shapes)
        self.loading = time.perf_counter() - begun

    def sample(self, seconds: float) -> list[float]:
        """Run again and again for so many seconds, after as many without looking at the clock; return what each took.

        Raises:
            CompileError: R013, the runtime fails.
        """
        self._model.run(self._inputs())
        self._times(seconds / 2)
        return self._times(seconds)

    def _inputs(self) -> dict[str, Array]:
        rng = np.random.default_rng(0)
        return {name: _drawn(rng, port.dtype, self._shapes[name]) for name, port in self._model.inputs.items()}

    def _times(self, seconds: float) -> list[float]:
        times: list[float] = []
        total = 0.0  # summed up anew each time, a network of microseconds would take minutes
        while len(times) < FEWEST or total < seconds:
            begun = self._clock()
            self._model.again()
            times.append(self._clock() - begun)
            total += times[-1]
        return times

    def _open_shapes(self) -> dict[int, tuple[int, ...]]:
        """Return the shapes of computed tensors, where a run decides about them; delegates keep those to themselves."""
        if all(d >= 0 for port in self._model.inputs.values() for d in port.shape):
            return {}
        plain = TfliteModel(self.path, delegate=False, threads=self.threads)
        plain.run(self._inputs())
        return plain.shapes()

    def on_delegate(self) -> set[int]:
        """Return the numbers of the operators that XNNPACK runs."""
        return self._model.delegated()

    def alone(self, folder: Path) -> dict[int, float | None]:
        """Return the seconds that each operator takes in a file of its own, with the sizes that it has in this one.

        None where that can't be: it needs more than itself, or sizes that zeros are not.
        """
        known: dict[str, float | None] = {}
        found: dict[int, float | None] = {}
        for single in single_operators(self.path, self._open_shapes()):
            if single.file is not None:
                part = folder / "part.tflite"
                part.write_bytes(single.file)
                with suppress(CompileError):
                    known[single.key] = median(Stopwatch(part, self.threads, {}).sample(SECONDS_ALONE))
            found[single.index] = known.get(single.key)
        return found


def _drawn(rng: np.random.Generator, dtype: np.dtype[Any], shape: Sequence[int]) -> Array:
    """Return numbers of any type; integers are zeros, which are a position in every axis."""
    if dtype.kind != "f":
        return np.zeros(shape, dtype)
    return rng.standard_normal(shape).astype(dtype)
