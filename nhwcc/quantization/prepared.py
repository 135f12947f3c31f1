"""What quantization needs to know of a network, as it is and with equalized channels; made when it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from nhwcc.backends.common.target import Target
from nhwcc.compiler.clone import clone_module
from nhwcc.compiler.ir import Module
from nhwcc.options import CompileOptions
from nhwcc.passes.equalize_channels import EqualizeChannels
from nhwcc.passes.quantization import rounding, statistics
from nhwcc.passes.quantization.equalize import equalize
from nhwcc.quantization.calibrate import Seen, calibrate, write_named
from nhwcc.quantization.rounding import SEEN, round_weights, sums_of
from nhwcc.quantization.samples import Samples

AGAIN = 64
"""On how many samples at most a network with equalized channels is calibrated: all of many would take twice as long."""


@dataclass
class Network:
    """A network in floats, by a strength of equalization: its file, what calibration saw of it, and rounded weights.

    ``floats`` and ``statistics`` are those of ``module`` as it is.
    """

    target: Target
    options: CompileOptions
    module: Module
    floats: Path
    statistics: Path
    samples: Samples
    seen: Seen
    progress: Callable[[str], None]
    _rounded: dict[float, Path | None] = field(default_factory=lambda: dict[float, Path | None]())

    @property
    def is_known(self) -> bool:
        """Whether real samples say what its values are."""
        return not self.samples.is_random and bool(self.seen.statistics)

    @cached_property
    def can_equalize(self) -> bool:
        """Whether channels can have factors, and the samples are there to calibrate once more."""
        return not self.options.calibration and equalize(clone_module(self.module).main, self.seen.statistics, 1.0) > 0

    def equalization(self, strength: float) -> EqualizeChannels:
        """Return the pass that equalizes channels by a strength from 0 to 1."""
        return EqualizeChannels(statistics=str(self.statistics), strength=strength)

    def file(self, strength: float) -> Path:
        """Return the file in floats, which is written together with its statistics."""
        if strength == 0:
            return self.floats
        path = self.floats.with_stem(f"floats-{strength:g}")
        if not path.exists():
            module = clone_module(self.module)
            self.equalization(strength).run(module)
            names = write_named(self.target, module, path)
            samples = self.seen.others(self.samples, AGAIN)
            seen = calibrate(self.target, path, names, samples, self.progress)
            statistics.save(seen.statistics, self._statistics(strength))
        return path

    def statistics_of(self, strength: float) -> Path:
        """Return the file of statistics for the network that was equalized so."""
        self.file(strength)
        return self._statistics(strength)

    def _statistics(self, strength: float) -> Path:
        return self.statistics.with_stem(f"statistics-{strength:g}") if strength else self.statistics

    def rounded(self, strength: float) -> Path | None:
        """Return a file of weights that were rounded together, None if there are none."""
        if strength not in self._rounded:
            self._rounded[strength] = self._round(strength)
        return self._rounded[strength]

    def _round(self, strength: float) -> Path | None:
        kernels, mode = self.target.integers, self.options.quantize
        if kernels is None or mode is None:
            return None
        module = clone_module(self.module)
        if strength:
            self.equalization(strength).run(module)
        sums = sums_of(module.main, kernels, mode, per_channel=not self.options.per_tensor)
        if not sums:
            return None
        samples = self.seen.others(self.samples, SEEN)
        found = round_weights(self.target, self.file(strength), sums, samples, self.progress)
        path = self.floats.with_name(f"rounded-{strength:g}.npz")
        rounding.save(found, path)
        return path
