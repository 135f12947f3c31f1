"""Comparing a quantized file with a network in floats: in decibels, since digits are lost on purpose."""

from __future__ import annotations

from dataclasses import dataclass, field

from nhwcc.compiler.diagnostics import Diagnostic
from nhwcc.compiler.types import Array
from nhwcc.feeds import Feeding, runs
from nhwcc.quantization.measure import OutputReport, measure
from nhwcc.quantization.report import Clamped, most_clamped
from nhwcc.runners import Runner
from nhwcc.runners.bounded import Bounded
from nhwcc.runners.tflite import TfliteRunner
from nhwcc.verification import Settings, VerificationError, common_sizes

SAMPLES = 4
"""On how many random inputs a file is compared if nobody gave any."""


@dataclass(frozen=True)
class Decibels:
    """How far outputs are from those in floats, the worst one first, and how far they may be.

    ``clamped`` are tensors with integers at the ends of their range.
    """

    outputs: list[OutputReport]
    least: float
    clamped: list[Clamped] = field(default_factory=lambda: list[Clamped]())

    @property
    def ok(self) -> bool:
        """Whether each output has at least the SQNR that is asked for."""
        return all(o.sqnr >= self.least for o in self.outputs)

    def problems(self) -> VerificationError:
        """Build the error that says which outputs are not."""
        poor = [o for o in self.outputs if o.sqnr < self.least]
        texts = (f"{o.name} is {o.sqnr:.1f} dB from floats; at least {self.least:g} dB are asked for" for o in poor)
        return VerificationError(*(Diagnostic("error", "R020", text) for text in texts))


def quantized(runner: Runner) -> TfliteRunner | None:
    """Return a runner if its file computes or stores numbers as integers."""
    runner = runner.inner if isinstance(runner, Bounded) else runner
    return runner if isinstance(runner, TfliteRunner) and runner.is_quantized else None


def compare(reference: Runner, candidate: TfliteRunner, settings: Settings, least: float) -> Decibels:
    """Run both on the same inputs and compare.

    Raises:
        CompileError: what refuses to run.
    """
    ours, theirs = tuple(reference.inputs), tuple(candidate.inputs)
    shared = {name: name for name in ours if name in theirs}
    names = shared or dict(zip(ours, theirs, strict=True))
    sizes = common_sizes(reference.inputs, candidate.inputs, names) if settings.data is None else {}
    want: list[dict[str, Array]] = []
    got: list[dict[str, Array]] = []
    given: list[dict[str, Array]] = []
    for seed in range(settings.seed, settings.seed + (SAMPLES if settings.data is None else 1)):
        for feed, results in runs(reference, Feeding(settings.data, seed, sizes=sizes, large=False)):
            given.append(by_place(feed.inputs, tuple(candidate.inputs)))
            found = candidate.numbers(candidate.run(given[-1]))
            want.append(results)
            got.append(by_place(found, tuple(results)))
    return Decibels(measure(want, got), least, most_clamped(candidate.saturated(given)))


def by_place(arrays: dict[str, Array], names: tuple[str, ...]) -> dict[str, Array]:
    """Return arrays under other names: by place where no name is the same."""
    return arrays if set(arrays) & set(names) else dict(zip(names, arrays.values(), strict=True))
