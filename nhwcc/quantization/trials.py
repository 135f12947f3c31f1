"""Trying ways to quantize: a copy is quantized, written, run on samples, and compared with the network in floats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from nhwcc.backends.common.quantize import Quantize
from nhwcc.backends.common.target import Target
from nhwcc.compiler.clone import clone_module
from nhwcc.compiler.diagnostics import collect_remarks
from nhwcc.compiler.ir import Module
from nhwcc.compiler.ops.quantize import Dequantize, RoundDynamic
from nhwcc.compiler.pipeline import Pass, parse_pipeline
from nhwcc.compiler.types import Array
from nhwcc.instruments import run_passes
from nhwcc.options import CompileOptions
from nhwcc.pipelines import build_pipeline
from nhwcc.quantization.goal import Goal
from nhwcc.quantization.measure import CEILING, OutputReport, mean_distance, measure
from nhwcc.quantization.parts import Parts, different_parts
from nhwcc.quantization.prepared import Network
from nhwcc.quantization.report import Candidate, Trial
from nhwcc.quantization.samples import Sample
from nhwcc.request import io_dtype_text
from nhwcc.runners.worker import Worker
from nhwcc.targets import open_timed

if TYPE_CHECKING:
    from nhwcc.backends.tflite.saturation import Saturation

COUNTED = 4
"""On how many samples integers at the ends of their range are counted."""

RUNS = 5
"""Of how many runs the fastest counts."""


@dataclass(frozen=True)
class Measurement:
    """How far outputs are from those in floats, the worst one first, and what the user's metric says.

    ``pieces`` are the dB of outputs, or of what each is joined from, as scores and boxes are.
    """

    outputs: list[OutputReport]
    kept: float | None
    pieces: list[float]


@dataclass
class Bench:
    """Tries candidates for a network on ``samples``; ``held`` are for the report."""

    target: Target
    options: CompileOptions
    network: Network
    runtime: Worker
    samples: Sequence[Sample]
    held: Sequence[Sample]
    goal: Goal
    trials: list[Trial] = field(default_factory=lambda: list[Trial]())
    _want: dict[int, list[dict[str, Array]]] = field(default_factory=lambda: dict[int, list[dict[str, Array]]]())
    _parts: Parts | None = None

    @property
    def module(self) -> Module:
        """The network in floats, whose operations are all legal."""
        return self.network.module

    @property
    def floats(self) -> Path:
        """The file of the network in floats, which trials are compared with."""
        return self.network.floats

    @property
    def is_calibrated(self) -> bool:
        """Whether calibration has seen the ranges of the network's values."""
        return bool(self.network.seen.statistics)

    def run(self, candidate: Candidate, *, timed: bool = False, on_held: bool = False) -> Trial:
        """Try a candidate; remember how it came out.

        ``on_held`` looks at the samples for the report, too: a bound must hold on these.

        Raises:
            CompileError: what the passes or the runtime find.
        """
        module = clone_module(self.module)
        with collect_remarks():
            run_passes(module, self.passes(candidate))
            path = self.floats.with_stem("trial")
            self.target.emit(module, path)
        seen = self.measure(path, self.samples)
        found, kept = [o.sqnr for o in seen.outputs], seen.kept
        time = self.seconds(path) / self.seconds(self.floats) if timed else None
        size = path.stat().st_size
        least = min(found, default=CEILING)
        if on_held:
            held = self.measure(path, self.held)
            least = min((least, *(o.sqnr for o in held.outputs)))
            kept = None if kept is None or held.kept is None else min(kept, held.kept)
        trial = Trial(candidate, mean_distance(seen.pieces), least, size, is_quantized(module), time, kept)
        self.trials = [*(t for t in self.trials if t.candidate != candidate), trial]
        return trial

    def other(self, candidate: Candidate) -> Trial:
        """Run a candidate without counting it among the trials that the best is chosen from."""
        known = self.trials
        found = self.run(candidate, timed=True)
        self.trials = known
        return found

    def passes(self, candidate: Candidate) -> list[Pass]:
        """Return the passes that quantize a module in floats."""
        first = Quantize(
            mode=candidate.mode,
            target=self.target.name,
            statistics=str(self.network.statistics_of(candidate.equalization)),
            method=candidate.method,
            correct_bias=candidate.corrects_bias,
            per_channel=not self.options.per_tensor,
            io_dtype=io_dtype_text(self.options.io_dtype),
            keep_float="\n".join(["", *self.options.keep_float]),
            dynamic="\n".join(candidate.dynamic),
            stored="\n".join(candidate.stored),
            rounded=str((self.network.rounded(candidate.equalization) or "") if candidate.rounds_together else ""),
        )
        equal = [self.network.equalization(candidate.equalization)] if candidate.equalization else []
        last = [p for p in build_pipeline(self.options, self.target.pipeline) if p.after_quantization]
        return [*equal, first, *parse_pipeline(f"legalize{{target={self.target.name}}},search-integers,cse,dce"), *last]

    def measure(self, path: Path, samples: Sequence[Sample]) -> Measurement:
        """Compare a file with the one in floats, outputs that join different ranges part by part."""
        if id(samples) not in self._want:
            self._want[id(samples)] = self.outputs(self.floats, samples)
        want = self._want[id(samples)]
        if self._parts is None:
            self._parts = different_parts(self.module.main, want)
        got = self.outputs(path, samples)
        outputs = measure([self._parts.cut(w) for w in want], [self._parts.cut(g) for g in got])
        pieces = self._pieces(want, got) if self._parts.joined else [o.sqnr for o in outputs]
        return Measurement(outputs, None if self.goal.metric is None else self.goal.metric(want, got), pieces)

    def _pieces(self, want: Sequence[dict[str, Array]], got: Sequence[dict[str, Array]]) -> list[float]:
        """Return the dB of all that outputs are joined from, but of what is zero in all samples."""
        assert self._parts is not None
        whole = Parts(self._parts.joined)
        cut = [whole.cut(w) for w in want]
        heard = {name for outputs in cut for name, array in outputs.items() if array.any()}
        wanted = [{name: array for name, array in outputs.items() if name in heard} for outputs in cut]
        return [o.sqnr for o in measure(wanted, [whole.cut(g) for g in got])]

    def outputs(self, path: Path, samples: Sequence[Sample]) -> list[dict[str, Array]]:
        """Run a file on samples, and return the outputs of each by name."""
        runner = open_timed(self.target, path, self.runtime)
        return [runner.numbers(runner.run(sample)) for sample in samples]

    def saturated(self, path: Path) -> list[Saturation]:
        """Count the integers at the ends of their range in a file on a few samples that are held back."""
        return open_timed(self.target, path, self.runtime).saturated(self.held[:COUNTED])

    def seconds(self, path: Path) -> float:
        """Return how long a file takes for the first sample."""
        return open_timed(self.target, path, self.runtime).seconds(self.samples[0], RUNS)


def is_quantized(module: Module) -> bool:
    """Say whether something is stored or computed in fewer bits."""
    return any(isinstance(op, Dequantize | RoundDynamic) for op in module.walk())
