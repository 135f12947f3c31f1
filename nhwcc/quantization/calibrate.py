"""Calibration: a network runs in floats on samples, and statistics of its values are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable
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

TRIED = 8
"""On how many samples recipes are compared: on some that calibration has not seen, as far as there are, and others."""

HELD_BYTES = 256 << 20
"""How many bytes of samples are held at most."""


@dataclass
class Seen:
    """What calibration saw: how many samples, some of them, some that were held back, and statistics."""

    count: int = 0
    tried: list[Sample] = field(default_factory=lambda: list[Sample]())
    held: list[Sample] = field(default_factory=lambda: list[Sample]())
    statistics: Calibration = field(default_factory=lambda: Calibration())
    bytes: int = 0
    known: int = 0

    def _keep(self, sample: Sample, where: list[Sample], most: int) -> bool:
        size = sum(array.nbytes for array in sample.values())
        if len(where) >= most or (where and self.bytes + size > HELD_BYTES):
            return False
        self.bytes += size
        where.append(sample)
        return True

    def is_held(self, number: int, sample: Sample) -> bool:
        """Hold a sample back from calibration if it is its turn."""
        if number % EVERY != EVERY - 1:
            return False
        if number // EVERY % 2:
            return self._keep(sample, self.tried, TRIED // 2)
        return self._keep(sample, self.held, HELD)

    def try_on(self, sample: Sample) -> None:
        """Keep a sample that calibration sees for the comparison of recipes, too, while there is room."""
        self.known += self._keep(sample, self.tried, TRIED) if self.known < TRIED // 2 else 0


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
    *,
    holds: bool = True,
) -> Seen:
    """Run a file on samples, of which a few are held back unless all shall be seen.

    Raises:
        CompileError: the runtime refuses a sample; what makes the samples fails.
    """
    seen = Seen()
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
