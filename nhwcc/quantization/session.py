"""Quantizing a compiled network: calibrate, try recipes, take the one that loses least, say what it lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from statistics import fmean

from nhwcc.backends.common.quantize import Quantize
from nhwcc.backends.common.target import Emitted, Target
from nhwcc.compiler.clone import clone_module
from nhwcc.compiler.diagnostics import Remark, collect_remarks, error, remark
from nhwcc.compiler.ir import Module
from nhwcc.compiler.options import QuantizationMode, RangeMethod
from nhwcc.compiler.pipeline import Pass, parse_pipeline
from nhwcc.compiler.types import Array, TensorType
from nhwcc.files import scratch
from nhwcc.instruments import Instrument, Stage, run_passes
from nhwcc.options import CompileOptions
from nhwcc.passes.quantization import statistics
from nhwcc.quantization.calibrate import HELD, Seen, calibrate, write_named
from nhwcc.quantization.images import ImageFormat
from nhwcc.quantization.measure import OutputReport, measure
from nhwcc.quantization.report import QuantizationReport, Trial, describe
from nhwcc.quantization.samples import Sample, samples_of
from nhwcc.targets import open_runner, start_runtime

METHODS: tuple[RangeMethod, ...] = ("minmax", "percentile", "mse")
"""How ranges may be chosen, in the order in which they are tried."""

LEAST = 10.0
"""The least distance from the network in floats that is accepted, in dB, unless the user says something else."""

CEILING = 60.0
"""Beyond so many dB, an output gains nothing any more."""


@dataclass
class Session:
    """Quantizes ``module``, whose operations are all legal, as ``options`` say."""

    target: Target
    options: CompileOptions
    module: Module
    types: Mapping[str, TensorType]
    progress: Callable[[str], None]
    stack: ExitStack
    seen: Seen = field(default_factory=Seen)

    def __post_init__(self) -> None:
        self.folder = self.stack.enter_context(scratch()).path
        self.floats = self.folder / f"floats{self.target.suffix}"
        self.names = write_named(self.target, self.module, self.floats)
        images = ImageFormat.parse(self.options.images or "")
        self.samples = samples_of(self.options.data, self.types, images, self.options.seed)
        self.runtime = self.stack.enter_context(start_runtime(self.target))

    @property
    def first_sample(self) -> Sample | None:
        """A sample of the user's, on which the network in floats is verified."""
        return None if self.samples.is_random else next(iter(self.samples), None)

    def run(self, draft: Path, instruments: Sequence[Instrument]) -> tuple[Emitted, QuantizationReport, list[Stage]]:
        """Quantize the module, write it, and measure.

        Raises:
            CompileError: Q001 to Q004; what the samples, the passes or the runtime find.
        """
        self._calibrate()
        tried = self.seen.tried or self.seen.held
        trials = self._compare(tried)
        chosen = max(trials, key=lambda t: t.sqnr, default=None)
        with collect_remarks() as remarks:
            stages = run_passes(self.module, self._passes(chosen), instruments)
        emitted = self.target.emit(self.module, draft)
        held = self.seen.held or tried
        outputs = measure(self._outputs(self.floats, held), self._outputs(draft, held))
        least = LEAST if self.options.min_sqnr is None else self.options.min_sqnr
        notes = [r.text for r in remarks if r.by == "quantize" and r.kind == "note"]
        sizes = self.floats.stat().st_size, draft.stat().st_size
        report = QuantizationReport(
            mode_of(self.options),
            self.samples.title,
            self.seen.count,
            len(self.seen.held),
            chosen,
            trials,
            outputs,
            least,
            *sizes,
            notes,
        )
        self._check(report)
        return emitted, report, stages

    def calibrate(self) -> Seen:
        """Run on all samples, without holding any back; return what was seen.

        Raises:
            CompileError: the runtime refuses a sample; what makes the samples fails.
        """
        return calibrate(self.target, self.floats, self.names, self.samples, self.progress, holds=False)

    def _calibrate(self) -> None:
        """Get the statistics: from the user's files, or by running on the samples."""
        files = self.options.calibration
        mode = mode_of(self.options)
        if files:
            for number, sample in enumerate(self.samples):
                if not self.seen.is_held(number, sample):
                    self.seen.try_on(sample)
                self.seen.count += 1
            self.seen.statistics = statistics.joined(statistics.load(Path(file)) for file in files)
        elif mode == "float16" or (self.samples.is_random and mode != "int8"):
            self.seen.held = list(islice(self.samples, HELD))
        else:
            if self.samples.is_random:
                text = "calibrated on random inputs: give real ones (--data), or the integers may miss the real ranges"
                remark(Remark("warning", "quantize", text))
            self.seen = calibrate(self.target, self.floats, self.names, self.samples, self.progress)
        self.stats = self.folder / "statistics.json"
        statistics.save(self.seen.statistics, self.stats)

    def _compare(self, samples: Sequence[Sample]) -> list[Trial]:
        """Try recipes on samples of the calibration: no method of choosing ranges is best everywhere."""
        if not self.seen.statistics or self.options.quantize == "float16":
            return []
        want = self._outputs(self.floats, samples)
        trials: list[Trial] = []
        for method, corrects in self._recipes(trials):
            self.progress(f"trying {describe(method, corrects)}")
            module = clone_module(self.module)
            trial = Trial(method, corrects, 0.0)
            with collect_remarks():
                run_passes(module, self._passes(trial))
            path = self.folder / f"trial{self.target.suffix}"
            self.target.emit(module, path)
            trials.append(Trial(method, corrects, _score(measure(want, self._outputs(path, samples)))))
        return trials

    def _recipes(self, trials: Sequence[Trial]) -> Iterator[tuple[RangeMethod, bool]]:
        """Yield what to try next, given what was tried: all methods first, then the best one without correction."""
        methods: tuple[RangeMethod, ...] = METHODS if self.options.quantize == "int8" else METHODS[:1]
        for method in methods:
            yield method, True
        yield max(trials, key=lambda t: t.sqnr).method, False

    def _passes(self, chosen: Trial | None) -> list[Pass]:
        """Return the passes that quantize by a recipe."""
        options = self.options
        first = Quantize(
            mode=mode_of(options),
            target=self.target.name,
            statistics=str(self.stats),
            method="minmax" if chosen is None else chosen.method,
            correct_bias=chosen is None or chosen.corrects_bias,
            per_channel=not options.per_tensor,
            keep_float=";".join(options.keep_float),
        )
        return [first, *parse_pipeline(f"legalize{{target={self.target.name}}},cse,dce")]

    def _outputs(self, path: Path, samples: Sequence[Sample]) -> list[dict[str, Array]]:
        runner = open_runner(self.target, path, self.runtime)
        return [runner.run(sample) for sample in samples]

    def _check(self, report: QuantizationReport) -> None:
        """Refuse what has lost too much.

        Raises:
            CompileError: Q004.
        """
        poor = [o for o in report.outputs if o.sqnr < report.least]
        if poor:
            texts = ", ".join(f'"{o.name}" {o.sqnr:.1f} dB' for o in poor)
            help = (
                "calibrate on real data (--data), keep operations in floats (--keep-float), or --quantize weight-int8"
            )
            raise error(
                "Q004", f"{texts} from the network in floats; at least {report.least:g} dB are asked for", help=help
            )


def _score(outputs: Sequence[OutputReport]) -> float:
    return fmean(min(o.sqnr, CEILING) for o in outputs) if outputs else 0.0


def mode_of(options: CompileOptions) -> QuantizationMode:
    """Return what options ask for, which is something."""
    assert options.quantize is not None
    return options.quantize
