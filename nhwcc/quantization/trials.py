"""Trying ways to quantize: a copy is quantized, written, run on samples, and compared with the network in floats."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean

from nhwcc.backends.common.quantize import Quantize
from nhwcc.backends.common.target import Target
from nhwcc.compiler.clone import clone_module
from nhwcc.compiler.diagnostics import collect_remarks
from nhwcc.compiler.ir import Module
from nhwcc.compiler.pipeline import Pass, parse_pipeline
from nhwcc.compiler.types import Array
from nhwcc.instruments import run_passes
from nhwcc.options import CompileOptions
from nhwcc.quantization.measure import measure
from nhwcc.quantization.report import Candidate, Trial
from nhwcc.quantization.samples import Sample
from nhwcc.runners.worker import Worker
from nhwcc.targets import open_timed

CEILING = 60.0
"""Beyond so many dB, an output gains nothing any more."""

RUNS = 5
"""Of how many runs the fastest counts."""


@dataclass
class Bench:
    """Tries candidates for ``module``, whose file in floats is ``floats``, on ``samples``."""

    target: Target
    options: CompileOptions
    module: Module
    floats: Path
    statistics: Path
    runtime: Worker
    samples: Sequence[Sample]
    is_calibrated: bool
    trials: list[Trial] = field(default_factory=lambda: list[Trial]())
    _want: list[dict[str, Array]] | None = None

    def run(self, candidate: Candidate, *, timed: bool = False) -> Trial:
        """Try a candidate; remember how it came out.

        Raises:
            CompileError: what the passes or the runtime find.
        """
        if self._want is None:
            self._want = self.outputs(self.floats, self.samples)
        module = clone_module(self.module)
        with collect_remarks():
            run_passes(module, self.passes(candidate))
        path = self.floats.with_stem("trial")
        self.target.emit(module, path)
        found = [o.sqnr for o in measure(self._want, self.outputs(path, self.samples))]
        time = self.seconds(path) / self.seconds(self.floats) if timed else None
        size = path.stat().st_size
        mean = fmean(min(decibels, CEILING) for decibels in found) if found else CEILING
        trial = Trial(candidate, mean, min(found, default=CEILING), size, time)
        self.trials.append(trial)
        return trial

    def passes(self, candidate: Candidate) -> list[Pass]:
        """Return the passes that quantize a module in floats."""
        kept = [*self.options.keep_float, *(glob.escape(name) for name in candidate.keeps)]
        first = Quantize(
            mode=candidate.mode,
            target=self.target.name,
            statistics=str(self.statistics),
            method=candidate.method,
            correct_bias=candidate.corrects_bias,
            per_channel=not self.options.per_tensor,
            keep_float="\n".join(["", *kept]) if kept else "",
        )
        return [first, *parse_pipeline(f"legalize{{target={self.target.name}}},cse,dce")]

    def outputs(self, path: Path, samples: Sequence[Sample]) -> list[dict[str, Array]]:
        """Run a file on samples."""
        runner = open_timed(self.target, path, self.runtime)
        return [runner.run(sample) for sample in samples]

    def seconds(self, path: Path) -> float:
        """Return how long a file takes for the first sample."""
        return open_timed(self.target, path, self.runtime).seconds(self.samples[0], RUNS)
