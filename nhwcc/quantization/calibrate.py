"""Calibration: a network runs in floats on samples, and statistics of its values are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from nhwcc.backends.common.target import Target
from nhwcc.compiler.clone import clone_module
from nhwcc.compiler.ir import Module
from nhwcc.passes.quantization.names import value_names
from nhwcc.passes.quantization.statistics import Calibration
from nhwcc.quantization.samples import Sample
from nhwcc.targets import open_observer

EVERY = 4
"""One of so many samples is held back: every other one of these for the report, the rest to compare recipes on."""

HELD = 16
"""How many samples are held back at most."""

TRIED = 16
"""On how many samples recipes are compared: half of them calibration has not seen, as far as there are so many."""

COUNTED = 32
"""On how many it is where a metric of the user's decides: such ones often count, as boxes or labels."""

HELD_BYTES = 256 << 20
"""How many bytes of samples are held at most."""


@dataclass
class Seen:
    """What calibration saw: how many samples, some of them, some that were held back, and statistics.

    Recipes are compared on ``compared`` samples at most.  Calibration has not seen those whose numbers are ``apart``.
    """

    count: int = 0
    tried: list[Sample] = field(default_factory=lambda: list[Sample]())
    held: list[Sample] = field(default_factory=lambda: list[Sample]())
    statistics: Calibration = field(default_factory=lambda: Calibration())
    bytes: int = 0
    known: int = 0
    compared: int = TRIED
    apart: set[int] = field(default_factory=lambda: set[int]())

    def _keep(self, sample: Sample, where: list[Sample], most: int) -> bool:
        size = sum(array.nbytes for array in sample.values())
        if len(where) >= most or (where and self.bytes + size > HELD_BYTES):
            return False
        self.bytes += size
        where.append(sample)
        return True

    def is_held(self, number: int, sample: Sample) -> bool:
        """Hold every fourth sample back from calibration, while there is room, and say whether it is."""
        if number % EVERY != EVERY - 1:
            return False
        is_tried = number // EVERY % 2
        where, most = (self.tried, self.known + self.compared // 2) if is_tried else (self.held, HELD)
        is_kept = self._keep(sample, where, most)
        if is_kept:
            self.apart.add(number)
        return is_kept

    def others(self, samples: Iterable[Sample], most: int) -> Iterator[Sample]:
        """Yield those of the same samples that calibration has seen; of more than ``most``, so many, evenly."""
        seen = (sample for number, sample in enumerate(samples) if number not in self.apart)
        count = self.count - len(self.apart)
        return (sample for i, sample in enumerate(seen) if count <= most or i * most % count < most)

    def try_on(self, sample: Sample) -> None:
        """Keep a sample that calibration sees for the comparison of recipes, too, while there is room."""
        if self.known < self.compared // 2:
            self.known += self._keep(sample, self.tried, self.compared)


def write_named(target: Target, module: Module, path: Path) -> list[str]:
    """Write a module so that every value that may be calibrated has a name of its own in the file; return the names."""
    named = clone_module(module)
    names = value_names(named.main)
    for value, name in names.items():
        value.name = name
    target.emit(named, path)
    return list(names.values())


def calibrate(
    target: Target,
    path: Path,
    names: list[str],
    samples: Iterable[Sample],
    progress: Callable[[str], None],
    seen: Seen | None = None,
) -> Seen:
    """Run a file on samples, of which ``seen`` holds a few back; without it, all are seen.

    Raises:
        CompileError: the runtime refuses a sample; what makes the samples fails.
    """
    holds, seen = seen is not None, seen or Seen()
    with open_observer(target, path, names) as observer:
        for number, sample in enumerate(samples):
            if not (holds and seen.is_held(number, sample)):
                observer.see(sample)
                seen.try_on(sample)
            seen.count += 1
            if seen.count & (seen.count - 1) == 0:
                progress(f"calibrating on sample {seen.count}")
        seen.statistics = observer.statistics()
    return seen
