"""The choice among ways to quantize: no range is best everywhere, and the fastest file may lose too much."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from nhwcc.compiler.options import CALIBRATED, QuantizationChoice, QuantizationMode, RangeMethod
from nhwcc.quantization.mixed import mix
from nhwcc.quantization.report import Candidate, Trial
from nhwcc.quantization.trials import Bench

METHODS: tuple[RangeMethod, ...] = ("minmax", "percentile", "mse")
"""How ranges may be chosen, in the order in which they are tried."""

LEAST = 10.0
"""The least distance from the network in floats that is accepted, in dB, unless the user says something else."""

FAITHFUL = 20.0
"""The distance that every output must keep for a file to be chosen by itself, in dB: an error of a tenth."""

MODES: tuple[QuantizationMode, ...] = ("int8", "dynamic-int8", "weight-int8", "float16")
"""What a choice is made among, in the order in which it is tried."""

SLOWER = 1.05
"""How much slower than in floats a file may be measured and count as no slower."""


def choose(
    choice: QuantizationChoice, bench: Bench, required: float | None, progress: Callable[[str], None]
) -> tuple[Trial, str]:
    """Return the best way to quantize, and why it was taken; ``required`` dB are asked for by the user.

    Raises:
        CompileError: as :meth:`~.trials.Bench.run`.
    """
    if choice != "auto":
        best = _best(choice, bench, progress, timed=False)
        accepted = LEAST if required is None else required
        is_near = best.least >= accepted and bench.run(best.candidate, on_held=True).least >= accepted
        if choice in CALIBRATED and not is_near:
            return mix(bench, best, accepted, progress)
        return best, f"the best of {len(bench.trials)} on samples" if len(bench.trials) > 1 else "as asked for"
    least = FAITHFUL if required is None else required
    found = [_best(mode, bench, progress, timed=True) for mode in MODES]
    found = [t for t in found if t.is_quantized] or found
    fit = [t for t in found if t.least >= least and _time(t) <= SLOWER]
    if fit:
        best = min(fit, key=_time)
        text = f"the fastest whose outputs keep {least:g} dB: {_time(best):.2f} of the time in floats"
        return best, f"{text}; {_others(found, best)}"
    best = max(found, key=lambda t: t.least)
    return best, f"nothing keeps {least:g} dB and is no slower than floats; this loses least; {_others(found, best)}"


def _others(found: Sequence[Trial], best: Trial) -> str:
    texts = (f"{t.candidate.mode} {t.least:.1f} dB, {_time(t):.2f} of the time" for t in found if t is not best)
    return f"others: {'; '.join(texts)}"


def _time(trial: Trial) -> float:
    return 0.0 if trial.time is None else trial.time


def _best(mode: QuantizationMode, bench: Bench, progress: Callable[[str], None], *, timed: bool) -> Trial:
    """Try what a mode leaves open, and return the best."""
    trials: list[Trial] = []
    for candidate in _candidates(mode, bench, trials):
        progress(f"trying {candidate}")
        trials.append(bench.run(candidate, timed=timed))
    return max(trials, key=lambda t: t.sqnr)


def _candidates(mode: QuantizationMode, bench: Bench, trials: Sequence[Trial]) -> Iterator[Candidate]:
    """Yield what to try next, given what was tried: all methods first, then the best one without correction."""
    methods: tuple[RangeMethod, ...] = METHODS if mode == "int8" else METHODS[:1]
    is_calibrated = bench.is_calibrated and mode != "float16"
    for method in methods:
        yield Candidate(mode, method, is_calibrated)
    if is_calibrated:
        yield Candidate(mode, max(trials, key=lambda t: t.sqnr).candidate.method, corrects_bias=False)
