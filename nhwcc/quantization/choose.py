"""The choice among ways to quantize: no range is best everywhere, and the fastest file may lose too much."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from nhwcc.compiler.options import CALIBRATED, QuantizationChoice, QuantizationMode, RangeMethod
from nhwcc.quantization.goal import FAITHFUL, MARGIN, Goal
from nhwcc.quantization.mixed import mix
from nhwcc.quantization.report import Candidate, Trial
from nhwcc.quantization.trials import Bench

METHODS: tuple[RangeMethod, ...] = ("minmax", "percentile", "mse")
"""How ranges may be chosen, in the order in which they are tried."""

MODES: tuple[QuantizationMode, ...] = ("int8", "dynamic-int8", "weight-int8", "float16")
"""What a choice is made among, in the order in which it is tried."""

INSTEAD: tuple[QuantizationMode, ...] = ("int8", "dynamic-int8")
"""Modes that run fast on a CPU: what they would have given is told where kernels on other integers were asked for."""

STRENGTH = 0.5
"""How much channels are equalized: the whole way makes weights uneven, which loses as much on inputs not yet seen."""

GAIN = 0.5
"""By how many dB a way must be better on samples than one that was tried before it: these are few, and tell no less."""

SLOWER = 1.05
"""How much slower than in floats a file may be measured and count as no slower."""


@dataclass(frozen=True)
class Choice:
    """The best way to quantize, why it was taken, and how other modes would have come out."""

    best: Trial
    why: str
    instead: list[Trial] = field(default_factory=lambda: list[Trial]())


def choose(choice: QuantizationChoice, bench: Bench, progress: Callable[[str], None]) -> Choice:
    """Return the best way to quantize.

    Raises:
        CompileError: as :meth:`~.trials.Bench.run`.
    """
    if choice == "auto":
        return Choice(*_fastest(bench, progress))
    goal = bench.goal
    best = _best(choice, bench, progress, timed=False)
    is_near = goal.loss(best) <= MARGIN and goal.loss(bench.run(best.candidate, on_held=True)) <= MARGIN
    why = f"the best of {len(bench.trials)} on samples" if len(bench.trials) > 1 else "as asked for"
    if choice not in CALIBRATED:
        return Choice(best, why)
    if not is_near:
        best, why = mix(bench, best, progress)
    modes: list[QuantizationMode] = [mode for mode in INSTEAD if mode != choice and mode in bench.target.modes]
    is_rounded = best.candidate.rounds_together and not best.candidate.equalization
    like = Candidate(choice, corrects_bias=bench.is_calibrated, rounds_together=is_rounded)
    others = [bench.other(replace(like, mode=mode)) for mode in modes]
    return Choice(best, why, [t for t in others if t.is_quantized])


def _fastest(bench: Bench, progress: Callable[[str], None]) -> tuple[Trial, str]:
    """Return the fastest way that keeps what is asked for, and why it was taken."""
    goal = bench.goal
    found = [_best(mode, bench, progress, timed=True) for mode in MODES if mode in bench.target.modes]
    found = [t for t in found if t.is_quantized] or found
    fit = [t for t in found if goal.loss(t, FAITHFUL) <= _share(t) and _time(t) <= SLOWER]
    asked = goal.text(FAITHFUL)
    if fit:
        best = min(fit, key=_time)
        text = f"the fastest that keeps {asked}: {_time(best):.2f} of the time in floats"
        return best, f"{text}; {_others(found, best)}"
    best = max(found, key=lambda t: goal.rank(t, t.least))
    return best, f"nothing keeps {asked} and is no slower than floats; this loses least; {_others(found, best)}"


def _share(trial: Trial) -> float:
    """Return what share of a bound may be used up on known samples: of ranges from these, not all of it."""
    return MARGIN if trial.candidate.mode in CALIBRATED else 1.0


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
    return _best_of(trials, bench.goal)


def _best_of(trials: Sequence[Trial], goal: Goal) -> Trial:
    """Return the best trial; of those that are as good as each other, the first."""
    best = trials[0]
    for trial in trials[1:]:
        if goal.rank(trial, trial.sqnr - GAIN) > goal.rank(best, best.sqnr):
            best = trial
    return best


def _candidates(mode: QuantizationMode, bench: Bench, trials: Sequence[Trial]) -> Iterator[Candidate]:
    """Yield what to try next, given what was tried: all methods, then the best one with other corrections.

    Biases are left as they are at the end: weights that are rounded together need them corrected.
    """
    methods: tuple[RangeMethod, ...] = METHODS if mode == "int8" else METHODS[:1]
    is_calibrated = bench.is_calibrated and mode != "float16"
    for method in methods:
        yield Candidate(mode, method, is_calibrated)
    if is_calibrated and bench.network.is_known:
        if mode == "int8" and bench.network.can_equalize:
            yield replace(_best_of(trials, bench.goal).candidate, equalization=STRENGTH)
        yield replace(_best_of(trials, bench.goal).candidate, rounds_together=True)
    if is_calibrated:
        yield replace(_best_of(trials, bench.goal).candidate, corrects_bias=False)
