"""Quantizing a compiled network: calibrate, try recipes, take the one that loses least, say what it lost."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from nhwcc.backends.common.target import Emitted, Target
from nhwcc.compiler.diagnostics import CompileError, Remark, collect_remarks, counted, error, remark
from nhwcc.compiler.ir import Module
from nhwcc.compiler.options import CALIBRATED
from nhwcc.compiler.types import TensorType
from nhwcc.files import scratch
from nhwcc.instruments import Instrument, Stage, run_passes
from nhwcc.options import CompileOptions
from nhwcc.passes.quantization import statistics
from nhwcc.passes.quantization.joins import index_text
from nhwcc.passes.quantization.names import value_names
from nhwcc.passes.quantization.recipe import check_keeps
from nhwcc.passes.quantization.split import split_outputs
from nhwcc.quantization.calibrate import COUNTED, EVERY, HELD, TRIED, Seen, calibrate, write_named
from nhwcc.quantization.choose import choose
from nhwcc.quantization.goal import Goal
from nhwcc.quantization.images import ImageFormat
from nhwcc.quantization.metrics import parse_metric
from nhwcc.quantization.parts import joined_outputs
from nhwcc.quantization.prepared import Network
from nhwcc.quantization.report import QuantizationReport, most_clamped
from nhwcc.quantization.samples import Sample, samples_of
from nhwcc.quantization.trials import Bench, is_quantized
from nhwcc.request import check_io_dtypes
from nhwcc.targets import open_timed, start_runtime


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
        check_keeps(self.module.main, self.options.keep_float, value_names(self.module.main))
        folder = self.stack.enter_context(scratch()).path
        self.floats = folder / f"floats{self.target.suffix}"
        self.statistics = folder / "statistics.json"
        self.names = write_named(self.target, self.module, self.floats)
        options = self.options
        metric = None if options.metric is None else parse_metric(options.metric)
        self.goal = Goal(options.min_sqnr, metric, options.max_error)
        self.seen.compared = TRIED if metric is None else COUNTED
        images = ImageFormat.parse(options.images or "")
        self.samples = samples_of(options.data, self.types, images, options.seed)
        self.runtime = self.stack.enter_context(start_runtime(self.target))

    @property
    def first_sample(self) -> Sample | None:
        """A sample of the user's, on which the network in floats is verified."""
        return None if self.samples.is_random else next(iter(self.samples), None)

    def run(self, draft: Path, instruments: Sequence[Instrument]) -> tuple[Emitted, QuantizationReport, list[Stage]]:
        """Quantize the module, write it, and measure.

        Raises:
            CompileError: Q001 to Q005; L006, a type is asked for an output that there is not; what the samples, the
                passes or the runtime find.
        """
        self._ask_metric()
        self._calibrate()
        options, tried = self.options, self.seen.tried or self.seen.held
        held = self.seen.held or tried
        network = Network(
            self.target,
            options,
            self.module,
            self.floats,
            self.statistics,
            self.samples,
            self.seen,
            self.progress,
        )
        bench = Bench(
            self.target,
            options,
            network,
            self.runtime,
            tried,
            held,
            goal=self.goal,
        )
        assert options.quantize is not None
        notes = self._split(bench) if options.split_outputs else []
        choice = choose(options.quantize, bench, self.progress)
        best = choice.best
        with collect_remarks() as remarks:
            stages = run_passes(self.module, bench.passes(best.candidate), instruments)
        self.progress("writing")
        emitted = self.target.emit(self.module, draft)
        measured = bench.measure(draft, held)
        report = QuantizationReport(
            best.candidate,
            choice.why,
            self.samples.title,
            self.seen.count,
            len(self.seen.held),
            bench.trials,
            measured.outputs,
            required if math.isfinite(required := self.goal.required()) else None,
            self.floats.stat().st_size,
            draft.stat().st_size,
            bench.seconds(self.floats),
            bench.seconds(draft),
            [*notes, *(r.text for r in remarks if r.by == "quantize" and r.kind == "note")],
            None if self.goal.metric is None else self.goal.metric.name,
            measured.kept,
            options.max_error,
            choice.instead,
            most_clamped(bench.saturated(draft)),
        )
        check(report)
        if not is_quantized(self.module):
            raise self._unchanged(bench)
        return emitted, report, stages

    def _unchanged(self, bench: Bench) -> CompileError:
        """Say that nothing has changed, and what can be done about that: which option keeps all of it in floats."""
        text = "nothing in the network would be stored or computed in fewer bits"
        options = self.options
        if any(trial.is_quantized for trial in bench.trials):
            asked = "--min-sqnr" if options.max_error is None else "--max-error"
            return error("Q004", f"{text}: {self.goal.text()} asks for more than that keeps", help=f"lower {asked}")
        if options.keep_float:
            kept = ", ".join(map(repr, options.keep_float))
            return error("Q004", f"{text}: --keep-float leaves the rest as it is", help=f"leave out one of {kept}")
        return error("Q004", text, help="compile it without --quantize: nothing in it has a kernel on fewer bits")

    def calibrate(self) -> Seen:
        """Run on all samples, without holding any back; return what was seen.

        Raises:
            CompileError: the runtime refuses a sample; what makes the samples fails.
        """
        return calibrate(self.target, self.floats, self.names, self.samples, self.progress)

    def _ask_metric(self) -> None:
        """Let the user's metric judge a sample without loss, before anything takes long.

        Raises:
            CompileError: L010, it fails.
        """
        if self.goal.metric is not None:
            runner = open_timed(self.target, self.floats, self.runtime)
            found = [runner.numbers(runner.run(sample)) for sample in islice(self.samples, 1)]
            self.goal.metric(found, found)

    def _split(self, bench: Bench) -> list[str]:
        """Give outputs that are joined from parts as several ones; say what became of each."""
        func = self.module.main
        pieces = joined_outputs(func, bench.outputs(self.floats, bench.samples))
        if not pieces:
            text = "no output is joined from parts of known sizes: there is nothing to split"
            remark(Remark("warning", "quantize", text))
            return []
        made = split_outputs(func, pieces)
        write_named(self.target, self.module, self.floats)
        check_io_dtypes(self.options, self.module)
        return [
            f"{new} is {name}{index_text(slab.axis, slab.span)}"
            for name, own in made.items()
            for new, slab in zip(own, pieces[name], strict=True)
        ]

    def _calibrate(self) -> None:
        """Get the statistics: from the user's files, or by running on the samples."""
        files = self.options.calibration
        mode = self.options.quantize
        if files:
            for number, sample in enumerate(self.samples):
                if not self.seen.is_held(number, sample):
                    self.seen.try_on(sample)
                self.seen.count += 1
            self.seen.statistics = statistics.joined(statistics.load(Path(file)) for file in files)
        elif (mode == "float16" and not self.options.io_dtype) or (
            self.samples.is_random and not self.options.io_dtype and mode not in (*CALIBRATED, "auto")
        ):
            self.seen.held = list(islice(self.samples, HELD))
        else:
            if self.samples.is_random:
                text = "calibrated on random inputs: give real ones (--data), or the integers may miss the real ranges"
                remark(Remark("warning", "quantize", text))
            self.seen = calibrate(self.target, self.floats, self.names, self.samples, self.progress, self.seen)
        if not self.seen.held:
            text = f"{counted(self.seen.count, 'sample')} of data: none is held back, so the report is on what was seen"
            remark(Remark("warning", "quantize", f"{text}; give at least {EVERY}"))
        statistics.save(self.seen.statistics, self.statistics)


def check(report: QuantizationReport) -> None:
    """Refuse what has lost too much.

    Raises:
        CompileError: Q004, some outputs have.
    """
    poor = [o for o in report.outputs if report.required is not None and o.sqnr < report.required]
    texts: list[str] = []
    if poor:
        outputs = ", ".join(f'"{o.name}" {o.sqnr:.1f} dB' for o in poor)
        texts.append(f"{outputs} from the network in floats; at least {report.required:.4g} dB are asked for")
    if report.kept is not None and report.max_error is not None and 1 - report.kept > report.max_error:
        least = 1 - report.max_error
        texts.append(f"{report.metric} is {report.kept:.4g}; at least {least:.4g} is asked for")
    if texts:
        help = "calibrate on real data (--data), keep operations in floats (--keep-float), or --quantize weight-int8"
        raise error("Q004", "; ".join(texts), help=help)
